//! Files and directories that appear complete or not at all, and stay after a power loss.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use crate::fault;

/// How the name of an unfinished file begins.
pub(super) const TEMPORARY_PREFIX: &str = "journal.tmp-";

/// Creates or replaces `directory/name` (mode 0600) with `content`, and returns it open for writing.
///
/// 1. A temporary file in the same directory is written and synced. 2. It is renamed. The caller then syncs the
///    directory with [`sync_directory`]; an error there leaves a new name that may not survive a power loss, and
///    what that means is the caller's to decide.
pub(super) fn replace(directory: &Path, name: &str, content: &[u8]) -> io::Result<File> {
    let mut temporary = tempfile::Builder::new().prefix(TEMPORARY_PREFIX).tempfile_in(directory)?;
    temporary.write_all(content)?;
    temporary.as_file().sync_all()?;
    fault::point("journal.snapshot_written", name);
    let file = temporary.persist(directory.join(name))?;
    fault::point("journal.snapshot_renamed", name);
    Ok(file)
}

/// Makes the names in `directory` durable.
pub(super) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Creates `directory` and its missing parents, each with mode 0700, and makes their names durable.
pub(super) fn create_directory(directory: &Path) -> io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_directory(parent)?;
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_directory(parent),
    }
}
