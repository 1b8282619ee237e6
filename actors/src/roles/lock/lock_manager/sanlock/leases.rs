//! The leases of one VG on its disk: making, finding, naming and freeing them.
//!
//! Nothing here holds a lease: sanlock's daemon reads and writes for us. Where no lockspace is needed, none is asked for.

use std::path::{Path, PathBuf};

use lvmwarden_protocol::ids::{LvUuid, VgName};
use lvmwarden_protocol::lock::ResultCode;
use lvmwarden_supervisor::sys::sanlock::{Area, Lease, Place, Refusal, Sanlock, Usage};

use super::device;
use super::errors::{EMSGSIZE, disk_fault, is_end_of_disk};
use super::layout::{
    REMOVED, UNUSED, align, first_lv_offset, global_lease, global_name, global_offset, lockspace_name,
    lv_args, lv_lease_offset, vg_offset,
};
use crate::roles::lock::lock_manager::{Fault, GlobalLease, Resource};

/// The leases of a VG.
pub(super) struct Leases {
    pub(super) sanlock: Sanlock,
    /// The lockspace's name.
    pub(super) lockspace: String,
    pub(super) device: PathBuf,
    pub(super) area: Area,
    /// How they are used; what is written anew keeps it.
    pub(super) usage: Usage,
}

/// What is at the place of an LV's lease.
enum Slot {
    Free,
    Used(String),
    /// The disk is not that large.
    End,
}

impl Leases {
    /// Returns the leases of a VG that are on `device`.
    ///
    /// # Errors
    /// There are none, or they cannot be read.
    pub(super) fn open(sanlock: Sanlock, vg: &VgName, device: &Path) -> Result<(Self, String), Refusal> {
        let found = sanlock.read_lockspace(Place { path: device, offset: 0 })?;
        let area = match found.area {
            Some(area) => area,
            None => super::layout::area_of_align(sanlock.align_bytes(device)?),
        };
        Ok((Self::new(sanlock, vg, device, area, found.usage), found.lockspace))
    }

    /// Refuses leases that are said not to time out, with a sanlock that does not say so: it would give them to others.
    ///
    /// # Errors
    /// [`ResultCode::BAD_ARGS`]
    pub(super) fn must_know_no_timeout(&self, is_said: bool) -> Result<(), Fault> {
        if !is_said || self.usage.no_timeout {
            return Ok(());
        }
        let text =
            format!("use {}: its leases do not time out, which sanlock does not know", self.device.display());
        Err(Fault::new(ResultCode::BAD_ARGS, text))
    }

    /// Returns the leases of a VG that are to be on `device`, with this size.
    pub(super) fn new(sanlock: Sanlock, vg: &VgName, device: &Path, area: Area, usage: Usage) -> Self {
        Self { sanlock, lockspace: lockspace_name(vg), device: device.to_owned(), area, usage }
    }

    /// Returns the lease of this name at this offset.
    pub(super) fn lease<'a>(&'a self, name: &'a str, offset: u64) -> Lease<'a> {
        Lease { lockspace: &self.lockspace, resource: name, place: self.place(offset), area: Some(self.area) }
    }

    /// Returns where the lease of a lock is; `lv_args` are an LV's lock arguments.
    ///
    /// # Errors
    /// These arguments make no sense.
    pub(super) fn offset_of(&self, resource: &Resource, lv_args: &str) -> Result<u64, Fault> {
        match resource {
            Resource::Global => Ok(global_offset(self.area)),
            Resource::Vg => Ok(vg_offset(self.area)),
            Resource::Lv(_) => lv_lease_offset(lv_args, self.area),
        }
    }

    /// Writes everything of a new VG: lockspace, global lock, VG lock, and that all others are free.
    ///
    /// # Errors
    /// Something may be written.
    pub(super) fn write_all(&self, enable_global: bool, io_timeout: u32) -> Result<(), Fault> {
        let failed = |refusal| disk_fault(refusal, "write the leases of the VG");
        self.write_lockspace(&self.lockspace, self.usage, io_timeout).map_err(failed)?;
        self.write(global_name(enable_global), global_offset(self.area)).map_err(failed)?;
        self.write(Resource::Vg.as_str(), vg_offset(self.area)).map_err(failed)?;
        // What an earlier LV at this place has left would look like leases in use.
        let end = device::size_bytes(&self.device)?;
        let mut offset = first_lv_offset(self.area);
        while offset + align(self.area) <= end {
            self.write_unused(offset).map_err(failed)?;
            offset += align(self.area);
        }
        Ok(())
    }

    /// Writes that there is no lockspace here any more, and no global and VG lock. Nobody may be in the lockspace: whatever
    /// refuses the removal of the VG has to come before this.
    pub(super) fn remove_all(&self, io_timeout: u32) -> Result<(), Refusal> {
        self.write(REMOVED, global_offset(self.area))?;
        self.write(REMOVED, vg_offset(self.area))?;
        self.write_lockspace(UNUSED, Usage::PLAIN, io_timeout)
    }

    /// Gives everything the name of the lockspace.
    ///
    /// # Errors
    /// Some leases may have the old one still; doing it again is right.
    pub(super) fn rename_all(&self, io_timeout: u32) -> Result<(), Fault> {
        let failed = |refusal| disk_fault(refusal, "rename the leases of the VG");
        self.write_lockspace(&self.lockspace, self.usage, io_timeout).map_err(failed)?;
        for offset in [global_offset(self.area), vg_offset(self.area)] {
            let name = self.read(offset).map_err(failed)?;
            self.write(&name, offset).map_err(failed)?;
        }
        let end = device::size_bytes(&self.device)?;
        let mut offset = first_lv_offset(self.area);
        loop {
            match self.slot(offset, end).map_err(failed)? {
                Slot::End => return Ok(()),
                // What belongs to nobody is written with the name of its lockspace when it is used.
                Slot::Free => {}
                Slot::Used(name) => self.write(&name, offset).map_err(failed)?,
            }
            offset += align(self.area);
        }
    }

