//! Requests: from a message to what is asked, and back to the message that lvm would send.
//!
//! Nothing is refused here but what is not understood at all: that gets no reply. What else is wrong with a request,
//! such as a mode that is none, is told by the daemon with a result code, because the C daemon has other checks before.

use std::sync::Arc;

use bytes::Bytes;

use super::fields::{Field, Fields, Writer};
use super::{LockMode, LockType, Op, Options};
use crate::config_text::{self, ParseError};

/// How often a request for a lock is tried again when it does not say.
pub const DEFAULT_MAX_RETRIES: u32 = 4;

/// A request to lvmlockd.
///
/// A text that is absent, or says `none`, is empty; so is one that is not UTF-8, which no LVM name is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is asked.
    pub operation: Operation,
    /// The client's command, such as `lvcreate`; the first that is not empty names the connection.
    pub cmd: Arc<str>,
    /// The client's pid, as it says; 0 where it does not.
    pub pid: i64,
    /// The VG's name.
    pub vg: Arc<str>,
    /// The lock type of the VG.
    pub lock_type: RequestedType,
    /// The lock arguments of the VG, such as `1.0.0:lvmlock`.
    pub lock_args: Arc<str>,
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
        vg_uuid: Arc<str>,
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
        lv_uuid: Arc<str>,
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
        lv_uuid: Arc<str>,
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lv {
    /// Its name, for people.
    pub name: Arc<str>,
    /// Its UUID, 38 characters with dashes: the name of its lock.
    pub uuid: Arc<str>,
    /// Its lock arguments, such as `1.0.0:70254592`.
    pub args: Arc<str>,
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

    /// Reads what `keyword` asks for; `None` for an unknown one.
    fn from_fields(keyword: &str, fields: &Fields<'_>) -> Option<Self> {
        let lock = |target| {
            Self::Lock(Lock {
                target,
                mode: fields.mode(),
                options: fields.options(),
                max_retries: fields
                    .int(Field::MaxRetries)
                    .map_or(DEFAULT_MAX_RETRIES, |retries| u32::try_from(retries.max(0)).unwrap_or(u32::MAX)),
            })
        };
        let lv = || Lv {
            name: fields.text(Field::LvName),
            uuid: fields.text(Field::LvUuid),
            args: fields.text(Field::LvLockArgs),
        };
        let set_args = || fields.text(Field::SetLockArgs);
        Some(match keyword {
            "lock_gl" => lock(Target::Global),
            "lock_vg" => lock(Target::Vg),
            "lock_lv" => lock(Target::Lv(lv())),
            "vg_update" => {
                Self::VgUpdate { version: fields.int32(Field::Version), options: fields.options() }
            }
            "hello" => Self::Hello,
            "quit" => Self::Quit,
            "info" => Self::Info,
            "dump" => Self::Dump,
            "running_lm" => Self::RunningLm,
            "init_vg" => Self::InitVg {
                options: fields.options(),
                set_args: set_args(),
                align_mb: fields.int32(Field::AlignMb),
            },
            "init_lv" => Self::InitLv { lv: lv(), previous_args: fields.text(Field::PrevLvArgs) },
            "free_vg" => Self::FreeVg,
            "free_lv" => Self::FreeLv(lv()),
            "busy_vg" => Self::BusyVg,
            "start_vg" => Self::StartVg {
                vg_uuid: fields.text(Field::VgUuid),
                version: fields.int32(Field::Version),
                host_id: fields.int32(Field::HostId),
                options: fields.options(),
            },
            "start_wait" => Self::StartWait,
            "stop_vg" => Self::StopVg(fields.options()),
            "stop_all" => Self::StopAll(fields.options()),
            "query_lock_vg" => Self::QueryLock(Target::Vg),
            "query_lock_lv" => Self::QueryLock(Target::Lv(lv())),
            "enable_gl" => Self::EnableGlobal,
            "disable_gl" => Self::DisableGlobal(fields.options()),
            "rename_vg_before" => Self::RenameVgBefore,
            "rename_vg_final" => Self::RenameVgFinal,
            "find_free_lock" => {
                let lv_size_bytes = fields.int(Field::LvSizeBytes).unwrap_or_default();
                Self::FindFreeLock { lv_size_bytes: u64::try_from(lv_size_bytes).unwrap_or_default() }
            }
            "kill_vg" => Self::KillVg,
            "drop_vg" => Self::DropVg,
            "refresh_lv" => {
                Self::RefreshLv { lv_uuid: fields.text(Field::LvUuid), path: fields.text(Field::Path) }
            }
            "vg_status" => Self::VgStatus,
            "setlockargs_vg_before" => Self::SetLockArgsBefore { set_args: set_args() },
            "setlockargs_vg_final" => Self::SetLockArgsFinal { set_args: set_args() },
            "set_remote_lv_lock" => {
                Self::SetRemoteLvLock { lv_uuid: fields.text(Field::LvUuid), mode: fields.mode() }
            }
            _ => return None,
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
            vg: Arc::default(),
            lock_type: RequestedType::None,
            lock_args: Arc::default(),
        }
    }

    /// Parses one message, without its terminator. Takes about a microsecond for a request for a lock.
    ///
    /// # Errors
    /// See [`NotUnderstood`].
    pub fn parse(message: &[u8]) -> Result<Self, NotUnderstood> {
        let section = config_text::parse(message)?;
        let fields = Fields::of(&section);
        let keyword = fields.word(Field::Request).ok_or(NotUnderstood::NoKeyword)?;
        let operation = Operation::from_fields(keyword, &fields)
            .ok_or_else(|| NotUnderstood::UnknownKeyword { keyword: keyword.to_owned() })?;
        Ok(Self {
            operation,
            cmd: fields.text(Field::Cmd),
            pid: fields.int(Field::Pid).unwrap_or_default(),
            vg: fields.text(Field::VgName),
            lock_type: fields.lock_type(),
            lock_args: fields.text(Field::VgLockArgs),
        })
    }

    /// Writes the message, without its terminator, with the fields that lvm commands give such a request, in their order.
    ///
    /// Fields that came later are left out when they say nothing, so that it is byte for byte what lvm2 2.03.16 sends.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = match self.operation {
            // These are not spaced as the others are.
            Operation::Hello => return Bytes::from_static(b"request = \"hello\"\n"),
            Operation::Quit => return Bytes::from_static(b"request = \"quit\"\n"),
            Operation::Info => return Bytes::from_static(b"request = \"info\"\n"),
            Operation::Dump => return Bytes::from_static(b"request = \"dump\"\n"),
            _ => Writer::new(self.operation.keyword()),
        };
        out.text_if_any(Field::Cmd, &self.cmd);
        out.int(Field::Pid, self.pid);
        match &self.operation {
            Operation::Lock(lock) => {
                out.mode(lock.mode);
                out.options(lock.options);
                if lock.max_retries != DEFAULT_MAX_RETRIES {
                    out.int(Field::MaxRetries, lock.max_retries);
                }
                self.write_target(&mut out, &lock.target);
            }
            Operation::QueryLock(target) => {
                out.options(Options::NONE);
                self.write_target(&mut out, target);
            }
            other => {
                out.text_if_any(Field::VgName, &self.vg);
                self.write_fields_of(&mut out, other);
            }
        }
        out.finish()
    }

    /// Writes what is to be locked.
    fn write_target(&self, out: &mut Writer, target: &Target) {
        if !self.vg.is_empty() {
            out.text(Field::VgName, &self.vg);
        }
        if let Target::Lv(lv) = target {
            out.text_if_any(Field::LvName, &lv.name);
            out.text_if_any(Field::LvUuid, &lv.uuid);
        }
        out.text(Field::VgLockType, self.lock_type.as_str());
        if *target != Target::Global {
            out.text_or_none(Field::VgLockArgs, &self.lock_args);
        }
        if let Target::Lv(lv) = target {
            out.text_or_none(Field::LvLockArgs, &lv.args);
        }
    }

    /// Writes the fields of a request that is not for a lock.
    fn write_fields_of(&self, out: &mut Writer, operation: &Operation) {
        match operation {
            Operation::InitLv { lv, .. } | Operation::FreeLv(lv) => {
                out.text_if_any(Field::LvName, &lv.name);
                out.text_if_any(Field::LvUuid, &lv.uuid);
            }
            Operation::SetRemoteLvLock { lv_uuid, .. } => out.text_if_any(Field::LvUuid, lv_uuid),
            _ => {}
        }
        if self.lock_type != RequestedType::None {
            out.text(Field::VgLockType, self.lock_type.as_str());
        }
        out.text_if_any(Field::VgLockArgs, &self.lock_args);
        match operation {
            Operation::InitVg { options, set_args, align_mb } => {
                // dlm has no arguments to begin with, and lvm then says nothing of options.
                if !self.lock_args.is_empty() || *options != Options::NONE {
                    out.options(*options);
                }
                out.text_if_any(Field::SetLockArgs, set_args);
                out.int_if_any(Field::AlignMb, *align_mb);
            }
            Operation::InitLv { lv, previous_args } => {
                out.text_if_any(Field::LvLockArgs, &lv.args);
                out.text_if_any(Field::PrevLvArgs, previous_args);
            }
            Operation::FreeLv(lv) => out.text_if_any(Field::LvLockArgs, &lv.args),
            Operation::StartVg { vg_uuid, version, host_id, options } => {
                out.text_if_any(Field::VgUuid, vg_uuid);
                out.int(Field::Version, *version);
                out.int(Field::HostId, *host_id);
                out.options(*options);
            }
            Operation::StopVg(options) | Operation::DisableGlobal(options) => {
                if *options != Options::NONE {
                    out.options(*options);
                }
            }
            Operation::StopAll(options) => {
                // lvmlockctl puts a blank behind each word.
                let words: String = options.words().flat_map(|word| [word, " "]).collect();
                out.text_or_none(Field::Opts, &words);
            }
            Operation::VgUpdate { version, options } => {
                out.int(Field::Version, *version);
                if *options != Options::NONE {
                    out.options(*options);
                }
            }
            Operation::FindFreeLock { lv_size_bytes } => {
                out.int_if_any(Field::LvSizeBytes, i64::try_from(*lv_size_bytes).unwrap_or(i64::MAX));
            }
            Operation::RefreshLv { lv_uuid, path } => {
                out.options(Options::NONE);
                out.text_if_any(Field::LvUuid, lv_uuid);
                out.text_if_any(Field::Path, path);
            }
            Operation::SetLockArgsBefore { set_args } | Operation::SetLockArgsFinal { set_args } => {
                out.text_if_any(Field::SetLockArgs, set_args);
            }
            Operation::SetRemoteLvLock { mode, .. } => out.mode(*mode),
            Operation::Hello
            | Operation::Quit
            | Operation::Info
            | Operation::Dump
            | Operation::RunningLm
            | Operation::FreeVg
            | Operation::BusyVg
            | Operation::StartWait
            | Operation::Lock(_)
            | Operation::QueryLock(_)
            | Operation::EnableGlobal
            | Operation::RenameVgBefore
            | Operation::RenameVgFinal
            | Operation::KillVg
            | Operation::DropVg
            | Operation::VgStatus => {}
        }
    }
}
