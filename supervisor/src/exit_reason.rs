//! Every way an actor ends.
//!
//! The words are OTP's (`sup_princ`, "Restart types"): `normal` and `shutdown` are orderly, everything else is
//! abnormal. Whether an end leads to a restart is decided in [`restart`](crate::restart), from this value alone.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Says how an actor ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", content = "message", rename_all = "snake_case")]
pub enum ExitReason {
    /// It stopped by itself: its work was done.
    Normal,
    /// It stopped because its supervisor asked it to.
    Shutdown,
    /// It stopped after it had called [`ChildLink::fail`](crate::ChildLink::fail) with this reason.
    Failed(String),
    /// It panicked with this message: in its factory, in `started`, in a handler, or in a future it had spawned
    /// into its context.
    Panicked(String),
    /// It was dropped in the middle of its work: it was to be killed at once, or it let the deadline pass.
    Killed,
}

impl ExitReason {
    /// The longest message that is kept, in bytes: it may repeat what somebody has sent.
    pub const MAX_MESSAGE_BYTES: usize = 1000;

    /// Returns the end of an actor that has failed.
    pub(crate) fn failed(reason: &str) -> Self {
        Self::Failed(Self::kept(reason))
    }

    /// Returns the end of an actor that has panicked.
    pub(crate) fn panicked(message: &str) -> Self {
        Self::Panicked(Self::kept(message))
    }

    fn kept(message: &str) -> String {
        message[..message.floor_char_boundary(Self::MAX_MESSAGE_BYTES)].to_owned()
    }

    /// Returns whether a transient child that ends so is restarted.
    pub fn is_abnormal(&self) -> bool {
        match self {
            Self::Normal | Self::Shutdown => false,
            Self::Failed(_) | Self::Panicked(_) | Self::Killed => true,
        }
    }
}

impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Normal => f.write_str("normal"),
            Self::Shutdown => f.write_str("shutdown"),
            Self::Failed(reason) => write!(f, "failed: {reason}"),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::Killed => f.write_str("killed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_message_that_repeats_what_a_client_has_sent_the_beginning_is_kept() {
        let long = "ä".repeat(900_000);
        for reason in [ExitReason::failed(&long), ExitReason::panicked(&long)] {
            assert!(reason.to_string().len() <= ExitReason::MAX_MESSAGE_BYTES + "panicked: ".len());
        }
        assert_eq!(ExitReason::failed("short"), ExitReason::Failed("short".to_owned()));
    }
}
