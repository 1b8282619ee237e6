//! What a supervisor may be asked for while it lives.

use std::time::Duration;

use actix::{Context, Handler, Message, ResponseFuture};
use thiserror::Error;
use tokio::sync::oneshot;

use super::{Supervisor, children::State, sequence::Then};
use crate::{
    child_spec::{ChildKind, ChildSpec},
    exit_reason::ExitReason,
    name::Name,
    restart::{self, RestartHistory, RestartStreak, Strategy},
    tree::{NodeState, TreeNode},
};

/// How long a supervisor waits for the picture of one below it.
const SNAPSHOT_DEADLINE: Duration = Duration::from_secs(1);

/// Starts a child that the spec did not name. Asked of a [`Supervisor`].
///
/// When it returns, the child is registered: a message sent to it from now on arrives after its `started`. It comes
/// last in the order of starts. One of the same id that has ended or was given up is replaced. A transient or temporary child that has ended in order is forgotten, name and all; one
/// that was given up stays to be seen, until it is started again by this message or stopped.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Name, StartChildError>")]
pub struct StartChild(pub ChildSpec);

/// Says why [`StartChild`] did not start the child.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StartChildError {
    /// A child of that id lives, is being stopped, or waits to be restarted.
    #[error("start {0}: it is there already")]
    AlreadyStarted(Name),
    /// The supervisor is stopping its children in order to end.
    #[error("start {0}: its supervisor is shutting down")]
    ShuttingDown(Name),
}

/// Stops the child of this id and returns how it ended. Asked of a [`Supervisor`].
///
/// A dynamic or temporary child is forgotten; another stays in the tree as ended and can be started by
/// [`RestartChild`]. One that does not run is answered with how it ended before.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<ExitReason, UnknownChild>")]
pub struct StopChild(pub String);

/// Stops the child of this id if it runs, and starts it anew, without regard to restart type and intensity. Asked of a
/// [`Supervisor`].
///
/// Siblings that the strategy restarts together with it are stopped and started as well: they may rely on what it was.
/// Returns before the child has stopped. Its history begins afresh.
#[derive(Clone, Debug, Message)]
#[rtype(result = "Result<Name, RestartChildError>")]
pub struct RestartChild(pub String);

/// Says why [`RestartChild`] did not start the child.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RestartChildError {
    /// There is no such child.
    #[error("restart {0}: its supervisor has no such child")]
    Unknown(Name),
    /// The supervisor is stopping its children in order to end.
    #[error("restart {0}: its supervisor is shutting down")]
    ShuttingDown(Name),
}

/// Says that [`StopChild`] named no child.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("stop {0}: its supervisor has no such child")]
pub struct UnknownChild(pub Name);

/// Draws the supervisor and all below it. Asked of a [`Supervisor`].
///
/// Restarts and last exit of the top node are for its own supervisor to know: they are 0 and `None` here.
#[derive(Clone, Copy, Debug, Message)]
#[rtype(result = "TreeNode")]
pub struct GetTree;

impl Handler<StartChild> for Supervisor {
    type Result = Result<Name, StartChildError>;

    fn handle(&mut self, StartChild(spec): StartChild, ctx: &mut Context<Self>) -> Self::Result {
        let name = self.link.name.child(&spec.id);
        if self.is_ending() {
            return Err(StartChildError::ShuttingDown(name));
        }
        let existing = self.children.find(&spec.id).and_then(|position| self.children.get(position));
        if existing.is_some_and(|child| !matches!(child.state, State::GivenUp | State::Ended)) {
            return Err(StartChildError::AlreadyStarted(name));
        }
        let position = self.children.add(spec, name.clone(), true);
        self.start(position, ctx);
        Ok(name)
    }
}

impl Handler<StopChild> for Supervisor {
    type Result = ResponseFuture<Result<ExitReason, UnknownChild>>;

    fn handle(&mut self, StopChild(id): StopChild, ctx: &mut Context<Self>) -> Self::Result {
        let Some(position) = self.children.find(&id) else {
            let unknown = UnknownChild(self.link.name.child(&id));
            return Box::pin(async { Err(unknown) });
        };
        self.begin_stop(position, ctx);
        let child = self.children.get_mut(position).expect("it was found just now");
        let (asker, answer) = oneshot::channel();
        if let State::Stopping(ending) = &mut child.state {
            ending.start_again = false;
            ending.askers.push(asker);
        } else {
            child.state = State::Ended;
            let _ = asker.send(child.last_exit.clone().unwrap_or(ExitReason::Normal));
            self.settle(position);
        }
        // The sender is dropped unused only together with this actor and this future.
        Box::pin(async { Ok(answer.await.unwrap_or(ExitReason::Killed)) })
    }
}

impl Handler<RestartChild> for Supervisor {
    type Result = Result<Name, RestartChildError>;

    fn handle(&mut self, RestartChild(id): RestartChild, ctx: &mut Context<Self>) -> Self::Result {
        let name = self.link.name.child(&id);
        if self.is_ending() {
            return Err(RestartChildError::ShuttingDown(name));
        }
        let Some(position) = self.children.find(&id) else { return Err(RestartChildError::Unknown(name)) };
        let child = self.children.get_mut(position).expect("it was found just now");
        child.history = RestartHistory::default();
        child.streak = RestartStreak::default();
        if self.policy.strategy != Strategy::OneForOne {
            let siblings = self.children.iter().map(|(position, child)| (position, child.spec.restart));
            let (mut stop, start) = restart::plan_order(self.policy.strategy, position, siblings);
            stop.push(position);
            stop.sort_unstable_by(|one, other| other.cmp(one));
            self.begin_sequence(stop.into(), Then::Start { children: start, delay: Duration::ZERO }, ctx);
            return Ok(name);
        }
        self.begin_stop(position, ctx);
        let child = self.children.get_mut(position).expect("it was found just now");
        if let State::Stopping(ending) = &mut child.state {
            ending.start_again = true;
            self.mark_restarting(position);
        } else {
            self.start(position, ctx);
        }
        Ok(name)
    }
}

impl Handler<GetTree> for Supervisor {
    type Result = ResponseFuture<TreeNode>;

    fn handle(&mut self, _: GetTree, _: &mut Context<Self>) -> Self::Result {
        let mut node = TreeNode {
            name: self.link.name.clone(),
            kind: ChildKind::Supervisor,
            state: if self.is_ending() { NodeState::Stopping } else { NodeState::Running },
            restarts: 0,
            last_exit: None,
            children: self.children.iter().map(|(_, child)| child.snapshot()).collect(),
        };
        let registry = self.link.registry.clone();
        Box::pin(async move {
            for child in &mut node.children {
                let is_alive = matches!(child.state, NodeState::Running | NodeState::Stopping);
                if child.kind == ChildKind::Supervisor && is_alive {
                    let picture =
                        registry.ask::<Supervisor, _>(&child.name, GetTree, SNAPSHOT_DEADLINE).await;
                    // One that is busy dying is shown without its children.
                    child.children = picture.map(|picture| picture.children).unwrap_or_default();
                }
            }
            node
        })
    }
}
