//! The knobs in sysfs.
//!
//! To read or write one takes no disk and waits for nobody, so it is done in place.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What is copied, and so which module of the kernel has the knob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Knob {
    /// Mirrors that are brought in sync: pvmoves and conversions.
    Mirror,
    /// Old-style snapshots: merges, and copies on write.
    Snapshot,
}

impl Knob {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Mirror, Self::Snapshot];

    /// Returns the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mirror => "mirror",
            Self::Snapshot => "snapshot",
        }
    }

    /// Returns which copies it slows down, for people.
    pub fn copies(self) -> &'static str {
        match self {
            Self::Mirror => "all pvmoves, and all mirrors that are brought in sync",
            Self::Snapshot => "all merges of old-style snapshots, and all that is copied into such",
        }
    }

    /// Returns the module that has it.
    pub fn module(self) -> &'static str {
        match self {
            Self::Mirror => "dm_mirror",
            Self::Snapshot => "dm_snapshot",
        }
    }

    /// Source: Linux 6.1, `dm-raid1.c` and `dm-snap.c`, `dm_kcopyd_throttle`.
    fn parameter(self) -> &'static str {
        match self {
            Self::Mirror => "raid1_resync_throttle",
            Self::Snapshot => "snapshot_copy_throttle",
        }
    }
}

impl std::fmt::Display for Knob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where the knobs are.
#[derive(Debug, Clone)]
pub struct Knobs {
    sys: PathBuf,
}

impl Knobs {
    /// Returns those below `sys`, which is `/sys` but in tests.
    pub fn new(sys: PathBuf) -> Self {
        Self { sys }
    }

    /// Returns the path of a knob.
    pub fn path(&self, knob: Knob) -> PathBuf {
        self.sys.join("module").join(knob.module()).join("parameters").join(knob.parameter())
    }

    /// Reads a knob, in percent; it is not there before its module is loaded.
    ///
    /// # Errors
    /// The error of reading it; `InvalidData` when it is no number.
    pub fn read(&self, knob: Knob) -> io::Result<u32> {
        let text = fs::read_to_string(self.path(knob))?;
        text.trim().parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is no number"))
    }

    /// Turns a knob.
    ///
    /// # Errors
    /// The error of writing it.
    pub fn write(&self, knob: Knob, percent: u32) -> io::Result<()> {
        // Not created where it is not: a test's mistake would go unnoticed.
        let mut file = File::options().write(true).truncate(true).open(self.path(knob))?;
        file.write_all(format!("{percent}\n").as_bytes())
    }
}
