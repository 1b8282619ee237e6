//! Our Debian package, made by cargo-deb from the programs that other guests have, too: what is tested is what was built.

use super::host::output_of;
use crate::binaries;
use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes the package with `revision`, the part of its version behind the dash, in `folder`.
///
/// # Errors
/// cargo-deb is missing, or fails.
pub fn make(folder: &Path, revision: u32) -> Result<PathBuf> {
    // cargo-deb takes what lies in "release": of a folder of our own, where that stands for this build's profile.
    let target = tempfile::tempdir()?;
    let daemon = binaries::lvmwardend_for_guests();
    let profile = daemon.parent().context("an executable lies in a folder")?;
    symlink(fs::canonicalize(profile)?, target.path().join("release"))?;
    let package = folder.join(name(revision));
    let mut cargo = Command::new("cargo");
    cargo.args(["deb", "--quiet", "--no-build", "--fast", "--manifest-path"]);
    cargo.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../bin/Cargo.toml"));
    cargo.arg("--deb-revision").arg(revision.to_string()).arg("--output").arg(&package);
    output_of(cargo.env("CARGO_TARGET_DIR", target.path()))
        .context("cannot make a package; is cargo-deb missing? cargo install cargo-deb --locked")?;
    Ok(package)
}

/// Returns the name of the file.
pub(super) fn name(revision: u32) -> String {
    format!("lvmwarden_{revision}.deb")
}
