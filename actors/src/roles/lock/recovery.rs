//! What the lock service does first: it takes over what an earlier life of it, or of a C daemon, has left behind.
//!
//! 1. What was remembered: the journal, and of what it does not know the adopt file.
//! 2. What is there: the lockspaces that the lock managers still have, and the LVs that are active.
//! 3. [`plan`] (pure) compares the two.
//! 4. An actor is started for each lockspace that is there; it adopts the locks by itself.
//! 5. The gate opens: clients are served, and wait for a lockspace that is still adopting.
//! 6. Where a lock manager could not be asked, or a lockspace not be taken over, that is tried again, ever more seldom, until
//!    it is settled. What is remembered goes when the lock manager no longer has it, and for no other reason.
//!
//! After a crash of the lockspaces' supervisor the connections are there still: their actors go on with them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use lvmwarden_protocol::ids::{Lvid, VgUuid};
use lvmwarden_protocol::lock::LockType;
use lvmwarden_protocol::lock::adopt_file::AdoptFile as AdoptFileContent;
use lvmwarden_supervisor::{ChildLink, Stop};
use slog::{info, warn};
use tokio::sync::watch;
use tokio::time::sleep;

use super::adopt_file::AdoptFile;
use super::askers::Askers;
use super::directory::{Directory, job};
use super::environment::LockEnvironment;
use super::lock_manager::{Fault, Remains, Resource};
use crate::foundation::store::journal;
use crate::foundation::store::ledger::Record;
use crate::roles::lock::lockspace::actor::Origin;
use crate::roles::lock::lockspace::book::{BookRecord, Booked, LockBook, Started};
use crate::roles::lock::lockspace::event::Spec;
use crate::roles::lock::lockspace::orphan::orphans;
use crate::roles::lock::lockspace::record::{Change, HolderRecord, LockRecord};

/// The wait before what has failed is tried again: the first one, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// What has to be done with what an earlier life has left behind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Lockspaces to be taken over.
    pub there: Vec<Spec>,
    /// Lockspaces that their lock manager does not have any more.
    pub gone: Vec<String>,
    /// Lockspaces whose lock manager does not answer.
    pub untold: Vec<String>,
    /// Lockspaces that a lock manager has and nobody remembers.
    pub unknown: Vec<String>,
}

/// Compares what is remembered with what the lock managers have; one that does not answer is not among `remains`.
pub fn plan(
    remembered: &LockBook,
    remains: &BTreeMap<LockType, Vec<Remains>>,
    local_wait: Option<Duration>,
) -> Plan {
    let mut plan = Plan::default();
    for Booked { started, .. } in remembered.lockspaces() {
        let name = &started.lockspace;
        match remains.get(&started.lock_type).map(|all| all.iter().find(|one| one.lockspace == *name)) {
            None => plan.untold.push(name.clone()),
            Some(None) => plan.gone.push(name.clone()),
            Some(Some(remain)) => {
                let host_id = if remain.host_id == 0 { started.host_id } else { remain.host_id };
                plan.there.push(Spec { host_id, local_wait, ..started.spec() });
            }
        }
    }
    let all = remains.values().flatten().map(|remain| &remain.lockspace);
    plan.unknown.extend(all.filter(|name| remembered.get(name).is_none()).cloned());
    plan
}

/// Tells whether an LV is active; where its VG's UUID is not known, its own decides.
pub(super) fn is_active(active: &BTreeSet<Lvid>, vg: Option<VgUuid>, resource: &Resource) -> bool {
    let Resource::Lv(lv) = resource else { return false };
    active.iter().filter_map(Lvid::uuids).any(|found| found.lv == *lv && vg.is_none_or(|vg| found.vg == vg))
}

