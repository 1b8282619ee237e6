//! The file by which a C daemon that is started after us finds our locks, and we those of a C daemon.
//!
//! It is replaced as a whole, by a rename, before the client of a lock is answered: it is never half written, and an
//! acknowledged lock is always in it. (The C daemon writes it in place, afterwards.) One that cannot be used, or not all of
//! it, is kept beside before it is written over: nobody knows whose locks it tells of.

use std::fs;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use lvmwarden_protocol::ids::{VgName, VgUuid};
use lvmwarden_protocol::lock::LockArgs;
use lvmwarden_protocol::lock::adopt_file::{AdoptFile as Content, AdoptLv, AdoptVg, OddLine};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::lock_manager::Resource;
use crate::foundation::error_chain::chain;
use crate::foundation::local_time;
use crate::roles::lock::lockspace::book::{LockBook, Started};

/// How `ctime` says when.
const CTIME: &str = "%a %b %e %H:%M:%S %Y";

/// An adopt file at its place.
#[derive(Debug)]
pub struct AdoptFile {
    path: PathBuf,
    updates: AtomicU64,
    is_ours: AtomicBool,
    /// What is there could not be kept beside: it is not written over.
    is_barred: AtomicBool,
    /// Held while it is written: what is written last is what is true.
    turn: Arc<Mutex<()>>,
}

impl AdoptFile {
    /// Says where it is; nothing is looked at.
    pub fn at(path: PathBuf) -> Self {
        let [is_ours, is_barred] = [false; 2].map(AtomicBool::new);
        Self { path, updates: AtomicU64::new(0), is_ours, is_barred, turn: Arc::default() }
    }

    /// Writes the file anew; `book` is looked at when it is this one's turn.
    ///
    /// # Errors
    /// Why the old one is still there, for the log.
    pub async fn store(&self, book: impl FnOnce() -> LockBook) -> Result<(), String> {
        if self.is_barred.load(Ordering::Relaxed) {
            let path = self.path.display();
            return Err(format!(
                "write {path}: it tells of locks that nobody could read, and could not be kept beside"
            ));
        }
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let updates = self.updates.fetch_add(1, Ordering::Relaxed) + 1;
        let content = content_of(&book(), updates, local_time::now().strftime(CTIME).to_string());
        let path = self.path.clone();
        let written = spawn_blocking(move || {
            let _turn = turn;
            replace(&path, &content.to_bytes())
        });
        let written = written.await.map_err(|error| chain(&error))?;
        written.map_err(|error| format!("write {}: {error}", self.path.display()))?;
        self.is_ours.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Reads what an earlier daemon has written, and which lines of it make no sense; `None` when there is none.
    ///
    /// # Errors
    /// Why it cannot be used at all, for the log.
    pub fn load(&self) -> Result<Option<(Content, Vec<OddLine>)>, String> {
        match fs::read(&self.path) {
            Ok(bytes) => Content::parse(&bytes).map(Some).map_err(|error| chain(&error)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("read {}: {error}", self.path.display())),
        }
    }

    /// Copies it, as it is, to the same name with `.unusable` behind; returns where that is. Where that fails it is not
    /// written any more in this life.
    ///
    /// # Errors
    /// Why it is not there, for the log.
    pub fn keep_beside(&self) -> Result<PathBuf, String> {
        let mut name = self.path.clone().into_os_string();
        name.push(".unusable");
        let beside = PathBuf::from(name);
        match copy(&self.path, &beside) {
            Ok(()) => Ok(beside),
            Err(error) => {
                self.is_barred.store(true, Ordering::Relaxed);
                Err(format!("copy {} to {}: {error}", self.path.display(), beside.display()))
            }
        }
    }

    /// Removes it at an orderly end, if it is ours and `book` remembers nothing.
    pub fn remove(&self, book: &LockBook) {
        if self.is_ours.load(Ordering::Relaxed) && book.lockspaces().next().is_none() {
            // There is nobody to be told.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Returns what the file says of this book: dlm's global lockspace is left out, as in C.
fn content_of(book: &LockBook, updates: u64, time: String) -> Content {
    let mut content = Content { pid: std::process::id(), updates, time, vgs: Vec::new(), lvs: Vec::new() };
    for booked in book.lockspaces() {
        let started = &booked.started;
        // A line that lacks a word spoils the file for the C daemon.
        let Some((vg, vg_uuid, args)) = words_of(started) else { continue };
        content.vgs.push(AdoptVg { uuid: vg_uuid, name: vg, lock_type: started.lock_type, args });
        for (resource, lock) in booked.locks.locks() {
            let Resource::Lv(uuid) = resource else { continue };
            let held = lock.holders.iter().chain(&lock.wanted);
            content.lvs.extend(held.filter_map(|(mode, holder)| {
                let args = word_of(&holder.lv_args)?;
                Some(AdoptLv { vg_uuid, uuid: *uuid, args, mode: *mode, version: 0 })
            }));
        }
    }
    content
}

fn words_of(started: &Started) -> Option<(VgName, VgUuid, LockArgs)> {
    Some((started.vg.clone()?, started.vg_uuid.as_str().try_into().ok()?, word_of(&started.args)?))
}

fn word_of(args: &str) -> Option<LockArgs> {
    LockArgs::try_from(args).ok().filter(|args| !args.is_empty())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    fs::File::open(to)?.sync_all()
}

fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let temporary = directory.join(format!(".{}.lvmwarden", file_name(path)));
    let mut file = fs::File::create(&temporary)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
