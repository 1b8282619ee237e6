//! From a request to the message that lvm would send.

use bytes::Bytes;

use super::{DEFAULT_MAX_RETRIES, Lv, Operation, Request, RequestedType, Target};
use crate::ids::{LvName, LvUuid, VgName, VgUuid};
use crate::lock::Options;
use crate::lock::fields::{Field, Writer};

impl Request {
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
                self.write_vg(&mut out);
                self.write_fields_of(&mut out, other);
            }
        }
        out.finish()
    }

    fn write_vg(&self, out: &mut Writer) {
        out.text_if_any(Field::VgName, self.vg.as_ref().map_or("", VgName::as_str));
    }

    /// Writes what is to be locked.
    fn write_target(&self, out: &mut Writer, target: &Target) {
        self.write_vg(out);
        if let Target::Lv(lv) = target {
            write_lv(out, lv);
        }
        out.text(Field::VgLockType, self.lock_type.as_str());
        if *target != Target::Global {
            out.args_or_none(Field::VgLockArgs, self.lock_args.as_ref());
        }
        if let Target::Lv(lv) = target {
            out.args_or_none(Field::LvLockArgs, lv.args.as_ref());
        }
    }

    /// Writes the fields of a request that is not for a lock.
    fn write_fields_of(&self, out: &mut Writer, operation: &Operation) {
        match operation {
            Operation::InitLv { lv, .. } | Operation::FreeLv(lv) => {
                write_lv(out, lv);
            }
            Operation::SetRemoteLvLock { lv_uuid, .. } => write_uuid(out, lv_uuid.as_ref()),
            _ => {}
        }
        if self.lock_type != RequestedType::None {
            out.text(Field::VgLockType, self.lock_type.as_str());
        }
        out.args_if_any(Field::VgLockArgs, self.lock_args.as_ref());
        match operation {
            Operation::InitVg { options, set_args, align_mb } => {
                // dlm has no arguments to begin with, and lvm then says nothing of options.
                if self.lock_args.as_deref() != Some("") || *options != Options::NONE {
                    out.options(*options);
                }
                out.text_if_any(Field::SetLockArgs, set_args);
                out.int_if_any(Field::AlignMb, *align_mb);
            }
            Operation::InitLv { lv, previous_args } => {
                out.args_if_any(Field::LvLockArgs, lv.args.as_ref());
                out.text_if_any(Field::PrevLvArgs, previous_args);
            }
            Operation::FreeLv(lv) => out.args_if_any(Field::LvLockArgs, lv.args.as_ref()),
            Operation::StartVg { vg_uuid, version, host_id, options } => {
                out.text_if_any(Field::VgUuid, vg_uuid.as_ref().map_or("", VgUuid::as_str));
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
                write_uuid(out, lv_uuid.as_ref());
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

fn write_lv(out: &mut Writer, lv: &Lv) {
    out.text_if_any(Field::LvName, lv.name.as_ref().map_or("", LvName::as_str));
    write_uuid(out, lv.uuid.as_ref());
}

fn write_uuid(out: &mut Writer, uuid: Option<&LvUuid>) {
    out.text_if_any(Field::LvUuid, uuid.map_or("", LvUuid::as_str));
}
