//! The actor of one poll operation: carries out what [`state`](super::state) decides, and reports back.
//!
//! It owns the child's handle and its output files, and nothing durable: a fresh actor, after a panic or a restart of
//! the daemon, continues from the journal and from the process itself.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use jiff::Timestamp;
use lvmwarden_supervisor::process::{
    AdoptError, Command, Process, ProcessExit, ProcessIdentity, Signal, SpawnError,
};
use lvmwarden_supervisor::{ChildLink, Stop as StopRequest, fault};
use slog::{Logger, debug, error, info, warn};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::lvpoll::{self, Arguments};
use super::messages::{CollectProgress, Describe, Description, StartPolling};
use super::notes;
use super::op_names::begun_at;
use super::outcome::{EXEC_FAILED, Outcome};
use super::output::{self, OutputFollower};
use super::progress::parse_progress;
use super::state::{Answer, ChildEvent, Effect, Event, JournalEvent, Note, Operation, StartAnswer};
use crate::activity::ActivityGuard;
use crate::environment::PollEnvironment;
use crate::error_chain::chain;
use crate::journal;
use crate::ledger::Record;
use crate::occurrence::{Occurrence, PollRef};
use lvmwarden_protocol::ids::OperationId;
use lvmwarden_protocol::poll::StartRequest;

/// How often a child's output is looked at, at most and at least.
const FOLLOW_PERIODS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));
/// How often every other task has its turn before a result that was handed out is forgotten. The session needs one to
/// write it to its client.
const HAND_OUT_TURNS: u32 = 4;
/// The wait before a process that could not be looked for is looked for again.
const ADOPT_RETRY_DELAY: Duration = Duration::from_secs(1);
/// The wait before a journal that does not answer is asked again.
const RELOAD_DELAY: Duration = Duration::from_secs(1);

/// One poll operation, or what is left of it until its result is collected.
pub struct OperationActor {
    id: OperationId,
    environment: Arc<PollEnvironment>,
    link: ChildLink,
    operation: Operation,
    /// The operation in hand, until its result is handed out: what events are about.
    about: Option<PollRef>,
    /// Clients that are told as soon as the intent is durable, each with the name that it brought.
    starters: Vec<(Uuid, oneshot::Sender<StartAnswer>)>,
    child: Option<Child>,
    /// How much lvpoll last said to be done.
    percent: Option<f64>,
    wake: Option<SpawnHandle>,
    /// Held while the operation is active: the daemon is needed.
    activity: Option<ActivityGuard>,
}

struct Child {
    process: Box<dyn Process>,
    /// It ran already, and was taken over.
    adopted: bool,
    output: OutputFollower,
    follow: SpawnHandle,
}

impl OperationActor {
    /// Makes the actor of `id`; what it is about comes from the journal, or from its first client.
    pub fn new(id: OperationId, environment: Arc<PollEnvironment>, link: ChildLink) -> Self {
        Self {
            id,
            environment,
            link,
            operation: Operation::default(),
            about: None,
            starters: Vec::new(),
            child: None,
            percent: None,
            wake: None,
            activity: None,
        }
    }

    /// Asks the journal what it knows about this operation. Messages wait until it has answered.
    fn load(&mut self, ctx: &mut Context<Self>) {
        let (id, registry) = (self.id.clone(), self.link.registry.clone());
        let answer = async move { journal::read(&registry, move |ledger| ledger.get(&id).cloned()).await };
        ctx.wait(answer.into_actor(self).map(|answer, actor, ctx| match answer {
            Ok(Some(recovered)) => {
                actor.about = Some(PollRef::new(recovered.op, &recovered.request));
                let (operation, effects) = Operation::recover(recovered, actor.environment.now());
                actor.operation = operation;
                actor.execute(effects, ctx);
            }
            Ok(None) => {}
            Err(reason) => {
                warn!(actor.link.log, "cannot read the journal"; "error" => reason, "next" => "ask again");
                ctx.wait(
                    tokio::time::sleep(RELOAD_DELAY).into_actor(actor).map(|(), actor, ctx| actor.load(ctx)),
                );
            }
        }));
    }

