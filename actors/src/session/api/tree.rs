//! The supervision tree, and what can be changed in it.

use lvmwarden_protocol::api::Done;
use lvmwarden_protocol::api::supervisor::{
    Error, Exit, Node, NodeKind, NodeState, Restart, SetLogLevel, TreeReply,
};
use lvmwarden_supervisor::{
    ChildKind, ExitReason, GetTree, Name, NodeState as State, RestartChild, Supervisor, TreeNode,
};
use slog::info;

use super::{ANSWER_DEADLINE, ApiService};

impl ApiService {
    pub(super) async fn tree(&self) -> Result<TreeReply, Error> {
        Ok(TreeReply { root: node(self.picture().await?) })
    }

    pub(super) async fn restart(&self, asked: Restart, uid: u32) -> Result<Done, Error> {
        let Restart { name } = asked;
        let unknown = || Error::UnknownName { name: name.clone() };
        let picture = self.picture().await?;
        let parent = parent_of(&picture, &name).ok_or_else(unknown)?;
        let (_, escaped_id) = name.rsplit_once('/').ok_or_else(unknown)?;
        let restart = RestartChild(escaped_id.replace("%2F", "/").replace("%25", "%"));
        info!(self.log, "a client has an actor restarted"; "name" => &name, "uid" => uid);
        match self.registry.ask::<Supervisor, _>(parent, restart, ANSWER_DEADLINE).await {
            Ok(Ok(_)) => Ok(Done {}),
            Ok(Err(_gone_meanwhile)) => Err(unknown()),
            Err(_) => Err(Error::Busy),
        }
    }

    pub(super) fn set_log_level(&self, asked: SetLogLevel) -> Result<Done, Error> {
        match self.environment.control.set_log_level(&asked.level) {
            Ok(()) => Ok(Done {}),
            Err(bad) => Err(Error::BadLevel { level: asked.level, permitted: bad.permitted }),
        }
    }

    async fn picture(&self) -> Result<TreeNode, Error> {
        let root = Name::root();
        let asked = self.registry.ask::<Supervisor, _>(&root, GetTree, ANSWER_DEADLINE);
        asked.await.map_err(|_| Error::Busy)
    }
}

/// Returns the supervisor of the actor called `name`, if there is one below `top`.
fn parent_of<'t>(top: &'t TreeNode, name: &str) -> Option<&'t Name> {
    if top.children.iter().any(|child| child.name.as_str() == name) {
        return Some(&top.name);
    }
    top.children.iter().find_map(|child| parent_of(child, name))
}

fn node(node: TreeNode) -> Node {
    Node {
        name: node.name.to_string(),
        kind: match node.kind {
            ChildKind::Worker => NodeKind::Worker,
            ChildKind::Supervisor => NodeKind::Supervisor,
        },
        state: match node.state {
            State::Running => NodeState::Running,
            State::Stopping => NodeState::Stopping,
            State::Restarting => NodeState::Restarting,
            State::Ended => NodeState::Ended,
            State::GivenUp => NodeState::GivenUp,
        },
        restarts: node.restarts,
        last_exit: node.last_exit.map(|reason| match reason {
            ExitReason::Normal => Exit::Normal,
            ExitReason::Shutdown => Exit::Shutdown,
            ExitReason::Failed(reason) => Exit::Failed(reason),
            ExitReason::Panicked(message) => Exit::Panicked(message),
            ExitReason::Killed => Exit::Killed,
        }),
        children: node.children.into_iter().map(self::node).collect(),
    }
}
