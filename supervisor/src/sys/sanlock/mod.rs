//! `libsanlock_client` as a safe interface: leases on shared disks, through the daemon sanlock.
//!
//! Lockspaces, resources and leases, in sanlock's own words; what they are used for is the caller's. Every call is a
//! message to the daemon and waits for its answer, some for its disk work: none belongs on a thread that others wait
//! for. The daemon's socket is in `$SANLOCK_RUN_DIR`, else in `/run/sanlock`.
//!
//! Source: sanlock 3.8.5, its headers and sanlock(8).

mod convert;
pub(super) mod raw;
pub(super) mod refusal;
mod registration;

use std::ffi::{CString, c_int};
use std::path::Path;
use std::{fmt, io, ptr, slice};

pub use super::library::LibraryError;
pub use registration::{Orphans, Registration};

use convert::{area_of, disk, from_name, name, usage_of};
use raw::Functions;

/// What sanlock has answered instead of doing it: a negative errno, or a number of its own, -200 and below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal(pub i32);

/// The library of sanlock's clients.
#[derive(Clone, Copy)]
pub struct Sanlock(&'static Functions);

/// The size of leases, and of the sectors that they are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// The size of a sector in bytes: 512 or 4096.
    pub sector_bytes: u32,
    /// The size of a lease in MiB: 1, 2, 4 or 8.
    pub align_mib: u32,
}

/// How leases are used, beside their size: what is written anew keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// A host that is silent keeps its leases until somebody says that it is dead (4.2).
    pub no_timeout: bool,
    /// Whether the disk compares and writes in one step.
    pub caw: Caw,
}

/// Whether the disk compares and writes a lease in one step (5.0).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caw {
    /// As the daemon's configuration says, where the disk can.
    AsConfigured,
    /// Where the disk can.
    Used,
    /// Never.
    NotUsed,
}

impl Usage {
    /// As every sanlock has used leases.
    pub const PLAIN: Self = Self { no_timeout: false, caw: Caw::NotUsed };
}

/// A place on a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The device or file.
    pub path: &'a Path,
    /// The offset in bytes.
    pub offset: u64,
}

/// A lease: the lockspace it belongs to, its name and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease<'a> {
    /// The lockspace's name, up to 48 bytes.
    pub lockspace: &'a str,
    /// The resource's name, up to 48 bytes.
    pub resource: &'a str,
    /// Where it is.
    pub place: Place<'a>,
    /// Its size; `None`: as sanlock finds it.
    pub area: Option<Area>,
}

/// How a lease is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Together with other hosts.
    Shared,
    /// Alone.
    Exclusive,
}

/// What is read of a lockspace or a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The lockspace's name.
    pub lockspace: String,
    /// The resource's name; empty for a lockspace.
    pub resource: String,
    /// The size of its leases; `None`: older than sanlock 3.7, which did not write it down.
    pub area: Option<Area>,
    /// How its leases are used, for a lockspace.
    pub usage: Usage,
}

/// A lockspace that the daemon is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Its name.
    pub name: String,
    /// The daemon's host id in it.
    pub host_id: u64,
}

/// A host, as the daemon sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    /// Its id in the lockspace.
    pub id: u64,
    /// The how-manieth life of it.
    pub generation: u64,
    /// When it renewed its lease, in seconds of its own monotonic clock; 0: it has left.
    pub timestamp: u64,
    /// What the daemon thinks of it.
    pub state: HostState,
}

/// What the daemon thinks of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostState {
    /// It was not watched for long enough.
    Unknown,
    /// It has left.
    Free,
    /// It renews its lease.
    Live,
    /// It has not renewed its lease for too long.
    Fail,
    /// Its watchdog has reset it by now.
    Dead,
}

impl Sanlock {
    /// Opens the library, unless it is open already.
    ///
    /// # Errors
    /// It is absent, or is another library.
    pub fn load() -> Result<Self, LibraryError> {
        Functions::load().map(Self)
    }

