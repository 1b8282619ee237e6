//! The lock managers and the C lock daemon: Debian's packages, downloaded and unpacked into the cache.
//!
//! They are never installed on the host: their maintainer scripts would start daemons there. A guest gets them as a layer
//! over the host's root; a test that needs no guest starts a program of them with [`library_path`] in its environment.

use super::cache::Cache;
use super::host::output_of;
use super::packages;
use anyhow::{Context, Result};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs, those libraries of theirs that a host with LVM does not have by itself, and the headers that a test
/// compares with.
const PACKAGES: [&str; 29] = [
    "lvm2-lockd",
    "sanlock",
    "libsanlock1",
    "libsanlock-client1",
    "dlm-controld",
    "libdlm3",
    "libdlmcontrol3",
    "corosync",
    "libcfg7",
    "libcmap4",
    "libcorosync-common4",
    "libcpg4",
    "libquorum5",
    "libvotequorum8",
    "libknet1",
    "liblz4-1",
    "liblzo2-2",
    "libnl-3-200",
    "libnl-route-3-200",
    "libnozzle1",
    "libqb100",
    "libstatgrab10",
    "libaio1",
    "libsanlock-dev",
    "libdlm-dev",
    "libdlmcontrol-dev",
    "libcorosync-common-dev",
    "libcpg-dev",
    "libquorum-dev",
];

/// What a host with a merged `/usr` has as links; the packages lie on both sides of them.
const MERGED: [&str; 3] = ["bin", "lib", "sbin"];

/// Returns the folder of the unpacked packages, shaped like the root of a filesystem with everything below `usr`:
/// `usr/sbin/lvmlockd`, `usr/sbin/sanlock`, ... Downloads them when the cache has none.
///
/// # Errors
/// Those of `current`.
pub fn root() -> Result<PathBuf> {
    cached_or_current(&Cache::open()?)
}

/// Returns the folder of the libraries in [`root`], for `LD_LIBRARY_PATH`.
///
/// # Errors
/// Those of [`root`].
pub fn library_path() -> Result<PathBuf> {
    Ok(root()?.join("usr/lib/x86_64-linux-gnu"))
}

/// Returns the newest unpacked packages of the cache, or downloads the current ones when there are none.
///
/// # Errors
/// Those of [`current`].
pub(super) fn cached_or_current(cache: &Cache) -> Result<PathBuf> {
    match cache.newest(&prefix())? {
        Some(folder) => Ok(folder),
        None => current(cache),
    }
}

/// Returns the packages that apt would install today, downloading them unless the cache has them.
///
/// # Errors
/// apt knows one of them not, or the download or the unpacking fails.
pub(super) fn current(cache: &Cache) -> Result<PathBuf> {
    let versions = versions().or_else(|_| {
        packages::update_lists()?;
        versions()
    })?;
    cache.entry(&format!("{}{:016x}", prefix(), hash_of(&versions)), make)
}

/// The list of packages is in the name: what an earlier list brought is not taken for this one's.
fn prefix() -> String {
    format!("lock-packages-{:016x}-", hash_of(&PACKAGES))
}

fn hash_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

fn versions() -> Result<Vec<String>> {
    let text = output_of(Command::new("apt-cache").args(["show", "--no-all-versions"]).args(PACKAGES))?;
    Ok(text.lines().filter(|line| line.starts_with("Version: ")).map(str::to_owned).collect())
}

fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder.join("usr"))?;
    for name in MERGED {
        fs::create_dir(folder.join("usr").join(name))?;
        symlink(format!("usr/{name}"), folder.join(name))?;
    }
    let downloads = tempfile::tempdir()?;
    packages::download(&PACKAGES, downloads.path())?;
    for package in fs::read_dir(downloads.path())? {
        unpack(&package?.path(), folder)?;
    }
    Ok(())
}

/// Unpacks `package` through the links in `folder`, which `dpkg -x` would replace by folders.
fn unpack(package: &Path, folder: &Path) -> Result<()> {
    let script = r#"set -o pipefail; dpkg --fsys-tarfile "$1" | tar -x --keep-directory-symlink -C "$2""#;
    output_of(Command::new("bash").args(["-c", script, "bash"]).args([package, folder]))
        .with_context(|| format!("cannot unpack {}", package.display()))?;
    Ok(())
}
