//! Who reads the metadata under the VG's lock because nobody knows whether they are written. Pure.
//!
//! ```text
//!            the lock, shared          read              own word delivered, or lost
//!  Locking ───────────────▶ Reading ──────────▶ Telling ─────────────────────────▶ Over
//!    ▲  │ refused: again       │ unreadable        ▲                                ▲
//!    └──┴──────────────────────┘                   │                                │
//!  Waiting (a new life of the coordinator,         │                                │
//!    │ which kept the lock and waits for its child)│      somebody else has told    │
//!    └──ended──▶ Reading ───────────────────────────┘  ───────(any)────────────────┘
//! ```
//!
//! Whoever has the lock may look: that the lock could be had means that the coordinator's child cannot write any more, as
//! far as the lock manager's fencing goes. So several looks cannot differ. A look without the lock means nothing.
//!
//! The lock is given back when the own word was delivered: whoever gets it then has heard it, or can read the same.

use crate::coordinator::Finding;
use crate::effect::{Effect, Timer};
use crate::member::Member;
use crate::record::Record;
use crate::word::{Decision, Word};

#[cfg(test)]
mod tests;

/// Where a judge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// The coordinator's new life waits for the writing child to end.
    Waiting,
    /// It waits for the lock.
    Locking,
    /// It reads.
    Reading,
    /// It has told, and waits to hear itself.
    Telling,
    /// It is over.
    Over,
}

/// What happens to a judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// The writing child of an earlier life has ended.
    WriterEnded,
    /// The lock is held.
    Locked,
    /// It is not.
    Refused,
    /// What was read.
    Looked(Finding),
    /// A word of decision was delivered, from this member.
    Delivered(Member),
    /// It is decided without this look.
    Settled,
    /// There is no transport any more.
    TransportLost,
    /// A timer is over.
    Elapsed(Timer),
}

/// One look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Judge {
    me: Member,
    state: State,
    /// The coordinator's own lock, which its new life has kept.
    is_kept: bool,
}

impl Judge {
    /// Returns a judge who asks for the lock.
    pub fn asking(me: Member, effects: &mut Vec<Effect>) -> Self {
        effects.push(Effect::TakeLookLock);
        Self { me, state: State::Locking, is_kept: false }
    }

    /// Returns the judge of a coordinator's new life, which kept the lock: it waits for the writing child.
    pub fn keeping(me: Member, effects: &mut Vec<Effect>) -> Self {
        effects.push(Effect::AwaitWriter);
        Self { me, state: State::Waiting, is_kept: true }
    }

    /// Returns where it is.
    pub fn state(&self) -> State {
        self.state
    }

    /// Takes an event; returns the decision, where one was read.
    pub fn apply(&mut self, event: Event, effects: &mut Vec<Effect>) -> Option<Decision> {
        match (event, self.state) {
            (Event::WriterEnded, State::Waiting) | (Event::Locked, State::Locking) => {
                self.state = State::Reading;
                effects.push(Effect::Look);
            }
            (Event::Refused, State::Locking) => effects.push(Effect::Arm(Timer::LookAgain)),
            (Event::Elapsed(Timer::LookAgain), State::Locking) => effects.push(Effect::TakeLookLock),
            (Event::Elapsed(Timer::LookAgain), State::Reading) => effects.push(Effect::Look),
            (Event::Looked(finding), State::Reading) => return self.looked(finding, effects),
            (Event::Delivered(from), State::Telling) if from == self.me => self.give_back(effects),
            (Event::TransportLost, State::Telling) | (Event::Settled, State::Locking | State::Reading) => {
                self.give_back(effects);
            }
            // The lock is kept as long as the writing child lives, whatever others say.
            (Event::Settled, State::Waiting | State::Telling | State::Over)
            | (
                Event::WriterEnded
                | Event::Locked
                | Event::Refused
                | Event::Looked(_)
                | Event::Delivered(_)
                | Event::TransportLost
                | Event::Elapsed(_),
                _,
            ) => {}
        }
        None
    }

    fn looked(&mut self, finding: Finding, effects: &mut Vec<Effect>) -> Option<Decision> {
        let decision = match finding {
            Finding::Applied => Decision::Committed,
            Finding::NotApplied => Decision::Abandoned,
            Finding::Superseded => Decision::Superseded,
            Finding::Unreadable => {
                effects.push(Effect::Arm(Timer::LookAgain));
                return None;
            }
        };
        self.state = State::Telling;
        effects.push(Effect::Record(Record::Decided(decision)));
        effects.push(Effect::Send(Word::of(decision, None, true)));
        Some(decision)
    }

    fn give_back(&mut self, effects: &mut Vec<Effect>) {
        self.state = State::Over;
        effects.push(if self.is_kept { Effect::GiveBackLocks } else { Effect::GiveBackLookLock });
    }
}
