//! Finds the actor of a poll operation, or starts it: what sessions call.
//!
//! An actor may end, or be restarted after a panic, while it is asked; the question is then asked again, of its
//! successor, until [`DEADLINE`].

use std::sync::Arc;
use std::time::Duration;

use lvmwarden_supervisor::{
    AskError, ChildSpec, Name, Registry, RestartType, Shutdown, StartChild, StartChildError, Supervisor,
};
use thiserror::Error;
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

use super::actor::OperationActor;
use super::conclusion::Ending;
use super::messages::{AbortAsked, CollectProgress, Describe, Description, Pause, PauseError, StartPolling};
use super::op_names::OpNames;
use super::state::{Progress, StartAnswer};
use crate::foundation::facts::occurrence::Occurrence;
use crate::foundation::names;
use crate::foundation::store::journal;
use crate::foundation::store::ledger::PollLedger;
use crate::roles::poll::environment::PollEnvironment;
use lvmwarden_protocol::ids::{OperationId, Store};
use lvmwarden_protocol::poll::StartRequest;

/// The longest that a question about an operation takes: that of the journal, and some time for restarts.
pub const DEADLINE: Duration = journal::DEADLINE.saturating_add(Duration::from_secs(5));
/// The wait before an actor that is about to end is looked for again.
const SUCCESSOR_DELAY: Duration = Duration::from_millis(10);
/// How long an operation may take to end in an orderly stop before its child is left running.
const STOP_DEADLINE: Duration = Duration::from_millis(1500);

