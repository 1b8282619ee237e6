//! Lock managers: what a lockspace asks of sanlock, dlm, or a stand-in for them.
//!
//! Every call of these traits may block for as long as a disk or a cluster takes. Calls of a [`Connection`] are made on a
//! thread of its own, one after the other; nobody waits for one without a deadline.

pub mod dlm;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
pub mod sanlock;
pub mod test;
pub mod thread;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::ids::{LvName, LvUuid, VgName};
use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode};

/// What is locked within a lockspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// The global lock: the list of VGs and of orphan PVs.
    Global,
    /// The VG's metadata.
    Vg,
    /// An LV, by its UUID.
    Lv(LvUuid),
}

/// What another lock manager, or another host, tells the lock holders: the first 8 bytes of a lock's value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ValueBlock {
    /// Major version in the high byte, minor in the low one: 0x0101; 0 in a block that was never written.
    pub version: u16,
    /// Bit 0: the VG was removed (dlm).
    pub flags: u16,
    /// The version of what the lock protects.
    pub r_version: u32,
}

/// Whether locks of an earlier life are taken over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Adopt {
    /// They are in the way.
    #[default]
    No,
    /// Where there is one.
    IfThere,
    /// Nothing else will do.
    Only,
}

/// Which host has a lock that is in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// Its id in the lockspace.
    pub host_id: u32,
    /// The how-manieth life of that host it is.
    pub generation: u32,
    /// When it last renewed its lease, in seconds of its own clock.
    pub timestamp: u32,
    /// What the lock manager thinks of it: `LIVE`, `FAIL`, `DEAD`, ...
    pub state: String,
    /// The name it gave itself; empty where it is not known.
    pub name: String,
}

/// Why a call has failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Fault {
    /// What a client is told.
    pub code: ResultCode,
    /// The lock manager's own number, for clients' `lm_result` and the log.
    pub raw: i32,
    /// It is worth trying again in a moment, also where the resource is an LV.
    pub is_transient: bool,
    /// Whose lock is in the way, where the lock manager tells.
    pub owner: Option<Owner>,
    /// What failed and why, for people: a lowercase fragment such as `acquire VGLK: the lease cannot be read`.
    pub text: String,
}

/// Where a lockspace is, and who we are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The VG's name; `None` for dlm's global lockspace.
    pub vg: Option<VgName>,
    /// The VG's lock arguments, such as `1.0.0:lvmlock`; may be empty.
    pub args: Arc<str>,
    /// Our host id, already chosen from request, option and file; 0 where there is none.
    pub host_id: u32,
}

/// The global lock's lease in a sanlock VG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GlobalLease {
    /// Its name is `GLLK`.
    Enabled,
    /// Its name is `_GLLK_disabled`.
    Disabled,
    /// This lock manager has none in a VG.
    Absent,
}

/// What preparing has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prepared {
    /// The global lock's lease.
    pub global: GlobalLease,
    /// The generation of our host's last life, where the lock manager tells; 0 otherwise.
    pub previous_generation: u32,
    /// The lock manager has the lockspace already: an earlier life of the daemon has left it behind.
    pub is_left_behind: bool,
}

/// The other hosts in a lockspace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OtherHosts {
    /// How many are alive.
    pub live: usize,
    /// How many are not known to be alive or dead.
    pub unknown: usize,
}

/// How a lockspace's lease on our host's life is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renewal {
    /// The time since it was last renewed.
    pub age: Duration,
    /// The age at which the lock manager ends the lockspace's users (`lvmlockctl --kill`).
    pub kill_after: Duration,
    /// The age at which the watchdog resets the host.
    pub reset_after: Duration,
}

/// How to leave a lockspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// It stays for others.
    Keep,
    /// The VG is removed: nobody shall find a lockspace there.
    Destroy,
}

/// How a lock is acquired.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acquire {
    /// Where an LV's lease is: its lock arguments, such as `1.0.0:70254592` or `dlm`; empty for others.
    pub lv_args: Arc<str>,
    /// Whether a lock of an earlier life is taken over.
    pub adopt: Adopt,
    /// A corrupt lease is written anew.
    pub repair: bool,
}