    /// Returns the daemon's version, such as `0x0308_0500` for 3.8.5.
    ///
    /// # Errors
    /// The daemon does not run.
    pub fn version(self) -> Result<u32, Refusal> {
        let (mut version, mut protocol) = (0, 0);
        // SAFETY: both pointers are to numbers that live until the call returns, and are only written to.
        check(unsafe { (self.0.version)(0, &raw mut version, &raw mut protocol) })?;
        Ok(version)
    }

    /// Acquires the lease on the life of this host in a lockspace; returns when it is held, which takes some `io_timeout`s.
    ///
    /// `io_timeout` is in seconds; 0: the daemon's own. `nodelay` spares the wait for hosts with the same id, where the
    /// daemon knows the flag (4.0).
    ///
    /// # Errors
    /// It is not held: -17 is held already, -115 is being acquired, -11 is being released, others.
    pub fn add_lockspace(
        self,
        lockspace: &str,
        host_id: u64,
        place: Place<'_>,
        io_timeout: u32,
        nodelay: bool,
    ) -> Result<(), Refusal> {
        let mut lockspace = lockspace_at(lockspace, host_id, place, None)?;
        let flags = if nodelay { raw::ADD_NODELAY } else { 0 };
        // SAFETY: the structure is complete and lives until the call returns.
        check(unsafe { (self.0.add_lockspace)(&raw mut lockspace, flags, io_timeout) }).map(drop)
    }

    /// Gives the lease on the life of this host in a lockspace back, unless a program holds a lease in it.
    ///
    /// # Errors
    /// It is held still: -16 where a program holds a lease; or was not: -2.
    pub fn remove_lockspace(self, lockspace: &str, host_id: u64, place: Place<'_>) -> Result<(), Refusal> {
        let mut lockspace = lockspace_at(lockspace, host_id, place, None)?;
        // SAFETY: the structure is complete and lives until the call returns.
        check(unsafe { (self.0.rem_lockspace)(&raw mut lockspace, raw::REM_UNUSED) }).map(drop)
    }

    /// Returns the lockspaces that the daemon is in, or is about to join or leave.
    ///
    /// # Errors
    /// The daemon does not run.
    pub fn lockspaces(self) -> Result<Vec<Joined>, Refusal> {
        let (mut list, mut count) = (ptr::null_mut(), 0);
        // SAFETY: both pointers are to values that live until the call returns, and are only written to.
        check(unsafe { (self.0.get_lockspaces)(&raw mut list, &raw mut count, 0) })?;
        // SAFETY: a call that has not failed has stored an array of `count` structures from malloc, or nothing.
        let list = unsafe { take_array::<raw::Lockspace>(list, count) };
        Ok(list.iter().map(|one| Joined { name: from_name(&one.name), host_id: one.host_id }).collect())
    }

    /// Returns the hosts that were ever seen alive in a lockspace that the daemon is in, this one too.
    ///
    /// It asks no disk: the daemon looks at all hosts whenever it renews its own lease.
    ///
    /// # Errors
    /// -11: it has not looked yet. -2: it is not in that lockspace.
    pub fn hosts(self, lockspace: &str) -> Result<Vec<Host>, Refusal> {
        let name = c_string(lockspace)?;
        let (mut list, mut count) = (ptr::null_mut(), 0);
        // SAFETY: the name ends with a zero; all pointers are to values that live until the call returns.
        check(unsafe { (self.0.get_hosts)(name.as_ptr(), 0, &raw mut list, &raw mut count, 0) })?;
        // SAFETY: a call that has not failed has stored an array of `count` structures from malloc, or nothing.
        Ok(unsafe { take_array::<raw::Host>(list, count) }.iter().map(Host::from).collect())
    }

    /// Makes leases whose holders died count as uses of their lockspace: it is not left while there are any.
    ///
    /// # Errors
    /// The daemon is not in that lockspace.
    pub fn keep_for_orphans(self, lockspace: &str) -> Result<(), Refusal> {
        let name = c_string(lockspace)?;
        let command = raw::CONFIG_USED_BY_ORPHANS;
        // SAFETY: the name ends with a zero and lives until the call returns; this command has no data.
        check(unsafe { (self.0.set_config)(name.as_ptr(), 0, command, ptr::null_mut()) }).map(drop)
    }

