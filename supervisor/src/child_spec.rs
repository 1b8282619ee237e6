//! What a supervisor is told about its children, before any of them lives.
//!
//! A spec is data and may be cloned, kept and used again: each start makes a fresh actor from the factory, and never
//! reuses one that ended.

use std::{fmt, sync::Arc, time::Duration};

use actix::{Actor, Context, Handler, Message};
use serde::{Deserialize, Serialize};

use crate::{
    actor::Supervisor,
    actor_child::{self, ChildLink, OnEnd, RunningChild},
    name::Name,
    restart::{Backoff, Intensity, OnExceeded, RestartPolicy, RestartType, Strategy},
};

/// Asks an actor to end in order.
///
/// The actor finishes or abandons what it is doing and calls `ctx.stop()`, at once or later. Its supervisor waits
/// for its end, not for the reply.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "()")]
pub struct Stop;

/// What an actor needs to be a child: a plain actix context and an answer to [`Stop`].
///
/// It must not return `Running::Continue` from `stopping`: what asked it to stop would not be heard.
pub trait Worker: Actor<Context = Context<Self>> + Handler<Stop> {}

impl<A: Actor<Context = Context<A>> + Handler<Stop>> Worker for A {}

/// Says how a child is brought to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// It is dropped at once, without being asked.
    Brutal,
    /// It is sent [`Stop`], and dropped if it has not ended after this time.
    Deadline(Duration),
    /// It is sent [`Stop`] and waited for without bound. For supervisors, whose own children are bounded.
    Infinity,
}

/// Says whether a child does the work or watches over those who do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildKind {
    /// An actor of the domain.
    Worker,
    /// A [`Supervisor`].
    Supervisor,
}

type Start = dyn Fn(ChildLink, OnEnd) -> RunningChild + Send + Sync;

/// Describes one child: how it is made, when it is restarted, how it is stopped.
#[derive(Clone)]
pub struct ChildSpec {
    pub(crate) id: Arc<str>,
    pub(crate) kind: ChildKind,
    pub(crate) restart: RestartType,
    pub(crate) shutdown: Shutdown,
    start: Arc<Start>,
    /// Names, relative to this child, of everything that a start of it is sure to start as well; parents first.
    descendants: Arc<[Vec<Arc<str>>]>,
}

impl ChildSpec {
    /// Describes a worker, made anew by `factory` for each start. It is permanent and has 5 s to stop.
    ///
    /// `factory` runs on the way to the actor's `started`, on its own task: it may panic like any other code
    /// of the actor, and must be as quick.
    pub fn worker<A: Worker>(
        id: impl Into<String>,
        factory: impl Fn(ChildLink) -> A + Send + Sync + 'static,
    ) -> Self {
        let factory = Arc::new(factory);
        Self {
            id: id.into().into(),
            kind: ChildKind::Worker,
            restart: RestartType::Permanent,
            shutdown: Shutdown::Deadline(Duration::from_secs(5)),
            start: Arc::new(move |link, on_end| actor_child::start(link, factory.clone(), on_end)),
            descendants: Arc::new([]),
        }
    }

    /// Describes a supervisor below this one. It is permanent and has all the time it needs to stop.
    pub fn supervisor(id: impl Into<String>, spec: SupervisorSpec) -> Self {
        let descendants = spec.children.iter().flat_map(ChildSpec::paths).collect();
        let factory = Arc::new(move |link| Supervisor::new(spec.clone(), link));
        Self {
            id: id.into().into(),
            kind: ChildKind::Supervisor,
            restart: RestartType::Permanent,
            shutdown: Shutdown::Infinity,
            start: Arc::new(move |link, on_end| actor_child::start(link, factory.clone(), on_end)),
            descendants,
        }
    }

    /// Sets after which ends it is restarted.
    #[must_use]
    pub fn restart(mut self, restart: RestartType) -> Self {
        self.restart = restart;
        self
    }

    /// Sets how it is stopped.
    #[must_use]
    pub fn shutdown(mut self, shutdown: Shutdown) -> Self {
        self.shutdown = shutdown;
        self
    }

    /// Starts the actor and registers its address.
    pub(crate) fn start(&self, link: ChildLink, on_end: OnEnd) -> RunningChild {
        (self.start)(link, on_end)
    }

    /// Returns the names of the child and of all that its start is sure to start, if the child is called `name`.
    pub(crate) fn names(&self, name: &Name) -> Vec<Name> {
        let below =
            self.descendants.iter().map(|path| path.iter().fold(name.clone(), |name, id| name.child(id)));
        std::iter::once(name.clone()).chain(below).collect()
    }

    /// Returns the paths of this child and its descendants, relative to its parent.
    fn paths(&self) -> Vec<Vec<Arc<str>>> {
        let below = self.descendants.iter().map(|path| [std::slice::from_ref(&self.id), path].concat());
        std::iter::once(vec![self.id.clone()]).chain(below).collect()
    }
}

impl fmt::Debug for ChildSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, kind, restart, shutdown, .. } = self;
        write!(f, "ChildSpec {{ {id}, {kind:?}, {restart:?}, {shutdown:?} }}")
    }
}

/// Describes a supervisor: its policy, and the children it starts by itself, in the order of their start.
#[derive(Clone, Debug)]
pub struct SupervisorSpec {
    /// When and how children are restarted.
    pub policy: RestartPolicy,
    pub(crate) children: Vec<ChildSpec>,
}

impl SupervisorSpec {
    /// Describes a supervisor without children that escalates after 5 restarts within 60 s.
    ///
    /// The first restart in a row is at once, the following wait from 100 ms up to 5 s, and 60 s of quiet begin
    /// a new row: six deaths on the heels of one another are over in two seconds and are then the parent's concern.
    pub fn new(strategy: Strategy) -> Self {
        let policy = RestartPolicy {
            strategy,
            intensity: Intensity { restarts: 5, period: Duration::from_mins(1) },
            on_exceeded: OnExceeded::Escalate,
            backoff: Backoff {
                first: Duration::ZERO,
                max: Duration::from_secs(5),
                quiet_period: Duration::from_mins(1),
            },
        };
        Self { policy, children: Vec::new() }
    }

    /// Sets how many restarts are allowed within which period.
    #[must_use]
    pub fn intensity(mut self, restarts: u32, period: Duration) -> Self {
        self.policy.intensity = Intensity { restarts, period };
        self
    }

    /// Sets what happens beyond that.
    #[must_use]
    pub fn on_exceeded(mut self, on_exceeded: OnExceeded) -> Self {
        self.policy.on_exceeded = on_exceeded;
        self
    }

    /// Sets how restarts are spaced.
    #[must_use]
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.policy.backoff = backoff;
        self
    }

    /// Adds a child after those already there.
    ///
    /// # Panics
    /// If there is a child of that id already.
    #[must_use]
    pub fn child(mut self, child: ChildSpec) -> Self {
        assert!(
            self.children.iter().all(|sibling| sibling.id != child.id),
            "two siblings called {}",
            child.id
        );
        self.children.push(child);
        self
    }
}
