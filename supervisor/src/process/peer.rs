//! Which process is at the other end of a Unix socket, and when that ends.
//!
//! Nothing is believed of such a process but that it lives: whose it is, and what it says of itself, does not matter here.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{PidfdFlags, pidfd_open};

use super::ProcessIdentity;
use super::identity::raw_pid;
use crate::sys::{self, WatchedFd};

/// Returns which process the peer of `socket` is, whose pid the socket's credentials say (`SO_PEERCRED`).
///
/// Reads a file of `/proc`, and waits for nothing. Where the kernel has no `SO_PEERPIDFD` (before Linux 6.5) the pid may
/// have become another process's since the connection was made: whoever waits for the end of that one waits too long,
/// not too short.
///
/// # Errors
/// `NotFound` when the peer has ended; otherwise the error of reading `/proc`.
pub fn peer_identity(socket: BorrowedFd<'_>, pid: u32) -> io::Result<ProcessIdentity> {
    let pidfd = sys::peer_pidfd(socket).ok();
    let identity = ProcessIdentity::of(pid)?;
    // What was read after the pidfd was opened is of the same process as long as that has not ended.
    if pidfd.is_some_and(|pidfd| has_ended(&pidfd)) {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(identity)
}

/// A process that lives, or a zombie, until its end.
pub struct PeerWatch(WatchedFd);

impl PeerWatch {
    /// Watches the process that `identity` names; `None` when it is gone. Reads a file of `/proc`, and waits for nothing.
    ///
    /// # Errors
    /// The system would not say.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled.
    pub fn begin(identity: &ProcessIdentity) -> io::Result<Option<Self>> {
        let Some(pid) = raw_pid(identity.pid) else { return Ok(None) };
        let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            // The last two say that the number belongs to a thread now, on older and newer kernels.
            Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if !identity.is_still()? {
            return Ok(None);
        }
        WatchedFd::new(pidfd).map(|watched| Some(Self(watched))).map_err(|(_, error)| error)
    }

    /// Waits for its end.
    ///
    /// # Cancel safety
    /// Cancel-safe.
    pub async fn ended(&self) {
        if self.0.readable().await.is_err() {
            // The runtime is going down and takes this future with it.
            std::future::pending::<()>().await;
        }
    }
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

    #[test]
    #[expect(clippy::disallowed_methods, reason = "any process will do, and nobody supervises it")]
    fn the_end_of_a_process_is_told_and_another_one_is_gone() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut child =
                std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn().unwrap();
            let identity = ProcessIdentity::of(child.id()).unwrap();
            let other =
                ProcessIdentity { start_time_ticks: identity.start_time_ticks + 1, ..identity.clone() };
            assert!(PeerWatch::begin(&other).unwrap().is_none());
            let watch = PeerWatch::begin(&identity).unwrap().unwrap();
            let a_moment = std::time::Duration::from_millis(50);
            assert!(tokio::time::timeout(a_moment, watch.ended()).await.is_err());
            drop(child.stdin.take());
            watch.ended().await;
            child.wait().unwrap();
            assert!(PeerWatch::begin(&identity).unwrap().is_none());
        });
    }
}
