//! What `lvmlockctl --info` shows: lockspaces as they are, in the words of the protocol.

use std::sync::Arc;

use lvmwarden_protocol::ids::{VgName, VgUuid};
use lvmwarden_protocol::lock::info::{
    ClientInfo, Info, LockInfo, LockspaceFlags, LockspaceInfo, RequestInfo, ResourceInfo, ResourceKind,
};
use lvmwarden_protocol::lock::{LockMode, Op, Options, RequestedType};

use crate::roles::lock::lock_manager::{GlobalLease, Resource};
use crate::roles::lock::lockspace::ask::Client;
use crate::roles::lock::lockspace::picture::{
    HolderPicture, LockspacePicture, ResourcePicture, Stage, WaiterPicture, Why,
};

/// Lists clients and lockspaces.
pub(super) fn list(clients: &[Arc<Client>], lockspaces: &[LockspacePicture]) -> Info {
    let client = |client: &Arc<Client>| ClientInfo {
        pid: i32::try_from(client.pid).unwrap_or_default(),
        // Nobody can use it: descriptors are this process's own.
        fd: 0,
        id: client.id.0,
        name: Arc::clone(&client.name),
    };
    Info {
        clients: clients.iter().map(client).collect(),
        lockspaces: lockspaces.iter().map(lockspace).collect(),
    }
}

fn lockspace(picture: &LockspacePicture) -> LockspaceInfo {
    let spec = &picture.spec;
    let state = LockspaceFlags {
        create_fail: picture.stage == Stage::Failed,
        create_done: matches!(picture.stage, Stage::Running | Stage::Stopping | Stage::Finished),
        thread_work: picture.resources.iter().any(|resource| resource.is_busy),
        thread_stop: matches!(picture.stage, Stage::Stopping | Stage::Finished | Stage::Failed),
        thread_done: matches!(picture.stage, Stage::Finished | Stage::Failed),
        kill_vg: picture.killed,
        drop_vg: false,
        sanlock_gl_enabled: picture.global == GlobalLease::Enabled,
    };
    LockspaceInfo {
        name: Arc::clone(&spec.name),
        vg: spec.vg.as_ref().map_or("", VgName::as_str).into(),
        vg_uuid: spec.vg_uuid.as_ref().map_or("", VgUuid::as_str).into(),
        args: Arc::clone(&spec.args),
        lock_type: RequestedType::Type(spec.lock_type),
        host_id: spec.host_id,
        generation: picture.generation,
        state,
        waiting: Vec::new(),
        resources: shown(picture).map(|picture| resource(picture, spec.lock_type.into())).collect(),
    }
}

/// Returns the locks that are shown: the global one where it is, or somebody holds it or waits for it.
fn shown(picture: &LockspacePicture) -> impl Iterator<Item = &ResourcePicture> {
    let has_global = picture.spec.vg.is_none() || picture.global == GlobalLease::Enabled;
    let is_in_use = |lock: &ResourcePicture| lock.mode != LockMode::Unlocked || !lock.waiters.is_empty();
    picture
        .resources
        .iter()
        .filter(move |lock| has_global || lock.resource != Resource::Global || is_in_use(lock))
}

fn resource(picture: &ResourcePicture, lock_type: RequestedType) -> ResourceInfo {
    let kind = match picture.resource {
        Resource::Global => ResourceKind::Global,
        Resource::Vg => ResourceKind::Vg,
        Resource::Lv(_) => ResourceKind::Lv,
    };
    let sharers = if picture.mode == LockMode::Shared { picture.holders.len() } else { 0 };
    ResourceInfo {
        name: Arc::from(picture.resource.as_str()),
        kind,
        mode: picture.mode,
        sh_count: u32::try_from(sharers).unwrap_or(u32::MAX),
        version: picture.version,
        locks: picture.holders.iter().map(lock).collect(),
        waiting: picture.waiters.iter().map(|waiter| request(waiter, kind, lock_type)).collect(),
    }
}

fn lock(holder: &HolderPicture) -> LockInfo {
    let client = (!holder.persistent).then_some(holder.client.id.0);
    LockInfo { mode: holder.mode, version: holder.version, client }
}

fn request(waiter: &WaiterPicture, kind: ResourceKind, lock_type: RequestedType) -> RequestInfo {
    let (result, lm_result) = match &waiter.why {
        Why::Conflict { fault, .. } => (fault.code.0, fault.raw),
        Why::Held | Why::Behind | Why::Asking | Why::Unreleased => (0, 0),
    };
    RequestInfo {
        client: waiter.client.id.0,
        flags: if waiter.persistent { Options::PERSISTENT.bits() } else { 0 },
        version: 0,
        op: Op::Lock,
        kind: Some(kind),
        mode: Some(waiter.mode),
        lock_type,
        result,
        lm_result,
    }
}
