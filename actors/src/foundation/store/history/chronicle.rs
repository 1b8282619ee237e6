//! The records of the history on disk, and the stories that they fold to: pure.
//!
//! Records of every earlier release are read for ever. The bounds are part of the fold: they are a record as well.

use std::collections::BTreeMap;
use std::convert::Infallible;

use jiff::Timestamp;
use lvmwarden_supervisor::journal::Ledger;
use lvmwarden_supervisor::process::BootId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::facts::Facts;
use super::place::Place;
use super::story::Story;
use crate::foundation::facts::keeping::FactStep;
use crate::foundation::store::ledger::history::{Step, What};

/// How many steps all stories together may have, for each of the operations that are kept.
pub const STEPS_FOR_EACH: usize = 32;

/// One record of the history on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Steps were copied from the journal of the run directory, in its order.
    Steps(Vec<Step>),
    /// Something became of operations that their own journal does not tell.
    Noted {
        /// The operations.
        ops: Vec<Uuid>,
        /// What.
        what: What,
        /// When that was found.
        at: Timestamp,
    },
    /// What follows is written in this boot, with this bound.
    Life {
        /// The boot.
        boot: BootId,
        /// How many operations are kept.
        keep: u32,
    },
    /// A whole story, instead of the records that made it.
    Story(Story),
    /// The step that was copied last, instead of the record that brought it.
    Copied(Step),
    /// Steps of what is no poll operation were copied, in order.
    Facts(Vec<FactStep>),
    /// That one of them that was copied last, likewise.
    FactCopied(FactStep),
}

/// What is known of operations, those included that are over for long.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Chronicle {
    /// By name, which is by age.
    stories: BTreeMap<Uuid, Story>,
    /// How many steps they have.
    step_count: usize,
    last: Option<Step>,
    life: Option<(BootId, u32)>,
    facts: Facts,
}

impl Chronicle {
    /// Returns the step that was copied last.
    pub fn last(&self) -> Option<&Step> {
        self.last.as_ref()
    }

    /// Returns what has happened to all that is no poll operation.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Returns the boot in which it was written last, and how many operations it keeps.
    pub fn life(&self) -> Option<&(BootId, u32)> {
        self.life.as_ref()
    }

    /// Returns the story of the operation of this name.
    pub fn story(&self, op: Uuid) -> Option<&Story> {
        self.stories.get(&op)
    }

    /// Returns the operations whose end is not told.
    pub fn going_on(&self) -> Vec<Uuid> {
        self.stories.values().filter(|story| !story.is_over()).map(|story| story.op).collect()
    }

    /// Returns the latest steps of all operations, of those that may lie before a place, oldest first: at most `limit`, and those
    /// that may have been told.
    pub fn latest(&self, limit: usize, before: Option<Place>) -> Vec<Step> {
        let stories = self.stories.values();
        let all = stories.flat_map(|story| story.steps.iter().map(move |step| (step, story)));
        let may_be_told = |at| before.is_none_or(|before| before.may_follow(at));
        let mut all: Vec<_> = all.filter(|(step, _)| may_be_told(step.at)).collect();
        all.sort_by_key(|(step, _)| step.at);
        let surplus =
            all.len().saturating_sub(limit.saturating_add(before.map_or(0, |before| before.told())));
        all[surplus..].iter().map(|(step, story)| story.entry(step)).collect()
    }

    fn take(&mut self, step: &Step) {
        let story = self.stories.entry(step.op).or_insert_with(|| Story::of(step));
        let before = story.steps.len();
        story.add(step);
        self.step_count += story.steps.len() - before;
        self.last = Some(step.clone());
    }

    fn note(&mut self, op: Uuid, what: &What, at: Timestamp) {
        if let Some(story) = self.stories.get_mut(&op) {
            let before = story.steps.len();
            story.add_at(at, what);
            self.step_count += story.steps.len() - before;
        }
    }

    /// Gives up the oldest stories where there are too many: those that are over first.
    fn bound(&mut self) {
        let Some((_, keep)) = self.life else { return };
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        let most_steps = keep.saturating_mul(STEPS_FOR_EACH);
        while self.stories.len() > keep || (self.step_count > most_steps && self.stories.len() > 1) {
            let oldest_over = self.stories.values().find(|story| story.is_over());
            let Some(op) = oldest_over.or(self.stories.values().next()).map(|story| story.op) else { return };
            if let Some(given_up) = self.stories.remove(&op) {
                self.step_count -= given_up.steps.len();
            }
        }
    }
}

/// A record that is written twice folds as if it had been written once.
impl Ledger for Chronicle {
    type Record = Record;
    type Illegal = Infallible;

    fn apply(&mut self, record: &Record) -> Result<(), Infallible> {
        match record {
            Record::Steps(steps) => steps.iter().for_each(|step| self.take(step)),
            Record::Noted { ops, what, at } => ops.iter().for_each(|op| self.note(*op, what, *at)),
            Record::Life { boot, keep } => self.life = Some((boot.clone(), *keep)),
            Record::Story(story) => {
                self.step_count += story.steps.len();
                if let Some(replaced) = self.stories.insert(story.op, story.clone()) {
                    self.step_count -= replaced.steps.len();
                }
            }
            Record::Copied(step) => self.last = Some(step.clone()),
            Record::Facts(steps) => steps.iter().for_each(|step| self.facts.take(step)),
            Record::FactCopied(step) => self.facts.set_last(step.clone()),
        }
        self.bound();
        Ok(())
    }

    fn records(&self) -> Vec<Record> {
        let life = self.life.iter().map(|(boot, keep)| Record::Life { boot: boot.clone(), keep: *keep });
        let stories = self.stories.values().cloned().map(Record::Story);
        let facts = self.facts.all().map(Record::Facts);
        let fact_copied = self.facts.last().cloned().map(Record::FactCopied);
        let copied = self.last.clone().map(Record::Copied);
        life.chain(stories).chain(copied).chain(facts).chain(fact_copied).collect()
    }
}

#[cfg(test)]
mod tests;
