//! What the cluster remembers: who is in which lockspace, and who holds what.

use std::collections::{BTreeMap, HashMap, VecDeque};

use lvmwarden_protocol::ids::LvUuid;
use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode};

use super::super::sanlock::layout;
use super::super::{Acquire, Adopt, Fault, GlobalLease, Owner, Renewal, Resource, ValueBlock};
use super::Kind;

const FIRST_LEASE: u64 = 67 * 1024 * 1024;
const LEASE_BYTES: u64 = 1024 * 1024;

#[derive(Default)]
pub(super) struct State {
    pub(super) spaces: BTreeMap<String, Space>,
    pub(super) faults: HashMap<(u32, Kind), VecDeque<Fault>>,
    pub(super) held_up: Vec<(u32, Kind)>,
    pub(super) renewals: HashMap<u32, Option<Renewal>>,
    pub(super) calls: Vec<(u32, Kind)>,
}

/// A lockspace.
pub(super) struct Space {
    /// Host and generation.
    pub(super) members: BTreeMap<u32, u32>,
    pub(super) unknown_hosts: usize,
    pub(super) global: GlobalLease,
    generations: BTreeMap<u32, u32>,
    locks: BTreeMap<Resource, Lock>,
    leases: BTreeMap<u64, LvUuid>,
}

#[derive(Default)]
struct Lock {
    holders: BTreeMap<u32, Held>,
    value: ValueBlock,
}

/// How a host holds a lock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) mode: LockMode,
    pub(super) is_orphan: bool,
}

impl State {
    pub(super) fn space(&mut self, name: &str) -> &mut Space {
        self.spaces.entry(name.to_owned()).or_default()
    }
}

impl Default for Space {
    fn default() -> Self {
        Self {
            members: BTreeMap::new(),
            unknown_hosts: 0,
            global: GlobalLease::Enabled,
            generations: BTreeMap::new(),
            locks: BTreeMap::new(),
            leases: BTreeMap::new(),
        }
    }
}

impl Space {
    /// Makes a host a member; returns the generation of its life.
    pub(super) fn join(&mut self, host: u32) -> u32 {
        *self.members.entry(host).or_insert_with(|| {
            let generation = self.generations.entry(host).or_default();
            *generation += 1;
            *generation
        })
    }

    /// Forgets a host and its locks.
    pub(super) fn forget(&mut self, host: u32) {
        self.members.remove(&host);
        for lock in self.locks.values_mut() {
            lock.holders.remove(&host);
        }
    }

    pub(super) fn holders(&self, resource: &Resource) -> impl Iterator<Item = (u32, Held)> {
        self.locks.get(resource).into_iter().flat_map(|lock| &lock.holders).map(|(host, held)| (*host, *held))
    }

    pub(super) fn value(&self, resource: &Resource) -> ValueBlock {
        self.locks.get(resource).map(|lock| lock.value).unwrap_or_default()
    }

    pub(super) fn hold(&mut self, host: u32, resource: &Resource, mode: LockMode) {
        self.lock(resource).holders.insert(host, Held { mode, is_orphan: false });
    }

    pub(super) fn give_back(&mut self, host: u32, resource: &Resource, value: Option<ValueBlock>) {
        let lock = self.lock(resource);
        if let (Some(_), Some(value)) = (lock.holders.remove(&host), value) {
            lock.value = value;
        }
    }

    /// Lists the locks of a host whose holders have died.
    pub(super) fn orphans(&self, host: u32) -> Vec<(Resource, LockMode)> {
        let of = |(resource, lock): (&Resource, &Lock)| {
            let held = lock.holders.get(&host).filter(|held| held.is_orphan)?;
            Some((resource.clone(), held.mode))
        };
        self.locks.iter().filter_map(of).collect()
    }

    /// Makes a lock of a host an orphan.
    pub(super) fn orphan(&mut self, host: u32, resource: &Resource) {
        if let Some(held) = self.lock(resource).holders.get_mut(&host) {
            held.is_orphan = true;
        }
    }

