//! Who takes part in a change, and what was delivered of each. Pure.
//!
//! Everybody who was in the view in which the proposal was delivered is on the roll, and everybody on it has the same roll.
//! Who has left is not here any more for this change, even if a member of the same name joins later.

use crate::member::Member;
use crate::word::{Cause, Concern, Part, Vote};

/// What was delivered of one participant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Who.
    pub member: Member,
    /// Its vote, of this round.
    pub vote: Option<Vote>,
    /// Its READY was delivered.
    pub is_ready: bool,
    /// Its DONE, if it was delivered.
    pub part: Option<Part>,
    /// It has been in every view since the proposal.
    pub is_here: bool,
}

impl Entry {
    /// Tells whether the change is something to it, as far as it has said.
    pub fn is_concerned(&self) -> bool {
        self.vote.as_ref().is_some_and(|vote| vote.concern != Concern::None)
    }
}

/// All participants of a round, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Roll(Vec<Entry>);

impl Roll {
    /// Returns the roll of a round: everybody in the view, of whom nothing was heard.
    pub fn new(members: impl Iterator<Item = Member>) -> Self {
        let entry = |member| Entry { member, vote: None, is_ready: false, part: None, is_here: true };
        Self(members.map(entry).collect())
    }

    /// Returns the participants, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// Returns those that have been here all the time.
    pub fn here(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter(|entry| entry.is_here)
    }

    /// Returns those of [`Self::here`] to whom the change is something.
    pub fn concerned(&self) -> impl Iterator<Item = &Entry> {
        self.here().filter(|entry| entry.is_concerned())
    }

    /// Tells whether a member takes part and has been here all the time.
    pub fn has(&self, member: Member) -> bool {
        self.here().any(|entry| entry.member == member)
    }

    fn entry(&mut self, member: Member) -> Option<&mut Entry> {
        self.0.iter_mut().find(|entry| entry.member == member && entry.is_here)
    }

    /// Takes a vote; the first one counts. Returns whether it counts.
    pub fn vote(&mut self, from: Member, vote: Vote) -> bool {
        match self.entry(from) {
            Some(entry) if entry.vote.is_none() => {
                entry.vote = Some(vote);
                true
            }
            Some(_) | None => false,
        }
    }

    /// Takes a READY.
    pub fn ready(&mut self, from: Member) {
        if let Some(entry) = self.entry(from) {
            entry.is_ready = true;
        }
    }

    /// Takes a DONE.
    pub fn done(&mut self, from: Member, part: Part) {
        if let Some(entry) = self.entry(from) {
            entry.part = Some(part);
        }
    }

    /// Takes that members have left; returns the first that is concerned or has not voted.
    pub fn leave(&mut self, left: &[Member]) -> Option<Member> {
        let mut first = None;
        for entry in self.0.iter_mut().filter(|entry| entry.is_here && left.contains(&entry.member)) {
            entry.is_here = false;
            if first.is_none() && (entry.vote.is_none() || entry.is_concerned()) {
                first = Some(entry.member);
            }
        }
        first
    }

    /// Tells whether all that are here have voted.
    pub fn have_all_voted(&self) -> bool {
        self.here().all(|entry| entry.vote.is_some())
    }

    /// Tells whether all that are here have voted yes.
    pub fn have_all_said_yes(&self) -> bool {
        self.here().all(|entry| entry.vote.as_ref().is_some_and(|vote| vote.objection.is_none()))
    }

    /// Returns what was objected, in order of the roll.
    pub fn objections(&self) -> impl Iterator<Item = &Cause> {
        self.0.iter().filter_map(|entry| entry.vote.as_ref()?.objection.as_ref())
    }

    /// Returns the first that is here and has not voted.
    pub fn silent(&self) -> Option<Member> {
        self.here().find(|entry| entry.vote.is_none()).map(|entry| entry.member)
    }

    /// Tells whether the READY of every concerned participant that is here was delivered.
    pub fn are_all_ready(&self) -> bool {
        self.concerned().all(|entry| entry.is_ready)
    }

    /// Returns the first concerned one that is here and not ready.
    pub fn unready(&self) -> Option<Member> {
        self.concerned().find(|entry| !entry.is_ready).map(|entry| entry.member)
    }

    /// Tells whether the DONE of every concerned participant that is here was delivered.
    pub fn are_all_done(&self) -> bool {
        self.concerned().all(|entry| entry.part.is_some())
    }

    /// Returns the nodes whose part is not done, in order: those that lag, those that have said nothing, and those that left.
    pub fn lagging(&self) -> Vec<u32> {
        let lags =
            |entry: &&Entry| entry.is_concerned() && (!entry.is_here || entry.part != Some(Part::Done));
        self.0.iter().filter(lags).map(|entry| entry.member.node).collect()
    }

    /// Returns who acts when the coordinator has left: the lowest concerned one that is here.
    pub fn successor(&self) -> Option<Member> {
        self.concerned().map(|entry| entry.member).min()
    }
}
