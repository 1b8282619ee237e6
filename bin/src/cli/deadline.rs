//! The clock of a program without a runtime: how long is left, and pauses.

use std::time::{Duration, Instant};

/// A point in time to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline(Instant);

impl Deadline {
    /// Returns the one that is `duration` away.
    pub(super) fn after(duration: Duration) -> Self {
        Self(now() + duration)
    }

    /// Returns how long it is until then; `None` when it has passed.
    pub(super) fn left(self) -> Option<Duration> {
        self.0.checked_duration_since(now()).filter(|left| !left.is_zero())
    }
}

#[expect(clippy::disallowed_methods, reason = "there is no runtime whose clock could be asked")]
fn now() -> Instant {
    Instant::now()
}

/// Does nothing for a while.
#[expect(clippy::disallowed_methods, reason = "the program's only thread may wait; there is no runtime")]
pub(super) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
