//! What has happened to operations, those included that are forgotten otherwise.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Outcome;
use crate::ids::{LvName, VgName};
use crate::poll::PollOperation;

/// Asks what has happened to operations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct History {
    /// How many of the latest entries at most; `None`: all that are kept.
    pub limit: Option<u32>,
    /// Where the page begins, as the one before has said; `None`: the latest entries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// What has happened to operations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HistoryReply {
    /// Oldest first.
    pub entries: Vec<HistoryEntry>,
    /// Where the next page begins, which is of older ones; `None`: there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page: Option<String>,
}

/// Asks for all that has happened to one operation, which may be over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// The operation's name.
    pub id: Uuid,
}

/// What has happened to one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StoryReply {
    /// Its story.
    pub story: OperationStory,
}

/// What has happened to one operation, from the first request to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OperationStory {
    /// The operation's name.
    pub id: Uuid,
    /// What is polled.
    pub kind: PollOperation,
    /// Whether a pvmove is being aborted.
    pub abort: bool,
    /// The VG's name.
    pub vgname: VgName,
    /// The LV's name.
    pub lvname: LvName,
    /// The command line that asked for it first, if it said.
    pub asked_by: Option<String>,
    /// The user who asked for it first, where the connection told.
    pub uid: Option<u32>,
    /// Whether its end is told.
    pub is_over: bool,
    /// How many steps had no room, between its beginning and its latest steps.
    pub left_out: u32,
    /// Oldest first.
    pub steps: Vec<HistoryEntry>,
}

/// One step in the life of one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HistoryEntry {
    /// When, RFC 3339.
    pub time: String,
    /// The operation's name.
    pub id: Uuid,
    /// What is polled.
    pub kind: PollOperation,
    /// Whether a pvmove is being aborted.
    pub abort: bool,
    /// The VG's name.
    pub vgname: VgName,
    /// The LV's name.
    pub lvname: LvName,
    /// What happened.
    pub step: HistoryStep,
    /// The lvpoll that was started, adopted or ended.
    pub pid: Option<u32>,
    /// The how-manieth start of lvpoll it was, from 1.
    pub attempt: Option<u32>,
    /// How the operation ended; with [`HistoryStep::Ended`] only.
    pub outcome: Option<Outcome>,
    /// The command line that asked, if it said; with [`HistoryStep::Intended`] only.
    pub asked_by: Option<String>,
    /// The user who asked, where the connection told; with [`HistoryStep::Intended`] only.
    pub uid: Option<u32>,
    /// What is copied; with [`HistoryStep::Segment`] only.
    pub segment: Option<SegmentDone>,
    /// Why, in a few words that are always the same; with [`HistoryStep::Retried`], [`HistoryStep::FellBack`] and
    /// [`HistoryStep::Renewed`] only; with [`HistoryStep::CopyErrors`] which device, and what could not be done.
    pub why: Option<String>,
}

/// A segment of a copy that is done, with those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SegmentDone {
    /// Which, from 1. One or more may have been done since the last one that was told.
    pub number: u32,
    /// How many there are.
    pub count: u32,
    /// What was copied since the last one that was told; `None` when its beginning was not seen.
    pub bytes: Option<u64>,
    /// How long that took; `None` when its beginning was not seen.
    pub took_ms: Option<u64>,
}

/// What happened to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HistoryStep {
    /// It was asked for.
    Intended,
    /// lvpoll was started.
    Started,
    /// A living lvpoll was taken over.
    Adopted,
    /// lvpoll ended, and will be started again.
    Retried,
    /// The daemon, or the part of it that is concerned, was started anew and went on.
    Recovered,
    /// A segment is copied, or the whole of what has no segments.
    Segment,
    /// lvpoll watches the copy by itself from now on.
    FellBack,
    /// lvpoll is told to look elsewhere from now on: under the names of this entry, or by another devices file.
    Renewed,
    /// A device of the copy could not be read or written everywhere.
    CopyErrors,
    /// Somebody wants it to pause at the end of a segment.
    Paused,
    /// It is to go on.
    Resumed,
    /// Somebody wants it to be aborted, which is an operation of its own.
    AbortAsked,
    /// It ended.
    Ended,
    /// Its result was handed out, or has expired.
    Forgotten,
    /// The host was restarted before its end was known.
    HostRestarted,
    /// The daemon's journal was lost, in the same boot, before its end was known.
    JournalLost,
    /// Steps are missing here: they were lost before the disk could take them.
    StepsMissing,
}
