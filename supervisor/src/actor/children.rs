//! The children of one supervisor: found by id, ordered by start.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
    sync::Arc,
};

use tokio::{sync::oneshot, task::AbortHandle};

use crate::{
    actor_child::RunningChild,
    child_spec::ChildSpec,
    exit_reason::ExitReason,
    name::Name,
    restart::{Position, RestartHistory, RestartStreak},
    tree::{NodeState, TreeNode},
};

/// One child: what it is to be, and what it is now.
pub(super) struct Child {
    pub(super) spec: ChildSpec,
    pub(super) name: Name,
    /// Added by `StartChild`; forgotten when it ends for good.
    pub(super) dynamic: bool,
    pub(super) state: State,
    pub(super) starts: u64,
    pub(super) last_exit: Option<ExitReason>,
    /// Restarts counted for this child alone; unused if the supervisor counts for all.
    pub(super) history: RestartHistory,
    pub(super) streak: RestartStreak,
}

pub(super) enum State {
    /// It will be started when the timer, shared by all that start together, has run down.
    Waiting {
        generation: u64,
        _timer: Rc<Timer>,
    },
    Running(Life),
    Stopping(Ending),
    Ended,
    GivenUp,
}

/// One instance of a child.
pub(super) struct Life {
    /// Tells this instance from those before it, so that what is late for them does not hit it.
    pub(super) generation: u64,
    pub(super) task: RunningChild,
}

/// An instance on its way down.
pub(super) struct Ending {
    pub(super) life: Life,
    /// Runs until the child is killed.
    pub(super) _deadline: Option<Timer>,
    /// Whether it is started again when it has ended.
    pub(super) start_again: bool,
    /// Those who asked for the end.
    pub(super) askers: Vec<oneshot::Sender<ExitReason>>,
}

/// A message to come; dropping this calls it off, but for one already in the mailbox.
pub(super) struct Timer(pub(super) AbortHandle);

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Child {
    fn new(spec: ChildSpec, name: Name, dynamic: bool) -> Self {
        Self {
            spec,
            name,
            dynamic,
            state: State::Ended,
            starts: 0,
            last_exit: None,
            history: RestartHistory::default(),
            streak: RestartStreak::default(),
        }
    }

    /// Returns the instance that `generation` belongs to, if it is the one that lives now.
    pub(super) fn life(&self, generation: u64) -> Option<&Life> {
        match &self.state {
            State::Running(life) | State::Stopping(Ending { life, .. }) => Some(life),
            State::Waiting { .. } | State::Ended | State::GivenUp => None,
        }
        .filter(|life| life.generation == generation)
    }

    /// Returns a picture of the child alone.
    pub(super) fn snapshot(&self) -> TreeNode {
        let state = match self.state {
            State::Waiting { .. } => NodeState::Restarting,
            State::Running(_) => NodeState::Running,
            State::Stopping(_) => NodeState::Stopping,
            State::Ended => NodeState::Ended,
            State::GivenUp => NodeState::GivenUp,
        };
        TreeNode {
            name: self.name.clone(),
            kind: self.spec.kind,
            state,
            restarts: self.starts.saturating_sub(1),
            last_exit: self.last_exit.clone(),
            children: Vec::new(),
        }
    }
}

/// All children; finding, adding and removing one takes logarithmic time.
#[derive(Default)]
pub(super) struct Children {
    by_position: BTreeMap<Position, Child>,
    positions: HashMap<Arc<str>, Position>,
    next: Position,
}

impl Children {
    /// Adds a child after all others; one of the same id is forgotten.
    pub(super) fn add(&mut self, spec: ChildSpec, name: Name, dynamic: bool) -> Position {
        let position = self.next;
        self.next += 1;
        if let Some(earlier) = self.positions.insert(spec.id.clone(), position) {
            self.by_position.remove(&earlier);
        }
        self.by_position.insert(position, Child::new(spec, name, dynamic));
        position
    }

    pub(super) fn remove(&mut self, position: Position) {
        if let Some(child) = self.by_position.remove(&position) {
            self.positions.remove(&child.spec.id);
        }
    }

    pub(super) fn find(&self, id: &str) -> Option<Position> {
        self.positions.get(id).copied()
    }

    pub(super) fn get(&self, position: Position) -> Option<&Child> {
        self.by_position.get(&position)
    }

    pub(super) fn get_mut(&mut self, position: Position) -> Option<&mut Child> {
        self.by_position.get_mut(&position)
    }

    /// Iterates in the order of starts.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (Position, &Child)> + Clone {
        self.by_position.iter().map(|(&position, child)| (position, child))
    }
}
