//! What members tell one another, as far as the machines need it. What it looks like on the wire is in the protocol's crate.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What becomes of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// The metadata are at the goal, by this change.
    Committed,
    /// They are not, and nobody can bring them there any more.
    Abandoned,
    /// Others have written since nobody knew: everybody refreshes, nothing is undone.
    Superseded,
}

impl Decision {
    /// Tells whether both cannot be right.
    pub fn contradicts(self, other: Self) -> bool {
        matches!((self, other), (Self::Committed, Self::Abandoned) | (Self::Abandoned, Self::Committed))
    }

    /// Tells whether a host brings its devices to what the metadata say, rather than back.
    pub fn refreshes(self) -> bool {
        match self {
            Self::Committed | Self::Superseded => true,
            Self::Abandoned => false,
        }
    }
}

/// What a change is to a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Concern {
    /// Nothing: the VG is not started there.
    None,
    /// The VG is started there.
    Vg,
    /// An LV of the change is active there.
    Lv,
}

/// Why something cannot be: the stable words of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Another change of that VG is under way.
    Busy,
    /// The VG's locks are not held by the daemon there.
    LockNotOurs,
    /// The host does not take part in changes of this kind.
    NotAccepted,
    /// No version is spoken by both.
    Version,
    /// The host is not in the larger part of the cluster.
    NotQuorate,
    /// The host reads other metadata.
    StaleMetadata,
    /// The host's devices are not as described.
    NotAsDescribed,
    /// An LV of this type cannot be changed so.
    WrongType,
    /// A copy is in progress.
    Copying,
    /// The device is open.
    Open,
    /// Something is on top of the device.
    Holders,
    /// The name is taken there.
    NameTaken,
    /// There is no such device.
    DeviceMissing,
    /// The device is not the one that it should be.
    DeviceDiffers,
    /// The device is in use.
    DeviceInUse,
    /// It is swap: holding it could stop its holder.
    Swap,
    /// It carries what the holder itself needs.
    NeededByUs,
    /// It is a PV of another VG.
    Stacked,
    /// Somebody else holds it already, or the hold has ended.
    Suspended,
    /// It was held just now.
    HeldLately,
    /// There is no room.
    NoSpace,
    /// The journal cannot be written.
    Journal,
    /// It took too long.
    Timeout,
    /// The host has left.
    Left,
    /// LVM has refused it.
    RefusedByLvm,
    /// Somebody has asked for it.
    AskedTo,
    /// Anything else.
    Internal,
}

/// Who objects, and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cause {
    /// The node; 0 where no node is meant.
    pub node: u32,
    /// In the API's word.
    pub code: Code,
    /// For people; one line or more, bounded where it comes in.
    pub reason: Arc<str>,
}

impl Cause {
    /// Returns a cause.
    pub fn new(node: u32, code: Code, reason: impl Into<Arc<str>>) -> Self {
        Self { node, code, reason: reason.into() }
    }
}

/// How one host votes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Vote {
    /// What the change is to it.
    pub concern: Concern,
    /// Why not; `None`: yes.
    pub objection: Option<Cause>,
}

/// Why a change is abandoned, for all members to tell.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Abandonment {
    /// What came first.
    pub cause: Cause,
    /// All that was objected, by node.
    pub objections: Vec<Cause>,
}

impl From<Cause> for Abandonment {
    fn from(cause: Cause) -> Self {
        Self { cause, objections: Vec::new() }
    }
}

/// How a host's part has ended, or how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// As the decision says.
    Done,
    /// Not yet; it goes on trying.
    Lagging,
}

/// One message about a change.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Word {
    /// The coordinator asks everybody in the view in which this is delivered.
    Propose {
        /// From 1; votes of another are none.
        round: u32,
    },
    /// A member's vote.
    Vote {
        /// Of this round.
        round: u32,
        /// The vote.
        vote: Vote,
    },
    /// All have voted yes: each prepares.
    Prepare,
    /// A concerned participant is prepared.
    Ready,
    /// It could not.
    NotReady(Cause),
    /// What it held goes on.
    Released,
    /// The metadata are written.
    Commit {
        /// It was read under the lock, by somebody who did not know.
        looked: bool,
        /// Others have written since.
        superseded: bool,
    },
    /// They are not, and nobody will.
    Abandon {
        /// Why.
        why: Abandonment,
        /// As above.
        looked: bool,
    },
    /// A concerned participant's part.
    Done(Part),
    /// The change is over.
    End(Decision),
}

impl Word {
    /// Returns the message that tells of a decision.
    pub fn of(decision: Decision, why: Option<Abandonment>, looked: bool) -> Self {
        let unknown = || Cause::new(0, Code::Internal, "the metadata are as they were").into();
        match decision {
            Decision::Committed => Self::Commit { looked, superseded: false },
            Decision::Superseded => Self::Commit { looked, superseded: true },
            Decision::Abandoned => Self::Abandon { why: why.unwrap_or_else(unknown), looked },
        }
    }

    /// Returns the decision that it tells of.
    pub fn decision(&self) -> Option<Decision> {
        match self {
            Self::Commit { superseded: true, .. } => Some(Decision::Superseded),
            Self::Commit { superseded: false, .. } => Some(Decision::Committed),
            Self::Abandon { .. } => Some(Decision::Abandoned),
            Self::End(decision) => Some(*decision),
            Self::Propose { .. }
            | Self::Vote { .. }
            | Self::Prepare
            | Self::Ready
            | Self::NotReady(_)
            | Self::Released
            | Self::Done(_) => None,
        }
    }
}
