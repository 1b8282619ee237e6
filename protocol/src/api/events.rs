//! `org.lvmwarden.Events`: one numbered stream of everything that happened.
//!
//! A reader that was away resumes behind the last cursor that it saw. What it cannot be given any more it is told of,
//! in a [`Gap`] at the place where it is missing.

mod cursor;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use cursor::{Cursor, InvalidCursor};

use super::interface::interface;

interface!("org.lvmwarden.Events", "org.lvmwarden.Events.varlink", {
    Recent -> One(RecentReply),
    Subscribe -> Stream(SubscribeReply),
});

/// Asks for the latest events, without waiting for more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Recent {
    /// How many at most; `None`: all that are kept.
    pub limit: Option<u32>,
    /// Where the page begins, as the one before has said; `None`: the latest events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// The latest events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RecentReply {
    /// Oldest first.
    pub events: Vec<Event>,
    /// Where the next page begins, which is of older ones; `None`: there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page: Option<String>,
}

/// Asks for events as they happen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Subscribe {
    /// The last event that the reader has had; `None`: only those that happen from now on.
    pub cursor: Option<Cursor>,
    /// After how many events the stream ends; `None`: never. Gaps are not counted.
    pub limit: Option<u32>,
}

/// What a reader is told next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SubscribeReply {
    /// Something happened.
    Event(Event),
    /// Something happened here, and cannot be told any more.
    Gap(Gap),
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Event {
    /// Its place in the stream.
    pub cursor: Cursor,
    /// When, RFC 3339.
    pub time: String,
    /// What, such as `poll.started`. Later versions have more kinds.
    pub kind: String,
    /// To whom: a VG and LV, or an actor's name.
    pub subject: String,
    /// What else there is to know, by name; numbers are decimal, with their unit in the name.
    pub fields: BTreeMap<String, String>,
}

/// Events that a reader cannot be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Gap {
    /// The last event before the gap.
    pub after: Cursor,
    /// The first event that the reader will get, once there is one.
    pub before: Cursor,
    /// How many are missing; `None` when the stream began anew in between, and its end was not seen.
    pub missed: Option<u64>,
    /// Why.
    pub because: GapCause,
}

/// Why events are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GapCause {
    /// They are so old that they are not kept any more.
    Expired,
    /// The stream began anew: the cursor is of an earlier one.
    Restarted,
    /// The reader does not read as fast as things happen.
    SlowReader,
}

/// Why a call of this interface fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "error", content = "parameters")]
pub enum Error {
    /// The stream did not answer in time; the call may be repeated.
    #[error("get an answer in time: the daemon is busy")]
    Busy,
}
