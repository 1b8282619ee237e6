//! The child of an operation: started or taken over, followed, and ended.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use jiff::Timestamp;
use lvmwarden_protocol::poll::StartRequest;
use lvmwarden_supervisor::fault;
use lvmwarden_supervisor::process::{
    AdoptError, Command, Process, ProcessExit, ProcessIdentity, Signal, SpawnError, WhenFull,
};
use slog::{Logger, debug, error, info, warn};
use uuid::Uuid;

use super::OperationActor;
use super::records::lv_of;
use crate::foundation::error_chain::chain;
use crate::foundation::facts::occurrence::Occurrence;
use crate::roles::poll::environment::PollEnvironment;
use crate::roles::poll::operation::lvpoll::{self, Arguments};
use crate::roles::poll::operation::outcome::{EXEC_FAILED, Outcome};
use crate::roles::poll::operation::output::{self, OutputFollower};
use crate::roles::poll::operation::progress::parse_progress;
use crate::roles::poll::operation::state::{ChildEvent, Event, Phase, State};
use crate::roles::poll::operation::stuck::{Looks, News};

/// How often a child is looked at, at most and at least; what it writes is read as it comes.
const LOOK_PERIODS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));
/// How often a child is asked whether it sleeps, from its start until it does: at the end of each segment of a pvmove a
/// child has nothing more to do, and the next one waits for its end. To ask is to read a file of one line.
const SLEEP_CHECK_PERIOD: Duration = Duration::from_millis(20);
/// How long that goes on. A child that takes longer waits for something, perhaps for long: the regular looks are enough.
const SLEEP_CHECK_LIMIT: Duration = Duration::from_secs(5);
/// The wait before a process that could not be looked for is looked for again.
const ADOPT_RETRY_DELAY: Duration = Duration::from_secs(1);

/// A child that runs, and what it writes.
pub(super) struct Child {
    pub(super) process: Box<dyn Process>,
    /// It ran already, and was taken over.
    pub(super) adopted: bool,
    /// What it waits for in the kernel.
    pub(super) looks: Looks,
    output: OutputFollower,
    looking: SpawnHandle,
    following: Option<SpawnHandle>,
}

impl OperationActor {
    /// Starts lvpoll, unless a child that nobody has recorded does the work already.
    pub(super) fn spawn(&mut self, ctx: &mut Context<Self>) {
        let Some(job) = self.operation.job() else { return };
        if let Some(identity) = self.environment.orphans.claim(job.op, &job.request) {
            info!(self.link.log, "a left-over lvpoll does the work already"; "lv" => lv_of(&job.request),
                  "pid" => identity.pid, "next" => "adopt it");
            let adopted = adopt(Arc::clone(&self.environment), self.link.log.clone(), identity);
            ctx.spawn(adopted.into_actor(self).map(|adopted, actor, ctx| match adopted {
                Ok(process) => actor.resumes(process, ctx),
                Err(_gone) => actor.spawn_anew(ctx),
            }));
            return;
        }
        self.spawn_anew(ctx);
    }

    fn spawn_anew(&mut self, ctx: &mut Context<Self>) {
        let Some(job) = self.operation.job() else { return };
        let (op, request) = (job.op, job.request.clone());
        let environment = Arc::clone(&self.environment);
        let spawned = async move {
            // A command is some kilobytes of environment: it is made when its turn has come, not for a thousand at once.
            let _turn = environment.starts.acquire().await;
            let output = OutputFollower::make(&environment.output_dir, op);
            let spawned = environment.processes.spawn(command(&environment, op, &request)).await;
            spawned.map(|process| (process, output))
        };
        ctx.spawn(spawned.into_actor(self).map(move |spawned, actor, ctx| match spawned {
            Ok((process, output)) => {
                actor.environment.orphans.keep(op, process.identity().clone());
                fault::point("poll_operation.spawned", actor.id.as_str());
                actor.runs(process, false, output, ctx);
            }
            Err(error) if error.is_shortage() => {
                let reason = chain(&error);
                actor.apply(&Event::Child(ChildEvent::CannotSpawnNow { reason }), ctx);
            }
            Err(error) => {
                error!(actor.link.log, "cannot start lvpoll"; "error" => chain(&error),
                       "next" => "the client is told");
                let outcome = outcome_of(&error);
                actor.apply(&Event::Child(ChildEvent::NotSpawned { outcome }), ctx);
            }
        }));
    }

