//! The directory of the archive: looks at it, reads the ends of a copy, removes copies.
//!
//! Everything here blocks, for as long as the disk likes, and belongs on a thread for that. The directory is opened once,
//! and everything in it is named relative to that: what is put in the directory's place meanwhile is not touched. Nothing
//! is followed: a symbolic link in the directory is one of the names that are not recognised.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use lvmwarden_supervisor::fault;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, open, openat, statat, unlinkat};
use rustix::io::{Errno, pread};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use super::file_name::FileName;
use super::plan::{self, ArchivedCopy, Total};
use super::whole::{END_BYTES, is_whole};

/// How many copies a pass looks at: each takes up to 200 bytes of memory while the plan is made (20 MiB were seen for
/// 110,000).
pub(super) const COPIES_AT_ONCE: u64 = 250_000;

/// Something that cannot be done in the directory.
#[derive(Debug, Error)]
#[error("{what} {}", path.display())]
pub struct ArchiveError {
    what: &'static str,
    path: PathBuf,
    #[source]
    source: Errno,
}

/// The directory, open.
#[derive(Debug)]
pub(super) struct Archive {
    path: PathBuf,
    directory: OwnedFd,
}

/// What there is.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// The copies of each VG, the newest first.
    pub(super) vgs: BTreeMap<String, Vec<ArchivedCopy>>,
    /// How many names are none that lvm writes, or are no regular files.
    pub(super) unrecognised: u64,
    /// There are more copies than [`COPIES_AT_ONCE`], which this is all of.
    pub(super) is_cut_off: bool,
}

impl Archive {
    /// Opens it.
    pub(super) fn open(path: &Path) -> Result<Self, ArchiveError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = open(path, flags, Mode::empty());
        let directory =
            directory.map_err(|source| ArchiveError { what: "open", path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), directory })
    }

    /// Looks at every name, or at as many as there are until `stop`.
    pub(super) fn list(&self, stop: &CancellationToken) -> Result<Listing, ArchiveError> {
        let mut listing = Listing::default();
        let mut count = 0;
        let entries = Dir::read_from(&self.directory).map_err(|source| self.error("read", None, source))?;
        for entry in entries {
            if stop.is_cancelled() {
                break;
            }
            let entry = entry.map_err(|source| self.error("read", None, source))?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let found = match FileName::parse(name.to_bytes()) {
                Some(file) => self.copy(&file, name)?.map(|copy| (file.vgname, copy)),
                None => None,
            };
            let Some((vgname, copy)) = found else {
                listing.unrecognised += 1;
                continue;
            };
            if count == COPIES_AT_ONCE {
                listing.is_cut_off = true;
                break;
            }
            count += 1;
            match listing.vgs.get_mut(vgname) {
                Some(copies) => copies.push(copy),
                None => drop(listing.vgs.insert(vgname.to_owned(), vec![copy])),
            }
        }
        listing.vgs.values_mut().for_each(|copies| plan::sort(copies));
        Ok(listing)
    }

    /// Returns whether a copy is whole; one that is gone is not.
    pub(super) fn is_good(&self, vgname: &str, copy: &ArchivedCopy) -> Result<bool, ArchiveError> {
        let name = name_of(vgname, copy);
        match self.read_ends(&name) {
            Ok((head, tail)) => Ok(is_whole(&head, &tail)),
            Err(Errno::NOENT | Errno::LOOP) => Ok(false),
            Err(source) => Err(self.error("read", Some(&name), source)),
        }
    }

    /// Removes copies of a VG one after the other, until `stop`; returns what it has removed, and what stopped it.
    ///
    /// A copy that is gone already counts as removed by somebody else.
    pub(super) fn remove<'c>(
        &self,
        vgname: &str,
        copies: impl Iterator<Item = &'c ArchivedCopy>,
        stop: &CancellationToken,
    ) -> (Total, Option<ArchiveError>) {
        let mut removed = Total::default();
        for copy in copies.take_while(|_| !stop.is_cancelled()) {
            let name = name_of(vgname, copy);
            match unlinkat(&self.directory, &name, AtFlags::empty()) {
                Ok(()) => {
                    removed.files += 1;
                    removed.bytes += copy.bytes;
                    fault::point("archive_janitor.removed", &name);
                }
                Err(Errno::NOENT) => {}
                Err(source) => return (removed, Some(self.error("remove", Some(&name), source))),
            }
        }
        (removed, None)
    }

    /// Returns the copy of this name; `None` if it is no regular file, or gone.
    fn copy(&self, file: &FileName<'_>, name: &CStr) -> Result<Option<ArchivedCopy>, ArchiveError> {
        let stat = match statat(&self.directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_file() => stat,
            Ok(_) | Err(Errno::NOENT) => return Ok(None),
            Err(source) => return Err(self.error("look at", Some(&name.to_string_lossy()), source)),
        };
        // A time beyond what can be told is one that the file system made up; such a copy counts as new.
        let modified_at = Timestamp::from_second(stat.st_mtime).unwrap_or(Timestamp::MAX);
        let bytes = u64::try_from(stat.st_size).unwrap_or_default();
        Ok(Some(ArchivedCopy { index: file.index, random: file.random, modified_at, bytes }))
    }

    fn read_ends(&self, name: &str) -> Result<(Vec<u8>, Vec<u8>), Errno> {
        // NONBLOCK: whoever puts a pipe in the file's place must not make us wait.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&self.directory, name, flags, Mode::empty())?;
        let length = u64::try_from(fstat(&file)?.st_size).unwrap_or_default();
        let read = |from: u64| {
            let mut bytes = vec![0; END_BYTES];
            let count = pread(&file, &mut bytes, from)?;
            bytes.truncate(count);
            Ok(bytes)
        };
        Ok((read(0)?, read(length.saturating_sub(END_BYTES as u64))?))
    }

    fn error(&self, what: &'static str, name: Option<&str>, source: Errno) -> ArchiveError {
        let path = name.map_or_else(|| self.path.clone(), |name| self.path.join(name));
        ArchiveError { what, path, source }
    }
}

/// Returns the name of a copy's file.
pub(super) fn name_of(vgname: &str, copy: &ArchivedCopy) -> String {
    FileName { vgname, index: copy.index, random: copy.random }.to_string()
}

#[cfg(test)]
mod tests;
