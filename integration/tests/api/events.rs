//! Readers that were away.

use lvmwarden_integration::site::Site;
use serde_json::{Value, json};

use crate::support::{Client, start_pvmove};

const SUBSCRIBE: &str = "org.lvmwarden.Events.Subscribe";

/// Makes one event happen.
fn happen(client: &mut Client, number: usize) {
    let level = ["info", "debug"][number % 2];
    client.call("org.lvmwarden.Supervisor.SetLogLevel", &json!({ "level": level }));
}

/// Returns the place of an event within its stream.
fn number(cursor: &Value) -> u64 {
    cursor.as_str().unwrap().rsplit_once(':').unwrap().1.parse().unwrap()
}

/// Reads `count` events from behind `cursor`, and returns their cursors.
fn read(site: &Site, cursor: &Value, count: usize) -> Vec<Value> {
    let mut reader = Client::connect(site);
    reader.stream(SUBSCRIBE, &json!({ "cursor": cursor, "limit": count }));
    (0..count)
        .map(|index| {
            let (told, continues) = reader.next_of_stream();
            assert_eq!(continues, index + 1 < count);
            assert!(told["gap"].is_null(), "{told}");
            told["event"]["cursor"].clone()
        })
        .collect()
}

#[test]
fn a_reader_that_comes_and_goes_misses_nothing() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    happen(&mut client, 0);
    let recent = client.call("org.lvmwarden.Events.Recent", &json!({ "limit": 1 }));
    let first = recent["events"][0]["cursor"].clone();
    let mut numbers = vec![number(&first)];
    let mut cursor = first;
    for visit in 0..5 {
        (1..=20).for_each(|event| happen(&mut client, event));
        // A few stay behind for the next visit.
        let cursors = read(&site, &cursor, 15 + visit);
        numbers.extend(cursors.iter().map(number));
        cursor = cursors.last().unwrap().clone();
    }
    let expected: Vec<u64> = (numbers[0]..).take(numbers.len()).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn what_happens_to_an_operation_is_told_in_its_order() {
    let site = Site::new();
    let _service = site.service().start();
    let mut reader = Client::connect(&site);
    reader.stream(SUBSCRIBE, &json!({}));
    let mut client = Client::connect(&site);
    // The reader's call came first, but on a connection of its own.
    happen(&mut client, 1);
    happen(&mut client, 2);
    let pvmove = site.pvmove("pvmove0");
    let (id, child) = start_pvmove(&site, &mut client, &pvmove);
    let subject = pvmove.path();
    let mut kinds = Vec::new();
    site.lvm.tell_exit(&child, 5);
    while kinds.last().is_none_or(|last| last != "poll.ended") {
        let told = reader.await_in_stream(|told| told["event"]["subject"] == *subject);
        assert_eq!(told["event"]["fields"]["op"], *id);
        kinds.push(told["event"]["kind"].as_str().unwrap().to_owned());
    }
    assert_eq!(kinds, ["poll.intended", "poll.started", "poll.child_ended", "poll.ended"]);
}

#[test]
fn after_a_killed_daemon_the_gap_is_told() {
    let site = Site::new();
    let service = site.service().start();
    let mut client = Client::connect(&site);
    happen(&mut client, 1);
    let recent = client.call("org.lvmwarden.Events.Recent", &json!({ "limit": 1 }));
    let cursor = recent["events"][0]["cursor"].clone();
    service.kill();
    let _service = site.service().start();
    let mut reader = Client::connect(&site);
    reader.stream(SUBSCRIBE, &json!({ "cursor": cursor }));
    let (told, _) = reader.next_of_stream();
    let gap = &told["gap"];
    assert_eq!(
        (&gap["because"], &gap["missed"], &gap["after"]),
        (&json!("restarted"), &Value::Null, &cursor)
    );
    // All of the new life is told, from its first event on.
    let (told, _) = reader.next_of_stream();
    assert_eq!(told["event"]["cursor"], gap["before"]);
    assert_eq!((number(&gap["before"]), &told["event"]["kind"]), (1, &json!("service.started")));
}

#[test]
fn who_was_away_too_long_is_told_how_much_is_missing() {
    let site = Site::new();
    let _service = site.service().set("events.keep", "100").start();
    let mut client = Client::connect(&site);
    happen(&mut client, 1);
    let recent = client.call("org.lvmwarden.Events.Recent", &json!({ "limit": 1 }));
    let cursor = recent["events"][0]["cursor"].clone();
    (0..150).for_each(|event| happen(&mut client, event));
    let mut reader = Client::connect(&site);
    reader.stream(SUBSCRIBE, &json!({ "cursor": cursor }));
    let (told, _) = reader.next_of_stream();
    assert_eq!((&told["gap"]["because"], &told["gap"]["missed"]), (&json!("expired"), &json!(50)), "{told}");
    let (told, _) = reader.next_of_stream();
    assert_eq!(number(&told["event"]["cursor"]), number(&cursor) + 51);
}