    /// Takes over the recorded child, if it is still there.
    pub(super) fn adopt(&mut self, identity: ProcessIdentity, ctx: &mut Context<Self>) {
        let adopted = adopt(Arc::clone(&self.environment), self.link.log.clone(), identity);
        ctx.spawn(adopted.into_actor(self).map(Self::adopted));
    }

    fn adopted(adopted: Result<Box<dyn Process>, AdoptError>, actor: &mut Self, ctx: &mut Context<Self>) {
        match adopted {
            Ok(process) => {
                info!(actor.link.log, "lvpoll of an earlier life adopted"; "process" => %process.identity());
                actor.resumes(process, ctx);
            }
            Err(error) => {
                info!(actor.link.log, "the recorded lvpoll is not there any more"; "error" => chain(&error));
                actor.apply(&Event::Child(ChildEvent::Exited(ProcessExit::Unknown)), ctx);
            }
        }
    }

    /// Follows a child that ran already.
    fn resumes(&mut self, process: Box<dyn Process>, ctx: &mut Context<Self>) {
        let Some(job) = self.operation.job() else { return };
        let output = OutputFollower::resume(&self.environment.output_dir, job.op);
        self.runs(process, true, output, ctx);
    }

    /// Follows a child from now on.
    fn runs(
        &mut self,
        process: Box<dyn Process>,
        adopted: bool,
        output: OutputFollower,
        ctx: &mut Context<Self>,
    ) {
        let Some(job) = self.operation.job() else { return };
        let pid = process.identity().pid;
        let (shortest, longest) = LOOK_PERIODS;
        let period = job.request.interval.duration().clamp(shortest, longest);
        let exit = process.wait();
        self.evidence.lvpoll_begins();
        let looking = ctx.run_interval(period, Self::follow_output);
        let looks = Looks::default();
        self.child = Some(Child { process, adopted, looks, output, looking, following: None });
        self.follow_on(ctx);
        ctx.spawn(exit.into_actor(self).map(Self::exited));
        self.apply(&Event::Child(ChildEvent::Runs { pid }), ctx);
        self.look_when_asleep(pid, Duration::ZERO, ctx);
        if adopted {
            // It has said already how far it is.
            self.follow_output(ctx);
        }
    }

    /// Has device-mapper looked at as soon as the child `pid`, which has run for `elapsed`, sleeps.
    fn look_when_asleep(&mut self, pid: u32, elapsed: Duration, ctx: &mut Context<Self>) {
        if !self.operation.is_watched() || elapsed >= SLEEP_CHECK_LIMIT {
            return;
        }
        ctx.run_later(SLEEP_CHECK_PERIOD, move |actor, ctx| match &actor.child {
            Some(child) if child.process.identity().pid != pid => {}
            Some(child) if child.process.is_asleep() => actor.watch = actor.enter_watchlist(ctx),
            Some(_awake) => actor.look_when_asleep(pid, elapsed + SLEEP_CHECK_PERIOD, ctx),
            None => {}
        });
    }

    fn exited(exit: ProcessExit, actor: &mut Self, ctx: &mut Context<Self>) {
        actor.follow_output(ctx);
        if let Some(child) = &actor.child {
            ctx.cancel_future(child.looking);
            child.following.map(|following| ctx.cancel_future(following));
            info!(actor.link.log, "lvpoll ended"; "process" => %child.process.identity(), "exit" => %exit,
                  "last_line" => actor.evidence.last_line().unwrap_or("(none)"));
            let pid = child.process.identity().pid;
            let phase = actor.operation.state();
            let was_relieved = matches!(phase, State::Active { phase: Phase::Relieving { .. }, .. });
            actor.publish(|op| Occurrence::PollChildEnded { op, pid, exit, was_relieved });
        }
        actor.child = None;
        // Entering the list again has device-mapper looked at now rather than at the next turn.
        actor.watch = None;
        if let Some(job) = actor.operation.job() {
            actor.environment.orphans.forget(job.op);
        }
        fault::point("poll_operation.child_exited", actor.id.as_str());
        actor.apply(&Event::Child(ChildEvent::Exited(exit)), ctx);
    }

