//! Opening a journal, whatever state it was left in.
//!
//! 1. Lock the directory. 2. Refuse, with nothing changed, if any generation is of a newer format. 3. Take the newest
//!    generation that has a header; those without one are set aside. 4. Fold it. A torn tail is cut off. Damage, or a
//!    record that the ledger rejects, moves the journal to a fresh generation and sets the file aside. 5. Remove
//!    unfinished files and older generations.
//!
//! A crash at any of these points leaves the newest good generation in place; the next open starts at 1 again.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use slog::{Logger, warn};

use super::Ledger;
use super::directory::{Directory, Listing, generation_path, list};
use super::record::{self, FORMAT_VERSION, HeaderStep};
use super::replay::{Ending, Replay, replay};

/// No header frame is longer, in bytes.
const LONGEST_HEADER: u64 = 4096;

/// What an open found.
#[derive(Debug)]
pub struct Replayed<L> {
    /// The state that the journal amounts to.
    pub ledger: L,
    /// Length of the interrupted append that was cut off; 0 after an orderly end.
    pub torn_bytes: u64,
    /// Damaged files, under the names that they are kept by.
    pub set_aside: Vec<PathBuf>,
    /// Records that could not be read as a record, or that the ledger called illegal. They were skipped.
    pub rejected: u64,
}

/// Why a journal cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory could not be created, locked or listed.
    #[error("open the journal directory {path}", path = path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Another process, or another journal of this one, has the directory.
    #[error("open the journal directory {path}: it is in use by another process", path = path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// A newer program wrote this journal. Nothing was changed.
    #[error("open {path}: its format version {version} is newer than {FORMAT_VERSION}", path = path.display())]
    NewerVersion {
        /// The generation file.
        path: PathBuf,
        /// Its format version.
        version: u32,
    },
    /// A generation file could not be read, repaired or written.
    #[error("recover the journal file {path}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The writing thread could not be started.
    #[error("start the journal thread")]
    Thread(#[source] io::Error),
}

/// The generation that appends go to.
pub(super) struct Current {
    pub(super) generation: u64,
    pub(super) file: File,
    pub(super) good_bytes: u64,
    /// A number that was never used, not even by a file set aside.
    pub(super) next_generation: u64,
}

/// The newest generation with a header.
struct Found {
    generation: u64,
    bytes: Vec<u8>,
    header_bytes: usize,
}

/// Brings the locked `directory` into order, and returns the generation to append to, the ledger of the writing
/// thread, and the report with a ledger of its own.
pub(super) fn recover<L: Ledger>(
    directory: &Directory,
    log: &Logger,
) -> Result<(Current, L, Replayed<L>), OpenError> {
    let listing = directory
        .list()
        .map_err(|source| OpenError::Directory { path: directory.path().to_owned(), source })?;
    let (found, headless) = newest(directory, &listing)?;
    let frames = found.as_ref().map_or(&[][..], |found| &found.bytes[found.header_bytes..]);
    let folded: Replay<L> = replay(frames);
    for rejection in &folded.rejected {
        warn!(log, "record rejected; it is skipped and its file set aside";
            "offset_bytes" => rejection.offset, "reason" => &rejection.reason);
    }

    let damaged = folded.ending == Ending::Damaged || !folded.rejected.is_empty();
    let mut set_aside = Vec::new();
    for generation in
        headless.into_iter().chain(found.as_ref().filter(|_| damaged).map(|found| found.generation))
    {
        let kept = directory.keep_aside(generation).map_err(in_file(&directory.generation(generation)))?;
        set_aside.push(kept);
    }
    let torn = folded.ending == Ending::Torn;
    let torn_bytes = if torn { (frames.len() - folded.good_bytes) as u64 } else { 0 };
    let current = match &found {
        Some(found) if !damaged => {
            let (file, good_bytes) = resume(directory, found, folded.good_bytes, torn)?;
            Current { generation: found.generation, file, good_bytes, next_generation: listing.highest + 1 }
        }
        _ => {
            let generation = listing.highest + 1;
            let (file, good_bytes) = begin(directory, generation, &folded.ledger)?;
            Current { generation, file, good_bytes, next_generation: generation + 1 }
        }
    };
    remove_leftovers(directory, &listing, current.generation, log);

    let rejected = folded.rejected.len() as u64;
    let ledger = replay(frames).ledger;
    Ok((current, ledger, Replayed { ledger: folded.ledger, torn_bytes, set_aside, rejected }))
}

