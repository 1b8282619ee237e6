//! Where sanlock's leases of a VG are, and what they are called.
//!
//! ```text
//!   lease        0        lockspace: the lives of up to 2000 hosts
//!   lease       65        global lock, GLLK or _GLLK_disabled
//!   lease       66        VG lock, VGLK
//!   lease       67 ...    LVs, by UUID; #unused or zeros where there is none
//! ```
//! All on the hidden LV `lvmlock`, each as large as [`Area::align_mib`] says.
//!
//! Source: lvm2 2.03.16 and 2.03.39, `lvmlockd-sanlock.c`; what 2.03.16 and sanlock 3.8.5 wrote.

use std::path::{Path, PathBuf};

use lvmwarden_protocol::ids::{LvName, VgName};
use lvmwarden_protocol::lock::ResultCode;
use lvmwarden_supervisor::sys::sanlock::{Area, Caw, Usage};

use crate::foundation::kernel::names::mapper_name;
use crate::roles::lock::lock_manager::{Fault, GlobalLease};

/// The name of a lease that belongs to nobody.
pub(super) const UNUSED: &str = "#unused";
/// The name of the global lock's lease and the VG lock's once their VG is removed.
pub(super) const REMOVED: &str = "invalid_removed";
/// The name of the global lock's lease where it is not used.
pub(super) const GLOBAL_DISABLED: &str = "_GLLK_disabled";

/// The highest host id.
pub const MAX_HOST_ID: u32 = 2000;

const MIB: u64 = 1024 * 1024;
const GLOBAL: u64 = 65;
const VG: u64 = 66;
const FIRST_LV: u64 = 67;
const LOCKSPACE_NAME_BYTES: usize = 48;

/// Returns the name of a VG's lockspace: what fits of it, since sanlock has room for 48 bytes.
pub fn lockspace_name(vg: &VgName) -> String {
    let mut name = format!("lvm_{vg}");
    // VG names are ASCII.
    name.truncate(LOCKSPACE_NAME_BYTES);
    name
}

/// Returns the device with a VG's leases, in the folder of device-mapper's nodes.
pub fn device(folder: &Path, vg: &VgName, lv: &LvName) -> PathBuf {
    folder.join(mapper_name(vg.as_str(), lv.as_str()))
}

/// What a VG's lock arguments say, such as `1.0.0:lvmlock` or `2.0.0:lvmlock:notimeout:persist`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VgArgs {
    /// The LV with the leases.
    pub lv: LvName,
    /// A host that is silent keeps its leases until somebody says that it is dead.
    pub no_timeout: bool,
}

/// Returns the name of the LV with the leases, out of a VG's lock arguments.
///
/// # Errors
/// As of [`vg_args_of`].
pub fn lock_lv(args: &str) -> Result<LvName, Fault> {
    vg_args_of(args).map(|args| args.lv)
}

/// Reads a VG's lock arguments. What `persist` stands for, lvm does by itself.
///
/// # Errors
/// [`ResultCode::BAD_ARGS`]: they name no LV, their format is newer than 2, or they have a word that is not known: it may
/// forbid what would be done without it.
pub fn vg_args_of(args: &str) -> Result<VgArgs, Fault> {
    let bad = || Fault::new(ResultCode::BAD_ARGS, format!("use the VG's lock arguments `{args}`"));
    let (version, rest) = args.split_once(':').ok_or_else(bad)?;
    let mut words = rest.split(':');
    let lv = words.next().unwrap_or_default().try_into().map_err(|_| bad())?;
    let mut no_timeout = false;
    for word in words {
        match word {
            "notimeout" => no_timeout = true,
            "persist" => {}
            _unknown => return Err(bad()),
        }
    }
    if major(version).is_none_or(|major| major > 2) { Err(bad()) } else { Ok(VgArgs { lv, no_timeout }) }
}

/// Returns the LV with the leases that a new VG is to have.
///
/// # Errors
/// [`ResultCode::BAD_ARGS`]: it is not the name of one.
pub fn lv_for_leases(args: &str) -> Result<LvName, Fault> {
    let bad = || Fault::new(ResultCode::BAD_ARGS, format!("make leases on an LV: `{args}` is not its name"));
    LvName::try_from(args).ok().filter(|_| args != "none").ok_or_else(bad)
}

/// Returns a VG's lock arguments for leases on the LV `lv`.
pub fn vg_args(lv: &LvName) -> String {
    format!("1.0.0:{lv}")
}

