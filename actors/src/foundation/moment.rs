//! The clock of all machines.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Time since the daemon started.
pub type Moment = Duration;

/// Returns the time since the host has booted: nobody can set this clock, and it goes on while the host sleeps.
pub fn since_boot() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    // Both are above 0, and below a thousand million.
    let [seconds, nanoseconds] =
        [time.tv_sec, time.tv_nsec].map(|part| u64::try_from(part).unwrap_or_default());
    Duration::from_secs(seconds) + Duration::from_nanos(nanoseconds)
}
