//! What the actor of a lockspace can be asked and told.

use actix::Message;

use super::ask::{Asked, ClientId, Reply, Ticket};
use super::picture::LockspacePicture;
use crate::roles::lock::gauges::LockspaceCount;

/// A client's request; answered when it is done, however long that takes.
#[derive(Debug, Clone, Message)]
#[rtype(result = "Reply")]
pub struct AskLockspace(pub Asked);

/// Tells that a connection was closed: its locks and requests are nobody's any more.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct ClientLeft(pub ClientId);

/// Tells that a reply could not be delivered.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Undelivered(pub Ticket);

/// Asks what there is to know about the lockspace.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Box<LockspacePicture>")]
pub struct Describe;

/// Asks how the lockspace stands, in numbers: what there is to know may be much.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Box<LockspaceCount>")]
pub struct Count;

/// Tells whether more than one VG has an enabled global lock.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct DuplicateGlobals(pub bool);
