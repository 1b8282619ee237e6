//! What those who read PVs and those who tell of them agree on.
//!
//! ```text
//!   who reads (sources) ──▶ Cache, Knowledge ──▶ who tells (the API, metrics)
//!                     ◀── Reader: verify a VG, read a device again ──
//! ```
//!
//! How old a thing is, and who read it, stands beside the thing itself: [`Provenance`](super::pv_index::Provenance).

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use lvmwarden_protocol::metadata::{Pvid, Vgid};
use lvmwarden_supervisor::process::BoxFuture;
use tokio::sync::watch;

use crate::foundation::moment::since_boot;

/// Whether all PVs of the host were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Not yet: what is not cached may be there all the same.
    Underway {
        /// When it began, by the clock that nobody sets.
        since: Duration,
    },
    /// They were: what is not cached is not there.
    Done {
        /// When that was.
        at: Duration,
    },
}

/// What is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// One PV is on several devices.
    DuplicatePv,
    /// Several VGs have one name.
    SameName,
    /// A PV is there with metadata that are older than its VG's.
    OldCopy,
    /// PVs have different metadata with the same seqno.
    Contradiction,
    /// A PV that a VG lists is not there.
    MissingPv,
    /// What is on a device cannot be read, or makes no sense.
    Unreadable,
    /// What is cached of a VG is older than what is on its disks.
    OutOfDate,
    /// One of those who tell of changes does not work.
    SourceDown,
}

/// Something that is not as it should be, with the devices that are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What.
    pub kind: ProblemKind,
    /// The VG, where it is one's.
    pub vg: Option<Vgid>,
    /// The PV, where it is one's.
    pub pv: Option<Pvid>,
    /// The devices, by path.
    pub devices: Vec<String>,
    /// What is wrong and what can be done, for people.
    pub detail: String,
}

/// Who can be asked to read from disks.
pub trait Reader: Send + Sync + 'static {
    /// Makes sure that what is cached of a VG was what is on its disks at most so long ago; reads one header of each PV if
    /// need be, and the VG anew if it has changed. It comes to an end within a deadline of its own; the cache tells what
    /// came of it.
    fn verify(&self, vg: Vgid, max_age: Duration) -> BoxFuture<'static, ()>;

    /// Reads a device again, whatever is known of it. The error says why not, for people.
    fn rescan(&self, device: PathBuf) -> BoxFuture<'static, Result<(), String>>;
}

/// What is known beside the cache itself.
#[derive(Debug)]
pub struct Knowledge {
    reading: watch::Sender<Reading>,
    problems: Mutex<Vec<Problem>>,
    reader: OnceLock<Arc<dyn Reader>>,
    changes: watch::Sender<u64>,
}

impl std::fmt::Debug for dyn Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

impl Default for Knowledge {
    fn default() -> Self {
        Self {
            reading: watch::Sender::new(Reading::Underway { since: since_boot() }),
            problems: Mutex::default(),
            reader: OnceLock::new(),
            changes: watch::Sender::new(0),
        }
    }
}

impl Knowledge {
    /// Returns whether all PVs were looked at.
    pub fn reading(&self) -> Reading {
        *self.reading.borrow()
    }

    /// Says whether all PVs were looked at.
    pub fn set_reading(&self, reading: Reading) {
        self.reading.send_replace(reading);
        self.changed();
    }

    /// Returns what those who read have found that is not as it should be; what the cache itself shows is not among it.
    pub fn problems(&self) -> MutexGuard<'_, Vec<Problem>> {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what is not as it should be, from now on.
    pub fn set_problems(&self, problems: Vec<Problem>) {
        *self.problems() = problems;
        self.changed();
    }

    /// Returns who can be asked to read; `None`: only lvm commands do.
    pub fn reader(&self) -> Option<Arc<dyn Reader>> {
        self.reader.get().cloned()
    }

    /// Says who can be asked to read, once; a second one is not taken.
    pub fn set_reader(&self, reader: Arc<dyn Reader>) {
        // The daemon has one, which outlives the actors that read.
        let _first_stays = self.reader.set(reader);
    }

    /// Tells those who wait that something may be otherwise than before: the cache, or what is known beside it.
    pub fn changed(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Returns what tells of changes from now on.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
