//! The initramfs of the guests: a static busybox, the drivers for virtio, 9p and overlayfs, and one script.
//!
//! Cached under a name made of the kernel's and of a hash of everything that goes into it.

use super::cache::Cache;
use super::host::output_of;
use super::kernel::Kernel;
use anyhow::{Context, Result};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const BUSYBOX: &str = "/bin/busybox";
const SCRIPT: &str = include_str!("guest_files/initramfs.sh");

/// Modules by name; what they need is added. A guest has no network, so there is no driver for one.
const MODULES: [&str; 6] = ["virtio_pci", "virtio_blk", "virtio_console", "9pnet_virtio", "9p", "overlay"];

/// Returns the initramfs for `kernel`, made unless the cache has it.
///
/// # Errors
/// A module or busybox is missing, or `cpio` or `gzip` fails.
pub fn prepare(cache: &Cache, kernel: &Kernel) -> Result<PathBuf> {
    let busybox = fs::read(BUSYBOX).with_context(|| format!("cannot read {BUSYBOX}"))?;
    let mut hasher = DefaultHasher::new();
    (&busybox, SCRIPT, MODULES).hash(&mut hasher);
    let name = format!("initramfs-{}-{:016x}.gz", kernel.name(), hasher.finish());
    cache.entry(&name, |archive| make(kernel, archive))
}

fn make(kernel: &Kernel, archive: &Path) -> Result<()> {
    let staging = tempfile::tempdir()?;
    let root = staging.path();
    fs::create_dir_all(root.join("bin"))?;
    fs::create_dir_all(root.join("drivers"))?;
    fs::copy(BUSYBOX, root.join("bin/busybox"))?;
    copy_drivers(kernel, &root.join("drivers"))?;
    fs::write(root.join("init"), SCRIPT)?;
    fs::set_permissions(root.join("init"), fs::Permissions::from_mode(0o755))?;
    let pack = r#"set -o pipefail; cd "$1"; find . | cpio --quiet -o -H newc | gzip -1 > "$2""#;
    output_of(Command::new("bash").args(["-c", pack, "bash"]).args([root, archive]))?;
    Ok(())
}

/// Copies the modules to `folder`, with the order to load them in as the file `order`, one name a line.
fn copy_drivers(kernel: &Kernel, folder: &Path) -> Result<()> {
    let mut order: Vec<String> = Vec::new();
    for module in MODULES {
        for file in kernel.load_order(module)? {
            let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if !order.contains(&name) {
                fs::copy(&file, folder.join(&name))
                    .with_context(|| format!("cannot copy {}", file.display()))?;
                order.push(name);
            }
        }
    }
    fs::write(folder.join("order"), order.join("\n") + "\n")?;
    Ok(())
}
