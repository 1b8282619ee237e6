//! The time of the host's clock, as people read it.
//!
//! The time zone is read from the disk when the daemon starts, and when it reads its configuration again, never on the
//! way of an answer: looking it up walks `/usr/share/zoneinfo`, whose disk may be the one that is lost. `clippy.toml` bans
//! the calls that look it up by themselves.

use std::sync::{PoisonError, RwLock};

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

static ZONE: RwLock<Option<TimeZone>> = RwLock::new(None);

/// Reads the host's time zone. Blocks for as long as its disk does.
#[expect(clippy::disallowed_methods, reason = "this is the one place, and it is not on the way of an answer")]
pub fn read_zone() {
    let zone = TimeZone::system();
    *ZONE.write().unwrap_or_else(PoisonError::into_inner) = Some(zone);
}

/// Returns the time now, in the host's time zone; in UTC where [`read_zone`] was not called.
pub fn now() -> Zoned {
    let zone = ZONE.read().unwrap_or_else(PoisonError::into_inner).clone();
    Timestamp::now().to_zoned(zone.unwrap_or(TimeZone::UTC))
}
