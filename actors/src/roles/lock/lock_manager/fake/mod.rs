//! A cluster in memory, for tests: hosts that share lockspaces, with conflicts, orphans, and faults that a test scripts.
//!
//! The test holds a [`FakeCluster`], gives a [`FakeManager`] of one host to what it tests, and plays the other hosts. It is
//! like the real thing in what it refuses and with which codes; it takes no time unless a test holds a call up. A
//! connection that is dropped leaves its locks as orphans of its host, as after a crash.

mod connection;
mod state;

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use lvmwarden_protocol::ids::{LvName, VgName};
use lvmwarden_protocol::lock::{LockMode, LockType};

use super::sanlock::layout;
use super::{
    Connection, Fault, GlobalLease, InitLv, InitVg, LockManager, Remains, Renewal, Resource, Site, ValueBlock,
};
use connection::FakeConnection;
use state::State;

/// Lockspaces and hosts. Clones are the same cluster.
#[derive(Clone)]
pub struct FakeCluster {
    shared: Arc<Shared>,
    lock_type: LockType,
}

/// The lock manager of one host.
#[derive(Clone)]
pub struct FakeManager {
    cluster: FakeCluster,
    host: u32,
}

/// Which call of a lock manager or a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "they are called as the methods are")]
pub enum Kind {
    Probe,
    InitVg,
    RenameVg,
    Remains,
    RefreshLv,
    Prepare,
    Join,
    Leave,
    Acquire,
    Convert,
    Release,
    Orphans,
    DropOrphans,
    OtherHosts,
    FindFreeLock,
    InitLv,
    FreeLv,
    ReadGlobal,
    WriteGlobal,
    Renewal,
}

