//! How a process ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcessExit {
    /// It exited by itself with this code, 0 to 255.
    Code(i32),
    /// This signal ended it, 1 to 64.
    Signal(i32),
    /// It has ended and nobody can say how: it was not our child, or somebody else waited for it. Never a success.
    ///
    /// Linux 6.15 and later tell the exit of a process that is not our child (`PIDFD_GET_INFO`), provided that the
    /// process was adopted before its parent reaped it; earlier kernels never do.
    Unknown,
}

impl ProcessExit {
    /// Reads a wait status as the kernel packs it: the signal in the low seven bits, the code in bits 8 to 15.
    ///
    /// Source: wait(2), `WIFEXITED` and its siblings.
    pub(crate) fn from_wait_status(status: i32) -> Self {
        match status & 0x7f {
            0 => Self::Code((status >> 8) & 0xff),
            signal => Self::Signal(signal),
        }
    }
}

impl fmt::Display for ProcessExit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            Self::Unknown => f.write_str("unknown exit"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_status_is_a_code_or_a_signal() {
        assert_eq!(ProcessExit::from_wait_status(0), ProcessExit::Code(0));
        assert_eq!(ProcessExit::from_wait_status(0x700), ProcessExit::Code(7));
        assert_eq!(ProcessExit::from_wait_status(0xff00), ProcessExit::Code(255));
        assert_eq!(ProcessExit::from_wait_status(9), ProcessExit::Signal(9));
        assert_eq!(ProcessExit::from_wait_status(0x8b), ProcessExit::Signal(11), "with a core dump");
    }

    #[test]
    fn exits_keep_their_spelling_in_json() {
        let exits = [ProcessExit::Code(5), ProcessExit::Signal(9), ProcessExit::Unknown];
        let json = serde_json::to_string(&exits).unwrap();
        assert_eq!(json, r#"[{"code":5},{"signal":9},"unknown"]"#);
        assert_eq!(serde_json::from_str::<[ProcessExit; 3]>(&json).unwrap(), exits);
    }
}
