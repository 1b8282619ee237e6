//! Levels that change, and a writer that is stuck.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use slog::{debug, info};

use super::*;

/// Passes each line on, and then waits for permission to go on itself.
struct Slow {
    permits: Mutex<Receiver<()>>,
    lines: Mutex<Sender<String>>,
}

impl Drain for Slow {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, _: &OwnedKVList) -> Result<(), Never> {
        self.lines.lock().unwrap().send(format!("{} {}", record.level(), record.msg())).unwrap();
        // Without anybody to give permission any more, lines flow.
        let _ = self.permits.lock().unwrap().recv();
        Ok(())
    }
}

fn start_slow(level: Level) -> (Logger, LogControl, AsyncGuard, Sender<()>, Receiver<String>) {
    let ((permit, permits), (sender, lines)) = (channel(), channel());
    let slow = Slow { permits: Mutex::new(permits), lines: Mutex::new(sender) };
    let (log, control, guard) = start(slow, level);
    (log, control, guard, permit, lines)
}

#[test]
fn the_level_can_be_changed_at_any_time() {
    let (log, control, guard, permit, lines) = start_slow(Level::Info);
    drop(permit);
    debug!(log, "first");
    control.set_level(Level::Debug);
    assert_eq!(control.level(), Level::Debug);
    debug!(log.new(o!()), "second");
    control.set_level(Level::Error);
    info!(log, "third");
    drop(guard);
    assert_eq!(lines.try_iter().collect::<Vec<_>>(), ["DEBG second"]);
}

#[test]
fn a_line_below_the_level_is_not_put_together() {
    let (log, ..) = start_slow(Level::Info);
    debug!(log, "never"; "value" => slog::FnValue(|_| -> &str { panic!("nobody asked") }));
}

#[test]
fn a_stuck_writer_stops_nobody_and_what_is_lost_is_counted_and_told() {
    let (log, control, guard, permit, lines) = start_slow(Level::Info);
    info!(log, "first");
    assert_eq!(lines.recv().unwrap(), "INFO first", "with it the writer is stuck");
    for number in 0..QUEUE_LINES + 500 {
        info!(log, "{}", number);
    }
    assert_eq!(control.lines_dropped(), 500);
    drop(permit);
    for number in 0..QUEUE_LINES {
        assert_eq!(lines.recv().unwrap(), format!("INFO {number}"));
    }
    info!(log, "afterwards");
    drop(guard);
    assert_eq!(
        lines.try_iter().collect::<Vec<_>>(),
        ["WARN the log was too slow; lines are missing", "INFO afterwards"]
    );
    assert_eq!(control.lines_dropped(), 500);
}
