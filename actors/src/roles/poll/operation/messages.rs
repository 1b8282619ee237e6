//! What a poll operation's actor can be asked.

use std::sync::Arc;

use actix::Message;
use thiserror::Error;
use uuid::Uuid;

pub use super::description::Description;
use super::state::{CannotPause, Progress, StartAnswer};
use lvmwarden_protocol::poll::StartRequest;

/// Asks that an LV be polled; answered when the request is durable.
///
/// `None` means that the actor ended before that; the question may be repeated, and finds the actor's successor.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Option<StartAnswer>")]
pub struct StartPolling {
    /// What is asked.
    pub request: Arc<StartRequest>,
    /// Names the operation, should it be new, and makes a repeated request known as such.
    pub op: Uuid,
    /// The user who asks, where the connection tells.
    pub uid: Option<u32>,
}

/// Asks how far the operation is; a result is handed out once, and the operation is over with that.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Progress")]
pub struct CollectProgress;

/// Asks what there is to know; `None` when there is nothing.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Option<Box<Description>>")]
pub struct Describe;

/// Tells that the pvmove is being aborted, by an operation of its own.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct AbortAsked;

/// Asks that the operation of this name waits at the end of a segment, or not any more; answered when that is durable.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<(), PauseError>")]
pub struct Pause {
    /// The operation's name.
    pub op: Uuid,
    /// Whether it shall wait.
    pub is_paused: bool,
}

/// Why an operation is not paused, or goes on being so.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PauseError {
    /// It cannot be.
    #[error(transparent)]
    Impossible(#[from] CannotPause),
    /// There is no such operation any more.
    #[error("it is over")]
    Gone,
    /// It could not be written down.
    #[error("cannot record it: {0}")]
    NotStored(String),
}
