//! The pid file: locked as long as the daemon runs, so that there is one for each.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, fcntl_lock};
use thiserror::Error;

/// The exit code of a daemon that does not get its pid file.
///
/// Source: lvm2 2.03.16, seen.
pub(crate) const EXIT_CODE: u8 = 13;

/// Why the pid file is not ours.
#[derive(Debug, Error)]
pub(crate) enum PidFileError {
    /// It cannot be opened or written.
    #[error("cannot write the pid file {path}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Another daemon holds it.
    #[error("the pid file {path} is locked: is another daemon running?", path = path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
}

/// A pid file that is ours; it goes away with this value.
#[derive(Debug)]
pub(crate) struct PidFile {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
}

impl PidFile {
    /// Locks `path` and writes this process's pid into it.
    ///
    /// The lock is a POSIX record lock, as the C daemons take it, so that one keeps the other out.
    ///
    /// # Errors
    /// [`PidFileError::Locked`] when another daemon has it; the file is then untouched.
    pub(crate) fn lock(path: &Path) -> Result<Self, PidFileError> {
        let failed = |source| PidFileError::Write { path: path.to_owned(), source };
        let mut options = File::options();
        let mut file =
            options.write(true).create(true).truncate(false).mode(0o644).open(path).map_err(failed)?;
        fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| PidFileError::Locked { path: path.to_owned() })?;
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
        Ok(Self { path: path.to_owned(), _file: file })
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // A file that stays is unlocked, which is what counts.
        let _ = fs::remove_file(&self.path);
    }
}
