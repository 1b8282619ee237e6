//! What has happened to all that is no poll operation: the latest steps of each subject. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};

use super::place::Place;
use crate::foundation::facts::keeping::FactStep;

/// How many steps are kept of one subject.
pub const OF_EACH: usize = 500;
/// How many are kept of all together.
pub const OF_ALL: usize = 10_000;

/// How many steps a record of a snapshot has.
const AT_ONCE: usize = 100;

/// The latest steps of each subject: one to which much happens takes nothing from the others.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Oldest first.
    by_subject: BTreeMap<String, VecDeque<FactStep>>,
    count: usize,
    last: Option<FactStep>,
}

impl Facts {
    /// Returns the step that was copied last.
    pub fn last(&self) -> Option<&FactStep> {
        self.last.as_ref()
    }

    /// Takes that one for it.
    pub(super) fn set_last(&mut self, last: FactStep) {
        self.last = Some(last);
    }

    /// Adds a step, once.
    pub(super) fn take(&mut self, step: &FactStep) {
        self.last = Some(step.clone());
        let steps = self.by_subject.entry(step.subject.clone()).or_default();
        // Not by order: the clock may have been set back.
        if steps.contains(step) {
            return;
        }
        steps.push_back(step.clone());
        self.count += 1;
        if steps.len() > OF_EACH {
            steps.pop_front();
            self.count -= 1;
        }
        if self.count > OF_ALL {
            self.give_up_one();
        }
    }

    /// Gives up the oldest step of that subject of which most is known, or, among such, of that which is known longest.
    fn give_up_one(&mut self) {
        let most = self
            .by_subject
            .iter()
            .max_by_key(|(_, steps)| (steps.len(), Reverse(steps.front().map(|step| step.at))));
        let Some(subject) = most.map(|(subject, _)| subject.clone()) else { return };
        let Some(steps) = self.by_subject.get_mut(&subject) else { return };
        steps.pop_front();
        self.count -= 1;
        if steps.is_empty() {
            self.by_subject.remove(&subject);
        }
    }

    /// Returns the latest steps, of one subject or of all, of those that may lie before a place, oldest first: at most `limit`,
    /// and those that may have been told.
    pub fn latest(&self, subject: Option<&str>, limit: usize, before: Option<Place>) -> Vec<FactStep> {
        let is_meant = |name: &str| subject.is_none_or(|subject| subject == name);
        let meant = self.by_subject.iter().filter(|(name, _)| is_meant(name));
        let may_be_told = |step: &&FactStep| before.is_none_or(|before| before.may_follow(step.at));
        let mut steps: Vec<_> = meant.flat_map(|(_, steps)| steps).filter(may_be_told).collect();
        steps.sort_by_key(|step| step.at);
        let wanted = limit.saturating_add(before.map_or(0, |before| before.told()));
        let surplus = steps.len().saturating_sub(wanted);
        steps[surplus..].iter().map(|step| (*step).clone()).collect()
    }

    /// Returns all steps, by subject, some at a time.
    pub(super) fn all(&self) -> impl Iterator<Item = Vec<FactStep>> {
        let all: Vec<_> = self.by_subject.values().flatten().cloned().collect();
        let chunks: Vec<_> = all.chunks(AT_ONCE).map(<[FactStep]>::to_vec).collect();
        chunks.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn step(subject: &str, second: usize) -> FactStep {
        FactStep {
            at: Timestamp::from_second(i64::try_from(second).unwrap()).unwrap(),
            subject: subject.to_owned(),
            kind: "lock.started".to_owned(),
            fields: BTreeMap::new(),
        }
    }

    #[test]
    fn a_step_that_is_written_twice_is_there_once_and_the_latest_come_by_time() {
        let mut facts = Facts::default();
        for step in [step("a", 1), step("b", 2), step("a", 3), step("a", 1)] {
            facts.take(&step);
        }
        assert_eq!(facts.latest(None, 2, None), [step("b", 2), step("a", 3)]);
        assert_eq!(facts.latest(Some("a"), 9, None), [step("a", 1), step("a", 3)]);
        assert_eq!(facts.last(), Some(&step("a", 1)));
    }

    #[test]
    fn each_subject_is_bounded_and_one_to_which_much_happens_takes_nothing_from_another() {
        let mut facts = Facts::default();
        facts.take(&step("quiet", 0));
        for second in 0..OF_EACH + 10 {
            facts.take(&step("loud", second));
        }
        assert_eq!(facts.latest(Some("loud"), usize::MAX, None).len(), OF_EACH);
        // Many subjects: the loud one gives way, and then those that are known longest.
        for number in 0..OF_ALL {
            facts.take(&step(&format!("vg{number}"), 1000 + number));
        }
        assert_eq!(facts.count, OF_ALL);
        assert_eq!(facts.by_subject.values().map(VecDeque::len).sum::<usize>(), OF_ALL);
        assert!(facts.latest(Some("loud"), usize::MAX, None).len() <= 1);
        assert_eq!(facts.latest(Some("vg9999"), usize::MAX, None).len(), 1);
    }
}
