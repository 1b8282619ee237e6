//! What a scenario did to its guest and what came back; printed when the scenario fails.

use super::wire::Outcome;
use std::fmt::Write;
use std::sync::Mutex;
use std::time::Instant;

/// Lines in order of time, each with the seconds since the start.
#[derive(Debug)]
pub(super) struct Transcript {
    start: Instant,
    text: Mutex<String>,
}

impl Transcript {
    pub(super) fn new() -> Self {
        Self { start: Instant::now(), text: Mutex::default() }
    }

    /// Adds a remark.
    pub(super) fn note(&self, remark: &str) {
        self.add(&format!("# {remark}"));
    }

    /// Adds a command that has ended.
    pub(super) fn command(&self, command: &str, outcome: &Outcome) {
        let mut entry = format!("$ {command}");
        for line in outcome.stdout.lines().chain(outcome.stderr.lines()) {
            let _ = write!(entry, "\n           | {line}");
        }
        if outcome.code != 0 {
            let _ = write!(entry, "\n           exit code {}", outcome.code);
        }
        self.add(&entry);
    }

    pub(super) fn text(&self) -> String {
        self.text.lock().expect("no holder panics").clone()
    }

    fn add(&self, entry: &str) {
        let seconds = self.start.elapsed().as_secs_f64();
        let _ = writeln!(self.text.lock().expect("no holder panics"), "{seconds:>8.2} s {entry}");
    }
}
