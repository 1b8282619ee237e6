//! What tests show: operations, events and a clock that stands still.

use std::collections::BTreeMap;

use anstream::adapter::strip_str;
use jiff::tz::TimeZone;
use lvmwarden_protocol::api::events::{Cursor, Event};
use lvmwarden_protocol::api::poll::{
    CopyProgress, ForeignCopy, ForeignKind, Operation, OperationState, Outcome,
};
use lvmwarden_protocol::poll::PollOperation;
use uuid::Uuid;

use super::screen::Clock;

/// Noon in UTC.
pub(super) fn clock() -> Clock {
    Clock { now: "2026-11-21T12:00:00Z".parse().unwrap(), zone: TimeZone::UTC }
}

/// The id with this number as its first half byte and zeros behind.
pub(super) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number << 124)
}

/// A pvmove that runs.
pub(super) fn pvmove(number: u128, vgname: &str, percent: Option<f64>) -> Operation {
    Operation {
        id: id(number),
        kind: PollOperation::Pvmove,
        abort: false,
        vgname: vgname.try_into().unwrap(),
        lvname: "pvmove0".try_into().unwrap(),
        lvid: "v".repeat(64).try_into().unwrap(),
        sysdir: None,
        state: OperationState::Running,
        pid: Some(4711),
        attempt: 1,
        init_requests: 1,
        started_at: "2026-11-21T11:45:00Z".to_owned(),
        percent,
        copy: None,
        blocked: None,
        paused: false,
        hold: None,
        silent: false,
        outcome: None,
        asked_by: Some("pvmove /dev/sdb".to_owned()),
    }
}

/// A raid's check.
pub(super) fn check(lvname: &str, percent: Option<f64>, mismatches: u64) -> ForeignCopy {
    let copy = CopyProgress {
        done_bytes: 8 << 20,
        total_bytes: 16 << 20,
        segment: 1,
        segments: 1,
        bytes_per_second: Some(1 << 20),
        left_seconds: Some(8),
    };
    ForeignCopy {
        vgname: "vg0".try_into().unwrap(),
        lvname: lvname.try_into().unwrap(),
        lvid: "v".repeat(64).try_into().unwrap(),
        kind: ForeignKind::Check,
        percent,
        copy: Some(copy),
        mismatches: Some(mismatches),
    }
}

/// An operation after its end.
pub(super) fn ended(operation: Operation, outcome: Outcome) -> Operation {
    Operation { state: OperationState::Ended, outcome: Some(outcome), ..operation }
}

/// An event in the minute before noon.
pub(super) fn event(number: u64, second: u8, kind: &str, subject: &str, fields: &[(&str, &str)]) -> Event {
    Event {
        cursor: Cursor::new("e", number).unwrap(),
        time: format!("2026-11-21T11:59:{second:02}.25Z"),
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        fields: fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<BTreeMap<_, _>>(),
    }
}

/// The text without colours.
pub(super) fn bare(text: &str) -> String {
    strip_str(text).to_string()
}
