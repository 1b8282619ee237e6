//! What a daemon does first: it compares its journal with the process table.
//!
//! 1. Read the journal's operations, and search the process table for lvpoll.
//! 2. [`plan`] (pure): which records the journal lacks, and which children belong to nobody.
//! 3. Where an operation in progress has no child, look again after [`SECOND_LOOK`]: an lvpoll that was being started
//!    when the daemon was killed has not yet its own command line.
//! 4. Write the missing records, and start one actor for each operation of the journal. Each adopts its child, or
//!    finds that it has ended, by itself.
//! 5. Open the gate: clients are served from now on.
//!
//! Anybody can start a process that says of itself what a child of ours says. Its word is taken with a proof only:
//!
//! * Children of ours are known by their output: the pipe of the operation in our own directory, in which none but root can
//!   have made it. What their environment says is then what we have put there. They are found also when the journal was
//!   lost with the run directory.
//! * Those of a C lvmpolld have no such mark. They are root's, execute the very file that we would execute, were called as
//!   the C daemon calls it, and their output is a pipe that nobody reads any more, which tells them from the children
//!   of one that lives. Nothing of their environment is given to a child of ours: one that has a system directory
//!   waits until a client asks for the same.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use jiff::Timestamp;
use lvmwarden_supervisor::process::{FoundProcess, ProcessIdentity, Stdout};
use lvmwarden_supervisor::{ChildLink, Stop};
use slog::{info, warn};
use tokio::sync::watch;
use uuid::Uuid;

use crate::foundation::facts::occurrence::{Occurrence, PollRef};
use crate::foundation::store::journal;
use crate::foundation::store::ledger::Record;
use crate::roles::poll::environment::PollEnvironment;
use crate::roles::poll::operation::directory::Directory;
use crate::roles::poll::operation::lvpoll::{self, Arguments};
use crate::roles::poll::operation::orphans::Orphan;
use crate::roles::poll::operation::output;
use crate::roles::poll::operation::state::{Life, Recovered, Wishes};
use lvmwarden_protocol::ids::{Lvid, OperationId, SystemDir};

/// When the process table is looked at again for an operation without a child.
pub const SECOND_LOOK: Duration = Duration::from_millis(250);
/// Where the C daemon is told its socket, and so its children.
const SOCKET_VARIABLE: &str = "LVM_LVMPOLLD_SOCKET";
/// The longest that one look at the process table may take.
const SCAN_DEADLINE: Duration = Duration::from_secs(10);

/// An lvpoll process, and what it tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundChild {
    /// Which process it is.
    pub process: ProcessIdentity,
    /// Who started it.
    pub parent: Parent,
    /// What it was told.
    pub arguments: Arguments,
    /// Its client's system directory.
    pub sysdir: Option<SystemDir>,
    /// The LV that it works on, where somebody knows.
    pub lvid: Option<Lvid>,
}

/// Who started an lvpoll process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parent {
    /// An earlier life of this daemon, for this operation.
    Ours {
        /// The operation's name.
        op: Uuid,
    },
    /// A C lvmpolld that is gone.
    GoneLvmpolld,
}

/// What has to be done before clients are served.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// To be written.
    pub records: Vec<Record>,
    /// Children of a C lvmpolld on LVs whose lvid is not known.
    pub orphans: Vec<Orphan>,
    /// Children that do what another one does as well; they are left alone.
    pub surplus: Vec<ProcessIdentity>,
}

