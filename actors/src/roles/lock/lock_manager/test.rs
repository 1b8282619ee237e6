//! The lock manager of test mode (`lvmlockd -T`): every lock is granted, nothing is asked of anybody, nothing blocks.
//!
//! It answers as the C daemon's test mode does, without its pauses: no lock manager, no other host, and no value blocks
//! but those that the daemon has in memory. Of sanlock's checks those of lock arguments, host id and device are left: a
//! device may be any file.
//!
//! Source: lvm2 2.03.16, seen.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lvmwarden_protocol::ids::{LvName, LvUuid, VgName};
use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode};
use lvmwarden_supervisor::sys::sanlock::Area;

use super::sanlock::layout;
use super::{
    Acquire, Adopt, Connection, Fault, GlobalLease, InitLv, InitVg, Leave, Leftover, LockManager, OtherHosts,
    Prepared, Remains, Renewal, Resource, Site, ValueBlock, dlm,
};

/// The cluster that dlm's VGs belong to.
const CLUSTER: &str = "test";
const AREA: Area = Area { sector_bytes: 512, align_mib: 1 };
const LEASE_BYTES: u64 = 1024 * 1024;

/// The lock manager.
pub struct TestManager {
    lock_type: LockType,
    device_folder: PathBuf,
    leases: Arc<Leases>,
    remotes: Arc<Remotes>,
}

/// An LV by its VG's name and its own UUID.
type RemoteLv = (VgName, LvUuid);

/// Which LVs another host is said to have locked.
#[derive(Default)]
struct Remotes(Mutex<HashMap<RemoteLv, LockMode>>);

/// Where the next LV's lease is, in whatever VG.
struct Leases(AtomicU64);

struct TestConnection {
    vg: Option<VgName>,
    leases: Arc<Leases>,
    remotes: Arc<Remotes>,
    global: GlobalLease,
    /// sanlock's: what is looked at before a lockspace is joined.
    sanlock: Option<SanlockSite>,
}

struct SanlockSite {
    device: PathBuf,
    host_id: u32,
}

impl TestManager {
    /// Makes a lock manager that pretends to be of this type; devices of leases are looked for in `device_folder`.
    pub fn new(lock_type: LockType, device_folder: impl Into<PathBuf>) -> Self {
        let leases = Arc::new(Leases(AtomicU64::new(layout::first_lv_offset(AREA))));
        Self { lock_type, device_folder: device_folder.into(), leases, remotes: Arc::default() }
    }
}

impl LockManager for TestManager {
    fn lock_type(&self) -> LockType {
        self.lock_type
    }

    fn probe(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn connect(&self, site: &Site) -> Result<Box<dyn Connection>, Fault> {
        let sanlock = match (&site.vg, self.lock_type) {
            (Some(vg), LockType::Sanlock) => {
                let device = layout::device(&self.device_folder, vg, &layout::lock_lv(&site.args)?);
                Some(SanlockSite { device, host_id: site.host_id })
            }
            (_, LockType::Dlm) => {
                dlm::cluster_of(&site.args)?;
                None
            }
            (None, LockType::Sanlock) | (_, LockType::Idm) => None,
        };
        let global = if sanlock.is_some() { GlobalLease::Enabled } else { GlobalLease::Absent };
        let (leases, remotes) = (Arc::clone(&self.leases), Arc::clone(&self.remotes));
        Ok(Box::new(TestConnection { vg: site.vg.clone(), leases, remotes, global, sanlock }))
    }

    fn init_vg(&self, request: &InitVg) -> Result<String, Fault> {
        layout::usage_of_words(&request.set_args)?;
        match (self.lock_type, &*request.args) {
            (LockType::Dlm, _) => Ok(format!("1.0.0:{CLUSTER}")),
            (LockType::Sanlock, lv) => Ok(layout::vg_args(&layout::lv_for_leases(lv)?)),
            (LockType::Idm, _) => Ok("none".to_owned()),
        }
    }

    fn init_lv(&self, _request: &InitLv) -> Result<String, Fault> {
        Ok(match self.lock_type {
            LockType::Sanlock => self.leases.next(),
            LockType::Dlm | LockType::Idm => "none".to_owned(),
        })
    }

    fn rename_vg(&self, _vg: &VgName, _args: &str) -> Result<(), Fault> {
        Ok(())
    }

    fn remains(&self) -> Result<Vec<Remains>, Fault> {
        Ok(Vec::new())
    }

    fn refresh_lv(&self, _vg: &VgName, _lv: &LvName) -> Result<(), Fault> {
        Ok(())
    }

    fn pretend_remote(&self, vg: &VgName, lv_uuid: LvUuid, mode: Option<LockMode>) -> bool {
        self.remotes.set(vg, lv_uuid, mode);
        true
    }
}

impl Remotes {
    /// Has another host lock an LV, or unlock it for any mode that is neither shared nor exclusive.
    fn set(&self, vg: &VgName, lv_uuid: LvUuid, mode: Option<LockMode>) {
        let lv = (vg.clone(), lv_uuid);
        let mut remotes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match mode {
            Some(mode @ (LockMode::Shared | LockMode::Exclusive)) => remotes.insert(lv, mode),
            None | Some(LockMode::Unlocked | LockMode::Null) => remotes.remove(&lv),
        };
    }

