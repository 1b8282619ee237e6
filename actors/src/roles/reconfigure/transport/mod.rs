//! How the members of a group hear one another: one trait, and what stands behind it.
//!
//! ```text
//!              send(bytes), never waits            ┌ single     this host alone: what is said is heard, in order
//!  the role ──────────────────────────▶ Transport ─┤ cpg        corosync
//!           ◀────────────────────────── events ────┴ …
//!              one channel, in the order of delivery
//! ```
//!
//! All members hear the same messages and the same changes of the view in the same order; a message is heard by its sender
//! as well. That `send` succeeds means nothing: a message counts when it is delivered. A transport joins its group by itself,
//! also again after a loss, and tells it.
//!
//! What a transport tells, in order:
//!
//! 1. [`TransportEvent::Joined`]: who this host is from now on, before anything else, and again after each loss.
//! 2. [`TransportEvent::ViewChanged`]: the first one has everybody who is in the group, this host included, as joined.
//! 3. [`TransportEvent::RingFormed`], [`TransportEvent::QuorumTold`] and [`TransportEvent::Delivered`], as they come.
//! 4. [`TransportEvent::Lost`]: the group and what was said in it are gone; next comes `Joined`.

pub mod cpg;
pub mod single;

use std::sync::Arc;

use lvmwarden_reconfigure::member::{Member, Ring};
use lvmwarden_reconfigure::wire::MAX_BYTES;
use thiserror::Error;
use tokio::sync::mpsc;

/// How many events may wait for the role; a transport that has a thread waits for room, another says [`SendError::Busy`].
pub const EVENTS: usize = 1024;

/// What a transport tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransportEvent {
    /// This host is in the group, as this member.
    Joined(Member),
    /// The group has changed: these have left, then these have joined.
    ViewChanged {
        /// Who has left, in no order.
        left: Vec<Member>,
        /// Who has joined, in no order.
        joined: Vec<Member>,
    },
    /// The group's configuration.
    RingFormed(Ring),
    /// The quorum service's word about a configuration.
    QuorumTold(Ring, bool),
    /// A message, and who has sent it as the transport says; at most [`MAX_BYTES`] bytes.
    Delivered(Member, Vec<u8>),
    /// The transport is gone, with the reason for people.
    Lost(String),
}

/// Why a message cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SendError {
    /// It is longer than [`MAX_BYTES`].
    #[error("the message of {bytes} bytes is longer than {MAX_BYTES}")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// There is none at the moment.
    #[error("there is no transport at the moment")]
    NoTransport,
    /// Too much waits already.
    #[error("too many messages are waiting")]
    Busy,
}

/// What a transport knows of this host, for people and for what is said to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalFacts {
    /// What the transport is called in the configuration: `local`, `corosync`.
    pub transport: &'static str,
    /// This host's node id; `None` while it is not known.
    pub node: Option<u32>,
    /// What this host is called in the cluster.
    pub name: String,
    /// Why the host is not in its group, for people; `None`: it is.
    pub problem: Option<String>,
}

/// The way to the group, shared by all changes.
pub trait Transport: Send + Sync + 'static {
    /// Sends a message to all members, this host included; never waits.
    ///
    /// # Errors
    /// [`SendError`], each variant of which says its condition. Without one the message may be lost nevertheless.
    fn send(&self, bytes: Vec<u8>) -> Result<(), SendError>;

    /// Returns what is known of this host now; never waits.
    fn facts(&self) -> LocalFacts;

    /// Returns how many messages of others were dropped because they were longer than [`MAX_BYTES`].
    fn dropped(&self) -> u64 {
        0
    }

    /// Returns what another node is called in the cluster; `None` where the transport does not know.
    fn name_of(&self, _node: u32) -> Option<String> {
        None
    }
}

/// A transport that was opened: the way in, and what comes out of it.
pub struct Opened {
    /// The way in.
    pub transport: Arc<dyn Transport>,
    /// What it tells, from its first join on. It ends with the transport.
    pub events: mpsc::Receiver<TransportEvent>,
}

/// Refuses what is too long for every transport.
///
/// # Errors
/// [`SendError::TooLong`] above [`MAX_BYTES`].
pub fn check_length(bytes: &[u8]) -> Result<(), SendError> {
    if bytes.len() > MAX_BYTES {
        return Err(SendError::TooLong { bytes: bytes.len() });
    }
    Ok(())
}
