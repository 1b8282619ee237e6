//! What the kernel copies, whoever asked for it: pure.
//!
//! A pvmove and a conversion are mirrors, a merge is a `snapshot-merge`, and a raid says itself what it does:
//!
//! ```text
//! vg-pvmove0  0 131072 mirror 2 254:1 254:2 45/128 1 AA 1 core
//! vg-t        0 32768 raid raid1 2 AA 4352/32768 check 0 0 -
//! vg-r5       0 32768 raid raid5_ls 3 aaa 3096/16384 resync 0 0 -
//! vg-d-real   0 32768 mirror 2 253:1 253:2 3/8 1 AA 1 core      (below a snapshot; its uuid ends with -real)
//! ```
//!
//! The parts of a raid or mirror (`_rimage_0`, `_mimage_0`) are linear, and none of it.
//!
//! Source: Linux 6.1 to 6.18, `dm-raid.c` (`raid_status`), Documentation `dm-raid.rst`; seen with lvm2 2.03.16.

use lvmwarden_protocol::api::poll::ForeignKind;
use lvmwarden_protocol::ids::{LvName, Lvid, VgName};
use lvmwarden_protocol::poll::PollOperation;
use lvmwarden_supervisor::device_mapper::{DmStatus, DmTarget};

use super::copying::{Copied, Due, SECTOR_BYTES, Situation, look};
use crate::foundation::kernel::names::lv_of_mapper_name;

/// What device-mapper UUIDs of LVs begin with.
const UUID_PREFIX: &str = "LVM-";
/// How long an lvid is; a layer's name may follow.
const LVID_LENGTH: usize = 64;

/// A copy that is being made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenCopy {
    /// The VG's name.
    pub vgname: VgName,
    /// The LV's name.
    pub lvname: LvName,
    /// The LV for ever.
    pub lvid: Lvid,
    /// What is copied.
    pub kind: ForeignKind,
    /// How far it is, where that can be told.
    pub copied: Option<Copied>,
    /// How many sectors of a raid were found to differ.
    pub mismatches: Option<u64>,
}

/// Returns the lvid in the UUID of a device of LVM's.
pub fn lvid_of_uuid(uuid: &str) -> Option<Lvid> {
    uuid.strip_prefix(UUID_PREFIX)?.get(..LVID_LENGTH)?.try_into().ok()
}

/// Returns whether a device with this table may copy something. Others are not asked for their status, which may have to
/// wait for something, as a thin pool's for its metadata.
pub fn may_copy(table: &DmStatus) -> bool {
    let is_copying = |target: &DmTarget| ["mirror", "raid", "snapshot-merge"].contains(&&*target.kind);
    table.targets.iter().any(is_copying)
}

/// Reads what the device `name` copies; `None`: nothing, or it is not an LV.
pub fn read_copy(name: &str, uuid: &str, status: &DmStatus, table: &DmStatus) -> Option<SeenCopy> {
    let (vgname, lvname) = lv_of_mapper_name(name)?;
    let lvid = lvid_of_uuid(uuid)?;
    let (kind, copied, mismatches) =
        read_raid(status).or_else(|| read_mirror_or_merge(lvname.as_str(), status, table))?;
    Some(SeenCopy { vgname, lvname, lvid, kind, copied, mismatches })
}

type Read = (ForeignKind, Option<Copied>, Option<u64>);

/// A copy that is complete is one as long as its lvm command has not taken note: only a new mirror has none.
fn read_mirror_or_merge(lvname: &str, status: &DmStatus, table: &DmStatus) -> Option<Read> {
    let has = |kind: &str| status.targets.iter().any(|target| target.kind == kind);
    let (kind, operation) = match (has("mirror"), has("snapshot-merge")) {
        (true, _) if is_pvmove(lvname) => (ForeignKind::Pvmove, PollOperation::Pvmove),
        (true, _) => (ForeignKind::Mirror, PollOperation::Convert),
        (false, true) => (ForeignKind::Merge, PollOperation::Merge),
        (false, false) => return None,
    };
    let look = look(operation, Some(status), Some(table));
    match look.situation {
        Situation::Copying => Some((kind, look.copied, None)),
        Situation::Due(Due::Copied) if kind != ForeignKind::Mirror => Some((kind, look.copied, None)),
        Situation::Due(_) | Situation::Unclear { .. } => None,
    }
}

fn is_pvmove(lvname: &str) -> bool {
    lvname.strip_prefix("pvmove").is_some_and(|number| number.parse::<u32>().is_ok())
}

/// Reads `<type> <devices> <health> <done>/<all> <action> <mismatches> ...`.
fn read_raid(status: &DmStatus) -> Option<Read> {
    let target = status.targets.iter().find(|target| target.kind == "raid")?;
    let mut words = target.params.split_ascii_whitespace().skip(3);
    let (done, all) = words.next()?.split_once('/')?;
    let (done, all) = (done.parse::<u64>().ok()?, all.parse::<u64>().ok()?);
    let action = words.next()?;
    // The other actions are idle and frozen.
    let kind = [
        ForeignKind::Resync,
        ForeignKind::Recover,
        ForeignKind::Check,
        ForeignKind::Repair,
        ForeignKind::Reshape,
    ]
    .into_iter()
    .find(|kind| kind.as_str() == action)?;
    let mismatches = words.next().and_then(|count| count.parse().ok());
    // Sectors of each of its parts; for people they are a share of the LV.
    let total_bytes = target.length_sectors * SECTOR_BYTES;
    let left = u128::from(total_bytes) * u128::from(all.saturating_sub(done)) / u128::from(all.max(1));
    let copied = Copied {
        left_bytes: u64::try_from(left).unwrap_or(total_bytes),
        total_bytes: Some(total_bytes),
        segment: 1,
        segments: 1,
    };
    Some((kind, Some(copied), mismatches))
}

#[cfg(test)]
mod tests;
