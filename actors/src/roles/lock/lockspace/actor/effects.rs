//! Carries out what the machine wants done.

use std::time::Duration;

use actix::prelude::*;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::LockspaceActor;
use crate::foundation::moment::Moment;
use crate::foundation::names;
use crate::roles::lock::lock_manager::thread::{Called, dead_thread};
use crate::roles::lock::lockspace::event::{Answer, Call, CallId, Effect, End, Event};
use crate::roles::lock::lockspace::messages::DuplicateGlobals;

/// The longest that a lock may take: past it the client is told, and a late success is given back.
///
/// Above what a cluster needs to recover from the death of a host.
const LOCK_DEADLINE: Duration = Duration::from_mins(1);
/// The longest that a lease may take to be read or written, many of them included.
const LEASE_DEADLINE: Duration = Duration::from_mins(2);
/// The longest that a lockspace may take to be joined or left: with sanlock, some multiples of its time-outs.
const LOCKSPACE_DEADLINE: Duration = Duration::from_mins(5);

/// How long a lockspace may take to hear of others.
const TELL_DEADLINE: Duration = Duration::from_secs(30);

impl LockspaceActor {
    /// Carries out one effect.
    pub(super) fn execute(&mut self, effect: Effect, ctx: &mut Context<Self>) {
        match effect {
            Effect::Record(record) => self.remember(record, ctx),
            Effect::Call(id, call @ Call::Join { .. }) if !self.is_announced => {
                self.is_announced = true;
                self.remember_start(ctx);
                self.queue.push_front(Effect::Call(id, call));
            }
            Effect::Call(id, call) => self.call(id, call, ctx),
            Effect::Reply(ticket, reply) => self.reply(ticket, reply),
            Effect::WakeAt(moment) => self.wake_at(moment, ctx),
            Effect::Tell(notice) => self.tell(&notice),
            Effect::AskForUse(resource) => self.look_for_use(resource, ctx),
            Effect::Global(lease) => {
                if self.environment.global.rules().learned(&self.spec.name, lease) {
                    self.tell_duplicates();
                }
            }
            // Whoever asks by its name waits, finds nobody, and may start it again.
            Effect::Gone(end) => {
                self.environment.connections.close(&self.spec.name);
                if self.environment.global.rules().gone(&self.spec.name) {
                    self.tell_duplicates();
                }
                match end {
                    End::NotIn => {
                        self.environment.unsettled.remove(&self.spec.name);
                        self.remember_end(ctx);
                    }
                    End::LeftAsItIs if self.environment.memory.adopts => {
                        self.environment.unsettled.insert(&self.spec.name);
                    }
                    End::LeftAsItIs => {}
                }
                self.is_over = true;
            }
        }
    }

    fn call(&mut self, id: CallId, call: Call, ctx: &mut Context<Self>) {
        let deadline = deadline_of(&call);
        let Some(opened) = &self.opened else {
            return self.apply(Event::Answered(id, Err(dead_thread())), ctx);
        };
        match opened.calls.submit(call) {
            Called::Now(answer) => self.apply(Event::Answered(id, answer), ctx),
            Called::Later(answered) => self.await_answer(id, answered, deadline, ctx),
        }
    }

    /// Waits for an answer, and says so to the machine when that takes too long.
    fn await_answer(
        &mut self,
        id: CallId,
        mut answered: oneshot::Receiver<Answer>,
        deadline: Duration,
        ctx: &mut Context<Self>,
    ) {
        let waited = async move { (timeout(deadline, &mut answered).await, answered) };
        ctx.spawn(waited.into_actor(self).map(move |(in_time, answered), actor, ctx| match in_time {
            Ok(answer) => {
                let answer = answer.unwrap_or_else(|_dead| Err(dead_thread()));
                actor.apply(Event::Answered(id, answer), ctx);
            }
            Err(_overdue) => {
                actor.apply(Event::Overdue(id), ctx);
                ctx.spawn(answered.into_actor(actor).map(move |answer, actor, ctx| {
                    let answer = answer.unwrap_or_else(|_dead| Err(dead_thread()));
                    actor.apply(Event::Answered(id, answer), ctx);
                }));
            }
        }));
    }

    fn wake_at(&mut self, moment: Moment, ctx: &mut Context<Self>) {
        if let Some(earlier) = self.wake.take() {
            ctx.cancel_future(earlier);
        }
        let delay = moment.saturating_sub(self.environment.now());
        self.wake = Some(ctx.run_later(delay, |actor, ctx| {
            actor.wake = None;
            actor.apply(Event::TimeHasCome, ctx);
        }));
    }
}

impl LockspaceActor {
    /// Tells all lockspaces whether more than one VG has an enabled global lock now.
    fn tell_duplicates(&self) {
        let message = DuplicateGlobals(self.environment.global.rules().has_duplicates());
        for name in self.link.registry.names_under(&names::LOCKSPACES) {
            let registry = self.link.registry.clone();
            actix_rt::spawn(async move {
                // One that is being restarted learns it from its own lease.
                let _ = registry.ask::<Self, _>(&name, message, TELL_DEADLINE).await;
            });
        }
    }
}

fn deadline_of(call: &Call) -> Duration {
    match call {
        Call::Acquire(..) | Call::Convert(..) | Call::Release { .. } | Call::OtherHosts => LOCK_DEADLINE,
        Call::FindFreeLock { .. }
        | Call::InitLv(_)
        | Call::FreeLv { .. }
        | Call::Orphans
        | Call::DropOrphans
        | Call::ReadGlobal
        | Call::WriteGlobal { .. } => LEASE_DEADLINE,
        Call::Prepare { .. } | Call::Join { .. } | Call::Leave(_) => LOCKSPACE_DEADLINE,
    }
}
