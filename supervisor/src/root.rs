//! The top of the tree, and what the program holds of it.

use std::{sync::Arc, time::Duration};

use slog::Logger;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use crate::{
    actor::{GetTree, Supervisor},
    actor_child::{ChildLink, RunningChild},
    child_spec::{ChildKind, ChildSpec, SupervisorSpec},
    exit_reason::ExitReason,
    name::Name,
    observer::Observer,
    registry::{AskError, Registry},
    tree::TreeNode,
};

/// Holds a running tree; dropping it kills every actor of the tree.
pub struct Root {
    link: ChildLink,
    supervisor: RunningChild,
    ended: watch::Receiver<Option<ExitReason>>,
}

/// Says how a tree was brought to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopReport {
    /// How the root supervisor ended; [`ExitReason::Shutdown`] if all went well.
    pub reason: ExitReason,
    /// Children that had not stopped by their deadline, or by that of the whole, and were killed.
    pub killed: Vec<Name>,
    /// How long it took.
    pub took: Duration,
}

/// Starts a tree on the current actix system: the supervisor `root`, then its children.
///
/// Must be called where a task can be spawned: within `System::block_on` or an actor. The tree has no supervisor
/// above it, so whoever calls this must watch [`Root::ended`].
pub fn start_root(spec: SupervisorSpec, log: Logger) -> Root {
    start(spec, ChildLink::root(Name::root(), log, None))
}

/// Starts a tree as [`start_root`] does, and tells `observer` how its actors fare.
pub fn start_root_observed(spec: SupervisorSpec, log: Logger, observer: Arc<dyn Observer>) -> Root {
    start(spec, ChildLink::root(Name::root(), log, Some(observer)))
}

fn start(spec: SupervisorSpec, link: ChildLink) -> Root {
    let registry = link.registry.clone();
    let (report, ended) = watch::channel(None);
    let child = ChildSpec::supervisor("root", spec);
    registry.set_restarting(&child.names(&link.name));
    let on_end = move |reason| {
        registry.remove(&Name::root(), ChildKind::Supervisor);
        report.send_replace(Some(reason));
    };
    let supervisor = child.start(link.clone(), Box::new(on_end));
    Root { link, supervisor, ended }
}

impl Root {
    /// Returns the registry of the tree.
    pub fn registry(&self) -> Registry {
        self.link.registry.clone()
    }

    /// Waits until the root supervisor has ended and returns how.
    ///
    /// [`ExitReason::Failed`] says that restarts did not help; the program is to exit, so that whoever started
    /// it may start it anew.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped; it may be called again, also after the end.
    pub async fn ended(&self) -> ExitReason {
        let mut ended = self.ended.clone();
        // The sender goes without a word only if the runtime drops the task unreported.
        let reason = ended.wait_for(Option::is_some).await.map(|reason| reason.clone());
        reason.ok().flatten().unwrap_or(ExitReason::Killed)
    }

    /// Stops the tree in order, for at most `deadline`, then kills what is left of it.
    ///
    /// When it returns no actor of the tree lives.
    ///
    /// # Cancel safety
    /// If the future is dropped the tree goes on stopping, without the deadline.
    pub async fn stop(&self, deadline: Duration) -> StopReport {
        let begin = Instant::now();
        self.link.tree().collect_overdue();
        self.supervisor.stop();
        let reason = match timeout(deadline, self.ended()).await {
            Ok(ExitReason::Normal) => ExitReason::Shutdown,
            Ok(reason) => reason,
            Err(_) => {
                self.supervisor.kill();
                self.ended().await
            }
        };
        self.link.tree().wait_until_empty().await;
        StopReport { reason, killed: self.link.tree().take_overdue(), took: begin.elapsed() }
    }

    /// Returns a picture of the living tree.
    ///
    /// # Errors
    /// See [`AskError`]; the tree may have ended.
    pub async fn tree(&self, deadline: Duration) -> Result<TreeNode, AskError> {
        self.registry().ask::<Supervisor, _>(&self.link.name, GetTree, deadline).await
    }
}
