//! What the handle and its thread share: the outbox, what is known of this host, and a way to wake the thread.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::event::{EventfdFlags, eventfd};

use super::outbox::Outbox;

/// The shared part.
pub(super) struct Shared {
    state: Mutex<State>,
    wake: OwnedFd,
    dropped: AtomicU64,
}

/// What is behind the mutex, which nobody holds for long.
pub(super) struct State {
    /// The messages to be sent.
    pub(super) outbox: Outbox,
    /// This host's node id, once it was told.
    pub(super) node: Option<u32>,
    /// Why this host is not in the group.
    pub(super) problem: Option<String>,
    /// Nobody needs the transport any more.
    pub(super) is_stopped: bool,
}

impl Shared {
    /// Returns the part of a transport that has not connected yet.
    ///
    /// # Errors
    /// There are too many descriptors.
    pub(super) fn new() -> io::Result<Self> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let problem = Some("it has not joined yet".to_owned());
        let state = State { outbox: Outbox::new(), node: None, problem, is_stopped: false };
        Ok(Self { state: Mutex::new(state), wake, dropped: AtomicU64::new(0) })
    }

    /// Looks at the state, or changes it.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        // Every change of it is whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the thread, or has it not sleep the next time.
    pub(super) fn wake(&self) {
        // It only fails when it is as awake as can be.
        let _ = rustix::io::write(&self.wake, &1_u64.to_ne_bytes());
    }

    /// Forgets that the thread was woken.
    pub(super) fn woken(&self) {
        let _ = rustix::io::read(&self.wake, &mut [0; 8]);
    }

    /// Returns what is readable when the thread is woken.
    pub(super) fn waker(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }

    /// Notes how many messages were dropped in all.
    pub(super) fn set_dropped(&self, count: u64) {
        self.dropped.store(count, Ordering::Relaxed);
    }

    /// Returns how many messages were dropped in all.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
