//! A lockspace's own connection to sanlock's daemon.
//!
//! The daemon holds the leases for the registered socket. When the socket is closed, by a drop or by death, they become
//! orphans; only leaving in order gives everything back.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use lvmwarden_protocol::ids::{LvUuid, VgName};
use lvmwarden_protocol::lock::{LockMode, ResultCode};
use lvmwarden_supervisor::sys::sanlock::{
    Host, HostState, Lease, Orphans, Place, Refusal, Registration, Sanlock, Sharing,
};

use super::errors::{
    EAGAIN, EBUSY, EEXIST, EINPROGRESS, ENOENT, Wanted, acquire_fault, convert_fault, disk_fault, is_corrupt,
    join_fault, leave_fault, manager_fault, no_library, was_not_held,
};
use super::layout::{global_name, lv_args, lv_lease_offset, max_host_id};
use super::leases::Leases;
use super::status::{SharedStatus, Status, host_name, monotonic_seconds};
use super::{Settings, device};
use crate::roles::lock::lock_manager::{
    Acquire, Adopt, Connection, Fault, GlobalLease, InitLv, Leave, Leftover, OtherHosts, Owner, Prepared,
    Renewal, Resource, ValueBlock,
};

/// The name that `sanlock client status` shows; scripts look for it.
const OWNER: &str = "lvmlockd";
/// How often, and how many times, leaving a lockspace is tried that sanlock is busy with.
const LEAVE_EVERY: Duration = Duration::from_millis(250);
const LEAVE_TRIES: u32 = 24;
/// A daemon ends the users of a lockspace when its lease was not renewed for so many I/O timeouts.
const IO_TIMEOUTS_UNTIL_KILL: u64 = 8;

/// The connection.
pub(super) struct SanlockConnection {
    settings: Arc<Settings>,
    status: Arc<SharedStatus>,
    vg: VgName,
    device: PathBuf,
    /// The VG's arguments say so.
    no_timeout: bool,
    host_id: u32,
    /// There from preparing to leaving.
    open: Option<Open>,
}

struct Open {
    registration: Registration,
    leases: Leases,
    /// Where there was room for the lease of an LV last; 0 where it was not looked for.
    free_offset: u64,
}

impl SanlockConnection {
    pub(super) fn new(
        settings: Arc<Settings>,
        status: Arc<SharedStatus>,
        vg: VgName,
        device: PathBuf,
        no_timeout: bool,
        host_id: u32,
    ) -> Self {
        Self { settings, status, vg, device, no_timeout, host_id, open: None }
    }

    /// Returns what preparing has opened.
    fn open(&mut self) -> Result<&mut Open, Fault> {
        let not_prepared = || Fault::new(ResultCode::LOCK_MANAGER, "use a lockspace that is not prepared");
        self.open.as_mut().ok_or_else(not_prepared)
    }

    fn register(&self, sanlock: Sanlock) -> Result<Registration, Fault> {
        let failed = |refusal| manager_fault(refusal, "register with sanlock");
        let mut registration = sanlock.register(OWNER).map_err(failed)?;
        let arguments = format!("--kill {}", self.vg);
        registration.kill_program(&self.settings.kill_program, &arguments).map_err(failed)?;
        registration.restrict_kill().map_err(failed)?;
        Ok(registration)
    }
}

impl Connection for SanlockConnection {
    fn prepare(&mut self, _repair: bool) -> Result<Prepared, Fault> {
        let sanlock = Sanlock::load().map_err(|error| no_library(&error))?;
        device::wait_for(&self.device)?;
        if self.host_id == 0 || self.host_id > super::layout::MAX_HOST_ID {
            return Err(bad_host_id(self.host_id));
        }
        let unreadable = |refusal| manager_fault(refusal, "read the leases of the VG");
        let (leases, found) = Leases::open(sanlock, &self.vg, &self.device).map_err(unreadable)?;
        if found != leases.lockspace {
            let text = format!("use {}: its leases are those of `{found}`", self.device.display());
            return Err(Fault::new(ResultCode::BAD_ARGS, text));
        }
        leases.must_know_no_timeout(self.no_timeout)?;
        if self.host_id > max_host_id(leases.area) {
            return Err(bad_host_id(self.host_id));
        }
        let global = leases.global().map_err(|refusal| Fault {
            code: ResultCode::BAD_ARGS,
            ..manager_fault(refusal, "read the lease of the global lock")
        })?;
        let no_global =
            || Fault::new(ResultCode::BAD_ARGS, "find the lease of the global lock: it has another name");
        let global = global.ok_or_else(no_global)?;
        let is_open = self.open.is_some();
        if !is_open {
            // Not anew: to close the registered socket would make orphans of what is held by it.
            let registration = self.register(sanlock)?;
            self.open = Some(Open { registration, leases, free_offset: 0 });
        }
        let joined = || {
            sanlock.lockspaces().map_err(|refusal| manager_fault(refusal, "list the lockspaces of sanlock"))
        };
        let name = super::layout::lockspace_name(&self.vg);
        let is_left_behind = !is_open && joined()?.iter().any(|joined| joined.name == name);
        Ok(Prepared { global, previous_generation: 0, is_left_behind })
    }

