//! Whether this node is in the majority of the cluster, of which configuration.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::ptr;

use super::failure::{Failure, check};
use super::raw::{self, Handle, QuorumFunctions, QuorumModel};
use super::{Breaker, LibraryError, RingId, borrowed, slice};

/// The library.
#[derive(Clone, Copy)]
pub struct QuorumService(&'static QuorumFunctions);

/// A connection to the quorum service. Dropped, it is closed.
pub struct Quorum {
    functions: &'static QuorumFunctions,
    handle: Handle,
    fd: RawFd,
    told: VecDeque<QuorumEvent>,
}

/// What the quorum service tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QuorumEvent {
    /// Whether the nodes of a configuration are the majority.
    Quorum {
        /// Whether they are.
        is_quorate: bool,
        /// The configuration.
        ring: RingId,
    },
    /// The nodes of a configuration.
    Nodes {
        /// The configuration.
        ring: RingId,
        /// Its nodes.
        nodes: Vec<u32>,
    },
}

thread_local! {
    /// What the callbacks add to: the library calls them on the thread that dispatches, before it returns.
    static HEARD: RefCell<Vec<QuorumEvent>> = const { RefCell::new(Vec::new()) };
}

impl QuorumService {
    /// Opens the library, unless it is open already.
    ///
    /// # Errors
    /// It is absent, or is another library; corosync before 3.1 does not say which configuration it speaks of.
    pub fn load() -> Result<Self, LibraryError> {
        QuorumFunctions::load().map(Self)
    }

    /// Connects to the daemon of this host; what is so now is told first, then every change.
    ///
    /// # Errors
    /// [`Failure::LIBRARY`] when there is none; others.
    pub fn open(self) -> Result<Quorum, Failure> {
        let mut model =
            QuorumModel { model: raw::MODEL_V1, quorum: Some(quorum_told), nodes: Some(nodes_told) };
        let (mut handle, mut kind) = (0, 0);
        // SAFETY: all pointers are to values that live until the call returns; the library copies the model, whose functions
        // live for ever. It passes the context on, and nobody reads it.
        check(unsafe {
            (self.0.initialize)(
                &raw mut handle,
                raw::MODEL_V1,
                &raw mut model,
                &raw mut kind,
                ptr::null_mut(),
            )
        })?;
        let mut quorum = Quorum { functions: self.0, handle, fd: -1, told: VecDeque::new() };
        // SAFETY: the handle is open; the number is only written to.
        check(unsafe { (self.0.fd_get)(handle, &raw mut quorum.fd) })?;
        // SAFETY: the handle is open; the rest is numbers.
        check(unsafe { (self.0.track_start)(handle, raw::TRACK_CURRENT | raw::TRACK_CHANGES) })?;
        Ok(quorum)
    }
}

impl Quorum {
    /// Takes one event, if there is one; does not wait.
    ///
    /// # Errors
    /// [`Failure::LIBRARY`]: the connection is broken; others.
    pub fn dispatch(&mut self) -> Result<Option<QuorumEvent>, Failure> {
        if let Some(event) = self.told.pop_front() {
            return Ok(Some(event));
        }
        // SAFETY: the handle is open. The callbacks take no pointer with them.
        let status = unsafe { (self.functions.dispatch)(self.handle, raw::DISPATCH_ONE_NONBLOCKING) };
        self.told.extend(HEARD.take());
        match (self.told.pop_front(), check(status)) {
            (Some(event), _) => Ok(Some(event)),
            (None, Ok(()) | Err(Failure::TRY_AGAIN)) => Ok(None),
            (None, Err(failure)) => Err(failure),
        }
    }

    /// Returns what breaks this connection from another thread.
    ///
    /// # Errors
    /// There are too many descriptors.
    pub fn breaker(&self) -> io::Result<Breaker> {
        Breaker::of(self.as_fd())
    }
}

impl AsFd for Quorum {
    /// Becomes readable when there is something to dispatch.
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the library closes its descriptor only when the connection is finalized, in `drop`.
        unsafe { borrowed(self, self.fd) }
    }
}

impl Drop for Quorum {
    fn drop(&mut self) {
        // SAFETY: the handle is open, and nobody uses it after this.
        unsafe { (self.functions.finalize)(self.handle) };
    }
}

/// Adds to what was heard, without ever unwinding into C.
fn hear(event: QuorumEvent) {
    let _ = HEARD.try_with(|heard| {
        if let Ok(mut heard) = heard.try_borrow_mut() {
            heard.push(event);
        }
    });
}

unsafe extern "C" fn quorum_told(_: Handle, is_quorate: u32, ring: raw::RingId, _: u32, _: *const u32) {
    hear(QuorumEvent::Quorum { is_quorate: is_quorate != 0, ring: ring.into() });
}

unsafe extern "C" fn nodes_told(
    _: Handle,
    ring: raw::RingId,
    count: u32,
    nodes: *const u32,
    _: u32,
    _: *const u32,
    _: u32,
    _: *const u32,
) {
    // SAFETY: the library says that there are so many, until this returns.
    let nodes = unsafe { slice(nodes, count as usize) }.to_vec();
    hear(QuorumEvent::Nodes { ring: ring.into(), nodes });
}
