//! All that one host has of one change: what a shell drives. Pure.
//!
//! ```text
//!                     ┌────────────── Change ──────────────┐
//!  delivered, views,  │  Coordinator   (where it was asked) │   effects, in order
//!  timers, children ─▶│  Participant   (where it is heard)  │─▶
//!                     │  Judge         (where it is doubt)  │
//!                     └─────────────────────────────────────┘
//! ```
//!
//! The three know nothing of one another. This file passes on what one of them says to the others: a participant in doubt
//! that is the lowest of those who are left gets a judge; what the judge reads is told to the participant; and while there is
//! no transport, a host hears what it says itself at once, since nobody else will.

use crate::coordinator::{self, Coordinator, Finding};
use crate::effect::{Effect, Timer};
use crate::judge::{self, Judge};
use crate::kind::Terms;
use crate::member::Member;
use crate::membership::Membership;
use crate::participant::{self, Participant};
use crate::record::{Memory, Record};
use crate::word::{Decision, Word};

#[cfg(test)]
mod tests;

/// What happens to a change on a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// Something of the coordinator's own.
    Coordinator(coordinator::Event),
    /// Something of the participant's own.
    Participant(participant::Event),
    /// Something of the judge's own.
    Judge(judge::Event),
    /// What a look has found, whoever has looked.
    Looked(Finding),
    /// A message about this change.
    Delivered(Member, Word),
    /// The view has changed: these have left, and somebody has joined or not.
    ViewChanged(Vec<Member>, bool),
    /// A HELLO was heard, or the quorum's word.
    SurroundingsChanged,
    /// A HELLO says what became of this change.
    Told(Member, Decision),
    /// There is no transport any more.
    TransportLost,
    /// A timer is over.
    Elapsed(Timer),
    /// An essential record could not be written.
    NotRecorded(Record),
}

/// One change on one host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Change {
    me: Member,
    terms: Terms,
    coordinator: Option<Coordinator>,
    participant: Option<Participant>,
    judge: Option<Judge>,
}

impl Change {
    /// Returns a change that this host was asked for; `rounds_limit` is how often it is proposed at most.
    pub fn asked(me: Member, terms: Terms, rounds_limit: u32) -> Self {
        let coordinator = Some(Coordinator::new(me, terms, rounds_limit));
        Self { me, terms, coordinator, participant: None, judge: None }
    }

    /// Returns a change that this host hears of: its proposal comes next.
    pub fn heard(me: Member, terms: Terms) -> Self {
        Self { me, terms, coordinator: None, participant: None, judge: None }
    }

    /// Returns a change of an earlier life, of which the journal says `memory`; `coordinator` is who has proposed it.
    ///
    /// Without a `gate`, the coordinator's new life knows that nobody can write any more. With one, and without a decision,
    /// the lock is kept until the writing child has ended and the metadata were read.
    pub fn resumed(
        me: Member,
        coordinator: Member,
        terms: Terms,
        memory: Memory,
        effects: &mut Vec<Effect>,
    ) -> Self {
        let mut change = Self::heard(me, terms);
        let keeps = memory.is_coordinator && memory.has_gate && memory.decision.is_none();
        if keeps {
            change.judge = Some(Judge::keeping(me, effects));
        } else if memory.is_coordinator {
            if terms.writes {
                effects.push(Effect::ShutGate);
            }
            effects.push(Effect::GiveBackLocks);
        }
        let decision = if memory.is_coordinator && !keeps {
            memory.decision.or(Some(Decision::Abandoned))
        } else {
            memory.decision
        };
        let memory = Memory { decision, ..memory };
        let participant = Participant::resumed(me, coordinator, terms, memory, effects);
        let is_doubt = participant.state() == participant::State::Doubt;
        if is_doubt && participant.is_concerned() && change.judge.is_none() {
            change.judge = Some(Judge::asking(me, effects));
        }
        change.participant = Some(participant);
        change
    }

    /// Returns the coordinator, on the host that was asked.
    pub fn coordinator(&self) -> Option<&Coordinator> {
        self.coordinator.as_ref()
    }

    /// Returns the participant, once a proposal was delivered.
    pub fn participant(&self) -> Option<&Participant> {
        self.participant.as_ref()
    }

    /// Returns the judge, where there is one.
    pub fn judge(&self) -> Option<&Judge> {
        self.judge.as_ref()
    }

    /// Returns what has become of the change, as far as is known here.
    pub fn decision(&self) -> Option<Decision> {
        let coordinator = self.coordinator.as_ref().and_then(Coordinator::decision);
        coordinator.or_else(|| self.participant.as_ref().and_then(Participant::decision))
    }

    /// Tells whether nothing is left to do here.
    pub fn is_over(&self) -> bool {
        let is_asked = |state| state == coordinator::State::Ended;
        let is_heard = |state| state == participant::State::Ended;
        let has_looked = |state| state == judge::State::Over;
        self.coordinator.as_ref().is_none_or(|machine| is_asked(machine.state()))
            && self.participant.as_ref().is_none_or(|machine| is_heard(machine.state()))
            && self.judge.as_ref().is_none_or(|machine| has_looked(machine.state()))
    }

