//! Runs `lvmwarden` and looks at what it prints and how it ends.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a run of the program left.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Returns the program with this socket and nothing of our environment that it heeds.
#[expect(clippy::disallowed_methods, reason = "it starts the program under test")]
pub(crate) fn program(socket: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lvmwarden"));
    command.arg("--socket").arg(socket).stdin(Stdio::null());
    for name in ["LVMWARDEN_SOCKET", "NO_COLOR", "CLICOLOR_FORCE", "LVM_LVMPOLLD_SOCKET"] {
        command.env_remove(name);
    }
    command.env("TZ", "UTC");
    command
}

/// Runs it to its end.
pub(crate) fn run<A: AsRef<OsStr>>(socket: &Path, arguments: impl IntoIterator<Item = A>) -> Run {
    finish(program(socket).args(arguments))
}

/// Runs a prepared command to its end.
pub(crate) fn finish(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

impl Run {
    /// Asserts how it ended, and that these words are on stderr.
    #[track_caller]
    pub(crate) fn assert_failed(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is expected in {self:#?}");
        }
    }

    /// Asserts that it went well and said nothing on stderr.
    #[track_caller]
    pub(crate) fn assert_done(&self) {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{self:#?}");
    }
}