/// A lock manager.
pub trait LockManager: Send + Sync + 'static {
    /// Returns which one it is.
    fn lock_type(&self) -> LockType;

    /// Returns whether it can be used now.
    ///
    /// # Errors
    /// Why not: its library is absent, its daemon does not run.
    fn probe(&self) -> Result<(), Fault>;

    /// Makes the connection of a lockspace; nothing is asked of the lock manager yet.
    ///
    /// # Errors
    /// The site's arguments make no sense.
    fn connect(&self, site: &Site) -> Result<Box<dyn Connection>, Fault>;

    /// Makes the leases of a new shared VG; returns its lock arguments.
    ///
    /// # Errors
    /// Nothing usable was made.
    fn init_vg(&self, request: &InitVg) -> Result<String, Fault>;

    /// Makes the lease of an LV in a VG whose lockspace is not started; returns the LV's lock arguments.
    ///
    /// # Errors
    /// Nothing was made.
    fn init_lv(&self, request: &InitLv) -> Result<String, Fault>;

    /// Gives all leases of a VG the name of its new lockspace.
    ///
    /// # Errors
    /// Some may have the old one still.
    fn rename_vg(&self, vg: &VgName, args: &str) -> Result<(), Fault>;

    /// Returns the VGs whose lockspaces, of an earlier life of the daemon, the lock manager still has, with our host
    /// ids in them; `None` for dlm's global lockspace.
    ///
    /// # Errors
    /// They cannot be listed.
    fn remains(&self) -> Result<Vec<Remains>, Fault>;

    /// Has an LV refreshed on all other hosts where it is active (dlm); returns when that is done.
    ///
    /// # Errors
    /// It has failed on some.
    fn refresh_lv(&self, vg: &VgName, lv: &LvName) -> Result<(), Fault>;

    /// Makes believe that another host locks an LV in this mode, or not any more; returns whether this lock manager can,
    /// which is test mode's alone.
    fn pretend_remote(&self, _vg: &VgName, _lv_uuid: LvUuid, _mode: Option<LockMode>) -> bool {
        false
    }
}

/// A lockspace of an earlier life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remains {
    /// Its name, such as `lvm_vg0`.
    pub lockspace: String,
    /// Our host id in it; 0 where the lock manager has none.
    pub host_id: u32,
}

/// A lock of an earlier life of the daemon that nobody has taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// What is locked.
    pub resource: Resource,
    /// Shared or exclusive.
    pub mode: LockMode,
    /// The LV's lock arguments, such as `1.0.0:70254592` or `dlm`; empty for others.
    pub lv_args: Arc<str>,
}

/// What the leases of a new shared VG are made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitVg {
    /// The VG's name.
    pub vg: VgName,
    /// The name of the LV that holds the leases (sanlock); empty otherwise.
    pub args: Arc<str>,
    /// Words such as `persist,notimeout` (sanlock); empty for none.
    pub set_args: Arc<str>,
    /// The size of a lease in MiB, on disks with sectors of 4096 bytes; 0: as large as ever.
    pub align_mb: u32,
    /// The global lock of this VG is the one to be used.
    pub enable_global: bool,
}

/// What the lease of a new LV is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitLv {
    /// The VG's name.
    pub vg: VgName,
    /// The VG's lock arguments.
    pub vg_args: Arc<str>,
    /// The LV's UUID.
    pub lv_uuid: LvUuid,
    /// The lock arguments of the LV whose lease was made before this one; empty where there is none.
    pub previous_args: Arc<str>,
}

/// A lockspace's own connection to its lock manager. Every call may block.
pub trait Connection: Send {
    /// Looks whether the lockspace can be joined. May be called again, also when it is joined.
    ///
    /// # Errors
    /// Why not.
    fn prepare(&mut self, repair: bool) -> Result<Prepared, Fault>;

    /// Joins the lockspace; returns the generation of this life of our host, 0 where the lock manager has none. May be called
    /// again with adoption when it is joined.
    ///
    /// # Errors
    /// We are not in it.
    fn join(&mut self, adopt: Adopt, nodelay: bool) -> Result<u32, Fault>;

    /// Leaves the lockspace.
    ///
    /// # Errors
    /// We are in it still.
    fn leave(&mut self, how: Leave) -> Result<(), Fault>;

    /// Acquires a lock; returns its value block, where such a lock has one.
    ///
    /// # Errors
    /// It is not held.
    fn acquire(
        &mut self,
        resource: &Resource,
        mode: LockMode,
        how: &Acquire,
    ) -> Result<Option<ValueBlock>, Fault>;