/// Returns how the leases of a new VG are to be used, out of words such as `persist,notimeout`.
///
/// # Errors
/// [`ResultCode::NOT_SUPPORTED`]: a word means something else than what every sanlock does.
/// [`ResultCode::BAD_ARGS`]: a word is not known.
pub fn usage_of_words(words: &str) -> Result<Usage, Fault> {
    let refused = |code, why| Err(Fault::new(code, format!("use the lock arguments `{words}`: {why}")));
    let mut caw = Caw::AsConfigured;
    for word in words.split(',').filter(|_| !words.is_empty()) {
        match word {
            "nopersist" | "timeout" => {}
            "nocaw" => caw = Caw::NotUsed,
            "persist" | "notimeout" | "caw" => {
                return refused(ResultCode::NOT_SUPPORTED, "they are not served here");
            }
            _unknown => return refused(ResultCode::BAD_ARGS, "there is a word that is not known"),
        }
    }
    Ok(Usage { no_timeout: false, caw })
}

/// Returns where an LV's lease is, out of its lock arguments such as `1.0.0:70254592`: an offset in bytes.
///
/// # Errors
/// [`ResultCode::FAILED`]: it is not in them, or their format is newer than 1.
pub fn lv_offset(args: &str) -> Result<u64, Fault> {
    let bad = || Fault::new(ResultCode::FAILED, format!("use the LV's lock arguments `{args}`"));
    let (version, _) = args.split_once(':').ok_or_else(bad)?;
    if major(version).is_none_or(|major| major > 1) {
        return Err(bad());
    }
    args.rsplit(':').next().and_then(|offset| offset.parse().ok()).ok_or_else(bad)
}

/// Returns the same, if it is a place where LVs have their leases.
///
/// # Errors
/// [`ResultCode::FAILED`]: as of [`lv_offset`], or it is the place of another lease, or of none.
pub fn lv_lease_offset(args: &str, area: Area) -> Result<u64, Fault> {
    let offset = lv_offset(args)?;
    if offset < first_lv_offset(area) || !offset.is_multiple_of(align(area)) {
        let text = format!("use the LV's lock arguments `{args}`: no LV has its lease there");
        return Err(Fault::new(ResultCode::FAILED, text));
    }
    Ok(offset)
}

/// Returns the lock arguments of an LV whose lease is at `offset`.
pub fn lv_args(offset: u64) -> String {
    format!("1.0.0:{offset}")
}

fn major(version: &str) -> Option<u32> {
    version.split('.').next()?.parse().ok()
}

/// Returns the size of leases in bytes.
pub(super) fn align(area: Area) -> u64 {
    u64::from(area.align_mib) * MIB
}

/// Returns the offset of the global lock's lease in bytes.
pub(super) fn global_offset(area: Area) -> u64 {
    GLOBAL * align(area)
}

/// Returns the offset of the VG lock's lease in bytes.
pub(super) fn vg_offset(area: Area) -> u64 {
    VG * align(area)
}

/// Returns the offset of the first LV's lease in bytes.
pub fn first_lv_offset(area: Area) -> u64 {
    FIRST_LV * align(area)
}

/// Returns the size of leases on a disk with these sizes of sectors, in bytes; `wanted_mib` is what the client wants on
/// disks with sectors of 4096 bytes. `None` for other sectors.
pub(super) fn area_for(sectors: (u32, u32), wanted_mib: u32) -> Option<Area> {
    match sectors {
        (512, 512) => Some(Area { sector_bytes: 512, align_mib: 1 }),
        (512 | 4096, 512 | 4096) => {
            let align_mib = if matches!(wanted_mib, 1 | 2 | 4) { wanted_mib } else { 8 };
            Some(Area { sector_bytes: 4096, align_mib })
        }
        _ => None,
    }
}

/// Returns the size of leases that sanlock has always chosen where a lease takes so many bytes.
pub(super) fn area_of_align(bytes: u32) -> Area {
    if u64::from(bytes) > MIB {
        Area { sector_bytes: 4096, align_mib: 8 }
    } else {
        Area { sector_bytes: 512, align_mib: 1 }
    }
}

/// Returns the highest host id that leases of this size have room for.
pub(super) fn max_host_id(area: Area) -> u32 {
    if area.sector_bytes == 4096 { area.align_mib * 250 } else { MAX_HOST_ID }
}

/// Returns what the name of the lease at the global lock's place says; `None`: there is something else.
pub(super) fn global_lease(name: &str) -> Option<GlobalLease> {
    match name {
        "GLLK" => Some(GlobalLease::Enabled),
        GLOBAL_DISABLED => Some(GlobalLease::Disabled),
        _ => None,
    }
}

/// Returns the name of the global lock's lease.
pub(super) fn global_name(enabled: bool) -> &'static str {
    if enabled { "GLLK" } else { GLOBAL_DISABLED }
}

#[cfg(test)]
mod tests;
