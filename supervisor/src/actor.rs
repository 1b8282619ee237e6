//! The supervisor actor: starts its children in order, stops them in reverse, and executes what
//! [`restart`] decides.
//!
//! It owns the tasks of its children; when it is dropped, they are. It must never wait in a handler, never do
//! domain work, and never look into a child: all it learns of one is how it ended.
//!
//! # A child's states
//! ```text
//!             start                      Stop sent                 ended
//! (spec) ───────────► Running ───────────────────────► Stopping ─────────► Ended ──► (forgotten, if dynamic)
//!                      ▲    │ ended, decided by `restart`          │
//!        timer is down │    ├──────────────► Ended ◄──────────────┘ (or started again at once: `RestartChild`)
//!                      │    ├──────────────► GivenUp
//!                      └────┴─ Waiting
//! ```
//!
//! # What can be late
//! A child's end, a deadline, a delay: each comes as a message and may find the child already in its next life. Each
//! carries the generation it was meant for, and is dropped if that is over.
//!
//! # Names while a supervisor ends
//! A supervisor that ends leaves its children's names as they are: those who ask wait, until the supervisor above has
//! decided whether there will be new bearers. If so, they wait on; if not, they are told.
//!
//! # Differences from OTP
//! - A start does not wait for the child to be initialised: factory and `started` run on the child's own task, in
//!   the order of the starts. What goes wrong there counts as a death, and is answered by a restart.
//! - Dynamic children are stopped all at once and before the others, as OTP does for `simple_one_for_one`; thousands
//!   of them then take as long as the slowest.
//! - Restarts are spaced ([`Backoff`](crate::restart::Backoff)).
//! - A supervisor that is started anew starts the children of its spec. Its dynamic children are gone; the domain
//!   knows which to start again.

use std::{
    collections::VecDeque,
    hash::{BuildHasher, RandomState},
    rc::Rc,
    time::Duration,
};

use actix::{Actor, AsyncContext, Context, Handler, Message};
use slog::{debug, error, info, warn};
use tokio::time::{Instant, sleep};

use crate::{
    actor_child::ChildLink,
    child_spec::{ChildKind, Stop, SupervisorSpec},
    exit_reason::ExitReason,
    observer::Next,
    restart::{self, Death, Decision, OnExceeded, Position, RestartHistory, RestartPolicy, RestartType},
};

use children::{Children, Life, State, Timer};
use sequence::{Sequence, Then};

pub use requests::{
    GetTree, RestartChild, RestartChildError, StartChild, StartChildError, StopChild, UnknownChild,
};

mod children;
mod requests;
mod sequence;
#[cfg(test)]
mod tests;

/// Starts, watches, restarts and stops its children.
pub struct Supervisor {
    link: ChildLink,
    policy: RestartPolicy,
    children: Children,
    /// Restarts counted for all children together; unused with [`OnExceeded::GiveUpChild`].
    history: RestartHistory,
    /// Stops under way that end in something common to several children.
    sequence: Option<Sequence>,
    generation: u64,
    origin: Instant,
    random: RandomState,
}

/// Tells a supervisor that an instance of a child has ended.
#[derive(Message)]
#[rtype(result = "()")]
struct Down {
    position: Position,
    generation: u64,
    reason: ExitReason,
}

/// Tells a supervisor that an instance of a child had all the time it gets to stop.
#[derive(Message)]
#[rtype(result = "()")]
struct DeadlinePassed {
    position: Position,
    generation: u64,
    after: Duration,
}

/// Tells a supervisor that the time has come to start children that wait for this generation of timer.
#[derive(Message)]
#[rtype(result = "()")]
struct DelayPassed {
    children: Vec<Position>,
    generation: u64,
}

impl Supervisor {
    pub(crate) fn new(spec: SupervisorSpec, link: ChildLink) -> Self {
        let mut children = Children::default();
        for child in spec.children {
            let name = link.name.child(&child.id);
            children.add(child, name, false);
        }
        Self {
            link,
            policy: spec.policy,
            children,
            history: RestartHistory::default(),
            sequence: None,
            generation: 0,
            origin: Instant::now(),
            random: RandomState::new(),
        }
    }

