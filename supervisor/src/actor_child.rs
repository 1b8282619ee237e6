//! Runs one actor and learns how it ended.
//!
//! `actix::Supervisor` (actix 0.13) does not restart after a panic, restarts the same instance with its old state
//! after `ctx.stop()`, and knows no limit. So an actor's life is a task of our own around
//! `Context::into_future(actor)`:
//!
//! 1. a context is made, and its address registered under the child's name; messages wait in the mailbox;
//! 2. the task runs the factory, then the actor's `started`, then its messages and futures;
//! 3. it ends: the context's future returns (the actor called `ctx.stop()`), it panics, or the task is aborted;
//! 4. the actor is dropped, which runs its `stopped` hook in all three cases;
//! 5. the one who started it is told the [`ExitReason`], exactly once, and after the actor is gone for good.
//!
//! It never decides what comes next: that is the supervisor's.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use actix::{Context, Recipient};
use slog::{Logger, o};
use tokio::{sync::watch, task::AbortHandle};

use crate::{
    child_spec::{Stop, Worker},
    exit_reason::ExitReason,
    name::Name,
    observer::{Next, Observer},
    panics,
    registry::Registry,
};

/// What a child is given of the tree it lives in. Its factory receives it; the actor keeps it.
///
/// Each start has its own.
#[derive(Clone)]
pub struct ChildLink {
    /// The child's name.
    pub name: Name,
    /// Where others are found by name.
    pub registry: Registry,
    /// The child's logger: the tree's, with the name as `component`.
    pub log: Logger,
    failure: Arc<OnceLock<String>>,
    tree: Arc<Tree>,
}

impl ChildLink {
    /// Makes the link of the root of a new tree.
    pub(crate) fn root(name: Name, log: Logger, observer: Option<Arc<dyn Observer>>) -> Self {
        let tree = Tree { log, observer, living: watch::Sender::new(0), overdue: Mutex::default() };
        Self::new(name, Registry::default(), Arc::new(tree))
    }

    /// Makes the link for the next start of the child `name` of the supervisor that has this link.
    pub(crate) fn child(&self, name: Name) -> Self {
        Self::new(name, self.registry.clone(), self.tree.clone())
    }

    fn new(name: Name, registry: Registry, tree: Arc<Tree>) -> Self {
        let log = tree.log.new(o!("component" => name.clone()));
        Self { name, registry, log, failure: Arc::default(), tree }
    }

    /// Makes the next end of this actor count as [`ExitReason::Failed`] with this reason.
    ///
    /// The actor calls `ctx.stop()` itself afterwards. The first reason stays.
    pub fn fail(&self, reason: impl Into<String>) {
        // A second failure on the way down is a consequence of the first.
        let _ = self.failure.set(reason.into());
    }

    pub(crate) fn tree(&self) -> &Arc<Tree> {
        &self.tree
    }
}

/// What all links of one tree share.
pub(crate) struct Tree {
    /// Without `component`, so that each link adds exactly one.
    log: Logger,
    observer: Option<Arc<dyn Observer>>,
    /// How many actors live; the root waits for zero.
    living: watch::Sender<usize>,
    /// Children that had to be killed; `None` before the tree is being stopped, when nobody collects them.
    overdue: Mutex<Option<Vec<Name>>>,
}

impl Tree {
    /// Tells the observer of an end, unless it was in order.
    pub(crate) fn observe_end(&self, name: &Name, reason: &ExitReason, next: Next) {
        if let Some(observer) = self.observer.as_ref().filter(|_| reason.is_abnormal()) {
            observer.ended(name, reason, next);
        }
    }

    /// Tells the observer of a start that is not the first.
    pub(crate) fn observe_restart(&self, name: &Name, restarts: u64) {
        if let Some(observer) = &self.observer {
            observer.restarted(name, restarts);
        }
    }

    /// Begins to record children that have to be killed.
    pub(crate) fn collect_overdue(&self) {
        self.lock_overdue().get_or_insert_default();
    }

