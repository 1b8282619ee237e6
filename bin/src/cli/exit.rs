//! What the exit code says: documented here once, for the help, the man page and the tests.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// It did what was asked.
    Done,
    /// It could not, or something is not well.
    Failed,
    /// It was typed wrong; the parser ends the program with this code.
    Usage,
    /// Nobody serves the socket.
    Unreachable,
    /// This user may not.
    Denied,
    /// It took too long.
    TimedOut,
    /// There are as many as there may be, of this user or of all.
    TooMany,
}

impl Exit {
    /// All of them, by code.
    const ALL: [Self; 7] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::Unreachable,
        Self::Denied,
        Self::TimedOut,
        Self::TooMany,
    ];

    /// Returns the number.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::Denied => 4,
            Self::TimedOut => 5,
            Self::TooMany => 6,
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done; of wait and watch: every operation ended well; of doctor: all is well",
            Self::Failed => "the daemon refused, an operation ended badly, or doctor found something to mend",
            Self::Usage => "the command line is wrong",
            Self::Unreachable => "the daemon cannot be reached, or went away and did not come back",
            Self::Denied => "this user may not do that",
            Self::TimedOut => "the time is over, or the daemon did not answer in time",
            Self::TooMany => {
                "this user, or all together, have as many connections, waits or dry runs as there may be"
            }
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// Returns the exit codes and their meanings, in order.
pub fn exit_codes() -> impl Iterator<Item = (u8, &'static str)> {
    Exit::ALL.into_iter().map(|exit| (exit.code(), exit.meaning()))
}
