//! The work: looks when there is an occasion, decides, has things polled, and waits for the next occasion.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use lvmwarden_protocol::api::events::Cursor;
use lvmwarden_protocol::api::poll::{Standing as Told, UnfinishedLv};
use lvmwarden_protocol::ids::Lvid;
use lvmwarden_protocol::poll::{Interval, StartRequest};
use lvmwarden_supervisor::process::ProcessIdentity;
use lvmwarden_supervisor::{ChildLink, Registry};
use slog::{Logger, info, warn};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::foreign::Stranger;
use super::look::{Looker, Metadata};
use super::plan::{Policy, Standing};
use super::report::Unfinished;
use super::schedule::{BOOT, Looked, Schedule, parse_uptime};
use super::survey::weigh;
use super::{ASKED_BY, Reconciling};
use crate::foundation::error_chain::chain;
use crate::foundation::facts::occurrence::Occurrence;
use crate::foundation::store::journal;
use crate::foundation::store::ledger::PollLedger;
use crate::roles::poll::environment::PollEnvironment;
use crate::roles::poll::operation::directory::Directory;
use crate::roles::poll::operation::op_names::begun_at;
use crate::roles::poll::operation::state::{Life, Recovered, StartAnswer};

/// Where the kernel says for how long the host has been up.
const UPTIME: &str = "/proc/uptime";

/// What a client asks.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) dry_run: bool,
    pub(super) answer: oneshot::Sender<Result<Vec<UnfinishedLv>, String>>,
}

/// What is to be waited for.
struct Next {
    /// After this time it is looked again.
    after: Option<Duration>,
    /// But not before one of these has ended.
    strangers: Vec<ProcessIdentity>,
    /// What is found waits until an operation has ended, behind this event.
    room: Option<Cursor>,
}

pub(super) struct Work {
    poll: Arc<PollEnvironment>,
    settings: Arc<Reconciling>,
    directory: Directory,
    registry: Registry,
    log: Logger,
    looker: Looker,
    schedule: Schedule,
    /// What the metadata said last.
    unfinished: Vec<Unfinished>,
    /// What was started here.
    tried: HashSet<Lvid>,
    /// What readers of events were told of.
    told: HashSet<Lvid>,
    /// When it was begun anew.
    since: Timestamp,
}

impl Work {
    pub(super) fn new(poll: Arc<PollEnvironment>, settings: Arc<Reconciling>, link: &ChildLink) -> Self {
        Self {
            directory: Directory::new(link.registry.clone(), Arc::clone(&poll)),
            poll,
            settings,
            registry: link.registry.clone(),
            log: link.log.clone(),
            looker: Looker::default(),
            schedule: Schedule::default(),
            unfinished: Vec::new(),
            tried: HashSet::new(),
            told: HashSet::new(),
            since: Timestamp::now(),
        }
    }

    /// Works until nobody can ask any more.
    pub(super) async fn go_on(mut self, mut questions: mpsc::Receiver<Question>) {
        let mut next = self.look_by_itself().await;
        loop {
            // Whatever is dropped is waited for again, or not needed after the look that comes instead.
            tokio::select! {
                question = questions.recv() => {
                    let Some(Question { dry_run, answer }) = question else { return };
                    let found = self.look_for_a_client(dry_run, &mut next).await;
                    // A client that is gone needs none.
                    let _ = answer.send(found);
                }
                () = self.settings.wanted.notified() => {
                    self.begin_anew();
                    next = self.look_by_itself().await;
                }
                () = self.time_to_look(&next) => next = self.look_by_itself().await,
                () = self.room(&next) => next = self.take_up_what_waits().await,
            }
        }
    }

    /// Looks for a client, who wants to know how it stands now, whatever was tried before.
    async fn look_for_a_client(
        &mut self,
        dry_run: bool,
        next: &mut Next,
    ) -> Result<Vec<UnfinishedLv>, String> {
        let looked = self.looker.look(&self.poll, &self.log).await.map_err(|error| chain(&error))?;
        if dry_run {
            let policy = Policy { resume: false, ..self.settings.policy };
            let standings =
                weigh(&self.poll, &self.registry, &looked.unfinished, &HashSet::new(), policy).await?;
            let pairs = looked.unfinished.iter().zip(standings);
            return Ok(pairs.map(|(unfinished, standing)| told(unfinished, standing)).collect());
        }
        self.begin_anew();
        self.unfinished = looked.unfinished;
        let (found, what_comes) = self.take_up().await?;
        *next = what_comes;
        Ok(found)
    }

