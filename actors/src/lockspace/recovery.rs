//! What the lock service does first: it takes over what an earlier life of it, or of a C daemon, has left behind.
//!
//! 1. What was remembered: the journal, and for lockspaces that it does not know the adopt file.
//! 2. What is there: the lockspaces that the lock managers still have, and the LVs that are active.
//! 3. [`plan`] (pure) compares the two.
//! 4. An actor is started for each lockspace that is there; it adopts the locks by itself.
//! 5. The gate opens: clients are served, and wait for a lockspace that is still adopting.
//!
//! After a crash of the lockspaces' supervisor the connections are there still: their actors go on with them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use lvmwarden_protocol::ids::Lvid;
use lvmwarden_protocol::lock::adopt_file::AdoptFile as AdoptFileContent;
use lvmwarden_supervisor::{ChildLink, Stop};
use slog::{info, warn};
use tokio::sync::watch;

use super::actor::Origin;
use super::adopt_file::AdoptFile;
use super::book::{BookRecord, Booked, LockBook, Started};
use super::directory::{Directory, job};
use super::environment::LockEnvironment;
use super::event::Spec;
use super::lock_manager::{Remains, Resource};
use super::record::{Change, HolderRecord, LockRecord};
use super::state::{Orphan, orphans};
use crate::journal;
use crate::ledger::Record;

/// What has to be done with what an earlier life has left behind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Lockspaces to be taken over, with their locks.
    pub adopted: Vec<(Spec, Vec<Orphan>)>,
    /// Lockspaces that no lock manager has any more.
    pub gone: Vec<String>,
    /// Lockspaces that a lock manager has and nobody remembers.
    pub unknown: Vec<String>,
}

/// Compares what is remembered with what the lock managers have; `active` are the LVs that are active, `None` where
/// nobody knows: then a lock is rather kept.
pub fn plan(
    remembered: &LockBook,
    remains: &[Remains],
    active: Option<&BTreeSet<Lvid>>,
    local_wait: Option<Duration>,
) -> Plan {
    let mut plan = Plan::default();
    for Booked { started, locks } in remembered.lockspaces() {
        let Some(remain) = remains.iter().find(|remain| remain.lockspace == started.lockspace) else {
            plan.gone.push(started.lockspace.clone());
            continue;
        };
        let host_id = if remain.host_id == 0 { started.host_id } else { remain.host_id };
        let spec = Spec { host_id, local_wait, ..started.spec() };
        let is_active = |resource: &Resource| match (resource, active) {
            (Resource::Lv(uuid), Some(active)) => is_active(active, &started.vg_uuid, uuid),
            (_, None) | (Resource::Global | Resource::Vg, _) => true,
        };
        plan.adopted.push((spec, orphans(locks, is_active)));
    }
    let is_unknown = |remain: &&Remains| remembered.get(&remain.lockspace).is_none();
    plan.unknown.extend(remains.iter().filter(is_unknown).map(|remain| remain.lockspace.clone()));
    plan
}

/// Tells whether an LV is active; where its VG's UUID is not known, its own decides.
fn is_active(active: &BTreeSet<Lvid>, vg_uuid: &str, lv_uuid: &str) -> bool {
    let plain = |uuid: &str| uuid.replace('-', "");
    let (vg, lv) = (plain(vg_uuid), plain(lv_uuid));
    active.iter().filter_map(Lvid::uuids).any(|found| found.lv == lv && (vg.is_empty() || found.vg == vg))
}

/// Adds to `book` what an adopt file says of lockspaces that it does not have.
pub fn add_adopt_file(book: &mut LockBook, file: &AdoptFileContent) {
    for vg in &file.vgs {
        let lockspace = super::directory::lockspace_of(&vg.name);
        if book.get(&lockspace).is_some() {
            continue;
        }
        book.apply(&BookRecord::Started(Started {
            lockspace: lockspace.clone(),
            vg: Some(vg.name.to_string()),
            vg_uuid: vg.uuid.to_string(),
            args: vg.args.to_string(),
            lock_type: vg.lock_type,
            host_id: 0,
        }));
        for lv in file.lvs.iter().filter(|lv| lv.vg_uuid == vg.uuid) {
            let holder = HolderRecord { lv_args: Arc::clone(&lv.args), ..HolderRecord::nobody() };
            let change = Change::Held { mode: lv.mode, holder };
            let record = LockRecord { resource: Resource::Lv(Arc::clone(&lv.uuid)), change };
            book.apply_lock(&lockspace, &record);
        }
    }
}

/// The worker that recovers, once; it ends when the gate is open.
pub struct LockRecovery {
    link: ChildLink,
    environment: Arc<LockEnvironment>,
    gate: watch::Sender<bool>,
}

impl LockRecovery {
    /// Makes the worker; `gate` turns true when clients may be served.
    pub fn new(environment: Arc<LockEnvironment>, gate: watch::Sender<bool>, link: ChildLink) -> Self {
        Self { link, environment, gate }
    }
}

