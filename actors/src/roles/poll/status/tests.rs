//! Operations in words.

use std::time::Duration;

use jiff::Timestamp;
use lvmwarden_protocol::ids::{OperationId, Store};
use lvmwarden_protocol::poll::{Request, StartRequest};
use uuid::Uuid;

use super::*;

/// Returns a running operation that began `second` seconds after an early one.
fn running(kind: &str, lv: &str, second: i64, percent: Option<f64>) -> Description {
    let (vgname, lvname) = lv.split_once('/').unwrap();
    let message = format!(
        "request=\"{kind}\"\nlvid=\"{lv}\"\nvgname=\"{vgname}\"\nlvname=\"{lvname}\"\ninterval=\"1\"\n"
    );
    let Ok(Request::Start(request)) = Request::parse(message.as_bytes()) else { panic!("{message}") };
    let request: StartRequest = request;
    Description {
        id: OperationId::new(Store::Poll, None, &request.lvid),
        op: Uuid::nil(),
        request,
        uid: None,
        started_at: Timestamp::from_second(second).unwrap(),
        state: OperationState::Running,
        pid: Some(1),
        attempt: 1,
        init_requests: 1,
        percent,
        copy: None,
        silence_limit: Duration::MAX,
        silent: false,
        stuck: None,
        is_paused: false,
        hold: None,
        ending: None,
    }
}

#[test]
fn operations_are_told_in_the_order_of_their_beginnings() {
    let pvmove = running("pvmove", "vg0/pvmove0", 5, Some(45.4));
    let mut abort = running("pvmove", "vg1/pvmove1", 3, None);
    abort.request.abort = true;
    let merge = running("merge_thin", "vg/root", 4, Some(0.0));
    let mut ended = running("convert", "vg/done", 1, Some(100.0));
    ended.state = OperationState::Ended;
    let late = running("convert", "vg/late", 9, None);
    for (operations, words) in [
        (vec![], "nothing to poll"),
        (vec![ended.clone()], "nothing to poll"),
        (vec![pvmove.clone()], "polling pvmove vg0/pvmove0 45%"),
        (
            vec![pvmove.clone(), ended.clone(), abort.clone(), merge.clone()],
            "polling pvmove (abort) vg1/pvmove1, merge_thin vg/root 0%, pvmove vg0/pvmove0 45%",
        ),
        (
            vec![pvmove, late.clone(), abort, merge, late],
            "polling pvmove (abort) vg1/pvmove1, merge_thin vg/root 0%, pvmove vg0/pvmove0 45%, and 2 more",
        ),
    ] {
        assert_eq!(in_words(&operations), words);
    }
}
