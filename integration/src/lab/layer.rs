//! The layer that lies over the host's files in a guest: our binaries and the guest's PID 1.
//!
//! Copies, in a folder of their own: where cargo puts its results (perhaps below `/tmp`, which a guest hides) does not
//! matter then, and a build during a scenario does not change a program that the guest is running.

use crate::binaries;
use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A folder shaped like the root of a filesystem.
#[derive(Debug)]
pub struct Layer {
    /// The folder; it holds `usr/sbin`.
    pub folder: PathBuf,
}

impl Layer {
    /// Makes the layer at `folder` from the binaries of this build.
    ///
    /// # Errors
    /// Copying fails.
    ///
    /// # Panics
    /// A binary has not been built; the message names the command that builds it.
    pub fn make(folder: &Path) -> Result<Self> {
        let sbin = folder.join("usr/sbin");
        fs::create_dir_all(&sbin)?;
        for (source, name) in [(binaries::lvmwardend(), "lvmwardend"), (binaries::lab(), "lvmwarden-lab")] {
            fs::copy(&source, sbin.join(name))
                .with_context(|| format!("cannot copy {}", source.display()))?;
        }
        let init = sbin.join("lvmwarden-lab-init");
        fs::write(&init, include_str!("guest_files/init.sh"))?;
        fs::set_permissions(&init, fs::Permissions::from_mode(0o755))?;
        Ok(Self { folder: folder.to_owned() })
    }
}
