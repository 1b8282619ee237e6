//! A lockspace's own connection to the kernel's lock manager.
//!
//! A lock begins in null mode and is converted up and down from there; those of LVs are given up entirely when they are
//! released, those with a value stay until the lockspace is left. Locks above null mode outlive this program as orphans.

use std::collections::HashMap;
use std::io;

use lvmwarden_protocol::ids::LvUuid;
use lvmwarden_protocol::lock::{LockMode, ResultCode};
use lvmwarden_supervisor::sys::dlm::{Dlm, Lockspace, Mode, VALUE_BYTES, Value};
use rustix::io::Errno;

use super::{Cluster, GLOBAL_LOCKSPACE, no_library};
use crate::roles::lock::lock_manager::{
    Acquire, Adopt, Connection, Fault, GlobalLease, InitLv, Leave, Leftover, OtherHosts, Prepared, Renewal,
    Resource, ValueBlock,
};

/// The kernel's interface of this version loses values when a lock goes from null to exclusive at once.
const LOSES_VALUES: (u32, u32, u32) = (6, 0, 1);

/// The connection.
pub(super) struct DlmConnection {
    cluster: Cluster,
    name: String,
    /// The cluster that the VG belongs to; `None` where it does not say.
    cluster_name: Option<String>,
    climbs_in_steps: bool,
    /// There from joining to leaving.
    lockspace: Option<Lockspace>,
    /// What the value blocks said last.
    values: HashMap<Resource, ValueBlock>,
}

impl DlmConnection {
    pub(super) fn new(cluster: Cluster, name: String, cluster_name: Option<String>) -> Self {
        Self { cluster, name, cluster_name, climbs_in_steps: true, lockspace: None, values: HashMap::new() }
    }

    fn lockspace(&mut self) -> Result<&mut Lockspace, Fault> {
        let not_joined = || Fault::new(ResultCode::LOCK_MANAGER, "use a lockspace that is not joined");
        self.lockspace.as_mut().ok_or_else(not_joined)
    }

    /// Returns the fault of a lock that was not got, with the holder where the kernel tells.
    fn lock_fault(&self, error: &io::Error, what: &str, resource: &Resource) -> Fault {
        let code = if is(error, Errno::AGAIN) { ResultCode::AGAIN } else { ResultCode::LOCK_MANAGER };
        let mut fault = fault(code, error, &format!("{what} {resource}"));
        if fault.code == ResultCode::AGAIN {
            fault.owner = self.cluster.holder(&self.name, resource.as_str());
        }
        fault
    }

    /// Opens the lockspace of an earlier life.
    fn open(&self, dlm: Dlm, adopt: Adopt) -> io::Result<Lockspace> {
        match dlm.open(&self.name) {
            Err(error) if adopt != Adopt::Only && is(&error, Errno::NOENT) => dlm.join(&self.name, true),
            opened => opened,
        }
    }

    /// Takes over a lock of an earlier life.
    fn adopt(&mut self, resource: &Resource, mode: LockMode) -> Result<Option<ValueBlock>, Fault> {
        let adopted = self.lockspace()?.adopt(resource.as_str(), dlm_mode(mode), has_value(resource));
        let value = adopted.map_err(|error| {
            let code = match Errno::from_io_error(&error) {
                Some(Errno::AGAIN) => ResultCode::ADOPT_RETRY,
                Some(Errno::NOENT) => ResultCode::ADOPT_NONE,
                _ => ResultCode::LOCK_MANAGER,
            };
            fault(code, &error, &format!("adopt {mode} {resource}"))
        })?;
        Ok(self.remember(resource, value))
    }

    /// Locks from null mode.
    fn lock(&mut self, resource: &Resource, mode: LockMode) -> io::Result<Option<[u8; VALUE_BYTES]>> {
        let Some(lockspace) = &mut self.lockspace else { return Err(Errno::NOTCONN.into()) };
        let name = resource.as_str();
        if !lockspace.has(name) {
            lockspace.lock_null(name, has_value(resource))?;
        }
        let value = if has_value(resource) { Value::Read } else { Value::Ignored };
        let locked = if self.climbs_in_steps && mode == LockMode::Exclusive && has_value(resource) {
            lockspace
                .convert(name, Mode::ProtectedRead, value)
                .and_then(|_| lockspace.convert(name, Mode::Exclusive, value))
        } else {
            lockspace.convert(name, dlm_mode(mode), value)
        };
        if locked.is_err() {
            // In null mode, or gone, it is in nobody's way. The error that counts is the first one.
            let _ = give_up(lockspace, resource, Value::Ignored);
        }
        locked
    }

