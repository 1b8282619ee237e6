//! Children that work although no journal says for which operation.
//!
//! * Those of a C lvmpolld that was killed. Their command line names VG and LV but not the lvid. Where device-mapper
//!   knows the lvid, recovery makes an operation of them at once. The others wait here until a client asks to poll the
//!   same LV: it is then told of the child that is there instead of being given a second one.
//! * Those that an operation's actor has started, or claimed here, and not yet recorded. Should it panic, its successor
//!   finds them here; should the daemon be killed, the next one finds them by their environment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lvmwarden_protocol::ids::SystemDir;
use lvmwarden_protocol::poll::StartRequest;
use lvmwarden_supervisor::process::ProcessIdentity;
use uuid::Uuid;

use super::lvpoll::Arguments;

/// A child that a C daemon left over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// Which process it is.
    pub process: ProcessIdentity,
    /// What its command line says.
    pub arguments: Arguments,
    /// Its client's system directory.
    pub sysdir: Option<SystemDir>,
}

/// The children that no operation has recorded. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Orphans {
    children: Arc<Mutex<Children>>,
}

#[derive(Debug, Default)]
struct Children {
    /// Nobody has asked about them yet.
    waiting: Vec<Orphan>,
    /// By the operation that they work for.
    unrecorded: HashMap<Uuid, ProcessIdentity>,
}

impl Orphans {
    /// Replaces what C daemons were found to have left over.
    pub fn replace(&self, orphans: Vec<Orphan>) {
        self.lock().waiting = orphans;
    }

    /// Returns the child of the operation `op` that already does what `request` asks for, if there is one.
    ///
    /// The interval is the client's wish, not a part of what is done, and may differ.
    pub fn claim(&self, op: Uuid, request: &StartRequest) -> Option<ProcessIdentity> {
        let mut children = self.lock();
        if let Some(process) = children.unrecorded.get(&op) {
            return Some(process.clone());
        }
        let found = children.waiting.iter().position(|Orphan { arguments, sysdir, .. }| {
            (arguments.kind, arguments.abort) == (request.kind, request.abort)
                && (&arguments.vgname, &arguments.lvname) == (&request.vgname, &request.lvname)
                && *sysdir == request.sysdir
        })?;
        let process = children.waiting.swap_remove(found).process;
        children.unrecorded.insert(op, process.clone());
        Some(process)
    }

    /// Keeps the child that was started for `op`, until it is recorded.
    pub fn keep(&self, op: Uuid, process: ProcessIdentity) {
        self.lock().unrecorded.insert(op, process);
    }

    /// Forgets the child of `op`: it is recorded, or has ended.
    pub fn forget(&self, op: Uuid) {
        self.lock().unrecorded.remove(&op);
    }

    fn lock(&self) -> MutexGuard<'_, Children> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
