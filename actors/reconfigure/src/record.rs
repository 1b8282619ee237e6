//! What is on disk before anybody sees it. Pure.
//!
//! | record | is on disk before |
//! |---|---|
//! | `Asked`, `Proposed` | the reply to the one who asks; PROPOSE |
//! | `Voted` | VOTE |
//! | `Preparing` | the first suspend or child |
//! | `Ready` | READY |
//! | `Gate` | the writing child has its lock |
//! | `Decided` | acting on it, and COMMIT or ABANDON of the one who decides |
//! | `Done`, `Ended` | DONE, END |

use serde::{Deserialize, Serialize};

use crate::word::{Concern, Decision};

/// One step of a change on one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Somebody has asked this host for it.
    Asked,
    /// It is about to be proposed.
    Proposed,
    /// This host votes.
    Voted {
        /// What it is to this host.
        concern: Concern,
        /// It objects.
        objects: bool,
    },
    /// This host begins to prepare.
    Preparing,
    /// It has prepared.
    Ready,
    /// The writing child is about to have its lock.
    Gate,
    /// What became of the change.
    Decided(Decision),
    /// This host's part is done.
    Done,
    /// The change is over here.
    Ended,
}

impl Record {
    /// Tells what is done where it cannot be written: `true`, the rest of the effects is dropped and the machine told;
    /// `false`, what is decided is decided, and the shell goes on, with a line in the log.
    pub fn is_essential(self) -> bool {
        match self {
            Self::Asked
            | Self::Proposed
            | Self::Voted { .. }
            | Self::Preparing
            | Self::Ready
            | Self::Gate => true,
            Self::Decided(_) | Self::Done | Self::Ended => false,
        }
    }
}

/// What the journal says of a change: its records, folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is whether a record is there")]
pub struct Memory {
    /// This host was asked.
    pub is_coordinator: bool,
    /// How it has voted: its concern, and whether it objects.
    pub voted: Option<(Concern, bool)>,
    /// It has begun to prepare.
    pub is_preparing: bool,
    /// It has prepared.
    pub is_ready: bool,
    /// Its writing child may have its lock.
    pub has_gate: bool,
    /// What became of the change.
    pub decision: Option<Decision>,
    /// Its part is done.
    pub is_done: bool,
    /// It is over.
    pub has_ended: bool,
}

impl Memory {
    /// Takes one more record.
    pub fn remember(&mut self, record: Record) {
        match record {
            Record::Asked | Record::Proposed => self.is_coordinator = true,
            Record::Voted { concern, objects } => self.voted = Some((concern, objects)),
            Record::Preparing => self.is_preparing = true,
            Record::Ready => self.is_ready = true,
            Record::Gate => self.has_gate = true,
            Record::Decided(decision) => self.decision = Some(decision),
            Record::Done => self.is_done = true,
            Record::Ended => self.has_ended = true,
        }
    }
}
