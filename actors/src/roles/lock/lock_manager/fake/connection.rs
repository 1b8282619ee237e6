//! A host's connection, for one lockspace.

use lvmwarden_protocol::ids::LvUuid;
use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode};

use super::super::sanlock::layout;
use super::super::{
    Acquire, Adopt, Connection, Fault, GlobalLease, InitLv, Leave, Leftover, OtherHosts, Prepared, Renewal,
    Resource, ValueBlock,
};
use super::{FakeCluster, Kind};

pub(super) struct FakeConnection {
    cluster: FakeCluster,
    host: u32,
    name: String,
    host_id: u32,
    is_joined: bool,
}

impl FakeConnection {
    pub(super) fn new(cluster: FakeCluster, host: u32, name: String, host_id: u32) -> Self {
        Self { cluster, host, name, host_id, is_joined: false }
    }

    fn global(&self, lease: GlobalLease) -> GlobalLease {
        if self.cluster.lock_type == LockType::Sanlock { lease } else { GlobalLease::Absent }
    }
}

impl Drop for FakeConnection {
    fn drop(&mut self) {
        self.cluster.state().space(&self.name).orphan_all(self.host);
    }
}

impl Connection for FakeConnection {
    fn prepare(&mut self, _repair: bool) -> Result<Prepared, Fault> {
        let mut state = self.cluster.begin(self.host, Kind::Prepare)?;
        let is_id = (1..=layout::MAX_HOST_ID).contains(&self.host_id);
        if self.cluster.lock_type == LockType::Sanlock && !is_id {
            return Err(Fault::new(ResultCode::BAD_HOST_ID, format!("use host id {}", self.host_id)));
        }
        let space = state.space(&self.name);
        let is_left_behind = !self.is_joined && space.members.contains_key(&self.host);
        let global = space.global;
        Ok(Prepared { global: self.global(global), previous_generation: 0, is_left_behind })
    }

    fn join(&mut self, adopt: Adopt, _nodelay: bool) -> Result<u32, Fault> {
        let mut state = self.cluster.begin(self.host, Kind::Join)?;
        let space = state.space(&self.name);
        if adopt == Adopt::No && space.members.contains_key(&self.host) {
            return Err(Fault::new(
                ResultCode::EXISTS,
                format!("join lockspace {}: it is joined", self.name),
            ));
        }
        self.is_joined = true;
        Ok(space.join(self.host))
    }

    fn leave(&mut self, how: Leave) -> Result<(), Fault> {
        let mut state = self.cluster.begin(self.host, Kind::Leave)?;
        let space = state.space(&self.name);
        if !space.orphans(self.host).is_empty() && self.cluster.lock_type == LockType::Sanlock {
            let text = format!("leave lockspace {}: there are orphans", self.name);
            return Err(Fault::new(ResultCode::BUSY, text));
        }
        space.forget(self.host);
        if how == Leave::Destroy {
            state.spaces.remove(&self.name);
        }
        Ok(())
    }

    fn acquire(
        &mut self,
        resource: &Resource,
        mode: LockMode,
        how: &Acquire,
    ) -> Result<Option<ValueBlock>, Fault> {
        let mut state = self.cluster.begin(self.host, Kind::Acquire)?;
        state.space(&self.name).acquire(self.host, resource, mode, how, self.cluster.lock_type)
    }

    fn convert(
        &mut self,
        resource: &Resource,
        mode: LockMode,
        write: Option<ValueBlock>,
    ) -> Result<(), Fault> {
        let mut state = self.cluster.begin(self.host, Kind::Convert)?;
        let space = state.space(&self.name);
        space.check_others(self.host, resource, mode, self.cluster.lock_type)?;
        if !space.holders(resource).any(|(host, _)| host == self.host) {
            return Err(Fault::new(ResultCode::LOCK_MANAGER, format!("convert {resource}: it is not held")));
        }
        space.give_back(self.host, resource, write);
        space.hold(self.host, resource, mode);
        Ok(())
    }

    fn release(&mut self, resource: &Resource, write: Option<ValueBlock>, _free: bool) -> Result<(), Fault> {
        let mut state = self.cluster.begin(self.host, Kind::Release)?;
        state.space(&self.name).give_back(self.host, resource, write);
        Ok(())
    }

    fn orphans(&mut self) -> Result<Option<Vec<Leftover>>, Fault> {
        let mut state = self.cluster.begin(self.host, Kind::Orphans)?;
        if self.cluster.lock_type != LockType::Sanlock {
            return Ok(None);
        }
        let orphans = state.space(&self.name).orphans(self.host).into_iter();
        // Where a lease is does not matter to it, but that this is told.
        let lv_args = |resource: &Resource| match resource {
            Resource::Lv(_) => "1.0.0:70254592".into(),
            Resource::Global | Resource::Vg => "".into(),
        };
        let told = |(resource, mode)| Leftover { lv_args: lv_args(&resource), resource, mode };
        Ok(Some(orphans.map(told).collect()))
    }

    fn drop_orphans(&mut self) -> Result<(), Fault> {
        let mut state = self.cluster.begin(self.host, Kind::DropOrphans)?;
        let space = state.space(&self.name);
        for (resource, _) in space.orphans(self.host) {
            space.give_back(self.host, &resource, None);
        }
        Ok(())
    }

    fn other_hosts(&mut self) -> Result<OtherHosts, Fault> {
        let mut state = self.cluster.begin(self.host, Kind::OtherHosts)?;
        let space = state.space(&self.name);
        let live = space.members.keys().filter(|host| **host != self.host).count();
        Ok(OtherHosts { live, unknown: space.unknown_hosts })
    }

    fn find_free_lock(&mut self, _size_bytes: u64) -> Result<(), Fault> {
        self.cluster.begin(self.host, Kind::FindFreeLock).map(drop)
    }

    fn init_lv(&mut self, request: &InitLv) -> Result<String, Fault> {
        let mut state = self.cluster.begin(self.host, Kind::InitLv)?;
        state.space(&self.name).make_lease(self.cluster.lock_type, request.lv_uuid)
    }

    fn free_lv(&mut self, lv_uuid: LvUuid, _lv_args: &str) -> Result<(), Fault> {
        let mut state = self.cluster.begin(self.host, Kind::FreeLv)?;
        state.space(&self.name).free_lease(lv_uuid);
        Ok(())
    }

    fn read_global(&mut self) -> Result<GlobalLease, Fault> {
        let mut state = self.cluster.begin(self.host, Kind::ReadGlobal)?;
        Ok(self.global(state.space(&self.name).global))
    }

    fn write_global(&mut self, enabled: bool) -> Result<(), Fault> {
        let mut state = self.cluster.begin(self.host, Kind::WriteGlobal)?;
        state.space(&self.name).global = if enabled { GlobalLease::Enabled } else { GlobalLease::Disabled };
        Ok(())
    }

    fn renewal(&mut self) -> Result<Option<Renewal>, Fault> {
        let state = self.cluster.begin(self.host, Kind::Renewal)?;
        Ok(state.renewals.get(&self.host).copied().flatten())
    }
}