/// Compares what the journal knows with what runs `now`; `new_op` names operations that the journal does not know.
///
/// That their children are taken over is told by the actors who do it: the records of it are no steps of the history.
pub fn plan(
    known: &[Recovered],
    found: &[FoundChild],
    now: Timestamp,
    mut new_op: impl FnMut() -> Uuid,
) -> Plan {
    let mut plan = Plan::default();
    let mut by_op: HashMap<Uuid, Recovered> = known.iter().map(|known| (known.op, known.clone())).collect();
    let mut by_id: HashMap<OperationId, Uuid> =
        known.iter().map(|known| (known.request.id(), known.op)).collect();
    for child in found {
        let (arguments, sysdir) = (child.arguments.clone(), child.sysdir.clone());
        let Some(lvid) = child.lvid.clone() else {
            plan.orphans.push(Orphan { process: child.process.clone(), arguments, sysdir });
            continue;
        };
        let request = arguments.into_request(lvid, sysdir);
        let op = match by_id.get(&request.id()) {
            Some(op) if by_op.get(op).is_some_and(|known| !matches!(known.life, Life::Ended(_))) => *op,
            // Nobody knows of this child, or only of an end that it has outlived.
            _none_in_progress => {
                let op = match child.parent {
                    Parent::Ours { op } if !by_op.contains_key(&op) => op,
                    Parent::Ours { .. } | Parent::GoneLvmpolld => new_op(),
                };
                let at = Some(now);
                plan.records.push(Record::PollIntended { op, request: request.clone(), uid: None, at });
                by_id.insert(request.id(), op);
                let (wishes, life) = (Wishes::default(), Life::Intended);
                by_op.insert(op, Recovered { op, request, uid: None, wishes, life });
                op
            }
        };
        let Some(known) = by_op.get_mut(&op) else { continue };
        let attempt = match &known.life {
            Life::Started { process, .. } if *process == child.process => continue,
            // The recorded child runs as well: this one does its work over again, which lvm allows.
            Life::Started { process, .. } if found.iter().any(|other| other.process == *process) => {
                plan.surplus.push(child.process.clone());
                continue;
            }
            Life::Started { attempt, .. } => attempt + 1,
            Life::Intended | Life::Ended(_) => 1,
        };
        known.life = Life::Started { process: child.process.clone(), attempt };
        let process = child.process.clone();
        plan.records.push(Record::PollStarted { op, process, attempt, adopted: true, at: None });
    }
    plan
}

/// What a daemon knows its children by.
#[derive(Debug, Clone, Copy)]
pub struct Home<'a> {
    /// [`PollEnvironment::instance`].
    pub instance: &'a Path,
    /// [`PollEnvironment::output_dir`].
    pub output_dir: &'a Path,
    /// [`PollEnvironment::binary`].
    pub binary: &'a Path,
}

impl<'a> Home<'a> {
    /// Returns what the daemon of this environment knows its children by.
    pub fn of(environment: &'a PollEnvironment) -> Self {
        let PollEnvironment { instance, output_dir, binary, .. } = environment;
        Self { instance, output_dir, binary }
    }
}

/// Returns what a found process tells of itself; `None` for one that is not for the daemon at `home` to look after.
pub fn read_child(found: &FoundProcess, home: Home<'_>) -> Option<FoundChild> {
    let arguments = Arguments::read(&found.command_line)?;
    let text = |name: &str| variable(found, name).and_then(OsStr::to_str);
    let (parent, lvid) = if variable(found, lvpoll::OP_VARIABLE).is_some() {
        let op = text(lvpoll::OP_VARIABLE)?.parse().ok()?;
        let (ours, _errors) = output::paths(home.output_dir, op);
        let is_ours = found.stdout == Stdout::RootsOwn(ours)
            && variable(found, lvpoll::INSTANCE_VARIABLE) == Some(home.instance.as_os_str());
        if !is_ours {
            return None;
        }
        (Parent::Ours { op }, Some(text(lvpoll::LVID_VARIABLE)?.try_into().ok()?))
    } else if is_of_gone_lvmpolld(found, home) {
        (Parent::GoneLvmpolld, None)
    } else {
        return None;
    };
    let sysdir = text(lvpoll::SYSTEM_DIR_VARIABLE).and_then(|dir| dir.try_into().ok());
    Some(FoundChild { process: found.identity.clone(), parent, arguments, sysdir, lvid })
}

fn is_of_gone_lvmpolld(found: &FoundProcess, home: Home<'_>) -> bool {
    let is_binary = |program: &Path| without_usr(program) == without_usr(home.binary);
    let was_called_so =
        lvpoll::split(&found.command_line).is_some_and(|(called, _)| is_binary(Path::new(called)));
    let served_elsewhere =
        variable(found, SOCKET_VARIABLE).is_some_and(|socket| socket != home.instance.as_os_str());
    let is_unread = found.stdout == Stdout::Pipe { has_reader: false };
    was_called_so && found.program.as_deref().is_some_and(is_binary) && is_unread && !served_elsewhere
}

/// Returns a variable of the environment that a process was started with.
fn variable<'a>(found: &'a FoundProcess, name: &str) -> Option<&'a OsStr> {
    found.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str())
}

