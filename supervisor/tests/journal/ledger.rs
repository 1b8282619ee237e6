//! A ledger of notes: each key has a version that only grows, and a text.

use std::collections::BTreeMap;
use std::path::Path;

use lvmwarden_supervisor::journal::{Journal, Ledger, OpenError, Replayed};
use serde::{Deserialize, Serialize};
use slog::{Discard, Logger, o};

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Notes(pub(crate) BTreeMap<String, (u64, String)>);

/// Its JSON is in `tests/fixtures`: it stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Note {
    Written { key: String, version: u64, text: String },
    Erased { key: String },
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum IllegalNote {
    #[error("version {version} of {key} after version {known}")]
    Older { key: String, version: u64, known: u64 },
    #[error("{key} is erased but was never written")]
    Unknown { key: String },
}

impl Ledger for Notes {
    type Record = Note;
    type Illegal = IllegalNote;

    fn apply(&mut self, record: &Note) -> Result<(), IllegalNote> {
        match record.clone() {
            Note::Written { key, version, text } => {
                if let Some(&(known, _)) = self.0.get(&key).filter(|(known, _)| *known > version) {
                    return Err(IllegalNote::Older { key, version, known });
                }
                self.0.insert(key, (version, text));
            }
            Note::Erased { key } => {
                self.0.remove(&key).ok_or(IllegalNote::Unknown { key })?;
            }
        }
        Ok(())
    }

    fn records(&self) -> Vec<Note> {
        self.0.iter().map(|(key, (version, text))| written(key, *version, text)).collect()
    }
}

pub(crate) fn written(key: &str, version: u64, text: &str) -> Note {
    Note::Written { key: key.to_owned(), version, text: text.to_owned() }
}

pub(crate) fn erased(key: &str) -> Note {
    Note::Erased { key: key.to_owned() }
}

pub(crate) fn try_open(directory: &Path) -> Result<(Journal<Notes>, Replayed<Notes>), OpenError> {
    Journal::open(directory, Logger::root(Discard, o!()))
}

#[track_caller]
pub(crate) fn open(directory: &Path) -> (Journal<Notes>, Replayed<Notes>) {
    try_open(directory).unwrap()
}

/// Opens, closes, and returns what was there.
#[track_caller]
pub(crate) fn reopen(directory: &Path) -> Notes {
    let (journal, replayed) = open(directory);
    assert_eq!((replayed.torn_bytes, replayed.rejected, replayed.set_aside.len()), (0, 0, 0));
    journal.close();
    replayed.ledger
}

/// The names in `directory`, sorted, without the lock.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let names =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| name != "lock").collect();
    names.sort();
    names
}
