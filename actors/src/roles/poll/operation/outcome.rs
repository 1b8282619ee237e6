//! How a poll operation ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a poll operation ended, as a client is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// lvpoll ended with this code, 0 to 255; 0: done or nothing to do.
    ///
    /// Source: lvm2 2.03.16, `lib/commands/errors.h` (2 no such command, 3 invalid parameters, 5 processing failed);
    /// `lvmpolld-data-utils.h` (100, 101: the program could not be started).
    Retcode(i32),
    /// lvpoll was ended by this signal, more often than it is worth starting it again.
    Signal(i32),
    /// The operation could not be followed.
    Lost {
        /// Why.
        reason: String,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Retcode(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Lost { reason } => write!(f, "lost: {reason}"),
        }
    }
}

/// lvm's exit code for a command that could not do its work.
///
/// Source: lvm2 2.03.16, `lib/commands/errors.h`; a client shows an error to its user.
pub const PROCESSING_FAILED: i32 = 5;

/// The exit code that tells a client that the lvm binary could not be executed.
///
/// Source: lvm2 2.03.16; a client words it for its user.
pub const EXEC_FAILED: i32 = 101;