    /// Remembers what a value block said; one that was lost with its writer says nothing.
    fn remember(&mut self, resource: &Resource, bytes: Option<[u8; VALUE_BYTES]>) -> Option<ValueBlock> {
        if !has_value(resource) {
            return None;
        }
        let block = bytes.and_then(|bytes| bytes.first_chunk().copied()).map(ValueBlock::from_bytes);
        let block = block.unwrap_or_default();
        self.values.insert(resource.clone(), block);
        Some(block)
    }

    /// Returns what is written to a lock's value when it is given back.
    fn last_words(&mut self, resource: &Resource, write: Option<ValueBlock>, free: bool) -> Value {
        let block = if free && *resource == Resource::Vg {
            let known = write.or_else(|| self.values.get(resource).copied()).unwrap_or_default();
            // Version 0 would tell other hosts that nothing was ever written.
            let r_version = known.r_version.max(1);
            let flags = known.flags | ValueBlock::REMOVED;
            Some(ValueBlock { version: ValueBlock::VERSION, flags, r_version })
        } else {
            write
        };
        block.map_or(Value::Ignored, |block| {
            self.values.insert(resource.clone(), block);
            Value::Written(value_bytes(block))
        })
    }
}

impl Connection for DlmConnection {
    fn prepare(&mut self, _repair: bool) -> Result<Prepared, Fault> {
        let cluster = self.cluster.name()?;
        let dlm = Dlm::load().map_err(|error| no_library(&error))?;
        self.climbs_in_steps = dlm.kernel_version().map_or(true, |version| version == LOSES_VALUES);
        match &self.cluster_name {
            Some(wanted) if *wanted != cluster => {
                let text = format!("use a VG of cluster `{wanted}` in cluster `{cluster}`");
                Err(Fault::new(ResultCode::BAD_ARGS, text))
            }
            _ => {
                let may_be_left = self.lockspace.is_none() && self.name != GLOBAL_LOCKSPACE;
                let is_left_behind = may_be_left && dlm.open(&self.name).is_ok();
                Ok(Prepared { global: GlobalLease::Absent, previous_generation: 0, is_left_behind })
            }
        }
    }

    fn join(&mut self, adopt: Adopt, _nodelay: bool) -> Result<u32, Fault> {
        if self.lockspace.is_some() {
            return Ok(0);
        }
        let dlm = Dlm::load().map_err(|error| no_library(&error))?;
        // A global one that a crash has left behind is as good as a new one. Its locks may be of commands that live.
        let is_global = self.name == GLOBAL_LOCKSPACE;
        let joined =
            if adopt == Adopt::No && !is_global { dlm.join(&self.name, true) } else { self.open(dlm, adopt) };
        let joined = joined.map_err(|error| {
            let code = if is(&error, Errno::EXIST) { ResultCode::EXISTS } else { ResultCode::FAILED };
            fault(code, &error, &format!("join lockspace {}", self.name))
        })?;
        self.lockspace = Some(joined);
        Ok(0)
    }

    fn leave(&mut self, _how: Leave) -> Result<(), Fault> {
        let Some(lockspace) = self.lockspace.take() else { return Ok(()) };
        self.values.clear();
        let left = lockspace.leave();
        left.map_err(|error| {
            fault(ResultCode::LOCK_MANAGER, &error, &format!("leave lockspace {}", self.name))
        })
    }

    fn acquire(
        &mut self,
        resource: &Resource,
        mode: LockMode,
        how: &Acquire,
    ) -> Result<Option<ValueBlock>, Fault> {
        match how.adopt {
            Adopt::Only => return self.adopt(resource, mode),
            Adopt::IfThere => match self.adopt(resource, mode) {
                Err(fault) if fault.code == ResultCode::ADOPT_NONE => {}
                adopted => return adopted,
            },
            Adopt::No => {}
        }
        match self.lock(resource, mode) {
            Ok(bytes) => Ok(self.remember(resource, bytes)),
            Err(error) => Err(self.lock_fault(&error, &format!("acquire {mode}"), resource)),
        }
    }

