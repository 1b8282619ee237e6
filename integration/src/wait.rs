//! Waits for a condition on the real clock, always with a deadline.

use std::time::{Duration, Instant};

/// How long a test waits for something that should happen at once, even on a busy machine.
pub const SOON: Duration = Duration::from_secs(15);

/// Returns what `attempt` finds, asking every 5 ms until `deadline` has passed.
///
/// # Panics
/// When the deadline passes; the message says what was waited for.
#[track_caller]
pub fn until<T>(what: &str, deadline: Duration, mut attempt: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(start.elapsed() < deadline, "waited {deadline:?} in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
