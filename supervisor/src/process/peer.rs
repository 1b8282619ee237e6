//! Which process is at the other end of a Unix socket.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::identity::Stat;
use super::{BootId, ProcessIdentity};
use crate::sys;

/// Returns which process the peer of `socket` is, whose pid the socket's credentials say (`SO_PEERCRED`).
///
/// Reads one file of `/proc`, and waits for nothing. Where the kernel has no `SO_PEERPIDFD` (before Linux 6.5) the pid may
/// have become another process's since the connection was made: whoever waits for the end of that one waits too long,
/// not too short.
///
/// # Errors
/// `NotFound` when the peer has ended; otherwise the error of reading `/proc`.
pub fn peer_identity(socket: BorrowedFd<'_>, pid: u32) -> io::Result<ProcessIdentity> {
    static BOOT: OnceLock<BootId> = OnceLock::new();
    let pidfd = sys::peer_pidfd(socket).ok();
    let start_time_ticks = Stat::of(pid)?.start_time_ticks;
    // What was read after the pidfd was opened is of the same process as long as that has not ended.
    if pidfd.is_some_and(|pidfd| has_ended(&pidfd)) {
        return Err(io::ErrorKind::NotFound.into());
    }
    let boot_id = if let Some(known) = BOOT.get() {
        known.clone()
    } else {
        let read = BootId::current()?;
        BOOT.get_or_init(|| read).clone()
    };
    Ok(ProcessIdentity { pid, start_time_ticks, boot_id })
}

fn has_ended(pidfd: &OwnedFd) -> bool {
    let mut watched = [PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN)];
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut watched, Some(&at_once)).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn the_peer_is_the_process_that_has_connected() {
        let (one, _other) = UnixStream::pair().unwrap();
        let own = ProcessIdentity::of(std::process::id()).unwrap();
        assert_eq!(peer_identity(one.as_fd(), own.pid).unwrap(), own);
    }

    #[test]
    fn a_pid_that_nobody_has_is_no_peer() {
        let (one, _other) = UnixStream::pair().unwrap();
        assert_eq!(peer_identity(one.as_fd(), u32::MAX).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
