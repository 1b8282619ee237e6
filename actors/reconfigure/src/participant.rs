//! The machine of every host that is asked, the coordinator's included. Pure.
//!
//! ```text
//!        PROPOSE                 PREPARE             held, recorded          COMMIT
//!      ─────────▶ Checking ─▶ Voted ──▶ Preparing ──────────────▶ Ready ─────────▶ Refreshing ─▶ Done ──END──▶ Ended
//!                    ▲  │        │          │ could not            │ │  ▲            │ tries over            ▲
//!        (next round)└──┴─ABANDON│          ▼     ABANDON,         │ │  │hold over   ▼                       │
//!                         C left └───▶ Undoing ◀──certain──────────┘ │  │RELEASED  Lagging (goes on trying) ──┘
//!                                           ▲                        │  └──Ready
//!                                           │ not applied            │ C left, all READY delivered; lost
//!                                           └─────────── Doubt ◀─────┘       Doubt ──COMMIT──▶ Refreshing
//! ```
//!
//! A host that is not concerned votes, hears, and has nothing to do: from Voted it goes to Done or Doubt.
//!
//! Who has said READY does not abandon by itself: only the coordinator's word, what [`crate::decision`] shows, or a look at
//! the metadata ends its part. What it holds ends all the same: by its own clock, and at once when it is in doubt.

mod deciding;
mod preparing;
#[cfg(test)]
mod tests;

use crate::effect::{Effect, Outcome, Timer};
use crate::kind::Terms;
use crate::member::Member;
use crate::membership::Membership;
use crate::record::{Memory, Record};
use crate::roll::Roll;
use crate::word::{Abandonment, Cause, Code, Concern, Decision, Part, Vote, Word};

/// Where a participant is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It sees whether the change can be made here.
    Checking,
    /// It has voted.
    Voted,
    /// It holds, or does what can be undone.
    Preparing,
    /// It is ready: whether it is committed is not its decision any more.
    Ready {
        /// What it held goes on.
        is_released: bool,
    },
    /// The coordinator is gone, and nobody here knows whether the metadata are written.
    Doubt,
    /// They are: it follows.
    Refreshing,
    /// They are not: it undoes.
    Undoing,
    /// Its part is done.
    Done,
    /// It could not do its part yet, and goes on trying.
    Lagging,
    /// It is over.
    Ended,
}

/// What happens to a participant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// This host has seen whether the change can be made here.
    Checked(Vote),
    /// All is held or done.
    Prepared,
    /// It could not be.
    NotPrepared(Cause),
    /// A hold has ended by its own clock, or somebody has ended it.
    HoldOver,
    /// What follows a commit is done, and seen in the kernel; or what was prepared is undone.
    PartDone,
    /// Neither could be done, for now.
    PartFailed,
    /// A message about this change.
    Delivered(Member, Word),
    /// A decision was told in a HELLO, or has been come to on this host.
    Told(Option<Member>, Decision),
    /// The view has changed: these have left.
    ViewChanged(Vec<Member>),
    /// A HELLO was heard, or the quorum's word.
    SurroundingsChanged,
    /// There is no transport any more.
    TransportLost,
    /// A timer is over.
    Elapsed(Timer),
    /// An essential record could not be written.
    NotRecorded(Record),
}

/// One host's part in a change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Participant {
    me: Member,
    coordinator: Member,
    terms: Terms,
    state: State,
    round: u32,
    roll: Roll,
    /// What the change is to this host, and whether it objects, once it has voted.
    voted: Option<(Concern, bool)>,
    /// A vote, or that all is held, waits for the quorum's word or for a HELLO.
    waiting: Option<Vote>,
    is_held: bool,
    /// The coordinator has been in every view since the proposal.
    has_coordinator: bool,
    decision: Option<Decision>,
    why: Option<Abandonment>,
    /// END was heard, or nobody is left who could say it.
    has_end: bool,
}

impl Participant {
    /// Returns the participant of a proposal that was just delivered in this view; it begins to check.
    pub fn new(
        me: Member,
        coordinator: Member,
        terms: Terms,
        round: u32,
        around: &Membership,
        effects: &mut Vec<Effect>,
    ) -> Self {
        effects.extend([Effect::Check, Effect::Arm(Timer::Vote)]);
        Self {
            me,
            coordinator,
            terms,
            state: State::Checking,
            round,
            roll: Roll::new(around.members()),
            voted: None,
            waiting: None,
            is_held: false,
            has_coordinator: true,
            decision: None,
            why: None,
            has_end: false,
        }
    }

    /// Returns where it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// Returns who takes part, and what was heard of each.
    pub fn roll(&self) -> &Roll {
        &self.roll
    }

    /// Tells whether the coordinator has been in every view since the proposal.
    pub fn has_coordinator(&self) -> bool {
        self.has_coordinator
    }

    /// Returns what has become of the change, as far as is known here.
    pub fn decision(&self) -> Option<Decision> {
        self.decision
    }

    /// Returns why it was abandoned, as far as is known here.
    pub fn why(&self) -> Option<&Abandonment> {
        self.why.as_ref()
    }

    /// Tells whether the change is something to this host, as far as it has said.
    pub fn is_concerned(&self) -> bool {
        self.voted.is_some_and(|(concern, _)| concern != Concern::None)
    }

    /// Tells whether this host looks the metadata up: it is in doubt, and the lowest that is left.
    pub fn is_to_judge(&self) -> bool {
        self.state == State::Doubt && self.roll.successor() == Some(self.me)
    }

