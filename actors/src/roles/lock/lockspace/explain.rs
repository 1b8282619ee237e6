//! Says in words why something waits: a pure function of what the lockspaces look like.
//!
//! A waiter waits for holders, who may wait for something else themselves: the chain is followed, each client once.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use lvmwarden_protocol::ids::{LvUuid, VgName};
use lvmwarden_protocol::lock::LockMode;

use super::ask::{Client, ClientId};
use super::picture::{LockspacePicture, ResourcePicture, Stage, WaiterPicture, Why};
use crate::foundation::moment::Moment;
use crate::roles::lock::lock_manager::{Owner, Resource};

/// Why something waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Explanation {
    /// Somebody waits.
    pub is_blocked: bool,
    /// The chain, a step a line.
    pub lines: Vec<String>,
}

/// Explains what is asked of the VG `vg`, or of its LV of this name or UUID alone; `None` when it has no lockspace.
pub fn explain(
    lockspaces: &[LockspacePicture],
    vg: &VgName,
    lv: Option<&str>,
    now: Moment,
) -> Option<Explanation> {
    let lockspace = lockspaces.iter().find(|lockspace| lockspace.spec.vg.as_ref() == Some(vg))?;
    let mut told = Told { lockspaces, now, explanation: Explanation::default(), followed: BTreeSet::new() };
    told.lockspace(lockspace, vg.as_str());
    let mut is_known = false;
    for lock in lockspace.resources.iter().filter(|lock| is_meant(lock, lv)) {
        is_known = true;
        told.lock(lockspace, lock, 0);
    }
    if let Some(lv) = lv.filter(|_| !is_known) {
        told.say(0, format!("LV {lv} is locked by nobody on this host, and nobody here waits for it"));
    }
    Some(told.explanation)
}

/// The VG's own lock concerns each of its LVs: whoever wants to change one waits for it.
fn is_meant(lock: &ResourcePicture, lv: Option<&str>) -> bool {
    match (&lock.resource, lv) {
        (_, None) => true,
        (Resource::Lv(uuid), Some(lv)) => {
            LvUuid::try_from(lv) == Ok(*uuid) || lock.holders.iter().any(|held| &*held.lv_name == lv)
        }
        (Resource::Vg, Some(_)) => !lock.waiters.is_empty(),
        (Resource::Global, Some(_)) => false,
    }
}

struct Told<'a> {
    lockspaces: &'a [LockspacePicture],
    now: Moment,
    explanation: Explanation,
    followed: BTreeSet<ClientId>,
}