    fn begin_anew(&mut self) {
        self.tried.clear();
        self.since = Timestamp::now();
        self.schedule = Schedule::default();
    }

    async fn look_by_itself(&mut self) -> Next {
        let is_whole = match self.looker.look(&self.poll, &self.log).await {
            Ok(Metadata { unfinished, is_whole }) => {
                self.unfinished = unfinished;
                is_whole
            }
            Err(error) => {
                warn!(self.log, "cannot look at LVM's metadata"; "error" => chain(&error), "next" => "look again");
                return self.after_failure();
            }
        };
        let next = self.take_up_what_waits().await;
        if is_whole { next } else { Next { after: self.after_failure().after, ..next } }
    }

    async fn take_up_what_waits(&mut self) -> Next {
        match self.take_up().await {
            Ok((_told, next)) => next,
            Err(error) => {
                warn!(self.log, "cannot tell what is polled"; "error" => error, "next" => "look again");
                self.after_failure()
            }
        }
    }

    /// Has polled what nobody polls, and for which there is room; returns how it stands, and what is to be waited for.
    async fn take_up(&mut self) -> Result<(Vec<UnfinishedLv>, Next), String> {
        // Taken first: what ends meanwhile is behind it.
        let position = self.poll.events.position();
        let unfinished = self.unfinished.clone();
        let tried: HashSet<Lvid> = self.ended_badly().await?.union(&self.tried).cloned().collect();
        let standings = weigh(&self.poll, &self.registry, &unfinished, &tried, self.settings.policy).await?;
        let (mut found, mut waits, mut strangers) = (Vec::new(), false, Vec::new());
        for (unfinished, standing) in unfinished.iter().zip(standings) {
            waits |= standing == Standing::Waits;
            if let Standing::Foreign(stranger) = &standing {
                strangers.push(stranger.process.clone());
            }
            found.push(self.carry_out(unfinished, standing).await);
        }
        let looked = if strangers.is_empty() { Looked::Settled } else { Looked::Held };
        let after = self.schedule.looked(looked, uptime());
        Ok((found, Next { after, strangers, room: waits.then_some(position) }))
    }

    /// Returns what was polled since, whoever asked for it, and did not end well: polling it again would not help.
    async fn ended_badly(&self) -> Result<HashSet<Lvid>, String> {
        let since = self.since;
        let ended_badly = move |known: &&Recovered| match &known.life {
            Life::Ended(ending) => begun_at(known.op) >= since && !ending.conclusion().kind.is_well(),
            Life::Intended | Life::Started { .. } => false,
        };
        let lvids = move |ledger: &PollLedger| {
            ledger.operations().filter(ended_badly).map(|known| known.request.lvid.clone()).collect()
        };
        journal::read(&self.registry, lvids).await
    }

    fn after_failure(&mut self) -> Next {
        let after = self.schedule.looked(Looked::Failed, uptime());
        if after.is_none() {
            warn!(self.log, "LVM's metadata cannot be read"; "next" => "look again on SIGHUP, or when asked");
        }
        Next { after, strangers: Vec::new(), room: None }
    }

    /// Does what is to be done about an LV, and returns what is told of it.
    async fn carry_out(&mut self, unfinished: &Unfinished, standing: Standing) -> UnfinishedLv {
        if let Some(next) = standing.if_found()
            && self.told.insert(unfinished.lvid.clone())
        {
            info!(self.log, "an LV is in the middle of something, and nobody polls it"; "vg" => %unfinished.vgname,
                  "lv" => %unfinished.lvname, "kind" => %unfinished.kind, "next" => next);
            let found = Occurrence::PollFound { lv: unfinished.clone(), next };
            self.poll.events.publish(&found);
        }
        if let Standing::Foreign(stranger) = &standing {
            info!(self.log, "an LV is left to another process"; "vg" => %unfinished.vgname,
                  "lv" => %unfinished.lvname, "pid" => stranger.process.pid,
                  "command" => &*stranger.command_line, "next" => "look again when that has ended");
        }
        if standing == Standing::Resume { self.start(unfinished).await } else { told(unfinished, standing) }
    }

