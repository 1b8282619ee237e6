//! What to run, and everything a supervised process inherits.
//!
//! | inherited | value |
//! |---|---|
//! | arguments, environment | exactly those of the [`Command`]; nothing of the daemon's own |
//! | stdin | `/dev/null` |
//! | stdout, stderr | files, appended to, so that the output survives the daemon |
//! | other descriptors | none |
//! | working directory | `/`, so that no file system is kept busy |
//! | process group | its own, so that a signal to the daemon's group (Ctrl-C in a terminal) does not reach it |
//! | signals | none blocked, all at their default, but SIGPIPE ignored |
//! | soft limit of open files | the daemon's at its start, see [`raise_open_files_limit`](super::raise_open_files_limit) |
//! | user, umask, other limits, session | the daemon's |

use std::ffi::OsString;
use std::path::PathBuf;

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
    /// The file that standard output is appended to; created with mode 0600 when missing.
    pub stdout: PathBuf,
    /// The file that standard error is appended to, created likewise; may be the same as `stdout`.
    pub stderr: PathBuf,
}
