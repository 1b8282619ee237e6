//! From the proposal to READY.

use super::{Cause, Code, Effect, Member, Membership, Participant, Record, Roll, State, Timer, Vote, Word};
use crate::membership::Quorum;
use crate::word::{Concern, Decision};

impl Participant {
    /// A proposal of a next round: everything that was said of the last one is forgotten.
    pub(super) fn proposed_again(
        &mut self,
        from: Member,
        round: u32,
        around: &Membership,
        effects: &mut Vec<Effect>,
    ) {
        let is_next = from == self.coordinator && self.has_coordinator && round > self.round;
        if is_next && matches!(self.state, State::Checking | State::Voted) {
            self.round = round;
            self.roll = Roll::new(around.members());
            self.state = State::Checking;
            self.waiting = None;
            effects.extend([Effect::Check, Effect::Arm(Timer::Vote)]);
        }
    }

    /// The checks are over: no is said at once; yes when this host knows all and is quorate.
    pub(super) fn checked(&mut self, vote: Vote, around: &Membership, effects: &mut Vec<Effect>) {
        if self.state != State::Checking {
            return;
        }
        let no = |concern, code, reason| {
            let objection = Some(Cause::new(self.me.node, code, reason));
            Vote { concern, objection }
        };
        match around.quorum() {
            Quorum::Yes | Quorum::Unknown if vote.objection.is_some() => self.vote(vote, effects),
            Quorum::No => self.vote(no(vote.concern, Code::NotQuorate, "it has no quorum"), effects),
            Quorum::Yes if !around.knows_all() => {
                self.vote(no(vote.concern, Code::Internal, "it has not heard every member"), effects);
            }
            Quorum::Yes => self.vote(vote, effects),
            Quorum::Unknown => self.waiting = Some(vote),
        }
    }

    pub(super) fn vote(&mut self, vote: Vote, effects: &mut Vec<Effect>) {
        let (concern, objects) = (vote.concern, vote.objection.is_some());
        self.voted = Some((concern, objects));
        self.state = State::Voted;
        effects.push(Effect::Record(Record::Voted { concern, objects }));
        effects.push(Effect::Send(Word::Vote { round: self.round, vote }));
    }

    pub(super) fn look_around(&mut self, around: &Membership, effects: &mut Vec<Effect>) {
        if let Some(vote) = self.waiting.take() {
            self.checked(vote, around, effects);
        }
        if self.state == State::Preparing && self.is_held {
            self.prepared(around, effects);
        }
    }

    pub(super) fn prepare(&mut self, from: Member, effects: &mut Vec<Effect>) {
        if from != self.coordinator || !self.has_coordinator || self.state != State::Voted {
            return;
        }
        match self.voted {
            Some((Concern::Vg | Concern::Lv, false)) => {
                self.state = State::Preparing;
                effects.push(Effect::Record(Record::Preparing));
                effects.push(Effect::Prepare);
                effects.push(Effect::Arm(Timer::Prepare));
            }
            // Nobody sends PREPARE after a no.
            Some((Concern::Vg | Concern::Lv, true) | (Concern::None, _)) | None => {}
        }
    }

    /// All is held or done: this host is ready when it is quorate.
    pub(super) fn prepared(&mut self, around: &Membership, effects: &mut Vec<Effect>) {
        if self.state != State::Preparing {
            return;
        }
        match around.quorum() {
            Quorum::Yes => {
                self.state = State::Ready { is_released: false };
                effects.extend([Effect::Record(Record::Ready), Effect::Send(Word::Ready)]);
                if self.terms.follows {
                    effects.push(Effect::StartRefresher);
                }
            }
            Quorum::Unknown => self.is_held = true,
            Quorum::No => {
                self.not_prepared(Cause::new(self.me.node, Code::NotQuorate, "it has no quorum"), effects);
            }
        }
    }

    /// This host is not ready, and says so: nobody can commit without it.
    pub(super) fn not_prepared(&mut self, cause: Cause, effects: &mut Vec<Effect>) {
        if self.state == State::Preparing {
            effects.push(Effect::Send(Word::NotReady(cause.clone())));
            self.why = Some(cause.into());
            self.act(Decision::Abandoned, effects);
        }
    }

    pub(super) fn hold_over(&mut self, effects: &mut Vec<Effect>) {
        match self.state {
            State::Preparing => {
                self.not_prepared(Cause::new(self.me.node, Code::Suspended, "its hold has ended"), effects);
            }
            State::Ready { is_released: false } => {
                self.state = State::Ready { is_released: true };
                effects.push(Effect::Send(Word::Released));
            }
            State::Checking
            | State::Voted
            | State::Ready { is_released: true }
            | State::Doubt
            | State::Refreshing
            | State::Undoing
            | State::Done
            | State::Lagging
            | State::Ended => {}
        }
    }
}
