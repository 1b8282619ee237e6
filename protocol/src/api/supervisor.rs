//! `org.lvmwarden.Supervisor`: the supervision tree, and what can be changed in a running daemon.

use serde::{Deserialize, Serialize};

use super::interface::{Done, interface};

interface!("org.lvmwarden.Supervisor", "org.lvmwarden.Supervisor.varlink", {
    Tree -> One(TreeReply),
    Restart -> One(Done),
    SetLogLevel -> One(Done),
});

/// Asks for a picture of the supervision tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// Where the page begins, as the one before has said; `None`: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// The supervision tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TreeReply {
    /// Its top; a page has the actors that it tells, and those above them.
    pub root: Node,
    /// Where the next page begins; `None`: this was the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page: Option<String>,
}

/// One actor of the tree, with everything below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Node {
    /// Its full name, which [`Restart`] takes.
    pub name: String,
    /// Whether it does the work or watches over those who do.
    pub kind: NodeKind,
    /// What it is doing.
    pub state: NodeState,
    /// How often it was started again since its supervisor started it first.
    pub restarts: u64,
    /// How its last instance ended; `None` if the first is still alive.
    pub last_exit: Option<Exit>,
    /// Those below it, in the order of their start.
    pub children: Vec<Node>,
}

/// Whether an actor does the work or watches over those who do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// It does the work.
    Worker,
    /// It watches.
    Supervisor,
}

/// What an actor is doing, as its supervisor sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NodeState {
    /// It lives.
    Running,
    /// It was asked to stop and still lives.
    Stopping,
    /// It ended and will be started again.
    Restarting,
    /// It ended, and is started again only on request or together with its siblings.
    Ended,
    /// It ended too often, and is started again only on request.
    GivenUp,
}

/// How an actor ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "reason", content = "message", rename_all = "snake_case")]
pub enum Exit {
    /// Its work was done.
    Normal,
    /// Its supervisor asked it to.
    Shutdown,
    /// It failed, and said so.
    Failed(String),
    /// It panicked, with this message.
    Panicked(String),
    /// It was dropped in the middle of its work.
    Killed,
}

/// Asks that an actor be ended and started anew, with everything below it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// Its full name.
    pub name: String,
}

/// Asks for more or fewer lines in the daemon's log, until it ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SetLogLevel {
    /// The least severe level that is still written.
    pub level: String,
}

/// Why a call of this interface fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "error", content = "parameters")]
pub enum Error {
    /// Nothing below the root has this name.
    #[error("find {name:?} below the root of the tree")]
    UnknownName {
        /// As it was given.
        name: String,
    },
    /// There is no such level.
    #[error("set the log level {level:?}: there are {}", permitted.join(", "))]
    BadLevel {
        /// As it was given.
        level: String,
        /// Those that there are, the most severe first.
        permitted: Vec<String>,
    },
    /// The actors concerned did not answer in time; the call may be repeated.
    #[error("get an answer in time: the daemon is busy")]
    Busy,
}
