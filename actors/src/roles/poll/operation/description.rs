//! What there is to know of one operation at one moment, for every door.

use std::time::Duration;

use jiff::Timestamp;
use lvmwarden_protocol::api::poll::OperationState;
use lvmwarden_protocol::ids::OperationId;
use lvmwarden_protocol::poll::StartRequest;
use uuid::Uuid;

use super::conclusion::Ending;
use super::op_names::begun_at;
use super::pace::{CopyProgress, Known};
use super::state::{Operation, Phase, State};
use super::stuck::Stuck;
use super::turns::Hold;

/// What there is to know of an operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// Its identity among those of its time.
    pub id: OperationId,
    /// Its name, for ever.
    pub op: Uuid,
    /// What was asked.
    pub request: StartRequest,
    /// The user who asked, where the connection told.
    pub uid: Option<u32>,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// How far it is.
    pub state: OperationState,
    /// Its latest child; it may have ended.
    pub pid: Option<u32>,
    /// How many times lvpoll was started, the running one included.
    pub attempt: u32,
    /// How many requests asked for it, the first included.
    pub init_requests: u32,
    /// How much is done, 0 to 100: as the kernel shows it, or as lvpoll said last; `None` before either.
    pub percent: Option<f64>,
    /// How far the kernel is, where the daemon looks at it.
    pub copy: Option<CopyProgress>,
    /// How long its child may write nothing before it is called silent.
    pub silence_limit: Duration,
    /// Its child has written nothing for longer than that.
    pub silent: bool,
    /// Its child waits in the kernel, and has for long.
    pub stuck: Option<Stuck>,
    /// It is to wait at the end of a segment.
    pub is_paused: bool,
    /// Why it waits at the end of a segment, if it does.
    pub hold: Option<Hold>,
    /// How it ended, if it has.
    pub ending: Option<Ending>,
}

impl Description {
    /// Describes an operation; `None` when there is nothing to describe.
    pub(super) fn of(
        id: &OperationId,
        operation: &Operation,
        known: &Known,
        ending: Option<&Ending>,
    ) -> Option<Self> {
        let (job, state, silent, ending) = match operation.state() {
            State::Active { job, phase } => {
                (job, state_of(phase), matches!(phase, Phase::Running { silent: true, .. }), None)
            }
            State::Ended { job, .. } => (job, OperationState::Ended, false, ending.cloned()),
            State::Vacant | State::Collecting { .. } | State::Leaving => return None,
        };
        Some(Self {
            id: id.clone(),
            op: job.op,
            request: job.request.clone(),
            uid: job.uid,
            started_at: begun_at(job.op),
            state,
            pid: job.pid,
            attempt: job.attempt,
            init_requests: operation.init_requests(),
            percent: known.percent(),
            copy: known.copy(),
            silence_limit: job.silence_limit(),
            silent,
            stuck: None,
            is_paused: job.is_paused && ending.is_none(),
            hold: hold_of(operation),
            ending,
        })
    }

    /// Returns the description of the same operation after its end.
    #[must_use]
    pub(super) fn ended(self, ending: Ending) -> Self {
        Self {
            state: OperationState::Ended,
            silent: false,
            stuck: None,
            is_paused: false,
            hold: None,
            ending: Some(ending),
            ..self
        }
    }
}

fn hold_of(operation: &Operation) -> Option<Hold> {
    match operation.state() {
        State::Active { phase: Phase::Watching { hold, .. }, .. } => *hold,
        _not_between_segments => None,
    }
}

fn state_of(phase: &Phase) -> OperationState {
    match phase {
        Phase::Intending => OperationState::Intended,
        Phase::Spawning { .. } => OperationState::Starting,
        Phase::Adopting { .. } => OperationState::Adopting,
        Phase::Running { .. } => OperationState::Running,
        Phase::Watching { hold: Some(_), .. } => OperationState::Held,
        Phase::Watching { .. } | Phase::Relieving { .. } => OperationState::Copying,
        Phase::Judging | Phase::Seeking => OperationState::Judging,
        Phase::BackingOff { .. } => OperationState::BackingOff,
        Phase::Storing { .. } => OperationState::Storing,
        Phase::Terminating => OperationState::Terminating,
    }
}
