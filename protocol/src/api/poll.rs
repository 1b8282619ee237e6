//! `org.lvmwarden.Poll`: poll operations, which are long-running pvmoves, conversions and merges.
//!
//! The operations are the same that lvm commands start through lvmpolld's socket; see [`crate::poll`] for the words.

mod foreign;
mod history;
mod operation;
mod reconcile;
mod throttle;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use foreign::{Foreign, ForeignCopy, ForeignKind, ForeignReply};
pub use history::{
    History, HistoryEntry, HistoryReply, HistoryStep, OperationStory, SegmentDone, Story, StoryReply,
};
pub use operation::{Blocked, CopyProgress, Hold, HoldKind, Operation, OperationState, Outcome, OutcomeKind};
pub use reconcile::{Reconcile, ReconcileReply, Standing, UnfinishedLv};
pub use throttle::{Throttle, ThrottleKnob, Throttling, ThrottlingReply};

use super::interface::interface;
use crate::ids::{DevicesFile, LvName, SystemDir, Uuids, VgName};
use crate::poll::PollOperation;

interface!("org.lvmwarden.Poll", "org.lvmwarden.Poll.varlink", {
    List -> One(ListReply),
    Show -> One(OperationReply),
    Start -> One(StartReply),
    Abort -> One(StartReply),
    Pause -> One(OperationReply),
    Resume -> One(OperationReply),
    Wait -> One(OperationReply),
    Watch -> Stream(OperationReply),
    History -> One(HistoryReply),
    Reconcile -> One(ReconcileReply),
    Story -> One(StoryReply),
    Foreign -> One(ForeignReply),
    Throttle -> One(ThrottlingReply),
    Throttling -> One(ThrottlingReply),
});

/// Asks for all operations, page by page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Where the page begins, as the one before has said; `None`: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// A page of operations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ListReply {
    /// Oldest first; those that have ended are among them until their result is collected or expires.
    pub operations: Vec<Operation>,
    /// Where the next page begins; `None`: this was the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page: Option<String>,
}

/// Asks for one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// The operation's name.
    pub id: Uuid,
}

/// One operation as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OperationReply {
    /// The operation.
    pub operation: Operation,
}

/// Asks that an LV be polled, unless it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// What is polled.
    pub kind: PollOperation,
    /// The VG's name.
    pub vgname: VgName,
    /// The LV's name.
    pub lvname: LvName,
    /// The LV for ever: 64 characters without dashes.
    pub lvid: Uuids,
    /// How often lvpoll looks; `None`: as often as the daemon is configured to.
    pub interval_seconds: Option<u32>,
    /// Whether lvpoll shall cope with missing PVs; `None`: no.
    pub handle_missing_pvs: Option<bool>,
    /// `LVM_SYSTEM_DIR` for lvpoll.
    pub sysdir: Option<SystemDir>,
    /// `--devicesfile` for lvpoll.
    pub devicesfile: Option<DevicesFile>,
}

/// Which operation carries out what was asked; it is durable by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StartReply {
    /// Its name.
    pub id: Uuid,
    /// It was there before: nothing was started.
    pub already_running: bool,
}

/// Asks that a pvmove be aborted, unless it is being aborted. The abort is an operation of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "AbortParameters", into = "AbortParameters")]
pub enum Abort {
    /// The pvmove of this name.
    ById(Uuid),
    /// The pvmove of this LV.
    ByLv {
        /// The VG's name.
        vgname: VgName,
        /// The LV's name, such as `pvmove0`.
        lvname: LvName,
    },
}

/// [`Abort`] as it is sent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct AbortParameters {
    id: Option<Uuid>,
    vgname: Option<VgName>,
    lvname: Option<LvName>,
}

/// Neither is a pvmove named by its id alone, nor by the names of VG and LV alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected either `id`, or `vgname` and `lvname`")]
struct AmbiguousAbort;

impl TryFrom<AbortParameters> for Abort {
    type Error = AmbiguousAbort;

    fn try_from(sent: AbortParameters) -> Result<Self, AmbiguousAbort> {
        match sent {
            AbortParameters { id: Some(id), vgname: None, lvname: None } => Ok(Self::ById(id)),
            AbortParameters { id: None, vgname: Some(vgname), lvname: Some(lvname) } => {
                Ok(Self::ByLv { vgname, lvname })
            }
            _ => Err(AmbiguousAbort),
        }
    }
}

impl From<Abort> for AbortParameters {
    fn from(abort: Abort) -> Self {
        match abort {
            Abort::ById(id) => Self { id: Some(id), ..Self::default() },
            Abort::ByLv { vgname, lvname } => Self { id: None, vgname: Some(vgname), lvname: Some(lvname) },
        }
    }
}

/// Asks that a pvmove waits at the end of the segment that is being copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// The operation's name.
    pub id: Uuid,
}

/// Asks that a pvmove goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// The operation's name.
    pub id: Uuid,
}

/// Asks to be answered when an operation has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// The operation's name.
    pub id: Uuid,
    /// After which time to answer in any case, with an operation that has no outcome; `None`: never.
    pub timeout_ms: Option<u64>,
}

/// Asks to be told of operations whenever they change.
///
/// The first replies are the operations as they are; the last, when one operation is watched, is its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// The operation's name; `None`: all, without end.
    pub id: Option<Uuid>,
}

/// Why a call of this interface fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "error", content = "parameters")]
pub enum Error {
    /// There is no such operation.
    #[error("find the operation {id}")]
    NotFound {
        /// As it was given: the operation's name, or `vg/lv`.
        id: String,
    },
    /// The daemon did not get to it in time; the call may be repeated.
    #[error("get an answer in time: the daemon is busy")]
    Busy,
    /// The LV is being polled for another kind of operation.
    #[error("poll the LV: another kind of operation is in progress on it")]
    DifferentOperation,
    /// The daemon could not do it.
    #[error("do it: {reason}")]
    Failed {
        /// Why, for people.
        reason: String,
    },
    /// The operation cannot wait between two segments.
    #[error("pause the operation: {reason}")]
    CannotPause {
        /// Why, for people.
        reason: String,
    },
    /// The operation is not a pvmove, which alone can be aborted.
    #[error("abort the operation: it is not a pvmove")]
    NotPvmove,
}
