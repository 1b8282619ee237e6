//! Replays what real lvm commands and the real lvmpolld of lvm2 2.03.16 said to each other.
//!
//! Every request and every reply in `fixtures/lvmpolld-2.03.16/` must parse to what it means, and our writers must
//! reproduce both byte for byte.

use lvmwarden_protocol::poll::{Reply, Request};
use serde_json::Value;

/// The messages of one recording as (direction, text).
fn messages(recording: &str) -> Vec<(String, String)> {
    let text = |line: &Value, field: &str| line[field].as_str().expect("a string").to_owned();
    recording
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("one JSON object a line"))
        .map(|line| (text(&line, "dir"), text(&line, "msg")))
        .collect()
}

/// Checks one recording and counts its messages of each kind.
#[track_caller]
fn assert_replayed(recording: &str, expected: &[(&str, usize)]) {
    let mut kinds = Vec::new();
    for (direction, message) in messages(recording) {
        let (kind, written) = if direction == "c2s" {
            let request = Request::parse(message.as_bytes()).expect("a request");
            (request_kind(&request), request.to_bytes())
        } else {
            let reply = Reply::parse(message.as_bytes()).expect("a reply");
            (reply_kind(&reply), reply.to_bytes())
        };
        assert_eq!(String::from_utf8_lossy(&written), message);
        kinds.push(kind);
    }
    for &(kind, count) in expected {
        assert_eq!(kinds.iter().filter(|found| **found == kind).count(), count, "{kind}");
    }
    assert_eq!(kinds.len(), expected.iter().map(|(_, count)| count).sum::<usize>());
}

fn request_kind(request: &Request) -> &'static str {
    match request {
        Request::Hello => "hello",
        Request::Start(request) => request.kind.as_str(),
        Request::Progress(_) => "progress_info",
        Request::Dump => "dump",
    }
}

fn reply_kind(reply: &Reply) -> &'static str {
    match reply {
        Reply::Hello => "greeting",
        Reply::Ok => "OK",
        Reply::InProgress => "in_progress",
        Reply::NotFound => "not_found",
        Reply::Finished(_) => "finished",
        Reply::Failed(_) => "failed",
        Reply::Invalid(_) => "invalid",
        Reply::Dump(_) => "dumped",
    }
}

macro_rules! recording {
    ($name:literal) => {
        include_str!(concat!("fixtures/lvmpolld-2.03.16/polld_", $name, ".jsonl"))
    };
}

#[test]
fn pvmove() {
    let expected = [
        ("hello", 5),
        ("greeting", 5),
        ("pvmove", 2),
        ("OK", 2),
        ("progress_info", 10),
        ("in_progress", 8),
        ("finished", 2),
        ("dump", 3),
        ("dumped", 3),
    ];
    assert_replayed(recording!("pvmove"), &expected);
}

#[test]
fn pvmove_in_the_background() {
    let expected = [
        ("hello", 7),
        ("greeting", 7),
        ("pvmove", 3),
        ("OK", 3),
        ("progress_info", 10),
        ("in_progress", 9),
        ("finished", 1),
        ("dump", 4),
        ("dumped", 4),
    ];
    assert_replayed(recording!("pvmove_background"), &expected);
}

#[test]
fn merge() {
    let expected = [
        ("hello", 8),
        ("greeting", 8),
        ("merge", 4),
        ("OK", 4),
        ("progress_info", 6),
        ("in_progress", 4),
        ("finished", 2),
        ("dump", 4),
        ("dumped", 4),
    ];
    assert_replayed(recording!("merge"), &expected);
}

#[test]
fn merge_of_an_invalid_snapshot() {
    let expected = [("hello", 2), ("greeting", 2), ("merge", 1), ("OK", 1), ("dump", 1), ("dumped", 1)];
    assert_replayed(recording!("merge_invalid"), &expected);
}

#[test]
fn merge_that_failed() {
    let expected = [
        ("hello", 2),
        ("greeting", 2),
        ("merge", 1),
        ("OK", 1),
        ("progress_info", 5),
        ("in_progress", 4),
        ("finished", 1),
        ("dump", 1),
        ("dumped", 1),
    ];
    assert_replayed(recording!("merge_failed"), &expected);
}
