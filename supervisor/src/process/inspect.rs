//! The only place where a process that somebody else may have started is inspected.
//!
//! Anybody can start a process whose command line and environment say anything. So the first that is read of a process
//! is whose it is, and a [`RootsProcess`], through which alone the rest can be read, exists only for one of root's:
//! 1. `/proc/PID` is opened. What is read through that descriptor is of one process; when the pid is used again, it reads
//!    as gone.
//! 2. All four user ids are 0: real, effective, saved and that of the file system. A set-user-ID program that somebody
//!    started has his as its real one.
//! 3. Its program is not a set-user-ID one. Some of those, as sudo that asks for a password, take on root's four ids
//!    before they have asked who is there, with a command line and an environment of his choice.
//!
//! Source: proc(5); `credentials(7)`; Linux 6.18, `fs/proc/base.c`.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, Stat as FileStat, fstat, open, openat, readlinkat, stat};
use rustix::io::Errno;
use thiserror::Error;

use super::identity::Stat;
use super::scan::Stdout;
use super::{BootId, ProcessIdentity};

/// What the kernel puts behind the path of a file that was removed.
const REMOVED: &[u8] = b" (deleted)";

/// Why a process was not looked into.
#[derive(Debug, Error)]
pub(super) enum InspectError {
    /// It is not root's, or anybody can have it started as root. Nothing else of it was read.
    #[error("the process is not root's")]
    NotRoots,
    /// It is gone, or the system would not say.
    #[error("read /proc")]
    Io(#[from] io::Error),
}

/// A process of root's, held by its folder in `/proc`. It may have ended since.
#[derive(Debug)]
pub(super) struct RootsProcess {
    pid: u32,
    folder: OwnedFd,
}

impl RootsProcess {
    /// Opens the process that has `pid` now, be it running or a zombie.
    ///
    /// # Errors
    /// [`InspectError::NotRoots`]; `NotFound` when no process has that pid.
    pub(super) fn open(pid: u32) -> Result<Self, InspectError> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = open(format!("/proc/{pid}"), flags, Mode::empty()).map_err(io::Error::from)?;
        let process = Self { pid, folder };
        let has_roots_ids = are_all_zero(&process.read("status")?);
        let is_roots = has_roots_ids && !process.runs_for_anybody()?;
        if is_roots { Ok(process) } else { Err(InspectError::NotRoots) }
    }

    /// Opens the process that `identity` names; `None` when it is gone, or not root's.
    pub(super) fn reopen(identity: &ProcessIdentity) -> Option<Self> {
        let process = Self::open(identity.pid).ok()?;
        let is_same = process.stat().ok()?.start_time_ticks == identity.start_time_ticks;
        is_same.then_some(process)
    }

    /// Reads a file of its folder. A process that is gone is `NotFound`, at whatever point it went.
    pub(super) fn read(&self, file: &str) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        let opened = openat(&self.folder, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        opened.map_err(io::Error::from).and_then(|file| File::from(file).read_to_end(&mut content)).map_err(
            |error| match error.raw_os_error() {
                Some(libc::ESRCH) => io::ErrorKind::NotFound.into(),
                _ => error,
            },
        )?;
        Ok(content)
    }

    /// Reads what is needed of its `stat`.
    pub(super) fn stat(&self) -> io::Result<Stat> {
        Stat::parse(&self.read("stat")?)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/PID/stat has another form"))
    }

    /// Returns which process it is.
    pub(super) fn identity(&self) -> io::Result<ProcessIdentity> {
        let start_time_ticks = self.stat()?.start_time_ticks;
        Ok(ProcessIdentity { pid: self.pid, start_time_ticks, boot_id: BootId::current()? })
    }

    /// Returns the words of its command line; none for a zombie and for a thread of the kernel.
    pub(super) fn command_line(&self) -> io::Result<Vec<OsString>> {
        Ok(split_at_nul(&self.read("cmdline")?).map(OsStr::to_owned).collect())
    }

    /// Returns the environment it was started with, in order. Entries that are no assignment are left out.
    pub(super) fn environment(&self) -> io::Result<Vec<(OsString, OsString)>> {
        Ok(split_at_nul(&self.read("environ")?).filter_map(parse_assignment).collect())
    }

    /// Returns the path of its program, if that is here what the process executes.
    pub(super) fn program(&self) -> io::Result<Option<PathBuf>> {
        let (Some(held), path) = (self.hold("exe")?, self.link("exe")?) else { return Ok(None) };
        let (executed, here) = (fstat(&held)?, stat(&path));
        Ok(here.is_ok_and(|here| is_same(&here, &executed)).then_some(path))
    }

    /// Returns the file that the descriptor `name`, a number, is open on.
    pub(super) fn path_of_descriptor(&self, name: &str) -> io::Result<PathBuf> {
        self.link(&format!("fd/{name}"))
    }

