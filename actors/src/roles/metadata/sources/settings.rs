//! Where the sources look.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use lvmwarden_supervisor::process::Processes;

use super::block_devices::Devices;

/// Where the sources look, and what they may start.
pub struct SourcesSettings {
    /// LVM's run directory, `/run/lvm`.
    pub run: PathBuf,
    /// Where LVM writes the metadata of each VG after each change, `/etc/lvm/backup`.
    pub backup: PathBuf,
    /// The devices.
    pub devices: Arc<dyn Devices>,
    /// The kernel tells of changes.
    pub has_uevents: bool,
    /// How LVM is asked which devices it uses; `None`: it is not.
    pub lvm: Option<Lvm>,
}

/// How an LVM command is run.
#[derive(Clone)]
pub struct Lvm {
    /// Starts it.
    pub processes: Arc<dyn Processes>,
    /// The lvm binary.
    pub binary: PathBuf,
    /// Where the pipes of its output are made.
    pub output_dir: PathBuf,
    /// The environment that it inherits.
    pub inherited: BTreeMap<OsString, OsString>,
}
