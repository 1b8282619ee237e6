//! The directory of a journal: its lock and the names in it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::atomic_file::{self, TEMPORARY_PREFIX};
use super::recovery::OpenError;

const GENERATION_PREFIX: &str = "journal.";
const SET_ASIDE_PREFIX: &str = "journal.bad-";

/// A directory that this process alone may change, for as long as the value lives.
pub(super) struct Directory {
    path: PathBuf,
    lock: File,
}

/// What is in the directory.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Listing {
    /// Numbers of the generations, newest first.
    pub(super) generations: Vec<u64>,
    /// The highest number ever seen, also of those set aside; 0 in an empty directory.
    pub(super) highest: u64,
    /// Unfinished files.
    pub(super) temporary: Vec<PathBuf>,
}

impl Directory {
    /// Creates `path` where it is missing, and locks it.
    pub(super) fn lock(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Directory { path: path.to_owned(), source };
        atomic_file::create_directory(path).map_err(failed)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path of `generation`.
    pub(super) fn generation(&self, generation: u64) -> PathBuf {
        generation_path(&self.path, generation)
    }

    /// Lists what an open has to look at.
    pub(super) fn list(&self) -> io::Result<Listing> {
        list(&self.path)
    }

    /// Writes `generation` atomically. The name is durable after [`Directory::sync`].
    pub(super) fn write(&self, generation: u64, content: &[u8]) -> io::Result<File> {
        atomic_file::replace(&self.path, &format!("{GENERATION_PREFIX}{generation}"), content)
    }

    /// Makes the names in the directory durable.
    pub(super) fn sync(&self) -> io::Result<()> {
        atomic_file::sync_directory(&self.path)
    }

    /// Gives the damaged `generation` a second name that no open ever reads, and returns it.
    ///
    /// A link and not a rename: the generation keeps its own name until its successor is durable. Numbers are never
    /// used twice, so a name that exists already is this file, from an open that was interrupted.
    pub(super) fn keep_aside(&self, generation: u64) -> io::Result<PathBuf> {
        let aside = self.path.join(format!("{SET_ASIDE_PREFIX}{generation}"));
        match fs::hard_link(self.generation(generation), &aside) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            _ => Ok(aside),
        }
    }
}

impl Drop for Directory {
    /// Unlocks: closing alone would not, while a child process between its fork and its exec has the descriptor too.
    fn drop(&mut self) {
        let _ = self.lock.unlock();
    }
}

/// Returns the path of `generation` of the journal in `directory`.
pub(super) fn generation_path(directory: &Path, generation: u64) -> PathBuf {
    directory.join(format!("{GENERATION_PREFIX}{generation}"))
}

/// Lists what an open of the journal in `path` has to look at; other names, and what is no file, are nobody's business here.
pub(super) fn list(path: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_file = entry.file_type()?.is_file();
        if name.starts_with(TEMPORARY_PREFIX) {
            listing.temporary.push(entry.path());
        } else if let Some(number) = number_after(SET_ASIDE_PREFIX, &name) {
            listing.highest = listing.highest.max(number);
        } else if let Some(number) = number_after(GENERATION_PREFIX, &name) {
            listing.highest = listing.highest.max(number);
            if is_file {
                listing.generations.push(number);
            }
        }
    }
    listing.generations.sort_unstable_by(|a, b| b.cmp(a));
    Ok(listing)
}

/// Parses `name` as `prefix` and a number in its one spelling.
fn number_after(prefix: &str, name: &str) -> Option<u64> {
    let digits = name.strip_prefix(prefix)?;
    digits.parse().ok().filter(|number: &u64| number.to_string() == digits)
}
