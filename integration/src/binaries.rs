//! Finds the executables under test.

use std::path::{Path, PathBuf};

/// Names the folder with our programs for the guests, such as `target/guests`, in the environment.
///
/// An emulated processor takes seconds for a start of a program that was built without optimization.
pub const GUESTS_BINARIES: &str = "LVMWARDEN_GUESTS_BINARIES";

/// Returns the path of our daemon for a guest: in the folder of [`GUESTS_BINARIES`], or that of [`lvmwardend`].
///
/// # Panics
/// When it is not there.
pub fn lvmwardend_for_guests() -> PathBuf {
    for_guests("lvmwardend").unwrap_or_else(lvmwardend)
}

/// Returns the path of our command line for a guest: in the folder of [`GUESTS_BINARIES`], or that of [`lvmwarden`].
///
/// # Panics
/// When it is not there.
pub fn lvmwarden_for_guests() -> PathBuf {
    for_guests("lvmwarden").unwrap_or_else(lvmwarden)
}

fn for_guests(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os(GUESTS_BINARIES)?);
    Some(must_exist(folder.join(name), "build it with `cargo build -p lvmwarden --profile guests`"))
}

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
