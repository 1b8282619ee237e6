//! The one numbered stream of everything that happens: told to readers, counted for metrics.
//!
//! The latest events are kept in memory, so that a reader which was away goes on where it stopped, or is told exactly
//! what it cannot be given any more. The stream dies with the daemon: the next life has another epoch. What has
//! happened to poll operations is in the journal as well (see [`Teller`]).
//!
//! Whoever publishes waits for nobody. The lock is held to push one item, or to copy a page of them, and never across
//! an await; readers turn the copies into text.
//!
//! [`Teller`]: crate::foundation::store::history::teller::Teller

mod ring;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;
use lvmwarden_protocol::api::events::{Cursor, Event, Gap, GapCause};
use tokio::sync::watch;
use uuid::Uuid;

use crate::foundation::facts::keeping::{FactStep, Keeping};
use crate::foundation::facts::metrics::Metrics;
use crate::foundation::facts::occurrence::Occurrence;
use ring::{Missing, Ring};

/// How many occurrences are looked at before the others have their turn.
const AT_ONCE: usize = 100;

/// The stream of events. Clones share it.
#[derive(Clone)]
pub struct Events {
    shared: Arc<Shared>,
}

struct Shared {
    /// Whose numbers they are: random, in hexadecimal.
    epoch: String,
    ring: Mutex<Ring<Happened>>,
    /// The number of the latest event; wakes readers.
    latest: watch::Sender<u64>,
    metrics: Arc<Metrics>,
    /// What is to be kept in the history, where there is one.
    keeping: OnceLock<Arc<Keeping>>,
}

#[derive(Debug, Clone)]
struct Happened {
    at: Timestamp,
    what: Occurrence,
}

/// What a reader is given at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What is missing before the first event.
    pub gap: Option<Gap>,
    /// In order, without holes.
    pub events: Vec<Event>,
    /// Where to go on.
    pub next: Cursor,
}

impl Page {
    /// Returns the page as it is for a reader that was there all along: what has expired since, it read too slowly.
    #[must_use]
    pub fn for_follower(mut self) -> Self {
        if let Some(gap @ Gap { because: GapCause::Expired, .. }) = &mut self.gap {
            gap.because = GapCause::SlowReader;
        }
        self
    }
}