    /// Returns an error when another host's lock does not go together with this one.
    fn check(&self, vg: Option<&VgName>, resource: &Resource, mode: LockMode) -> Result<(), Fault> {
        let (Some(vg), Resource::Lv(uuid)) = (vg, resource) else { return Ok(()) };
        let remotes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Nearly always there is none.
        if remotes.is_empty() {
            return Ok(());
        }
        match remotes.get(&(vg.clone(), *uuid)) {
            None => Ok(()),
            Some(LockMode::Shared) if mode == LockMode::Shared => Ok(()),
            Some(_) => Err(Fault::new(ResultCode::AGAIN, "lock an LV that another host has locked")),
        }
    }
}

impl Leases {
    fn next(&self) -> String {
        layout::lv_args(self.0.fetch_add(LEASE_BYTES, Ordering::Relaxed))
    }
}

impl Connection for TestConnection {
    fn prepare(&mut self, _repair: bool) -> Result<Prepared, Fault> {
        let Some(site) = &self.sanlock else {
            return Ok(Prepared { global: self.global, previous_generation: 0, is_left_behind: false });
        };
        if !site.device.exists() {
            let text = format!("find the device {}", site.device.display());
            return Err(Fault::new(ResultCode::BAD_ARGS, text));
        }
        if site.host_id == 0 || site.host_id > layout::MAX_HOST_ID {
            return Err(Fault::new(ResultCode::BAD_HOST_ID, format!("use host id {}", site.host_id)));
        }
        Ok(Prepared { global: self.global, previous_generation: 0, is_left_behind: false })
    }

    fn join(&mut self, _adopt: Adopt, _nodelay: bool) -> Result<u32, Fault> {
        Ok(0)
    }

    fn leave(&mut self, _how: Leave) -> Result<(), Fault> {
        Ok(())
    }

    fn acquire(
        &mut self,
        resource: &Resource,
        mode: LockMode,
        how: &Acquire,
    ) -> Result<Option<ValueBlock>, Fault> {
        self.remotes.check(self.vg.as_ref(), resource, mode)?;
        if self.sanlock.is_some() && matches!(resource, Resource::Lv(_)) {
            layout::lv_lease_offset(&how.lv_args, AREA)?;
        }
        Ok(None)
    }

    fn convert(&mut self, resource: &Resource, mode: LockMode, _: Option<ValueBlock>) -> Result<(), Fault> {
        self.remotes.check(self.vg.as_ref(), resource, mode)
    }

    fn release(&mut self, _: &Resource, _: Option<ValueBlock>, _free: bool) -> Result<(), Fault> {
        Ok(())
    }

    fn orphans(&mut self) -> Result<Option<Vec<Leftover>>, Fault> {
        Ok(Some(Vec::new()))
    }

