//! The overview, which is the screenshot in the README at the same time.

use lvmwarden_protocol::api::poll::{CopyProgress, OperationState, Outcome, OutcomeKind};
use lvmwarden_protocol::api::supervisor::{Exit, NodeKind, NodeState};
use lvmwarden_protocol::poll::PollOperation;

use super::*;
use crate::cli::samples::{bare, clock, ended, event, id, pvmove};

fn info() -> InfoReply {
    InfoReply {
        product: "lvmwarden".to_owned(),
        version: "0.1.0".to_owned(),
        url: String::new(),
        pid: 812,
        started_at: "2026-11-18T09:12:00Z".to_owned(),
        instance: "/run/lvm/lvmpolld.socket".to_owned(),
        roles: vec!["poll".to_owned()],
        history_problem: None,
        lock_problem: None,
    }
}

fn node(name: &str, restarts: u64, last_exit: Option<Exit>, children: Vec<Node>) -> Node {
    Node {
        name: name.to_owned(),
        kind: NodeKind::Supervisor,
        state: NodeState::Running,
        restarts,
        last_exit,
        children,
    }
}

fn some_operations() -> [Operation; 3] {
    let again = Operation { attempt: 2, ..pvmove(1, "vg0", Some(62.5)) };
    let copy = CopyProgress {
        done_bytes: 5 << 30,
        total_bytes: 40 << 30,
        segment: 1,
        segments: 3,
        bytes_per_second: Some(187 << 20),
        left_seconds: Some(192),
    };
    let merge = Operation {
        kind: PollOperation::Merge,
        lvname: "root".try_into().unwrap(),
        state: OperationState::Copying,
        copy: Some(copy),
        ..pvmove(2, "vg_system", Some(12.5))
    };
    [again, merge, ended(pvmove(3, "vg1", Some(100.0)), Outcome::of(OutcomeKind::Done))]
}

fn some_events() -> Vec<Event> {
    let (first, third) = (id(1).to_string(), id(3).to_string());
    let progress = |number, second, percent| {
        event(number, second, "poll.progress", "vg0/pvmove0", &[("op", &first), ("percent", percent)])
    };
    vec![
        progress(1, 0, "57.5"),
        event(
            2,
            12,
            "poll.child_ended",
            "vg0/pvmove0",
            &[("op", &first), ("exit", "signal 9"), ("pid", "4690")],
        ),
        event(
            3,
            12,
            "poll.retried",
            "vg0/pvmove0",
            &[("op", &first), ("delay_ms", "1000"), ("why", "lvpoll was killed")],
        ),
        event(4, 13, "poll.started", "vg0/pvmove0", &[("op", &first), ("attempt", "2"), ("pid", "4711")]),
        progress(5, 30, "62.5"),
        event(
            6,
            41,
            "poll.ended",
            "vg1/pvmove0",
            &[("op", &third), ("outcome", "done"), ("took_ms", "893012")],
        ),
    ]
}

#[test]
fn the_overview_is_the_one_in_the_documentation() {
    let panicked = Some(Exit::Panicked("index out of bounds".to_owned()));
    let operations_node = node("root/poll/operations", 1, panicked, vec![]);
    let root = node("root", 0, None, vec![node("root/poll", 0, None, vec![operations_node])]);
    let events = some_events();
    let text = [
        service(&info(), &clock()),
        operations(&some_operations(), &events),
        restarts(&root),
        latest(&events, &clock()),
    ];
    let shown = format!("# lvmwarden\n{}", bare(&text.concat()));
    assert_eq!(shown, include_str!("../../../../docs/overview.txt"), "docs/overview.txt shall be:\n{shown}");
}

#[test]
fn an_idle_host_says_so() {
    assert_eq!(bare(&operations(&[], &[])), "\nOperations none\n");
    assert_eq!(bare(&restarts(&node("root", 0, None, vec![]))), "\nRestarts none\n");
    assert_eq!(bare(&latest(&[], &clock())), "\nRecent events none\n");
}

#[test]
fn an_actor_that_was_given_up_is_shown_though_never_restarted() {
    let down = Node { state: NodeState::GivenUp, ..node("root/doors/api", 0, None, vec![]) };
    let text = bare(&restarts(&node("root", 0, None, vec![down])));
    assert_eq!(text, "\nRestarts 0\n  root/doors/api  0  given up\n");
}

#[test]
fn progress_is_not_among_the_recent_events_and_old_ones_are_left_out() {
    let mut events: Vec<_> =
        (0..20).map(|n| event(n, 1, "poll.started", &format!("vg/lv{n}"), &[])).collect();
    events.push(event(20, 2, "poll.progress", "vg/lv20", &[]));
    let text = latest(&events, &clock());
    assert!(
        !text.contains("lv20") && !text.contains("lv11") && text.contains("lv12") && text.contains("lv19")
    );
}

#[test]
fn of_many_vgs_those_are_shown_that_lack_something() {
    let partial = |number: usize| {
        let mut vg = metadata::samples::vg(&format!("vg{number}"));
        vg.completeness = Completeness::Partial;
        vg
    };
    let whole = |number: usize| metadata::samples::vg(&format!("vg{number}"));
    let few = bare(&volume_groups(&[whole(0), whole(1)]));
    assert!(few.starts_with("\nVolume groups 2\n  VG   #PV") && few.contains("\n  vg1  "), "{few}");
    let many: Vec<_> = (0..6).map(|number| if number == 3 { partial(3) } else { whole(number) }).collect();
    let many = bare(&volume_groups(&many));
    assert!(
        many.starts_with("\nVolume groups 6\n") && many.contains("vg3") && !many.contains("vg4"),
        "{many}"
    );
    assert_eq!(bare(&volume_groups(&[])), "\nVolume groups none\n");
}
