//! Finds processes that nobody wrote down: left behind by a crash between start and journal, or by another program.
//!
//! sysinfo gives the overview, which pids there are and what they run. Every candidate is then read from `/proc`
//! itself, with its identity before and after: when both are the same, all that was read between belongs to one
//! process.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, fstat, open};
use rustix::io::Errno;
use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};
use thiserror::Error;

use super::ProcessIdentity;
use super::identity::{Stat, read_proc};

/// Decides by its command line (the program first) whether a process is wanted. Called on a blocking thread.
pub type ScanFilter = Arc<dyn Fn(&[OsString]) -> bool + Send + Sync>;

/// A running process, as it was at the time of the scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundProcess {
    /// Which process it is, for [`Processes::adopt`](super::Processes::adopt).
    pub identity: ProcessIdentity,
    /// The pid of its parent; 1 or a subreaper for an orphan.
    pub parent: u32,
    /// The words of its command line, the program first.
    pub command_line: Vec<OsString>,
    /// The environment it was started with, in order. Entries that are no assignment are left out.
    pub environment: Vec<(OsString, OsString)>,
    /// Where its output goes.
    pub stdout: Stdout,
}

/// Where the standard output of a found process goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stdout {
    /// Into a pipe.
    Pipe {
        /// Whether anybody holds the other end; if not, the daemon that started the process is gone.
        has_reader: bool,
    },
    /// Elsewhere, or it is closed.
    Other,
}

/// Why there is no list of processes.
#[derive(Debug, Error)]
#[error("list the processes of this host")]
pub struct ScanError(#[from] sysinfo::Error);

/// Finds the processes that `wanted` accepts. Blocking.
pub(super) fn scan(wanted: &ScanFilter) -> Result<Vec<FoundProcess>, ScanError> {
    let mut system = System::new()?;
    let kind = ProcessRefreshKind::nothing().without_tasks().with_cmd(UpdateKind::Always);
    system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
    let mut found: Vec<_> = system
        .processes()
        .values()
        .filter(|process| is_wanted(process.cmd(), wanted))
        .map(|process| process.pid().as_u32())
        .filter(|pid| *pid != std::process::id())
        // It is gone by now, or is not ours to look into: neither could be adopted.
        .filter_map(|pid| inspect(pid, wanted).ok().flatten())
        .collect();
    found.sort_unstable_by_key(|process| process.identity.pid);
    Ok(found)
}

/// Kernel threads and zombies have no command line.
fn is_wanted(command_line: &[OsString], wanted: &ScanFilter) -> bool {
    !command_line.is_empty() && wanted(command_line)
}

/// Reads the process `pid`; `None` when it is not, or no longer, a wanted one.
fn inspect(pid: u32, wanted: &ScanFilter) -> io::Result<Option<FoundProcess>> {
    let identity = ProcessIdentity::of(pid)?;
    let command_line: Vec<_> = split_at_nul(&read_proc(pid, "cmdline")?).map(OsStr::to_owned).collect();
    if !is_wanted(&command_line, wanted) {
        return Ok(None);
    }
    let environment = split_at_nul(&read_proc(pid, "environ")?).filter_map(parse_assignment).collect();
    let stdout = stdout_of(pid)?;
    let parent = Stat::of(pid)?.parent;
    let found = FoundProcess { identity, parent, command_line, environment, stdout };
    Ok(found.identity.is_still()?.then_some(found))
}

/// Splits what `/proc` ends with NUL each; empty words in between are words.
fn split_at_nul(bytes: &[u8]) -> impl Iterator<Item = &OsStr> {
    let words = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    words.split(|byte| *byte == 0).filter(|_| !bytes.is_empty()).map(OsStr::from_bytes)
}

fn parse_assignment(entry: &OsStr) -> Option<(OsString, OsString)> {
    let bytes = entry.as_bytes();
    let equals = bytes.iter().position(|byte| *byte == b'=')?;
    Some((OsString::from_vec(bytes[..equals].to_vec()), OsString::from_vec(bytes[equals + 1..].to_vec())))
}

/// Looks at the pipe's end from a second descriptor on it: a pipe without reader is an error to poll(2) at the writing
/// end. (To open it is an error only when the pipe has a name.)
///
/// The file is taken hold of first, without opening it, so that nothing but a pipe is ever opened: opening may have
/// effects on a device.
fn stdout_of(pid: u32) -> io::Result<Stdout> {
    let path = format!("/proc/{pid}/fd/1");
    let held = match open(&path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
        Ok(held) => held,
        Err(Errno::NOENT) if fs::exists(format!("/proc/{pid}/stat"))? => return Ok(Stdout::Other),
        Err(error) => return Err(error.into()),
    };
    if FileType::from_raw_mode(fstat(&held)?.st_mode) != FileType::Fifo {
        return Ok(Stdout::Other);
    }
    let itself = format!("/proc/self/fd/{}", held.as_raw_fd());
    match open(itself, OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()) {
        Ok(end) => {
            let mut poll_fd = [PollFd::new(&end, PollFlags::empty())];
            poll(&mut poll_fd, Some(&Timespec::default()))?;
            Ok(Stdout::Pipe { has_reader: !poll_fd[0].revents().contains(PollFlags::ERR) })
        }
        Err(Errno::NXIO) => Ok(Stdout::Pipe { has_reader: false }),
        Err(error) => Err(error.into()),
    }
}