    fn drop_orphans(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn other_hosts(&mut self) -> Result<OtherHosts, Fault> {
        Ok(OtherHosts::default())
    }

    fn find_free_lock(&mut self, _size_bytes: u64) -> Result<(), Fault> {
        Ok(())
    }

    fn init_lv(&mut self, _request: &InitLv) -> Result<String, Fault> {
        Ok(if self.sanlock.is_some() { self.leases.next() } else { "none".to_owned() })
    }

    fn free_lv(&mut self, _lv_uuid: LvUuid, _lv_args: &str) -> Result<(), Fault> {
        Ok(())
    }

    fn read_global(&mut self) -> Result<GlobalLease, Fault> {
        Ok(self.global)
    }

    fn write_global(&mut self, enabled: bool) -> Result<(), Fault> {
        self.global = if enabled { GlobalLease::Enabled } else { GlobalLease::Disabled };
        Ok(())
    }

    fn renewal(&mut self) -> Result<Option<Renewal>, Fault> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use tempfile::TempDir;

    use super::*;
    use crate::roles::lock::lockspace::testing::{id, lv, uuid};

    fn site(vg: Option<&str>, args: &str, host_id: u32) -> Site {
        Site { vg: vg.map(id), args: args.into(), host_id }
    }

    fn init_lv() -> InitLv {
        InitLv { vg: id("vg"), vg_args: "".into(), lv_uuid: uuid("a"), previous_args: "".into() }
    }

    #[test]
    fn leases_are_counted_for_the_whole_daemon() {
        let manager = TestManager::new(LockType::Sanlock, "/nowhere");
        let mut connection = manager.connect(&site(Some("vg0"), "1.0.0:lvmlock", 1)).unwrap();
        assert_eq!(manager.init_lv(&init_lv()).unwrap(), "1.0.0:70254592");
        assert_eq!(connection.init_lv(&init_lv()).unwrap(), "1.0.0:71303168");
        let dlm = TestManager::new(LockType::Dlm, "/nowhere");
        assert_eq!(dlm.init_lv(&init_lv()).unwrap(), "none");
    }

    #[test]
    fn what_preparing_for_sanlock_looks_at() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("my--vg-lvmlock"), "").unwrap();
        let prepare = |vg: &str, args: &str, host_id| {
            let manager = TestManager::new(LockType::Sanlock, folder.path());
            let connected = manager.connect(&site(Some(vg), args, host_id));
            connected.and_then(|mut connection| connection.prepare(false)).map_err(|fault| fault.code.0)
        };
        let enabled =
            Prepared { global: GlobalLease::Enabled, previous_generation: 0, is_left_behind: false };
        assert_eq!(prepare("my-vg", "1.0.0:lvmlock", 1), Ok(enabled));
        assert_eq!(prepare("other", "1.0.0:lvmlock", 1), Err(-212));
        assert_eq!(prepare("my-vg", "3.0.0:lvmlock", 1), Err(-212));
        assert_eq!(prepare("my-vg", "1.0.0:lvmlock", 0), Err(-213));
        assert_eq!(prepare("my-vg", "1.0.0:lvmlock", 2001), Err(-213));
    }

    #[test]
    fn another_host_can_be_made_believe() {
        let manager = TestManager::new(LockType::Dlm, "/nowhere");
        let mut connection = manager.connect(&site(Some("vg"), "1.0.0:test", 0)).unwrap();
        let lv = lv("U");
        let mut acquire = |mode| {
            let acquired = connection.acquire(&lv, mode, &Acquire::default());
            (acquired.is_ok(), connection.convert(&lv, mode, None).map_err(|fault| fault.code))
        };
        let (granted, refused) = ((true, Ok(())), (false, Err(ResultCode::AGAIN)));
        for (vg, remote, shared, exclusive) in [
            ("vg", Some(LockMode::Shared), &granted, &refused),
            ("vg", Some(LockMode::Exclusive), &refused, &refused),
            ("vg", None, &granted, &granted),
            ("other", Some(LockMode::Exclusive), &granted, &granted),
        ] {
            assert!(manager.pretend_remote(&id(vg), uuid("U"), remote));
            assert_eq!(&acquire(LockMode::Shared), shared, "{vg} {remote:?}");
            assert_eq!(&acquire(LockMode::Exclusive), exclusive, "{vg} {remote:?}");
        }
    }

    #[test]
    fn dlm_has_one_cluster_and_looks_at_nothing() {
        let manager = TestManager::new(LockType::Dlm, Path::new("/nowhere"));
        let request =
            InitVg { vg: id("vg"), args: "".into(), set_args: "".into(), align_mb: 0, enable_global: false };
        assert_eq!(manager.init_vg(&request).unwrap(), "1.0.0:test");
        let absent = Prepared { global: GlobalLease::Absent, previous_generation: 0, is_left_behind: false };
        for vg in [Some("vg"), None] {
            let mut connection = manager.connect(&site(vg, "1.0.0:test", 0)).unwrap();
            assert_eq!(connection.prepare(false).unwrap(), absent);
        }
    }
}