/// Starts the actor of a lockspace that an earlier life has left behind.
///
/// # Errors
/// There is no such lock manager, or no room for another actor.
pub(super) async fn take_over(directory: &Directory, booked: &Booked, spec: Spec) -> Result<(), Fault> {
    let active = directory.environment().devices.active_lvs().await;
    // In doubt a lock is rather kept.
    let vg = spec.vg_uuid;
    let is_active =
        |resource: &Resource| active.as_ref().is_none_or(|active| is_active(active, vg, resource));
    let askers = Askers::find(directory, &booked.locks);
    let orphans = orphans(&booked.locks, is_active, |holder| askers.of(holder));
    directory.start_actor(spec, Origin::EarlierLife(Arc::new(orphans))).await
}

/// Adds to `book` what an adopt file says and it does not: a C daemon may have served in between.
pub fn add_adopt_file(book: &mut LockBook, file: &AdoptFileContent) {
    for vg in &file.vgs {
        let lockspace = super::directory::lockspace_of(&vg.name);
        if book.get(&lockspace).is_none() {
            book.apply(&BookRecord::Started(Started {
                lockspace: lockspace.clone(),
                vg: Some(vg.name.clone()),
                vg_uuid: vg.uuid.to_string(),
                args: vg.args.to_string(),
                lock_type: vg.lock_type,
                host_id: 0,
            }));
        }
        for lv in file.lvs.iter().filter(|lv| lv.vg_uuid == vg.uuid) {
            let resource = Resource::Lv(lv.uuid);
            let is_known = |booked: &Booked| booked.locks.locks().any(|(known, _)| *known == resource);
            if book.get(&lockspace).is_some_and(is_known) {
                continue;
            }
            let holder = HolderRecord { lv_args: lv.args.clone().into(), ..HolderRecord::nobody() };
            let change = Change::Held { mode: lv.mode, holder };
            book.apply_lock(&lockspace, &LockRecord { resource, change });
        }
    }
}