    /// Finds a free lease, at `start` or behind it, else before it. `size_bytes` is the size of the disk, 0 where it is
    /// not known.
    ///
    /// # Errors
    /// [`ResultCode::NO_ROOM`]: there is none; or the leases cannot be read.
    pub(super) fn find_free(&self, start: u64, size_bytes: u64) -> Result<u64, Fault> {
        let failed = |refusal| disk_fault(refusal, "find a free lease");
        let device_bytes = device::size_bytes(&self.device)?;
        let end = if size_bytes == 0 { device_bytes } else { size_bytes.min(device_bytes) };
        let first = first_lv_offset(self.area);
        let mut offset = start.max(first);
        let mut has_wrapped = false;
        loop {
            match self.slot(offset, end).map_err(failed)? {
                Slot::Free => return Ok(offset),
                Slot::End if !has_wrapped && start > first => {
                    has_wrapped = true;
                    offset = first;
                }
                Slot::End => return Err(failed(EMSGSIZE)),
                Slot::Used(_) => offset += align(self.area),
            }
            if has_wrapped && offset >= start {
                return Err(failed(EMSGSIZE));
            }
        }
    }

    /// Makes the lease of an LV, at `start` or behind it; returns where.
    ///
    /// # Errors
    /// [`ResultCode::EXISTS`]: it has one there; [`ResultCode::NO_ROOM`]; or the leases cannot be read or written.
    pub(super) fn make_lv(&self, lv_uuid: LvUuid, start: u64) -> Result<u64, Fault> {
        let failed = |refusal| disk_fault(refusal, "make a lease for the LV");
        let end = device::size_bytes(&self.device)?;
        let mut offset = start.max(first_lv_offset(self.area));
        loop {
            match self.slot(offset, end).map_err(failed)? {
                Slot::Free => break,
                Slot::End => return Err(failed(EMSGSIZE)),
                Slot::Used(name) if name == lv_uuid.as_str() => {
                    let text = format!("make a lease for the LV: it has one, {}", lv_args(offset));
                    return Err(Fault::new(ResultCode::EXISTS, text));
                }
                Slot::Used(_) => offset += align(self.area),
            }
        }
        self.write(lv_uuid.as_str(), offset).map_err(failed)?;
        Ok(offset)
    }

    /// Gives the lease of an LV back.
    ///
    /// # Errors
    /// It cannot be read or written, or is another LV's.
    pub(super) fn free_lv(&self, lv_uuid: LvUuid, offset: u64) -> Result<(), Fault> {
        let failed = |refusal| disk_fault(refusal, "free the lease of the LV");
        match self.slot(offset, device::size_bytes(&self.device)?).map_err(failed)? {
            Slot::Free => Ok(()),
            Slot::Used(name) if name == lv_uuid.as_str() => self.write_unused(offset).map_err(failed),
            Slot::Used(name) => {
                let text = format!("free the lease of the LV: {} is the lease of {name}", lv_args(offset));
                Err(Fault::new(ResultCode::LOCK_MANAGER, text))
            }
            Slot::End => Err(failed(EMSGSIZE)),
        }
    }

    /// Looks what the global lock's lease is called; `None`: it has another name than it can have.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn global(&self) -> Result<Option<GlobalLease>, Refusal> {
        self.read(global_offset(self.area)).map(|name| global_lease(&name))
    }

    /// Returns whether the global lock's lease has the name by which it is not used; not where it cannot be read.
    pub(super) fn is_global_disabled(&self) -> bool {
        self.global() == Ok(Some(GlobalLease::Disabled))
    }

    /// Gives the global lock's lease the name by which it is used, or not.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn write_global(&self, enabled: bool) -> Result<(), Refusal> {
        self.write(global_name(enabled), global_offset(self.area))
    }

    /// Writes a lease that is corrupt anew.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn write(&self, name: &str, offset: u64) -> Result<(), Refusal> {
        self.sanlock.write_resource(&self.lease(name, offset), self.usage)
    }

    /// Writes that a lease belongs to nobody; how it is used is up to its next user.
    fn write_unused(&self, offset: u64) -> Result<(), Refusal> {
        self.sanlock.write_resource(&self.lease(UNUSED, offset), Usage::PLAIN)
    }

    fn write_lockspace(&self, name: &str, usage: Usage, io_timeout: u32) -> Result<(), Refusal> {
        self.sanlock.write_lockspace(name, self.place(0), Some(self.area), usage, io_timeout)
    }

    fn read(&self, offset: u64) -> Result<String, Refusal> {
        Ok(self.sanlock.read_resource(self.place(offset), Some(self.area))?.resource)
    }

    /// Looks what is at a place on a disk that ends at `end`.
    fn slot(&self, offset: u64, end: u64) -> Result<Slot, Refusal> {
        if offset + align(self.area) > end {
            return Ok(Slot::End);
        }
        match self.read(offset) {
            Ok(name) if name == UNUSED => Ok(Slot::Free),
            Ok(name) => Ok(Slot::Used(name)),
            // Zeros: the disk was extended.
            Err(Refusal::LEADER_MAGIC) => Ok(Slot::Free),
            Err(refusal) if is_end_of_disk(refusal) => Ok(Slot::End),
            Err(refusal) => Err(refusal),
        }
    }

    fn place(&self, offset: u64) -> Place<'_> {
        Place { path: &self.device, offset }
    }
}
