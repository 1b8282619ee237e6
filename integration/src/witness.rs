//! What everybody else notices while somebody misbehaves: nothing, and that is measured.
//!
//! A witness asks for the same thing again and again; 99 of 100 answers must come within [`bound`], and the slowest is
//! printed. Not all of them: tests share two cores with a compiler, and an answer cannot be faster than the scheduler. The
//! load tool reports the slowest answer on a machine of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Of a hundred answers to another client of an optimized daemon, ninety-nine come within this time.
pub const BOUND: Duration = Duration::from_millis(50);
/// The same for a daemon that was built without optimization, which is several times slower.
pub const BOUND_UNOPTIMIZED: Duration = Duration::from_millis(200);

/// Returns which bound holds: a daemon that `LVMWARDEN_BIN` names is taken for an optimized one, and that beside the test has
/// been built as the test was.
pub fn bound() -> Duration {
    let is_named = std::env::var_os("LVMWARDEN_BIN").is_some();
    if cfg!(debug_assertions) && !is_named { BOUND_UNOPTIMIZED } else { BOUND }
}

/// Runs `mischief` while a witness calls `ask` every 2 ms, which must be answered within [`bound`].
#[track_caller]
#[expect(clippy::print_stdout, reason = "the numbers are worth a look even when the test passes")]
pub fn is_served_during(mut ask: impl FnMut() + Send, mischief: impl FnOnce()) {
    /// Ends the witness, also where the mischief fails.
    struct End<'a>(&'a AtomicBool);

    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let over = AtomicBool::new(false);
    let mut latencies = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut latencies = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let begin = Instant::now();
                ask();
                latencies.push(begin.elapsed());
                thread::sleep(Duration::from_millis(2));
            }
            latencies
        });
        let end = End(&over);
        mischief();
        drop(end);
        asking.join().expect("the witness is always answered")
    });
    latencies.sort_unstable();
    let (median, percentile_99) = (latencies[latencies.len() / 2], latencies[latencies.len() * 99 / 100]);
    let slowest = latencies[latencies.len() - 1];
    println!("{} answers, p50 {median:?}, p99 {percentile_99:?}, slowest {slowest:?}", latencies.len());
    assert!(percentile_99 <= bound(), "p99 {percentile_99:?}, slowest {slowest:?} of {}", latencies.len());
}
