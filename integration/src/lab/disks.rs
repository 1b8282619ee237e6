//! Disk images: sparse files that outlive a machine, so that a power cut can be followed by another boot.
//!
//! Beside them every machine has a read-only disk of random bytes to fill volumes from: making random bytes in a guest,
//! or passing any bytes through a pipe there, takes ten times as long as copying from disk to disk.

use super::cache::Cache;
use anyhow::{Context, Result};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The image of one disk, removed when dropped.
#[derive(Debug)]
pub struct Disk {
    folder: TempDir,
}

impl Disk {
    /// Makes an empty disk of `size_mib` MiB; it takes space on the host only where it is written to.
    ///
    /// # Errors
    /// The temporary folder takes no such file.
    pub fn create(size_mib: u64) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("lvmwarden-lab-disk-").tempdir()?;
        let disk = Self { folder };
        let file = File::create(disk.image()).context("cannot create a disk image")?;
        file.set_len(size_mib << 20).context("cannot set the size of a disk image")?;
        Ok(disk)
    }

    /// Returns the path of the raw image.
    pub fn image(&self) -> PathBuf {
        Path::new(self.folder.path()).join("disk.img")
    }
}

/// Size of the disk of random bytes.
pub const RANDOM_MIB: u64 = 128;

/// Returns the image of the disk of random bytes, made unless the cache has it.
///
/// # Errors
/// The cache takes no such file.
pub(super) fn random(cache: &Cache) -> Result<PathBuf> {
    cache.entry("random.img", |image| {
        let mut bytes = File::open("/dev/urandom")?.take(RANDOM_MIB << 20);
        io::copy(&mut bytes, &mut File::create(image)?).context("cannot write random bytes")?;
        Ok(())
    })
}

/// Returns the guest's name of its disk with this number, counted from 0: `/dev/vda`, `/dev/vdb`, ...
pub(super) fn device(number: usize) -> String {
    let letter = (b'a'..=b'z').nth(number).expect("a guest has a handful of disks");
    format!("/dev/vd{}", char::from(letter))
}
