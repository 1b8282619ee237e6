//! The actor of one poll operation: carries out what [`state`](super::state) decides, and reports back.
//!
//! It owns the child's handle and its output pipes, and nothing durable: a fresh actor, after a panic or a restart of
//! the daemon, continues from the journal and from the process itself. What it does with its child is in `child`,
//! what it writes down in `records`, and how it finds an LV that has another name by now in `search`.

mod child;
mod records;
mod search;

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use lvmwarden_supervisor::{ChildLink, Stop as StopRequest};
use slog::warn;
use tokio::sync::oneshot;
use uuid::Uuid;

use self::child::Child;
use super::conclusion::{Ending, Evidence};
use super::messages::{AbortAsked, CollectProgress, Describe, Description, Pause, PauseError, StartPolling};
use super::notes;
use super::pace::Known;
use super::segments::Segments;
use super::state::{Answer, Effect, Event, Life, Note, Operation, Phase, StartAnswer, State, Target};
use super::turns::{Hold, Site, Turn};
use crate::foundation::activity::ActivityGuard;
use crate::foundation::facts::occurrence::{Occurrence, PollRef};
use crate::foundation::kernel::copying::{Due, Look, Situation, Subject};
use crate::foundation::kernel::watchlist::{Looked, Watch};
use crate::foundation::moment::Moment;
use crate::foundation::store::journal;
use crate::foundation::store::ledger::PollLedger;
use crate::foundation::store::ledger::history::{Renewal, What};
use crate::roles::poll::environment::PollEnvironment;
use lvmwarden_protocol::ids::OperationId;
use lvmwarden_protocol::poll::StartRequest;

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
    /// When it was asked for, if that was in this life of the actor.
    asked_at: Option<Moment>,
    /// Clients that are told as soon as the intent is durable, each with the name that it brought.
    starters: Vec<(Uuid, oneshot::Sender<StartAnswer>)>,
    child: Option<Child>,
    /// How far it is.
    known: Known,
    /// Which of its segments are copied.
    segments: Segments,
    /// What is known of it beside how its lvpoll ends.
    evidence: Evidence,
    /// How it ended.
    ending: Option<Ending>,
    /// Its part in the turns, as soon as it is known where it copies.
    turn: Option<Turn>,
    /// The devices that it copies from and to, as they were seen last.
    devices: Vec<String>,
    wake: Option<SpawnHandle>,
    /// Held while device-mapper is looked at for this operation.
    watch: Option<Watch>,
    /// Held while the operation is active: the daemon is needed.
    activity: Option<ActivityGuard>,
}

impl OperationActor {
    /// Makes the actor of `id`; what it is about comes from the journal, or from its first client.
    pub fn new(id: OperationId, environment: Arc<PollEnvironment>, link: ChildLink) -> Self {
        let operation = Operation::new(environment.mode);
        Self {
            id,
            environment,
            link,
            operation,
            about: None,
            asked_at: None,
            starters: Vec::new(),
            child: None,
            known: Known::default(),
            segments: Segments::default(),
            evidence: Evidence::default(),
            ending: None,
            turn: None,
            devices: Vec::new(),
            wake: None,
            watch: None,
            activity: None,
        }
    }

