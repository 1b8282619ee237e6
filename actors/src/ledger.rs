//! What the daemon must not forget: the records of its journal and the state that they fold to.

use std::collections::HashMap;

use lvmwarden_supervisor::journal::Ledger;
use lvmwarden_supervisor::process::ProcessIdentity;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::poll_operation::outcome::Outcome;
use crate::poll_operation::state::{Life, Recovered};
use lvmwarden_protocol::ids::OperationId;
use lvmwarden_protocol::poll::StartRequest;

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
    },
    /// Its child was started, or found.
    PollStarted {
        /// The operation's name.
        op: Uuid,
        /// Which process the child is.
        process: ProcessIdentity,
        /// The how-manieth start of lvpoll it was, from 1.
        attempt: u32,
    },
    /// It ended.
    PollEnded {
        /// The operation's name.
        op: Uuid,
        /// How.
        outcome: Outcome,
    },
    /// Its result was handed out, has expired, or is of no interest any more.
    PollForgotten {
        /// The operation's name.
        op: Uuid,
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

/// What the records fold to: at most one operation for each [`OperationId`].
#[derive(Debug, Default)]
pub struct PollLedger {
    operations: HashMap<Uuid, Recovered>,
    by_id: HashMap<OperationId, Uuid>,
}

impl PollLedger {
    /// Returns the operation of `key`.
    pub fn get(&self, id: &OperationId) -> Option<&Recovered> {
        self.by_id.get(id).and_then(|op| self.operations.get(op))
    }

    /// Returns every operation, in no order.
    pub fn operations(&self) -> impl Iterator<Item = &Recovered> {
        self.operations.values()
    }

    fn active(&mut self, op: Uuid) -> Result<&mut Recovered, Illegal> {
        let operation = self.operations.get_mut(&op).ok_or(Illegal::UnknownOperation { op })?;
        match operation.life {
            Life::Intended | Life::Started { .. } => Ok(operation),
            Life::Ended { .. } => Err(Illegal::HasEnded { op }),
        }
    }

    fn intend(&mut self, op: Uuid, request: StartRequest) -> Result<(), Illegal> {
        if let Some(known) = self.operations.get(&op) {
            return match known.life {
                Life::Ended { .. } => Err(Illegal::HasEnded { op }),
                Life::Intended | Life::Started { .. } if known.request == request => Ok(()),
                Life::Intended | Life::Started { .. } => {
                    Err(Illegal::InProgress { op, id: known.request.id() })
                }
            };
        }
        let id = request.id();
        if let Some(old) = self.by_id.get(&id).copied() {
            match self.active(old) {
                Ok(_) => return Err(Illegal::InProgress { op, id }),
                Err(_ended) => self.operations.remove(&old),
            };
        }
        self.operations.insert(op, Recovered { op, request, life: Life::Intended });
        self.by_id.insert(id, op);
        Ok(())
    }
}

/// A record that is written twice, because the answer to its first writing was lost in a restart of the journal, folds
/// as if it had been written once.
impl Ledger for PollLedger {
    type Record = Record;
    type Illegal = Illegal;

    fn apply(&mut self, record: &Record) -> Result<(), Illegal> {
        match record {
            Record::PollIntended { op, request } => self.intend(*op, request.clone()),
            Record::PollStarted { op, process, attempt } => {
                self.active(*op)?.life = Life::Started { process: process.clone(), attempt: *attempt };
                Ok(())
            }
            Record::PollEnded { op, outcome } => {
                let ended = Life::Ended { outcome: outcome.clone() };
                if self.operations.get(op).is_some_and(|operation| operation.life == ended) {
                    return Ok(());
                }
                self.active(*op)?.life = ended;
                Ok(())
            }
            Record::PollForgotten { op } => {
                if let Some(operation) = self.operations.remove(op) {
                    self.by_id.remove(&operation.request.id());
                }
                Ok(())
            }
        }
    }

    fn records(&self) -> Vec<Record> {
        let mut records = Vec::new();
        for Recovered { op, request, life } in self.operations.values() {
            let op = *op;
            records.push(Record::PollIntended { op, request: request.clone() });
            match life.clone() {
                Life::Intended => {}
                Life::Started { process, attempt } => {
                    records.push(Record::PollStarted { op, process, attempt });
                }
                Life::Ended { outcome } => records.push(Record::PollEnded { op, outcome }),
            }
        }
        records
    }
}

#[cfg(test)]
mod tests;