    /// Starts a child; its state before is forgotten.
    fn start(&mut self, position: Position, ctx: &mut Context<Self>) {
        let generation = self.next_generation();
        let Some(child) = self.children.get_mut(position) else { return };
        let supervisor = ctx.address();
        let on_end = move |reason| {
            #[expect(
                clippy::disallowed_methods,
                reason = "sent once for each start, from a destructor that can neither wait nor retry"
            )]
            supervisor.do_send(Down { position, generation, reason });
        };
        if child.spec.kind == ChildKind::Supervisor {
            // Those who ask for its children shall wait for them to be started, however deep they are.
            self.link.registry.set_restarting(&child.spec.names(&child.name));
        }
        let task = child.spec.start(self.link.child(child.name.clone()), Box::new(on_end));
        child.state = State::Running(Life { generation, task });
        child.starts += 1;
        if child.starts > 1 {
            self.link.tree().observe_restart(&child.name, child.starts - 1);
        }
    }

    /// Decides what to do about a child that ended without having been asked to, and does it.
    fn handle_death(&mut self, position: Position, reason: &ExitReason, ctx: &mut Context<Self>) {
        let now = self.origin.elapsed();
        let jitter = self.draw();
        let child = self.children.get_mut(position).expect("it was found just now");
        let death = Death { position, restart: child.spec.restart, reason, now, jitter };
        let (mut own_history, mut streak) = (std::mem::take(&mut child.history), child.streak);
        let history = match self.policy.on_exceeded {
            OnExceeded::Escalate => &mut self.history,
            OnExceeded::GiveUpChild => &mut own_history,
        };
        let siblings = self.children.iter().map(|(position, child)| (position, child.spec.restart));
        let decision = restart::decide(&self.policy, history, &mut streak, death, siblings);
        let child = self.children.get_mut(position).expect("it was found just now");
        (child.history, child.streak) = (own_history, streak);
        self.link.tree().observe_end(&child.name, reason, Next::from(&decision));
        self.log_decision(position, reason, &decision);
        self.execute(position, decision, ctx);
    }

    fn execute(&mut self, position: Position, decision: Decision, ctx: &mut Context<Self>) {
        match decision {
            Decision::Forget => self.settle(position),
            Decision::Restart { stop, start, delay, .. } => {
                self.mark_restarting(position);
                if self.policy.strategy == restart::Strategy::OneForOne {
                    self.start_after(start, delay, ctx);
                } else {
                    self.begin_sequence(stop.into(), Then::Start { children: start, delay }, ctx);
                }
            }
            Decision::GiveUp { reason } => {
                let child = self.children.get_mut(position).expect("a decision is about a child");
                child.state = State::GivenUp;
                self.link.registry.give_up(&child.name, &reason, child.spec.kind);
            }
            Decision::Escalate { reason } => {
                let child = self.children.get(position).expect("a decision is about a child");
                let failure = Some(format!("{}: {reason}", child.name));
                self.begin_sequence(self.all_reversed(), Then::End { failure }, ctx);
            }
        }
    }

    fn log_decision(&self, position: Position, reason: &ExitReason, decision: &Decision) {
        let name = &self.children.get(position).expect("a decision is about a child").name;
        let log = &self.link.log;
        match decision {
            Decision::Forget => {
                debug!(log, "child ended"; "child" => name, "reason" => %reason, "next" => "nothing");
            }
            Decision::Restart { start, delay, attempt, .. } => {
                let delay = Duration::from_millis(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
                let when = if delay.is_zero() { "at once".to_owned() } else { format!("in {delay:?}") };
                let next = match start.len() {
                    1 => format!("restart {when}"),
                    children => format!("restart with {} siblings {when}", children - 1),
                };
                warn!(log, "child ended";
                    "child" => name, "reason" => %reason, "attempt" => attempt, "next" => next);
            }
            Decision::GiveUp { reason } => {
                error!(log, "child ended too often";
                    "child" => name, "reason" => reason, "next" => "it is given up, its siblings live on");
            }
            Decision::Escalate { reason } => {
                error!(log, "child ended too often";
                    "child" => name, "reason" => reason,
                    "next" => "stop all children, then end as failed");
            }
        }
    }

    /// Makes a child that has ended for good be forgotten, or stay in the tree as ended.
    fn settle(&mut self, position: Position) {
        let child = self.children.get(position).expect("only children are settled");
        self.link.registry.remove(&child.name, child.spec.kind);
        if child.dynamic || child.spec.restart == RestartType::Temporary {
            self.children.remove(position);
        }
    }

    /// Makes those who ask for a child wait for its next instance.
    fn mark_restarting(&self, position: Position) {
        let child = self.children.get(position).expect("only children are restarted");
        self.link.registry.set_restarting(&child.spec.names(&child.name));
    }

    /// Starts those of `children` that do not live, after `delay`, in this order.
    fn start_after(&mut self, children: Vec<Position>, delay: Duration, ctx: &mut Context<Self>) {
        let generation = self.next_generation();
        let passed = DelayPassed { children: children.clone(), generation };
        let timer = Rc::new(send_after(delay, passed, ctx));
        for position in children {
            if let Some(child) = self.children.get_mut(position)
                && matches!(child.state, State::Waiting { .. } | State::Ended)
            {
                child.state = State::Waiting { generation, _timer: timer.clone() };
            }
        }
    }

    fn all_reversed(&self) -> VecDeque<Position> {
        self.children.iter().rev().map(|(position, _)| position).collect()
    }

    fn next_generation(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }

    /// Draws a number from 0.0 to 1.0; good enough for jitter.
    fn draw(&mut self) -> f64 {
        let generation = self.next_generation();
        #[expect(clippy::cast_precision_loss, reason = "the last bits of a random number do not matter")]
        let draw = self.random.hash_one(generation) as f64 / u64::MAX as f64;
        draw
    }
}

