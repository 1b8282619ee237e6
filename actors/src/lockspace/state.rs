//! One lockspace: its life and its locks.

use super::event::{Effect, Event, Moment, Spec};
use super::lock_manager::{GlobalLease, Resource};
use super::picture::{LockspacePicture, Stage};
use super::record::{HolderRecord, Remembered};
use lvmwarden_protocol::lock::LockMode;

/// One lockspace, from its start until it was left.
#[derive(Debug)]
pub struct Lockspace {
    spec: Spec,
}

/// A lock of an earlier life of the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// Which lock.
    pub resource: Resource,
    /// In which mode it was held or wanted.
    pub mode: LockMode,
    /// By whom.
    pub holder: HolderRecord,
    /// The LV's device is active: the lock is kept.
    pub active: bool,
}

impl Lockspace {
    /// Makes a lockspace that nobody has started; its first request is [`Ask::Start`](super::ask::Ask::Start).
    pub fn new(spec: Spec) -> Self {
        Self { spec }
    }

    /// Makes the lockspace of an earlier life of the daemon and begins to take it over: joins it, adopts the locks
    /// and gives those back that nobody needs.
    pub fn adopt(spec: Spec, _orphans: Vec<Orphan>, _now: Moment, _effects: &mut Vec<Effect>) -> Self {
        Self { spec }
    }

    /// Makes a running lockspace of an earlier life of the actor, whose connection holds the locks still.
    ///
    /// `remembered` is what its records add up to; the owners of transient locks that are not alive any more are to be
    /// told as [`Event::ClientGone`] next.
    pub fn resume(spec: Spec, _remembered: &Remembered, _now: Moment, _effects: &mut Vec<Effect>) -> Self {
        Self { spec }
    }

    /// Takes in what has happened; what is to be done is added to `effects`.
    pub fn apply(&mut self, _event: Event, _now: Moment, _effects: &mut Vec<Effect>) {}

    /// Tells everything about it.
    pub fn describe(&self) -> LockspacePicture {
        LockspacePicture {
            spec: self.spec.clone(),
            stage: Stage::New,
            generation: 0,
            killed: false,
            global: GlobalLease::Absent,
            renewal: None,
            fault: None,
            waiting: 0,
            resources: Vec::new(),
        }
    }

    /// Tells how far it is.
    pub fn stage(&self) -> Stage {
        Stage::New
    }

    /// Tells how many locks of LVs, and how many of all kinds, are held.
    pub fn lock_counts(&self) -> (usize, usize) {
        (0, 0)
    }
}