    fn apply(&mut self, event: &Event, ctx: &mut Context<Self>) {
        let effects = self.operation.apply(event, self.environment.now());
        self.execute(effects, ctx);
    }

    fn execute(&mut self, effects: Vec<Effect>, ctx: &mut Context<Self>) {
        for effect in effects {
            self.execute_one(effect, ctx);
        }
        if self.operation.is_active() != self.activity.is_some() {
            self.activity = self.operation.is_active().then(|| self.environment.activity.begin());
        }
        self.arm_wake(ctx);
    }

    fn execute_one(&mut self, effect: Effect, ctx: &mut Context<Self>) {
        match effect {
            Effect::StoreIntent => self.store_intent(ctx),
            Effect::AnswerStarters(answer) => {
                for (brought, starter) in self.starters.drain(..) {
                    let answer = match answer.clone() {
                        Ok(op) => StartAnswer::ok(op, brought),
                        Err(reason) => StartAnswer::Failed { reason },
                    };
                    // A client that has gone away needs no answer.
                    let _ = starter.send(answer);
                }
            }
            Effect::Spawn => self.spawn(ctx),
            Effect::Adopt(identity) => {
                let adopted = adopt(Arc::clone(&self.environment), self.link.log.clone(), identity);
                ctx.spawn(adopted.into_actor(self).map(Self::adopted));
            }
            Effect::StoreStarted => self.store_started(ctx),
            Effect::Judge => {
                let Some(job) = self.operation.job() else { return };
                let verdict = self.environment.kernel.judge(job.request.kind, job.request.lvid.clone());
                ctx.spawn(verdict.into_actor(self).map(|verdict, actor, ctx| {
                    actor.apply(&Event::Judged(verdict), ctx);
                }));
            }
            Effect::EndChild => self.end_child(ctx),
            Effect::StoreEnd(outcome) => self.store_end(outcome, ctx),
            Effect::StoreCollected { op } => self.store_collected(op, ctx),
            Effect::Note(note) => self.note(&note, ctx),
            Effect::Leave { forget } => self.leave(forget, ctx),
        }
    }

    /// Tells everybody what happened to the operation in hand.
    fn publish(&self, occurrence: impl FnOnce(PollRef) -> Occurrence) {
        if let Some(about) = &self.about {
            self.environment.events.publish(&occurrence(about.clone()));
        }
    }

    /// Writes a decision to the log, and tells it where it is worth an event or a step of the history.
    fn note(&mut self, note: &Note, ctx: &mut Context<Self>) {
        notes::write(&self.link.log, note);
        if let Some(occurrence) = self.about.clone().and_then(|about| notes::occurrence(note, about)) {
            self.environment.events.publish(&occurrence);
        }
        let Some(retried) = self.operation.job().filter(|_| notes::is_retry(note)) else { return };
        // Where the next start was decided on at once, it is counted already.
        let attempt = if *note == Note::ExitUnknownRunsAgain { retried.attempt - 1 } else { retried.attempt };
        let record = Record::PollRetried { op: retried.op, pid: retried.pid, attempt, at: Timestamp::now() };
        self.store(record, ctx, |actor, stored, _ctx| {
            if let Err(reason) = stored {
                warn!(actor.link.log, "cannot record that lvpoll is started again"; "error" => %reason,
                      "next" => "the history lacks it");
            }
        });
    }

    fn arm_wake(&mut self, ctx: &mut Context<Self>) {
        if let Some(armed) = self.wake.take() {
            ctx.cancel_future(armed);
        }
        if let Some(moment) = self.operation.next_wake() {
            let wake = tokio::time::sleep_until(self.environment.instant(moment));
            self.wake = Some(ctx.spawn(wake.into_actor(self).map(|(), actor, ctx| {
                actor.wake = None;
                actor.apply(&Event::Tick, ctx);
            })));
        }
    }

