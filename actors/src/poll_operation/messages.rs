//! What a poll operation's actor can be asked.
//!
use std::sync::Arc;
use std::time::Duration;

use actix::Message;
use uuid::Uuid;

use super::outcome::Outcome;
use super::state::{Progress, StartAnswer};
use lvmwarden_protocol::ids::OperationId;
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
}

/// Asks how far the operation is; a result is handed out once, and the operation is over with that.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Progress")]
pub struct CollectProgress;

/// Asks what there is to know; `None` when there is nothing.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Option<Box<Description>>")]
pub struct Describe;

/// What there is to know of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Its identity.
    pub id: OperationId,
    /// What was asked.
    pub request: StartRequest,
    /// How long its child may write nothing before it is called silent.
    pub silence_limit: Duration,
    /// Its latest child.
    pub pid: Option<u32>,
    /// How many requests asked for it.
    pub init_requests: u32,
    /// How it ended, if it has.
    pub outcome: Option<Outcome>,
}
