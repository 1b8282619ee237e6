//! What the lives of all stand-ins have in common, whatever C daemon they stand in for.

use std::process::ExitCode;

use anyhow::Context;
use lvmwarden_supervisor::ExitReason;
use lvmwarden_supervisor::sys::{Background, ReadyPipe, fork_into_background};
use slog::{Logger, error};

use super::logging::{Destination, Format};
use super::pid_file::{self, PidFileError};
use super::place::NewerJournal;
use super::runtime::TREE_FAILED;

/// The process in which the daemon goes on.
pub(super) enum Process {
    /// This one, in the foreground.
    Foreground,
    /// This one, in the background; whoever started it waits until it is ready.
    Background(ReadyPipe),
    /// Another one, in the background: this one ends with what became of that.
    Elsewhere(ExitCode),
}

impl Process {
    /// Goes into the background, unless it is to stay in the foreground.
    pub(super) fn enter(foreground: bool) -> anyhow::Result<Self> {
        if foreground {
            return Ok(Self::Foreground);
        }
        Ok(match fork_into_background().context("cannot go into the background")? {
            Background::Parent { exit_code } => {
                Self::Elsewhere(ExitCode::from(u8::try_from(exit_code).unwrap_or(1)))
            }
            Background::Child(ready) => Self::Background(ready),
        })
    }
}

/// Returns where the log of the daemon of this name goes.
pub(super) fn log_of(name: &'static str, ready: Option<&ReadyPipe>) -> Destination {
    if ready.is_some() { Destination::Syslog(name) } else { Destination::Stderr(Format::Auto) }
}

/// Shows the version.
#[expect(clippy::print_stdout, reason = "it is what was asked for")]
pub(super) fn show_version(name: &str) {
    println!("{name} version: {} (lvmwarden)", env!("CARGO_PKG_VERSION"));
}

/// Tells why the daemon does not run, and returns the exit code of the C daemons for that.
#[expect(clippy::print_stderr, reason = "there is no log yet, and somebody at the terminal")]
pub(super) fn complain(name: &str, error: &anyhow::Error) -> ExitCode {
    eprintln!("{name}: {error:#}");
    let is_pid_file = error.downcast_ref::<PidFileError>().is_some();
    if is_pid_file {
        ExitCode::from(pid_file::EXIT_CODE)
    } else {
        NewerJournal::exit_code_of(error).unwrap_or(ExitCode::FAILURE)
    }
}

/// Tells that the supervision tree gave up, and returns the exit code for that; `next`: what the exit leaves behind.
pub(super) fn tree_failed(log: &Logger, reason: &ExitReason, next: &str) -> ExitCode {
    error!(log, "the supervision tree has failed"; "reason" => %reason, "next" => next);
    ExitCode::from(TREE_FAILED)
}
