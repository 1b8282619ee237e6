//! A picture of the living tree: who is there, in what state, restarted how often.
//!
//! Plain data, without addresses: it is made by [`GetTree`](crate::actor::GetTree), sent to clients as JSON, and drawn
//! for people.

use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

use crate::{child_spec::ChildKind, exit_reason::ExitReason, name::Name};

#[cfg(test)]
mod tests;

/// One actor of the tree, with everything below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeNode {
    /// Its full name.
    pub name: Name,
    /// Worker or supervisor.
    pub kind: ChildKind,
    /// What it is doing.
    pub state: NodeState,
    /// How often it was started again since its supervisor started it first.
    pub restarts: u64,
    /// How its last instance ended; `None` if the first is still alive.
    pub last_exit: Option<ExitReason>,
    /// Children in the order of their start.
    pub children: Vec<TreeNode>,
}

/// What a child is doing, as its supervisor sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// It ended too often and is started again only on request.
    GivenUp,
}

impl NodeState {
    fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Restarting => "restarting",
            Self::Ended => "ended",
            Self::GivenUp => "given up",
        }
    }
}

impl TreeNode {
    /// Draws the tree, a line an actor, with at most `limit` children of each supervisor (`None`: all).
    ///
    /// Children left out are counted in a line of their own.
    ///
    /// ```text
    /// root            running
    /// ├─ journal      running
    /// └─ poll         running
    ///    ├─ poll:ABC  running, 2 restarts, last exit panicked: boom
    ///    └─ 998 more
    /// ```
    pub fn draw(&self, limit: Option<usize>) -> String {
        let mut lines = Vec::new();
        self.add_lines("", "", limit.unwrap_or(usize::MAX), &mut lines);
        let width = lines.iter().map(|(left, _)| left.chars().count()).max().unwrap_or_default();
        lines.iter().fold(String::new(), |mut drawing, (left, right)| {
            let line = format!("{left:width$}  {right}");
            drawing.push_str(line.trim_end());
            drawing.push('\n');
            drawing
        })
    }

    /// Adds name and description of this node and those below it; `lead` and `lead_below` are drawn before them.
    fn add_lines(&self, lead: &str, lead_below: &str, limit: usize, lines: &mut Vec<(String, String)>) {
        lines.push((format!("{lead}{}", self.name.last()), self.describe()));
        let shown = self.children.len().min(limit);
        let left_out = self.children.len() - shown;
        for (index, child) in self.children[..shown].iter().enumerate() {
            let is_last = index + 1 == self.children.len();
            let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            child.add_lines(&format!("{lead_below}{branch}"), &format!("{lead_below}{below}"), limit, lines);
        }
        if left_out > 0 {
            lines.push((format!("{lead_below}└─ {left_out} more"), String::new()));
        }
    }

    fn describe(&self) -> String {
        let mut text = self.state.word().to_owned();
        match self.restarts {
            0 => {}
            1 => text.push_str(", 1 restart"),
            restarts => write!(text, ", {restarts} restarts").expect("a String takes any text"),
        }
        if let Some(reason) = &self.last_exit {
            write!(text, ", last exit {reason}").expect("a String takes any text");
        }
        text
    }
}

impl fmt::Display for TreeNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.draw(None))
    }
}
