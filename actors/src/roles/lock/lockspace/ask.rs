//! What clients ask of one lockspace, and what they are told.
//!
//! Whatever needs more than one lockspace (which of them serves the global lock, stopping all of them) is answered
//! before a request comes here.

use std::sync::Arc;

use lvmwarden_protocol::ids::LvUuid;
use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode, ResultFlags};
use lvmwarden_supervisor::process::ProcessIdentity;

use crate::roles::lock::lock_manager::{Adopt, InitLv, Leftover, Owner, Resource};

/// One connection, for as long as it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub u32);

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The connection.
    pub id: ClientId,
    /// The process at its other end; 0 where it is not known.
    pub pid: u32,
    /// Which process that is, as the kernel says; `None` where it does not.
    pub process: Option<ProcessIdentity>,
    /// The command it says it is, such as `lvcreate`; empty where it does not say.
    pub name: Arc<str>,
}

impl Client {
    /// Makes the one who asks where the daemon does.
    pub fn of_this_daemon(name: &str) -> Self {
        Self { id: ClientId(0), pid: std::process::id(), process: None, name: Arc::from(name) }
    }
}

/// One request of one client; it gets exactly one [`Reply`], unless its client goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// Starts the lockspace.
    Start(StartAsk),
    /// Stops it.
    Stop(StopRule),
    /// Locks, converts or unlocks.
    Lock(LockAsk),
    /// Names the version of the metadata that the client has written under its exclusive VG lock.
    VgUpdate {
        /// The VG's seqno.
        version: u32,
        /// It is the one after the known one, whatever `version` says.
        next: bool,
    },
    /// Asks in which mode this host holds a lock.
    Query(Resource),
    /// Looks for room for the lease of another LV (sanlock).
    FindFreeLock {
        /// The size of the LV of leases in bytes; 0 where the client does not say.
        size_bytes: u64,
    },
    /// Makes the lease of a new LV.
    InitLv(Box<InitLv>),
    /// Gives the lease of an LV back.
    FreeLv {
        /// Its UUID.
        uuid: LvUuid,
        /// Its lock arguments; empty where the client does not say.
        args: Arc<str>,
    },
    /// Makes this VG's global lock the one that is used (sanlock).
    EnableGlobal,
    /// Makes it one that is not used (sanlock).
    DisableGlobal {
        /// It is locked first.
        exclusive: bool,
    },
    /// Looks what the name of the global lock's lease is now; the answer's code is 0 where it is enabled, -210 otherwise.
    ReadGlobal,
    /// Asks whether other hosts are in the lockspace.
    Busy,
    /// Ends the lockspace for ever: the VG is removed.
    Free,
    /// Leaves the lockspace before its VG is renamed.
    RenameBefore,
    /// Leaves the lockspace before its lock arguments are changed.
    SetLockArgsBefore,
    /// Asks for the locks of an earlier life that nobody has taken over.
    Orphans,
    /// Takes such locks over, and keeps them until somebody unlocks them or gives them back.
    Settle {
        /// Which; `None`: those of all LVs.
        which: Option<Resource>,
        /// They are kept; otherwise other hosts get them from now on.
        keep: bool,
    },
    /// Says that the leases cannot be reached any more: no locks from now on.
    Kill,
    /// Gives all locks back and leaves, whatever is held.
    Drop,
    /// Asks who this host is in the lockspace.
    Status,
}

/// How a lockspace is started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StartAsk {
    /// The reply comes after the join rather than before.
    pub wait: bool,
    /// Whether a lockspace of an earlier life is taken over.
    pub adopt: Adopt,
    /// The lock manager need not wait for the leases of dead hosts.
    pub nodelay: bool,
    /// A corrupt lease of our host is written anew.
    pub repair: bool,
}

/// What forbids that a lockspace is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopRule {
    /// LV locks.
    UnlessLvLocks,
    /// Locks of any kind.
    UnlessLocks,
    /// Nothing.
    Anyway,
}

/// A request for a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a word of the request, and any of them may be there"
)]
pub struct LockAsk {
    /// What is to be locked.
    pub resource: Resource,
    /// In which mode; `None` where the client's word means none.
    pub mode: Option<LockMode>,
    /// The lock outlives its client.
    pub persistent: bool,
    /// An unlock that finds nothing cancels a waiting request.
    pub unlock_cancel: bool,
    /// Whether a lock of an earlier life is taken over.
    pub adopt: Adopt,
    /// A corrupt lease is written anew.
    pub repair: bool,
    /// How often a conflict with another host is tried again, less one.
    pub max_retries: u32,
    /// The request waits while the lockspace is starting.
    pub waits_for_start: bool,
    /// The LV's name; empty for other locks.
    pub lv_name: Arc<str>,
    /// The LV's lock arguments; empty for other locks.
    pub lv_args: Arc<str>,
}

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The field `op_result`.
    pub code: ResultCode,
    /// The field `result_flags`, as far as a single lockspace knows.
    pub flags: ResultFlags,
    /// The lock manager's own number.
    pub lm_result: i32,
    /// Whose lock is in the way; for [`Ask::Status`]: who we are.
    pub owner: Option<Box<Owner>>,
    /// The answer to [`Ask::Query`].
    pub mode: Option<LockMode>,
    /// The answer to [`Ask::InitLv`].
    pub lv_args: Option<Box<str>>,
    /// The answer to [`Ask::Orphans`]; `None` where the lock manager does not tell.
    pub orphans: Option<Vec<Leftover>>,
    /// Which life of our host it is in this lockspace; 0 where the lock manager has none.
    pub generation: u32,
    /// The life before, for [`Ask::Start`].
    pub previous_generation: u32,
}

/// What a request is about, before its lockspace looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The request's own number.
    pub ticket: Ticket,
    /// Who asks.
    pub client: Arc<Client>,
    /// The lock type the client takes the VG for, where it says one.
    pub lock_type: Option<LockType>,
    /// What is asked.
    pub ask: Ask,
}

impl Reply {
    /// Makes a reply with nothing but a result.
    pub fn of(code: ResultCode) -> Self {
        Self {
            code,
            flags: ResultFlags::NONE,
            lm_result: 0,
            owner: None,
            mode: None,
            lv_args: None,
            orphans: None,
            generation: 0,
            previous_generation: 0,
        }
    }
}

impl LockAsk {
    /// What a request has whose message says no more than resource and mode.
    ///
    /// Source: lvm2 2.03.16, `max_retries` of a request that does not carry it is 4.
    pub fn new(resource: Resource, mode: Option<LockMode>) -> Self {
        let nothing: Arc<str> = Arc::from("");
        Self {
            resource,
            mode,
            persistent: false,
            unlock_cancel: false,
            adopt: Adopt::No,
            repair: false,
            max_retries: 4,
            waits_for_start: false,
            lv_name: Arc::clone(&nothing),
            lv_args: nothing,
        }
    }
}
