//! Children of a C lvmpolld that was killed: they work on, and nobody knows of them.
//!
//! Their command line names VG and LV but not the lvid. Where device-mapper knows the lvid, recovery makes an
//! operation of them at once. The others wait here until a client asks to poll the same LV: it is then told of the
//! child that is there instead of being given a second one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lvmwarden_protocol::ids::SystemDir;
use lvmwarden_protocol::poll::StartRequest;
use lvmwarden_supervisor::process::ProcessIdentity;

use super::lvpoll::Arguments;

/// A left-over child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// Which process it is.
    pub process: ProcessIdentity,
    /// What its command line says.
    pub arguments: Arguments,
    /// Its client's system directory.
    pub sysdir: Option<SystemDir>,
}

/// The left-over children that nobody has asked about yet.
#[derive(Debug, Clone, Default)]
pub struct Orphans {
    waiting: Arc<Mutex<Vec<Orphan>>>,
}

impl Orphans {
    /// Replaces what was found before.
    pub fn replace(&self, orphans: Vec<Orphan>) {
        *self.lock() = orphans;
    }

    /// Takes the child that already does what `request` asks for, if there is one.
    ///
    /// The interval is the client's wish, not a part of what is done, and may differ.
    pub fn claim(&self, request: &StartRequest) -> Option<ProcessIdentity> {
        let mut waiting = self.lock();
        let found = waiting.iter().position(|Orphan { arguments, sysdir, .. }| {
            (arguments.kind, arguments.abort) == (request.kind, request.abort)
                && (&arguments.vgname, &arguments.lvname) == (&request.vgname, &request.lvname)
                && *sysdir == request.sysdir
        })?;
        Some(waiting.swap_remove(found).process)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Orphan>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
