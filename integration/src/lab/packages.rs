//! The Debian packages that the lab needs on the host, because a guest's root filesystem is the host's.
//!
//! Missing packages are installed when we are root; otherwise the error is the command to type.

use super::host::output_of;
use anyhow::{Result, bail};
use rustix::process::geteuid;
use std::path::Path;
use std::process::Command;

const PACKAGES: [&str; 13] = [
    "qemu-system-x86",
    "busybox-static",
    "kmod",
    "cpio",
    "xz-utils",
    "lvm2",
    "thin-provisioning-tools",
    "udev",
    "systemd",
    "dbus",
    "iproute2",
    "procps",
    "netcat-openbsd",
];

/// Installs what is missing; does nothing, and uses no network, when nothing is.
///
/// # Errors
/// Something is missing and we are not root (the error names the command to type), or `apt-get` fails.
pub fn install_missing() -> Result<()> {
    let missing: Vec<&str> = PACKAGES.into_iter().filter(|name| !is_installed(name)).collect();
    if missing.is_empty() { Ok(()) } else { install(&missing) }
}

/// Installs Debian packages.
///
/// # Errors
/// We are not root (the error names the command to type), or `apt-get` fails.
pub fn install(names: &[&str]) -> Result<()> {
    if !geteuid().is_root() {
        bail!("packages are missing; type: sudo apt-get install --no-install-recommends {}", names.join(" "));
    }
    update_lists()?;
    let mut install = Command::new("apt-get");
    install.args(["install", "--yes", "--no-install-recommends"]).args(names);
    install.env("DEBIAN_FRONTEND", "noninteractive");
    output_of(&mut install)?;
    Ok(())
}

/// Brings apt's package lists up to date.
///
/// # Errors
/// We are not root (the error names the command to type), or `apt-get` fails.
pub fn update_lists() -> Result<()> {
    if !geteuid().is_root() {
        bail!("apt's package lists are missing or too old; type: sudo apt-get update");
    }
    output_of(Command::new("apt-get").arg("update"))?;
    Ok(())
}

/// Downloads Debian packages into `folder` without installing them; a name may end with `=` and a version.
///
/// # Errors
/// `apt-get` fails, with new package lists as well.
pub(super) fn download(names: &[&str], folder: &Path) -> Result<()> {
    let attempt = || output_of(Command::new("apt-get").arg("download").args(names).current_dir(folder));
    // A mirror drops old versions: lists that are too old name files that are gone.
    if attempt().is_err() {
        update_lists()?;
        attempt()?;
    }
    Ok(())
}

/// Looks at dpkg's own file list: asking `dpkg` costs half a second, at each start of a guest.
fn is_installed(package: &str) -> bool {
    Path::new("/var/lib/dpkg/info").join(format!("{package}.list")).exists()
}
