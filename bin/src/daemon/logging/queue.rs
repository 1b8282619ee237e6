//! The queue between those who log and the thread that writes.
//!
//! What is below the level costs a comparison. What does not fit is dropped and counted; the next line that fits is
//! preceded by one that says how many are missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use slog::{Drain, Level, Logger, Never, OwnedKVList, Record, b, o, record};
use slog_async::{AsyncCore, AsyncGuard};

use super::escaped::Escaped;

/// How many lines may wait to be written.
const QUEUE_LINES: usize = 1024;

/// What can be asked of, and said to, a log that is in use. Clones are the same log.
#[derive(Debug, Clone)]
pub(crate) struct LogControl {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// The least severe level that is written, as a number.
    level: AtomicUsize,
    dropped: AtomicU64,
    /// How many of the dropped ones no line has told of yet.
    untold: AtomicU64,
}

/// Starts the thread that writes to `drain`. When the guard is dropped, all that is queued has been written.
pub(super) fn start<D>(drain: D, level: Level) -> (Logger, LogControl, AsyncGuard)
where
    D: Drain<Ok = (), Err = Never> + Send + 'static,
{
    let core = AsyncCore::custom(Escaped(drain)).chan_size(QUEUE_LINES).thread_name("log".to_owned());
    let (queue, guard) = core.build_with_guard();
    let level = AtomicUsize::new(level.as_usize());
    let control = LogControl { shared: Arc::new(Shared { level, dropped: 0.into(), untold: 0.into() }) };
    (Logger::root(Counting { queue, control: control.clone() }, o!()), control, guard)
}

impl LogControl {
    /// Sets the least severe level that is written, from now on.
    pub(crate) fn set_level(&self, level: Level) {
        self.shared.level.store(level.as_usize(), Ordering::Relaxed);
    }

    /// Returns the least severe level that is written.
    pub(crate) fn level(&self) -> Level {
        Level::from_usize(self.shared.level.load(Ordering::Relaxed)).expect("only levels are stored")
    }

    /// Returns how many lines were dropped since the start.
    pub(crate) fn lines_dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }
}

struct Counting {
    queue: AsyncCore,
    control: LogControl,
}

impl Counting {
    fn tell_of_dropped(&self, values: &OwnedKVList) {
        let untold = self.control.shared.untold.swap(0, Ordering::Relaxed);
        if untold == 0 {
            return;
        }
        let message = format_args!("the log was too slow; lines are missing");
        let told = self.queue.log(&record!(Level::Warning, "", &message, b!("lines" => untold)), values);
        if told.is_err() {
            self.control.shared.untold.fetch_add(untold, Ordering::Relaxed);
        }
    }
}

impl Drain for Counting {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), Never> {
        if !self.is_enabled(record.level()) {
            return Ok(());
        }
        self.tell_of_dropped(&o!().into());
        if self.queue.log(record, values).is_err() {
            self.control.shared.dropped.fetch_add(1, Ordering::Relaxed);
            self.control.shared.untold.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn is_enabled(&self, level: Level) -> bool {
        level.as_usize() <= self.control.shared.level.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
