//! The latest lines of the log, in memory: what `lvmlockctl --dump` shows.
//!
//! Lines of every level but the wire's go in, whatever the log itself leaves out, because one who asks wants to know how
//! it came about. A line costs its own formatting, about a microsecond.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use slog::{Drain, Level, Logger, Never, OwnedKVList, Record, o};

use super::escaped::escape;
use super::lines::line;

/// How much is kept: what lvmlockctl up to 2.03.25 has room for.
const RING_BYTES: usize = 1024 * 1024;
/// The longest line that is kept whole.
const LINE_BYTES: usize = 4096;
/// The least severe lines that are kept.
const LEVEL: Level = Level::Debug;

/// The latest lines of the log. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogRing(Arc<Mutex<VecDeque<u8>>>);

impl LogRing {
    /// Returns a log that goes where `log` goes, and in here.
    pub(crate) fn beside(&self, log: Logger) -> Logger {
        Logger::root(Beside { ring: self.clone(), log }, o!())
    }

    /// Returns the lines, oldest first: each the time in whole seconds since 1970, and what the log says.
    pub(crate) fn text(&self) -> Bytes {
        let ring = self.lock();
        let (older, newer) = ring.as_slices();
        [older, newer].concat().into()
    }

    fn push(&self, line: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let line = format!("{now} {}\n", &line[..line.floor_char_boundary(LINE_BYTES)]);
        let mut ring = self.lock();
        while ring.len() + line.len() > RING_BYTES {
            let end = ring.iter().position(|&byte| byte == b'\n').map_or(ring.len(), |at| at + 1);
            ring.drain(..end);
        }
        ring.extend(line.as_bytes());
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<u8>> {
        // A line that was cut off by a panic is still a line.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps lines, and passes them on.
struct Beside {
    ring: LogRing,
    log: Logger,
}

impl Drain for Beside {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), Never> {
        if record.level().is_at_least(LEVEL) {
            self.ring.push(&escape(record, values, line));
        }
        Drain::log(&self.log, record, values)
    }

    fn is_enabled(&self, level: Level) -> bool {
        level.is_at_least(LEVEL) || Drain::is_enabled(&self.log, level)
    }
}

#[cfg(test)]
mod tests {
    use slog::{Discard, debug, info, trace};

    use super::*;

    fn ring() -> (LogRing, Logger) {
        let ring = LogRing::default();
        let log = ring.beside(Logger::root(Discard, o!()));
        (ring, log)
    }

    fn text(ring: &LogRing) -> String {
        String::from_utf8(ring.text().to_vec()).unwrap()
    }

    #[test]
    fn lines_of_every_level_but_the_wires_are_kept_with_their_time() {
        let (ring, log) = ring();
        debug!(log, "S {} kill_vg", "lvm_vg"; "client" => 5);
        trace!(log, "request");
        let text = text(&ring);
        let (seconds, line) = text.split_once(' ').unwrap();
        assert!(seconds.parse::<u64>().unwrap() > 1_700_000_000);
        assert_eq!(line, "S lvm_vg kill_vg client=5\n");
    }

    #[test]
    fn the_oldest_lines_go_first_and_as_a_whole() {
        let (ring, log) = ring();
        for number in 0..40_000 {
            info!(log, "a line of some length, as lines of a log are"; "number" => number);
        }
        let text = text(&ring);
        assert!(text.len() <= RING_BYTES && text.len() > RING_BYTES - 200, "{}", text.len());
        assert!(text.ends_with(" number=39999\n"));
        assert!(text.lines().all(|line| line.contains(" a line of some length,")));
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let (ring, log) = ring();
        info!(log, "{}", "x".repeat(2 * RING_BYTES));
        assert!(text(&ring).len() < LINE_BYTES + 20);
    }
}