    /// Records that a child had to be killed because it had not ended in time.
    pub(crate) fn add_overdue(&self, name: &Name) {
        if let Some(overdue) = &mut *self.lock_overdue() {
            overdue.push(name.clone());
        }
    }

    /// Returns the recorded children by name, each once.
    pub(crate) fn take_overdue(&self) -> Vec<Name> {
        let mut overdue = self.lock_overdue().take().unwrap_or_default();
        overdue.sort();
        overdue.dedup();
        overdue
    }

    fn lock_overdue(&self) -> MutexGuard<'_, Option<Vec<Name>>> {
        self.overdue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no actor of the tree lives.
    pub(crate) async fn wait_until_empty(&self) {
        let mut living = self.living.subscribe();
        living.wait_for(|&living| living == 0).await.expect("the sender is borrowed from self");
    }
}

/// What to do with the reason when a child has ended.
pub(crate) type OnEnd = Box<dyn FnOnce(ExitReason) + Send>;

/// Holds on to a running actor; dropping it kills the actor.
pub(crate) struct RunningChild {
    task: AbortHandle,
    address: Recipient<Stop>,
}

impl RunningChild {
    /// Sends [`Stop`].
    pub(crate) fn stop(&self) {
        // `do_send` because it passes by the bound of the mailbox: a busy child must be stoppable too, and this is
        // sent once. A closed mailbox is no loss, its end is on the way to us.
        self.address.do_send(Stop);
    }

    /// Drops the actor without asking it, as soon as the runtime gets to it.
    pub(crate) fn kill(&self) {
        self.task.abort();
    }
}

impl Drop for RunningChild {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts an actor made by `factory`, registers its address, and calls `on_end` when it has ended.
pub(crate) fn start<A: Worker>(
    link: ChildLink,
    factory: Arc<dyn Fn(ChildLink) -> A + Send + Sync>,
    on_end: OnEnd,
) -> RunningChild {
    let context = Context::new();
    let address = actix::AsyncContext::address(&context);
    link.registry.register(&link.name, address.clone());
    let end = End::new(link.tree.clone(), on_end);
    let task = actix_rt::spawn(live(end, context, link, factory)).abort_handle();
    RunningChild { task, address: address.recipient() }
}

/// Lives an actor's life, from factory to last breath.
async fn live<A: Worker>(
    // First, because it is to be dropped last: whoever hears of the end may rely on the actor being gone.
    mut end: End,
    context: Context<A>,
    link: ChildLink,
    factory: Arc<dyn Fn(ChildLink) -> A + Send + Sync>,
) {
    let name = link.name.clone();
    let failure = link.failure.clone();
    // A context that is dropped when nobody holds its address does not run `stopped`.
    let _address = actix::AsyncContext::address(&context);
    let outcome = match panics::catch(&name, || factory(link)) {
        Ok(actor) => {
            let mut life = context.into_future(actor);
            let outcome = panics::catch_future(&name, &mut life).await;
            // Runs `stopped` if there was a panic; a panic in there comes too late to be the reason.
            let _ = panics::catch(&name, || drop(life));
            outcome
        }
        Err(message) => Err(message),
    };
    end.reason = match (outcome, failure.get()) {
        (Err(message), _) => ExitReason::panicked(&message),
        (Ok(()), Some(reason)) => ExitReason::failed(reason),
        (Ok(()), None) => ExitReason::Normal,
    };
}

/// Reports the end of an actor when dropped, whichever way the task comes to its end.
struct End {
    /// [`ExitReason::Killed`] until the task comes to its own end: an aborted task only drops.
    reason: ExitReason,
    tree: Arc<Tree>,
    report: Option<OnEnd>,
}

impl End {
    fn new(tree: Arc<Tree>, on_end: OnEnd) -> Self {
        tree.living.send_modify(|living| *living += 1);
        Self { reason: ExitReason::Killed, tree, report: Some(on_end) }
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if let Some(report) = self.report.take() {
            report(self.reason.clone());
        }
        self.tree.living.send_modify(|living| *living -= 1);
    }
}