/// Sends `message` to the actor itself after `delay`, unless the timer is dropped before.
///
/// A task of its own and not `run_later`: an actix context looks at each of its futures whenever it wakes, which is
/// quadratic work when a thousand children wait at a time.
fn send_after<M>(delay: Duration, message: M, ctx: &Context<Supervisor>) -> Timer
where
    M: Message<Result = ()> + Send + 'static,
    Supervisor: Handler<M>,
{
    let supervisor = ctx.address();
    let send = async move {
        if !delay.is_zero() {
            sleep(delay).await;
        }
        #[expect(clippy::disallowed_methods, reason = "sent once for each timer, and must not be lost")]
        supervisor.do_send(message);
    };
    Timer(actix_rt::spawn(send).abort_handle())
}

impl Actor for Supervisor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        for position in self.all_reversed().into_iter().rev() {
            self.start(position, ctx);
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        // Children that still live now, because we were killed or have a bug, are killed by what follows.
        for (_, child) in self.children.iter() {
            if matches!(child.state, State::Running(_) | State::Stopping(_)) {
                self.link.tree().add_overdue(&child.name);
            }
        }
    }
}

impl Handler<Down> for Supervisor {
    type Result = ();

    fn handle(&mut self, down: Down, ctx: &mut Context<Self>) {
        let Down { position, generation, mut reason } = down;
        let Some(child) = self.children.get_mut(position) else { return };
        if child.life(generation).is_none() {
            return;
        }
        let state = std::mem::replace(&mut child.state, State::Ended);
        if matches!(state, State::Stopping(_)) && reason == ExitReason::Normal {
            reason = ExitReason::Shutdown;
        }
        child.last_exit = Some(reason.clone());
        let name = child.name.clone();
        if let State::Stopping(ending) = state {
            self.handle_stopped(position, ending, &reason, ctx);
        } else if self.is_ending() || self.is_to_be_started(position) {
            // Its turn to be stopped would have come; what comes after the sequence takes care of it.
            info!(self.link.log, "child ended";
                "child" => &name, "reason" => %reason, "next" => "nothing, it was about to be stopped");
            self.link.tree().observe_end(&name, &reason, Next::Nothing);
        } else {
            self.handle_death(position, &reason, ctx);
        }
    }
}

impl Handler<DelayPassed> for Supervisor {
    type Result = ();

    fn handle(&mut self, passed: DelayPassed, ctx: &mut Context<Self>) {
        for position in passed.children {
            let state = self.children.get(position).map(|child| &child.state);
            if matches!(state, Some(&State::Waiting { generation, .. }) if generation == passed.generation) {
                self.start(position, ctx);
            }
        }
    }
}

impl Handler<DeadlinePassed> for Supervisor {
    type Result = ();

    fn handle(&mut self, passed: DeadlinePassed, _: &mut Context<Self>) {
        let Some(child) = self.children.get(passed.position) else { return };
        if let Some(life) = child.life(passed.generation) {
            warn!(self.link.log, "child has not stopped in time";
                "child" => &child.name, "after" => ?passed.after, "next" => "kill it");
            self.link.tree().add_overdue(&child.name);
            life.task.kill();
        }
    }
}

impl Handler<Stop> for Supervisor {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        if !self.is_ending() {
            self.begin_sequence(self.all_reversed(), Then::End { failure: None }, ctx);
        }
    }
}