    /// Takes an event; `around` is the group as it is now.
    pub fn apply(&mut self, event: Event, around: &Membership, effects: &mut Vec<Effect>) {
        let mut at = effects.len();
        self.route(event, around, effects);
        self.settle(around, effects);
        // Each word of a decision is said once, so this ends.
        while let (false, Some(effect)) = (around.has_transport(), effects.get(at)) {
            if let Effect::Send(word) = effect {
                let event = Event::Delivered(self.me, word.clone());
                self.route(event, around, effects);
                self.settle(around, effects);
            }
            at += 1;
        }
    }

    fn route(&mut self, event: Event, around: &Membership, effects: &mut Vec<Effect>) {
        match event {
            Event::Coordinator(event) => self.coordinate(event, around, effects),
            Event::Participant(event) => self.take_part(event, around, effects),
            Event::Judge(event) => self.judge_it(event, around, effects),
            Event::Looked(finding) => {
                self.coordinate(coordinator::Event::Looked(finding), around, effects);
                self.judge_it(judge::Event::Looked(finding), around, effects);
            }
            Event::Delivered(from, word) => self.delivered(from, word, around, effects),
            Event::ViewChanged(left, has_joined) => {
                // What survivors share is seen before anybody says more.
                self.take_part(participant::Event::ViewChanged(left.clone()), around, effects);
                self.coordinate(coordinator::Event::ViewChanged(left, has_joined), around, effects);
            }
            Event::SurroundingsChanged => {
                self.take_part(participant::Event::SurroundingsChanged, around, effects);
                self.coordinate(coordinator::Event::SurroundingsChanged, around, effects);
            }
            Event::Told(from, decision) => {
                self.take_part(participant::Event::Told(Some(from), decision), around, effects);
            }
            Event::TransportLost => {
                self.take_part(participant::Event::TransportLost, around, effects);
                self.coordinate(coordinator::Event::TransportLost, around, effects);
                self.judge_it(judge::Event::TransportLost, around, effects);
                // What was told is not heard any more, not even here.
                if let Some(decision) = self.coordinator.as_ref().and_then(Coordinator::decision) {
                    self.take_part(participant::Event::Told(None, decision), around, effects);
                }
            }
            Event::Elapsed(timer) => {
                self.take_part(participant::Event::Elapsed(timer), around, effects);
                self.coordinate(coordinator::Event::Elapsed(timer), around, effects);
                self.judge_it(judge::Event::Elapsed(timer), around, effects);
            }
            Event::NotRecorded(record) => {
                self.take_part(participant::Event::NotRecorded(record), around, effects);
                self.coordinate(coordinator::Event::NotRecorded(record), around, effects);
            }
        }
    }

    fn delivered(&mut self, from: Member, word: Word, around: &Membership, effects: &mut Vec<Effect>) {
        if let (Word::Propose { round }, None) = (&word, &self.participant) {
            self.participant = Some(Participant::new(self.me, from, self.terms, *round, around, effects));
        } else {
            self.take_part(participant::Event::Delivered(from, word.clone()), around, effects);
        }
        if matches!(word, Word::Commit { .. } | Word::Abandon { .. }) {
            self.judge_it(judge::Event::Delivered(from), around, effects);
        }
        self.coordinate(coordinator::Event::Delivered(from, word), around, effects);
    }

    /// A doubt gets its judge, a judge of what is decided goes home, and a part whose coordinator is done hears of it here.
    fn settle(&mut self, around: &Membership, effects: &mut Vec<Effect>) {
        let ended = self.coordinator.as_ref().filter(|machine| machine.state() == coordinator::State::Ended);
        let is_untold = |participant: &Participant| participant.decision().is_none();
        if let (Some(decision), true) =
            (ended.and_then(Coordinator::decision), self.participant.as_ref().is_some_and(is_untold))
        {
            // Its own word may be lost with the transport, and its proposal come late.
            self.take_part(participant::Event::Told(None, decision), around, effects);
        }
        let is_to_judge = self.participant.as_ref().is_some_and(Participant::is_to_judge);
        let has_judge = self.judge.is_some_and(|judge| judge.state() != judge::State::Over);
        if is_to_judge && !has_judge {
            self.judge = Some(Judge::asking(self.me, effects));
        }
        let is_doubt = |participant: &Participant| participant.state() == participant::State::Doubt;
        if has_judge && !self.participant.as_ref().is_some_and(is_doubt) {
            self.judge_it(judge::Event::Settled, around, effects);
        }
    }

    fn coordinate(&mut self, event: coordinator::Event, around: &Membership, effects: &mut Vec<Effect>) {
        if let Some(coordinator) = &mut self.coordinator {
            coordinator.apply(event, around, effects);
        }
    }

    fn take_part(&mut self, event: participant::Event, around: &Membership, effects: &mut Vec<Effect>) {
        if let Some(participant) = &mut self.participant {
            participant.apply(event, around, effects);
        }
    }

    fn judge_it(&mut self, event: judge::Event, around: &Membership, effects: &mut Vec<Effect>) {
        let Some(judge) = &mut self.judge else { return };
        if let Some(decision) = judge.apply(event, effects) {
            self.take_part(participant::Event::Told(None, decision), around, effects);
        }
    }
}
