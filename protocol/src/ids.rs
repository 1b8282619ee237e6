//! Names and UUIDs: parsed once, valid ever after, cheap to clone.
//!
//! They come in through every door (lvm's sockets, the JSON API, reports and files of lvm, the process table), and go on
//! into command lines, paths and lines of files. So each is what LVM itself lets it be, and never an option, a path, or
//! more than one word. They serialize as plain strings.
//!
//! Source: lvm2 2.03.39, `validate_name` in `lib/misc/lvm-string.c`, `lib/id/id.c`.

mod names;
mod uuids;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use names::{DevicesFile, InvalidName, LvName, Lvid, PvName, SystemDir, VgName, is_lvm_name};
pub use uuids::{InvalidUuid, LvUuid, PvUuid, Uuids, VgUuid};

/// Which of lvmpolld's two independent collections an operation is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    /// Everything but the next.
    Poll,
    /// `pvmove --abort`.
    Abort,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Poll => "poll",
            Self::Abort => "abort",
        })
    }
}

/// What makes two requests mean the same operation: the store, and the client's system directory (if it gave one)
/// immediately followed by the lvid.
///
/// The same id may be in both stores at once, and one lvid under two system directories is two operations.
/// Displayed as `poll:TEXT` or `abort:TEXT`.
///
/// Source: lvm2 2.03.16, lvmpolld.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OperationId {
    store: Store,
    text: Arc<str>,
}

impl OperationId {
    /// Returns the id of an operation.
    pub fn new(store: Store, sysdir: Option<&SystemDir>, lvid: &Lvid) -> Self {
        let text = match sysdir {
            Some(sysdir) => format!("{sysdir}{lvid}").into(),
            None => lvid.as_str().into(),
        };
        Self { store, text }
    }

    /// Returns the store it is in.
    pub fn store(&self) -> Store {
        self.store
    }

    /// Returns the text that names it within its store, as the dump shows it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.store, self.text)
    }
}

#[cfg(test)]
mod tests;
