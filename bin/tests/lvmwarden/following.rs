//! What the program makes of good answers: of one, of streams, and of streams that break when the daemon ends.

use std::io::Read as _;
use std::process::Stdio;

use lvmwarden_protocol::api::Done;
use lvmwarden_protocol::api::events::{
    Cursor, Event, Gap, GapCause, Recent, RecentReply, Subscribe, SubscribeReply,
};
use lvmwarden_protocol::api::poll::{
    Abort, Error as PollError, History, HistoryEntry, HistoryReply, HistoryStep, List, ListReply, Operation,
    OperationReply, OperationState, Outcome, OutcomeKind, Start, StartReply, Wait, Watch,
};
use lvmwarden_protocol::api::service::Stop;
use lvmwarden_protocol::poll::PollOperation;
use uuid::Uuid;

use crate::fake_daemon::{Connection, FakeDaemon};
use crate::program::{program, run};

/// A pvmove of `vg0/LVNAME` whose id has this number as its first byte.
fn pvmove(number: u8, percent: Option<f64>, outcome: Option<Outcome>) -> Operation {
    Operation {
        id: Uuid::from_u128(u128::from(number) << 120),
        kind: PollOperation::Pvmove,
        abort: false,
        vgname: "vg0".try_into().unwrap(),
        lvname: format!("pvmove{number}").try_into().unwrap(),
        lvid: "v".repeat(64).try_into().unwrap(),
        sysdir: None,
        state: if outcome.is_some() { OperationState::Ended } else { OperationState::Running },
        pid: Some(4711),
        attempt: 1,
        init_requests: 1,
        started_at: "2026-11-21T12:00:00Z".to_owned(),
        percent,
        copy: None,
        blocked: None,
        paused: false,
        hold: None,
        silent: false,
        outcome,
        asked_by: None,
    }
}

fn list(connection: &mut Connection, operations: &[Operation]) {
    connection.serve::<List>(&ListReply { operations: operations.to_vec(), next_page: None });
}

/// Serves two operations on two pages.
fn list_in_pages(connection: &mut Connection) {
    for (number, page, next_page) in [(1, None, Some("x")), (2, Some("x"), None)] {
        let reply = ListReply {
            operations: vec![pvmove(number, None, None)],
            next_page: next_page.map(str::to_owned),
        };
        assert_eq!(connection.serve::<List>(&reply).page.as_deref(), page);
    }
}

#[test]
fn what_comes_in_pages_is_shown_as_a_whole() {
    let daemon = FakeDaemon::with(list_in_pages);
    let output = run(&daemon.socket(), ["--json", "poll", "list"]);
    let whole: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let names: Vec<_> = whole["operations"].as_array().unwrap().iter().map(|one| &one["lvname"]).collect();
    assert_eq!(names, ["pvmove1", "pvmove2"]);
    assert_eq!(whole.get("next_page"), None);
    daemon.join();
}

#[test]
fn of_pages_no_more_is_asked_for_than_is_wanted() {
    let daemon = FakeDaemon::with(|connection| {
        for (limit, page, events) in [(3, None, [4, 5].as_slice()), (1, Some("x"), &[3])] {
            let events = events.iter().map(|number| event("e", *number)).collect();
            let reply = RecentReply { events, next_page: Some("x".to_owned()) };
            let page = page.map(str::to_owned);
            assert_eq!(connection.serve::<Recent>(&reply), Recent { limit: Some(limit), page });
        }
    });
    let output = run(&daemon.socket(), ["--json", "events", "--limit", "3"]);
    let whole: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let cursors: Vec<_> = whole["events"].as_array().unwrap().iter().map(|one| &one["cursor"]).collect();
    assert_eq!(cursors, ["e:3", "e:4", "e:5"]);
    daemon.join();
}

fn tell(connection: &mut Connection, operation: Operation) {
    connection.continue_with::<Watch>(&OperationReply { operation });
}

