//! Tells somebody outside the tree how its actors fare, for metrics and for people who watch.
//!
//! What is told is what the log says as well; an observer decides nothing. It is called by supervisors, in the middle of
//! their work: it must neither wait nor panic.

use crate::{exit_reason::ExitReason, name::Name, restart::Decision};

/// Is told how the actors of a tree fare.
pub trait Observer: Send + Sync {
    /// An actor ended otherwise than in order: it panicked, failed, or had to be killed.
    fn ended(&self, name: &Name, reason: &ExitReason, next: Next);

    /// An actor is started again, for the `restarts`-th time since its supervisor started it first.
    fn restarted(&self, name: &Name, restarts: u64);
}

/// What a supervisor does about an actor that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: it is not to be restarted, or it was being stopped.
    Nothing,
    /// It starts the actor again, at once or after a delay.
    Restart,
    /// It gives the actor up, and its siblings live on.
    GiveUp,
    /// It stops all its children and ends as failed itself.
    Escalate,
}

impl Next {
    /// Returns it in a few words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Restart => "restart",
            Self::GiveUp => "give up",
            Self::Escalate => "escalate",
        }
    }
}

impl From<&Decision> for Next {
    fn from(decision: &Decision) -> Self {
        match decision {
            Decision::Forget => Self::Nothing,
            Decision::Restart { .. } => Self::Restart,
            Decision::GiveUp { .. } => Self::GiveUp,
            Decision::Escalate { .. } => Self::Escalate,
        }
    }
}
