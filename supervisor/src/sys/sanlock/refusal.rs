//! sanlock's own numbers of refusals.
//!
//! Source: sanlock 3.8.5, `sanlock_rv.h`; the later ones: sanlock 5.1, and lvm2 2.03.39 for their use.

use super::Refusal;

impl Refusal {
    /// A disk did not answer in time.
    pub const AIO_TIMEOUT: Self = Self(-202);
    /// A lease could not be read.
    pub const DBLOCK_READ: Self = Self(-210);
    /// A lease could not be written.
    pub const DBLOCK_WRITE: Self = Self(-211);
    /// Another host was faster.
    pub const DBLOCK_LVER: Self = Self(-212);
    /// Another host was faster.
    pub const DBLOCK_MBAL: Self = Self(-213);
    /// A lease is corrupt.
    pub const DBLOCK_CHECKSUM: Self = Self(-214);
    /// A lease could not be read.
    pub const LEADER_READ: Self = Self(-220);
    /// A lease could not be written.
    pub const LEADER_WRITE: Self = Self(-221);
    /// A lease is not what it was.
    pub const LEADER_DIFF: Self = Self(-222);
    /// There is no lease.
    pub const LEADER_MAGIC: Self = Self(-223);
    /// A lease has a version that is not known.
    pub const LEADER_VERSION: Self = Self(-224);
    /// A lease belongs to another lockspace.
    pub const LEADER_LOCKSPACE: Self = Self(-226);
    /// A lease has another name.
    pub const LEADER_RESOURCE: Self = Self(-227);
    /// A lease is corrupt.
    pub const LEADER_CHECKSUM: Self = Self(-229);
    /// The host id has no place in the lockspace.
    pub const HOST_ID_RANGE: Self = Self(-231);
    /// A live host holds the lease.
    pub const ID_LIVE: Self = Self(-243);
    /// A live host has just acquired the lease.
    pub const OWNED: Self = Self(-244);
    /// Another host has acquired the lease meanwhile.
    pub const OTHER: Self = Self(-245);
    /// Too many hosts want to share the lease at once.
    pub const SHARED_RETRY: Self = Self(-246);
    /// A host that may be dead holds the lease.
    pub const OWNED_RETRY: Self = Self(-247);
    /// Another host uses the host id.
    pub const HOST_ID_BUSY: Self = Self(-262);
    /// A host that does not time out holds the lease (4.0).
    pub const OWNED_NO_TIMEOUT: Self = Self(-249);
    /// A lease is corrupt (4.1).
    pub const LEADER_CORRUPT: Self = Self(-281);
    /// Another host was faster (5.0).
    pub const CAW_MISCOMPARE: Self = Self(-285);
}

/// What this module believes about the numbers of 3.8.5, in the words of C.
#[expect(clippy::cast_sign_loss, reason = "C prints them as unsigned numbers too")]
pub(in super::super) const LAYOUT: &[(&str, u64)] = &[
    ("SANLK_AIO_TIMEOUT", Refusal::AIO_TIMEOUT.0 as u64),
    ("SANLK_DBLOCK_READ", Refusal::DBLOCK_READ.0 as u64),
    ("SANLK_DBLOCK_WRITE", Refusal::DBLOCK_WRITE.0 as u64),
    ("SANLK_DBLOCK_LVER", Refusal::DBLOCK_LVER.0 as u64),
    ("SANLK_DBLOCK_MBAL", Refusal::DBLOCK_MBAL.0 as u64),
    ("SANLK_DBLOCK_CHECKSUM", Refusal::DBLOCK_CHECKSUM.0 as u64),
    ("SANLK_LEADER_READ", Refusal::LEADER_READ.0 as u64),
    ("SANLK_LEADER_WRITE", Refusal::LEADER_WRITE.0 as u64),
    ("SANLK_LEADER_DIFF", Refusal::LEADER_DIFF.0 as u64),
    ("SANLK_LEADER_MAGIC", Refusal::LEADER_MAGIC.0 as u64),
    ("SANLK_LEADER_VERSION", Refusal::LEADER_VERSION.0 as u64),
    ("SANLK_LEADER_LOCKSPACE", Refusal::LEADER_LOCKSPACE.0 as u64),
    ("SANLK_LEADER_RESOURCE", Refusal::LEADER_RESOURCE.0 as u64),
    ("SANLK_LEADER_CHECKSUM", Refusal::LEADER_CHECKSUM.0 as u64),
    ("SANLK_ADDLS_INVALID_HOSTID", Refusal::HOST_ID_RANGE.0 as u64),
    ("SANLK_ACQUIRE_IDLIVE", Refusal::ID_LIVE.0 as u64),
    ("SANLK_ACQUIRE_OWNED", Refusal::OWNED.0 as u64),
    ("SANLK_ACQUIRE_OTHER", Refusal::OTHER.0 as u64),
    ("SANLK_ACQUIRE_SHRETRY", Refusal::SHARED_RETRY.0 as u64),
    ("SANLK_ACQUIRE_OWNED_RETRY", Refusal::OWNED_RETRY.0 as u64),
    ("SANLK_HOSTID_BUSY", Refusal::HOST_ID_BUSY.0 as u64),
];
