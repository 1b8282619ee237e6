//! The decision, and how it ends.

use super::{Coordinator, Decision, Effect, Outcome, Record, State, Timer, Word};
use crate::word::Abandonment;

impl Coordinator {
    /// Before the gate: nobody can write any more, and everybody is told why.
    pub(super) fn abandon(&mut self, why: impl Into<Abandonment>, effects: &mut Vec<Effect>) {
        if self.terms.writes {
            effects.push(Effect::ShutGate);
        }
        self.decide(Decision::Abandoned, Some(why.into()), false, effects);
    }

    /// The metadata are written, or nothing needs to be.
    pub(super) fn commit(&mut self, has_looked: bool, effects: &mut Vec<Effect>) {
        self.decide(Decision::Committed, None, has_looked, effects);
    }

    pub(super) fn decide(
        &mut self,
        decision: Decision,
        why: Option<Abandonment>,
        has_looked: bool,
        effects: &mut Vec<Effect>,
    ) {
        self.state = match decision {
            Decision::Committed | Decision::Superseded => State::Committing,
            Decision::Abandoned => State::Abandoning,
        };
        self.decision = Some(decision);
        effects.extend([
            Effect::Record(Record::Decided(decision)),
            Effect::Send(Word::of(decision, why, has_looked)),
            Effect::Arm(Timer::Commit),
        ]);
        self.parts_changed(effects);
    }

    /// Somebody is done, or has left.
    pub(super) fn parts_changed(&mut self, effects: &mut Vec<Effect>) {
        if matches!(self.state, State::Committing | State::Abandoning) && self.roll.are_all_done() {
            self.close(effects);
        }
    }

    /// Ends it: all are done, or the limit is over.
    pub(super) fn close(&mut self, effects: &mut Vec<Effect>) {
        let Some(decision) = self.decision else { return };
        effects.push(Effect::Record(Record::Ended));
        effects.push(Effect::Send(Word::End(decision)));
        effects.push(Effect::GiveBackLocks);
        effects.push(Effect::Ended(Outcome::Decided(decision, self.roll.lagging())));
        self.state = State::Ended;
    }
}
