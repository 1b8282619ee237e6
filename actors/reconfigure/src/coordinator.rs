//! The machine of the host that was asked. Pure.
//!
//! ```text
//!            lock, read           own PROPOSE
//!  Asked ─▶ Locking ─▶ Proposing ───────────▶ Voting ──all yes──▶ Preparing ──all READY──▶ AtGate ──gate──▶ Applying ──ended─▶ Judging
//!              │        │    ▲                │   │ no, left,        │ not ready, left,      │ the same        (limit: kill)   │    │
//!           refused     │    └──── joined ────┘   │ limit, no quorum │ released, limit,      │                                 │    │
//!              ▼        │      (next round)       │ asked to, lost   │ no quorum, lost       │                     not applied │    │ applied
//!            Ended ◀────┴─────────────────────────┴──▶ Abandoning ◀──┴───────────────────────┴─────────────────────────────────┘    │
//!              ▲                                         │ all DONE, or limit: END                                                ▼
//!              └─────────────────────────────────────────┴──────────────────────────── all DONE, or limit: END ◀───────────── Committing
//! ```
//!
//! The gate is the one moment that cannot be taken back: what comes before it abandons the change, what comes after it is
//! noted. It opens when all are ready, nobody has left or released, the host is quorate, the lock is held, enough of the
//! shortest hold is left and the writing child asks; the record is on disk first.
//!
//! A kind that writes nothing has neither writer nor gate: from Preparing it goes to Committing.

mod deciding;
mod gate;
mod proposing;
#[cfg(test)]
mod tests;

use crate::effect::{Effect, Outcome, Timer};
use crate::kind::Terms;
use crate::member::Member;
use crate::membership::{Membership, Quorum};
use crate::record::Record;
use crate::roll::Roll;
use crate::word::{Cause, Code, Decision, Word};

/// Where the coordinator is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Somebody has asked.
    Asked,
    /// It waits for its locks, or reads the VG.
    Locking,
    /// It is about to propose, when every HELLO was heard (`is_sent`: no), or waits for its own PROPOSE (yes).
    Proposing {
        /// PROPOSE was sent.
        is_sent: bool,
    },
    /// It waits for votes.
    Voting {
        /// Somebody objects; the others' objections are waited for, for a short time.
        is_objected: bool,
    },
    /// It waits for READY.
    Preparing,
    /// All are ready; it waits for the writing child, or for the quorum's word.
    AtGate,
    /// The writing child has its lock.
    Applying {
        /// It has taken too long, and is being killed.
        is_late: bool,
    },
    /// The metadata are read under the own lock.
    Judging,
    /// It has told that the metadata are written, and waits for DONE.
    Committing,
    /// It has told that they are not, and waits for DONE.
    Abandoning,
    /// It is over.
    Ended,
}

/// How the writing child has ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum WriterEnd {
    /// With exit code 0, and this host's own table shows the goal.
    AtGoal,
    /// In any other way; with its last lines.
    Otherwise(Cause),
}

/// What a look at the metadata has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Finding {
    /// The goal is reached, with the very next write.
    Applied,
    /// It is not.
    NotApplied,
    /// Others have written since.
    Superseded,
    /// They could not be read.
    Unreadable,
}

/// What happens to the coordinator.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// The goal is valid, the VG covered, the host quorate.
    Accepted,
    /// The locks are held.
    LocksHeld,
    /// They are held elsewhere, or cannot be had.
    LocksRefused(Cause),
    /// They are lost.
    LocksLost,
    /// The VG was read; or the goal turns out bad.
    VgRead(Result<(), Cause>),
    /// A message about this change.
    Delivered(Member, Word),
    /// The view has changed: these have left, and somebody has joined or not.
    ViewChanged(Vec<Member>, bool),
    /// A HELLO was heard, or the quorum's word.
    SurroundingsChanged,
    /// There is no transport any more.
    TransportLost,
    /// The writing child asks for its lock.
    GateAsked,
    /// The writing child has ended.
    WriterEnded(WriterEnd),
    /// A look has found this.
    Looked(Finding),
    /// Somebody asks to abandon it.
    AskedToAbandon,
    /// A timer is over.
    Elapsed(Timer),
    /// An essential record could not be written.
    NotRecorded(Record),
}

/// The coordinator of one change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact that the gate depends on")]
pub struct Coordinator {
    me: Member,
    terms: Terms,
    rounds_limit: u32,
    state: State,
    round: u32,
    roll: Roll,
    has_read: bool,
    /// The writing child waits for its lock.
    writer_waits: bool,
    /// What it has ended with.
    last_lines: Option<Cause>,
    has_locks: bool,
    is_reserve_gone: bool,
    /// A hold has ended after the gate.
    has_released: bool,
    decision: Option<Decision>,
}

