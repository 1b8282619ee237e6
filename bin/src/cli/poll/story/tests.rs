//! Stories as they are told.

use lvmwarden_protocol::api::poll::{HistoryStep as Step, Outcome, OutcomeKind};

use super::*;
use crate::cli::samples::{bare, clock, id, pvmove};

/// A step so many tenths of a second after the first.
fn entry(tenths: u32, step: HistoryStep) -> HistoryEntry {
    let operation = pvmove(1, "vg0", None);
    HistoryEntry {
        time: format!("2026-11-21T11:{:02}:{:02}.{}Z", 50 + tenths / 600, tenths / 10 % 60, tenths % 10),
        id: id(1),
        kind: operation.kind,
        abort: false,
        vgname: operation.vgname,
        lvname: operation.lvname,
        step,
        pid: None,
        attempt: None,
        outcome: None,
        asked_by: None,
        uid: None,
        segment: None,
        why: None,
    }
}

fn with_pid(tenths: u32, step: HistoryStep, pid: u32) -> HistoryEntry {
    HistoryEntry { pid: Some(pid), ..entry(tenths, step) }
}

fn copied(tenths: u32, number: u32, count: u32, seen: Option<(u64, u64)>) -> HistoryEntry {
    let (bytes, took_ms) = seen.unzip();
    HistoryEntry {
        segment: Some(SegmentDone { number, count, bytes, took_ms }),
        ..entry(tenths, Step::Segment)
    }
}

fn story(steps: Vec<HistoryEntry>) -> OperationStory {
    let operation = pvmove(1, "vg0", None);
    OperationStory {
        id: id(1),
        kind: operation.kind,
        abort: false,
        vgname: operation.vgname,
        lvname: operation.lvname,
        asked_by: None,
        uid: None,
        is_over: false,
        left_out: 0,
        steps,
    }
}

const MIB: u64 = 1 << 20;

#[test]
fn a_pvmove_with_a_killed_daemon_is_a_story() {
    let mut asked = entry(0, Step::Intended);
    (asked.asked_by, asked.uid) = (Some("pvmove -b /dev/sda".to_owned()), Some(0));
    let mut retried = with_pid(300, Step::Retried, 73);
    retried.why = Some("killed".to_owned());
    let mut ended = entry(900, Step::Ended);
    ended.outcome = Some(Outcome::of(OutcomeKind::Done));
    let told = story(vec![
        asked,
        with_pid(1, Step::Started, 71),
        copied(31, 1, 4, Some((64 * MIB, 3000))),
        with_pid(32, Step::Started, 72),
        entry(200, Step::Recovered),
        with_pid(201, Step::Adopted, 72),
        copied(202, 3, 4, None),
        with_pid(203, Step::Started, 73),
        retried,
        with_pid(302, Step::Started, 74),
        copied(899, 4, 4, Some((64 * MIB, 59_700))),
        ended,
        entry(901, Step::Forgotten),
    ]);
    let lines = [
        "11:50:00              asked for by pvmove -b /dev/sda (root)",
        "11:50:00      +0.1 s  lvpoll 71 started",
        "11:50:03      +3.0 s  segment 1 of 4 copied in 3.0 s (64.00 MiB)",
        "11:50:20       +17 s  the daemon was started anew, and went on",
        "11:50:20      +0.1 s  lvpoll 72 taken over",
        "11:50:20      +0.1 s  segments 2 to 3 of 4 copied",
        "11:50:30      +9.8 s  lvpoll 73 ended (it was killed), and is started again",
        "11:50:30      +0.2 s  lvpoll 74 started",
        "11:51:29  +1 min 0 s  segment 4 of 4 copied in 1 min 0 s (64.00 MiB)",
        "11:51:30      +0.1 s  done",
        "11:51:30      +0.1 s  result handed out, or expired",
        "lvpoll was started 4 times in all",
    ];
    let expected: String = lines.map(|line| format!("  {line}\n")).concat();
    assert_eq!(bare(&narrative(&told, &clock())), expected);
}

#[test]
fn many_segments_are_told_in_few_lines() {
    let segments = (1..=40).map(|number| copied(number * 10, number, 40, Some((MIB, 1000))));
    let told = bare(&narrative(&story(segments.collect()), &clock()));
    let words: Vec<_> = told.lines().map(|line| line.rsplit("  ").next().unwrap()).collect();
    assert_eq!(
        words,
        [
            "segment 1 of 40 copied in 1.0 s (1.00 MiB)",
            "segment 2 of 40 copied in 1.0 s (1.00 MiB)",
            "segment 3 of 40 copied in 1.0 s (1.00 MiB)",
            "segments 4 to 37 of 40 copied in 34 s (34.00 MiB)",
            "segment 38 of 40 copied in 1.0 s (1.00 MiB)",
            "segment 39 of 40 copied in 1.0 s (1.00 MiB)",
            "segment 40 of 40 copied in 1.0 s (1.00 MiB)",
        ]
    );
}

#[test]
fn what_cuts_a_story_short_is_told() {
    let mut fell_back = entry(1, Step::FellBack);
    fell_back.why = Some("no device".to_owned());
    let steps = vec![
        fell_back,
        entry(1, Step::Paused),
        entry(1, Step::Resumed),
        entry(2, Step::StepsMissing),
        entry(3, Step::JournalLost),
        entry(4, Step::HostRestarted),
    ];
    let told = bare(&narrative(&OperationStory { left_out: 7, ..story(steps) }, &clock()));
    assert_eq!(
        told,
        "  11:50:00          lvpoll watches from now on: no device
  11:50:00  +0.0 s  asked to pause at the end of a segment
  11:50:00  +0.0 s  asked to go on
  11:50:00  +0.1 s  steps are missing here: the disk did not take them
  11:50:00  +0.1 s  the daemon's journal was lost before an end was known
  11:50:00  +0.1 s  the host was restarted before an end was known
  7 steps before the latest had no room
"
    );
}

#[test]
fn who_asked_is_a_command_line_and_a_user() {
    assert_eq!(asked_by(Some("pvmove"), Some(1000)), "pvmove (user 1000)");
    assert_eq!(asked_by(Some("pvmove"), None), "pvmove");
    assert_eq!(asked_by(None, Some(0)), "root");
    assert_eq!(asked_by(None, None), "");
}

#[test]
fn the_time_over_a_step_back_of_the_clock_is_told_as_unknown() {
    let told = bare(&narrative(&story(vec![entry(600, Step::Paused), entry(0, Step::Resumed)]), &clock()));
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines[1], "  11:50:00  unknown  asked to go on");
}