    fn join(&mut self, adopt: Adopt, nodelay: bool) -> Result<u32, Fault> {
        let (host_id, io_timeout) = (u64::from(self.host_id), self.settings.io_timeout_seconds);
        let Open { leases, .. } = self.open()?;
        let failed = |refusal| join_fault(refusal, &leases.lockspace);
        let place = Place { path: &leases.device, offset: 0 };
        match leases.sanlock.add_lockspace(&leases.lockspace, host_id, place, io_timeout, nodelay) {
            Err(EEXIST) if adopt != Adopt::No => {}
            joined => joined.map_err(failed)?,
        }
        if let Err(refusal) = leases.sanlock.keep_for_orphans(&leases.lockspace) {
            // Without it a lease could be lost while its LV is active. What refuses this refuses that, too.
            let _ = leases.sanlock.remove_lockspace(&leases.lockspace, host_id, place);
            return Err(failed(refusal));
        }
        let status = Status::read().ok();
        let joined = status.as_ref().and_then(|status| status.lockspace(&leases.lockspace));
        Ok(joined.map_or(0, |joined| number(joined.generation)))
    }

    fn leave(&mut self, how: Leave) -> Result<(), Fault> {
        let (host_id, io_timeout) = (u64::from(self.host_id), self.settings.io_timeout_seconds);
        let Open { leases, .. } = self.open()?;
        let place = Place { path: &leases.device, offset: 0 };
        let mut tries = 0;
        while let Err(refusal) = leases.sanlock.remove_lockspace(&leases.lockspace, host_id, place) {
            tries += 1;
            match refusal {
                ENOENT => break,
                // After its leases were lost sanlock ends what uses it by itself, which takes a while.
                EBUSY | EAGAIN | EINPROGRESS if tries < LEAVE_TRIES => wait_for_sanlock(),
                refusal => return Err(leave_fault(refusal, &leases.lockspace)),
            }
        }
        if how == Leave::Destroy {
            // We are out already, and the disk will be removed next: it need not tell that it has no lockspace.
            let _ = leases.remove_all(io_timeout);
        }
        self.open = None;
        Ok(())
    }

    fn acquire(
        &mut self,
        resource: &Resource,
        mode: LockMode,
        how: &Acquire,
    ) -> Result<Option<ValueBlock>, Fault> {
        let uses_value = self.settings.uses_value_blocks && !matches!(resource, Resource::Lv(_));
        let host_id = self.host_id;
        let Open { registration, leases, .. } = self.open()?;
        let offset = leases.offset_of(resource, &how.lv_args)?;
        let lease = leases.lease(resource.as_str(), offset);
        let orphans = match how.adopt {
            Adopt::No => Orphans::InTheWay,
            Adopt::IfThere => Orphans::TakenOver,
            Adopt::Only => Orphans::Only,
        };
        let sharing = sharing(mode);
        let mut acquired = registration.acquire(&lease, sharing, uses_value, orphans);
        if how.repair && acquired.is_err_and(is_corrupt) {
            let repaired = leases.write(lease.resource, offset);
            acquired = repaired.and_then(|()| registration.acquire(&lease, sharing, uses_value, orphans));
        }
        match acquired {
            Ok(()) if uses_value => {
                // A value that cannot be read is as one that was never written: what it protects is read anew.
                let bytes = leases.sanlock.value(&lease).unwrap_or_default();
                Ok(Some(ValueBlock::from_bytes(bytes)))
            }
            Ok(()) => Ok(None),
            Err(Refusal::LEADER_RESOURCE) if *resource == Resource::Global && leases.is_global_disabled() => {
                Err(Fault::new(ResultCode::NO_LOCKSPACE, "acquire GLLK: it was disabled in this VG"))
            }
            Err(refusal) => {
                let wanted = Wanted { resource, mode, adopt: how.adopt };
                let mut fault = acquire_fault(refusal, wanted);
                if fault.code == ResultCode::AGAIN {
                    fault.owner = owner(leases, &lease, host_id);
                }
                Err(fault)
            }
        }
    }

