//! What happened and is to be kept in the history, until it is in the journal.
//!
//! Whoever tells waits for nobody: a step is put down in memory, and written by the history's own writer. Poll operations
//! need none of it: their steps are records of the journal before anybody is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::occurrence::Occurrence;

/// How many steps wait at most for a journal that does not answer; the eldest go first.
const MOST: usize = 1000;
/// How much of the text of a field is kept, in characters.
const FIELD_CHARACTERS: usize = 500;

/// Something that happened to something other than a poll operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactStep {
    /// When.
    pub at: Timestamp,
    /// To whom, such as a lockspace.
    pub subject: String,
    /// What, as events call it.
    pub kind: String,
    /// What else there is to know, by name, as events tell it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
}

impl FactStep {
    /// Returns what is kept of an occurrence, if something is.
    pub fn of(at: Timestamp, occurrence: &Occurrence) -> Option<Self> {
        let subject = occurrence.lockspace()?.to_string();
        let mut fields = occurrence.fields();
        for text in fields.values_mut() {
            if let Some((end, _)) = text.char_indices().nth(FIELD_CHARACTERS) {
                text.truncate(end);
            }
        }
        Some(Self { at, subject, kind: occurrence.kind().to_owned(), fields })
    }
}

/// The steps that are not in the journal yet.
#[derive(Debug, Default)]
pub struct Keeping {
    steps: Mutex<VecDeque<FactStep>>,
    wake: Notify,
}

impl Keeping {
    /// Puts a step down; waits for nobody.
    pub fn put(&self, step: FactStep) {
        let mut steps = self.steps();
        if steps.len() == MOST {
            steps.pop_front();
        }
        steps.push_back(step);
        drop(steps);
        self.wake.notify_one();
    }

    /// Returns the eldest steps, at most so many; they stay until they are [`Self::remove`]d.
    pub(crate) fn first(&self, at_most: usize) -> Vec<FactStep> {
        self.steps().iter().take(at_most).cloned().collect()
    }

    /// Lets those of `written` go that are the eldest.
    pub(crate) fn remove(&self, written: &[FactStep]) {
        let mut steps = self.steps();
        for step in written {
            // Others may have let it go, or there was no room for it any more.
            if steps.front() == Some(step) {
                steps.pop_front();
            }
        }
    }

    /// Waits until there is something.
    ///
    /// # Cancel safety
    /// Cancel-safe.
    pub(crate) async fn wait(&self) {
        while self.steps().is_empty() {
            self.wake.notified().await;
        }
    }

    fn steps(&self) -> MutexGuard<'_, VecDeque<FactStep>> {
        // Nothing in the lock's scope can panic halfway through a change.
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn fails(why: &str) -> Occurrence {
        Occurrence::LockspaceFailed { lockspace: Arc::from("lvm_vg0"), why: why.to_owned() }
    }

    fn step(second: i64, why: &str) -> FactStep {
        FactStep::of(Timestamp::from_second(second).unwrap(), &fails(why)).unwrap()
    }

    #[test]
    fn what_is_kept_is_what_events_tell_of_lockspaces_and_nothing_else() {
        let kept = step(1, "no disk");
        assert_eq!(
            (&*kept.subject, &*kept.kind, &*kept.fields["why"]),
            ("lvm_vg0", "lock.failed", "no disk")
        );
        assert_eq!(step(1, &"ä".repeat(2000)).fields["why"].chars().count(), FIELD_CHARACTERS);
        assert_eq!(FactStep::of(Timestamp::UNIX_EPOCH, &Occurrence::ServiceReady), None);
    }

    #[test]
    fn a_step_stays_until_it_is_written_and_the_eldest_give_way() {
        let keeping = Keeping::default();
        for second in 0..=MOST {
            keeping.put(step(i64::try_from(second).unwrap(), ""));
        }
        let first = keeping.first(2);
        assert_eq!(first, [step(1, ""), step(2, "")]);
        assert_eq!(keeping.first(2), first, "a writer that crashes takes nothing along");
        // Two writers have written the same.
        keeping.remove(&first);
        keeping.remove(&first);
        assert_eq!(keeping.first(1), [step(3, "")]);
    }
}