    /// Writes a record; `then` learns what became of it.
    fn store(
        &mut self,
        record: Record,
        ctx: &mut Context<Self>,
        then: impl FnOnce(&mut Self, Result<(), String>, &mut Context<Self>) + 'static,
    ) {
        let registry = self.link.registry.clone();
        let stored = async move { journal::append(&registry, record).await };
        ctx.spawn(stored.into_actor(self).map(|stored, actor, ctx| then(actor, stored, ctx)));
    }

    fn store_intent(&mut self, ctx: &mut Context<Self>) {
        let Some(job) = self.operation.job() else { return };
        let (op, request, uid) = (job.op, job.request.clone(), job.uid);
        let replaced = self.about.replace(PollRef::new(op, &request));
        self.percent = None;
        let record = Record::PollIntended { op, request, uid, at: Some(Timestamp::now()) };
        self.store(record, ctx, |actor, stored, ctx| {
            let event = match stored {
                Ok(()) => {
                    fault::point("poll_operation.intent_stored", actor.id.as_str());
                    if let Some(op) = replaced {
                        actor.environment.events.publish(&Occurrence::PollForgotten { op });
                    }
                    actor.tell_start();
                    JournalEvent::IntentStored
                }
                Err(reason) => {
                    error!(actor.link.log, "cannot record a poll operation"; "error" => %reason,
                           "next" => "the client is refused");
                    JournalEvent::IntentNotStored { reason: format!("cannot record the request: {reason}") }
                }
            };
            actor.apply(&Event::Journal(event), ctx);
        });
    }

    fn tell_start(&self) {
        if let Some(job) = self.operation.job() {
            let request = &job.request;
            self.publish(|op| Occurrence::PollIntended {
                op,
                asked_by: request.cmdline.as_deref().map(str::to_owned),
                uid: job.uid,
            });
            info!(self.link.log, "poll operation begins"; "op" => %job.op, "lv" => lv_of(request),
                  "kind" => %request.kind, "abort" => request.abort, "interval" => %request.interval,
                  "asked_by" => request.cmdline.as_deref().unwrap_or("(unknown)"));
        }
    }

