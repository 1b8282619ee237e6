//! All changes as they are told: written by their actors, read by whoever asks, without asking an actor.
//!
//! Whoever writes or reads waits for nobody: the lock is held to exchange or to clone what is shared. A change is on the board
//! from the moment when it survives a crash; before that it has a place, which nobody sees.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lvmwarden_protocol::api::reconfigure::{Change, Kind, Outcome, OutcomeKind, Phase};
use thiserror::Error;
use tokio::sync::watch;

#[cfg(test)]
pub(super) mod tests;

/// How many changes that are over are kept.
pub const ENDED: usize = 64;
/// How many changes may be under way.
pub const UNFINISHED: usize = 16;
/// The fewest characters of an id that name a change.
const SHORTEST: usize = 4;

/// Why no change is begun.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// It is known already.
    #[error("begin a change: it is known already")]
    Known(Arc<Change>),
    /// Somebody has just asked for it, and it is not written down yet.
    #[error("begin a change: it is about to begin already")]
    Beginning,
    /// Another one of the same VG is under way.
    #[error("begin a change: {0} is under way")]
    AlreadyChanging(String),
    /// Too many are under way.
    #[error("begin a change: {UNFINISHED} are under way")]
    TooMany,
}

/// All changes.
#[derive(Debug)]
pub struct Board {
    listed: Mutex<Listed>,
    /// Counts what was written; wakes readers.
    version: watch::Sender<u64>,
}

impl Default for Board {
    fn default() -> Self {
        Self { listed: Mutex::default(), version: watch::channel(0).0 }
    }
}

#[derive(Debug, Default)]
struct Listed {
    changes: VecDeque<Arc<Change>>,
    places: Vec<Place>,
}

/// A change that is about to begin.
#[derive(Debug)]
struct Place {
    id: String,
    vgname: String,
}

/// Numbers for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// How many are under way.
    pub unfinished: i64,
    /// Of how many nobody here knows what became of them.
    pub in_doubt: i64,
    /// At how many a host lags.
    pub lagging: i64,
}

impl Board {
    /// Takes a place for a change that is about to begin, unless another one stands in its way.
    ///
    /// # Errors
    /// [`Refused`], each variant of which says its condition.
    pub fn begin(&self, id: &str, vgname: &str) -> Result<(), Refused> {
        let mut listed = self.listed();
        let Listed { changes, places } = &mut *listed;
        if let Some(known) = changes.iter().find(|known| known.id == id) {
            return Err(Refused::Known(Arc::clone(known)));
        }
        if places.iter().any(|place| place.id == id) {
            return Err(Refused::Beginning);
        }
        let begun = changes.iter().filter(|known| known.phase != Phase::Ended);
        let begun = begun.map(|known| (&known.id, &known.goal.vgname));
        let unfinished: Vec<_> = begun.chain(places.iter().map(|place| (&place.id, &place.vgname))).collect();
        if let Some((other, _)) = unfinished.iter().find(|(_, changing)| *changing == vgname) {
            return Err(Refused::AlreadyChanging((*other).clone()));
        }
        if unfinished.len() >= UNFINISHED {
            return Err(Refused::TooMany);
        }
        places.push(Place { id: id.to_owned(), vgname: vgname.to_owned() });
        Ok(())
    }

    /// Takes a change as it is now, which is written down; returns the id of one that is forgotten for it.
    pub fn put(&self, change: Change) -> Option<String> {
        let mut listed = self.listed();
        let Listed { changes, places } = &mut *listed;
        places.retain(|place| place.id != change.id);
        match changes.iter_mut().find(|known| known.id == change.id) {
            Some(known) if **known == change => return None,
            Some(known) => *known = Arc::new(change),
            None => changes.push_back(Arc::new(change)),
        }
        let is_over = |known: &Arc<Change>| known.phase == Phase::Ended;
        let mut forgotten = None;
        if changes.iter().filter(|known| is_over(known)).count() > ENDED
            && let Some(eldest) = changes.iter().position(is_over)
        {
            forgotten = changes.remove(eldest).map(|change| change.id.clone());
        }
        drop(listed);
        self.wake();
        forgotten
    }

    /// Gives up the place of a change that has not begun after all.
    pub fn give_up(&self, id: &str) {
        self.listed().places.retain(|place| place.id != id);
    }

    /// Returns all changes, in the order in which they were asked for.
    pub fn all(&self) -> Vec<Arc<Change>> {
        self.listed().changes.iter().cloned().collect()
    }

    /// Returns the change of this id, or whose id alone begins so.
    pub fn find(&self, id: &str) -> Option<Arc<Change>> {
        let changes = &self.listed().changes;
        if let Some(exact) = changes.iter().find(|known| known.id == id) {
            return Some(Arc::clone(exact));
        }
        let mut begin = changes.iter().filter(|known| id.len() >= SHORTEST && known.id.starts_with(id));
        match (begin.next(), begin.next()) {
            (Some(only), None) => Some(Arc::clone(only)),
            _none_or_several => None,
        }
    }

    /// Returns what wakes whoever waits for changes.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Counts.
    pub fn numbers(&self) -> Numbers {
        let mut numbers = Numbers::default();
        for change in &self.listed().changes {
            numbers.unfinished += i64::from(change.phase != Phase::Ended);
            let is_unknown = |outcome: &Outcome| outcome.kind == OutcomeKind::Unknown;
            let is_doubt = matches!(change.phase, Phase::Doubt | Phase::Judging);
            numbers.in_doubt += i64::from(is_doubt || change.outcome.as_ref().is_some_and(is_unknown));
            numbers.lagging += i64::from(change.hosts.iter().any(|host| host.lagging));
        }
        numbers
    }

    /// Returns the changes that are under way, for people.
    pub fn unfinished(&self) -> Vec<(Kind, String)> {
        let unfinished = self.all().into_iter().filter(|change| change.phase != Phase::Ended);
        unfinished.map(|change| (change.goal.kind, change.goal.vgname.clone())).collect()
    }

    fn wake(&self) {
        self.version.send_modify(|version| *version += 1);
    }

    fn listed(&self) -> MutexGuard<'_, Listed> {
        // Nothing in the lock's scope can panic halfway through a change.
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
