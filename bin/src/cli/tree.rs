//! `lvmwarden tree`: who watches over whom, and how they fare.

use anstyle::Style;
use lvmwarden_protocol::api::supervisor::{Exit, Node, NodeState, Tree};

use super::failure::Failure;
use super::screen::{BAD, DIM, GOOD, ODD, Screen, plain, styled};

/// Shows it.
pub(super) fn run(screen: &mut Screen) -> Result<(), Failure> {
    let answer = screen.connect()?.call_all(&Tree::default())?;
    screen.answer(&answer, |reply| drawing(&reply.root))
}

fn drawing(root: &Node) -> String {
    let mut text = line(root, "");
    draw_children(root, "", &mut text);
    text
}

fn draw_children(node: &Node, indent: &str, text: &mut String) {
    let count = node.children.len();
    for (index, child) in node.children.iter().enumerate() {
        let (branch, below) = if index + 1 == count { ("└─ ", "   ") } else { ("├─ ", "│  ") };
        text.push_str(&line(child, &format!("{indent}{branch}")));
        draw_children(child, &format!("{indent}{below}"), text);
    }
}

fn line(node: &Node, branch: &str) -> String {
    let (state, style) = state(node);
    let restarts = match node.restarts {
        0 => String::new(),
        1 => styled(", 1 restart", ODD),
        restarts => styled(&format!(", {restarts} restarts"), ODD),
    };
    let last = last_exit(node);
    let last = if last.is_empty() { last } else { styled(&plain(&format!(", {last}")), DIM) };
    format!("{branch}{}  {}{restarts}{last}\n", plain(&node.name), styled(state, style))
}

/// Returns what an actor does, with the style for it.
pub(super) fn state(node: &Node) -> (&'static str, Style) {
    match node.state {
        NodeState::Running => ("running", GOOD),
        NodeState::Stopping => ("stopping", ODD),
        NodeState::Restarting => ("restarting", ODD),
        NodeState::Ended => ("ended", DIM),
        NodeState::GivenUp => ("given up", BAD),
    }
}

/// Returns whether an actor does not live although it should.
pub(super) fn is_down(node: &Node) -> bool {
    matches!(node.state, NodeState::Restarting | NodeState::GivenUp)
}

/// Returns how its last instance ended; nothing if the first one lives.
pub(super) fn last_exit(node: &Node) -> String {
    match &node.last_exit {
        None => String::new(),
        Some(Exit::Normal) => "last ended: normal".to_owned(),
        Some(Exit::Shutdown) => "last ended: on request".to_owned(),
        Some(Exit::Failed(message)) => format!("last failed: {message}"),
        Some(Exit::Panicked(message)) => format!("last panicked: {message}"),
        Some(Exit::Killed) => "last ended: killed".to_owned(),
    }
}

#[cfg(test)]
mod tests;