    /// Changes the mode of a lock that is held, and writes its value block first, where one is given.
    ///
    /// # Errors
    /// It is held as before.
    fn convert(
        &mut self,
        resource: &Resource,
        mode: LockMode,
        write: Option<ValueBlock>,
    ) -> Result<(), Fault>;

    /// Gives a lock back, and writes its value block first, where one is given; `free`: for ever, as its VG is removed.
    ///
    /// # Errors
    /// It is held as before, or nobody knows.
    fn release(&mut self, resource: &Resource, write: Option<ValueBlock>, free: bool) -> Result<(), Fault>;

    /// Lists the locks of an earlier life that nobody has taken over; `None` where the lock manager does not tell.
    ///
    /// # Errors
    /// They cannot be listed.
    fn orphans(&mut self) -> Result<Option<Vec<Leftover>>, Fault>;

    /// Gives back all locks of an earlier life that nobody has taken over; other hosts get them from now on.
    ///
    /// # Errors
    /// Some may be there still.
    fn drop_orphans(&mut self) -> Result<(), Fault>;

    /// Counts the other hosts in the lockspace.
    ///
    /// # Errors
    /// They cannot be told.
    fn other_hosts(&mut self) -> Result<OtherHosts, Fault>;

    /// Finds room for the lease of another LV, and keeps in mind where (sanlock); `size_bytes` is that of the LV of
    /// leases, 0 where the client did not say.
    ///
    /// # Errors
    /// [`ResultCode::NO_ROOM`], or the leases cannot be read.
    fn find_free_lock(&mut self, size_bytes: u64) -> Result<(), Fault>;

    /// Makes the lease of an LV; returns the LV's lock arguments.
    ///
    /// # Errors
    /// Nothing was made.
    fn init_lv(&mut self, request: &InitLv) -> Result<String, Fault>;

    /// Gives the lease of an LV back, whose lock is not held.
    ///
    /// # Errors
    /// It is there still, or nobody knows.
    fn free_lv(&mut self, lv_uuid: LvUuid, lv_args: &str) -> Result<(), Fault>;

    /// Looks what the global lock's lease is called now.
    ///
    /// # Errors
    /// It cannot be read.
    fn read_global(&mut self) -> Result<GlobalLease, Fault>;

    /// Gives the global lock's lease the name by which it is used, or not (sanlock).
    ///
    /// # Errors
    /// It has the name it had, or nobody knows.
    fn write_global(&mut self, enabled: bool) -> Result<(), Fault>;

    /// Tells how the lease on our host's life is doing; `None` where the lock manager has none.
    ///
    /// # Errors
    /// It cannot be told.
    fn renewal(&mut self) -> Result<Option<Renewal>, Fault>;
}

impl Resource {
    /// Returns the one that bears `name` among the lock managers; `None`: nothing of LVM's does.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "GLLK" => Some(Self::Global),
            "VGLK" => Some(Self::Vg),
            uuid => uuid.try_into().ok().map(Self::Lv),
        }
    }

    /// Returns the name by which the lock managers of other hosts know it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Global => "GLLK",
            Self::Vg => "VGLK",
            Self::Lv(uuid) => uuid.as_str(),
        }
    }
}

impl ValueBlock {
    /// The version of the format that is written: major 1, minor 1.
    pub const VERSION: u16 = 0x0101;
    /// The flag that says that the VG was removed.
    pub const REMOVED: u16 = 1;
    /// How many bytes it takes.
    pub const BYTES: usize = 8;

    /// Returns the bytes that other hosts read: little endian, in the order of the fields.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let [v0, v1] = self.version.to_le_bytes();
        let [f0, f1] = self.flags.to_le_bytes();
        let [r0, r1, r2, r3] = self.r_version.to_le_bytes();
        [v0, v1, f0, f1, r0, r1, r2, r3]
    }

    /// Returns what the bytes of another host say.
    pub fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        let [v0, v1, f0, f1, r0, r1, r2, r3] = bytes;
        Self {
            version: u16::from_le_bytes([v0, v1]),
            flags: u16::from_le_bytes([f0, f1]),
            r_version: u32::from_le_bytes([r0, r1, r2, r3]),
        }
    }
}

impl Fault {
    /// Makes a fault that asking again does not cure, and of which the lock manager has no number.
    pub fn new(code: ResultCode, text: impl Into<String>) -> Self {
        Self { code, raw: code.0, is_transient: false, owner: None, text: text.into() }
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
