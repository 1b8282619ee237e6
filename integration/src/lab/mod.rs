//! The lab: real LVM on a real kernel in throw-away virtual machines.
//!
//! ```text
//! scenario ── story ── Guest ── Connection ══ virtio-serial ══ agent (in the guest, root)
//!                        └──── Machine: QEMU, software emulation
//!                                 ├ card                of a lock host only: to the hub, which knows only guests
//!                                 ├ kernel, initramfs   Debian's, from the cache
//!                                 ├ root                the host's files, read-only; a tmpfs takes what is written
//!                                 ├ layer               our binaries of this build, over the host's files
//!                                 ├ lock packages       of a lock host only: over the host's files, from the cache
//!                                 └ disks               sparse files; the only place where LVM does anything
//! ```
//!
//! Nothing here touches the LVM, the disks, the network or the services of the machine it runs on, beyond installing
//! Debian packages when it runs as root and some are missing. A guest ends with the value that stands for it, with the
//! thread that started it, and with the process.
//!
//! In order, for a scenario: [`packages`] are there, the [`kernel`] and the [`initramfs`] are in the [`cache`], a
//! [`layer`] for its [`init`] and the [`disks`] are made, the [`machine`] starts, its [`agent`] says that it is ready, and the [`guest`]
//! takes commands. [`lvm`] has the words for storage, [`polld`] those for the poll daemon,
//! [`service`] those for the service that a [`package`] brings.
//!
//! Hosts that share their disks are a [`cluster`] on a [`hub`], with the [`lock_packages`] on their roots. [`lock_host`] has
//! the words for lock managers and lock daemons, [`held`] compares who says that what is locked.

pub mod agent;
pub mod cache;
pub mod cluster;
pub mod compare;
pub mod connection;
pub mod demo;
pub mod dice;
pub mod disks;
pub mod guest;
pub mod held;
pub(crate) mod host;
pub mod hub;
pub mod init;
pub mod initramfs;
pub mod kernel;
pub mod layer;
pub mod lock_host;
pub mod lock_packages;
pub mod lvm;
pub mod machine;
pub mod package;
pub mod packages;
pub mod polld;
pub mod reports;
pub mod service;
pub mod story;
mod transcript;
pub mod wire;

use anyhow::Result;

/// Installs the Debian packages that are missing, and brings the cache up to date with the kernel and
/// the lock packages that apt has today.
///
/// A guest does this by itself but for the last: it takes whatever kernel the cache has.
///
/// # Errors
/// A package or the kernel can be neither found nor downloaded.
pub fn prepare() -> Result<()> {
    packages::install_missing()?;
    let cache = cache::Cache::open()?;
    let kernel = kernel::Kernel::current(&cache)?;
    initramfs::prepare(&cache, &kernel)?;
    lock_packages::current(&cache)?;
    Ok(())
}
