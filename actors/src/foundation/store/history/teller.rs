//! Tells what has happened to operations: from the disk, and what the disk does not have yet.

use std::time::Duration;

use lvmwarden_supervisor::Registry;
use uuid::Uuid;

use super::chronicle::Chronicle;
use super::chronicler::{Chronicler, Look};
use super::place::Place;
use super::story::Story;
use crate::foundation::facts::keeping::FactStep;
use crate::foundation::names;
use crate::foundation::store::journal;
use crate::foundation::store::ledger::PollLedger;
use crate::foundation::store::ledger::history::Step;

/// How long the disk may take; then what is not on it has to do.
const DISK_DEADLINE: Duration = Duration::from_secs(2);

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

    /// Returns the latest steps of operations, of those before a place (`None`: of all), oldest first: at most `at_most`.
    ///
    /// # Errors
    /// Why the journal of the run directory cannot be read.
    pub async fn latest(&self, at_most: usize, before: Option<Place>) -> Result<Vec<Step>, String> {
        let look =
            move |chronicle: &Chronicle| (chronicle.latest(at_most, before), chronicle.last().cloned());
        let (mut steps, last) = self.on_disk(look).await.unwrap_or_default();
        let outbox = move |ledger: &PollLedger| ledger.outbox(last.as_ref(), usize::MAX).steps;
        let not_copied = journal::read(&self.registry, outbox).await?;
        steps.extend(
            not_copied.into_iter().filter(|step| before.is_none_or(|before| before.may_follow(step.at))),
        );
        steps.sort_by_key(|step| step.at);
        if let Some(before) = before {
            before.cut(&mut steps);
        }
        Ok(steps.split_off(steps.len().saturating_sub(at_most)))
    }

    /// Returns the latest steps of what is no poll operation, of one subject or of all, of those before a place (`None`: of all),
    /// oldest first: at most `at_most`.
    ///
    /// # Errors
    /// Why the journal of the run directory cannot be read.
    pub async fn facts(
        &self,
        subject: Option<String>,
        at_most: usize,
        before: Option<Place>,
    ) -> Result<Vec<FactStep>, String> {
        let wanted = subject.clone();
        let look = move |chronicle: &Chronicle| {
            let facts = chronicle.facts();
            (facts.latest(wanted.as_deref(), at_most, before), facts.last().cloned())
        };
        let (mut steps, last) = self.on_disk(look).await.unwrap_or_default();
        let outbox = move |ledger: &PollLedger| ledger.facts(last.as_ref(), usize::MAX).steps;
        let not_copied = journal::read(&self.registry, outbox).await?.into_iter();
        let is_meant = |step: &FactStep| {
            subject.as_ref().is_none_or(|subject| step.subject == *subject)
                && before.is_none_or(|before| before.may_follow(step.at))
        };
        steps.extend(not_copied.filter(is_meant));
        steps.sort_by_key(|step| step.at);
        if let Some(before) = before {
            before.cut(&mut steps);
        }
        Ok(steps.split_off(steps.len().saturating_sub(at_most)))
    }

    /// Returns the story of one operation; `None` where nothing is known of it, or not any more.
    ///
    /// # Errors
    /// Why the journal of the run directory cannot be read.
    pub async fn story(&self, op: Uuid) -> Result<Option<Story>, String> {
        let look = move |chronicle: &Chronicle| (chronicle.story(op).cloned(), chronicle.last().cloned());
        let (mut story, last) = self.on_disk(look).await.unwrap_or_default();
        let its_steps = move |ledger: &PollLedger| -> Vec<Step> {
            ledger.outbox(last.as_ref(), usize::MAX).steps.into_iter().filter(|step| step.op == op).collect()
        };
        for step in journal::read(&self.registry, its_steps).await? {
            story.get_or_insert_with(|| Story::of(&step)).add(&step);
        }
        Ok(story)
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
