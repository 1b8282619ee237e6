//! The folder where the lab keeps what is expensive to make: the unpacked kernel and the initramfs.
//!
//! Owns the folder's place and its lock. Everything in it can be made again: delete it at any time when no lab runs.
//! An entry is made under a temporary name and renamed when it is complete, so what has its final name is whole.

use anyhow::{Context, Result};
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The lab's cache, locked against other processes that would fill it at the same time.
#[derive(Debug)]
pub struct Cache {
    folder: PathBuf,
    // The lock is the open file; closing it lets the next process in.
    _lock: File,
}

impl Cache {
    /// Opens the cache and waits until no other process fills it.
    ///
    /// The folder is `$LVMWARDEN_LAB_CACHE`, else `$XDG_CACHE_HOME/lvmwarden-lab`, else `~/.cache/lvmwarden-lab`.
    ///
    /// # Errors
    /// None of the three variables is set, or the folder cannot be made or locked.
    pub fn open() -> Result<Self> {
        let folder = folder()?;
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let path = folder.join("lock");
        let lock = File::create(&path).with_context(|| format!("cannot create {}", path.display()))?;
        lock.lock().with_context(|| format!("cannot lock {}", path.display()))?;
        Ok(Self { folder, _lock: lock })
    }

    /// Returns the folder of the cache.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the newest complete entry whose name begins with `prefix`.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn newest(&self, prefix: &str) -> Result<Option<PathBuf>> {
        let mut entries: Vec<_> = fs::read_dir(&self.folder)?.collect::<Result<_, _>>()?;
        entries.retain(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with(prefix) && !name.ends_with(".partial")
        });
        let modified = |entry: &fs::DirEntry| entry.metadata().and_then(|metadata| metadata.modified()).ok();
        Ok(entries.into_iter().max_by_key(modified).map(|entry| entry.path()))
    }

    /// Returns the entry `name`; `make` makes it at the path it is given (absent before) when there is none yet.
    ///
    /// # Errors
    /// Those of `make`, and failures to rename.
    pub fn entry(&self, name: &str, make: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
        let entry = self.folder.join(name);
        if entry.exists() {
            return Ok(entry);
        }
        // Only the holder of the lock is here: a partial entry is what a killed process left.
        let partial = self.folder.join(format!("{name}.partial"));
        remove(&partial)?;
        make(&partial)?;
        fs::rename(&partial, &entry).with_context(|| format!("cannot rename to {}", entry.display()))?;
        Ok(entry)
    }
}

/// Returns the folder of the cache without opening it.
///
/// # Errors
/// None of the environment variables that name it is set.
pub fn folder() -> Result<PathBuf> {
    if let Some(folder) = env::var_os("LVMWARDEN_LAB_CACHE") {
        return Ok(folder.into());
    }
    let base = env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
        .context("no folder for the lab's cache: set LVMWARDEN_LAB_CACHE")?;
    Ok(base.join("lvmwarden-lab"))
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}
