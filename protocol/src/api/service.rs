//! `org.lvmwarden.Service`: the daemon as a whole.

use serde::{Deserialize, Serialize};

use super::interface::{Done, interface};

interface!("org.lvmwarden.Service", "org.lvmwarden.Service.varlink", {
    Info -> One(InfoReply),
    Stop -> One(Done),
});

/// Asks about the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Info {}

/// Tells about the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct InfoReply {
    /// `lvmwarden`.
    pub product: String,
    /// Its version, such as `0.1.0`.
    pub version: String,
    /// Where to read about it.
    pub url: String,
    /// The process id of the daemon.
    pub pid: u32,
    /// When this life of the daemon began, RFC 3339.
    pub started_at: String,
    /// Which daemon: what its children carry as the name of their daemon.
    pub instance: String,
    /// What it serves, such as `poll`.
    pub roles: Vec<String>,
    /// Why the history on disk cannot be written at the moment, for people; `None`: all is well.
    pub history_problem: Option<String>,
    /// What would go wrong if the leases of a VG were lost, for people; `None`: nothing, or the daemon holds no locks.
    pub lock_problem: Option<String>,
}

/// Asks the daemon to end in order.
///
/// The reply comes before the end, or says why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Whether running children go on, to be adopted by the next daemon; or are ended as well.
    pub leave_children: bool,
}

/// What there may be so many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Bounded {
    /// Connections to the API; this one is closed.
    Connections,
    /// Calls that wait for what happens, be it for a single reply or for many.
    WaitingCalls,
    /// Dry runs of the archive janitor, and plans of changes.
    DryRuns,
}

/// Why the service as a whole refuses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "error", content = "parameters")]
pub enum Error {
    /// What the client sent is no message; the connection is closed after this.
    #[error("read a message: {reason}")]
    InvalidMessage {
        /// What is wrong with it, for people.
        reason: String,
    },
    /// A message is larger than it may be: the client's, after which the connection is closed, or the reply to it.
    #[error("read or write a message of more than {limit_bytes} bytes")]
    MessageTooLarge {
        /// The largest that is possible.
        limit_bytes: u64,
    },
    /// The daemon must not end now, and goes on.
    #[error("end: {reason}")]
    StillNeeded {
        /// Why, and what has to be done first, for people.
        reason: String,
    },
    /// There are as many as there may be: of one user, or of all together. Nothing was changed; once some of them are gone,
    /// the call may be repeated.
    #[error("get one more: there are {limit} already ({what:?})")]
    TooMany {
        /// Of what.
        what: Bounded,
        /// Whose, where it is one user's share that is used up: the caller's.
        uid: Option<u32>,
        /// How many there may be: of this user, or of all together.
        limit: u64,
    },
    /// The daemon did not get to it in time, and changed nothing; the call may be repeated.
    #[error("get to it in time: the daemon is busy")]
    Busy,
}