/// A question about operations that nobody can answer now.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("get an answer: {0}")]
pub struct Unanswered(String);

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

    /// Has an LV polled for the user `uid`, where that is known; returns when the request is durable, or refused.
    pub async fn start(&self, request: StartRequest, uid: Option<u32>) -> StartAnswer {
        let id = request.id();
        let aborted = request.abort.then(|| request.aborted_id());
        let message = StartPolling { request: Arc::new(request), op: self.op_names.next(), uid };
        let deadline = Instant::now() + DEADLINE;
        while Instant::now() < deadline {
            match self.registry.ask::<OperationActor, _>(&name_of(&id), message.clone(), DEADLINE).await {
                Ok(Some(StartAnswer::Leaving) | None) => sleep(SUCCESSOR_DELAY).await,
                Ok(Some(answer)) => {
                    if let Some(aborted) = aborted {
                        // A pvmove that nobody polls needs not know.
                        let _ = self
                            .registry
                            .ask::<OperationActor, _>(&name_of(&aborted), AbortAsked, DEADLINE)
                            .await;
                    }
                    return answer;
                }
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

    /// Has an operation wait at the end of a segment, or not any more; returns its description when that is durable.
    ///
    /// # Errors
    /// [`PauseError`] when it cannot be, or is over.
    pub async fn pause(&self, op: Uuid, is_paused: bool) -> Result<Description, PauseError> {
        let unanswered = |error: Unanswered| PauseError::NotStored(error.to_string());
        let known = self.find(op).await.map_err(unanswered)?.ok_or(PauseError::Gone)?;
        let message = Pause { op, is_paused };
        let asked = self.registry.ask::<OperationActor, _>(&name_of(&known.id), message, DEADLINE).await;
        asked.map_err(|error| PauseError::NotStored(error.to_string()))??;
        self.find(op).await.map_err(unanswered)?.ok_or(PauseError::Gone)
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
        self.describe_each(|description| all.push(description)).await;
        all.sort_by(|one, other| one.id.cmp(&other.id));
        all
    }

    /// Describes every operation, in no order, one after the other.
    ///
    /// An operation that ends meanwhile is left out.
    pub async fn describe_each(&self, mut told: impl FnMut(Description)) {
        for name in self.registry.names_under(&names::OPERATIONS) {
            if let Ok(Some(description)) =
                self.registry.ask::<OperationActor, _>(&name, Describe, DEADLINE).await
            {
                told(*description);
            }
        }
    }

    /// Describes the operations behind one (`None`: from the first), in the order of their names, which is that of their
    /// age: at most `at_most`.
    ///
    /// An operation that ends meanwhile is left out.
    ///
    /// # Errors
    /// [`Unanswered`] when nobody can tell which there are.
    pub async fn describe_after(
        &self,
        after: Option<Uuid>,
        at_most: usize,
    ) -> Result<Vec<Description>, Unanswered> {
        let known = move |ledger: &PollLedger| {
            let behind = ledger.operations().filter(|known| after.is_none_or(|after| known.op > after));
            let mut behind: Vec<_> = behind.collect();
            behind.sort_unstable_by_key(|known| known.op);
            behind.truncate(at_most);
            behind.into_iter().map(|known| (known.op, known.request.id())).collect::<Vec<_>>()
        };
        let mut described = Vec::new();
        for (op, id) in journal::read(&self.registry, known).await.map_err(Unanswered)? {
            let asked = self.registry.ask::<OperationActor, _>(&name_of(&id), Describe, DEADLINE).await;
            described.extend(asked.ok().flatten().map(|found| *found).filter(|found| found.op == op));
        }
        Ok(described)
    }

    /// Describes the operation of this name; `None` when it is not known, or not any more.
    ///
    /// # Errors
    /// [`Unanswered`] when nobody can tell.
    pub async fn find(&self, op: Uuid) -> Result<Option<Description>, Unanswered> {
        let known = move |ledger: &PollLedger| ledger.find(op).map(|known| known.request.id());
        let Some(id) = journal::read(&self.registry, known).await.map_err(Unanswered)? else {
            return Ok(None);
        };
        match self.registry.ask::<OperationActor, _>(&name_of(&id), Describe, DEADLINE).await {
            Ok(description) => Ok(description.map(|found| *found).filter(|found| found.op == op)),
            Err(AskError::Unknown(_)) => Ok(None),
            Err(error) => Err(Unanswered(error.to_string())),
        }
    }

    /// Describes the operation of this name as soon as it has ended, or when the time has come.
    ///
    /// The end is seen also where another client takes the result at once. `None` when the operation is not known.
    ///
    /// # Errors
    /// [`Unanswered`] when nobody can tell.
    ///
    /// # Cancel safety
    /// Cancel-safe: nothing is taken from anybody.
    pub async fn wait(&self, op: Uuid, deadline: Option<Instant>) -> Result<Option<Description>, Unanswered> {
        let events = &self.environment.events;
        let mut last: Option<Description> = None;
        loop {
            // Taken first: what happens while the operation describes itself is behind it.
            let position = events.position();
            let Some(description) = self.find(op).await? else {
                return match last {
                    Some(going_on) if going_on.ending.is_none() => {
                        Ok(self.end_of(op).await?.map(|ending| going_on.ended(ending)))
                    }
                    ended_or_unknown => Ok(ended_or_unknown),
                };
            };
            if description.ending.is_some() {
                return Ok(Some(description));
            }
            let over = events.next_after(position, |occurrence| is_over(occurrence, op));
            let over = match deadline {
                None => over.await,
                Some(deadline) => match timeout_at(deadline, over).await {
                    Ok(over) => over,
                    Err(_too_late) => return Ok(Some(description)),
                },
            };
            last = Some(match over {
                Some(Occurrence::PollEnded { ending, .. }) => description.ended(ending),
                _forgotten_or_not_seen => description,
            });
        }
    }

    /// Returns how an operation has ended, also where its result was collected; `None` when it has not, or too long ago.
    ///
    /// # Errors
    /// [`Unanswered`] when the journal cannot be read.
    pub async fn end_of(&self, op: Uuid) -> Result<Option<Ending>, Unanswered> {
        let end = move |ledger: &PollLedger| ledger.end_of(op).cloned();
        journal::read(&self.registry, end).await.map_err(Unanswered)
    }
}

/// Returns whether the operation has ended, or is forgotten without an end.
fn is_over(occurrence: &Occurrence, wanted: Uuid) -> bool {
    match occurrence {
        Occurrence::PollEnded { op, .. } | Occurrence::PollForgotten { op } => op.op == wanted,
        _something_else => false,
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
