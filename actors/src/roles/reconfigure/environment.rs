//! What all changes of a daemon share.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lvmwarden_protocol::api::reconfigure::Kind;
use lvmwarden_reconfigure::change::Event;
use lvmwarden_reconfigure::member::{Member, Ring};
use lvmwarden_reconfigure::membership::Membership;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::board::Board;
use super::locks::Locks;
use super::lvm::Lvm;
use super::metrics::ReconfigureMetrics;
use super::transport::{LocalFacts, Opened, SendError, Transport};
use crate::foundation::admission::{Quota, Shares};
use crate::foundation::facts::events::Events;

/// How many plans may be made at once: each runs lvm. One of each user, and one more of root.
pub const PLANS: Shares = Shares { all: 3 };

/// The deadlines of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// From the request to the locks.
    pub lock: Duration,
    /// From the sending of a message to its delivery here.
    pub send: Duration,
    /// From the proposal to all votes, each round.
    pub vote: Duration,
    /// From PREPARE to READY.
    pub prepare: Duration,
    /// From the first suspend to the resume.
    pub hold: Duration,
    /// How much of the shortest hold must be left at the gate.
    pub apply_reserve: Duration,
    /// From the gate to the end of the writing child.
    pub apply: Duration,
    /// From COMMIT or ABANDON to all DONE.
    pub commit: Duration,
    /// From the beginning of a doubt to its end.
    pub doubt: Duration,
    /// How often a change is proposed.
    pub rounds: u32,
}

/// What the role is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The kinds of changes that this host takes part in.
    pub accepts: Vec<Kind>,
    /// The deadlines.
    pub limits: Limits,
    /// Where sysfs is.
    pub sys: PathBuf,
}

/// The group as this host sees it now.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// This host; `None` before the first join.
    pub me: Option<Member>,
    /// Who is in the group.
    pub membership: Membership,
    /// The group's configuration.
    pub ring: Option<Ring>,
}

/// What is heard of the group, for one change.
#[derive(Debug, Clone)]
pub struct Heard {
    /// What.
    pub event: Event,
    /// The group after it.
    pub around: Membership,
}

/// What all changes share.
pub struct ReconfigureEnvironment {
    /// What the role is to do.
    pub settings: Settings,
    /// Runs lvm.
    pub lvm: Lvm,
    /// Locks VGs.
    pub locks: Arc<dyn Locks>,
    /// Opens the transport, also again after its actor has crashed.
    pub open: Box<dyn Fn() -> Opened + Send + Sync>,
    /// This life of the daemon; a UUID.
    pub life: Uuid,
    /// Is told what happens.
    pub events: Events,
    /// Counts.
    pub metrics: ReconfigureMetrics,
    /// All changes as they are told.
    pub board: Board,
    /// Has room for plans.
    pub plans: Quota,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    transport: Option<Arc<dyn Transport>>,
    around: Around,
    listeners: HashMap<Uuid, mpsc::UnboundedSender<Heard>>,
}

/// A change that hears of the group until this is dropped.
pub struct Listening {
    id: Uuid,
    environment: Arc<ReconfigureEnvironment>,
    /// What is heard, in order.
    pub heard: mpsc::UnboundedReceiver<Heard>,
}

impl ReconfigureEnvironment {
    /// Makes it before the first change.
    pub fn new(
        settings: Settings,
        lvm: Lvm,
        locks: Arc<dyn Locks>,
        open: Box<dyn Fn() -> Opened + Send + Sync>,
        events: Events,
        metrics: ReconfigureMetrics,
    ) -> Self {
        let (board, plans, line) = (Board::default(), Quota::default(), Mutex::default());
        Self { settings, lvm, locks, open, life: Uuid::new_v4(), events, metrics, board, plans, line }
    }

    /// Has a change hear of the group from now on; returns the group as it is now.
    pub fn listen(self: &Arc<Self>, id: Uuid) -> (Listening, Around) {
        // A change hears at most what its own members say to one another: some dozens of words.
        let (sender, heard) = mpsc::unbounded_channel();
        let mut line = self.line();
        line.listeners.insert(id, sender);
        let around = line.around.clone();
        drop(line);
        (Listening { id, environment: Arc::clone(self), heard }, around)
    }

    /// Returns the group as it is now.
    pub fn around(&self) -> Around {
        self.line().around.clone()
    }

    /// Returns what the transport knows of this host; `None` before it is opened.
    pub fn facts(&self) -> Option<LocalFacts> {
        self.line().transport.as_ref().map(|transport| transport.facts())
    }

    /// Returns what a node is called.
    pub fn name_of(&self, node: u32) -> String {
        let name = self.line().transport.as_ref().and_then(|transport| transport.name_of(node));
        name.unwrap_or_else(|| format!("node {node}"))
    }

    /// Sends a message to the group.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn send(&self, bytes: Vec<u8>) -> Result<(), SendError> {
        let transport = self.line().transport.clone();
        transport.ok_or(SendError::NoTransport)?.send(bytes)
    }

    /// Takes a transport in use; whoever listens sees the group go.
    pub(super) fn connect(&self, transport: Arc<dyn Transport>) {
        self.line().transport = Some(transport);
    }

    /// Changes the group, and tells every change what has happened.
    pub(super) fn tell_all(&self, event: Option<Event>, change: impl FnOnce(&mut Around)) {
        let mut line = self.line();
        change(&mut line.around);
        let around = line.around.membership.clone();
        if let Some(event) = event {
            for listener in line.listeners.values() {
                // One that has just ended hears no more.
                let _ = listener.send(Heard { event: event.clone(), around: around.clone() });
            }
        }
    }

    /// Tells one change; returns whether it listens.
    pub(super) fn tell(&self, id: Uuid, event: Event) -> bool {
        let line = self.line();
        let around = line.around.membership.clone();
        line.listeners.get(&id).is_some_and(|listener| listener.send(Heard { event, around }).is_ok())
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        // Nothing in the lock's scope can panic halfway through a change.
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.heard.close();
        let mut line = self.environment.line();
        // A successor listens by itself: its predecessor may go after it.
        if line.listeners.get(&self.id).is_some_and(mpsc::UnboundedSender::is_closed) {
            line.listeners.remove(&self.id);
        }
    }
}
