//! `libcpg` and `libquorum` as a safe interface: a group of processes on several hosts, and whether they are the majority.
//!
//! Groups, rings, nodes and members, in corosync's own words; what they are used for is the caller's. [`Group`] is a
//! connection to CPG, [`Quorum`] one to the quorum service; both have a descriptor to wait on and one event at a time.
//!
//! Most calls are a request to the daemon and wait for its answer, *for ever* if it is stopped. [`Breaker`] is the way
//! out, from another thread: it shuts the connection's socket down, and the library finds that within two seconds.
//!
//! Source: corosync 3.1.7, its headers and manual pages; libqb 2.0.6 for what a call waits for.

mod failure;
mod group;
mod quorum;
mod raw;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};

pub use super::library::LibraryError;
pub use failure::Failure;
pub use group::{Address, Cpg, Group, GroupEvent, Reason};
pub use quorum::{Quorum, QuorumEvent, QuorumService};

pub(super) use failure::LAYOUT as FAILURE_LAYOUT;
pub(super) use raw::{CPG_LAYOUT, QUORUM_LAYOUT};

/// Which configuration of the cluster: a node that formed it, and a number that rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RingId {
    /// The node.
    pub node: u32,
    /// The number.
    pub sequence: u64,
}

impl From<raw::RingId> for RingId {
    fn from(ring: raw::RingId) -> Self {
        Self { node: ring.node, sequence: ring.sequence }
    }
}

/// What breaks a connection from another thread, so that a call that waits returns.
#[derive(Debug)]
pub struct Breaker(OwnedFd);

impl Breaker {
    fn of(socket: BorrowedFd<'_>) -> io::Result<Self> {
        socket.try_clone_to_owned().map(Self)
    }

    /// Breaks the connection: calls on it, also one that waits, fail with [`Failure::LIBRARY`], at the latest after two seconds.
    ///
    /// # Errors
    /// Those of shutdown(2): it is broken already.
    pub fn break_connection(&self) -> io::Result<()> {
        rustix::net::shutdown(self.0.as_fd(), rustix::net::Shutdown::Both).map_err(io::Error::from)
    }
}

/// Returns the descriptor of a connection, which is open as long as that.
///
/// # Safety
/// `fd` is open for as long as `_connection` is borrowed.
unsafe fn borrowed<T>(_connection: &T, fd: RawFd) -> BorrowedFd<'_> {
    // SAFETY: the caller says so.
    unsafe { BorrowedFd::borrow_raw(fd) }
}

/// Returns `count` values from `list` on; none where there is no list.
///
/// # Safety
/// If `count` is not 0 and `list` is not null, there are so many values, which live and do not change as long as the result.
unsafe fn slice<'a, T>(list: *const T, count: usize) -> &'a [T] {
    if count == 0 || list.is_null() {
        return &[];
    }
    // SAFETY: the caller says so.
    unsafe { std::slice::from_raw_parts(list, count) }
}
