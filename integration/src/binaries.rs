//! Finds the executables under test.

use std::path::{Path, PathBuf};

/// Returns the path of our daemon: `LVMWARDEN_BIN`, or `lvmwardend` beside the running test.
///
/// # Panics
/// When it is not there; the message names the command that builds it.
pub fn lvmwardend() -> PathBuf {
    let path = std::env::var_os("LVMWARDEN_BIN").map_or_else(|| sibling("lvmwardend"), PathBuf::from);
    must_exist(path, "build it with `cargo build -p lvmwarden`, or set LVMWARDEN_BIN")
}

/// Returns the path of our command line: `lvmwarden` beside the running test.
///
/// # Panics
/// When it is not there.
pub fn lvmwarden() -> PathBuf {
    must_exist(sibling("lvmwarden"), "build it with `cargo build -p lvmwarden`")
}

/// Returns the path of the C daemon: `LVMPOLLD_BIN`, or where Debian's package lvm2 puts it.
///
/// # Panics
/// When it is not there.
pub fn stock_lvmpolld() -> PathBuf {
    let path = std::env::var_os("LVMPOLLD_BIN").map_or_else(|| "/usr/sbin/lvmpolld".into(), PathBuf::from);
    must_exist(path, "install it with `apt-get install lvm2`, or set LVMPOLLD_BIN")
}

/// Returns the path of the stub `lvm` of this package.
///
/// # Panics
/// When it is not there.
pub fn fake_lvm() -> PathBuf {
    must_exist(sibling("fake-lvm"), "build it with `cargo build -p lvmwarden-integration --bin fake-lvm`")
}

/// Returns the path of the command that has locks, of this package.
///
/// # Panics
/// When it is not there.
pub fn asker() -> PathBuf {
    must_exist(sibling("asker"), "build it with `cargo build -p lvmwarden-integration --bin asker`")
}

/// Returns the path of the lab's own binary, which is the agent in its guests.
///
/// # Panics
/// When it is not there.
pub fn lab() -> PathBuf {
    must_exist(sibling("lab"), "build it with `cargo build -p lvmwarden-integration --bin lab`")
}

fn must_exist(path: PathBuf, remedy: &str) -> PathBuf {
    assert!(path.exists(), "{} does not exist: {remedy}", path.display());
    path
}

/// Returns the path of `name` in the profile's folder; cargo puts test executables into `deps` below it.
fn sibling(name: &str) -> PathBuf {
    let executable = std::env::current_exe().expect("a running program has a path");
    let folder = executable.parent().expect("an executable lies in a folder");
    let profile = if folder.ends_with("deps") { folder.parent().unwrap_or(folder) } else { folder };
    Path::new(profile).join(name)
}