    fn convert(
        &mut self,
        resource: &Resource,
        mode: LockMode,
        write: Option<ValueBlock>,
    ) -> Result<(), Fault> {
        let host_id = self.host_id;
        let Open { registration, leases, .. } = self.open()?;
        // The daemon knows where a lease is that it holds.
        let lease = leases.lease(resource.as_str(), 0);
        write_value(leases.sanlock, &lease, write);
        registration.convert(&lease, sharing(mode)).map_err(|refusal| {
            let mut fault = convert_fault(refusal, resource, mode);
            if fault.code == ResultCode::AGAIN
                && let Ok(offset) = leases.offset_of(resource, "")
            {
                fault.owner = owner(leases, &leases.lease(resource.as_str(), offset), host_id);
            }
            fault
        })
    }

    fn release(&mut self, resource: &Resource, write: Option<ValueBlock>, _free: bool) -> Result<(), Fault> {
        let Open { registration, leases, .. } = self.open()?;
        let lease = leases.lease(resource.as_str(), 0);
        write_value(leases.sanlock, &lease, write);
        match registration.release(&lease) {
            Err(refusal) if !was_not_held(refusal) => {
                Err(disk_fault(refusal, &format!("release {resource}")))
            }
            _ => Ok(()),
        }
    }

    fn orphans(&mut self) -> Result<Option<Vec<Leftover>>, Fault> {
        let lockspace = &self.open()?.leases.lockspace;
        let status = Status::read().map_err(|error| no_status(&error))?;
        let ours = status.orphans.iter().filter(|orphan| orphan.lockspace == *lockspace);
        let mut orphans: Vec<_> = ours
            .filter_map(|orphan| {
                let resource = Resource::from_name(&orphan.resource)?;
                let lv_args = match resource {
                    Resource::Lv(_) => lv_args(orphan.offset).into(),
                    Resource::Global | Resource::Vg => "".into(),
                };
                let mode = if orphan.is_shared { LockMode::Shared } else { LockMode::Exclusive };
                Some(Leftover { resource, mode, lv_args })
            })
            .collect();
        orphans.sort_by(|a, b| a.resource.cmp(&b.resource));
        Ok(Some(orphans))
    }

    fn drop_orphans(&mut self) -> Result<(), Fault> {
        let Open { registration, leases, .. } = self.open()?;
        let failed = |refusal| disk_fault(refusal, "release the locks of an earlier life");
        registration.release_orphans(&leases.lease("", 0)).map_err(failed)
    }

    fn other_hosts(&mut self) -> Result<OtherHosts, Fault> {
        let own = u64::from(self.host_id);
        let leases = &self.open()?.leases;
        let hosts = match leases.sanlock.hosts(&leases.lockspace) {
            // sanlock has not looked at them since it joined: there may be some.
            Err(EAGAIN) => return Ok(OtherHosts { live: 0, unknown: 1 }),
            hosts => hosts.map_err(|refusal| disk_fault(refusal, "list the hosts in the lockspace"))?,
        };
        if !hosts.iter().any(|host| host.id == own) {
            return Err(Fault::new(
                ResultCode::FAILED,
                "list the hosts in the lockspace: we are not among them",
            ));
        }
        let others = || hosts.iter().filter(|host| host.id != own);
        Ok(OtherHosts {
            live: others().filter(|host| host.state == HostState::Live).count(),
            // A host that fails may use its locks until its watchdog has reset it.
            unknown: others()
                .filter(|host| matches!(host.state, HostState::Unknown | HostState::Fail))
                .count(),
        })
    }