/// What an unexpected turn does in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was told to anybody: the change is refused.
    Untold,
    /// The gate is shut: the change is abandoned.
    BeforeGate,
    /// The write may be there: it is noted.
    AfterGate,
    /// It is decided.
    Decided,
    /// It is over.
    Over,
}

impl Coordinator {
    /// Returns the coordinator of a change that was asked for; `rounds_limit` is how often it is proposed at most.
    pub fn new(me: Member, terms: Terms, rounds_limit: u32) -> Self {
        Self {
            me,
            terms,
            rounds_limit,
            state: State::Asked,
            round: 1,
            roll: Roll::default(),
            has_read: false,
            writer_waits: false,
            last_lines: None,
            has_locks: false,
            is_reserve_gone: false,
            has_released: false,
            decision: None,
        }
    }

    /// Returns where it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// Returns the round of voting, from 1.
    pub fn round(&self) -> u32 {
        self.round
    }

    /// Returns who takes part.
    pub fn roll(&self) -> &Roll {
        &self.roll
    }

    /// Tells whether no hold has ended before its refresh, as far as was told.
    pub fn is_simultaneous(&self) -> bool {
        !self.has_released
    }

    /// Takes an event; `around` is the group as it is now.
    pub fn apply(&mut self, event: Event, around: &Membership, effects: &mut Vec<Effect>) {
        match event {
            Event::Accepted => self.accepted(effects),
            Event::LocksHeld => self.locks_held(effects),
            Event::LocksRefused(cause) => self.turn(cause, effects),
            Event::LocksLost => {
                self.has_locks = false;
                self.turn(Cause::new(self.me.node, Code::LockNotOurs, "the VG's lock is lost"), effects);
            }
            Event::VgRead(result) => self.vg_read(result, around, effects),
            Event::Delivered(from, word) => self.delivered(from, word, around, effects),
            Event::ViewChanged(left, has_joined) => self.view_changed(&left, has_joined, around, effects),
            Event::SurroundingsChanged => self.look_around(around, effects),
            Event::TransportLost => self.transport_lost(effects),
            Event::GateAsked => self.gate_asked(around, effects),
            Event::WriterEnded(end) => self.writer_ended(end, effects),
            Event::Looked(finding) => self.looked(finding, effects),
            Event::AskedToAbandon => {
                self.turn(Cause::new(self.me.node, Code::AskedTo, "it was asked for"), effects);
            }
            Event::Elapsed(timer) => self.elapsed(timer, around, effects),
            Event::NotRecorded(record) => self.not_recorded(record, effects),
        }
    }

    fn stage(&self) -> Stage {
        match self.state {
            State::Asked | State::Locking => Stage::Untold,
            State::Proposing { is_sent: false } if self.round == 1 => Stage::Untold,
            State::Proposing { .. } | State::Voting { .. } | State::Preparing | State::AtGate => {
                Stage::BeforeGate
            }
            State::Applying { .. } | State::Judging => Stage::AfterGate,
            State::Committing | State::Abandoning => Stage::Decided,
            State::Ended => Stage::Over,
        }
    }

    /// Something has happened that the change does not survive, if that can still be said.
    fn turn(&mut self, cause: Cause, effects: &mut Vec<Effect>) {
        match self.stage() {
            Stage::Untold => self.refuse(cause, effects),
            Stage::BeforeGate => self.abandon(cause, effects),
            Stage::AfterGate | Stage::Decided | Stage::Over => {}
        }
    }

    fn delivered(&mut self, from: Member, word: Word, around: &Membership, effects: &mut Vec<Effect>) {
        match word {
            Word::Propose { round } => self.proposed(from, round, around, effects),
            Word::Vote { round, vote } => {
                if round == self.round && self.roll.vote(from, vote) {
                    self.votes_changed(effects);
                }
            }
            Word::Ready => {
                self.roll.ready(from);
                self.readiness_changed(around, effects);
            }
            Word::NotReady(cause) => {
                if self.roll.has(from) {
                    self.turn(cause, effects);
                }
            }
            Word::Released => self.released(from, effects),
            Word::Done(part) => {
                self.roll.done(from, part);
                self.parts_changed(effects);
            }
            // What this host has said itself, or what a participant answers for.
            Word::Prepare | Word::Commit { .. } | Word::Abandon { .. } | Word::End(_) => {}
        }
    }

    fn released(&mut self, from: Member, effects: &mut Vec<Effect>) {
        if self.roll.has(from) {
            self.has_released |= matches!(self.stage(), Stage::AfterGate | Stage::Decided);
            self.turn(Cause::new(from.node, Code::Suspended, "its hold has ended"), effects);
        }
    }