/// Tells from the history that an operation which is not listed any more has ended well.
fn tell_end(connection: &mut Connection, ended: Operation) {
    let entry = HistoryEntry {
        time: "2026-11-21T12:00:00Z".to_owned(),
        id: ended.id,
        kind: ended.kind,
        abort: false,
        vgname: ended.vgname,
        lvname: ended.lvname,
        step: HistoryStep::Ended,
        pid: None,
        attempt: None,
        outcome: Some(Outcome::of(OutcomeKind::Done)),
        asked_by: None,
        uid: None,
        segment: None,
        why: None,
    };
    connection.serve::<History>(&HistoryReply { entries: vec![entry], next_page: None });
}

fn event(epoch: &str, number: u64) -> Event {
    Event {
        cursor: Cursor::new(epoch, number).unwrap(),
        time: "2024-02-29T12:00:00Z".to_owned(),
        kind: "service.ready".to_owned(),
        subject: format!("event {number} of {epoch}"),
        fields: [].into(),
    }
}

/// Returns the lines without their first word, which is the time of day.
fn without_times(text: &str) -> Vec<&str> {
    text.lines().map(|line| line.split_once(' ').map_or("", |(_, rest)| rest)).collect()
}

#[test]
fn json_prints_what_the_api_said_with_what_this_version_does_not_know() {
    let daemon = FakeDaemon::with(|connection| {
        connection.say(b"{\"parameters\":{\"operations\":[],\"later\":{\"b\":1,\"a\":null}}}\0");
    });
    let run = run(&daemon.socket(), ["poll", "list", "--json"]);
    run.assert_done();
    assert_eq!(run.stdout, "{\"later\":{\"a\":null,\"b\":1},\"operations\":[]}\n");
    daemon.join();
}

#[test]
fn colours_are_for_terminals_unless_they_are_asked_for() {
    for (when, is_coloured) in [("auto", false), ("never", false), ("always", true)] {
        let daemon = FakeDaemon::with(|connection| {
            list(connection, &[pvmove(1, None, Some(Outcome::of(OutcomeKind::Done)))]);
        });
        let run = run(&daemon.socket(), ["poll", "list", "--color", when]);
        assert_eq!(run.stdout.contains("\u{1b}["), is_coloured, "{when}: {run:?}");
        daemon.join();
    }
}

#[test]
fn start_says_which_operation_it_is_and_whether_it_was_there() {
    for (already_running, words) in [(false, "is being polled"), (true, "is already being polled")] {
        let id = Uuid::from_u128(7);
        let daemon = FakeDaemon::with(move |connection| {
            let start = connection.serve::<Start>(&StartReply { id, already_running });
            assert_eq!(
                (start.kind, start.vgname.as_str(), start.lvname.as_str()),
                (PollOperation::MergeThin, "vg", "lv")
            );
            assert_eq!(start.lvid.to_string(), "v".repeat(64));
            assert_eq!((start.interval_seconds, start.handle_missing_pvs), (Some(3), Some(true)));
        });
        let lvid = format!("{0}-{0}", "v".repeat(32));
        let options = ["--lvid", &lvid, "--interval", "3", "--handle-missing-pvs"];
        let run = run(&daemon.socket(), ["poll", "start", "merge_thin", "/dev/vg/lv"].iter().chain(&options));
        run.assert_done();
        assert_eq!(run.stdout, format!("vg/lv {words}: operation {id}\n"));
        daemon.join();
    }
}

#[test]
fn abort_takes_the_beginning_of_an_id() {
    let daemon = FakeDaemon::with(|connection| {
        list(connection, &[pvmove(1, None, None), pvmove(2, None, None)]);
        let id = Uuid::from_u128(9);
        let abort = connection.serve::<Abort>(&StartReply { id, already_running: false });
        assert_eq!(abort, Abort::ById(pvmove(2, None, None).id));
    });
    let run = run(&daemon.socket(), ["poll", "abort", "02"]);
    run.assert_done();
    assert!(run.stdout.starts_with("vg0/pvmove2 is being aborted: operation 00000000-"), "{run:?}");
    daemon.join();
}

#[test]
fn stop_leaves_the_children_unless_told_otherwise() {
    for (options, leave_children) in [(&["stop"][..], true), (&["stop", "--end-children"], false)] {
        let daemon = FakeDaemon::with(move |connection| {
            assert_eq!(connection.serve::<Stop>(&Done {}), Stop { leave_children });
        });
        run(&daemon.socket(), options).assert_done();
        daemon.join();
    }
}

