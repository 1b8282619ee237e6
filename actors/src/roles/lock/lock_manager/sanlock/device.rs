//! The disk with the leases, as the system sees it: a device, or a file that stands for one.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use lvmwarden_protocol::lock::ResultCode;
use rustix::fs::{major, minor};

use crate::roles::lock::lock_manager::Fault;

/// How often, and how many times, it is looked whether a device has appeared: udev makes its node a little later than
/// lvm has activated the LV.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const LOOKS: u32 = 250;
/// The unit in which the kernel tells the size of devices, whatever their sectors.
const SIZE_UNIT_BYTES: u64 = 512;

/// Waits a moment for a device, and tells when there is none.
///
/// # Errors
/// [`ResultCode::BAD_ARGS`]
pub(super) fn wait_for(device: &Path) -> Result<(), Fault> {
    for _ in 0..LOOKS {
        if device.exists() {
            return Ok(());
        }
        #[expect(clippy::disallowed_methods, reason = "this thread is for waiting")]
        thread::sleep(LOOK_EVERY);
    }
    Err(Fault::new(ResultCode::BAD_ARGS, format!("find the device {}", device.display())))
}

/// Returns the physical and the logical size of a device's sectors in bytes; `None` for what is no device.
pub(super) fn sectors(device: &Path) -> Option<(u32, u32)> {
    let metadata = fs::metadata(device).ok().filter(is_device)?;
    Some((
        attribute(&metadata, "queue/physical_block_size").ok()?,
        attribute(&metadata, "queue/logical_block_size").ok()?,
    ))
}

/// Returns the size of a device in bytes.
///
/// # Errors
/// It cannot be looked at.
pub(super) fn size_bytes(device: &Path) -> Result<u64, Fault> {
    let size = || {
        let metadata = fs::metadata(device)?;
        if is_device(&metadata) {
            Ok(attribute::<u64>(&metadata, "size")? * SIZE_UNIT_BYTES)
        } else {
            Ok(metadata.len())
        }
    };
    size().map_err(|error: io::Error| {
        Fault::new(ResultCode::LOCK_IO, format!("find the size of {}: {error}", device.display()))
    })
}

fn is_device(metadata: &Metadata) -> bool {
    metadata.file_type().is_block_device()
}

fn attribute<T: FromStr>(metadata: &Metadata, name: &str) -> io::Result<T> {
    let number = metadata.rdev();
    let folder = PathBuf::from(format!("/sys/dev/block/{}:{}", major(number), minor(number)));
    let text = fs::read_to_string(folder.join(name))?;
    text.trim().parse().map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
}
