//! Finds the actor of a poll operation, or starts it: what sessions call.
//!
//! An actor may end, or be restarted after a panic, while it is asked; the question is then asked again, of its
//! successor, until [`DEADLINE`].

use std::sync::Arc;
use std::time::Duration;

use lvmwarden_supervisor::{
    AskError, ChildSpec, Name, Registry, RestartType, Shutdown, StartChild, StartChildError, Supervisor,
};
use tokio::time::{Instant, sleep};

use super::actor::OperationActor;
use super::messages::{CollectProgress, Describe, Description, StartPolling};
use super::op_names::OpNames;
use super::state::{Progress, StartAnswer};
use crate::environment::PollEnvironment;
use crate::journal;
use crate::names;
use lvmwarden_protocol::ids::{OperationId, Store};
use lvmwarden_protocol::poll::StartRequest;

/// The longest that a question about an operation takes: that of the journal, and some time for restarts.
pub const DEADLINE: Duration = journal::DEADLINE.saturating_add(Duration::from_secs(5));
/// The wait before an actor that is about to end is looked for again.
const SUCCESSOR_DELAY: Duration = Duration::from_millis(10);
/// How long an operation may take to end in an orderly stop before its child is left running.
const STOP_DEADLINE: Duration = Duration::from_millis(1500);

/// The way to every poll operation of a daemon.
#[derive(Clone)]
pub struct Directory {
    registry: Registry,
    environment: Arc<PollEnvironment>,
    op_names: OpNames,
}

impl Directory {
    /// Makes the directory of the operations below [`names::OPERATIONS`].
    pub fn new(registry: Registry, environment: Arc<PollEnvironment>) -> Self {
        Self { registry, environment, op_names: OpNames::new() }
    }

    /// Has an LV polled; returns when the request is durable, or refused.
    pub async fn start(&self, request: StartRequest) -> StartAnswer {
        let id = request.id();
        let message = StartPolling { request: Arc::new(request), op: self.op_names.next() };
        let deadline = Instant::now() + DEADLINE;
        while Instant::now() < deadline {
            match self.registry.ask::<OperationActor, _>(&name_of(&id), message.clone(), DEADLINE).await {
                Ok(Some(StartAnswer::Leaving) | None) => sleep(SUCCESSOR_DELAY).await,
                Ok(Some(answer)) => return answer,
                Err(AskError::Unknown(_) | AskError::GivenUp { .. }) => {
                    if let Err(reason) = self.start_actor(&id).await {
                        return StartAnswer::Failed { reason };
                    }
                }
                Err(AskError::Died { .. } | AskError::TimedOut { .. }) => break,
            }
        }
        StartAnswer::Failed { reason: "the poll operation does not answer".to_owned() }
    }

    /// Starts the actor of `id`, unless it is there.
    ///
    /// # Errors
    /// The reason for the client, when the daemon is shutting down or does not answer.
    pub async fn start_actor(&self, id: &OperationId) -> Result<(), String> {
        let start = StartChild(spec(id.clone(), Arc::clone(&self.environment)));
        match self.registry.ask::<Supervisor, _>(&names::OPERATIONS, start, DEADLINE).await {
            Ok(Ok(_) | Err(StartChildError::AlreadyStarted(_))) => Ok(()),
            Ok(Err(refused)) => Err(refused.to_string()),
            Err(unreachable) => Err(unreachable.to_string()),
        }
    }

    /// Tells how far an operation is, and hands its result out if it is over.
    ///
    /// # Errors
    /// The reason, when the operation's actor was given up or does not answer.
    pub async fn collect(&self, id: &OperationId) -> Result<Progress, AskError> {
        match self.registry.ask::<OperationActor, _>(&name_of(id), CollectProgress, DEADLINE).await {
            Err(AskError::Unknown(_)) => Ok(Progress::NotFound),
            answer => answer,
        }
    }

    /// Describes every operation, ordered by store and id.
    ///
    /// An operation that ends meanwhile is left out.
    pub async fn describe(&self) -> Vec<Description> {
        let mut all = Vec::new();
        for name in self.registry.names_under(&names::OPERATIONS) {
            if let Ok(Some(description)) =
                self.registry.ask::<OperationActor, _>(&name, Describe, DEADLINE).await
            {
                all.push(*description);
            }
        }
        all.sort_by(|one, other| one.id.cmp(&other.id));
        all
    }
}

fn name_of(id: &OperationId) -> Name {
    names::OPERATIONS.child(&child_id(id))
}

/// Returns what the operation is called among its siblings; `id` as it is displayed, in less time.
fn child_id(id: &OperationId) -> String {
    let store = match id.store() {
        Store::Poll => "poll:",
        Store::Abort => "abort:",
    };
    [store, id.as_str()].concat()
}

/// Transient: an operation that has ended in order is over; one that crashed goes on from the journal.
fn spec(id: OperationId, environment: Arc<PollEnvironment>) -> ChildSpec {
    ChildSpec::worker(child_id(&id), move |link| {
        OperationActor::new(id.clone(), Arc::clone(&environment), link)
    })
    .restart(RestartType::Transient)
    .shutdown(Shutdown::Deadline(STOP_DEADLINE))
}
