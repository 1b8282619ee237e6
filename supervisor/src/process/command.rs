//! What to run, and everything a supervised process inherits.
//!
//! | inherited | value |
//! |---|---|
//! | arguments, environment | exactly those of the [`Command`]; nothing of the daemon's own |
//! | stdin | `/dev/null` |
//! | stdout, stderr | pipes with a name, which hold 64 KiB each, so that a process outlives the daemon and fills no disk |
//! | other descriptors | none |
//! | working directory | the daemon's, or the one given |
//! | process group | its own, so that a signal to the daemon's group (Ctrl-C in a terminal) does not reach it |
//! | signals | none blocked, all at their default, but SIGPIPE ignored |
//! | soft limit of open files | the daemon's at its start, see [`raise_open_files_limit`](super::raise_open_files_limit) |
//! | user, umask, other limits, session, terminal | the daemon's |

use std::ffi::OsString;
use std::path::PathBuf;

use super::WhenFull;

/// A program to run as a supervised process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The file to execute; an absolute path. It is also the first word of the command line.
    pub program: PathBuf,
    /// The words after the program's name, in order.
    pub arguments: Vec<OsString>,
    /// The complete environment, names and values; empty means an empty environment. The later of two entries with
    /// one name wins.
    pub environment: Vec<(OsString, OsString)>,
    /// Where it runs; `None`: where the daemon does.
    pub directory: Option<PathBuf>,
    /// The pipe that standard output goes to; made with mode 0600 when missing.
    pub stdout: PathBuf,
    /// The pipe that standard error goes to, made likewise; may be the same as `stdout`.
    pub stderr: PathBuf,
    /// What becomes of what is written to a full pipe.
    pub when_full: WhenFull,
}