impl Told<'_> {
    fn say(&mut self, depth: usize, line: impl Display) {
        self.explanation.lines.push(format!("{}{line}", "  ".repeat(depth)));
    }

    fn lockspace(&mut self, lockspace: &LockspacePicture, vg: &str) {
        let kind = lockspace.spec.lock_type;
        let problem = lockspace.fault.as_ref().map(|fault| format!(": {fault}")).unwrap_or_default();
        let line = match lockspace.stage {
            Stage::New | Stage::Starting => {
                format!("VG {vg} is being started with {kind}; until then lvm is told that it is starting")
            }
            Stage::Running if lockspace.killed => {
                format!(
                    "VG {vg} was killed: {kind} cannot reach its leases, and nothing more is locked; deactivate its LVs, then drop it"
                )
            }
            Stage::Running => format!("VG {vg} is locked with {kind}"),
            Stage::Stopping => format!("VG {vg} is being stopped: {kind} is asked to leave it{problem}"),
            Stage::Finished => format!("VG {vg} was stopped"),
            Stage::Failed => format!("VG {vg} could not be started with {kind}{problem}"),
        };
        self.say(0, line);
        if let Some((renewal, seen)) = &lockspace.renewal {
            let age = renewal.age + self.now.saturating_sub(*seen);
            if age * 2 > renewal.kill_after {
                let line = format!(
                    "its lease on this host's life was not renewed for {}: killed in {}, the host is reset in {}",
                    span(age),
                    span(renewal.kill_after.saturating_sub(age)),
                    span(renewal.reset_after.saturating_sub(age)),
                );
                self.say(1, line);
            }
        }
    }

    fn lock(&mut self, lockspace: &LockspacePicture, lock: &ResourcePicture, depth: usize) {
        let name = named(lockspace, lock);
        for waiter in &lock.waiters {
            self.waiter(lock, waiter, &name, depth);
        }
        if !lock.waiters.is_empty() {
            return;
        }
        for holder in &lock.holders {
            let kept = if holder.persistent { ", until the LV is deactivated" } else { "" };
            let line = format!(
                "{name} is held {} by {} for {}{kept}; nobody here waits for it",
                adverb(holder.mode),
                who(&holder.client),
                self.since(holder.since)
            );
            self.say(depth, line);
        }
        if let Some((since, fault)) = &lock.unreleased {
            let line = format!(
                "{name} could not be given back for {}: {fault}; it is tried again",
                self.since(*since)
            );
            self.say(depth, line);
        }
    }

    fn waiter(&mut self, lock: &ResourcePicture, waiter: &WaiterPicture, name: &str, depth: usize) {
        self.explanation.is_blocked = true;
        let line = format!(
            "{} has waited {} for {name}, {}",
            who(&waiter.client),
            self.since(waiter.since),
            adverb(waiter.mode)
        );
        self.say(depth, line);
        match &waiter.why {
            Why::Held => self.holders(lock, waiter.client.id, depth + 1),
            Why::Behind => self.say(depth + 1, "others of this host asked before"),
            Why::Asking => self.say(depth + 1, "the lock manager is being asked"),
            Why::Conflict { fault, tries, again } => {
                let holder = fault.owner.as_ref().map_or_else(|| "another host".to_owned(), host);
                let again = span(again.saturating_sub(self.now));
                let line = format!("{holder} holds it; tried {tries} times, again in {again}");
                self.say(depth + 1, line);
            }
            Why::Unreleased => {
                let why = lock.unreleased.as_ref().map(|(_, fault)| format!(": {fault}")).unwrap_or_default();
                self.say(
                    depth + 1,
                    format!("the lock manager does not take it back from its last holder{why}"),
                );
            }
        }
    }

    fn holders(&mut self, lock: &ResourcePicture, waiter: ClientId, depth: usize) {
        for holder in lock.holders.iter().filter(|holder| holder.client.id != waiter) {
            let held = self.since(holder.since);
            let line = format!("{} holds it {} for {held}", who(&holder.client), adverb(holder.mode));
            self.say(depth, line);
            if !holder.persistent {
                self.follow(holder.client.id, depth + 1);
            }
        }
    }

    /// Tells what a holder waits for itself.
    fn follow(&mut self, client: ClientId, depth: usize) {
        if !self.followed.insert(client) {
            return;
        }
        for lockspace in self.lockspaces {
            for lock in &lockspace.resources {
                let name = named(lockspace, lock);
                for waiter in lock.waiters.iter().filter(|waiter| waiter.client.id == client) {
                    self.waiter(lock, waiter, &name, depth);
                }
            }
        }
    }

    fn since(&self, moment: Moment) -> String {
        span(self.now.saturating_sub(moment))
    }
}

fn named(lockspace: &LockspacePicture, lock: &ResourcePicture) -> String {
    let vg = lockspace.spec.vg.as_ref().map_or("", VgName::as_str);
    match &lock.resource {
        Resource::Global => "the global lock".to_owned(),
        Resource::Vg if vg.is_empty() => "the lock of the global lockspace".to_owned(),
        Resource::Vg => format!("the lock of VG {vg}"),
        Resource::Lv(uuid) => {
            let name = lock.holders.iter().map(|holder| &*holder.lv_name).find(|name| !name.is_empty());
            format!("the lock of LV {vg}/{}", name.unwrap_or(uuid.as_str()))
        }
    }
}

fn who(client: &Client) -> String {
    let name = if client.name.is_empty() { "a command" } else { &client.name };
    if client.pid == 0 { name.to_owned() } else { format!("{name} (pid {})", client.pid) }
}

fn host(owner: &Owner) -> String {
    let name = if owner.name.is_empty() { String::new() } else { format!(" ({})", owner.name) };
    let state = if owner.state.is_empty() { String::new() } else { format!(", which is {}", owner.state) };
    format!("host {}{name}{state},", owner.host_id)
}

fn adverb(mode: LockMode) -> &'static str {
    match mode {
        LockMode::Exclusive => "exclusively",
        LockMode::Shared => "shared",
        LockMode::Unlocked | LockMode::Null => "not at all",
    }
}

/// Returns a time as people say it.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..=9 => format!("{:.1} s", time.as_secs_f64()),
        10..=119 => format!("{seconds} s"),
        _ => format!("{} min", seconds / 60),
    }
}

#[cfg(test)]
mod tests;