    /// Makes the locks of a host orphans.
    pub(super) fn orphan_all(&mut self, host: u32) {
        for held in self.locks.values_mut().filter_map(|lock| lock.holders.get_mut(&host)) {
            held.is_orphan = true;
        }
    }

    /// Acquires a lock as a lock manager does.
    pub(super) fn acquire(
        &mut self,
        host: u32,
        resource: &Resource,
        mode: LockMode,
        how: &Acquire,
        lock_type: LockType,
    ) -> Result<Option<ValueBlock>, Fault> {
        if lock_type == LockType::Sanlock {
            match resource {
                Resource::Lv(_) => drop(layout::lv_offset(&how.lv_args)?),
                Resource::Global if self.global == GlobalLease::Disabled => {
                    return Err(Fault::new(ResultCode::NO_LOCKSPACE, "acquire GLLK: it is disabled"));
                }
                Resource::Global | Resource::Vg => {}
            }
        }
        let own = self.lock(resource).holders.get(&host).copied();
        let refused = |code, why: &str| Err(Fault::new(code, format!("acquire {mode} {resource}: {why}")));
        match (own, how.adopt) {
            (Some(own), Adopt::No) if own.is_orphan => return refused(ResultCode::ORPHAN, "it is an orphan"),
            (Some(own), _) if own.is_orphan && own.mode != mode => {
                return refused(ResultCode::ADOPT_RETRY, "the orphan is in the other mode");
            }
            (Some(own), _) if !own.is_orphan => return refused(ResultCode::LOCK_MANAGER, "it is held here"),
            (None, Adopt::Only) => return refused(ResultCode::ADOPT_NONE, "there is no orphan"),
            _ => {}
        }
        self.check_others(host, resource, mode, lock_type)?;
        self.hold(host, resource, mode);
        Ok(matches!(resource, Resource::Global | Resource::Vg).then(|| self.value(resource)))
    }

    /// Fails if another host holds a lock in the way of this one.
    pub(super) fn check_others(
        &self,
        host: u32,
        resource: &Resource,
        mode: LockMode,
        lock_type: LockType,
    ) -> Result<(), Fault> {
        let is_exclusive = |mode| mode == LockMode::Exclusive;
        let mut others = self.holders(resource).filter(|(other, _)| *other != host);
        let Some((other, _)) = others.find(|(_, held)| is_exclusive(mode) || is_exclusive(held.mode)) else {
            return Ok(());
        };
        let owner = Owner {
            host_id: other,
            generation: self.members.get(&other).copied().unwrap_or_default(),
            timestamp: 0,
            state: "LIVE".to_owned(),
            name: format!("host-{other}"),
        };
        let text = format!("acquire {mode} {resource}: another host holds it");
        Err(Fault {
            is_transient: lock_type == LockType::Sanlock && !is_exclusive(mode),
            owner: Some(owner),
            ..Fault::new(ResultCode::AGAIN, text)
        })
    }

    /// Makes the lease of an LV; returns its lock arguments.
    pub(super) fn make_lease(&mut self, lock_type: LockType, uuid: LvUuid) -> Result<String, Fault> {
        if lock_type != LockType::Sanlock {
            return Ok("none".to_owned());
        }
        if self.leases.values().any(|used| *used == uuid) {
            return Err(Fault::new(ResultCode::EXISTS, "make a lease for the LV: it has one"));
        }
        let mut offset = FIRST_LEASE;
        while self.leases.contains_key(&offset) {
            offset += LEASE_BYTES;
        }
        self.leases.insert(offset, uuid);
        Ok(layout::lv_args(offset))
    }

    pub(super) fn free_lease(&mut self, uuid: LvUuid) {
        self.leases.retain(|_, used| *used != uuid);
    }

    fn lock(&mut self, resource: &Resource) -> &mut Lock {
        self.locks.entry(resource.clone()).or_default()
    }
}