impl Events {
    /// Starts a stream that keeps the latest `keep` events; 0 where nobody can read them.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, keep: usize) -> Self {
        let epoch = Uuid::new_v4().simple().to_string();
        let (latest, _) = watch::channel(0);
        Self {
            shared: Arc::new(Shared {
                epoch,
                ring: Mutex::new(Ring::new(keep)),
                latest,
                metrics,
                keeping: OnceLock::new(),
            }),
        }
    }

    /// Has what is to be kept in the history put down from now on, for whoever writes it.
    pub fn keep(&self) -> Arc<Keeping> {
        Arc::clone(self.shared.keeping.get_or_init(Arc::default))
    }

    /// Tells everybody; waits for nobody, and cannot fail.
    pub fn publish(&self, occurrence: &Occurrence) {
        self.shared.metrics.count(occurrence);
        let happened = Happened { at: Timestamp::now(), what: occurrence.clone() };
        if let Some(keeping) = self.shared.keeping.get()
            && let Some(step) = FactStep::of(happened.at, occurrence)
        {
            keeping.put(step);
        }
        let number = self.ring().push(happened);
        // Two that publish at once may get here in either order.
        self.shared.latest.send_if_modified(|latest| {
            let is_newer = number > *latest;
            *latest = number.max(*latest);
            is_newer
        });
    }

    /// Returns the latest events, oldest first: at most `limit`, or all that are kept.
    pub fn recent(&self, limit: Option<u32>) -> Vec<Event> {
        self.latest(limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)), None)
    }

    /// Returns the latest of the events before a cursor (`None`: of all), oldest first. There are none before a cursor of
    /// another stream.
    pub fn latest(&self, at_most: usize, before: Option<&Cursor>) -> Vec<Event> {
        let latest = {
            let ring = self.ring();
            let end = match before {
                None => ring.latest() + 1,
                Some(before) => self.number(before).unwrap_or(0).min(ring.latest() + 1),
            };
            let first = end.saturating_sub(1).saturating_sub(at_most as u64).max(ring.oldest() - 1);
            let count = end.saturating_sub(1 + first);
            ring.after(Some(first), usize::try_from(count).unwrap_or(usize::MAX))
        };
        self.events(latest.items)
    }

    /// Returns the place of the latest event.
    pub fn position(&self) -> Cursor {
        self.cursor(self.ring().latest())
    }

    /// Returns what there is behind `cursor`, at most `at_most` events.
    pub fn after(&self, cursor: &Cursor, at_most: usize) -> Page {
        let (slice, oldest) = {
            let ring = self.ring();
            (ring.after(self.number(cursor), at_most), ring.oldest())
        };
        let gap = slice.missing.map(|missing| {
            let (missed, because) = match missing {
                Missing::Expired { count } => (Some(count), GapCause::Expired),
                Missing::OtherStream => (None, GapCause::Restarted),
            };
            Gap { after: cursor.clone(), before: self.cursor(oldest), missed, because }
        });
        Page { gap, events: self.events(slice.items), next: self.cursor(slice.next) }
    }

    /// Returns the poll operations that the events behind `cursor` are about, of at most `at_most` events, and where to go
    /// on. `None` when some are missing: any operation may be concerned.
    pub(crate) fn operations_after(
        &self,
        cursor: &Cursor,
        at_most: usize,
    ) -> (Option<BTreeSet<Uuid>>, Cursor) {
        let slice = self.ring().after(self.number(cursor), at_most);
        let of = |(_, happened): &(u64, Happened)| Some(happened.what.poll_ref()?.op);
        let concerned = slice.missing.is_none().then(|| slice.items.iter().filter_map(of).collect());
        (concerned, self.cursor(slice.next))
    }

    /// Returns when there is something behind `cursor`, be it a gap.
    ///
    /// # Cancel safety
    /// Cancel-safe.
    pub async fn wait_after(&self, cursor: &Cursor) {
        let Some(number) = self.number(cursor) else { return };
        if number > self.ring().latest() {
            return;
        }
        let mut latest = self.shared.latest.subscribe();
        // The sender lives as long as `self`.
        let _ = latest.wait_for(|latest| *latest > number).await;
    }

    /// Waits for the first occurrence behind `cursor` that is `wanted`; `None` when it may have been among those that are
    /// not kept.
    ///
    /// # Cancel safety
    /// Cancel-safe.
    pub(crate) async fn next_after(
        &self,
        mut cursor: Cursor,
        wanted: impl Fn(&Occurrence) -> bool,
    ) -> Option<Occurrence> {
        loop {
            self.wait_after(&cursor).await;
            let slice = self.ring().after(self.number(&cursor), AT_ONCE);
            if slice.missing.is_some() {
                return None;
            }
            let mut whats = slice.items.into_iter().map(|(_, happened)| happened.what);
            if let Some(found) = whats.find(&wanted) {
                return Some(found);
            }
            cursor = self.cursor(slice.next);
        }
    }

    /// Returns the place of a cursor within this stream; `None` when it is of another one.
    fn number(&self, cursor: &Cursor) -> Option<u64> {
        (cursor.epoch() == self.shared.epoch).then(|| cursor.number())
    }

    fn cursor(&self, number: u64) -> Cursor {
        Cursor::new(&self.shared.epoch, number).expect("an epoch is 32 hexadecimal digits")
    }

    fn events(&self, items: Vec<(u64, Happened)>) -> Vec<Event> {
        let event = |(number, Happened { at, what }): (u64, Happened)| Event {
            cursor: self.cursor(number),
            time: format!("{at:.3}"),
            kind: what.kind().to_owned(),
            subject: what.subject(),
            fields: what.fields(),
        };
        items.into_iter().map(event).collect()
    }

    fn ring(&self) -> MutexGuard<'_, Ring<Happened>> {
        // Nothing in the lock's scope can panic halfway through a change.
        self.shared.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
