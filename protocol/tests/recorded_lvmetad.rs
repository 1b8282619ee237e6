//! Replays what real lvm commands, the real lvmetactl and the real lvmetad of lvm2 2.02.188 said to each other.
//!
//! Every request and every reply in `fixtures/lvmetad-2.02.188/` must parse to what it means. Our writers must reproduce
//! the replies byte for byte, and the requests but for blanks that mean nothing. Two things differ, and are counted: hints of
//! where a PV was are never kept, and lvmetactl says its token before what it disables.

use bytes::BytesMut;
use lvmwarden_protocol::config_text;
use lvmwarden_protocol::metadata::{Reply, Request};
use serde_json::Value;

/// What was seen in a recording.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    messages: usize,
    /// Requests with hints of where PVs were.
    with_hints: usize,
    /// Requests whose fields are in another order.
    other_order: usize,
}

fn canonical(text: &str) -> String {
    let mut out = BytesMut::new();
    config_text::parse(text.as_bytes()).expect("config text").write(&mut out);
    String::from_utf8(out.to_vec()).expect("it was text")
}

fn assert_request(message: &str, seen: &mut Seen) {
    let request = Request::parse(message.as_bytes());
    let written = String::from_utf8(request.to_bytes().to_vec()).expect("it was text");
    let sent = canonical(message);
    if written == sent {
        return;
    }
    let without_hints: String =
        sent.split_inclusive('\n').filter(|line| !line.starts_with("\t\t\tdevice=\"")).collect();
    if written == without_hints {
        seen.with_hints += 1;
        return;
    }
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&written), sorted(&sent), "{message}");
    assert_eq!(Request::parse(written.as_bytes()), request);
    seen.other_order += 1;
}

#[track_caller]
fn assert_replayed(recording: &str, expected: &Seen) {
    let mut seen = Seen::default();
    for line in recording.lines() {
        let line: Value = serde_json::from_str(line).expect("one JSON object a line");
        let message = line["msg"].as_str().expect("a string");
        if line["dir"] == "c2s" {
            assert_request(message, &mut seen);
        } else {
            let reply = Reply::parse(message.as_bytes()).expect("a reply");
            assert_eq!(String::from_utf8_lossy(&reply.to_bytes()), message);
        }
        seen.messages += 1;
    }
    assert_eq!(&seen, expected);
}

macro_rules! recordings {
    ($($name:ident: $messages:literal, $with_hints:literal, $other_order:literal;)*) => {$(
        #[test]
        fn $name() {
            let recording = include_str!(concat!("fixtures/lvmetad-2.02.188/metad_", stringify!($name), ".jsonl"));
            let (messages, with_hints, other_order) = ($messages, $with_hints, $other_order);
            assert_replayed(recording, &Seen { messages, with_hints, other_order });
        }
    )*};
}

recordings! {
    cfgrestore: 206, 7, 2;
    create: 260, 4, 0;
    ctl: 334, 5, 1;
    device_gone: 466, 9, 0;
    export_import: 300, 10, 0;
    new_uuids: 390, 11, 0;
    remove: 290, 5, 0;
    reshape: 524, 16, 0;
}