    /// Starts lvpoll, unless a child that nobody has recorded does the work already.
    fn spawn(&mut self, ctx: &mut Context<Self>) {
        let Some(job) = self.operation.job() else { return };
        if let Some(identity) = self.environment.orphans.claim(job.op, &job.request) {
            info!(self.link.log, "a left-over lvpoll does the work already"; "lv" => lv_of(&job.request),
                  "pid" => identity.pid, "next" => "adopt it");
            let adopted = adopt(Arc::clone(&self.environment), self.link.log.clone(), identity);
            ctx.spawn(adopted.into_actor(self).map(|adopted, actor, ctx| match adopted {
                Ok(process) => actor.runs(process, true, ctx),
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
            environment.processes.spawn(command(&environment, op, &request)).await
        };
        ctx.spawn(spawned.into_actor(self).map(move |spawned, actor, ctx| match spawned {
            Ok(process) => {
                actor.environment.orphans.keep(op, process.identity().clone());
                fault::point("poll_operation.spawned", actor.id.as_str());
                actor.runs(process, false, ctx);
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

    fn adopted(adopted: Result<Box<dyn Process>, AdoptError>, actor: &mut Self, ctx: &mut Context<Self>) {
        match adopted {
            Ok(process) => {
                info!(actor.link.log, "lvpoll of an earlier life adopted"; "process" => %process.identity());
                actor.runs(process, true, ctx);
            }
            Err(error) => {
                info!(actor.link.log, "the recorded lvpoll is not there any more"; "error" => chain(&error));
                actor.apply(&Event::Child(ChildEvent::Exited(ProcessExit::Unknown)), ctx);
            }
        }
    }

    /// Follows a child from now on.
    fn runs(&mut self, process: Box<dyn Process>, adopted: bool, ctx: &mut Context<Self>) {
        let Some(job) = self.operation.job() else { return };
        let pid = process.identity().pid;
        let (shortest, longest) = FOLLOW_PERIODS;
        let period = job.request.interval.duration().clamp(shortest, longest);
        let exit = process.wait();
        let output = OutputFollower::new(&self.environment.output_dir, job.op);
        let follow = ctx.run_interval(period, Self::follow_output);
        self.child = Some(Child { process, adopted, output, follow });
        ctx.spawn(exit.into_actor(self).map(Self::exited));
        self.apply(&Event::Child(ChildEvent::Runs { pid }), ctx);
        if adopted {
            // It has said already how far it is.
            self.follow_output(ctx);
        }
    }

    fn exited(exit: ProcessExit, actor: &mut Self, ctx: &mut Context<Self>) {
        actor.follow_output(ctx);
        if let Some(child) = &actor.child {
            ctx.cancel_future(child.follow);
            info!(actor.link.log, "lvpoll ended"; "process" => %child.process.identity(), "exit" => %exit,
                  "last_error" => child.output.last_error().unwrap_or("(none)"));
            let pid = child.process.identity().pid;
            actor.publish(|op| Occurrence::PollChildEnded { op, pid, exit });
        }
        actor.child = None;
        if let Some(job) = actor.operation.job() {
            actor.environment.orphans.forget(job.op);
        }
        fault::point("poll_operation.child_exited", actor.id.as_str());
        actor.apply(&Event::Child(ChildEvent::Exited(exit)), ctx);
    }

    fn follow_output(&mut self, ctx: &mut Context<Self>) {
        let Some(child) = &mut self.child else { return };
        let lines = child.output.read_lines();
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
        if let Some(percent) = percent.filter(|_| percent != self.percent) {
            self.percent = Some(percent);
            self.publish(|op| Occurrence::PollProgress { op, percent });
        }
        if !lines.is_empty() {
            self.apply(&Event::Child(ChildEvent::Output), ctx);
        }
    }

    fn store_started(&mut self, ctx: &mut Context<Self>) {
        let (Some(job), Some(child)) = (self.operation.job(), &self.child) else { return };
        let (op, attempt, adopted) = (job.op, job.attempt, child.adopted);
        let process = child.process.identity().clone();
        info!(self.link.log, "lvpoll runs"; "op" => %op, "process" => %process, "attempt" => attempt);
        let pid = process.pid;
        // It does, whatever the journal says; told later it could come after the child's end.
        self.publish(|op| {
            if adopted {
                Occurrence::PollAdopted { op, pid, attempt }
            } else {
                Occurrence::PollStarted { op, pid, attempt }
            }
        });
        let record = Record::PollStarted { op, process, attempt, adopted, at: Some(Timestamp::now()) };
        self.store(record, ctx, move |actor, stored, _ctx| match stored {
            Ok(()) => {
                actor.environment.orphans.forget(op);
                fault::point("poll_operation.running_stored", actor.id.as_str());
            }
            Err(reason) => warn!(actor.link.log, "cannot record which process lvpoll is"; "error" => %reason,
                                 "next" => "after a crash it is found by its environment"),
        });
    }

    fn end_child(&mut self, ctx: &mut Context<Self>) {
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

    fn store_end(&mut self, outcome: Outcome, ctx: &mut Context<Self>) {
        let Some(job) = self.operation.job() else { return };
        let op = job.op;
        info!(self.link.log, "poll operation ends"; "op" => %op, "lv" => lv_of(&job.request),
              "outcome" => ?outcome, "attempts" => job.attempt);
        let record = Record::PollEnded { op, outcome: outcome.clone(), at: Some(Timestamp::now()) };
        self.store(record, ctx, move |actor, stored, ctx| {
            let event = match stored {
                Ok(()) => {
                    fault::point("poll_operation.end_stored", actor.id.as_str());
                    output::remove(&actor.environment.output_dir, op);
                    let took = Timestamp::now().duration_since(begun_at(op)).unsigned_abs();
                    actor.publish(|op| Occurrence::PollEnded { op, outcome, took });
                    JournalEvent::EndStored
                }
                Err(reason) => {
                    warn!(actor.link.log, "cannot record an end"; "error" => %reason, "next" => "try again");
                    JournalEvent::EndNotStored
                }
            };
            actor.apply(&Event::Journal(event), ctx);
        });
    }

    /// Lets the session write the result to its client before the journal forgets it.
    fn store_collected(&mut self, op: Uuid, ctx: &mut Context<Self>) {
        let handed_out = async {
            for _ in 0..HAND_OUT_TURNS {
                tokio::task::yield_now().await;
            }
        };
        let about = self.about.take();
        ctx.spawn(handed_out.into_actor(self).map(move |(), actor, ctx| {
            let record = Record::PollForgotten { op, at: Some(Timestamp::now()) };
            actor.store(record, ctx, |actor, stored, ctx| {
                if let Some(op) = about {
                    actor.environment.events.publish(&Occurrence::PollForgotten { op });
                }
                match stored {
                    Ok(()) => fault::point("poll_operation.collect_stored", actor.id.as_str()),
                    Err(reason) => warn!(actor.link.log, "cannot record a collection"; "error" => %reason,
                                         "next" => "after a crash the result is given once more"),
                }
                actor.apply(&Event::Journal(JournalEvent::CollectStored), ctx);
            });
        }));
    }

    fn leave(&mut self, forget: Option<Uuid>, ctx: &mut Context<Self>) {
        let Some(op) = forget else {
            ctx.stop();
            return;
        };
        output::remove(&self.environment.output_dir, op);
        let record = Record::PollForgotten { op, at: Some(Timestamp::now()) };
        self.store(record, ctx, |actor, stored, ctx| {
            actor.publish(|op| Occurrence::PollForgotten { op });
            if let Err(reason) = stored {
                warn!(actor.link.log, "cannot forget an operation"; "error" => %reason,
                      "next" => "the next daemon finishes it");
            }
            ctx.stop();
        });
    }
}

impl Actor for OperationActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        self.load(ctx);
    }
}

impl Handler<StartPolling> for OperationActor {
    type Result = Response<Option<StartAnswer>>;

    fn handle(&mut self, message: StartPolling, ctx: &mut Context<Self>) -> Self::Result {
        let StartPolling { request, op, uid } = message;
        let (answer, effects) = self.operation.start(StartRequest::clone(&request), op, uid);
        let response = match answer {
            Answer::Now(answer) => Response::reply(Some(answer)),
            Answer::WhenStored => {
                let (starter, answered) = oneshot::channel();
                self.starters.push((op, starter));
                Response::fut(async { answered.await.ok() })
            }
        };
        self.execute(effects, ctx);
        response
    }
}

impl Handler<CollectProgress> for OperationActor {
    type Result = MessageResult<CollectProgress>;

    fn handle(&mut self, _: CollectProgress, ctx: &mut Context<Self>) -> Self::Result {
        let (answer, effects) = self.operation.collect();
        self.execute(effects, ctx);
        MessageResult(answer)
    }
}

impl Handler<Describe> for OperationActor {
    type Result = Option<Box<Description>>;

    fn handle(&mut self, _: Describe, _ctx: &mut Context<Self>) -> Self::Result {
        Description::of(&self.id, &self.operation, self.percent).map(Box::new)
    }
}

impl Handler<StopRequest> for OperationActor {
    type Result = ();

    fn handle(&mut self, _: StopRequest, ctx: &mut Context<Self>) {
        self.apply(&Event::Stop(self.environment.on_stop()), ctx);
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

/// Returns `VG/LV`, for the log.
fn lv_of(request: &StartRequest) -> String {
    format!("{}/{}", request.vgname, request.lvname)
}

/// Returns the command that polls `request`.
fn command(environment: &PollEnvironment, op: Uuid, request: &StartRequest) -> Command {
    let (stdout, stderr) = output::paths(&environment.output_dir, op);
    Command {
        program: environment.binary.clone(),
        arguments: Arguments::of(request).write(environment.verbose),
        environment: lvpoll::environment(request, op, &environment.instance, &environment.inherited),
        stdout,
        stderr,
    }
}

/// Returns how a failed start counts for the client.
fn outcome_of(error: &SpawnError) -> Outcome {
    match error {
        SpawnError::Exec { .. } => Outcome::Retcode(EXEC_FAILED),
        other => Outcome::Lost { reason: chain(other) },
    }
}
