//! Crash-only durable state: an append-only journal of framed JSON records.
//!
//! What it is for: whatever the program must still know after `kill -9` is a record here before its effect is
//! visible to anybody. The state itself is a [`Ledger`]: a pure fold over the records.
//!
//! What it owns: one directory (mode 0700), held by an exclusive lock on `lock`, so two programs never write one
//! journal. What it must never do: change a record that was acknowledged, guess at one that cannot be read, refuse
//! to start because of damage, or touch a directory of a newer format.
//!
//! ```text
//! DIR/lock             flock, held as long as the writing thread lives
//! DIR/journal.7        the newest generation: header, snapshot, then appended records, one frame a line
//! DIR/journal.bad-5    a damaged generation that was set aside, never read again
//! DIR/journal.tmp-*    a generation that was never finished; removed on open
//! ```
//!
//! How an append goes, in order:
//!
//! 1. [`Journal::append`] puts the record into the bounded queue of the one writing thread.
//! 2. The thread takes all that is waiting, refuses what the ledger calls illegal, writes the rest with one `write`
//!    and one `fdatasync` (group commit).
//! 3. Only then is every asker answered.
//! 4. A write that fails (disk full) is answered as an error and cut off the file again; the next append tries anew.
//! 5. When the file has grown well beyond its live part, the shortest list of records that folds to the same ledger
//!    becomes the next generation, by atomic replacement, and the old file is removed.
//!
//! How an open goes: [`Journal::open`]. Where to look next: `record` for the bytes, `replay` for the fold (both
//! pure), `atomic_file` and `directory` for files, `recovery` for opening, `writer` for the thread, and
//! [`JournalActor`] for the worker in the supervision tree.

mod actor;
mod atomic_file;
mod directory;
mod handle;
mod record;
mod recovery;
mod replay;
mod writer;

pub use actor::{Append, JournalActor, Read};
pub use handle::{AppendError, Journal, ReadError};
pub use record::{FORMAT_VERSION, MAX_PAYLOAD_BYTES};
pub use recovery::{OpenError, Replayed, refuse_newer_version};
pub use replay::fold;

use std::error::Error;

use serde::{Serialize, de::DeserializeOwned};

/// The state that a journal keeps: a pure fold over its records.
pub trait Ledger: Default + Send + 'static {
    /// One fact. Its JSON is what is on disk: a change of the type must keep reading what older releases wrote.
    type Record: Serialize + DeserializeOwned + Clone + Send + 'static;

    /// Why a record may not follow what was recorded before.
    type Illegal: Error + Send + Sync + 'static;

    /// Takes `record` in, or refuses it and stays as it was.
    ///
    /// A record that only repeats what is already known should be accepted: an asker that lost the answer of an
    /// append to a crash of the journal asks again.
    ///
    /// # Errors
    /// When `record` cannot follow the records so far. It is then never written.
    fn apply(&mut self, record: &Self::Record) -> Result<(), Self::Illegal>;

    /// Returns the shortest list of records, oldest first, that folds to this same ledger.
    fn records(&self) -> Vec<Self::Record>;
}