/// Returns one path for the two that a program has where `/sbin` is a link to `/usr/sbin`.
///
/// The C daemon of Debian 12 is started as `/sbin/lvmpolld`, and its children as `/sbin/lvm`.
fn without_usr(program: &Path) -> &Path {
    match program.strip_prefix("/usr") {
        Ok(rest) => rest,
        Err(_) => program.strip_prefix("/").unwrap_or(program),
    }
}

/// The worker that recovers, once; it ends when the gate is open.
pub struct Recovery {
    link: ChildLink,
    environment: Arc<PollEnvironment>,
    gate: watch::Sender<bool>,
}

impl Recovery {
    /// Makes the worker; `gate` turns true when clients may be served.
    pub fn new(environment: Arc<PollEnvironment>, gate: watch::Sender<bool>, link: ChildLink) -> Self {
        Self { link, environment, gate }
    }
}

impl Actor for Recovery {
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

impl Handler<Stop> for Recovery {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

async fn recover(link: ChildLink, environment: Arc<PollEnvironment>) -> Result<(), String> {
    let known = known_operations(&link).await?;
    let mut found = look(&link, &environment).await;
    if known.iter().any(|known| misses_child(known, &found)) {
        tokio::time::sleep(SECOND_LOOK).await;
        found = look(&link, &environment).await;
    }
    let plan = plan(&known, &found, Timestamp::now(), Uuid::now_v7);
    for process in &plan.surplus {
        warn!(link.log, "a second lvpoll does the work of another one"; "process" => %process,
              "next" => "leave it alone");
    }
    for record in plan.records {
        if let Record::PollStarted { process, .. } = &record {
            info!(link.log, "lvpoll found that the journal does not know"; "process" => %process,
                  "next" => "adopt it");
        }
        let intended = match &record {
            Record::PollIntended { op, request, .. } => Some(PollRef::new(*op, request)),
            _child => None,
        };
        journal::append(&link.registry, record).await?;
        if let Some(op) = intended {
            environment.events.publish(&Occurrence::PollIntended { op, asked_by: None, uid: None });
        }
    }
    environment.orphans.replace(plan.orphans);
    let operations = known_operations(&link).await?;
    output::remove_others(&environment.output_dir, operations.iter().map(|operation| operation.op));
    info!(link.log, "recovered"; "operations" => operations.len(), "found_children" => found.len());
    let directory = Directory::new(link.registry.clone(), environment);
    for operation in operations {
        directory.start_actor(&operation.request.id()).await?;
    }
    Ok(())
}

/// Tells whether an lvpoll of this operation may just be starting: for the first time, or after the recorded one.
fn misses_child(known: &Recovered, found: &[FoundChild]) -> bool {
    match &known.life {
        Life::Intended => true,
        Life::Started { process, .. } => found.iter().all(|child| child.process != *process),
        Life::Ended(_) => false,
    }
}

async fn known_operations(link: &ChildLink) -> Result<Vec<Recovered>, String> {
    journal::read(&link.registry, |ledger| ledger.operations().cloned().collect()).await
}

/// Looks at the process table. What cannot be seen cannot be adopted: the journal alone decides then.
async fn look(link: &ChildLink, environment: &PollEnvironment) -> Vec<FoundChild> {
    let scan = environment.processes.scan(Arc::new(lvpoll::is_lvpoll));
    let processes = match tokio::time::timeout(SCAN_DEADLINE, scan).await {
        Ok(Ok(processes)) => processes,
        Ok(Err(error)) => {
            warn!(link.log, "cannot search the process table"; "error" => %error, "next" => "trust the journal");
            return Vec::new();
        }
        Err(_too_late) => {
            warn!(link.log, "the process table takes too long"; "next" => "trust the journal");
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for process in &processes {
        let Some(mut child) = read_child(process, Home::of(environment)) else { continue };
        // What is asked for with a system directory is known when a client of root's has named the same.
        if child.lvid.is_none() && child.sysdir.is_none() {
            let Arguments { vgname, lvname, .. } = child.arguments.clone();
            child.lvid = environment.kernel.lvid_of(vgname, lvname).await;
        }
        found.push(child);
    }
    found
}

#[cfg(test)]
mod tests;
