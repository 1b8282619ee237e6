//! sanlock: locks are leases on a shared disk, which hosts take and renew there.
//!
//! ```text
//!   lockspace's thread ── registered socket ──► sanlock ──► leases on lvmlock (see layout)
//!        ▲ 'lvmlockctl --kill VG', run by sanlock when our lease on the lockspace is lost
//! ```
//! | module | is |
//! |---|---|
//! | [`layout`] | where the leases are, and their names |
//! | `device` | the disk that they are on |
//! | `leases` | making, finding, naming and freeing them |
//! | `connection` | locks, and the life of a lockspace |
//! | `errors` | what sanlock's refusals mean |
//! | `status` | what its daemon tells about itself |
//!
//! Source: lvm2 2.03.16 and 2.03.39, `lvmlockd-sanlock.c`; sanlock 3.8.5.

mod connection;
mod device;
mod errors;
pub mod layout;
mod leases;
mod status;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lvmwarden_protocol::ids::{LvName, VgName};
use lvmwarden_protocol::lock::{LockType, ResultCode};
use lvmwarden_supervisor::sys::sanlock::{Area, Sanlock};

use super::{Connection, Fault, InitLv, InitVg, LockManager, Remains, Site};
use connection::SanlockConnection;
use errors::{disk_fault, manager_fault, no_library};
use leases::Leases;
use status::SharedStatus;

/// The program that sanlock runs when the leases of a VG are lost, unless another one is configured.
pub const KILL_PROGRAM: &str = "/usr/sbin/lvmlockctl";
/// How much of its path sanlock keeps.
pub const KILL_PROGRAM_BYTES: usize = 126;

/// How sanlock is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The folder with the nodes of device-mapper's devices.
    pub device_folder: PathBuf,
    /// The program that sanlock runs, with the arguments `--kill VG`, when the leases of a VG are lost.
    pub kill_program: String,
    /// The I/O timeout in seconds; 0: sanlock's own.
    pub io_timeout_seconds: u32,
    /// Global and VG locks have values, as they had before lvm2 2.03.25: hosts with lvmetad need them.
    pub uses_value_blocks: bool,
}

/// sanlock as a lock manager.
pub struct SanlockManager {
    settings: Arc<Settings>,
    status: Arc<SharedStatus>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            device_folder: "/dev/mapper".into(),
            kill_program: KILL_PROGRAM.into(),
            io_timeout_seconds: 0,
            uses_value_blocks: true,
        }
    }
}

impl SanlockManager {
    /// Makes the lock manager; nothing is asked of sanlock yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings: Arc::new(settings), status: Arc::default() }
    }

    fn device(&self, vg: &VgName, lv: &LvName) -> PathBuf {
        layout::device(&self.settings.device_folder, vg, lv)
    }

    /// Opens the leases of a VG whose lockspace is not started.
    fn leases(&self, vg: &VgName, args: &str) -> Result<Leases, Fault> {
        let layout::VgArgs { lv, no_timeout } = layout::vg_args_of(args)?;
        let device = self.device(vg, &lv);
        let sanlock = library()?;
        device::wait_for(&device)?;
        let failed = |refusal| disk_fault(refusal, "read the leases of the VG");
        let (leases, _) = Leases::open(sanlock, vg, &device).map_err(failed)?;
        leases.must_know_no_timeout(no_timeout)?;
        Ok(leases)
    }
}

impl LockManager for SanlockManager {
    fn lock_type(&self) -> LockType {
        LockType::Sanlock
    }

    fn probe(&self) -> Result<(), Fault> {
        library()?.version().map(drop).map_err(|refusal| manager_fault(refusal, "find a running sanlock"))
    }

    fn connect(&self, site: &Site) -> Result<Box<dyn Connection>, Fault> {
        let vg = site.vg.clone().ok_or_else(|| Fault::new(ResultCode::INVALID, "lock without a VG"))?;
        let layout::VgArgs { lv, no_timeout } = layout::vg_args_of(&site.args)?;
        let device = self.device(&vg, &lv);
        let (settings, status) = (Arc::clone(&self.settings), Arc::clone(&self.status));
        Ok(Box::new(SanlockConnection::new(settings, status, vg, device, no_timeout, site.host_id)))
    }

    fn init_vg(&self, request: &InitVg) -> Result<String, Fault> {
        let lv = &layout::lv_for_leases(&request.args)?;
        let usage = layout::usage_of_words(&request.set_args)?;
        self.probe()?;
        let (sanlock, device) = (library()?, self.device(&request.vg, lv));
        device::wait_for(&device)?;
        let area =
            match device::sectors(&device).and_then(|sectors| layout::area_for(sectors, request.align_mb)) {
                Some(area) => area,
                None => default_area(sanlock, &device)?,
            };
        let leases = Leases::new(sanlock, &request.vg, &device, area, usage);
        leases.write_all(request.enable_global, self.settings.io_timeout_seconds)?;
        Ok(layout::vg_args(lv))
    }

    fn init_lv(&self, request: &InitLv) -> Result<String, Fault> {
        let leases = self.leases(&request.vg, &request.vg_args)?;
        let start = match &*request.previous_args {
            "" | "none" => 0,
            previous => layout::lv_lease_offset(previous, leases.area)? + layout::align(leases.area),
        };
        leases.make_lv(request.lv_uuid, start).map(layout::lv_args)
    }

    fn rename_vg(&self, vg: &VgName, args: &str) -> Result<(), Fault> {
        let device = self.device(vg, &layout::lock_lv(args)?);
        let no_device = |fault| Fault { code: ResultCode::NO_DEVICE, raw: ResultCode::NO_DEVICE.0, ..fault };
        device::wait_for(&device).map_err(no_device)?;
        self.leases(vg, args)?.rename_all(self.settings.io_timeout_seconds)
    }

    fn remains(&self) -> Result<Vec<Remains>, Fault> {
        let joined = library()?.lockspaces();
        let joined = joined.map_err(|refusal| manager_fault(refusal, "list the lockspaces of sanlock"))?;
        let ours = joined.into_iter().filter(|lockspace| lockspace.name.starts_with("lvm_"));
        Ok(ours
            .map(|lockspace| Remains {
                lockspace: lockspace.name,
                host_id: u32::try_from(lockspace.host_id).unwrap_or_default(),
            })
            .collect())
    }

    fn refresh_lv(&self, _vg: &VgName, _lv: &LvName) -> Result<(), Fault> {
        Ok(())
    }
}

fn library() -> Result<Sanlock, Fault> {
    Sanlock::load().map_err(|error| no_library(&error))
}

fn default_area(sanlock: Sanlock, device: &Path) -> Result<Area, Fault> {
    let bytes = sanlock.align_bytes(device);
    Ok(layout::area_of_align(bytes.map_err(|refusal| disk_fault(refusal, "find the size of leases"))?))
}
