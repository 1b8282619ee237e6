//! What a lockspace looks like from outside: everything that `info`, lists of locks and explanations need.

use std::sync::Arc;

use lvmwarden_protocol::lock::LockMode;

use super::ask::Client;
use super::event::Spec;
use crate::foundation::moment::Moment;
use crate::roles::lock::lock_manager::{Fault, GlobalLease, Renewal, Resource};

/// One lockspace at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct LockspacePicture {
    /// What it is.
    pub spec: Spec,
    /// How far it is.
    pub stage: Stage,
    /// Which life of our host it is in it; 0 where the lock manager has none.
    pub generation: u32,
    /// Its leases cannot be reached: no locks any more.
    pub killed: bool,
    /// What is known of the lease of the global lock.
    pub global: GlobalLease,
    /// How the lease on our host's life was doing, and when that was.
    pub renewal: Option<(Renewal, Moment)>,
    /// Why the last start or leave has failed.
    pub fault: Option<Fault>,
    /// How many requests wait for the lockspace rather than for a lock.
    pub waiting: usize,
    /// Its locks: the global lock, the VG's, then LVs by UUID.
    pub resources: Vec<ResourcePicture>,
}

impl LockspacePicture {
    /// Tells whether its leases are lost while they are used: the lock manager ends whoever uses them, by signals, and what
    /// protects this host's LVs is the watchdog.
    ///
    /// It is known by the lock manager's own word, and by the age of the lease where its word does not reach us.
    pub fn is_being_killed(&self, now: Moment) -> bool {
        let is_lost = |(renewal, seen): &(Renewal, Moment)| {
            renewal.age + now.saturating_sub(*seen) >= renewal.kill_after
        };
        let is_held = self.resources.iter().any(|lock| lock.mode != LockMode::Unlocked);
        (self.killed || self.renewal.as_ref().is_some_and(is_lost)) && (is_held || self.is_in_use())
    }

    /// Tells whether somebody of this host holds a lock in it, waits for one, or is being given or giving back one.
    pub fn is_in_use(&self) -> bool {
        let is_used =
            |lock: &ResourcePicture| !lock.holders.is_empty() || !lock.waiters.is_empty() || lock.is_busy;
        self.resources.iter().any(is_used)
    }
}

/// How far a lockspace is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing was asked yet.
    New,
    /// It is being prepared or joined, or locks of an earlier life are being adopted.
    Starting,
    /// Locks are served.
    Running,
    /// It is being left.
    Stopping,
    /// It was left.
    Finished,
    /// It could not be joined.
    Failed,
}

/// One lock.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourcePicture {
    /// Which.
    pub resource: Resource,
    /// The mode in which the lock manager has given it to this host.
    pub mode: LockMode,
    /// The version of what it protects.
    pub version: u32,
    /// Who holds it, the eldest first.
    pub holders: Vec<HolderPicture>,
    /// Who waits for it, in order.
    pub waiters: Vec<WaiterPicture>,
    /// A call of the lock manager about it is under way.
    pub is_busy: bool,
    /// One of an earlier life of the daemon could not be taken over; why.
    pub unadopted: Option<Fault>,
    /// It could not be given back; since when, and why.
    pub unreleased: Option<(Moment, Fault)>,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq)]
pub struct HolderPicture {
    /// Who asked for it.
    pub client: Arc<Client>,
    /// In which mode it is held.
    pub mode: LockMode,
    /// The version it was given with, or has announced.
    pub version: u32,
    /// It outlives its client.
    pub persistent: bool,
    /// Since when it is held in this mode.
    pub since: Moment,
    /// The LV's name; empty where nobody said.
    pub lv_name: Arc<str>,
    /// The LV's lock arguments.
    pub lv_args: Arc<str>,
}

/// Who waits for a lock.
#[derive(Debug, Clone, PartialEq)]
pub struct WaiterPicture {
    /// Who.
    pub client: Arc<Client>,
    /// For which mode.
    pub mode: LockMode,
    /// For a lock that outlives its client.
    pub persistent: bool,
    /// Since when.
    pub since: Moment,
    /// What for.
    pub why: Why,
}

/// What a waiter waits for.
#[derive(Debug, Clone, PartialEq)]
pub enum Why {
    /// Clients of this host hold it.
    Held,
    /// A request before it waits.
    Behind,
    /// The lock manager is being asked.
    Asking,
    /// Another host was in the way; it is tried again.
    Conflict {
        /// What the lock manager said last.
        fault: Fault,
        /// How often it was tried.
        tries: u32,
        /// When it is tried again.
        again: Moment,
    },
    /// The lock could not be given back by its last holder.
    Unreleased,
}