/// Tells whether a newer program wrote the journal in `directory`, without opening it: nothing is locked or changed.
///
/// A daemon asks before it starts anything: to start again does not help.
///
/// # Errors
/// [`OpenError::NewerVersion`]. What cannot be read is for the open to tell.
pub fn refuse_newer_version(directory: &Path) -> Result<(), OpenError> {
    let generations = list(directory).map(|listing| listing.generations).unwrap_or_default();
    for path in generations.into_iter().map(|generation| generation_path(directory, generation)) {
        let mut start = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(LONGEST_HEADER).read_to_end(&mut start));
        if let (Ok(_), HeaderStep::Newer { version }) = (read, record::read_header(&start)) {
            return Err(OpenError::NewerVersion { path, version });
        }
    }
    Ok(())
}

/// Finds the newest generation with a header, and the numbers of those newer ones that have none.
fn newest(directory: &Directory, listing: &Listing) -> Result<(Option<Found>, Vec<u64>), OpenError> {
    let mut found: Option<Found> = None;
    let mut headless = Vec::new();
    for &generation in &listing.generations {
        let path = directory.generation(generation);
        let bytes = fs::read(&path).map_err(in_file(&path))?;
        match record::read_header(&bytes) {
            HeaderStep::Newer { version } => return Err(OpenError::NewerVersion { path, version }),
            HeaderStep::Known { generation: named, length } if named == generation => {
                found = found.or(Some(Found { generation, bytes, header_bytes: length }));
            }
            _ => headless.push(generation),
        }
    }
    Ok((found, headless))
}

/// Goes on with an undamaged generation, without its torn tail.
fn resume(
    directory: &Directory,
    found: &Found,
    frames_bytes: usize,
    torn: bool,
) -> Result<(File, u64), OpenError> {
    let path = directory.generation(found.generation);
    let file = OpenOptions::new().write(true).open(&path).map_err(in_file(&path))?;
    let good_bytes = (found.header_bytes + frames_bytes) as u64;
    if torn {
        file.set_len(good_bytes).map_err(in_file(&path))?;
    }
    // Also without a torn tail: whole frames may be there that were written but not yet synced when the power of
    // the writer ended, and from now on somebody relies on them. The same holds for the name of the file.
    file.sync_data().and_then(|()| directory.sync()).map_err(in_file(&path))?;
    Ok((file, good_bytes))
}

/// Starts a fresh generation with what is known.
fn begin<L: Ledger>(directory: &Directory, generation: u64, ledger: &L) -> Result<(File, u64), OpenError> {
    let path = directory.generation(generation);
    let content =
        snapshot(generation, &ledger.records()).map_err(io::Error::other).map_err(in_file(&path))?;
    let file = directory.write(generation, &content).map_err(in_file(&path))?;
    directory.sync().map_err(in_file(&path))?;
    Ok((file, content.len() as u64))
}

/// Returns the content of a generation that begins with `records`.
pub(super) fn snapshot<R: serde::Serialize>(
    generation: u64,
    records: &[R],
) -> Result<Vec<u8>, record::EncodeError> {
    let mut content = Vec::new();
    record::write_header(&mut content, generation);
    for record in records {
        record::write_frame(&mut content, record)?;
    }
    Ok(content)
}

/// Removes what no open will need again. A failure costs space only, so it is reported and no more.
fn remove_leftovers(directory: &Directory, listing: &Listing, current: u64, log: &Logger) {
    let older = listing.generations.iter().filter(|generation| **generation != current);
    let older = older.map(|generation| directory.generation(*generation));
    for path in older.chain(listing.temporary.iter().cloned()) {
        if let Err(error) = fs::remove_file(&path) {
            warn!(log, "leftover journal file stays until the next open";
                "path" => %path.display(), "error" => %error);
        }
    }
}

fn in_file(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    |source| OpenError::File { path, source }
}