#[test]
fn watch_prints_a_line_for_each_change_and_ends_with_a_table() {
    let daemon = FakeDaemon::with(|connection| {
        let operations = [
            pvmove(1, None, None),
            pvmove(2, Some(10.0), None),
            pvmove(3, None, Some(Outcome::of(OutcomeKind::Done))),
        ];
        list(connection, &operations);
        list(connection, &operations);
        connection.expect::<Watch>();
        tell(connection, pvmove(1, None, None));
        tell(connection, pvmove(2, Some(10.0), None));
        tell(connection, pvmove(3, None, Some(Outcome::of(OutcomeKind::Done))));
        tell(connection, pvmove(2, Some(10.0), None));
        tell(connection, pvmove(4, Some(0.0), None));
        tell(connection, pvmove(1, Some(100.0), Some(Outcome::of(OutcomeKind::Done))));
        let cause = Some("lvpoll was ended by signal 9".to_owned());
        let failed = Outcome { cause, ..Outcome::of(OutcomeKind::Failed) };
        tell(connection, pvmove(2, Some(60.0), Some(failed)));
        tell(connection, pvmove(4, Some(100.0), Some(Outcome::of(OutcomeKind::Done))));
    });
    let run = run(&daemon.socket(), ["poll", "watch"]);
    assert_eq!(run.code, Some(1), "{run:#?}");
    let (lines, table) = run.stdout.split_once("ID ").unwrap();
    let expected = [
        "vg0/pvmove1 pvmove running, lvpoll 4711",
        "vg0/pvmove2 pvmove running, 10.0 %, lvpoll 4711",
        "vg0/pvmove4 pvmove running, 0.0 %, lvpoll 4711",
        "vg0/pvmove1 pvmove done",
        "vg0/pvmove2 pvmove failed: lvpoll was ended by signal 9",
        "vg0/pvmove4 pvmove done",
    ];
    assert_eq!(without_times(lines), expected);
    assert_eq!(table.lines().count(), 5, "a heading, those that were watched, and what is wrong: {table}");
    daemon.join();
}