    /// Tells when lvpoll waits in the kernel for long, and when it waits no more.
    pub(super) fn look_whether_stuck(&mut self) {
        let now = self.environment.now();
        let Some(child) = &mut self.child else { return };
        let pid = child.process.identity().pid;
        match child.looks.saw(child.process.blocked(), now, Timestamp::now()) {
            Some(News::Stuck(stuck)) => {
                warn!(self.link.log, "lvpoll waits in the kernel and cannot be interrupted"; "pid" => pid,
                      "since" => %stuck.since, "at" => stuck.blocked.wait_point.as_deref().unwrap_or("(unknown)"),
                      "device" => stuck.blocked.device.as_deref().map_or_else(String::new, |path| path.display().to_string()),
                      "next" => "keep waiting for it");
                self.publish(|op| Occurrence::PollBlocked { op, pid, stuck });
            }
            Some(News::Free) => self.publish(|op| Occurrence::PollUnblocked { op, pid }),
            None => {}
        }
    }

    /// Reads what the child writes next as soon as it has written it.
    fn follow_on(&mut self, ctx: &mut Context<Self>) {
        let Some(more) = self.child.as_ref().map(|child| child.output.more()) else { return };
        let following = ctx.spawn(more.into_actor(self).map(|(), actor, ctx| {
            actor.follow_output(ctx);
            actor.follow_on(ctx);
        }));
        if let Some(child) = &mut self.child {
            child.following = Some(following);
        }
    }

    fn follow_output(&mut self, ctx: &mut Context<Self>) {
        self.look_whether_stuck();
        let Some(child) = &mut self.child else { return };
        let lines = child.output.read_lines();
        self.evidence.lvpoll_said(&lines);
        let mut percent = None;
        for line in &lines {
            match parse_progress(line) {
                Ok(said) => {
                    debug!(self.link.log, "lvpoll says"; "line" => line, "percent" => said);
                    percent = said.or(percent);
                }
                Err(error) => debug!(self.link.log, "lvpoll says"; "line" => line, "error" => %error),
            }
        }
        let now = self.environment.now();
        if let Some(percent) = percent.and_then(|percent| self.known.said(percent, now)) {
            self.publish(|op| Occurrence::PollProgress { op, percent });
        }
        if !lines.is_empty() {
            self.apply(&Event::Child(ChildEvent::Output), ctx);
        }
    }

    pub(super) fn end_child(&mut self, ctx: &mut Context<Self>) {
        let Some(child) = &self.child else { return };
        // A stopped process sees the request to end only when it goes on.
        for signal in [Signal::TERM, Signal::CONT] {
            if let Err(error) = child.process.signal(signal) {
                debug!(self.link.log, "lvpoll takes no signal"; "error" => chain(&error));
            }
        }
        // How it ends is of no interest now, and an adopted child's exit may be long in coming.
        let ended = child.process.ended().into_actor(self);
        ctx.spawn(ended.map(|(), actor, ctx| Self::exited(ProcessExit::Unknown, actor, ctx)));
    }

    /// Asks a child that sleeps to end; how it ends is told by the wait that is under way.
    pub(super) fn relieve_child(&mut self) {
        let Some(child) = &self.child else { return };
        if let Err(error) = child.process.signal(Signal::TERM) {
            debug!(self.link.log, "lvpoll takes no signal"; "error" => chain(&error));
        }
    }
}

/// Takes over a process that may still run; where the system would not say, it is asked again until it does.
async fn adopt(
    environment: Arc<PollEnvironment>,
    log: Logger,
    identity: ProcessIdentity,
) -> Result<Box<dyn Process>, AdoptError> {
    loop {
        let adopted = environment.processes.adopt(identity.clone()).await;
        let Err(error @ AdoptError::Io { .. }) = adopted else { return adopted };
        warn!(log, "cannot look for lvpoll"; "error" => chain(&error),
              "next" => format!("look again in {ADOPT_RETRY_DELAY:?}"));
        tokio::time::sleep(ADOPT_RETRY_DELAY).await;
    }
}

/// Returns the command that polls `request`.
fn command(environment: &PollEnvironment, op: Uuid, request: &StartRequest) -> Command {
    let (stdout, stderr) = output::paths(&environment.output_dir, op);
    Command {
        program: environment.binary.clone(),
        arguments: Arguments::of(request).write(environment.verbose),
        environment: lvpoll::environment(request, op, &environment.instance, &environment.inherited),
        directory: environment.directory.clone(),
        stdout,
        stderr,
        when_full: WhenFull::Lose,
    }
}

/// Returns how a failed start counts for the client.
fn outcome_of(error: &SpawnError) -> Outcome {
    match error {
        SpawnError::Exec { .. } => Outcome::Retcode(EXEC_FAILED),
        other => Outcome::Lost { reason: chain(other) },
    }
}
