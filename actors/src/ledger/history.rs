//! What has happened to operations, those included that are forgotten otherwise.
//!
//! The steps come of the journal's own records, so that they cost no write of their own and outlive the daemon; of an
//! operation that is forgotten they are all that is left. Only the latest are kept.

use std::collections::VecDeque;

use jiff::Timestamp;
use lvmwarden_protocol::api::poll::{HistoryEntry, HistoryStep, Outcome as ApiOutcome};
use lvmwarden_protocol::ids::{LvName, VgName};
use lvmwarden_protocol::poll::{PollOperation, StartRequest};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::poll_operation::outcome::Outcome;

/// How many steps are kept.
pub const HISTORY_STEPS: usize = 1000;

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
    },
    /// It ended.
    Ended {
        /// How.
        outcome: Outcome,
    },
    /// Its result was handed out, has expired, or gave way to the next operation on its LV.
    Forgotten,
}

/// The latest steps, oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    steps: VecDeque<Step>,
}

impl Step {
    pub(super) fn new(at: Timestamp, op: Uuid, request: &StartRequest, what: What) -> Self {
        let StartRequest { kind, abort, vgname, lvname, .. } = request;
        Self { at, op, kind: *kind, abort: *abort, vgname: vgname.clone(), lvname: lvname.clone(), what }
    }
}

impl History {
    /// Keeps a step, once, and gives up the oldest where there are too many.
    pub(super) fn keep(&mut self, step: Step) {
        let is_repeated =
            self.steps.iter().rev().take_while(|kept| kept.at >= step.at).any(|kept| *kept == step);
        if is_repeated {
            return;
        }
        if self.steps.len() == HISTORY_STEPS {
            self.steps.pop_front();
        }
        self.steps.push_back(step);
    }

    /// Returns the steps, oldest first.
    pub(super) fn steps(&self) -> impl DoubleEndedIterator<Item = &Step> + ExactSizeIterator {
        self.steps.iter()
    }
}

impl From<Step> for HistoryEntry {
    fn from(Step { at, op, kind, abort, vgname, lvname, what }: Step) -> Self {
        let (step, pid, attempt, outcome) = match what {
            What::Intended => (HistoryStep::Intended, None, None, None),
            What::Started { pid, attempt } => (HistoryStep::Started, Some(pid), Some(attempt), None),
            What::Adopted { pid, attempt } => (HistoryStep::Adopted, Some(pid), Some(attempt), None),
            What::Retried { pid, attempt } => (HistoryStep::Retried, pid, Some(attempt), None),
            What::Ended { outcome } => (HistoryStep::Ended, None, None, Some(outcome.into())),
            What::Forgotten => (HistoryStep::Forgotten, None, None, None),
        };
        let time = format!("{at:.3}");
        Self { time, id: op, kind, abort, vgname, lvname, step, pid, attempt, outcome }
    }
}

impl From<Outcome> for ApiOutcome {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Retcode(value) => Self::Retcode { value },
            Outcome::Signal(value) => Self::Signal { value },
            Outcome::Lost { reason } => Self::Lost { reason },
        }
    }
}
