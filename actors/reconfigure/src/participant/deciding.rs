//! What has become of the change, and this host's part in that.

use super::{
    Cause, Code, Concern, Decision, Effect, Member, Outcome, Part, Participant, Record, State, Timer, Word,
};
use crate::decision::{Verdict, without_coordinator};
use crate::word::Abandonment;

impl Participant {
    /// COMMIT, ABANDON and END are told of what is on the disk, or of a gate that is shut: whoever tells it.
    pub(super) fn word_of_decision(&mut self, from: Member, word: &Word, effects: &mut Vec<Effect>) {
        let Some(decision) = word.decision() else { return };
        let why = match word {
            Word::Abandon { why, .. } => Some(why.clone()),
            Word::Commit { .. }
            | Word::End(_)
            | Word::Propose { .. }
            | Word::Vote { .. }
            | Word::Prepare
            | Word::Ready
            | Word::NotReady(_)
            | Word::Released
            | Word::Done(_) => None,
        };
        self.told(Some(from), decision, why, effects);
    }

    /// A HELLO says what has become of it: that counts for who is in doubt. Others hear it from those who know, in order.
    pub(super) fn heard_of(&mut self, from: Member, decision: Decision, effects: &mut Vec<Effect>) {
        if self.state == State::Doubt || self.decision.is_some() {
            self.told(Some(from), decision, None, effects);
        }
    }

    pub(super) fn told(
        &mut self,
        from: Option<Member>,
        decision: Decision,
        why: Option<Abandonment>,
        effects: &mut Vec<Effect>,
    ) {
        match self.decision {
            None => {
                self.why = why;
                self.act(decision, effects);
            }
            Some(known) => {
                if let (true, Some(from)) = (known.contradicts(decision), from) {
                    effects.push(Effect::Conflict(from));
                }
                // Everybody tells what the coordinator tells.
                if known == decision && why.is_some() {
                    self.why = why;
                }
            }
        }
    }

    /// It is decided: on disk first, then this host does its part.
    pub(super) fn act(&mut self, decision: Decision, effects: &mut Vec<Effect>) {
        let state = self.state;
        if state == State::Ended {
            return;
        }
        self.decision = Some(decision);
        effects.push(Effect::Record(Record::Decided(decision)));
        match state {
            // Nothing was done here that could be undone.
            State::Checking | State::Voted if !decision.refreshes() => self.done(effects),
            State::Checking | State::Voted | State::Doubt if !self.is_concerned() => self.done(effects),
            State::Checking | State::Voted | State::Preparing | State::Ready { .. } | State::Doubt => {
                if decision == Decision::Committed {
                    effects.push(Effect::TellGuard);
                }
                self.do_part(effects);
            }
            State::Refreshing | State::Undoing | State::Done | State::Lagging | State::Ended => {}
        }
    }

    pub(super) fn do_part(&mut self, effects: &mut Vec<Effect>) {
        let refreshes = self.decision.is_some_and(Decision::refreshes);
        self.state = if refreshes { State::Refreshing } else { State::Undoing };
        effects.push(match (refreshes, self.terms.follows, self.terms.prepares) {
            (true, true, _) => Effect::Refresh,
            (false, _, true) => Effect::Undo,
            // Whoever waits for the change's gate is sent home.
            (true, false, _) | (false, _, false) => Effect::Release,
        });
    }

    pub(super) fn part_done(&mut self, effects: &mut Vec<Effect>) {
        if matches!(self.state, State::Refreshing | State::Undoing | State::Lagging) {
            self.done(effects);
        }
    }

    pub(super) fn done(&mut self, effects: &mut Vec<Effect>) {
        self.state = State::Done;
        effects.push(Effect::Record(Record::Done));
        if self.is_concerned() {
            effects.push(Effect::Send(Word::Done(Part::Done)));
        }
        // END may be lost with the one who says it.
        effects.push(Effect::Arm(Timer::Commit));
        self.end_if_over(effects);
        self.end_if_all_done(effects);
    }

    pub(super) fn part_failed(&mut self, effects: &mut Vec<Effect>) {
        if matches!(self.state, State::Refreshing | State::Undoing) {
            self.state = State::Lagging;
            effects.extend([Effect::Send(Word::Done(Part::Lagging)), Effect::Arm(Timer::RefreshAgain)]);
        }
    }

    pub(super) fn view_changed(&mut self, left: &[Member], effects: &mut Vec<Effect>) {
        self.roll.leave(left);
        if self.has_coordinator && left.contains(&self.coordinator) {
            self.has_coordinator = false;
            if self.decision.is_none() {
                self.without_coordinator(effects);
            }
        }
        self.end_if_all_done(effects);
    }

    /// The coordinator has left: what survivors share decides, or nobody knows.
    fn without_coordinator(&mut self, effects: &mut Vec<Effect>) {
        if self.state == State::Ended {
            return;
        }
        match without_coordinator(self.terms, None, &self.roll) {
            Verdict::Certain(decision) => {
                let cause = Cause::new(self.coordinator.node, Code::Left, "the coordinator has left");
                self.told(None, decision, Some(cause.into()), effects);
            }
            Verdict::Doubt => self.doubt(effects),
        }
    }

    fn doubt(&mut self, effects: &mut Vec<Effect>) {
        self.state = State::Doubt;
        effects.extend([Effect::Release, Effect::Arm(Timer::Doubt)]);
    }

    /// Who has said READY cannot know what the others hear now.
    pub(super) fn transport_lost(&mut self, effects: &mut Vec<Effect>) {
        let gone: Vec<_> =
            self.roll.here().map(|entry| entry.member).filter(|member| *member != self.me).collect();
        self.roll.leave(&gone);
        self.has_coordinator = self.coordinator == self.me;
        if self.decision.is_none() && !self.has_coordinator {
            match self.state {
                State::Ready { .. } if self.terms.writes => self.doubt(effects),
                // The coordinator may go on without a host that is not concerned.
                State::Voted if self.terms.writes && self.voted == Some((Concern::None, false)) => {
                    self.doubt(effects);
                }
                State::Ready { .. } | State::Checking | State::Voted | State::Preparing => {
                    let cause = Cause::new(self.me.node, Code::Left, "the transport is lost");
                    self.told(None, Decision::Abandoned, Some(cause.into()), effects);
                }
                State::Doubt
                | State::Refreshing
                | State::Undoing
                | State::Done
                | State::Lagging
                | State::Ended => {}
            }
        }
        self.end_if_all_done(effects);
    }

    /// The coordinator is gone: the successor says END when all are done; without one, each ends by itself.
    pub(super) fn end_if_all_done(&mut self, effects: &mut Vec<Effect>) {
        if self.has_coordinator || self.has_end || !matches!(self.state, State::Done | State::Lagging) {
            return;
        }
        let (successor, Some(decision)) = (self.roll.successor(), self.decision) else { return };
        match successor {
            None => {
                self.has_end = true;
                self.end_if_over(effects);
            }
            Some(successor) if successor == self.me && self.roll.are_all_done() => {
                self.has_end = true;
                effects.push(Effect::Send(Word::End(decision)));
                self.end_if_over(effects);
            }
            Some(_) => {}
        }
    }

    /// It is over when END was heard and the own part is done: who lags goes on trying.
    pub(super) fn end_if_over(&mut self, effects: &mut Vec<Effect>) {
        let (true, State::Done, Some(decision)) = (self.has_end, self.state, self.decision) else { return };
        self.state = State::Ended;
        effects.push(Effect::Record(Record::Ended));
        effects.push(Effect::Ended(Outcome::Decided(decision, self.roll.lagging())));
    }
}