impl Actor for LockRecovery {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let recovering = recover(self.link.clone(), Arc::clone(&self.environment));
        ctx.spawn(recovering.into_actor(self).map(|recovered, actor, ctx| {
            match recovered {
                Ok(()) => {
                    actor.gate.send_replace(true);
                }
                Err(reason) => actor.link.fail(reason),
            }
            ctx.stop();
        }));
    }
}

impl Handler<Stop> for LockRecovery {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

async fn recover(link: ChildLink, environment: Arc<LockEnvironment>) -> Result<(), String> {
    let directory = Directory::new(link.registry.clone(), Arc::clone(&environment));
    let living: Vec<Spec> = {
        let book = environment.book.open();
        let lockspaces = book.lockspaces().map(|booked| booked.started.spec());
        let specs = lockspaces.map(|spec| Spec { local_wait: environment.local_wait, ..spec });
        specs.filter(|spec| environment.connections.get(&spec.name).is_some()).collect()
    };
    for spec in living {
        start(&directory, &link, spec, Origin::Client).await;
    }
    let Some(remembered) = remembered(&link, &environment).await? else { return Ok(()) };
    let plan = {
        let remains = remains(&link, &environment).await;
        let active = environment.devices.active_lvs().await;
        plan(&remembered, &remains, active.as_ref(), environment.local_wait)
    };
    for lockspace in plan.unknown {
        warn!(link.log, "a lockspace that nobody remembers"; "lockspace" => lockspace,
              "next" => "it is left alone; start its VG with adoption, or restart the host");
    }
    for lockspace in plan.gone {
        info!(link.log, "a lockspace of an earlier life is gone"; "lockspace" => &lockspace);
        forget(&link, &environment, lockspace).await?;
    }
    for (spec, orphans) in plan.adopted {
        info!(link.log, "a lockspace of an earlier life is there"; "lockspace" => %spec.name,
              "locks" => orphans.len(), "next" => "adopt it");
        if let Some(booked) = remembered.get(&spec.name) {
            let mut book = environment.book.open();
            book.apply(&BookRecord::Started(booked.started.clone()));
            for (resource, lock) in booked.locks.locks() {
                for (mode, holder) in lock.holders.iter().filter(|(_, holder)| holder.is_persistent()) {
                    let change = Change::Held { mode: *mode, holder: holder.clone() };
                    book.apply_lock(&spec.name, &LockRecord { resource: resource.clone(), change });
                }
            }
        }
        start(&directory, &link, spec, Origin::EarlierLife(Arc::new(orphans))).await;
    }
    Ok(())
}

async fn start(directory: &Directory, link: &ChildLink, spec: Spec, origin: Origin) {
    let name = Arc::clone(&spec.name);
    if let Err(fault) = directory.start_actor(spec, origin).await {
        warn!(link.log, "cannot take a lockspace over"; "lockspace" => %name, "error" => %fault,
              "next" => "its locks stay with the lock manager");
    }
}

/// Returns what an earlier life remembers; `None` where nothing is to be adopted.
async fn remembered(link: &ChildLink, environment: &LockEnvironment) -> Result<Option<LockBook>, String> {
    let memory = &environment.memory;
    if !memory.adopts {
        return Ok(None);
    }
    let mut book = LockBook::default();
    if memory.journal {
        book = journal::read(&link.registry, |ledger| ledger.locks().clone()).await?;
    }
    match memory.adopt_file.as_ref().map(AdoptFile::load) {
        Some(Ok(Some((file, odd)))) => {
            for line in odd {
                warn!(link.log, "odd line in the adopt file"; "error" => %line, "next" => "use the others");
            }
            add_adopt_file(&mut book, &file);
        }
        Some(Ok(None)) | None => {}
        Some(Err(error)) => {
            warn!(link.log, "cannot use the adopt file"; "error" => error, "next" => "trust the journal");
        }
    }
    // What is held by this life already is not adopted.
    let current = environment.book.open().clone();
    for booked in current.lockspaces() {
        book.apply(&BookRecord::Left { lockspace: booked.started.lockspace.clone() });
    }
    Ok(Some(book))
}

/// Returns the lockspaces that the lock managers still have.
async fn remains(link: &ChildLink, environment: &LockEnvironment) -> Vec<Remains> {
    let mut all = Vec::new();
    for manager in environment.managers.all() {
        let (kind, manager) = (manager.lock_type(), Arc::clone(manager));
        match job(&format!("list the lockspaces of {kind}"), move || manager.remains()).await {
            Ok(remains) => all.extend(remains),
            Err(fault) => {
                info!(link.log, "no lockspaces of a lock manager"; "type" => %kind, "error" => %fault);
            }
        }
    }
    all
}

async fn forget(link: &ChildLink, environment: &LockEnvironment, lockspace: String) -> Result<(), String> {
    if environment.memory.journal {
        let record = Record::Locks(BookRecord::Left { lockspace });
        journal::append(&link.registry, record).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