    fn convert(
        &mut self,
        resource: &Resource,
        mode: LockMode,
        write: Option<ValueBlock>,
    ) -> Result<(), Fault> {
        let value = self.last_words(resource, write, false);
        match self.lockspace()?.convert(resource.as_str(), dlm_mode(mode), value) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.lock_fault(&error, &format!("convert to {mode}"), resource)),
        }
    }

    fn release(&mut self, resource: &Resource, write: Option<ValueBlock>, free: bool) -> Result<(), Fault> {
        let value = self.last_words(resource, write, free);
        match give_up(self.lockspace()?, resource, value) {
            Err(error) if !is(&error, Errno::NOENT) => {
                Err(fault(ResultCode::LOCK_MANAGER, &error, &format!("release {resource}")))
            }
            _ => Ok(()),
        }
    }

    fn orphans(&mut self) -> Result<Option<Vec<Leftover>>, Fault> {
        let Some(locks) = self.cluster.own_locks(&self.name) else { return Ok(None) };
        let lockspace = self.lockspace()?;
        // This program is the only one on this node that locks here: what it does not have is an earlier life's.
        let leftovers =
            locks.into_iter().filter(|(name, _)| !lockspace.has(name)).filter_map(|(name, mode)| {
                let resource = Resource::from_name(&name)?;
                let lv_args = if has_value(&resource) { "" } else { "dlm" }.into();
                Some(Leftover { resource, mode, lv_args })
            });
        Ok(Some(leftovers.collect()))
    }

    fn drop_orphans(&mut self) -> Result<(), Fault> {
        let what = "drop the locks of an earlier life";
        let node = self.cluster.own_node();
        let no_node =
            || Fault::new(ResultCode::LOCK_MANAGER, format!("{what}: configfs does not tell our node id"));
        let node = node.ok_or_else(no_node)?;
        self.lockspace()?.purge(node).map_err(|error| fault(ResultCode::LOCK_MANAGER, &error, what))
    }

    fn other_hosts(&mut self) -> Result<OtherHosts, Fault> {
        let nodes = self.cluster.count_nodes(&self.name)?;
        Ok(OtherHosts { live: nodes.saturating_sub(1), unknown: 0 })
    }

    fn find_free_lock(&mut self, _size_bytes: u64) -> Result<(), Fault> {
        Ok(())
    }

    fn init_lv(&mut self, _request: &InitLv) -> Result<String, Fault> {
        Ok("none".to_owned())
    }

    fn free_lv(&mut self, _lv_uuid: LvUuid, _lv_args: &str) -> Result<(), Fault> {
        Ok(())
    }

    fn read_global(&mut self) -> Result<GlobalLease, Fault> {
        Ok(GlobalLease::Absent)
    }

    fn write_global(&mut self, _enabled: bool) -> Result<(), Fault> {
        Err(Fault::new(ResultCode::INVALID, "name the lease of the global lock: dlm has none"))
    }

    fn renewal(&mut self) -> Result<Option<Renewal>, Fault> {
        Ok(None)
    }
}

/// Brings a lock down to null mode, or gives it up where it has no value that would be lost.
fn give_up(lockspace: &mut Lockspace, resource: &Resource, value: Value) -> io::Result<()> {
    if has_value(resource) {
        lockspace.convert(resource.as_str(), Mode::Null, value).map(drop)
    } else {
        lockspace.unlock(resource.as_str())
    }
}

fn has_value(resource: &Resource) -> bool {
    !matches!(resource, Resource::Lv(_))
}

fn value_bytes(block: ValueBlock) -> [u8; VALUE_BYTES] {
    let mut bytes = [0; VALUE_BYTES];
    bytes[..ValueBlock::BYTES].copy_from_slice(&block.to_bytes());
    bytes
}

fn dlm_mode(mode: LockMode) -> Mode {
    match mode {
        LockMode::Unlocked | LockMode::Null => Mode::Null,
        LockMode::Shared => Mode::ProtectedRead,
        LockMode::Exclusive => Mode::Exclusive,
    }
}

fn is(error: &io::Error, errno: Errno) -> bool {
    Errno::from_io_error(error) == Some(errno)
}

fn fault(code: ResultCode, error: &io::Error, what: &str) -> Fault {
    let raw = error.raw_os_error().map_or(code.0, |errno| -errno);
    Fault { raw, ..Fault::new(code, format!("{what}: {error}")) }
}