    /// Takes an event; `around` is the group as it is now.
    pub fn apply(&mut self, event: Event, around: &Membership, effects: &mut Vec<Effect>) {
        match event {
            Event::Checked(vote) => self.checked(vote, around, effects),
            Event::Prepared => self.prepared(around, effects),
            Event::NotPrepared(cause) => self.not_prepared(cause, effects),
            Event::HoldOver => self.hold_over(effects),
            Event::PartDone => self.part_done(effects),
            Event::PartFailed => self.part_failed(effects),
            Event::Delivered(from, word) => self.delivered(from, word, around, effects),
            Event::Told(Some(from), decision) => self.heard_of(from, decision, effects),
            Event::Told(None, decision) => self.told(None, decision, None, effects),
            Event::ViewChanged(left) => self.view_changed(&left, effects),
            Event::SurroundingsChanged => self.look_around(around, effects),
            Event::TransportLost => self.transport_lost(effects),
            Event::Elapsed(timer) => self.elapsed(timer, effects),
            Event::NotRecorded(record) => self.not_recorded(record, effects),
        }
    }

    fn delivered(&mut self, from: Member, word: Word, around: &Membership, effects: &mut Vec<Effect>) {
        match word {
            Word::Propose { round } => self.proposed_again(from, round, around, effects),
            Word::Vote { round, vote } => {
                if round == self.round {
                    self.roll.vote(from, vote);
                }
            }
            Word::Prepare => self.prepare(from, effects),
            Word::Ready => self.roll.ready(from),
            Word::Done(part) => {
                self.roll.done(from, part);
                self.end_if_all_done(effects);
            }
            Word::NotReady(_) | Word::Released => {}
            Word::Commit { .. } | Word::Abandon { .. } => self.word_of_decision(from, &word, effects),
            Word::End(decision) => {
                self.word_of_decision(from, &Word::End(decision), effects);
                self.has_end = true;
                self.end_if_over(effects);
            }
        }
    }

    fn elapsed(&mut self, timer: Timer, effects: &mut Vec<Effect>) {
        let me = self.me.node;
        match (timer, self.state) {
            (Timer::Vote, State::Checking) => {
                let objection = Some(Cause::new(me, Code::Timeout, "its checks take too long"));
                let concern = self.waiting.take().map_or(Concern::Vg, |vote| vote.concern);
                self.vote(Vote { concern, objection }, effects);
            }
            (Timer::Prepare, State::Preparing) => {
                self.not_prepared(Cause::new(me, Code::Timeout, "not ready within the limit"), effects);
            }
            (Timer::Commit, State::Done) => {
                self.has_end = true;
                self.end_if_over(effects);
            }
            (Timer::RefreshAgain, State::Lagging) => self.do_part(effects),
            (Timer::Doubt, State::Doubt) => {
                self.state = State::Ended;
                effects.extend([Effect::Record(Record::Ended), Effect::Ended(Outcome::Unknown)]);
            }
            (
                Timer::Lock
                | Timer::Vote
                | Timer::Objections
                | Timer::Prepare
                | Timer::Reserve
                | Timer::Apply
                | Timer::Commit
                | Timer::Doubt
                | Timer::LookAgain
                | Timer::RefreshAgain,
                _,
            ) => {}
        }
    }

    fn not_recorded(&mut self, record: Record, effects: &mut Vec<Effect>) {
        let me = self.me.node;
        let cause = Cause::new(me, Code::Journal, "its journal cannot be written");
        match record {
            Record::Voted { concern, .. } if self.state == State::Voted => {
                // A no needs no record: nobody relies on it after a crash.
                self.voted = Some((concern, true));
                let vote = Vote { concern, objection: Some(cause) };
                effects.push(Effect::Send(Word::Vote { round: self.round, vote }));
            }
            Record::Preparing if self.state == State::Preparing => self.not_prepared(cause, effects),
            Record::Ready if matches!(self.state, State::Ready { .. }) => {
                self.state = State::Preparing;
                self.not_prepared(cause, effects);
            }
            Record::Voted { .. }
            | Record::Preparing
            | Record::Ready
            | Record::Asked
            | Record::Proposed
            | Record::Gate
            | Record::Decided(_)
            | Record::Done
            | Record::Ended => {}
        }
    }

    /// Returns the participant of an earlier life, which nobody waits for; its part goes on.
    ///
    /// Without a READY of its own, nobody can have committed, if it was concerned. Otherwise, without a decision, it is in
    /// doubt.
    pub fn resumed(
        me: Member,
        coordinator: Member,
        terms: Terms,
        memory: Memory,
        effects: &mut Vec<Effect>,
    ) -> Self {
        let mut resumed = Self {
            me,
            coordinator,
            terms,
            state: State::Doubt,
            round: 0,
            roll: Roll::default(),
            voted: memory.voted,
            waiting: None,
            is_held: false,
            has_coordinator: false,
            decision: memory.decision,
            why: None,
            has_end: true,
        };
        let is_certain = match memory.voted {
            None | Some((_, true)) => true,
            Some((Concern::Vg | Concern::Lv, false)) => !memory.is_ready,
            Some((Concern::None, false)) => false,
        };
        match memory.decision {
            Some(_) if memory.is_done => resumed.done(effects),
            Some(decision) => {
                resumed.decision = None;
                resumed.act(decision, effects);
            }
            None if is_certain || !terms.writes => {
                resumed.act(Decision::Abandoned, effects);
            }
            None => {
                effects.extend([Effect::Release, Effect::Arm(Timer::Doubt)]);
            }
        }
        resumed
    }
}
