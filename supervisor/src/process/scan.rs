//! Finds processes that nobody wrote down: left behind by a crash between start and journal, or by another program.
//!
//! Only root's are ever found: see [`inspect`](super::inspect).

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use super::ProcessIdentity;
use super::inspect::{InspectError, RootsProcess};

/// Decides by its command line (the program first) whether a process is wanted. Called on a blocking thread.
pub type ScanFilter = Arc<dyn Fn(&[OsString]) -> bool + Send + Sync>;

/// A running process of root's, as it was at the time of the scan. A scan alone makes one.
///
/// That it is root's does not make what it says of itself true: root runs programs on behalf of others as well.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundProcess {
    /// Which process it is, for [`Processes::adopt`](super::Processes::adopt).
    pub identity: ProcessIdentity,
    /// The pid of its parent; 1 or a subreaper for an orphan.
    pub parent: u32,
    /// The words of its command line, the program first.
    pub command_line: Vec<OsString>,
    /// The environment it was started with, in order. Entries that are no assignment are left out.
    pub environment: Vec<(OsString, OsString)>,
    /// The path of the file that it executes; `None` where another file has that path, or none, as in a container. For
    /// a script it is the interpreter's.
    pub program: Option<PathBuf>,
    /// Where its output goes.
    pub stdout: Stdout,
}

/// Where the standard output of a found process goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stdout {
    /// Into a pipe without a name.
    Pipe {
        /// Whether anybody holds the other end; if not, the daemon that started the process is gone.
        has_reader: bool,
    },
    /// Into the file of this path, which may have been removed since.
    ///
    /// Only root can have opened the file: it belongs to root and is closed to everybody else, and in its directory
    /// only root makes files. So whoever starts its own processes with such a file knows them by it.
    RootsOwn(PathBuf),
    /// Elsewhere, or it is closed.
    Other,
}

/// Why there is no list of processes.
#[derive(Debug, Error)]
#[error("list the processes of this host")]
pub struct ScanError(#[from] io::Error);

impl FoundProcess {
    /// Returns one that was not found; its program is the first word of its command line, its parent init.
    #[cfg(any(test, feature = "testing"))]
    pub fn of_a_test(identity: ProcessIdentity, command_line: Vec<OsString>, stdout: Stdout) -> Self {
        let program = command_line.first().map(PathBuf::from);
        Self { identity, parent: 1, command_line, environment: Vec::new(), program, stdout }
    }
}

/// Finds the processes that `wanted` accepts. Blocking.
pub(super) fn scan(wanted: &ScanFilter) -> Result<Vec<FoundProcess>, ScanError> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let pid = entry?.file_name().to_str().and_then(|name| name.parse().ok());
        let Some(pid) = pid.filter(|pid| *pid != std::process::id()) else { continue };
        // It is gone by now, or is not ours to look into: neither could be adopted.
        found.extend(inspect(pid, wanted).ok().flatten());
    }
    found.sort_unstable_by_key(|process: &FoundProcess| process.identity.pid);
    Ok(found)
}

/// Reads the process `pid`; `None` when it is not a wanted one. Threads of the kernel and zombies have no command line.
fn inspect(pid: u32, wanted: &ScanFilter) -> Result<Option<FoundProcess>, InspectError> {
    let process = RootsProcess::open(pid)?;
    let command_line = process.command_line()?;
    if command_line.is_empty() || !wanted(&command_line) {
        return Ok(None);
    }
    Ok(Some(FoundProcess {
        identity: process.identity()?,
        parent: process.stat()?.parent,
        command_line,
        environment: process.environment()?,
        program: process.program()?,
        stdout: process.stdout()?,
    }))
}
