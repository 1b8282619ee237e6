//! The only place where a supervised process is started.
//!
//! `std` does fork and exec and tells through a pipe of its own whether the program could be executed. It also clears
//! the signal mask; what it cannot do is in [`sys::before_exec`]. Nothing here waits for the child.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use rustix::process::{PidfdFlags, Resource, Rlimit, getrlimit, pidfd_open, setrlimit};
use thiserror::Error;

use super::reap::reap_when_ended;
use super::{Command, ProcessIdentity, WhenFull, output};
use crate::sys;

/// Why a process could not be started. None is running in any of these cases.
#[derive(Debug, Error)]
pub enum SpawnError {
    /// The program cannot be executed: it is missing, not executable, or its arguments are too long.
    #[error("execute {}", program.display())]
    Exec {
        /// The program.
        program: PathBuf,
        /// The error of execve(2).
        source: io::Error,
    },
    /// The system lacks memory, processes or descriptors just now; the same command may succeed later.
    #[error("create a process for {}", program.display())]
    Fork {
        /// The program.
        program: PathBuf,
        /// The error of fork(2), pipe(2) or execve(2).
        source: io::Error,
    },
    /// A pipe for its output cannot be made or opened.
    #[error("open {} for the output of a process", path.display())]
    Output {
        /// The pipe.
        path: PathBuf,
        /// The error of mknod(2) or open(2).
        source: io::Error,
    },
    /// It was started but could not be identified or watched, and was killed for that.
    #[error("identify the started process {pid}")]
    Identity {
        /// Its former pid.
        pid: u32,
        /// The error of `pidfd_open(2)`, `/proc` or epoll(7).
        source: io::Error,
    },
}

impl SpawnError {
    /// Tells whether the system lacks memory, processes or descriptors just now: the same command may succeed later.
    pub fn is_shortage(&self) -> bool {
        match self {
            Self::Exec { source, .. }
            | Self::Fork { source, .. }
            | Self::Output { source, .. }
            | Self::Identity { source, .. } => is_shortage(source),
        }
    }
}

/// The limit of open files before [`raise_open_files_limit`].
static OPEN_FILES_AT_START: OnceLock<Rlimit> = OnceLock::new();

/// Raises this program's soft limit of open files to the hard limit; supervised processes get the old one back.
///
/// Programs that use select(2) or close all possible descriptors suffer from a high limit, so it is not passed on.
///
/// # Errors
/// The error of setrlimit(2).
pub fn raise_open_files_limit() -> io::Result<()> {
    let at_start = OPEN_FILES_AT_START.get_or_init(|| getrlimit(Resource::Nofile));
    setrlimit(Resource::Nofile, Rlimit { current: at_start.maximum, maximum: at_start.maximum })?;
    Ok(())
}

/// Returns how many files this program may have open now.
pub fn open_files_limit() -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

/// Starts `command`. Blocks until the program was executed, which can take as long as reading it from its disk.
pub(super) fn spawn(command: &Command) -> Result<(ProcessIdentity, OwnedFd), SpawnError> {
    let stdout = open_output(&command.stdout, command.when_full)?;
    let stderr = open_output(&command.stderr, command.when_full)?;
    let mut child = prepare(command, stdout, stderr).spawn().map_err(|source| {
        let program = command.program.clone();
        if is_shortage(&source) {
            SpawnError::Fork { program, source }
        } else {
            SpawnError::Exec { program, source }
        }
    })?;
    identify(child.id()).map_err(|source| {
        // Whoever asked for it could neither watch nor end it. This can only fail when it is gone already.
        let _ = child.kill();
        reap_when_ended(child.id());
        SpawnError::Identity { pid: child.id(), source }
    })
}

fn open_output(path: &Path, when_full: WhenFull) -> Result<File, SpawnError> {
    let pipe = output::open_for_writing(path, when_full);
    pipe.map_err(|source| SpawnError::Output { path: path.to_owned(), source })
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that starts supervised processes")]
fn prepare(command: &Command, stdout: File, stderr: File) -> std::process::Command {
    let mut prepared = std::process::Command::new(&command.program);
    prepared
        .args(&command.arguments)
        .env_clear()
        .envs(command.environment.iter().map(|(name, value)| (name, value)))
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(stdout)
        .stderr(stderr);
    if let Some(directory) = &command.directory {
        prepared.current_dir(directory);
    }
    sys::before_exec(&mut prepared, OPEN_FILES_AT_START.get().copied());
    prepared
}

/// Tells a lack of resources from a program that cannot be run. `std` does not say which step failed, and the
/// difference that matters to the caller is whether trying again can help.
fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOMEM | libc::EMFILE | libc::ENFILE))
}

/// The child is not reaped yet, so the pid is its own, even when it has ended.
fn identify(pid: u32) -> io::Result<(ProcessIdentity, OwnedFd)> {
    let raw = super::identity::raw_pid(pid).expect("a child has a valid pid");
    Ok((ProcessIdentity::of(pid)?, pidfd_open(raw, PidfdFlags::empty())?))
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn a_shortage_passes_whichever_step_it_hits() {
        for (errno, is_shortage) in [
            (Errno::AGAIN, true),
            (Errno::NOMEM, true),
            (Errno::MFILE, true),
            (Errno::NFILE, true),
            (Errno::NOENT, false),
            (Errno::ACCESS, false),
            (Errno::NOSPC, false),
        ] {
            let (path, source) = (PathBuf::from("/a"), || io::Error::from(errno));
            for error in [
                SpawnError::Exec { program: path.clone(), source: source() },
                SpawnError::Fork { program: path.clone(), source: source() },
                SpawnError::Output { path: path.clone(), source: source() },
                SpawnError::Identity { pid: 7, source: source() },
            ] {
                assert_eq!(error.is_shortage(), is_shortage, "{error:?}");
            }
        }
    }
}
