//! The actor of one lockspace: carries out what [`state`](super::state) decides, and reports back.
//!
//! ```text
//!  request ──▶ machine ──▶ effects ──▶ queue ──▶ one after the other:
//!     ▲           ▲                              Record   written down; those behind it wait for that
//!     │           │                              Call     handed to the connection; its answer is an event
//!     └── reply ◀─┴── answer, time, renewal ◀──  Reply, WakeAt, Tell, Global, Gone
//! ```
//!
//! It owns nothing that a crash may take away: the connection is the environment's, what is held is in its book. A fresh
//! actor continues from there: [`Lockspace::resume`].

mod effects;
mod lease;
mod memory;
mod notices;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use actix::dev::{MessageResponse, OneshotSender};
use actix::prelude::*;
use lvmwarden_protocol::ids::VgName;
use lvmwarden_supervisor::{ChildLink, Stop};
use slog::{Logger, o, warn};
use tokio::sync::oneshot;

use super::ask::{ClientId, Reply, Ticket};
use super::event::{Effect, Event, Spec};
use super::messages::{AskLockspace, ClientLeft, Count, Describe, DuplicateGlobals, Undelivered};
use super::orphan::Orphan;
use super::state::{Earlier, Lockspace, Standing};
use super::waits::Waits;
use crate::roles::lock::environment::{LockEnvironment, Opened};
use crate::roles::lock::gauges::LockspaceCount;
use memory::Unwritten;

/// Room for the requests of so many clients at once; those beyond it wait in the mailbox of their own.
const MAILBOX: usize = 256;

/// How a lockspace begins.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A client starts it.
    Client,
    /// It is one of an earlier life of the daemon, with these locks.
    EarlierLife(Arc<Vec<Orphan>>),
}

/// One lockspace.
pub struct LockspaceActor {
    spec: Spec,
    origin: Origin,
    environment: Arc<LockEnvironment>,
    link: ChildLink,
    log: Logger,
    machine: Lockspace,
    opened: Option<Opened>,
    /// What the machine wants done; empty between two events.
    wanted: Vec<Effect>,
    /// What is to be done, in order.
    queue: VecDeque<Effect>,
    /// What is to be written down.
    unwritten: Unwritten,
    /// That the lockspace is about to be joined is written down.
    is_announced: bool,
    /// The lockspace was left.
    is_over: bool,
    /// The request that is being handled, and its reply if there is one already.
    in_hand: Option<(Ticket, Option<Reply>)>,
    /// Who is waiting for a reply.
    askers: HashMap<Ticket, oneshot::Sender<Reply>>,
    wake: Option<SpawnHandle>,
    /// Who waits for a lock, to be told of when it takes long.
    waits: Waits,
}

impl LockspaceActor {
    /// Makes the actor of the lockspace `spec`.
    pub fn new(spec: Spec, origin: Origin, environment: Arc<LockEnvironment>, link: ChildLink) -> Self {
        let vg = spec.vg.as_ref().map_or("-", VgName::as_str).to_owned();
        let log = link.log.new(o!("vg" => vg));
        let machine = Lockspace::new(spec.clone());
        Self {
            spec,
            origin,
            environment,
            link,
            log,
            machine,
            opened: None,
            wanted: Vec::new(),
            queue: VecDeque::new(),
            unwritten: Unwritten::default(),
            is_announced: false,
            is_over: false,
            in_hand: None,
            askers: HashMap::new(),
            wake: None,
            waits: Waits::default(),
        }
    }

    /// Goes on where an actor has crashed, as soon as the connection's last call is over.
    fn resume(&mut self, standing: Standing, ctx: &mut Context<Self>) {
        let calls = self.opened.as_ref().map(|opened| opened.calls.clone());
        let settled = async move {
            if let Some(calls) = calls {
                calls.settled().await;
            }
        };
        ctx.wait(settled.into_actor(self).map(move |(), actor, ctx| {
            let remembered = actor.reconcile_book();
            let (spec, now) = (actor.spec.clone(), actor.environment.now());
            let held = actor.opened.as_ref().map(|opened| opened.calls.held()).unwrap_or_default();
            let orphans = actor.orphans();
            let earlier = Earlier { remembered: &remembered, held: &held, orphans: orphans.as_deref() };
            actor.machine = Lockspace::resume(spec, standing, earlier, now, &mut actor.wanted);
            actor.enqueue_wanted(ctx);
            for client in memory::clients(&remembered) {
                if actor.environment.clients.get(client).is_none() {
                    actor.apply(Event::ClientGone(client), ctx);
                }
            }
        }));
    }

    /// Returns the locks of an earlier life that are to be taken over: without those who have ended since that was decided.
    fn orphans(&self) -> Option<Vec<Orphan>> {
        let Origin::EarlierLife(orphans) = &self.origin else { return None };
        let mut orphans = orphans.to_vec();
        for orphan in &mut orphans {
            let everybody = orphan.kept.iter().chain(&orphan.reliers).map(|holder| holder.client);
            let ended =
                |client: &u32| *client != 0 && self.environment.clients.get(ClientId(*client)).is_none();
            let ended: Vec<_> = everybody.filter(ended).collect();
            for client in ended {
                orphan.let_go(client);
            }
        }
        Some(orphans)
    }