    /// Looks where its standard output goes.
    ///
    /// The file is taken hold of without opening it, so that nothing but a pipe is ever opened: opening may have effects
    /// on a device.
    pub(super) fn stdout(&self) -> io::Result<Stdout> {
        let Some(held) = self.hold("fd/1")? else { return Ok(Stdout::Other) };
        let (file, link) = (fstat(&held)?, self.link("fd/1")?);
        let is_pipe = FileType::from_raw_mode(file.st_mode) == FileType::Fifo;
        if is_pipe && link.as_os_str().as_bytes().starts_with(b"pipe:") {
            return has_reader(&held).map(|has_reader| Stdout::Pipe { has_reader });
        }
        Ok(roots_own(&link, &file).map_or(Stdout::Other, Stdout::RootsOwn))
    }

    /// Has anybody who starts its program the user ids of the program's owner?
    fn runs_for_anybody(&self) -> io::Result<bool> {
        let Some(program) = self.hold("exe")? else { return Ok(false) };
        let mode = Mode::from_raw_mode(fstat(&program)?.st_mode);
        Ok(mode.intersects(Mode::SUID | Mode::SGID))
    }

    /// Takes hold of the file behind a link of its folder, without opening it; `None` when there is none.
    fn hold(&self, link: &str) -> io::Result<Option<OwnedFd>> {
        match openat(&self.folder, link, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
            Ok(held) => Ok(Some(held)),
            // As for a thread of the kernel, a zombie, or a descriptor that is closed.
            Err(Errno::NOENT) if self.read("stat").is_ok() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn link(&self, link: &str) -> io::Result<PathBuf> {
        let path = readlinkat(&self.folder, link, Vec::new())?;
        Ok(OsString::from_vec(path.into_bytes()).into())
    }
}

/// Returns whether all user ids in the text of `/proc/PID/status` are 0.
fn are_all_zero(status: &[u8]) -> bool {
    // The first line has the program's name, in which a newline is written as `\n`.
    let line = status.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"Uid:"));
    let ids: Vec<_> =
        line.unwrap_or_default().split(u8::is_ascii_whitespace).filter(|id| !id.is_empty()).collect();
    ids == [b"0"; 4]
}

/// Returns the path of a file, if it is one that only root can have opened: it is root's, it lies, or lay before it was
/// removed, in a directory in which only root makes files, and neither is open to others.
fn roots_own(link: &Path, file: &FileStat) -> Option<PathBuf> {
    let link = link.as_os_str().as_bytes();
    let (is_removed, path) = match link.strip_suffix(REMOVED) {
        Some(path) if file.st_nlink == 0 => (true, path),
        _ => (false, link),
    };
    let path = Path::new(OsStr::from_bytes(path));
    let folder = stat(path.parent()?).ok()?;
    let is_closed =
        |file: &FileStat, to: Mode| file.st_uid == 0 && !Mode::from_raw_mode(file.st_mode).intersects(to);
    let is_there = stat(path).is_ok_and(|here| is_same(&here, file));
    let is_it = is_there || (is_removed && folder.st_dev == file.st_dev);
    let is_roots = is_closed(file, Mode::RWXG | Mode::RWXO) && is_closed(&folder, Mode::WGRP | Mode::WOTH);
    (path.is_absolute() && is_it && is_roots).then(|| path.to_owned())
}

fn is_same(one: &FileStat, other: &FileStat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// Looks at the pipe's end from a second descriptor on it: a pipe without reader is an error to poll(2) at the writing
/// end. (To open it is an error only when the pipe has a name.)
fn has_reader(pipe: &OwnedFd) -> io::Result<bool> {
    let itself = format!("/proc/self/fd/{}", pipe.as_raw_fd());
    match open(itself, OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()) {
        Ok(end) => {
            let mut poll_fd = [PollFd::new(&end, PollFlags::empty())];
            poll(&mut poll_fd, Some(&Timespec::default()))?;
            Ok(!poll_fd[0].revents().contains(PollFlags::ERR))
        }
        Err(Errno::NXIO) => Ok(false),
        Err(error) => Err(error.into()),
    }
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

#[cfg(test)]
mod tests {
    use super::are_all_zero;

    #[test]
    fn one_user_id_that_is_not_roots_is_enough_to_be_a_stranger() {
        let status = |ids: &str| format!("Name:\tlvm\nUmask:\t0022\nUid:\t{ids}\nGid:\t0\t0\t0\t0\n");
        assert!(are_all_zero(status("0\t0\t0\t0").as_bytes()));
        for ids in
            ["1000\t0\t0\t0", "0\t1000\t0\t0", "0\t0\t1000\t0", "0\t0\t0\t1000", "0\t0\t0", "", "10\t0\t0\t0"]
        {
            assert!(!are_all_zero(status(ids).as_bytes()), "{ids:?}");
        }
    }

    #[test]
    fn a_name_cannot_be_mistaken_for_the_user_ids() {
        assert!(!are_all_zero(b"Name:\tUid:\t0\t0\t0\t0\nUid:\t1000\t1000\t1000\t1000\n"));
        assert!(!are_all_zero(b"Name:\tlvm\n"));
    }
}
