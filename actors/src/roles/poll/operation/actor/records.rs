//! The records of an operation: what is written to the journal, and what is told and done when it is there.

use actix::prelude::*;
use jiff::Timestamp;
use lvmwarden_protocol::poll::StartRequest;
use lvmwarden_supervisor::fault;
use slog::{error, info, warn};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::OperationActor;
use crate::foundation::facts::occurrence::{Occurrence, PollRef};
use crate::foundation::kernel::copying::Fault;
use crate::foundation::store::journal;
use crate::foundation::store::ledger::Record;
use crate::foundation::store::ledger::history::{Renewal, What};
use crate::foundation::wall_clock::elapsed;
use crate::roles::poll::operation::conclusion::{Ending, Evidence};
use crate::roles::poll::operation::messages::PauseError;
use crate::roles::poll::operation::op_names::begun_at;
use crate::roles::poll::operation::outcome::Outcome;
use crate::roles::poll::operation::output;
use crate::roles::poll::operation::pace::Known;
use crate::roles::poll::operation::segments::Segments;
use crate::roles::poll::operation::state::{Event, JournalEvent, Names, Target, Wishes};

/// How often every other task has its turn before a result that was handed out is forgotten. The session needs one to
/// write it to its client.
const HAND_OUT_TURNS: u32 = 4;

impl OperationActor {
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

