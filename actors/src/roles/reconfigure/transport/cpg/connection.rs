//! One connection to corosync, to its group and its quorum, with a deadline for each call.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_reconfigure::wire::MAX_BYTES;
use lvmwarden_supervisor::sys::corosync::{
    Breaker, Cpg, Failure, Group, GroupEvent, Quorum, QuorumEvent, QuorumService,
};

use super::watch::Watch;

/// A connection. It is closed with [`close`](Self::close), so that this has a deadline as well.
pub(super) struct Connection {
    group: Group,
    quorum: Quorum,
    breaker: Arc<Breaker>,
    limit: Duration,
    node: u32,
}

impl Connection {
    /// Connects to the daemon of this host. This waits as long as that is stopped: nobody waits for it, nothing was told yet.
    ///
    /// # Errors
    /// Why not, for people.
    pub(super) fn open(watch: &Watch, limit: Duration) -> Result<Self, String> {
        let (cpg, service) = (
            Cpg::load().map_err(|error| error.to_string())?,
            QuorumService::load().map_err(|error| error.to_string())?,
        );
        let unreachable = |failure: Failure| format!("cannot connect to corosync: {failure}");
        let mut group = cpg.open(MAX_BYTES).map_err(unreachable)?;
        let quorum = service.open().map_err(unreachable)?;
        let breaker = Arc::new(group.breaker().map_err(|error| error.to_string())?);
        let (node, _) = watch.within(limit, &breaker, || group.local_node());
        let node = node.map_err(unreachable)?;
        Ok(Self { group, quorum, breaker, limit, node })
    }

    /// Returns the id of this node.
    pub(super) fn node(&self) -> u32 {
        self.node
    }

    /// Joins a group.
    ///
    /// # Errors
    /// [`Refused::NotNow`] while the cluster changes; others.
    pub(super) fn join(&mut self, watch: &Watch, name: &str) -> Result<(), Refused> {
        let (answer, was_broken) = watch.within(self.limit, &self.breaker, || self.group.join(name));
        self.outcome(answer, was_broken)
    }

    /// Sends a message to the group.
    ///
    /// # Errors
    /// [`Refused::NotNow`] while there is no room, or the cluster changes; others.
    pub(super) fn multicast(&mut self, watch: &Watch, bytes: &[u8]) -> Result<(), Refused> {
        let (answer, was_broken) = watch.within(self.limit, &self.breaker, || self.group.multicast(bytes));
        self.outcome(answer, was_broken)
    }

    /// Takes an event of the group.
    ///
    /// # Errors
    /// The connection is broken, for people.
    pub(super) fn group_event(&mut self) -> Result<Option<GroupEvent>, String> {
        self.group.dispatch().map_err(|error| error.to_string())
    }

    /// Takes an event of the quorum service.
    ///
    /// # Errors
    /// The connection is broken, for people.
    pub(super) fn quorum_event(&mut self) -> Result<Option<QuorumEvent>, String> {
        self.quorum.dispatch().map_err(|error| error.to_string())
    }

    /// Returns what becomes readable when there is an event, or the connection is broken.
    pub(super) fn descriptors(&self) -> [BorrowedFd<'_>; 2] {
        [self.group.as_fd(), self.quorum.as_fd()]
    }

    /// Closes the connection; where it is in a group, the others see that it has left it.
    pub(super) fn close(self, watch: &Watch, leaves: Option<&str>) {
        let Self { mut group, quorum, breaker, limit, .. } = self;
        watch.within(limit, &breaker, move || {
            if let Some(name) = leaves {
                // Closed without it, it is out of the group as well.
                let _ = group.leave(name);
            }
            drop(group);
            drop(quorum);
        });
    }

    fn outcome(&self, answer: Result<(), Failure>, was_broken: bool) -> Result<(), Refused> {
        match answer {
            Ok(()) => Ok(()),
            Err(_) if was_broken => {
                let seconds = self.limit.as_secs_f64();
                Err(Refused::Broken(format!("corosync has not answered within {seconds} s")))
            }
            Err(Failure::TRY_AGAIN) => Err(Refused::NotNow),
            Err(failure) => Err(Refused::Broken(failure.to_string())),
        }
    }
}

/// Why a call has not done what it is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It may later.
    NotNow,
    /// The connection is of no use any more; why, for people.
    Broken(String),
}