    fn find_free_lock(&mut self, size_bytes: u64) -> Result<(), Fault> {
        let open = self.open()?;
        open.free_offset = open.leases.find_free(open.free_offset, size_bytes)?;
        Ok(())
    }

    fn init_lv(&mut self, request: &InitLv) -> Result<String, Fault> {
        let open = self.open()?;
        open.free_offset = open.leases.make_lv(request.lv_uuid, open.free_offset)?;
        Ok(lv_args(open.free_offset))
    }

    fn free_lv(&mut self, lv_uuid: LvUuid, lv_args: &str) -> Result<(), Fault> {
        let leases = &self.open()?.leases;
        leases.free_lv(lv_uuid, lv_lease_offset(lv_args, leases.area)?)
    }

    fn read_global(&mut self) -> Result<GlobalLease, Fault> {
        let global = self.open()?.leases.global();
        let global = global.map_err(|refusal| disk_fault(refusal, "read the lease of the global lock"))?;
        // A name that is neither is not the used one.
        Ok(global.unwrap_or(GlobalLease::Disabled))
    }

    fn write_global(&mut self, enabled: bool) -> Result<(), Fault> {
        let failed = |refusal| disk_fault(refusal, &format!("write {}", global_name(enabled)));
        self.open()?.leases.write_global(enabled).map_err(failed)
    }

    fn renewal(&mut self) -> Result<Option<Renewal>, Fault> {
        let status = Arc::clone(&self.status);
        let lockspace = &self.open()?.leases.lockspace;
        let status = status.get().map_err(|error| no_status(&error))?;
        // Not there while it is joined or left, and after the daemon has given it up.
        Ok(status.lockspace(lockspace).map(|joined| {
            let kill_after = IO_TIMEOUTS_UNTIL_KILL * joined.io_timeout;
            Renewal {
                age: Duration::from_secs(monotonic_seconds().saturating_sub(joined.renewed_at)),
                kill_after: Duration::from_secs(kill_after),
                reset_after: Duration::from_secs(kill_after + status.watchdog_seconds),
            }
        }))
    }
}

fn sharing(mode: LockMode) -> Sharing {
    if mode == LockMode::Shared { Sharing::Shared } else { Sharing::Exclusive }
}

/// Makes `write` the value of a lease that is about to be given back.
///
/// A lease that was acquired without a value, by another version of the lock daemon, cannot have one; and a value that
/// is lost is no reason to keep a lock.
fn write_value(sanlock: Sanlock, lease: &Lease<'_>, write: Option<ValueBlock>) {
    if let Some(block) = write {
        let _ = sanlock.set_value(lease, &block.to_bytes());
    }
}

/// Finds out which other host holds a lease, as far as disk and daemon tell.
fn owner(leases: &Leases, lease: &Lease<'_>, own: u32) -> Option<Owner> {
    let owners = leases.sanlock.owners(lease).ok()?;
    let hosts = leases.sanlock.hosts(&leases.lockspace).unwrap_or_default();
    let seen = |owner: &Host| {
        hosts.iter().find(|host| host.id == owner.id && host.generation == owner.generation).copied()
    };
    let others = || owners.iter().filter(|host| host.id != u64::from(own));
    // One that is known to live, before one that was not seen in this life.
    let held_by = others().find_map(seen).or_else(|| others().next().copied())?;
    let name = host_name(&leases.lockspace, held_by.id).ok().flatten();
    Some(Owner {
        host_id: number(held_by.id),
        generation: number(held_by.generation),
        timestamp: number(held_by.timestamp),
        state: held_by.state.as_str().to_owned(),
        name: name.unwrap_or_default(),
    })
}

/// sanlock has wider numbers than the lock daemon's words.
fn number(wide: u64) -> u32 {
    u32::try_from(wide).unwrap_or(u32::MAX)
}

fn bad_host_id(host_id: u32) -> Fault {
    Fault::new(ResultCode::BAD_HOST_ID, format!("use host id {host_id}"))
}

fn no_status(error: &std::io::Error) -> Fault {
    Fault::new(ResultCode::MANAGER, format!("ask sanlock for its status: {error}"))
}

#[expect(clippy::disallowed_methods, reason = "this thread is for waiting")]
fn wait_for_sanlock() {
    thread::sleep(LEAVE_EVERY);
}