    pub(super) fn store_intent(&mut self, ctx: &mut Context<Self>) {
        let Some(job) = self.operation.job() else { return };
        let (op, request, uid) = (job.op, job.request.clone(), job.uid);
        let replaced = self.about.replace(PollRef::new(op, &request));
        self.asked_at = Some(self.environment.now());
        self.known = Known::default();
        self.segments = Segments::default();
        self.evidence = Evidence::default();
        self.ending = None;
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

    pub(super) fn store_started(&mut self, ctx: &mut Context<Self>) {
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

    /// Writes down that the operation is to wait at the end of a segment, or not any more, and then has it so.
    pub(super) fn store_pause(
        &mut self,
        is_paused: bool,
        answer: oneshot::Sender<Result<(), PauseError>>,
        ctx: &mut Context<Self>,
    ) {
        let Some(job) = self.operation.job() else { return };
        let (op, wishes) = (job.op, Wishes { is_paused, is_aborted: self.evidence.is_abort_asked() });
        self.store(
            Record::PollWished { op, wishes, at: Some(Timestamp::now()) },
            ctx,
            move |actor, stored, _ctx| {
                let is_it = actor.operation.job().is_some_and(|job| job.op == op);
                let stored = stored.map_err(PauseError::NotStored);
                if stored.is_ok() && is_it {
                    fault::point("poll_operation.pause_stored", actor.id.as_str());
                    actor.operation.pause(is_paused);
                    info!(actor.link.log, "poll operation"; "op" => %op, "paused" => is_paused);
                    actor.publish(|op| {
                        if is_paused { Occurrence::PollPaused { op } } else { Occurrence::PollResumed { op } }
                    });
                }
                // A client that has gone away needs no answer.
                let _ = answer.send(stored);
            },
        );
    }

    /// Writes down, and tells, that lvpoll is told to look elsewhere; `then` learns what became of the record.
    pub(super) fn store_renewed(
        &mut self,
        target: Target,
        why: Renewal,
        ctx: &mut Context<Self>,
        then: impl FnOnce(&mut Self, Result<(), String>, &mut Context<Self>) + 'static,
    ) {
        let Some(job) = self.operation.job() else { return };
        let op = job.op;
        let record = Record::PollRenewed { op, target: target.clone(), why, at: Some(Timestamp::now()) };
        self.store(record, ctx, move |actor, stored, ctx| {
            match &stored {
                Ok(()) => actor.tell_renewal(target, why),
                Err(reason) => {
                    warn!(actor.link.log, "cannot record where lvpoll is to look"; "error" => reason,
                          "next" => "after a crash it looks where it did before");
                }
            }
            then(actor, stored, ctx);
        });
    }

    fn tell_renewal(&mut self, target: Target, why: Renewal) {
        let Some(about) = &mut self.about else { return };
        let Target { names: Names { vgname, lvname }, devicesfile } = target;
        let vg_before = std::mem::replace(&mut about.vgname, vgname);
        let lv_before = std::mem::replace(&mut about.lvname, lvname);
        info!(self.link.log, "lvpoll is told to look elsewhere"; "op" => %about.op, "why" => why.as_str(),
              "lv" => format!("{}/{}", about.vgname, about.lvname), "before" => format!("{vg_before}/{lv_before}"),
              "devices_file" => devicesfile.as_ref().map_or("(none)", |file| file.as_str()));
        self.publish(|op| Occurrence::PollRenewed { op, vg_before, lv_before, why });
    }

    /// Writes down, for the history, that lvpoll has ended and is started again; `at_once` where the next start is
    /// counted already.
    pub(super) fn store_retried(&mut self, why: &str, at_once: bool, ctx: &mut Context<Self>) {
        let Some(job) = self.operation.job() else { return };
        let (attempt, why) = (job.attempt - u32::from(at_once), Some(why.to_owned()));
        let record = Record::PollRetried { op: job.op, pid: job.pid, attempt, why, at: Timestamp::now() };
        self.store_for_history(record, ctx);
    }

    /// Writes down, for the history, what became of the operation.
    pub(super) fn store_told(&mut self, what: What, ctx: &mut Context<Self>) {
        let Some(job) = self.operation.job() else { return };
        self.store_for_history(Record::PollTold { op: job.op, what, at: Timestamp::now() }, ctx);
    }

    /// Tells at once that the kernel could not read or write a device; the outcome tells it again.
    pub(super) fn tell_fault(&mut self, fault: Fault, ctx: &mut Context<Self>) {
        let Some(job) = self.operation.job() else { return };
        warn!(self.link.log, "a copy has errors"; "op" => %job.op, "lv" => lv_of(&job.request), "what" => %fault,
              "next" => "the kernel goes on, and the outcome tells it");
        self.publish(|op| Occurrence::PollCopyErrors { op, fault: fault.clone() });
        self.store_told(What::CopyErrors(fault), ctx);
    }

    fn store_for_history(&mut self, record: Record, ctx: &mut Context<Self>) {
        self.store(record, ctx, |actor, stored, _ctx| {
            if let Err(reason) = stored {
                warn!(actor.link.log, "cannot record a step"; "error" => %reason,
                      "next" => "the history lacks it");
            }
        });
    }

    pub(super) fn store_end(&mut self, outcome: Outcome, ctx: &mut Context<Self>) {
        let Some(job) = self.operation.job() else { return };
        let op = job.op;
        let ending = Ending::new(outcome, &job.request, &self.evidence);
        self.tell_end(&ending);
        let record = Record::PollEnded { op, ending: ending.clone(), at: Some(Timestamp::now()) };
        self.store(record, ctx, move |actor, stored, ctx| {
            let event = match stored {
                Ok(()) => {
                    fault::point("poll_operation.end_stored", actor.id.as_str());
                    output::remove(&actor.environment.output_dir, op);
                    // Of an operation of an earlier life only the wall clock knows the beginning.
                    let took = actor.asked_at.map_or_else(
                        || elapsed(begun_at(op), Timestamp::now()),
                        |asked_at| Some(actor.environment.now().saturating_sub(asked_at)),
                    );
                    actor.ending = Some(ending.clone());
                    actor.publish(|op| Occurrence::PollEnded { op, ending, took });
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

    fn tell_end(&self, ending: &Ending) {
        let Some(job) = self.operation.job() else { return };
        let conclusion = ending.conclusion();
        let outcome = conclusion.kind.as_str();
        let cause = conclusion.cause.unwrap_or_default();
        if conclusion.kind.is_well() {
            info!(self.link.log, "poll operation ends"; "op" => %job.op, "lv" => lv_of(&job.request),
                  "outcome" => outcome, "lvpoll" => %ending.outcome, "attempts" => job.attempt);
        } else {
            warn!(self.link.log, "poll operation ends"; "op" => %job.op, "lv" => lv_of(&job.request),
                  "outcome" => outcome, "cause" => cause, "lvpoll" => %ending.outcome, "attempts" => job.attempt,
                  "next" => conclusion.remedy.unwrap_or_default());
        }
    }

    /// Lets the session write the result to its client before the journal forgets it.
    pub(super) fn store_collected(&mut self, op: Uuid, ctx: &mut Context<Self>) {
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

    pub(super) fn leave(&mut self, forget: Option<Uuid>, ctx: &mut Context<Self>) {
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

/// Returns `VG/LV`, for the log.
pub(super) fn lv_of(request: &StartRequest) -> String {
    format!("{}/{}", request.vgname, request.lvname)
}
