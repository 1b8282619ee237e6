//! What has happened to operations, those included that are forgotten otherwise.
//!
//! The steps come of the journal's own records, so that they cost no write of their own and outlive the daemon; of an
//! operation that is forgotten they are all that is left. Only the latest are kept.

use std::collections::VecDeque;

use jiff::Timestamp;
use lvmwarden_protocol::api::poll::{HistoryEntry, HistoryStep, SegmentDone as ApiSegmentDone};
use lvmwarden_protocol::ids::{LvName, VgName};
use lvmwarden_protocol::poll::{PollOperation, StartRequest};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::foundation::facts::keeping::FactStep;
use crate::foundation::kernel::copying::Fault;
use crate::roles::poll::operation::conclusion::Ending;
use crate::roles::poll::operation::segments::SegmentDone;
use crate::roles::poll::operation::state::{Names, Wishes};

/// How many steps are kept.
pub const HISTORY_STEPS: usize = 1000;
/// How much of a command line is kept, in characters.
const ASKED_BY_CHARACTERS: usize = 1000;

/// One step in the life of one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// The operation's name.
    pub op: Uuid,
    /// What is polled.
    pub kind: PollOperation,
    /// Whether a pvmove is being aborted.
    pub abort: bool,
    /// The VG's name.
    pub vgname: VgName,
    /// The LV's name.
    pub lvname: LvName,
    /// What happened.
    pub what: What,
    /// Who asked; with [`What::Intended`] only, where somebody is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Box<Asked>>,
}

/// Who asked for an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The command line, if it said.
    pub by: Option<String>,
    /// The user, where the connection told.
    pub uid: Option<u32>,
}

/// What happened to an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// It was asked for.
    Intended,
    /// lvpoll was started.
    Started {
        /// Its process.
        pid: u32,
        /// The how-manieth start it was, from 1.
        attempt: u32,
    },
    /// A living lvpoll was taken over.
    Adopted {
        /// Its process.
        pid: u32,
        /// The how-manieth start it was, from 1.
        attempt: u32,
    },
    /// lvpoll ended, and will be started again.
    Retried {
        /// The process that ended, where one is known.
        pid: Option<u32>,
        /// The how-manieth start it was, from 1.
        attempt: u32,
        /// Why, in a few words that are always the same.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
    /// The daemon, or the operation's actor, was started anew and went on.
    Recovered,
    /// A segment is copied.
    Segment(SegmentDone),
    /// lvpoll watches by itself from now on.
    FellBack {
        /// Why, in a few words that are always the same.
        why: String,
    },
    /// lvpoll is told to look elsewhere from now on: under these names, or by another devices file.
    Renewed {
        /// The names.
        names: Names,
        /// Why.
        why: Renewal,
    },
    /// A device of the copy could not be read or written everywhere.
    CopyErrors(Fault),
    /// Somebody wants it to pause at the end of a segment.
    Paused,
    /// It is to go on.
    Resumed,
    /// Somebody wants it to be aborted, which an operation of its own does.
    AbortAsked,
    /// It ended.
    Ended(Ending),
    /// Its result was handed out, has expired, or gave way to the next operation on its LV.
    Forgotten,
    /// The host was restarted before its end was known. Of the history on disk alone.
    HostRestarted,
    /// The journal of the run directory was lost before its end was known. Of the history on disk alone.
    JournalLost,
    /// Steps were lost before the disk could take them. Of the history on disk alone.
    StepsMissing,
}

/// Why lvpoll is told to look elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Renewal {
    /// Another request for the same operation said so.
    Asked,
    /// LVM's metadata calls the VG or the LV so.
    Renamed,
}

impl Renewal {
    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Renamed => "renamed",
        }
    }
}

impl What {
    /// Returns whether nothing more is expected after it.
    pub(crate) fn is_end(&self) -> bool {
        match self {
            Self::Ended { .. } | Self::Forgotten | Self::HostRestarted | Self::JournalLost => true,
            Self::Intended
            | Self::Started { .. }
            | Self::Adopted { .. }
            | Self::Retried { .. }
            | Self::Recovered
            | Self::Segment(_)
            | Self::FellBack { .. }
            | Self::Renewed { .. }
            | Self::CopyErrors(_)
            | Self::Paused
            | Self::Resumed
            | Self::AbortAsked
            | Self::StepsMissing => false,
        }
    }

    /// Returns the steps that a change of wishes is.
    pub(super) fn of_wishes(before: Wishes, after: Wishes) -> impl Iterator<Item = Self> {
        let pause = if after.is_paused { Self::Paused } else { Self::Resumed };
        let pause = (before.is_paused != after.is_paused).then_some(pause);
        pause.into_iter().chain((after.is_aborted && !before.is_aborted).then_some(Self::AbortAsked))
    }
}

/// Steps that are to be copied elsewhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outbox<S> {
    /// Oldest first.
    pub(crate) steps: Vec<S>,
    /// Older ones were given up before they were copied.
    pub(crate) is_incomplete: bool,
}

/// A step of a history.
pub(crate) trait Timed: Clone + PartialEq {
    /// Returns when it happened.
    fn at(&self) -> Timestamp;
}

