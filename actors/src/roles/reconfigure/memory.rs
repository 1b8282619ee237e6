//! What the journal has of a change: all that its next actor, or the next daemon, goes on from.
//!
//! One value for each change, under its id, written anew at each durable step: it is a few kilobytes, and nothing has to be put
//! together from steps. [`Known::machine`] is the fold of the machines' own records.

use jiff::Timestamp;
use lvmwarden_protocol::api::reconfigure::{self as api, Goal};
use lvmwarden_reconfigure::member::Member;
use lvmwarden_reconfigure::record::Memory;
use lvmwarden_supervisor::Registry;
use lvmwarden_supervisor::process::ProcessIdentity;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::described::Description;
use crate::foundation::store::journal;
use crate::foundation::store::ledger::Record;

/// Whose values these are in the journal.
pub const ROLE: &str = "reconfigure";

/// A change, as the journal has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Its name.
    pub id: Uuid,
    /// What is wanted.
    pub goal: Goal,
    /// Who has asked, in words.
    pub asked_by: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The member that was asked.
    pub coordinator: Member,
    /// What was proposed; of a change that had not come to that, what was seen when it was asked for.
    pub described: Description,
    /// The machines' records.
    pub machine: Memory,
    /// The LVs whose activation is undone if the change is abandoned.
    #[serde(default)]
    pub undo: Vec<String>,
    /// The writing child.
    #[serde(default)]
    pub writer: Option<ProcessIdentity>,
    /// The change as it is told once it is over.
    #[serde(default)]
    pub told: Option<api::Change>,
}

impl Known {
    /// Tells whether nothing is left to do: the end of a coordinator is not that of a part that lags.
    pub fn is_over(&self) -> bool {
        self.machine.has_ended && (self.machine.is_done || self.machine.voted.is_none())
    }

    fn record(&self) -> Result<Record, String> {
        let value = serde_json::to_value(self).map_err(|error| format!("write a change down: {error}"))?;
        Ok(Record::Kept { role: ROLE.to_owned(), key: self.id.to_string(), value: Some(value) })
    }
}

/// Writes a change down; returns when that is durable.
///
/// # Errors
/// Why it is not, for the log and for clients.
pub async fn store(registry: &Registry, known: &Known) -> Result<(), String> {
    journal::append(registry, known.record()?).await
}

/// Forgets a change.
///
/// # Errors
/// Why not, for the log.
pub async fn forget(registry: &Registry, id: Uuid) -> Result<(), String> {
    let record = Record::Kept { role: ROLE.to_owned(), key: id.to_string(), value: None };
    journal::append(registry, record).await
}

/// Reads a change; `None`: it is not known, or of a form that this version does not know.
///
/// # Errors
/// Why the journal cannot be read.
pub async fn load(registry: &Registry, id: Uuid) -> Result<Option<Known>, String> {
    let key = id.to_string();
    let value = journal::read(registry, move |ledger| {
        ledger.kept(ROLE).find(|(one, _)| *one == key).map(|(_, value)| value.clone())
    });
    Ok(value.await?.and_then(|value| serde_json::from_value(value).ok()))
}

/// Reads all changes, the eldest first, and how many values are of a form that this version does not know.
///
/// # Errors
/// Why the journal cannot be read.
pub async fn load_all(registry: &Registry) -> Result<(Vec<Known>, usize), String> {
    let values = journal::read(registry, |ledger| {
        ledger.kept(ROLE).map(|(_, value)| value.clone()).collect::<Vec<_>>()
    });
    let values = values.await?;
    let all = values.len();
    let mut known: Vec<Known> =
        values.into_iter().filter_map(|value| serde_json::from_value(value).ok()).collect();
    let unknown = all - known.len();
    known.sort_by_key(|known| (known.at, known.id));
    Ok((known, unknown))
}