    /// Returns the size of a lease in bytes that sanlock would choose on this device by itself.
    ///
    /// # Errors
    /// The device cannot be opened.
    pub fn align_bytes(self, path: &Path) -> Result<u32, Refusal> {
        let mut disk = disk(Place { path, offset: 0 })?;
        // SAFETY: the structure is complete and lives until the call returns.
        check(unsafe { (self.0.align)(&raw mut disk) })
    }

    /// Writes an empty lockspace, used like this.
    ///
    /// # Errors
    /// The disk cannot be written.
    pub fn write_lockspace(
        self,
        lockspace: &str,
        place: Place<'_>,
        area: Option<Area>,
        usage: Usage,
        io_timeout: u32,
    ) -> Result<(), Refusal> {
        let mut lockspace = lockspace_at(lockspace, 0, place, area)?;
        lockspace.flags |= usage.flags();
        let flags = usage.write_flags();
        // SAFETY: the structure is complete and lives until the call returns.
        check(unsafe { (self.0.write_lockspace)(&raw mut lockspace, 0, flags, io_timeout) }).map(drop)
    }

    /// Reads which lockspace is at a place.
    ///
    /// # Errors
    /// The disk cannot be read, or has none there.
    pub fn read_lockspace(self, place: Place<'_>) -> Result<Found, Refusal> {
        let mut found = lockspace_at("", 1, place, None)?;
        let mut io_timeout = 0;
        // SAFETY: both are complete and live until the call returns, which writes to both.
        check(unsafe { (self.0.read_lockspace)(&raw mut found, 0, &raw mut io_timeout) })?;
        let (area, usage) = (area_of(found.flags), usage_of(found.flags));
        Ok(Found { lockspace: from_name(&found.name), resource: String::new(), area, usage })
    }

    /// Writes a lease that nobody holds, used like this.
    ///
    /// # Errors
    /// The disk cannot be written.
    pub fn write_resource(self, lease: &Lease<'_>, usage: Usage) -> Result<(), Refusal> {
        let mut resource = resource(lease)?;
        let flags = usage.write_flags();
        // SAFETY: the structure is complete, with its one disk, and lives until the call returns.
        check(unsafe { (self.0.write_resource)(&raw mut resource, 0, 0, flags) }).map(drop)
    }

    /// Reads which lease is at a place.
    ///
    /// # Errors
    /// The disk cannot be read, or has none there.
    pub fn read_resource(self, place: Place<'_>, area: Option<Area>) -> Result<Found, Refusal> {
        let mut resource = resource(&Lease { lockspace: "", resource: "", place, area })?;
        // SAFETY: the structure is complete, with its one disk, and lives until the call returns. What is written to it
        // is a structure without disks.
        check(unsafe { (self.0.read_resource)(&raw mut resource, 0) })?;
        Ok(Found {
            lockspace: from_name(&resource.lockspace_name),
            resource: from_name(&resource.name),
            area: area_of(resource.flags),
            usage: Usage::PLAIN,
        })
    }

    /// Reads which hosts hold a lease, or died holding it; only id and generation are known of them.
    ///
    /// # Errors
    /// The disk cannot be read, or has no such lease there.
    pub fn owners(self, lease: &Lease<'_>) -> Result<Vec<Host>, Refusal> {
        let mut resource = resource(lease)?;
        let (mut list, mut count) = (ptr::null_mut(), 0);
        // SAFETY: the structure is complete, with its one disk. All pointers are to values that live until the call
        // returns, which writes to them; to the first a structure without disks.
        check(unsafe { (self.0.read_owners)(&raw mut resource, 0, &raw mut list, &raw mut count) })?;
        // SAFETY: a call that has not failed has stored an array of `count` structures from malloc, or nothing.
        Ok(unsafe { take_array::<raw::Host>(list, count) }.iter().map(Host::from).collect())
    }

