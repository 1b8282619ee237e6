//! Tells what becomes of VGs, as events, and runs a command for each that is complete.
//!
//! What is told, by what was known before and what is known now (pure, [`Announced::differ`]):
//!
//! | before | all PVs are there | some are missing | it is not there |
//! |---|---|---|---|
//! | not there | complete | partial | |
//! | complete | changed, if its metadata are others | partial | gone |
//! | partial | complete | changed, if its metadata are others | gone |
//!
//! The cache is looked at [`REST`] after it has changed, so that a change of several steps is told once. Whoever activates VGs
//! is somebody else: the event, and the command, say when there is something to be activated.

mod command;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use lvmwarden_protocol::metadata::{Vgid, Vgname};
use lvmwarden_supervisor::{ChildLink, Stop};
use slog::info;
use tokio::time::sleep;

pub use command::CompleteCommand;

use super::cache::Snapshot;
use super::settings::MetadataEnvironment;
use crate::foundation::facts::events::Events;
use crate::foundation::facts::occurrence::{Occurrence, VgChange};

/// The time from a change of the cache to its being told.
pub const REST: Duration = Duration::from_millis(100);

/// What was told of a VG last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its name.
    pub name: Vgname,
    /// The version of its metadata.
    pub seqno: i64,
    /// How many of its PVs are not there.
    pub missing_pvs: usize,
}

/// What was told of all VGs.
#[derive(Debug, Clone, Default)]
pub struct Announced(BTreeMap<Vgid, Seen>);

impl Announced {
    /// Takes what is known now for what is told, and returns what is new.
    pub fn differ(&mut self, now: BTreeMap<Vgid, Seen>) -> Vec<(Vgid, VgChange, Seen)> {
        let before = std::mem::replace(&mut self.0, now);
        let gone = before.iter().filter(|(uuid, _)| !self.0.contains_key(*uuid));
        let gone = gone.map(|(uuid, seen)| (uuid.clone(), VgChange::Gone, seen.clone()));
        let here = self.0.iter().filter_map(|(uuid, seen)| {
            let change = match (before.get(uuid), seen.missing_pvs) {
                (Some(before), 0) if before.missing_pvs == 0 => is_changed(before, seen)?,
                (_, 0) => VgChange::Complete,
                (Some(before), 1..) if before.missing_pvs > 0 => is_changed(before, seen)?,
                (_, 1..) => VgChange::Partial,
            };
            Some((uuid.clone(), change, seen.clone()))
        });
        gone.chain(here).collect()
    }
}

fn is_changed(before: &Seen, now: &Seen) -> Option<VgChange> {
    let is_same = (&before.name, before.seqno) == (&now.name, now.seqno);
    (!is_same).then_some(VgChange::Changed)
}

/// Returns what is known of all VGs.
fn seen(snapshot: &Snapshot) -> BTreeMap<Vgid, Seen> {
    // Both are in the order of their UUIDs.
    let is_there = |id: &_| snapshot.pvs.binary_search_by(|pv| pv.text.id.cmp(id)).is_ok();
    let vgs = snapshot.vgs.iter().map(|vg| {
        let missing_pvs = vg.text.pvs().iter().filter(|listed| !is_there(&listed.id)).count();
        let seen = Seen { name: vg.name.clone(), seqno: vg.text.seqno, missing_pvs };
        (vg.text.uuid.clone(), seen)
    });
    vgs.collect()
}

/// Who tells what becomes of VGs. A fresh one tells of all VGs anew.
pub struct Announcer {
    environment: Arc<MetadataEnvironment>,
    events: Events,
    command: Option<Arc<CompleteCommand>>,
    link: ChildLink,
}

impl Announcer {
    /// Makes the actor; `command` is run for each VG that becomes complete.
    pub fn new(
        environment: Arc<MetadataEnvironment>,
        events: Events,
        command: Option<Arc<CompleteCommand>>,
        link: ChildLink,
    ) -> Self {
        Self { environment, events, command, link }
    }
}

impl Actor for Announcer {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let (environment, events) = (Arc::clone(&self.environment), self.events.clone());
        let (command, log) = (self.command.clone(), self.link.log.clone());
        let announcing = async move {
            let (mut changes, mut announced) = (environment.knowledge.changes(), Announced::default());
            loop {
                changes.mark_unchanged();
                let snapshot = environment.cache().snapshot();
                for (uuid, change, seen) in announced.differ(seen(&snapshot)) {
                    let Seen { name, seqno, missing_pvs } = seen;
                    info!(log, "a VG is another than before"; "vg" => %name, "change" => ?change,
                          "seqno" => seqno, "missing_pvs" => missing_pvs);
                    if let (VgChange::Complete, Some(command)) = (change, &command) {
                        command.run(&name, &uuid, &log);
                    }
                    let (vg, uuid) = (name.as_str().into(), uuid.as_str().into());
                    events.publish(&Occurrence::VgChanged { vg, uuid, change, seqno, missing_pvs });
                }
                // The other end is as old as the environment.
                if changes.changed().await.is_err() {
                    return;
                }
                sleep(REST).await;
            }
        };
        ctx.spawn(announcing.into_actor(self));
    }
}

impl Handler<Stop> for Announcer {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

#[cfg(test)]
mod tests;