/// The worker that recovers; it ends when the gate is open and everything is settled.
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
        let (link, environment, gate) = (self.link.clone(), Arc::clone(&self.environment), self.gate.clone());
        let recovering = async move {
            begin(&link, &environment).await?;
            let directory = Directory::new(link.registry.clone(), Arc::clone(&environment));
            let mut wait = FIRST_WAIT;
            let mut is_settled = settle(&link, &directory, true).await?;
            gate.send_replace(true);
            while !is_settled {
                sleep(wait).await;
                wait = (wait * 2).min(LONGEST_WAIT);
                is_settled = settle(&link, &directory, false).await?;
            }
            Ok::<_, String>(())
        };
        ctx.spawn(recovering.into_actor(self).map(|recovered, actor, ctx| {
            if let Err(reason) = recovered {
                actor.link.fail(reason);
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

/// Goes on with what has a connection still, and remembers what an earlier life has left behind.
async fn begin(link: &ChildLink, environment: &Arc<LockEnvironment>) -> Result<(), String> {
    let directory = Directory::new(link.registry.clone(), Arc::clone(environment));
    let current = environment.book.open().clone();
    for booked in current.lockspaces() {
        let spec = Spec { local_wait: environment.local_wait, ..booked.started.spec() };
        if environment.connections.get(&spec.name).is_some() {
            go_on(&directory, link, booked, spec).await;
        }
    }
    let Some(remembered) = remembered(link, environment).await? else { return Ok(()) };
    environment.clients.continue_after(remembered.last_client());
    for booked in remembered.lockspaces() {
        environment.book.open().inherit(booked.clone());
        environment.unsettled.insert(&booked.started.lockspace);
    }
    Ok(())
}

/// Takes over what is there; returns whether everything is settled.
async fn settle(link: &ChildLink, directory: &Directory, is_first: bool) -> Result<bool, String> {
    let environment = directory.environment();
    let mut remembered = LockBook::default();
    for booked in environment.unsettled.all(&environment.book) {
        // One that is being taken over, or started by a client meanwhile, says itself what becomes of it.
        if environment.connections.get(&booked.started.lockspace).is_none() {
            remembered.inherit(booked);
        }
    }
    if remembered.lockspaces().next().is_none() && !is_first {
        return Ok(environment.unsettled.all(&environment.book).is_empty());
    }
    let remains = remains(link, environment, is_first).await;
    let plan = plan(&remembered, &remains, environment.local_wait);
    for lockspace in plan.unknown.into_iter().filter(|_| is_first && environment.memory.adopts) {
        warn!(link.log, "a lockspace that nobody remembers"; "lockspace" => lockspace,
              "next" => "it is left alone until its VG is started, which takes over its locks");
    }
    for lockspace in plan.untold.into_iter().filter(|_| is_first) {
        warn!(link.log, "a lockspace of an earlier life whose lock manager does not answer";
              "lockspace" => lockspace, "next" => "its locks stay remembered; try again");
    }
    for lockspace in plan.gone {
        info!(link.log, "a lockspace of an earlier life is gone"; "lockspace" => &lockspace);
        forget(link, environment, lockspace).await?;
    }
    for spec in plan.there {
        let Some(booked) = remembered.get(&spec.name) else { continue };
        let name = Arc::clone(&spec.name);
        info!(link.log, "a lockspace of an earlier life is there"; "lockspace" => %name,
              "locks" => booked.locks.locks().count(), "next" => "adopt it");
        if let Err(fault) = take_over(directory, booked, spec).await {
            warn!(link.log, "cannot take a lockspace over"; "lockspace" => %name, "error" => %fault,
                  "next" => "its locks stay with the lock manager; try again");
        }
    }
    Ok(environment.unsettled.all(&environment.book).is_empty())
}

async fn go_on(directory: &Directory, link: &ChildLink, booked: &Booked, spec: Spec) {
    let name = Arc::clone(&spec.name);
    let started = if booked.locks.locks().any(|(_, lock)| lock.is_orphan) {
        take_over(directory, booked, spec).await
    } else {
        directory.start_actor(spec, Origin::Client).await
    };
    if let Err(fault) = started {
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
    if let Some(file) = &memory.adopt_file {
        read_adopt_file(link, file, &mut book);
    }
    // What is held by this life already is not adopted.
    let current = environment.book.open().clone();
    for booked in current.lockspaces() {
        book.apply(&BookRecord::Left { lockspace: booked.started.lockspace.clone() });
    }
    Ok(Some(book))
}

/// Adds what the adopt file says; what cannot be used of it is told, and kept beside.
fn read_adopt_file(link: &ChildLink, file: &AdoptFile, book: &mut LockBook) {
    match file.load() {
        Ok(None) => return,
        Ok(Some((content, odd))) => {
            add_adopt_file(book, &content);
            if odd.is_empty() {
                return;
            }
            for line in odd {
                warn!(link.log, "odd line in the adopt file"; "error" => %line, "next" => "use the others");
            }
        }
        Err(error) => {
            warn!(link.log, "cannot use the adopt file"; "error" => error, "next" => "trust the journal");
        }
    }
    match file.keep_beside() {
        Ok(beside) => info!(link.log, "what the adopt file said is kept"; "file" => %beside.display()),
        Err(error) => warn!(link.log, "cannot keep what the adopt file says"; "error" => error,
                            "next" => "it stays as it is, and is not written by this daemon"),
    }
}

/// Returns the lockspaces that the lock managers still have; one that does not answer is left out.
async fn remains(
    link: &ChildLink,
    environment: &LockEnvironment,
    is_first: bool,
) -> BTreeMap<LockType, Vec<Remains>> {
    let mut all = BTreeMap::new();
    for manager in environment.managers.all() {
        let (kind, manager) = (manager.lock_type(), Arc::clone(manager));
        match job(&format!("list the lockspaces of {kind}"), move || manager.remains()).await {
            Ok(remains) => drop(all.insert(kind, remains)),
            Err(fault) if is_first => {
                info!(link.log, "no lockspaces of a lock manager"; "type" => %kind, "error" => %fault);
            }
            Err(_as_before) => {}
        }
    }
    all
}

async fn forget(link: &ChildLink, environment: &LockEnvironment, lockspace: String) -> Result<(), String> {
    environment.unsettled.remove(&lockspace);
    let record = BookRecord::Left { lockspace };
    environment.book.open().apply(&record);
    if environment.memory.journal {
        journal::append(&link.registry, Record::Locks(record)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