impl Timed for Step {
    fn at(&self) -> Timestamp {
        self.at
    }
}

impl Timed for FactStep {
    fn at(&self) -> Timestamp {
        self.at
    }
}

/// The latest steps, oldest first.
#[derive(Debug)]
pub(super) struct History<S> {
    steps: VecDeque<S>,
}

impl<S> Default for History<S> {
    fn default() -> Self {
        Self { steps: VecDeque::new() }
    }
}

impl Step {
    pub(super) fn new(at: Timestamp, op: Uuid, request: &StartRequest, what: What) -> Self {
        let StartRequest { kind, abort, vgname, lvname, .. } = request;
        let (vgname, lvname) = (vgname.clone(), lvname.clone());
        Self { at, op, kind: *kind, abort: *abort, vgname, lvname, what, asked: None }
    }

    /// The user `uid` has asked for the operation.
    pub(super) fn intended(at: Timestamp, op: Uuid, request: &StartRequest, uid: Option<u32>) -> Self {
        let by =
            request.cmdline.as_deref().map(|cmdline| cmdline.chars().take(ASKED_BY_CHARACTERS).collect());
        let asked = (by.is_some() || uid.is_some()).then(|| Box::new(Asked { by, uid }));
        Self { asked, ..Self::new(at, op, request, What::Intended) }
    }
}

impl<S: Timed> History<S> {
    /// Keeps a step, once, and gives up the oldest where there are too many.
    pub(super) fn keep(&mut self, step: S) {
        let is_repeated =
            self.steps.iter().rev().take_while(|kept| kept.at() >= step.at()).any(|kept| *kept == step);
        if is_repeated {
            return;
        }
        if self.steps.len() == HISTORY_STEPS {
            self.steps.pop_front();
        }
        self.steps.push_back(step);
    }

    /// Returns the steps behind the one that was copied last, at most `limit`: all of them where it is not among them.
    ///
    /// It is not in a new journal, which began with the present boot; nor in a full one that has given it up.
    pub(super) fn outbox(&self, last: Option<&S>, limit: usize) -> Outbox<S> {
        let copied = last.and_then(|last| self.steps.iter().rposition(|step| step == last));
        let is_incomplete = last.is_some() && copied.is_none() && self.steps.len() == HISTORY_STEPS;
        let not_copied = self.steps.iter().skip(copied.map_or(0, |index| index + 1));
        Outbox { steps: not_copied.take(limit).cloned().collect(), is_incomplete }
    }

    /// Returns the steps, oldest first.
    pub(super) fn steps(&self) -> impl DoubleEndedIterator<Item = &S> + ExactSizeIterator {
        self.steps.iter()
    }
}

impl From<Step> for HistoryEntry {
    fn from(Step { at, op, kind, abort, vgname, lvname, what, asked }: Step) -> Self {
        let (asked_by, uid) = asked.map_or((None, None), |asked| (asked.by, asked.uid));
        let mut entry = Self {
            time: format!("{at:.3}"),
            id: op,
            kind,
            abort,
            vgname,
            lvname,
            step: HistoryStep::Intended,
            pid: None,
            attempt: None,
            outcome: None,
            asked_by,
            uid,
            segment: None,
            why: None,
        };
        match what {
            What::Intended => {}
            What::Started { pid, attempt } => {
                (entry.step, entry.pid, entry.attempt) = (HistoryStep::Started, Some(pid), Some(attempt));
            }
            What::Adopted { pid, attempt } => {
                (entry.step, entry.pid, entry.attempt) = (HistoryStep::Adopted, Some(pid), Some(attempt));
            }
            What::Retried { pid, attempt, why } => {
                (entry.step, entry.pid, entry.attempt) = (HistoryStep::Retried, pid, Some(attempt));
                entry.why = why;
            }
            What::Recovered => entry.step = HistoryStep::Recovered,
            What::Segment(done) => {
                (entry.step, entry.segment) = (HistoryStep::Segment, Some(done.into()));
            }
            What::FellBack { why } => (entry.step, entry.why) = (HistoryStep::FellBack, Some(why)),
            What::Renewed { names: _, why } => {
                (entry.step, entry.why) = (HistoryStep::Renewed, Some(why.as_str().to_owned()));
            }
            What::CopyErrors(fault) => {
                (entry.step, entry.why) = (HistoryStep::CopyErrors, Some(fault.to_string()));
            }
            What::Ended(ending) => {
                (entry.step, entry.outcome) = (HistoryStep::Ended, Some(ending.into()));
            }
            What::Paused => entry.step = HistoryStep::Paused,
            What::Resumed => entry.step = HistoryStep::Resumed,
            What::AbortAsked => entry.step = HistoryStep::AbortAsked,
            What::Forgotten => entry.step = HistoryStep::Forgotten,
            What::HostRestarted => entry.step = HistoryStep::HostRestarted,
            What::JournalLost => entry.step = HistoryStep::JournalLost,
            What::StepsMissing => entry.step = HistoryStep::StepsMissing,
        }
        entry
    }
}

impl From<SegmentDone> for ApiSegmentDone {
    fn from(SegmentDone { number, count, bytes, took_ms }: SegmentDone) -> Self {
        Self { number, count, bytes, took_ms }
    }
}
