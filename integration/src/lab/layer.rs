//! The layer that lies over the host's files in a guest: our binaries or packages, and the guest's PID 1.
//!
//! Copies, in a folder of their own: where cargo puts its results (perhaps below `/tmp`, which a guest hides) does not
//! matter then, and a build during a scenario does not change a program that the guest is running.

use super::init::{Init, PACKAGE_FOLDER};
use crate::binaries;
use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A folder shaped like the root of a filesystem.
#[derive(Debug)]
pub struct Layer {
    /// The folder; it holds `usr/sbin` at least.
    pub folder: PathBuf,
}

impl Layer {
    /// Makes the layer for `init` at `folder`, from the binaries of this build.
    ///
    /// # Errors
    /// Copying fails.
    ///
    /// # Panics
    /// A binary has not been built; the message names the command that builds it.
    pub fn make(folder: &Path, init: &Init) -> Result<Self> {
        let sbin = folder.join("usr/sbin");
        fs::create_dir_all(&sbin)?;
        copy(&binaries::lab(), &sbin.join("lvmwarden-lab"))?;
        let script = match init {
            Init::Bare | Init::Even | Init::Udevd | Init::LockHost { .. } => {
                copy(&binaries::lvmwardend_for_guests(), &sbin.join("lvmwardend"))?;
                copy(&binaries::lvmwarden_for_guests(), &sbin.join("lvmwarden"))?;
                include_str!("guest_files/init.sh")
            }
            Init::Systemd { packages } => {
                bring(packages, folder)?;
                include_str!("guest_files/init-systemd.sh")
            }
        };
        let init = sbin.join("lvmwarden-lab-init");
        fs::write(&init, script)?;
        fs::set_permissions(&init, fs::Permissions::from_mode(0o755))?;
        Ok(Self { folder: folder.to_owned() })
    }
}

fn bring(packages: &[PathBuf], folder: &Path) -> Result<()> {
    let target = folder.join(PACKAGE_FOLDER.trim_start_matches('/'));
    fs::create_dir_all(&target)?;
    for package in packages {
        copy(package, &target.join(package.file_name().context("a package is a file")?))?;
    }
    Ok(())
}

fn copy(source: &Path, target: &Path) -> Result<()> {
    fs::copy(source, target).with_context(|| format!("cannot copy {}", source.display()))?;
    Ok(())
}
