//! What is remembered of the latest pass, for clients and metrics. It outlives the actor, and not the daemon.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use super::plan::Total;

/// How full the directory was when it was last seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// The copies in it, after anything was removed.
    pub copies: Total,
    /// How many other names are in it.
    pub unrecognised: u64,
}

/// How the latest pass that was to remove something went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastPass {
    /// When it ended.
    pub ended_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// What it removed.
    pub removed: Total,
    /// How many VGs are over a bound nevertheless, other than by the age of their newest copies.
    pub vgs_over: u64,
    /// Why it was not finished.
    pub problem: Option<String>,
}

/// What is remembered.
#[derive(Debug, Default)]
pub struct Memory(Mutex<(Option<Seen>, Option<LastPass>)>);

impl Memory {
    /// Returns how full the directory was when it was last seen.
    pub fn seen(&self) -> Option<Seen> {
        self.lock().0
    }

    /// Returns how the latest pass that was to remove something went.
    pub fn last_pass(&self) -> Option<LastPass> {
        self.lock().1.clone()
    }

    pub(super) fn see(&self, seen: Seen) {
        self.lock().0 = Some(seen);
    }

    pub(super) fn end_pass(&self, pass: LastPass) {
        self.lock().1 = Some(pass);
    }

    fn lock(&self) -> MutexGuard<'_, (Option<Seen>, Option<LastPass>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
