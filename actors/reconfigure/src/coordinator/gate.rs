//! The gate, and what the writing child comes to behind it.

use super::{
    Code, Coordinator, Decision, Effect, Finding, Membership, Quorum, Record, State, Timer, WriterEnd,
};
use crate::word::Cause;

impl Coordinator {
    /// Somebody is ready, or has left.
    pub(super) fn readiness_changed(&mut self, around: &Membership, effects: &mut Vec<Effect>) {
        if self.state != State::Preparing || !self.roll.are_all_ready() {
            return;
        }
        if self.terms.writes {
            self.state = State::AtGate;
            self.try_gate(around, effects);
        } else if around.quorum() == Quorum::Yes {
            self.commit(false, effects);
        }
    }

    pub(super) fn gate_asked(&mut self, around: &Membership, effects: &mut Vec<Effect>) {
        match self.state {
            State::Preparing | State::AtGate => {
                self.writer_waits = true;
                self.try_gate(around, effects);
            }
            State::Asked
            | State::Locking
            | State::Proposing { .. }
            | State::Voting { .. }
            | State::Applying { .. }
            | State::Judging
            | State::Committing
            | State::Abandoning
            | State::Ended => effects.push(Effect::ShutGate),
        }
    }

    /// Opens the gate if everything is as it must be. Where the quorum is not known yet, the child waits on.
    pub(super) fn try_gate(&mut self, around: &Membership, effects: &mut Vec<Effect>) {
        if self.state == State::Preparing && !self.terms.writes {
            // The quorum's word may have been the last thing missing.
            return self.readiness_changed(around, effects);
        }
        if self.state != State::AtGate || !self.writer_waits {
            return;
        }
        let is_open = self.roll.are_all_ready() && self.has_locks && !self.is_reserve_gone;
        match around.quorum() {
            Quorum::Yes if is_open => {
                self.state = State::Applying { is_late: false };
                effects.extend([Effect::Record(Record::Gate), Effect::OpenGate, Effect::Arm(Timer::Apply)]);
            }
            Quorum::Yes | Quorum::No => {
                self.turn(Cause::new(self.me.node, Code::NotQuorate, "the gate stays shut"), effects);
            }
            Quorum::Unknown => {}
        }
    }

    pub(super) fn writer_ended(&mut self, end: WriterEnd, effects: &mut Vec<Effect>) {
        match (self.state, end) {
            (State::Applying { .. }, WriterEnd::AtGoal) => self.commit(false, effects),
            (
                State::Preparing | State::AtGate | State::Applying { .. },
                end @ (WriterEnd::AtGoal | WriterEnd::Otherwise(_)),
            ) => self.judge(end, effects),
            (
                State::Asked
                | State::Locking
                | State::Proposing { .. }
                | State::Voting { .. }
                | State::Judging
                | State::Committing
                | State::Abandoning
                | State::Ended,
                WriterEnd::AtGoal | WriterEnd::Otherwise(_),
            ) => {}
        }
    }

    /// The child has ended: what it has done is read under the own lock.
    fn judge(&mut self, end: WriterEnd, effects: &mut Vec<Effect>) {
        self.last_lines = match end {
            WriterEnd::AtGoal => None,
            WriterEnd::Otherwise(cause) => Some(cause),
        };
        self.state = State::Judging;
        effects.extend([Effect::ShutGate, Effect::Arm(Timer::Doubt), Effect::Look]);
    }

    pub(super) fn looked(&mut self, finding: Finding, effects: &mut Vec<Effect>) {
        if self.state != State::Judging {
            return;
        }
        match finding {
            // Nobody else can have written while this host has the lock: more than the next write is its own all the same.
            Finding::Applied | Finding::Superseded => self.commit(true, effects),
            Finding::NotApplied => {
                let unknown = || Cause::new(self.me.node, Code::RefusedByLvm, "nothing was written");
                let cause = self.last_lines.clone().unwrap_or_else(unknown);
                self.decide(Decision::Abandoned, Some(cause.into()), true, effects);
            }
            Finding::Unreadable => effects.push(Effect::Arm(Timer::LookAgain)),
        }
    }
}
