//! The protocol of lvmlockd: what lvm commands ask of the daemon that holds the locks of shared VGs, and what it answers.
//!
//! Source: lvm2 2.03.16 and 2.03.39, observed by driving the real daemon; recorded exchanges are in `tests/fixtures/`.

pub mod adopt_file;
mod fields;
pub mod info;
mod lock_args;
mod op;
mod options;
mod reply;
mod request;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use lock_args::{InvalidLockArgs, LockArgs};
pub use op::Op;
pub use options::Options;
pub use reply::{Detail, Done, Made, Owner, Reply, ReplyError};
pub use request::{DEFAULT_MAX_RETRIES, Lock, Lv, NotUnderstood, Operation, Request, RequestedType, Target};
pub use vocabulary::{LockMode, LockType, ResultCode, ResultFlags};

/// The protocol's name in the reply to hello; a client refuses any other.
pub const PROTOCOL: &str = "lvmlockd";

/// The protocol's version in the reply to hello; a client refuses any other.
pub const VERSION: i64 = 1;
