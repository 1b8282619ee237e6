//! What people and programs see of a tree.

use super::*;

fn node(name: &str, kind: ChildKind, children: Vec<TreeNode>) -> TreeNode {
    TreeNode { name: name.into(), kind, state: NodeState::Running, restarts: 0, last_exit: None, children }
}

fn tree() -> TreeNode {
    let restarted = TreeNode {
        restarts: 2,
        last_exit: Some(ExitReason::Panicked("boom".into())),
        ..node("root/poll/poll:ABC", ChildKind::Worker, vec![])
    };
    let given_up =
        TreeNode { state: NodeState::GivenUp, restarts: 1, ..node("root/poll/b", ChildKind::Worker, vec![]) };
    let done = TreeNode {
        state: NodeState::Ended,
        last_exit: Some(ExitReason::Normal),
        ..node("root/once", ChildKind::Worker, vec![])
    };
    let poll = node("root/poll", ChildKind::Supervisor, vec![restarted, given_up]);
    node("root", ChildKind::Supervisor, vec![node("root/journal", ChildKind::Worker, vec![]), poll, done])
}

#[test]
fn a_tree_is_drawn_a_line_an_actor() {
    let expected = "\
root            running
├─ journal      running
├─ poll         running
│  ├─ poll:ABC  running, 2 restarts, last exit panicked: boom
│  └─ b         given up, 1 restart
└─ once         ended, last exit normal
";
    assert_eq!(tree().to_string(), expected);
}

#[test]
fn children_beyond_the_limit_are_counted() {
    let expected = "\
root        running
├─ journal  running
└─ 2 more
";
    assert_eq!(tree().draw(Some(1)), expected);
    let many = (0..5000).map(|index| node(&format!("root/{index}"), ChildKind::Worker, vec![])).collect();
    assert_eq!(node("root", ChildKind::Supervisor, many).to_string().lines().count(), 5001);
}

#[test]
fn a_tree_goes_through_json_and_back() {
    let json = serde_json::to_value(tree()).unwrap();
    assert_eq!(json["children"][1]["kind"], "supervisor");
    assert_eq!(json["children"][1]["children"][0]["last_exit"]["reason"], "panicked");
    assert_eq!(json["children"][1]["children"][1]["state"], "given_up");
    assert_eq!(serde_json::from_value::<TreeNode>(json).unwrap(), tree());
}
