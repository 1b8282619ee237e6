//! The lock manager of all hosts: who has which lock, and which of them are orphans.

use std::collections::BTreeMap;

use lvmwarden_protocol::lock::{LockMode, ResultCode};

use super::random::Random;
use crate::roles::lock::lock_manager::{
    Adopt, GlobalLease, Leftover, OtherHosts, Prepared, Resource, ValueBlock,
};
use crate::roles::lock::lockspace::event::{Answer, Call, Outcome};
use crate::roles::lock::lockspace::testing::fault;

pub(super) struct Grid {
    /// In how many of a hundred calls it fails.
    pub(super) faults: u64,
    held: BTreeMap<(Resource, usize), Held>,
    blocks: BTreeMap<Resource, ValueBlock>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    mode: LockMode,
    orphan: bool,
}

impl Grid {
    pub(super) fn new(faults: u64) -> Self {
        Self { faults, held: BTreeMap::new(), blocks: BTreeMap::new() }
    }

    pub(super) fn mode(&self, host: usize, resource: &Resource) -> LockMode {
        self.held.get(&(resource.clone(), host)).map_or(LockMode::Unlocked, |held| held.mode)
    }

    /// The daemon of a host was killed.
    pub(super) fn orphan(&mut self, host: usize) {
        for (_, held) in self.held.iter_mut().filter(|((_, holder), _)| *holder == host) {
            held.orphan = true;
        }
    }

    /// A host was reset.
    pub(super) fn forget(&mut self, host: usize) {
        self.held.retain(|(_, holder), _| *holder != host);
    }

    /// Returns what a host has, as orphans too.
    pub(super) fn held_by(&self, host: usize) -> impl Iterator<Item = &Resource> {
        self.held.keys().filter(move |(_, holder)| *holder == host).map(|(resource, _)| resource)
    }

    fn orphans(&self, host: usize) -> Vec<Leftover> {
        let of_host = self.held.iter().filter(|((_, holder), held)| *holder == host && held.orphan);
        let leftover = |((resource, _), held): (&(Resource, usize), &Held)| Leftover {
            resource: resource.clone(),
            mode: held.mode,
            lv_args: "".into(),
        };
        of_host.map(leftover).collect()
    }

    pub(super) fn check_that_nothing_is_left(&self) {
        assert!(self.held.is_empty(), "left behind: {:?}", self.held);
    }

    /// Answers a call, or fails without having done anything.
    pub(super) fn answer(&mut self, host: usize, call: &Call, may_fail: bool, random: &mut Random) -> Answer {
        if may_fail && random.percent(self.faults) {
            return Err(fault(ResultCode::LOCK_IO));
        }
        match call {
            Call::Acquire(resource, mode, how) => self.acquire(host, resource, *mode, how.adopt),
            Call::Convert(resource, mode, write) => self.convert(host, resource, *mode, *write),
            Call::Release { resource, write, .. } => {
                self.release(host, resource, *write);
                Ok(Outcome::Done)
            }
            Call::Prepare { .. } => {
                let (global, previous_generation) = (GlobalLease::Enabled, 0);
                Ok(Outcome::Prepared(Prepared { global, previous_generation, is_left_behind: false }))
            }
            Call::Join { .. } => Ok(Outcome::Joined(1)),
            Call::Leave(_) if self.has_any(host) || (may_fail && random.percent(30)) => {
                Err(fault(ResultCode::BUSY))
            }
            Call::OtherHosts => Ok(Outcome::Hosts(OtherHosts::default())),
            // As dlm where debugfs is not mounted.
            Call::Orphans if may_fail && self.faults > 0 && random.percent(self.faults) => {
                Ok(Outcome::Orphans(None))
            }
            Call::Orphans => Ok(Outcome::Orphans(Some(self.orphans(host)))),
            Call::ReadGlobal => Ok(Outcome::Global(GlobalLease::Enabled)),
            Call::InitLv(_) => Ok(Outcome::Args("1.0.0:0".to_owned())),
            Call::Leave(_)
            | Call::DropOrphans
            | Call::FindFreeLock { .. }
            | Call::FreeLv { .. }
            | Call::WriteGlobal { .. } => Ok(Outcome::Done),
        }
    }

    fn acquire(&mut self, host: usize, resource: &Resource, mode: LockMode, adopt: Adopt) -> Answer {
        let key = (resource.clone(), host);
        if let Some(held) = self.held.get_mut(&key) {
            assert!(held.orphan, "host {host} has {resource} already");
            let code = match adopt {
                Adopt::No => ResultCode::ORPHAN,
                _ if held.mode != mode => ResultCode::ADOPT_RETRY,
                _ => {
                    held.orphan = false;
                    return Ok(Outcome::Acquired(None));
                }
            };
            return Err(fault(code));
        }
        if adopt == Adopt::Only {
            return Err(fault(ResultCode::ADOPT_NONE));
        }
        if !self.is_free_for(host, resource, mode) {
            return Err(fault(ResultCode::AGAIN));
        }
        self.held.insert(key, Held { mode, orphan: false });
        let has_block = !matches!(resource, Resource::Lv(_));
        Ok(Outcome::Acquired(has_block.then(|| self.blocks.get(resource).copied().unwrap_or_default())))
    }

    fn convert(
        &mut self,
        host: usize,
        resource: &Resource,
        mode: LockMode,
        write: Option<ValueBlock>,
    ) -> Answer {
        if !self.is_free_for(host, resource, mode) {
            return Err(fault(ResultCode::AGAIN));
        }
        let held = self.held.get_mut(&(resource.clone(), host)).expect("what is converted is held");
        held.mode = mode;
        self.write(resource, write);
        Ok(Outcome::Done)
    }

    fn release(&mut self, host: usize, resource: &Resource, write: Option<ValueBlock>) {
        let held = self.held.remove(&(resource.clone(), host)).expect("what is released is held");
        assert!(!held.orphan, "an orphan is released by nobody");
        assert!(write.is_none() || held.mode == LockMode::Exclusive, "only an exclusive lock writes");
        self.write(resource, write);
    }

    fn write(&mut self, resource: &Resource, write: Option<ValueBlock>) {
        let Some(write) = write else { return };
        let before = self.blocks.insert(resource.clone(), write).unwrap_or_default();
        assert!(write.r_version >= before.r_version, "{resource}: {write:?} over {before:?}");
    }

    fn has_any(&self, host: usize) -> bool {
        self.held.keys().any(|(_, holder)| *holder == host)
    }

    fn is_free_for(&self, host: usize, resource: &Resource, mode: LockMode) -> bool {
        self.held
            .iter()
            .filter(|((held, holder), _)| held == resource && *holder != host)
            .all(|(_, held)| held.mode == LockMode::Shared && mode == LockMode::Shared)
    }
}
