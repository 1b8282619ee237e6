//! Drawings.

use lvmwarden_protocol::api::supervisor::NodeKind;

use super::*;
use crate::cli::samples::bare;

fn node(name: &str, state: NodeState, children: Vec<Node>) -> Node {
    let kind = if children.is_empty() { NodeKind::Worker } else { NodeKind::Supervisor };
    Node { name: name.to_owned(), kind, state, restarts: 0, last_exit: None, children }
}

#[test]
fn the_tree_is_drawn_with_states_restarts_and_last_ends() {
    let restarted = Node {
        restarts: 2,
        last_exit: Some(Exit::Panicked("index out of bounds".to_owned())),
        ..node("root/poll/operations", NodeState::Running, vec![])
    };
    let given_up = Node {
        restarts: 1,
        last_exit: Some(Exit::Failed("no room".to_owned())),
        ..node("root/doors/api", NodeState::GivenUp, vec![])
    };
    let root = node(
        "root",
        NodeState::Running,
        vec![
            node("root/journal", NodeState::Running, vec![]),
            node("root/poll", NodeState::Running, vec![restarted]),
            node("root/doors", NodeState::Stopping, vec![given_up]),
        ],
    );
    assert_eq!(
        bare(&drawing(&root)),
        "\
root  running
├─ root/journal  running
├─ root/poll  running
│  └─ root/poll/operations  running, 2 restarts, last panicked: index out of bounds
└─ root/doors  stopping
   └─ root/doors/api  given up, 1 restart, last failed: no room
"
    );
}