    /// Tells the machine what has happened, and does what it wants done.
    fn apply(&mut self, event: Event, ctx: &mut Context<Self>) {
        self.machine.apply(event, self.environment.now(), &mut self.wanted);
        if let Some(opened) = &self.opened {
            opened.stands(self.machine.standing());
        }
        self.enqueue_wanted(ctx);
    }

    fn enqueue_wanted(&mut self, ctx: &mut Context<Self>) {
        self.queue.extend(self.wanted.drain(..));
        while !self.unwritten.is_awaited
            && let Some(effect) = self.queue.pop_front()
        {
            self.execute(effect, ctx);
        }
        if self.is_over && !self.unwritten.is_under_way {
            ctx.stop();
        }
    }

    /// Answers a request, now or, if it is not answered yet, when its time comes.
    fn reply(&mut self, ticket: Ticket, reply: Reply) {
        let told = self.waits.answered(ticket, reply.code, self.environment.now());
        if let Some(told) = told {
            self.tell_wait(told);
        }
        match &mut self.in_hand {
            Some((in_hand, answer)) if *in_hand == ticket => *answer = Some(reply),
            _another => {
                if let Some(asker) = self.askers.remove(&ticket) {
                    // A client that has gone away needs no reply: its session says so.
                    let _ = asker.send(reply);
                }
            }
        }
    }
}

impl Actor for LockspaceActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.set_mailbox_capacity(MAILBOX);
        self.watch_lease(ctx);
        let Some(opened) = self.environment.connections.get(&self.spec.name) else {
            // It was left a moment before the crash.
            ctx.stop();
            return;
        };
        let standing = opened.standing();
        if standing.is_none() {
            self.environment.global.rules().started(&self.spec.name, self.spec.lock_type);
        }
        self.opened = Some(opened);
        if let Some(standing) = standing {
            warn!(self.log, "a lockspace goes on after a crash"; "next" => "its locks are taken from its book");
            self.resume(standing, ctx);
        } else if let Some(orphans) = self.orphans() {
            let now = self.environment.now();
            self.machine = Lockspace::adopt(self.spec.clone(), orphans, now, &mut self.wanted);
            self.enqueue_wanted(ctx);
        }
    }
}

/// The reply to a request: there already, or to come.
pub enum Answering {
    /// It is there.
    Now(Reply),
    /// It will come; not at all if the actor crashes.
    Later(oneshot::Receiver<Reply>),
}

impl<A, M> MessageResponse<A, M> for Answering
where
    A: Actor,
    M: Message<Result = Reply>,
{
    fn handle(self, _ctx: &mut A::Context, asker: Option<OneshotSender<Reply>>) {
        let Some(asker) = asker else { return };
        match self {
            Self::Now(reply) => {
                // Whoever does not wait any more has its session say so.
                let _ = asker.send(reply);
            }
            Self::Later(answer) => {
                actix_rt::spawn(async move {
                    if let Ok(reply) = answer.await {
                        let _ = asker.send(reply);
                    }
                });
            }
        }
    }
}

impl Handler<AskLockspace> for LockspaceActor {
    type Result = Answering;

    fn handle(&mut self, AskLockspace(asked): AskLockspace, ctx: &mut Context<Self>) -> Answering {
        let ticket = asked.ticket;
        self.in_hand = Some((ticket, None));
        self.waits.asked(&asked, self.environment.now());
        self.apply(Event::Asked(asked), ctx);
        if let Some((_, Some(reply))) = self.in_hand.take() {
            return Answering::Now(reply);
        }
        let (waiting, answer) = oneshot::channel();
        self.askers.insert(ticket, waiting);
        Answering::Later(answer)
    }
}

impl Handler<ClientLeft> for LockspaceActor {
    type Result = ();

    fn handle(&mut self, ClientLeft(client): ClientLeft, ctx: &mut Context<Self>) {
        let told = self.waits.left(client, self.environment.now());
        for told in told {
            self.tell_wait(told);
        }
        self.apply(Event::ClientGone(client), ctx);
    }
}

impl Handler<Undelivered> for LockspaceActor {
    type Result = ();

    fn handle(&mut self, Undelivered(ticket): Undelivered, ctx: &mut Context<Self>) {
        self.apply(Event::NotDelivered(ticket), ctx);
    }
}

impl Handler<DuplicateGlobals> for LockspaceActor {
    type Result = ();

    fn handle(&mut self, DuplicateGlobals(are_there): DuplicateGlobals, ctx: &mut Context<Self>) {
        self.apply(Event::DuplicateGlobals(are_there), ctx);
    }
}

impl Handler<Describe> for LockspaceActor {
    type Result = MessageResult<Describe>;

    fn handle(&mut self, _: Describe, _ctx: &mut Context<Self>) -> MessageResult<Describe> {
        MessageResult(Box::new(self.machine.describe()))
    }
}

impl Handler<Count> for LockspaceActor {
    type Result = MessageResult<Count>;

    fn handle(&mut self, _: Count, _ctx: &mut Context<Self>) -> MessageResult<Count> {
        let now = self.environment.now();
        MessageResult(Box::new(LockspaceCount::of(&self.machine.describe(), now)))
    }
}

/// The daemon ends: locks stay with the lock manager, and the next life takes them over.
impl Handler<Stop> for LockspaceActor {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}
