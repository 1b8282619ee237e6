//! Lines for events and gaps.

use super::*;
use crate::cli::samples::{bare, clock, event};

#[test]
fn a_line_tells_time_kind_subject_and_what_is_for_people() {
    let fields = [("op", "0"), ("lvid", "v"), ("abort", "false"), ("kind", "pvmove"), ("pid", "7")];
    let started = event(1, 7, "poll.started", "vg0/pvmove0", &fields);
    assert_eq!(
        bare(&line(&started, &clock())),
        "11:59:07  poll.started        vg0/pvmove0  kind=pvmove pid=7\n"
    );
    let abort = event(2, 8, "poll.ended", "vg0/pvmove0", &[("abort", "true")]);
    assert!(line(&abort, &clock()).contains("abort=true"));
}

#[test]
fn a_good_end_is_green_and_any_other_red() {
    let ended = |outcome| event(1, 0, "poll.ended", "vg/lv", &[("outcome", outcome)]);
    assert_eq!(style(&ended("done")), GOOD);
    assert_eq!(style(&ended("failed")), BAD);
    assert_eq!(style(&ended("signal 9")), BAD);
}

#[test]
fn a_gap_says_how_many_are_missing_and_why() {
    let gap = |missed, because| Gap {
        after: Cursor::new("e", 1).unwrap(),
        before: Cursor::new("e", 9).unwrap(),
        missed,
        because,
    };
    assert_eq!(
        gap_words(&gap(Some(7), GapCause::Expired)),
        "-- 7 events are missing here: too old to be kept"
    );
    assert_eq!(
        gap_words(&gap(Some(1), GapCause::SlowReader)),
        "-- 1 event is missing here: not read fast enough"
    );
    assert_eq!(
        gap_words(&gap(None, GapCause::Restarted)),
        "-- events may be missing here: the daemon was started anew"
    );
}

#[test]
fn a_stream_is_over_after_its_last_event_or_when_enough_were_read() {
    let at = |number| Some(Cursor::new("e", number).unwrap());
    let is_over = |cursor, left, until| Stream { cursor, left, until }.is_over();
    assert!(!is_over(at(4), None, None));
    assert!(!is_over(at(4), Some(1), at(5)));
    assert!(is_over(at(5), None, at(5)));
    assert!(is_over(at(4), Some(0), None));
    assert!(!is_over(Some(Cursor::new("older", 9).unwrap()), None, at(5)));
}
