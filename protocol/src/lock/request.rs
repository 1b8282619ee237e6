//! Requests: from a message to what is asked, and back to the message that lvm would send.
//!
//! Nothing is refused here but what is not understood at all: that gets no reply. What else is wrong with a request,
//! such as a mode that is none, is told by the daemon with a result code, because the C daemon has other checks before.

mod parse;
mod write;

use std::sync::Arc;

use super::{LockArgs, LockMode, LockType, Op, Options};
use crate::config_text::ParseError;
use crate::ids::{LvName, LvUuid, VgName, VgUuid};

/// How often a request for a lock is tried again when it does not say.
pub const DEFAULT_MAX_RETRIES: u32 = 4;

/// A request to lvmlockd.
///
/// A text that is absent, or says `none`, is empty; so is one that is not UTF-8. A name or a UUID that is absent is
/// `None`; so is what LVM never lets be one, since nothing has such a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is asked.
    pub operation: Operation,
    /// The client's command, such as `lvcreate`; the first that is not empty names the connection.
    pub cmd: Arc<str>,
    /// The client's pid, as it says; 0 where it does not.
    pub pid: i64,
    /// The VG's name.
    pub vg: Option<VgName>,
    /// The lock type of the VG.
    pub lock_type: RequestedType,
    /// The lock arguments of the VG, such as `1.0.0:lvmlock`; `None` for what are none.
    pub lock_args: Option<LockArgs>,
}

/// The lock type that a request names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RequestedType {
    /// None: the lockspace knows.
    #[default]
    None,
    /// This one.
    Type(LockType),
    /// A word that is no lock type.
    Unknown,
}

/// What a request asks for, with the fields that only it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// The greeting, the first thing every client says.
    Hello,
    /// End, if there is no lockspace.
    Quit,
    /// List lockspaces and locks.
    Info,
    /// Show the log.
    Dump,
    /// Tell which lock manager runs.
    RunningLm,
    /// Make what a new shared VG needs.
    InitVg {
        /// `enable` and `disable` choose what becomes of its global lock.
        options: Options,
        /// Words for the lock arguments, such as `persist,notimeout`; since lvm2 2.03.37.
        set_args: Arc<str>,
        /// The size of a lease in MiB; 0: as large as ever. Since lvm2 2.03.27.
        align_mb: u32,
    },
    /// Make what a new LV needs.
    InitLv {
        /// The LV; its arguments are what is asked for.
        lv: Lv,
        /// The arguments of the LV that was made before it; since lvm2 2.03.28.
        previous_args: Arc<str>,
    },
    /// Give back all that a VG has, as it is removed.
    FreeVg,
    /// Give back what an LV has, as it is removed.
    FreeLv(Lv),
    /// Tell whether other hosts use a VG.
    BusyVg,
    /// Start the lockspace of a VG.
    StartVg {
        /// The VG's UUID.
        vg_uuid: Option<VgUuid>,
        /// The VG's seqno.
        version: u32,
        /// This host's id in the lockspace; 0: the daemon knows.
        host_id: u32,
        /// `wait`, `nodelay`, `adopt`, `adopt_only`, `repair`.
        options: Options,
    },
    /// Wait until no lockspace is starting.
    StartWait,
    /// Stop the lockspace of a VG; `force`: also when LVs are locked.
    StopVg(Options),
    /// Stop all lockspaces; `force`, `wait`.
    StopAll(Options),
    /// Lock, change a lock, or unlock.
    Lock(Lock),
    /// The VG's metadata will be written with this seqno; `next_version`: with the next.
    VgUpdate {
        /// The seqno.
        version: u32,
        /// `next_version`.
        options: Options,
    },
    /// Tell how a VG or an LV is locked here.
    QueryLock(Target),
    /// Use the global lock of this VG.
    EnableGlobal,
    /// Do not use the global lock of this VG; `ex_disable`.
    DisableGlobal(Options),
    /// Stop the lockspace of a VG that will have another name.
    RenameVgBefore,
    /// Make what the VG needs under its new name.
    RenameVgFinal,
    /// Find room for another LV; since lvm2 2.03.27 with the size of the LV that holds the leases, 0 before.
    FindFreeLock {
        /// The size in bytes.
        lv_size_bytes: u64,
    },
    /// The leases of a VG are lost: grant nothing more.
    KillVg,
    /// Leave the lockspace of a VG with all its locks.
    DropVg,
    /// Have an LV refreshed on the other hosts that use it.
    RefreshLv {
        /// The LV's UUID.
        lv_uuid: Option<LvUuid>,
        /// `/dev/VG/LV`.
        path: Arc<str>,
    },
    /// Tell who we are in a lockspace; since lvm2 2.03.33.
    VgStatus,
    /// Stop the lockspace of a VG that will have other arguments; since lvm2 2.03.37.
    SetLockArgsBefore {
        /// Words such as `persist,notimeout`.
        set_args: Arc<str>,
    },
    /// Write the new arguments; since lvm2 2.03.37.
    SetLockArgsFinal {
        /// Words such as `persist,notimeout`.
        set_args: Arc<str>,
    },
    /// Make believe that another host locks an LV; in test mode, since 2026.
    SetRemoteLvLock {
        /// The LV's UUID.
        lv_uuid: Option<LvUuid>,
        /// In which mode; any other than shared and exclusive: not at all.
        mode: Option<LockMode>,
    },
}

/// A request for a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// What is to be locked.
    pub target: Target,
    /// How; `None` for a word that is no mode.
    pub mode: Option<LockMode>,
    /// `persistent`, `unlock_cancel`, `adopt`, `adopt_only`, `repair`.
    pub options: Options,
    /// How often it is tried again when another host is in the way.
    pub max_retries: u32,
}