#[test]
fn watch_goes_on_with_the_next_daemon_and_learns_of_ends_that_it_missed() {
    let first = |connection: &mut Connection| {
        let operations = [pvmove(1, None, None), pvmove(2, None, None)];
        list(connection, &operations);
        list(connection, &operations);
        assert_eq!(connection.expect::<Watch>(), Watch { id: None });
        tell(connection, pvmove(1, Some(10.0), None));
    };
    let second = |connection: &mut Connection| {
        list(connection, &[pvmove(1, Some(10.0), None)]);
        tell_end(connection, pvmove(2, None, None));
        connection.expect::<Watch>();
        tell(connection, pvmove(1, Some(100.0), Some(Outcome::of(OutcomeKind::Done))));
    };
    let daemon = FakeDaemon::new(vec![Box::new(first), Box::new(second)]);
    let run = run(&daemon.socket(), ["poll", "watch", "01", "vg0/pvmove2"]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert_eq!(run.stderr, "lvmwarden: the connection to the daemon is lost; waiting for the next one\n");
    let (lines, _) = run.stdout.split_once("ID ").unwrap();
    let expected = [
        "vg0/pvmove1 pvmove running, 10.0 %, lvpoll 4711",
        "vg0/pvmove1 pvmove done",
        "vg0/pvmove2 pvmove done",
    ];
    assert_eq!(without_times(lines), expected);
    daemon.join();
}

#[test]
fn watch_of_an_idle_daemon_ends_at_once() {
    let daemon = FakeDaemon::with(|connection| {
        list(connection, &[pvmove(1, None, Some(Outcome::of(OutcomeKind::Done)))]);
        list(connection, &[pvmove(1, None, Some(Outcome::of(OutcomeKind::Done)))]);
    });
    let run = run(&daemon.socket(), ["poll", "watch"]);
    run.assert_done();
    assert_eq!(run.stdout, "no operation is in progress\n");
    daemon.join();
}

#[test]
fn wait_ends_with_the_operations_and_says_how() {
    for (outcome, code) in [(Outcome::of(OutcomeKind::Done), 0), (Outcome::of(OutcomeKind::Failed), 1)] {
        let operation = pvmove(1, None, None);
        let listed = [operation.clone()];
        let find = move |connection: &mut Connection| list(connection, &listed);
        let wait = move |connection: &mut Connection| {
            list(connection, std::slice::from_ref(&operation));
            let reply = OperationReply { operation: pvmove(1, None, Some(outcome)) };
            assert_eq!(connection.serve::<Wait>(&reply), Wait { id: operation.id, timeout_ms: None });
        };
        let daemon = FakeDaemon::new(vec![Box::new(find), Box::new(wait)]);
        let run = run(&daemon.socket(), ["poll", "wait", "vg0/pvmove1"]);
        assert_eq!((run.code, run.stderr.as_str()), (Some(code), ""), "{run:#?}");
        daemon.join();
    }
}

#[test]
fn wait_learns_of_an_end_whose_result_is_collected_just_then() {
    let find = |connection: &mut Connection| list(connection, &[pvmove(1, None, None)]);
    let wait = |connection: &mut Connection| {
        list(connection, &[pvmove(1, None, None)]);
        connection.refuse(&PollError::NotFound { id: pvmove(1, None, None).id.to_string() });
        list(connection, &[]);
        tell_end(connection, pvmove(1, None, None));
    };
    let daemon = FakeDaemon::new(vec![Box::new(find), Box::new(wait)]);
    let run = run(&daemon.socket(), ["poll", "wait", "01"]);
    run.assert_done();
    assert!(run.stdout.contains("done"), "{run:#?}");
    daemon.join();
}

#[test]
fn wait_gives_up_when_the_time_is_over() {
    let find = |connection: &mut Connection| list(connection, &[pvmove(1, None, None)]);
    let wait = |connection: &mut Connection| {
        list(connection, &[pvmove(1, None, None)]);
        let wait = connection.serve::<Wait>(&OperationReply { operation: pvmove(1, None, None) });
        assert!((1..=1500).contains(&wait.timeout_ms.unwrap()), "{wait:?}");
    };
    let daemon = FakeDaemon::new(vec![Box::new(find), Box::new(wait)]);
    let run = run(&daemon.socket(), ["poll", "wait", "01", "--timeout", "1.5"]);
    run.assert_failed(5, &["the time is over"]);
    daemon.join();
}

#[test]
fn events_are_shown_with_the_cursor_to_go_on_from() {
    let daemon = FakeDaemon::with(|connection| {
        let recent = connection
            .serve::<Recent>(&RecentReply { events: vec![event("e", 4), event("e", 5)], next_page: None });
        assert_eq!(recent, Recent { limit: Some(2), page: None });
    });
    let run = run(&daemon.socket(), ["events", "--limit", "2"]);
    run.assert_done();
    assert!(run.stdout.ends_with("service.ready  event 5 of e\n-- cursor: e:5\n"), "{run:#?}");
    daemon.join();
}

#[test]
fn events_since_a_cursor_end_with_the_latest_one() {
    let daemon = FakeDaemon::with(|connection| {
        connection.serve::<Recent>(&RecentReply { events: vec![event("e", 5)], next_page: None });
        let subscribe = connection.expect::<Subscribe>();
        assert_eq!(subscribe, Subscribe { cursor: Some(Cursor::new("e", 3).unwrap()), limit: None });
        for number in [4, 5] {
            connection.continue_with::<Subscribe>(&SubscribeReply::Event(event("e", number)));
        }
    });
    let run = run(&daemon.socket(), ["events", "--since", "e:3"]);
    run.assert_done();
    assert_eq!(run.stdout.matches("service.ready").count(), 2, "{run:#?}");
    daemon.join();

    let daemon = FakeDaemon::with(|connection| {
        connection.serve::<Recent>(&RecentReply { events: vec![event("e", 5)], next_page: None });
    });
    let run = crate::program::run(&daemon.socket(), ["events", "--since", "e:5"]);
    run.assert_done();
    assert_eq!(run.stdout, "");
    daemon.join();
}

#[test]
fn events_are_followed_across_a_restart_from_the_last_cursor_with_the_gap_told() {
    let first = |connection: &mut Connection| {
        connection.serve::<Recent>(&RecentReply { events: vec![event("old", 7)], next_page: None });
        let cursor = Some(Cursor::new("old", 7).unwrap());
        assert_eq!(connection.expect::<Subscribe>(), Subscribe { cursor, limit: Some(2) });
        connection.continue_with::<Subscribe>(&SubscribeReply::Event(event("old", 8)));
    };
    let second = |connection: &mut Connection| {
        let after = Cursor::new("old", 8).unwrap();
        assert_eq!(
            connection.expect::<Subscribe>(),
            Subscribe { cursor: Some(after.clone()), limit: Some(1) }
        );
        let before = Cursor::new("new", 1).unwrap();
        let gap = Gap { after, before, missed: None, because: GapCause::Restarted };
        connection.continue_with::<Subscribe>(&SubscribeReply::Gap(gap));
        connection.reply::<Subscribe>(&SubscribeReply::Event(event("new", 1)));
    };
    let daemon = FakeDaemon::new(vec![Box::new(first), Box::new(second)]);
    let run = run(&daemon.socket(), ["events", "--follow", "--limit", "2"]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert!(run.stderr.contains("the connection to the daemon is lost"), "{run:#?}");
    let told: Vec<_> = run.stdout.lines().map(|line| line.rsplit("  ").next().unwrap()).collect();
    let gap = "-- events may be missing here: the daemon was started anew";
    assert_eq!(told, ["event 8 of old", gap, "event 1 of new", "-- cursor: new:1"]);
    daemon.join();
}

#[test]
fn a_daemon_that_does_not_come_back_ends_a_watch_with_its_own_code() {
    let daemon = FakeDaemon::with(|connection| {
        list(connection, &[pvmove(1, None, None)]);
        list(connection, &[pvmove(1, None, None)]);
        connection.expect::<Watch>();
    });
    let run = run(&daemon.socket(), ["poll", "watch", "01"]);
    run.assert_failed(
        3,
        &["the connection to the daemon is lost", "did not come back within 30 s", "go on without it"],
    );
    daemon.join();
}

#[test]
fn what_happens_before_the_first_event_that_is_followed_is_told_after_a_restart() {
    let here = || Cursor::new("old", 7).unwrap();
    let first = move |connection: &mut Connection| {
        connection.serve::<Recent>(&RecentReply { events: vec![event("old", 7)], next_page: None });
        assert_eq!(connection.expect::<Subscribe>(), Subscribe { cursor: Some(here()), limit: Some(1) });
    };
    let second = move |connection: &mut Connection| {
        assert_eq!(connection.expect::<Subscribe>(), Subscribe { cursor: Some(here()), limit: Some(1) });
        connection.reply::<Subscribe>(&SubscribeReply::Event(event("new", 1)));
    };
    let daemon = FakeDaemon::new(vec![Box::new(first), Box::new(second)]);
    let run = run(&daemon.socket(), ["events", "--follow", "--limit", "1"]);
    assert_eq!(run.code, Some(0), "{run:#?}");
    assert!(run.stdout.contains("event 1 of new"), "{run:#?}");
    daemon.join();
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let daemon = FakeDaemon::with(|connection| {
        connection.serve::<Recent>(&RecentReply { events: vec![], next_page: None });
        connection.expect::<Subscribe>();
        for number in 0..10_000 {
            connection.continue_with::<Subscribe>(&SubscribeReply::Event(event("e", number)));
        }
    });
    let mut command = program(&daemon.socket());
    let mut child =
        command.args(["events", "--follow"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 8];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!((child.wait().unwrap().code(), &first), (Some(0), b"2024-02-"));
    let mut complaint = String::new();
    child.stderr.take().unwrap().read_to_string(&mut complaint).unwrap();
    assert_eq!(complaint, "");
    daemon.join();
}
