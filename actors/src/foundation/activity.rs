//! Whether anybody needs the daemon: connected clients and active operations.
//!
//! Counted by guards, so that a client's or an operation's share goes away with it, however it ends.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A count of what is going on, and since when nothing is.
#[derive(Debug, Clone)]
pub struct Activity {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    busy: AtomicUsize,
    idle_since: Mutex<Instant>,
}

/// Counts as activity until it is dropped.
#[derive(Debug)]
pub struct ActivityGuard {
    shared: Arc<Shared>,
}

impl Activity {
    /// Starts without activity, idle from now on.
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared { busy: AtomicUsize::new(0), idle_since: Mutex::new(Instant::now()) }),
        }
    }

    /// Counts one client or operation.
    #[must_use]
    pub fn begin(&self) -> ActivityGuard {
        self.shared.busy.fetch_add(1, Ordering::Relaxed);
        ActivityGuard { shared: Arc::clone(&self.shared) }
    }

    /// Returns how long there has been no activity; `None` while there is some.
    pub fn idle_for(&self) -> Option<Duration> {
        let idle_since = *self.shared.idle_since.lock().unwrap_or_else(PoisonError::into_inner);
        (self.shared.busy.load(Ordering::Relaxed) == 0).then(|| idle_since.elapsed())
    }

    /// Waits until there has been no activity for `timeout`.
    pub async fn idle(&self, timeout: Duration) {
        loop {
            let wait = match self.idle_for() {
                Some(idle) if idle >= timeout => return,
                Some(idle) => timeout.saturating_sub(idle),
                // Whatever ends now, the time-out starts over: it cannot pass earlier than this.
                None => timeout,
            };
            tokio::time::sleep(wait).await;
        }
    }
}

impl Default for Activity {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for ActivityGuard {
    fn drop(&mut self) {
        *self.shared.idle_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.shared.busy.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
