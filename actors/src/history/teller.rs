//! Tells what has happened to operations: from the disk, and what the disk does not have yet.

use std::time::Duration;

use lvmwarden_protocol::api::poll::{HistoryEntry, OperationStory};
use lvmwarden_supervisor::Registry;
use uuid::Uuid;

use super::chronicle::Chronicle;
use super::chronicler::{Chronicler, Look};
use super::story::Story;
use crate::journal;
use crate::ledger::PollLedger;
use crate::ledger::history::Step;
use crate::names;

/// How long the disk may take; then what is not on it has to do.
const DISK_DEADLINE: Duration = Duration::from_secs(2);
/// How many steps are told at most.
pub const MOST_ENTRIES: usize = 10_000;

/// Tells what has happened to operations.
#[derive(Clone)]
pub struct Teller {
    registry: Registry,
}

impl Teller {
    /// Makes it.
    pub fn new(registry: Registry) -> Self {
        Self { registry }
    }

    /// Returns what has happened to operations, oldest first: the latest steps, at most `limit` and [`MOST_ENTRIES`].
    ///
    /// # Errors
    /// Why the journal of the run directory cannot be read.
    pub async fn history(&self, limit: Option<u32>) -> Result<Vec<HistoryEntry>, String> {
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(MOST_ENTRIES);
        let limit = limit.min(MOST_ENTRIES);
        let look = move |chronicle: &Chronicle| (chronicle.latest(limit), chronicle.last().cloned());
        let (mut steps, last) = self.on_disk(look).await.unwrap_or_default();
        let outbox = move |ledger: &PollLedger| ledger.outbox(last.as_ref(), usize::MAX).steps;
        steps.extend(journal::read(&self.registry, outbox).await?);
        let surplus = steps.len().saturating_sub(limit);
        Ok(steps.into_iter().skip(surplus).map(HistoryEntry::from).collect())
    }

    /// Returns the story of one operation; `None` where nothing is known of it, or not any more.
    ///
    /// # Errors
    /// Why the journal of the run directory cannot be read.
    pub async fn story(&self, op: Uuid) -> Result<Option<OperationStory>, String> {
        let look = move |chronicle: &Chronicle| (chronicle.story(op).cloned(), chronicle.last().cloned());
        let (mut story, last) = self.on_disk(look).await.unwrap_or_default();
        let its_steps = move |ledger: &PollLedger| -> Vec<Step> {
            ledger.outbox(last.as_ref(), usize::MAX).steps.into_iter().filter(|step| step.op == op).collect()
        };
        for step in journal::read(&self.registry, its_steps).await? {
            story.get_or_insert_with(|| Story::of(&step)).add(&step);
        }
        Ok(story.map(OperationStory::from))
    }

    /// Looks at the disk; `None` where there is no history on disk, or it does not answer.
    async fn on_disk<T: Send + 'static>(
        &self,
        look: impl Fn(&Chronicle) -> T + Send + Sync + 'static,
    ) -> Option<T> {
        let look = Look::new(look);
        self.registry.ask::<Chronicler, _>(&names::CHRONICLER, look, DISK_DEADLINE).await.ok().flatten()
    }
}
