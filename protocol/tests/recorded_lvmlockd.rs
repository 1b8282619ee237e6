//! Replays what real lvm commands, the real lvmlockctl and the real lvmlockd of lvm2 2.03.16 said to each other, with
//! sanlock and with dlm, on one host and on two.
//!
//! Every request and every reply in `fixtures/lvmlockd-2.03.16/` must parse to what it means, and our writers must
//! reproduce both byte for byte.

use std::collections::BTreeMap;

use lvmwarden_protocol::lock::{Reply, Request};
use serde_json::Value;

/// Checks one recording; the number of its messages is known, and so is that of each result of a `lock_lv`.
#[track_caller]
fn assert_replayed(recording: &str, messages: usize, lock_lv_results: &[(i32, usize)]) {
    let mut seen = 0;
    let mut results: BTreeMap<i32, usize> = BTreeMap::new();
    let mut asked: BTreeMap<i64, &'static str> = BTreeMap::new();
    for line in recording.lines() {
        let line: Value = serde_json::from_str(line).expect("one JSON object a line");
        let message = line["msg"].as_str().expect("a string");
        let connection = line["conn"].as_i64().expect("a number");
        let written = if line["dir"] == "c2s" {
            let request = Request::parse(message.as_bytes()).expect("a request");
            asked.insert(connection, request.operation.keyword());
            request.to_bytes()
        } else {
            let reply = Reply::parse(message.as_bytes()).expect("a reply");
            if asked.get(&connection) == Some(&"lock_lv") {
                *results.entry(reply.result().0).or_default() += 1;
            }
            reply.to_bytes()
        };
        assert_eq!(String::from_utf8_lossy(&written), message);
        seen += 1;
    }
    assert_eq!(seen, messages);
    assert_eq!(results.into_iter().collect::<Vec<_>>(), lock_lv_results);
}

macro_rules! recording {
    ($name:literal) => {
        include_str!(concat!("fixtures/lvmlockd-2.03.16/lockd_", $name, ".jsonl"))
    };
}

#[test]
fn dlm_adopt_a() {
    assert_replayed(recording!("dlm_adopt_a"), 92, &[(-2, 1), (0, 4)]);
}

#[test]
fn dlm_adopt_b() {
    assert_replayed(recording!("dlm_adopt_b"), 66, &[(-11, 2), (0, 2)]);
}

#[test]
fn dlm_two_hosts_a_boot1() {
    assert_replayed(recording!("dlm_two_hosts_a_boot1"), 150, &[(-17, 1), (-2, 6), (0, 5)]);
}

#[test]
fn dlm_two_hosts_a_boot2() {
    assert_replayed(recording!("dlm_two_hosts_a_boot2"), 100, &[(-11, 1), (0, 18)]);
}

#[test]
fn dlm_two_hosts_b() {
    assert_replayed(recording!("dlm_two_hosts_b"), 230, &[(-11, 4), (-2, 5), (0, 8)]);
}

#[test]
fn sanlock_adopt() {
    assert_replayed(recording!("sanlock_adopt"), 126, &[(-2, 2), (0, 6)]);
}

#[test]
fn sanlock_kill_drop() {
    assert_replayed(recording!("sanlock_kill_drop"), 154, &[(0, 4)]);
}

#[test]
fn sanlock_single() {
    assert_replayed(recording!("sanlock_single"), 316, &[(-114, 1), (-2, 1), (0, 13)]);
}

#[test]
fn sanlock_two_hosts_a_boot1() {
    assert_replayed(recording!("sanlock_two_hosts_a_boot1"), 158, &[(-2, 6), (0, 5)]);
}

#[test]
fn sanlock_two_hosts_a_boot2() {
    assert_replayed(recording!("sanlock_two_hosts_a_boot2"), 26, &[(-11, 1)]);
}

#[test]
fn sanlock_two_hosts_b() {
    assert_replayed(recording!("sanlock_two_hosts_b"), 390, &[(-11, 27), (-2, 6), (0, 3)]);
}
