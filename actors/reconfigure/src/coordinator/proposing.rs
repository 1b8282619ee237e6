//! From the question to the last vote.

use super::{Code, Coordinator, Effect, Member, Membership, Quorum, Record, Roll, State, Timer, Word};
use crate::word::{Abandonment, Cause};

impl Coordinator {
    pub(super) fn accepted(&mut self, effects: &mut Vec<Effect>) {
        if self.state == State::Asked {
            self.state = State::Locking;
            effects.extend([Effect::Record(Record::Asked), Effect::TakeLocks, Effect::Arm(Timer::Lock)]);
        }
    }

    pub(super) fn locks_held(&mut self, effects: &mut Vec<Effect>) {
        if self.state == State::Locking {
            self.has_locks = true;
            effects.push(Effect::ReadVg);
        }
    }

    pub(super) fn vg_read(
        &mut self,
        result: Result<(), Cause>,
        around: &Membership,
        effects: &mut Vec<Effect>,
    ) {
        if self.state != State::Locking {
            return;
        }
        match result {
            Ok(()) => {
                self.state = State::Proposing { is_sent: false };
                self.propose(around, effects);
            }
            Err(cause) => self.turn(cause, effects),
        }
    }

    /// Proposes, when this host knows all and is quorate.
    pub(super) fn propose(&mut self, around: &Membership, effects: &mut Vec<Effect>) {
        let is_next = self.state == State::Proposing { is_sent: false };
        if is_next && around.knows_all() && around.quorum() == Quorum::Yes {
            self.state = State::Proposing { is_sent: true };
            if self.round == 1 {
                effects.push(Effect::Record(Record::Proposed));
            }
            effects.push(Effect::Send(Word::Propose { round: self.round }));
        }
    }

    /// A proposal was delivered: the own one opens the round.
    pub(super) fn proposed(
        &mut self,
        from: Member,
        round: u32,
        around: &Membership,
        effects: &mut Vec<Effect>,
    ) {
        let is_own = from == self.me && round == self.round;
        if is_own && self.state == (State::Proposing { is_sent: true }) {
            self.roll = Roll::new(around.members());
            self.state = State::Voting { is_objected: false };
            effects.push(Effect::Arm(Timer::Vote));
            if !around.knows_all() {
                // Somebody has joined meanwhile, who cannot say yes to this round.
                self.next_round(around, effects);
            }
        }
    }

    pub(super) fn next_round(&mut self, around: &Membership, effects: &mut Vec<Effect>) {
        if self.round >= self.rounds_limit {
            let cause = Cause::new(self.me.node, Code::Timeout, "members come and go");
            return self.abandon(cause, effects);
        }
        self.round += 1;
        self.state = State::Proposing { is_sent: false };
        effects.push(Effect::Arm(Timer::Vote));
        self.propose(around, effects);
    }

    /// Somebody has voted, or has left: all may have said yes, or somebody no.
    pub(super) fn votes_changed(&mut self, effects: &mut Vec<Effect>) {
        let State::Voting { is_objected } = self.state else { return };
        let has_objection = self.roll.objections().next().is_some();
        if has_objection && self.roll.have_all_voted() {
            self.abandon_objected(effects);
        } else if has_objection && !is_objected {
            self.state = State::Voting { is_objected: true };
            effects.push(Effect::Arm(Timer::Objections));
        } else if self.roll.have_all_voted() {
            self.prepare(effects);
        }
    }

    pub(super) fn abandon_objected(&mut self, effects: &mut Vec<Effect>) {
        let objections: Vec<_> = self.roll.objections().cloned().collect();
        let unknown = || Cause::new(self.me.node, Code::Internal, "nobody objects");
        let cause = objections.first().cloned().unwrap_or_else(unknown);
        self.abandon(Abandonment { cause, objections }, effects);
    }

    fn prepare(&mut self, effects: &mut Vec<Effect>) {
        self.state = State::Preparing;
        if self.terms.writes {
            effects.push(Effect::StartWriter);
        }
        effects.extend([Effect::Send(Word::Prepare), Effect::Arm(Timer::Prepare)]);
        if self.terms.holds {
            effects.push(Effect::Arm(Timer::Reserve));
        }
    }
}