    /// Asks the journal what it knows about this operation. Messages wait until it has answered.
    fn load(&mut self, ctx: &mut Context<Self>) {
        let (id, registry) = (self.id.clone(), self.link.registry.clone());
        let answer = async move {
            let known = move |ledger: &PollLedger| {
                let recovered = ledger.get(&id)?.clone();
                let last_segment = ledger.last_segment(recovered.op);
                let faults = ledger.faults(recovered.op);
                Some((recovered, last_segment, faults))
            };
            journal::read(&registry, known).await
        };
        ctx.wait(answer.into_actor(self).map(|answer, actor, ctx| match answer {
            Ok(Some((recovered, last_segment, faults))) => {
                actor.segments = Segments::recovered(last_segment);
                actor.about = Some(PollRef::new(recovered.op, &recovered.request));
                actor.evidence = Evidence::of_earlier_life(recovered.wishes.is_aborted, faults);
                if let Life::Ended(ending) = &recovered.life {
                    actor.ending = Some(ending.clone());
                }
                let (operation, effects) =
                    Operation::recover(recovered, actor.environment.mode, actor.environment.now());
                actor.operation = operation;
                if actor.operation.is_active() {
                    actor.store_told(What::Recovered, ctx);
                }
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

    /// Takes a request, and answers it when it is durable.
    fn take(&mut self, message: StartPolling, answer: oneshot::Sender<StartAnswer>, ctx: &mut Context<Self>) {
        let StartPolling { request, op, uid } = message;
        let (answered, effects) = self.operation.start(StartRequest::clone(&request), op, uid);
        match answered {
            // A client that has gone away needs no answer.
            Answer::Now(answered) => drop(answer.send(answered)),
            Answer::WhenStored => self.starters.push((op, answer)),
        }
        self.execute(effects, ctx);
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
        if !self.operation.is_active() {
            self.turn = None;
        }
        self.arm_wake(ctx);
        if self.operation.is_observed() != self.watch.is_some() {
            self.watch = self.enter_watchlist(ctx);
        }
    }

    /// Enters the list of those who are told what device-mapper shows, where the operation wants to be.
    fn enter_watchlist(&self, ctx: &Context<Self>) -> Option<Watch> {
        let job = self.operation.job().filter(|_| self.operation.is_observed())?;
        let subject = Subject { operation: job.request.kind, lvid: job.request.lvid.clone() };
        Some(self.environment.watchlist.enter(subject, ctx.address().recipient()))
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
            Effect::Adopt(identity) => self.adopt(identity, ctx),
            Effect::StoreStarted => self.store_started(ctx),
            Effect::Judge => {
                let Some(job) = self.operation.job() else { return };
                let verdict = self.environment.kernel.judge(job.request.kind, job.request.lvid.clone());
                ctx.spawn(verdict.into_actor(self).map(|verdict, actor, ctx| {
                    let verdict = actor.evidence.kernel_judged(verdict);
                    actor.apply(&Event::Judged(verdict), ctx);
                }));
            }
            Effect::Seek => self.seek(ctx),
            Effect::StoreRenamed => {
                let Some(job) = self.operation.job() else { return };
                self.store_renewed(Target::of(&job.request), Renewal::Renamed, ctx, |_, _, _| {});
            }
            Effect::EndChild => self.end_child(ctx),
            Effect::RelieveChild => self.relieve_child(),
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

    /// Tells why it is not the operation's turn to go on to its next segment, if there is one and it is not.
    fn ask_for_turn(&mut self, look: &Look) -> Option<Hold> {
        let (State::Active { job, phase: Phase::Watching { .. } }, Some(copied)) =
            (self.operation.state(), look.copied)
        else {
            return None;
        };
        if !look.devices.is_empty() {
            self.devices.clone_from(&look.devices);
        }
        let turn = self.turn.get_or_insert_with(|| self.environment.turns.enter(job.op));
        let site = Site { vgname: job.request.vgname.clone(), devices: self.devices.clone() };
        match look.situation {
            Situation::Due(Due::Copied) if job.is_paused => {
                self.turn = None;
                None
            }
            Situation::Due(Due::Copied) if copied.segment < copied.segments => turn.take(site).err(),
            Situation::Copying => {
                turn.goes_on(site);
                None
            }
            Situation::Due(_) | Situation::Unclear { .. } => None,
        }
    }

    /// Writes a decision to the log, and tells it where it is worth an event or a step of the history.
    fn note(&mut self, note: &Note, ctx: &mut Context<Self>) {
        notes::write(&self.link.log, note);
        if let Some(occurrence) = self.about.clone().and_then(|about| notes::occurrence(note, about)) {
            self.environment.events.publish(&occurrence);
        }
        if let Some(why) = notes::retry(note) {
            let is_started = matches!(note, Note::ExitUnknownRunsAgain | Note::RenewedRunsAgain);
            self.store_retried(why, is_started, ctx);
        }
        if let Note::FellBack { why } = note {
            self.store_told(What::FellBack { why: (*why).to_owned() }, ctx);
        }
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
        let (answer, answered) = oneshot::channel();
        match self.operation.renewal(&message.request) {
            None => self.take(message, answer, ctx),
            Some(target) => {
                self.store_renewed(target, Renewal::Asked, ctx, |actor, stored, ctx| match stored {
                    Ok(()) => actor.take(message, answer, ctx),
                    // A client that has gone away needs no answer.
                    Err(reason) => drop(answer.send(StartAnswer::Failed { reason })),
                });
            }
        }
        Response::fut(async { answered.await.ok() })
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
        let stuck = self.child.as_ref().and_then(|child| child.looks.stuck()).cloned();
        let known = Description::of(&self.id, &self.operation, &self.known, self.ending.as_ref())?;
        Some(Box::new(Description { stuck, ..known }))
    }
}

impl Handler<AbortAsked> for OperationActor {
    type Result = ();

    fn handle(&mut self, _: AbortAsked, _ctx: &mut Context<Self>) {
        self.evidence.abort_asked();
    }
}

impl Handler<Looked> for OperationActor {
    type Result = ();

    fn handle(&mut self, Looked(look): Looked, ctx: &mut Context<Self>) {
        for fault in self.evidence.kernel_showed(&look) {
            self.tell_fault(fault, ctx);
        }
        if !self.operation.is_watched() {
            return;
        }
        let now = self.environment.now();
        if let Some(done) = self.segments.saw(&look, now) {
            self.publish(|op| Occurrence::PollSegment { op, done });
            self.store_told(What::Segment(done), ctx);
        }
        if let Some(percent) = look.copied.and_then(|copied| self.known.saw(&copied, now)) {
            self.publish(|op| Occurrence::PollProgress { op, percent });
        }
        self.look_whether_stuck();
        let is_child_asleep = self.child.as_ref().is_some_and(|child| child.process.is_asleep());
        let hold = self.ask_for_turn(&look);
        self.apply(&Event::Looked { look, is_child_asleep, hold }, ctx);
    }
}

impl Handler<Pause> for OperationActor {
    type Result = Response<Result<(), PauseError>>;

    fn handle(&mut self, Pause { op, is_paused }: Pause, ctx: &mut Context<Self>) -> Self::Result {
        if self.about.as_ref().is_none_or(|about| about.op != op) {
            return Response::reply(Err(PauseError::Gone));
        }
        if is_paused && let Err(why) = self.operation.can_pause() {
            return Response::reply(Err(why.into()));
        }
        let (answer, answered) = oneshot::channel();
        self.store_pause(is_paused, answer, ctx);
        Response::fut(async { answered.await.unwrap_or(Err(PauseError::Gone)) })
    }
}

impl Handler<StopRequest> for OperationActor {
    type Result = ();

    fn handle(&mut self, _: StopRequest, ctx: &mut Context<Self>) {
        self.apply(&Event::Stop(self.environment.on_stop()), ctx);
    }
}
