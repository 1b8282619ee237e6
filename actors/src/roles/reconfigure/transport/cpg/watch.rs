//! Ends a call of the library that lasts too long, by breaking its connection.
//!
//! A call waits for the daemon's answer, for ever while that is stopped. So a second thread knows of the call that is under
//! way and sleeps until its deadline; past it, the socket is shut down, and the library returns within two seconds.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use lvmwarden_supervisor::sys::corosync::Breaker;
use tokio::time::Instant;

const STACK_BYTES: usize = 64 * 1024;

/// The watching thread; it ends when this is dropped.
pub(super) struct Watch(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

enum State {
    /// No call is under way, or its connection is broken already.
    Idle,
    /// One is.
    Calling(Instant, Arc<Breaker>),
    /// There will be no more.
    Over,
}

impl Watch {
    /// Starts the thread.
    ///
    /// # Errors
    /// There are too many threads.
    pub(super) fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared { state: Mutex::new(State::Idle), changed: Condvar::new() });
        let watched = Arc::clone(&shared);
        let thread = thread::Builder::new().name("cpg-watch".to_owned()).stack_size(STACK_BYTES);
        thread.spawn(move || watched.watch())?;
        Ok(Self(shared))
    }

    /// Makes a call; returns what came of it, and whether its connection had to be broken because it lasted longer than `limit`.
    pub(super) fn within<T>(
        &self,
        limit: Duration,
        breaker: &Arc<Breaker>,
        call: impl FnOnce() -> T,
    ) -> (T, bool) {
        *self.0.lock() = State::Calling(Instant::now() + limit, Arc::clone(breaker));
        self.0.changed.notify_one();
        let answer = call();
        let mut state = self.0.lock();
        let was_broken = matches!(*state, State::Idle);
        *state = State::Idle;
        (answer, was_broken)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        *self.0.lock() = State::Over;
        self.0.changed.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self) {
        let mut state = self.lock();
        loop {
            state = match &*state {
                State::Over => return,
                State::Idle => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                State::Calling(until, breaker) => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        // It fails when the daemon has just closed it: then the call returns, too.
                        let _ = breaker.break_connection();
                        *state = State::Idle;
                        continue;
                    }
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}