    fn view_changed(
        &mut self,
        left: &[Member],
        has_joined: bool,
        around: &Membership,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(gone) = self.roll.leave(left) {
            self.turn(Cause::new(gone.node, Code::Left, "it has left"), effects);
        }
        if has_joined && matches!(self.state, State::Voting { .. }) {
            self.next_round(around, effects);
        }
        self.look_around(around, effects);
        self.votes_changed(effects);
        self.readiness_changed(around, effects);
        self.parts_changed(effects);
    }

    fn look_around(&mut self, around: &Membership, effects: &mut Vec<Effect>) {
        if around.quorum() == Quorum::No && self.stage() == Stage::BeforeGate {
            self.turn(Cause::new(self.me.node, Code::NotQuorate, "it has no quorum"), effects);
        }
        self.propose(around, effects);
        self.try_gate(around, effects);
    }

    /// Nothing can be told now; what was told is heard by those who hear it.
    fn transport_lost(&mut self, effects: &mut Vec<Effect>) {
        let others: Vec<_> = self
            .roll
            .entries()
            .iter()
            .map(|entry| entry.member)
            .filter(|member| *member != self.me)
            .collect();
        let cause = Cause::new(self.me.node, Code::NotQuorate, "it has lost the transport");
        if matches!(self.state, State::Proposing { .. }) && self.round == 1 {
            // Whoever hears the proposal sees this host leave.
            self.refuse(cause, effects);
        } else {
            self.roll.leave(&others);
            self.turn(cause, effects);
            self.parts_changed(effects);
        }
    }

    fn elapsed(&mut self, timer: Timer, around: &Membership, effects: &mut Vec<Effect>) {
        let me = self.me.node;
        match (timer, self.state) {
            (Timer::Lock, State::Asked | State::Locking | State::Proposing { is_sent: false })
                if self.stage() == Stage::Untold =>
            {
                let is_being_read = self.state == State::Locking && self.has_locks;
                let lacks = if is_being_read {
                    "lvm has not read the VG within the limit"
                } else {
                    "neither lock nor quorum within the limit"
                };
                self.refuse(Cause::new(me, Code::Timeout, lacks), effects);
            }
            (Timer::Vote, State::Proposing { is_sent: false }) if self.round > 1 => {
                let unheard = around.members().find(|member| !around.has_heard(*member));
                let node = unheard.map_or(me, |member| member.node);
                self.abandon(Cause::new(node, Code::Timeout, "no HELLO within the limit"), effects);
            }
            (Timer::Vote, State::Voting { is_objected: false }) => {
                let node = self.roll.silent().map_or(me, |member| member.node);
                self.abandon(Cause::new(node, Code::Timeout, "no vote within the limit"), effects);
            }
            (Timer::Vote | Timer::Objections, State::Voting { is_objected: true }) => {
                self.abandon_objected(effects);
            }
            (Timer::Prepare, State::Preparing) => {
                let node = self.roll.unready().map_or(me, |member| member.node);
                self.abandon(Cause::new(node, Code::Timeout, "not ready within the limit"), effects);
            }
            (Timer::Reserve, State::Preparing | State::AtGate) => {
                self.is_reserve_gone = true;
                self.abandon(Cause::new(me, Code::Timeout, "too little is left of the hold"), effects);
            }
            (Timer::Apply, State::Applying { is_late: false }) => {
                self.state = State::Applying { is_late: true };
                effects.push(Effect::EndWriter);
            }
            (Timer::LookAgain, State::Judging) => effects.push(Effect::Look),
            // That nobody knows is told; it goes on looking all the same.
            (Timer::Doubt, State::Judging) => effects.push(Effect::Ended(Outcome::Unknown)),
            (Timer::Commit, State::Committing | State::Abandoning) => self.close(effects),
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
        let cause = Cause::new(self.me.node, Code::Journal, "its journal cannot be written");
        match record {
            Record::Asked | Record::Proposed => self.turn(cause, effects),
            Record::Gate if matches!(self.state, State::Applying { .. }) => {
                // The writing child was not given its lock.
                self.state = State::AtGate;
                self.abandon(cause, effects);
            }
            Record::Gate
            | Record::Voted { .. }
            | Record::Preparing
            | Record::Ready
            | Record::Decided(_)
            | Record::Done
            | Record::Ended => {}
        }
    }

    fn refuse(&mut self, cause: Cause, effects: &mut Vec<Effect>) {
        self.end(Outcome::Refused(cause), effects);
    }

    fn end(&mut self, outcome: Outcome, effects: &mut Vec<Effect>) {
        self.state = State::Ended;
        effects.extend([Effect::Record(Record::Ended), Effect::GiveBackLocks, Effect::Ended(outcome)]);
    }

    /// Returns the decision that it has come to.
    pub fn decision(&self) -> Option<Decision> {
        self.decision
    }
}
