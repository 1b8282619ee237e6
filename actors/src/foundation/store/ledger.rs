//! What the daemon must not forget: the records of its journal and the state that they fold to.
//!
//! Records of every earlier release are read for ever: what they lack has a default. A record that says when it was made
//! is a step of the [`history`] as well; one without a time, of a first release or of a snapshot, is not.

pub mod history;

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use lvmwarden_supervisor::journal::Ledger;
use lvmwarden_supervisor::process::ProcessIdentity;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use self::history::{History, Outbox, Renewal, Step, What};
use crate::foundation::facts::keeping::FactStep;
use crate::foundation::kernel::copying::Fault;
use crate::roles::lock::lockspace::book::{BookRecord, LockBook};
use crate::roles::poll::operation::conclusion::Ending;
use crate::roles::poll::operation::state::{Life, Recovered, Target, Wishes};
use crate::roles::poll::throttle::Knob;
use crate::roles::poll::throttle::state::Held;
use lvmwarden_protocol::ids::OperationId;
use lvmwarden_protocol::poll::StartRequest;

/// How many steps of other things a record of a snapshot has.
const FACTS_IN_A_RECORD: usize = 100;

/// One record of the daemon's journal.
///
/// Each is written before what it says is visible to anybody; see `poll_operation::state` for when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A poll operation was asked for; one of the same LV that has ended gives way to it.
    PollIntended {
        /// The operation's name.
        op: Uuid,
        /// What was asked.
        request: StartRequest,
        /// The user who asked, where the connection told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uid: Option<u32>,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// Its child was started, or found.
    PollStarted {
        /// The operation's name.
        op: Uuid,
        /// Which process the child is.
        process: ProcessIdentity,
        /// The how-manieth start of lvpoll it was, from 1.
        attempt: u32,
        /// It ran already, and was taken over.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        adopted: bool,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// Something else was asked of it while it is in progress: all that is asked by now.
    PollWished {
        /// The operation's name.
        op: Uuid,
        /// What.
        wishes: Wishes,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// From now on lvpoll is told to look elsewhere.
    PollRenewed {
        /// The operation's name.
        op: Uuid,
        /// Where.
        target: Target,
        /// Why.
        why: Renewal,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// Its child ended, and another one is to be started. This is for the history alone.
    PollRetried {
        /// The operation's name.
        op: Uuid,
        /// The child that ended, where one is known.
        pid: Option<u32>,
        /// The how-manieth start of lvpoll it was, from 1.
        attempt: u32,
        /// Why, in a few words that are always the same.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// Something else became of it. This is for the history alone.
    PollTold {
        /// The operation's name.
        op: Uuid,
        /// What.
        what: What,
        /// When.
        at: Timestamp,
    },
    /// It ended.
    PollEnded {
        /// The operation's name.
        op: Uuid,
        /// How.
        #[serde(flatten)]
        ending: Ending,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// Its result was handed out, has expired, or is of no interest any more.
    PollForgotten {
        /// The operation's name.
        op: Uuid,
        /// When.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<Timestamp>,
    },
    /// A step of the history, whose own record is gone.
    PollStep(Step),
    /// Something happened to something other than a poll operation. This is for the history alone.
    Facts(Vec<FactStep>),
    /// A knob of the kernel is about to be held at a value, or to be given back, or was given back.
    Throttle {
        /// Which.
        knob: Knob,
        /// How; `None`: it is nobody's any more.
        held: Option<Held>,
    },
    /// Something has become of a lockspace, or of a lock in one.
    Locks(BookRecord),
    /// What a role keeps under a key of its own, in place of what it kept there before: its own business. `None`: nothing.
    Kept {
        /// Whose it is.
        role: String,
        /// Its key.
        key: String,
        /// What is kept.
        value: Option<serde_json::Value>,
    },
}

/// A record that cannot follow those before it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Illegal {
    /// It speaks of an operation that was never intended, or has been forgotten.
    #[error("record of the unknown poll operation {op}")]
    UnknownOperation {
        /// The operation's name.
        op: Uuid,
    },
    /// It starts an operation on an LV that has one in progress.
    #[error("poll operation {op} is intended for {id}, which has one in progress")]
    InProgress {
        /// The operation's name.
        op: Uuid,
        /// The LV's operation.
        id: OperationId,
    },
    /// It starts or ends an operation that has ended.
    #[error("record of the poll operation {op}, which has ended")]
    HasEnded {
        /// The operation's name.
        op: Uuid,
    },
}

/// What the records fold to: at most one operation for each [`OperationId`], and what has happened lately.
#[derive(Debug, Default)]
pub struct PollLedger {
    operations: HashMap<Uuid, Recovered>,
    by_id: HashMap<OperationId, Uuid>,
    history: History<Step>,
    facts: History<FactStep>,
    throttles: BTreeMap<Knob, Held>,
    locks: LockBook,
    kept: BTreeMap<(String, String), serde_json::Value>,
}

impl PollLedger {
    /// Returns the operation of `key`.
    pub fn get(&self, id: &OperationId) -> Option<&Recovered> {
        self.by_id.get(id).and_then(|op| self.operations.get(op))
    }

    /// Returns the operation of this name.
    pub fn find(&self, op: Uuid) -> Option<&Recovered> {
        self.operations.get(&op)
    }

    /// Returns the latest steps of all operations, oldest first: at most `limit`.
    pub fn history(&self, limit: usize) -> impl Iterator<Item = &Step> {
        let steps = self.history.steps();
        let skipped = steps.len().saturating_sub(limit);
        steps.skip(skipped)
    }

    /// Returns the steps behind `last`, which was copied elsewhere, at most `limit`.
    pub(crate) fn outbox(&self, last: Option<&Step>, limit: usize) -> Outbox<Step> {
        self.history.outbox(last, limit)
    }

    /// Returns the steps of all else behind `last`, likewise.
    pub(crate) fn facts(&self, last: Option<&FactStep>, limit: usize) -> Outbox<FactStep> {
        self.facts.outbox(last, limit)
    }

    /// Returns how an operation has ended, as long as that is among the latest steps.
    pub fn end_of(&self, op: Uuid) -> Option<&Ending> {
        self.history.steps().rev().find_map(|step| match &step.what {
            What::Ended(ending) if step.op == op => Some(ending),
            _another_step => None,
        })
    }

    /// Returns the last segment of an operation that is told to be copied, as long as that is among the latest steps.
    pub fn last_segment(&self, op: Uuid) -> Option<u32> {
        self.history.steps().rev().find_map(|step| match &step.what {
            What::Segment(done) if step.op == op => Some(done.number),
            _another_step => None,
        })
    }

    /// Returns the devices that an operation's copy could not read or write, as far as they are among the latest steps.
    pub fn faults(&self, op: Uuid) -> Vec<Fault> {
        let fault = |step: &Step| match &step.what {
            What::CopyErrors(fault) if step.op == op => Some(fault.clone()),
            _another_step => None,
        };
        self.history.steps().filter_map(fault).collect()
    }

    /// Returns what a knob of the kernel is held at; `None`: it is nobody's.
    pub fn throttle(&self, knob: Knob) -> Option<Held> {
        self.throttles.get(&knob).copied()
    }

    /// Returns what is remembered of lockspaces and their locks.
    pub fn locks(&self) -> &LockBook {
        &self.locks
    }

    /// Returns what a role keeps, with its keys, in their order.
    pub fn kept<'s>(&'s self, role: &'s str) -> impl Iterator<Item = (&'s str, &'s serde_json::Value)> {
        let own = self.kept.iter().filter(move |((owner, _), _)| owner == role);
        own.map(|((_, key), value)| (key.as_str(), value))
    }

    /// Returns every operation, in no order.
    pub fn operations(&self) -> impl Iterator<Item = &Recovered> {
        self.operations.values()
    }

    fn active(&mut self, op: Uuid) -> Result<&mut Recovered, Illegal> {
        let operation = self.operations.get_mut(&op).ok_or(Illegal::UnknownOperation { op })?;
        match operation.life {
            Life::Intended | Life::Started { .. } => Ok(operation),
            Life::Ended(_) => Err(Illegal::HasEnded { op }),
        }
    }

    fn intend(
        &mut self,
        op: Uuid,
        request: &StartRequest,
        uid: Option<u32>,
        at: Option<Timestamp>,
    ) -> Result<(), Illegal> {
        if let Some(known) = self.operations.get(&op) {
            return match known.life {
                Life::Ended(_) => Err(Illegal::HasEnded { op }),
                Life::Intended | Life::Started { .. } if known.request == *request => Ok(()),
                Life::Intended | Life::Started { .. } => {
                    Err(Illegal::InProgress { op, id: known.request.id() })
                }
            };
        }
        let id = request.id();
        if let Some(old) = self.by_id.get(&id).copied() {
            if self.active(old).is_ok() {
                return Err(Illegal::InProgress { op, id });
            }
            self.forget(old, at);
        }
        if request.abort {
            self.abort(request);
        }
        let (wishes, life) = (Wishes::default(), Life::Intended);
        self.operations.insert(op, Recovered { op, request: request.clone(), uid, wishes, life });
        self.by_id.insert(id, op);
        if let Some(at) = at {
            self.history.keep(Step::intended(at, op, request, uid));
        }
        Ok(())
    }

    /// The pvmove that is aborted knows of it: it will find itself gone.
    fn abort(&mut self, request: &StartRequest) {
        let pvmove = self.by_id.get(&request.aborted_id());
        if let Some(pvmove) = pvmove.and_then(|op| self.operations.get_mut(op)) {
            pvmove.wishes.is_aborted = true;
        }
    }

    fn forget(&mut self, op: Uuid, at: Option<Timestamp>) {
        self.tell(op, at, || What::Forgotten);
        if let Some(operation) = self.operations.remove(&op) {
            self.by_id.remove(&operation.request.id());
        }
    }

    /// Adds a step to the history of an operation that is known.
    fn tell(&mut self, op: Uuid, at: Option<Timestamp>, what: impl FnOnce() -> What) {
        if let (Some(at), Some(operation)) = (at, self.operations.get(&op)) {
            self.history.keep(Step::new(at, op, &operation.request, what()));
        }
    }
}

/// A record that is written twice, because the answer to its first writing was lost in a restart of the journal, folds
/// as if it had been written once.
impl Ledger for PollLedger {
    type Record = Record;
    type Illegal = Illegal;

    fn apply(&mut self, record: &Record) -> Result<(), Illegal> {
        match record {
            Record::PollIntended { op, request, uid, at } => self.intend(*op, request, *uid, *at),
            Record::PollStarted { op, process, attempt, adopted, at } => {
                let (pid, attempt) = (process.pid, *attempt);
                self.active(*op)?.life = Life::Started { process: process.clone(), attempt };
                self.tell(*op, *at, || {
                    if *adopted { What::Adopted { pid, attempt } } else { What::Started { pid, attempt } }
                });
                Ok(())
            }
            Record::PollWished { op, wishes, at } => {
                let before = std::mem::replace(&mut self.active(*op)?.wishes, *wishes);
                for what in What::of_wishes(before, *wishes) {
                    self.tell(*op, *at, || what);
                }
                Ok(())
            }
            Record::PollRenewed { op, target, why, at } => {
                let operation = self.operations.get_mut(op).ok_or(Illegal::UnknownOperation { op: *op })?;
                // One that has ended meanwhile is as it was: the request finds a new one.
                if !matches!(operation.life, Life::Ended(_)) {
                    target.clone().apply_to(&mut operation.request);
                    let (names, why) = (target.names.clone(), *why);
                    self.tell(*op, *at, || What::Renewed { names, why });
                }
                Ok(())
            }
            Record::PollRetried { op, pid, attempt, why, at } => {
                self.active(*op)?;
                let (pid, attempt) = (*pid, *attempt);
                self.tell(*op, Some(*at), || What::Retried { pid, attempt, why: why.clone() });
                Ok(())
            }
            Record::PollTold { op, what, at } => {
                self.active(*op)?;
                self.tell(*op, Some(*at), || what.clone());
                Ok(())
            }
            Record::PollEnded { op, ending, at } => {
                let ended = Life::Ended(ending.clone());
                if self.operations.get(op).is_some_and(|operation| operation.life == ended) {
                    return Ok(());
                }
                self.active(*op)?.life = ended;
                self.tell(*op, *at, || What::Ended(ending.clone()));
                Ok(())
            }
            Record::PollForgotten { op, at } => {
                self.forget(*op, *at);
                Ok(())
            }
            Record::PollStep(step) => {
                self.history.keep(step.clone());
                Ok(())
            }
            Record::Facts(steps) => {
                for step in steps {
                    self.facts.keep(step.clone());
                }
                Ok(())
            }
            Record::Throttle { knob, held } => {
                match held {
                    Some(held) => self.throttles.insert(*knob, *held),
                    None => self.throttles.remove(knob),
                };
                Ok(())
            }
            Record::Locks(record) => {
                self.locks.apply(record);
                Ok(())
            }
            Record::Kept { role, key, value } => {
                let place = (role.clone(), key.clone());
                match value {
                    Some(value) => self.kept.insert(place, value.clone()),
                    None => self.kept.remove(&place),
                };
                Ok(())
            }
        }
    }

    fn records(&self) -> Vec<Record> {
        let mut records: Vec<Record> = self.history.steps().cloned().map(Record::PollStep).collect();
        let facts: Vec<_> = self.facts.steps().cloned().collect();
        records.extend(facts.chunks(FACTS_IN_A_RECORD).map(|steps| Record::Facts(steps.to_vec())));
        // What the operations' own records told is among these steps: without a time they are none.
        let at = None;
        for Recovered { op, request, uid, wishes, life } in self.operations.values() {
            let (op, uid) = (*op, *uid);
            records.push(Record::PollIntended { op, request: request.clone(), uid, at });
            if *wishes != Wishes::default() {
                records.push(Record::PollWished { op, wishes: *wishes, at });
            }
            match life.clone() {
                Life::Intended => {}
                Life::Started { process, attempt } => {
                    records.push(Record::PollStarted { op, process, attempt, adopted: false, at });
                }
                Life::Ended(ending) => records.push(Record::PollEnded { op, ending, at }),
            }
        }
        let throttles = self.throttles.iter();
        records.extend(throttles.map(|(knob, held)| Record::Throttle { knob: *knob, held: Some(*held) }));
        records.extend(self.locks.records().into_iter().map(Record::Locks));
        let kept = self.kept.iter().map(|((role, key), value)| {
            let (role, key, value) = (role.clone(), key.clone(), Some(value.clone()));
            Record::Kept { role, key, value }
        });
        records.extend(kept);
        records
    }
}

#[cfg(test)]
mod tests;