    /// Has an LV polled, and returns what is told of it.
    async fn start(&mut self, unfinished: &Unfinished) -> UnfinishedLv {
        let told = |standing| without_details(unfinished, standing);
        match self.directory.start(self.request(unfinished), None).await {
            StartAnswer::Ok { op, already_running } => {
                self.tried.insert(unfinished.lvid.clone());
                let standing = if already_running { Told::Polled } else { Told::Resumed };
                UnfinishedLv { id: Some(op), ..told(standing) }
            }
            refused => {
                let reason = match refused {
                    StartAnswer::Failed { reason } => reason,
                    _another => "another operation on it is in progress, or the daemon ends".to_owned(),
                };
                warn!(self.log, "an LV cannot be polled"; "vg" => %unfinished.vgname, "lv" => %unfinished.lvname,
                      "error" => &reason, "next" => "leave it alone");
                UnfinishedLv { detail: Some(reason), ..told(Told::Failed) }
            }
        }
    }

    /// Returns what `vgchange --poll y` would ask.
    fn request(&self, unfinished: &Unfinished) -> StartRequest {
        let seconds = self.poll.default_interval_seconds.load(Ordering::Relaxed);
        StartRequest {
            kind: unfinished.kind,
            abort: false,
            handle_missing_pvs: true,
            lvid: unfinished.lvid.clone(),
            vgname: unfinished.vgname.clone(),
            lvname: unfinished.lvname.clone(),
            interval: Interval::try_from(seconds.to_string()).expect("a number of seconds is an interval"),
            sysdir: None,
            devicesfile: None,
            cmdline: Some(ASKED_BY.into()),
        }
    }

    /// Returns when it is to be looked again; never, where that is not planned.
    async fn time_to_look(&self, next: &Next) {
        let Some(after) = next.after else { return std::future::pending().await };
        sleep(after).await;
        // While volume groups appear, what one of them waits for holds up no look at the others.
        if uptime() < BOOT {
            return;
        }
        let mut ends = Vec::new();
        for process in &next.strangers {
            match self.poll.processes.adopt(process.clone()).await {
                Ok(process) => ends.push(process.ended()),
                Err(_gone) => return,
            }
        }
        if !ends.is_empty() {
            first(ends).await;
        }
    }

    /// Returns when an operation has ended, if something waits for that; otherwise never.
    async fn room(&self, next: &Next) {
        let Some(position) = &next.room else { return std::future::pending().await };
        let is_end = |occurrence: &Occurrence| {
            matches!(occurrence, Occurrence::PollEnded { .. } | Occurrence::PollForgotten { .. })
        };
        // Also when it may be among those that are not kept.
        let _ = self.poll.events.next_after(position.clone(), is_end).await;
    }
}

/// Returns what is told of an LV that is not about to be polled.
fn told(unfinished: &Unfinished, standing: Standing) -> UnfinishedLv {
    let told = |standing| without_details(unfinished, standing);
    match standing {
        Standing::Polled { op } => UnfinishedLv { id: Some(op), ..told(Told::Polled) },
        Standing::Foreign(Stranger { process, command_line, .. }) => {
            UnfinishedLv { pid: Some(process.pid), detail: Some(command_line.into()), ..told(Told::Foreign) }
        }
        Standing::Inactive => told(Told::Inactive),
        Standing::Tried | Standing::Reported | Standing::Resume => told(Told::Reported),
        Standing::Waits => told(Told::Waiting),
    }
}

fn without_details(unfinished: &Unfinished, standing: Told) -> UnfinishedLv {
    let Unfinished { kind, vgname, lvname, lvid } = unfinished.clone();
    UnfinishedLv { kind, vgname, lvname, lvid, standing, id: None, pid: None, detail: None }
}

/// Returns for how long the host has been up; where that cannot be told, for long enough.
fn uptime() -> Duration {
    let text = fs::read_to_string(Path::new(UPTIME)).unwrap_or_default();
    parse_uptime(&text).unwrap_or(BOOT)
}

/// Waits for the first of several processes to end.
async fn first(mut ends: Vec<lvmwarden_supervisor::process::BoxFuture<'static, ()>>) {
    std::future::poll_fn(|context| {
        let one_has_ended = ends.iter_mut().any(|end| end.as_mut().poll(context).is_ready());
        if one_has_ended { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}
