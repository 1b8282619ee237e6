//! Versions: what a value block says about changes by other hosts, and what is written into it.
//!
//! The first 8 bytes of a lock's value, little endian: version of the format, flags, version of what is locked. sanlock
//! has none since lvm2 2.03.25: all values read as 0 there, which is why a zero has to be known to be valid.

use lvmwarden_protocol::lock::LockType;

use crate::roles::lock::lock_manager::{Resource, ValueBlock};

/// The format that is written: major 1 in the high byte, minor 1 in the low one.
const FORMAT: u16 = 0x0101;
/// The bit that says that the VG was removed (dlm).
const REMOVED: u16 = 1;

/// What this daemon knows of the version of what a lock protects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Known {
    /// The version; 0: none yet.
    pub version: u32,
    /// A value of 0 is known to say nothing.
    pub zero_is_valid: bool,
}

/// What a value block says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Nobody else has changed what is locked.
    Current,
    /// Somebody has: the version that is valid, 0 where it is not known.
    Outdated(u32),
    /// Its format is not understood.
    Invalid,
    /// Another host has removed the VG.
    Removed,
}

/// Returns what the value block of a newly acquired lock says, and what is known from now on.
///
/// Source: lvm2 2.03.16, lvmlockd: the comparison of the lock's version with the resource's, first match.
pub(super) fn read(known: Known, block: ValueBlock) -> (Known, Reading) {
    let Known { version: own, zero_is_valid } = known;
    let theirs = block.r_version;
    let takes_theirs = Known { version: theirs, zero_is_valid: false };
    let trusts_zero = Known { version: own, zero_is_valid: true };
    if block.version >> 8 > 1 {
        (known, Reading::Invalid)
    } else if block.flags & REMOVED != 0 && block.version != 0 && theirs != 0 {
        (known, Reading::Removed)
    } else if own != 0 && theirs == own {
        (known, Reading::Current)
    } else if own != 0 && theirs > own {
        (takes_theirs, Reading::Outdated(theirs))
    } else if zero_is_valid && theirs == 0 {
        (known, Reading::Current)
    } else if zero_is_valid {
        (takes_theirs, Reading::Outdated(if own >= theirs { 0 } else { theirs }))
    } else if own == 0 && theirs != 0 {
        (takes_theirs, Reading::Outdated(theirs))
    } else if theirs == 0 {
        (trusts_zero, Reading::Outdated(0))
    } else {
        (takes_theirs, Reading::Outdated(0))
    }
}

/// Returns the version that an exclusive lock leaves behind, where it leaves a new one.
///
/// The global lock counts its holders; the VG lock has the version that its holder has `announced`.
pub(super) fn next_version(resource: &Resource, known: Known, announced: u32) -> Option<u32> {
    match resource {
        Resource::Global => Some(known.version.wrapping_add(1)),
        Resource::Vg => (announced > known.version).then_some(announced),
        Resource::Lv(_) => None,
    }
}

/// Returns what is written when an exclusive lock is given back or shared.
///
/// `read` is the block that came with the lock; without one nothing is written, as what is there may be newer. A block
/// that was never written gets its format (dlm) even where there is no new version.
pub(super) fn written(
    lock_type: LockType,
    read: Option<ValueBlock>,
    next: Option<u32>,
) -> Option<ValueBlock> {
    let read = read?;
    let is_fresh = lock_type == LockType::Dlm && read.version == 0;
    match next {
        Some(r_version) => Some(ValueBlock { version: FORMAT, flags: read.flags, r_version }),
        None => is_fresh.then_some(ValueBlock { version: FORMAT, ..read }),
    }
}

/// Returns what tells other hosts that the VG was removed (dlm).
pub(super) fn removed(version: u32) -> ValueBlock {
    ValueBlock { version: FORMAT, flags: REMOVED, r_version: version.max(1) }
}

#[cfg(test)]
mod tests;