/// A call that is held up; it goes on when this is dropped.
pub struct HeldUp {
    cluster: FakeCluster,
    host: u32,
    kind: Kind,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl FakeCluster {
    /// Makes a cluster without lockspaces.
    pub fn new(lock_type: LockType) -> Self {
        Self { shared: Arc::default(), lock_type }
    }

    /// Returns the lock manager of host `host`, from 1.
    pub fn host(&self, host: u32) -> FakeManager {
        FakeManager { cluster: self.clone(), host }
    }

    /// Makes the next call of this kind on this host fail; several are used up in order.
    pub fn fail(&self, host: u32, kind: Kind, fault: Fault) {
        self.state().faults.entry((host, kind)).or_default().push_back(fault);
    }

    /// Holds up calls of this kind on this host, from now on.
    #[must_use]
    pub fn hold_up(&self, host: u32, kind: Kind) -> HeldUp {
        self.state().held_up.push((host, kind));
        HeldUp { cluster: self.clone(), host, kind }
    }

    /// Makes another host take a lock, whatever is in the way; it joins the lockspace if it is not in it.
    pub fn lock(&self, host: u32, vg: &str, resource: &Resource, mode: LockMode) {
        let mut state = self.state();
        let space = state.space(&name_of(vg));
        space.join(host);
        space.hold(host, resource, mode);
    }

    /// Makes a host have a lock whose holder has died.
    pub fn leave_behind(&self, host: u32, vg: &str, resource: &Resource, mode: LockMode) {
        let mut state = self.state();
        let space = state.space(&name_of(vg));
        space.hold(host, resource, mode);
        space.orphan(host, resource);
    }

    /// Makes another host give a lock back, with this value if there is one.
    pub fn unlock(&self, host: u32, vg: &str, resource: &Resource, value: Option<ValueBlock>) {
        self.state().space(&name_of(vg)).give_back(host, resource, value);
    }

    /// Makes a host leave all lockspaces as a dead one does: its locks are free.
    pub fn end_host(&self, host: u32) {
        for space in self.state().spaces.values_mut() {
            space.forget(host);
        }
    }

    /// Makes a lockspace have so many other hosts that are not known to live or to be dead.
    pub fn set_unknown_hosts(&self, vg: &str, count: usize) {
        self.state().space(&name_of(vg)).unknown_hosts = count;
    }

    /// Makes this host's leases be renewed like this.
    pub fn set_renewal(&self, host: u32, renewal: Option<Renewal>) {
        self.state().renewals.insert(host, renewal);
    }

    /// Returns who holds a lock, orphans too: host and mode.
    pub fn holders(&self, vg: &str, resource: &Resource) -> Vec<(u32, LockMode)> {
        let mut state = self.state();
        let space = state.space(&name_of(vg));
        space.holders(resource).map(|(host, held)| (host, held.mode)).collect()
    }

    /// Returns the value of a lock.
    pub fn value(&self, vg: &str, resource: &Resource) -> ValueBlock {
        self.state().space(&name_of(vg)).value(resource)
    }

    /// Returns the hosts that are in a VG's lockspace.
    pub fn members(&self, vg: &str) -> Vec<u32> {
        self.state().space(&name_of(vg)).members.keys().copied().collect()
    }

    /// Returns the calls that were made on a host so far, in order.
    pub fn calls(&self, host: u32) -> Vec<Kind> {
        self.state().calls.iter().filter(|(caller, _)| *caller == host).map(|(_, kind)| *kind).collect()
    }

    /// Begins a call: waits while it is held up, and fails if a test wants that.
    fn begin(&self, host: u32, kind: Kind) -> Result<MutexGuard<'_, State>, Fault> {
        let mut state = self.state();
        state.calls.push((host, kind));
        while state.held_up.contains(&(host, kind)) {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        match state.faults.get_mut(&(host, kind)).and_then(std::collections::VecDeque::pop_front) {
            Some(fault) => Err(fault),
            None => Ok(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that has panicked fails anyway.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name_of(vg: &str) -> String {
    layout::lockspace_name(&vg.try_into().expect("a test's VG has a name of LVM's"))
}

impl Drop for HeldUp {
    fn drop(&mut self) {
        let mut state = self.cluster.state();
        if let Some(at) = state.held_up.iter().position(|held_up| *held_up == (self.host, self.kind)) {
            state.held_up.remove(at);
        }
        drop(state);
        self.cluster.shared.changed.notify_all();
    }
}

impl LockManager for FakeManager {
    fn lock_type(&self) -> LockType {
        self.cluster.lock_type
    }

    fn probe(&self) -> Result<(), Fault> {
        self.cluster.begin(self.host, Kind::Probe).map(drop)
    }

    fn connect(&self, site: &Site) -> Result<Box<dyn Connection>, Fault> {
        if self.cluster.lock_type == LockType::Sanlock {
            layout::lock_lv(&site.args)?;
        }
        let name = site.vg.as_ref().map_or_else(|| "lvm_global".to_owned(), layout::lockspace_name);
        Ok(Box::new(FakeConnection::new(self.cluster.clone(), self.host, name, site.host_id)))
    }

    fn init_vg(&self, request: &InitVg) -> Result<String, Fault> {
        let mut state = self.cluster.begin(self.host, Kind::InitVg)?;
        let name = layout::lockspace_name(&request.vg);
        match self.cluster.lock_type {
            LockType::Sanlock => {
                let lv = layout::lv_for_leases(&request.args)?;
                let global = if request.enable_global { GlobalLease::Enabled } else { GlobalLease::Disabled };
                state.spaces.remove(&name);
                state.space(&name).global = global;
                Ok(layout::vg_args(&lv))
            }
            LockType::Dlm | LockType::Idm => Ok("1.0.0:fake".to_owned()),
        }
    }

    fn init_lv(&self, request: &InitLv) -> Result<String, Fault> {
        let mut state = self.cluster.begin(self.host, Kind::InitLv)?;
        state.space(&layout::lockspace_name(&request.vg)).make_lease(self.cluster.lock_type, request.lv_uuid)
    }

    fn rename_vg(&self, vg: &VgName, _args: &str) -> Result<(), Fault> {
        let mut state = self.cluster.begin(self.host, Kind::RenameVg)?;
        state.space(&layout::lockspace_name(vg));
        Ok(())
    }

    fn remains(&self) -> Result<Vec<Remains>, Fault> {
        let state = self.cluster.begin(self.host, Kind::Remains)?;
        let ours = state.spaces.iter().filter(|(_, space)| space.members.contains_key(&self.host));
        Ok(ours.map(|(name, _)| Remains { lockspace: name.clone(), host_id: self.host }).collect())
    }

    fn refresh_lv(&self, _vg: &VgName, _lv: &LvName) -> Result<(), Fault> {
        self.cluster.begin(self.host, Kind::RefreshLv).map(drop)
    }
}

#[cfg(test)]
mod tests;