    /// Makes `value` the value of a lease that this host holds exclusively; it is written when the lease is given back.
    ///
    /// # Errors
    /// The lease is not held, or was acquired without a value.
    pub fn set_value(self, lease: &Lease<'_>, value: &[u8]) -> Result<(), Refusal> {
        let mut resource = resource(lease)?;
        let mut bytes = value.to_vec();
        let length = c_int::try_from(bytes.len()).map_err(|_| Refusal(-libc::EINVAL))?;
        // SAFETY: the structure is complete. The bytes are as many as said, live until the call returns, and are only
        // read by it.
        check(unsafe { (self.0.set_lvb)(0, &raw mut resource, bytes.as_mut_ptr().cast(), length) }).map(drop)
    }

    /// Returns the first bytes of the value of a lease that this host holds.
    ///
    /// # Errors
    /// The lease is not held, or was acquired without a value.
    pub fn value<const N: usize>(self, lease: &Lease<'_>) -> Result<[u8; N], Refusal> {
        let mut resource = resource(lease)?;
        let mut bytes = [0; N];
        let length = c_int::try_from(N).map_err(|_| Refusal(-libc::EINVAL))?;
        // SAFETY: the structure is complete. The bytes are as many as said and live until the call returns, which
        // writes no more than that many.
        check(unsafe { (self.0.get_lvb)(0, &raw mut resource, bytes.as_mut_ptr().cast(), length) })?;
        Ok(bytes)
    }
}

fn lockspace_at(
    name: &str,
    host_id: u64,
    place: Place<'_>,
    area: Option<Area>,
) -> Result<raw::Lockspace, Refusal> {
    let flags = area.map(Area::flags).transpose()?.unwrap_or_default();
    Ok(raw::Lockspace { name: convert::name(name)?, host_id, flags, host_id_disk: disk(place)? })
}

fn resource(lease: &Lease<'_>) -> Result<raw::Resource, Refusal> {
    Ok(raw::Resource {
        lockspace_name: name(lease.lockspace)?,
        name: name(lease.resource)?,
        lver: 0,
        data64: 0,
        data32: 0,
        unused: 0,
        flags: lease.area.map(Area::flags).transpose()?.unwrap_or_default(),
        num_disks: 1,
        disk: disk(lease.place)?,
    })
}

/// Returns what an answer means: below 0 it is a refusal.
fn check(answer: c_int) -> Result<u32, Refusal> {
    u32::try_from(answer).map_err(|_| Refusal(answer))
}

fn c_string(name: &str) -> Result<CString, Refusal> {
    CString::new(name).map_err(|_| Refusal(-libc::EINVAL))
}

/// Copies an array and frees it.
///
/// # Safety
/// `list` is null, or was allocated with malloc(3), is no longer used by anybody, and begins with `count` valid values.
unsafe fn take_array<T: Clone>(list: *mut T, count: c_int) -> Vec<T> {
    let Ok(count) = usize::try_from(count) else { return Vec::new() };
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: as the caller says; malloc aligns for every type, and nobody writes to it meanwhile.
    let values = unsafe { slice::from_raw_parts(list, count) }.to_vec();
    // SAFETY: as the caller says.
    unsafe { libc::free(list.cast()) };
    values
}

impl From<&raw::Host> for Host {
    fn from(host: &raw::Host) -> Self {
        let state = match host.flags & raw::HOST_MASK {
            raw::HOST_FREE => HostState::Free,
            raw::HOST_LIVE => HostState::Live,
            raw::HOST_FAIL => HostState::Fail,
            raw::HOST_DEAD => HostState::Dead,
            // HOST_UNKNOWN, and what later versions may say.
            _ => HostState::Unknown,
        };
        Self { id: host.id, generation: host.generation, timestamp: host.timestamp, state }
    }
}

impl HostState {
    /// Returns sanlock's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Free => "FREE",
            Self::Live => "LIVE",
            Self::Fail => "FAIL",
            Self::Dead => "DEAD",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            errno @ -199..0 => io::Error::from_raw_os_error(-errno).fmt(f),
            own => write!(f, "sanlock error {own}"),
        }
    }
}

impl std::error::Error for Refusal {}
