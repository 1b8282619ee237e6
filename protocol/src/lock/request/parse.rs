//! From a message to a request.

use super::{DEFAULT_MAX_RETRIES, Lock, Lv, NotUnderstood, Operation, Request, Target};
use crate::config_text;
use crate::lock::fields::{Field, Fields};

impl Request {
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
            vg: fields.id(Field::VgName),
            lock_type: fields.lock_type(),
            lock_args: fields.args(Field::VgLockArgs),
        })
    }
}

impl Operation {
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
            name: fields.id(Field::LvName),
            uuid: fields.id(Field::LvUuid),
            args: fields.args(Field::LvLockArgs),
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
                vg_uuid: fields.id(Field::VgUuid),
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
                Self::RefreshLv { lv_uuid: fields.id(Field::LvUuid), path: fields.text(Field::Path) }
            }
            "vg_status" => Self::VgStatus,
            "setlockargs_vg_before" => Self::SetLockArgsBefore { set_args: set_args() },
            "setlockargs_vg_final" => Self::SetLockArgsFinal { set_args: set_args() },
            "set_remote_lv_lock" => {
                Self::SetRemoteLvLock { lv_uuid: fields.id(Field::LvUuid), mode: fields.mode() }
            }
            _ => return None,
        })
    }
}
