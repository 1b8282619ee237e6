//! Where a daemon keeps what it must not forget, apart from every other daemon's.
//!
//! A daemon is known by the path of its lvmpolld socket. The service and the stand-in for lvmpolld keep their things in
//! the same place when they serve the same socket, so that either goes on where the other stopped.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use lvmwarden_supervisor::journal::{OpenError, refuse_newer_version};
use rustix::process::geteuid;

/// Everybody may look for sockets below the run directory.
const RUN_DIR_MODE: u32 = 0o755;
/// What a daemon remembers is nobody else's business.
const OWN_MODE: u32 = 0o700;
/// Writing, for group and others.
const OF_OTHERS: u32 = 0o022;

/// Where a daemon keeps what it must not forget.
pub(super) struct Place {
    /// The socket's path, made absolute: which daemon this is.
    pub(super) instance: PathBuf,
    /// The journal's directory.
    pub(super) journal: PathBuf,
    /// Where the children's output goes.
    pub(super) output: PathBuf,
    /// Where that of the children of changes goes, which nobody else clears away.
    pub(super) changes: PathBuf,
    /// The directory of the history, on a disk; nobody has looked at it yet.
    pub(super) history: PathBuf,
}

/// A newer release has written what this one would have to go on with.
///
/// Nothing is set aside and nothing changed: the operations and locks in there are known to nobody else, and are there for the
/// newer release when it is back. Children go on meanwhile.
#[derive(Debug, thiserror::Error)]
#[error(
    "a newer release of lvmwarden has left its journal, and this one cannot read it; nothing was changed; install the newer \
         one again, or end its operations with it before (lvmwarden poll list)"
)]
pub(super) struct NewerJournal(#[source] OpenError);

impl NewerJournal {
    /// The exit code: to start again does not help, and the unit does not. `EX_DATAERR` of sysexits.h.
    const EXIT_CODE: u8 = 65;

    /// Returns the exit code for `error`, if it is this.
    pub(super) fn exit_code_of(error: &anyhow::Error) -> Option<ExitCode> {
        error.downcast_ref::<Self>().map(|_| ExitCode::from(Self::EXIT_CODE))
    }
}

impl Place {
    /// Makes the directories below `LVMWARDEN_RUN_DIR`, and none below `LVMWARDEN_STATE_DIR`: that disk may hang. A daemon that serves another socket has others.
    pub(super) fn make(socket: &Path) -> anyhow::Result<Self> {
        let instance = std::path::absolute(socket).context("cannot tell where the socket is")?;
        let run_dir = named_or("LVMWARDEN_RUN_DIR", "/run/lvmwarden");
        let state_dir = named_or("LVMWARDEN_STATE_DIR", "/var/lib/lvmwarden");
        let name = instance.to_string_lossy().replace('%', "%25").replace('/', "%2F");
        let own = run_dir.join(&name);
        let (journal, output) = (own.join("journal"), own.join("output"));
        let (changes, history) = (own.join("changes"), state_dir.join(name).join("history"));
        let place = Self { instance, journal, output, changes, history };
        refuse_newer_version(&place.journal).map_err(NewerJournal)?;
        make_directory(&run_dir, RUN_DIR_MODE)?;
        make_directory(&own, OWN_MODE)?;
        make_directory(&place.output, OWN_MODE)?;
        make_directory(&place.changes, OWN_MODE)?;
        Ok(place)
    }
}

/// Returns the directory that the environment names, or `usual`.
fn named_or(variable: &str, usual: &str) -> PathBuf {
    let named = std::env::var_os(variable).filter(|dir| !dir.is_empty());
    named.map_or_else(|| PathBuf::from(usual), PathBuf::from)
}

/// Makes a directory, or goes on with the one that is there: what lies in it is believed, so it must be root's.
fn make_directory(path: &Path, mode: u32) -> anyhow::Result<()> {
    let result = DirBuilder::new().recursive(true).mode(mode).create(path);
    result.with_context(|| format!("cannot make the directory {}", path.display()))?;
    let found =
        fs::metadata(path).with_context(|| format!("cannot look at the directory {}", path.display()))?;
    let is_ours = found.uid() == geteuid().as_raw() && found.mode() & OF_OTHERS == 0;
    ensure!(
        is_ours,
        "the directory {} is not to be trusted: only root may be able to write in it",
        path.display()
    );
    Ok(())
}
