//! The protocol of lvmpolld: what lvm commands ask of the daemon that polls long operations, and what it answers.
//!
//! ```text
//! client                                   daemon
//!   hello                             ->     OK, protocol, version
//!   pvmove | convert | merge | ...    ->     OK | invalid | failed          the work goes on by itself
//!   progress_info                     ->     in_progress | not_found | finished | failed   again and again
//!   dump                              ->     all operations, as config text
//! ```
//!
//! Both directions of both halves are here: [`Request::parse`] and [`Reply::to_bytes`] for a daemon,
//! [`Request::to_bytes`] and [`Reply::parse`] for a client. What a request does, and which of the replies it
//! deserves, is not: a [`Refusal`] is only what can be told from the request alone, plus the wording of the rest.
//!
//! Texts in requests must be UTF-8, because they become ids, journal records and arguments. `cmdline`, which is only
//! shown to humans, is converted with replacement characters instead. (The C daemon takes any bytes.)
//!
//! Source: lvm2 2.03.16, observed by driving the real daemon; recorded exchanges are in `tests/fixtures/`.

mod dump;
mod interval;
mod reply;
mod request;

#[cfg(test)]
mod tests;

pub use dump::{Dump, DumpEntry, DumpState};
pub use interval::{Interval, InvalidInterval};
pub use reply::{Outcome, POLLING_FAILED, Reply, ReplyError};
pub use request::{PollOperation, ProgressRequest, Refusal, Request, StartRequest};

/// The protocol's name in the reply to hello; a client refuses any other.
pub const PROTOCOL: &str = "lvmpolld";

/// The protocol's version in the reply to hello; a client refuses any other.
pub const VERSION: i64 = 1;