/// What a request for a lock is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The global lock.
    Global,
    /// The VG.
    Vg,
    /// An LV of the VG.
    Lv(Lv),
}

/// An LV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lv {
    /// Its name, for people.
    pub name: Option<LvName>,
    /// Its UUID: the name of its lock.
    pub uuid: Option<LvUuid>,
    /// Its lock arguments, such as `1.0.0:70254592`; `None` for what are none.
    pub args: Option<LockArgs>,
}

/// A message that gets no reply; the connection stays open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotUnderstood {
    /// It is no config text.
    #[error("parse a request")]
    Syntax(#[from] ParseError),
    /// It does not say what it asks for.
    #[error("parse a request: it has no keyword")]
    NoKeyword,
    /// It asks for something unknown.
    #[error("parse a request: unknown keyword {keyword:?}")]
    UnknownKeyword {
        /// The word.
        keyword: String,
    },
}

impl RequestedType {
    /// Returns what `word` stands for.
    pub fn from_word(word: &str) -> Self {
        match word {
            "none" => Self::None,
            word => LockType::from_word(word).map_or(Self::Unknown, Self::Type),
        }
    }

    /// Returns the word for it; that of an unknown one is the daemon's.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Type(lock_type) => lock_type.as_str(),
            Self::Unknown => "lm_unknown",
        }
    }

    /// Returns the type, if it is a known one.
    pub fn known(self) -> Option<LockType> {
        match self {
            Self::Type(lock_type) => Some(lock_type),
            Self::None | Self::Unknown => None,
        }
    }
}

impl From<LockType> for RequestedType {
    fn from(lock_type: LockType) -> Self {
        Self::Type(lock_type)
    }
}

impl Operation {
    /// Returns the word that asks for it.
    pub fn keyword(&self) -> &'static str {
        match self {
            Self::Hello => "hello",
            Self::Quit => "quit",
            Self::Info => "info",
            Self::Dump => "dump",
            Self::RunningLm => "running_lm",
            Self::InitVg { .. } => "init_vg",
            Self::InitLv { .. } => "init_lv",
            Self::FreeVg => "free_vg",
            Self::FreeLv(_) => "free_lv",
            Self::BusyVg => "busy_vg",
            Self::StartVg { .. } => "start_vg",
            Self::StartWait => "start_wait",
            Self::StopVg(_) => "stop_vg",
            Self::StopAll(_) => "stop_all",
            Self::Lock(Lock { target: Target::Global, .. }) => "lock_gl",
            Self::Lock(Lock { target: Target::Vg, .. }) => "lock_vg",
            Self::Lock(Lock { target: Target::Lv(_), .. }) => "lock_lv",
            Self::VgUpdate { .. } => "vg_update",
            Self::QueryLock(Target::Lv(_)) => "query_lock_lv",
            Self::QueryLock(Target::Global | Target::Vg) => "query_lock_vg",
            Self::EnableGlobal => "enable_gl",
            Self::DisableGlobal(_) => "disable_gl",
            Self::RenameVgBefore => "rename_vg_before",
            Self::RenameVgFinal => "rename_vg_final",
            Self::FindFreeLock { .. } => "find_free_lock",
            Self::KillVg => "kill_vg",
            Self::DropVg => "drop_vg",
            Self::RefreshLv { .. } => "refresh_lv",
            Self::VgStatus => "vg_status",
            Self::SetLockArgsBefore { .. } => "setlockargs_vg_before",
            Self::SetLockArgsFinal { .. } => "setlockargs_vg_final",
            Self::SetRemoteLvLock { .. } => "set_remote_lv_lock",
        }
    }

    /// Returns what replies and lists call it; `None` for hello and quit, which they do not name.
    pub fn op(&self) -> Option<Op> {
        Some(match self {
            Self::Hello | Self::Quit => return None,
            Self::Info => Op::DumpInfo,
            Self::Dump => Op::DumpLog,
            Self::RunningLm => Op::RunningLm,
            Self::InitVg { .. } | Self::InitLv { .. } => Op::Init,
            Self::FreeVg | Self::FreeLv(_) => Op::Free,
            Self::BusyVg => Op::Busy,
            Self::StartVg { .. } => Op::Start,
            Self::StartWait => Op::StartWait,
            Self::StopVg(_) => Op::Stop,
            Self::StopAll(_) => Op::StopAll,
            Self::Lock(_) => Op::Lock,
            Self::VgUpdate { .. } => Op::Update,
            Self::QueryLock(_) => Op::QueryLock,
            Self::EnableGlobal => Op::Enable,
            Self::DisableGlobal(_) => Op::Disable,
            Self::RenameVgBefore => Op::RenameBefore,
            Self::RenameVgFinal => Op::RenameFinal,
            Self::FindFreeLock { .. } => Op::FindFreeLock,
            Self::KillVg => Op::KillVg,
            Self::DropVg => Op::DropVg,
            Self::RefreshLv { .. } => Op::RefreshLv,
            Self::VgStatus => Op::VgStatus,
            Self::SetLockArgsBefore { .. } => Op::SetLockArgsBefore,
            Self::SetLockArgsFinal { .. } => Op::SetLockArgsFinal,
            Self::SetRemoteLvLock { .. } => Op::SetRemoteLvLock,
        })
    }
}

impl Request {
    /// Returns a request that says nothing about who asks, and about which VG.
    pub fn new(operation: Operation) -> Self {
        Self {
            operation,
            cmd: Arc::default(),
            pid: 0,
            vg: None,
            lock_type: RequestedType::None,
            lock_args: Some(LockArgs::default()),
        }
    }
}
