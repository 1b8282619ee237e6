//! The story of an operation.

use super::*;
use crate::cli::samples::{bare, clock, id, pvmove};

fn entry(second: u8, step: HistoryStep, pid: Option<u32>, attempt: Option<u32>) -> HistoryEntry {
    let operation = pvmove(1, "vg0", None);
    HistoryEntry {
        time: format!("2026-11-21T11:50:{second:02}Z"),
        id: id(1),
        kind: operation.kind,
        abort: false,
        vgname: operation.vgname,
        lvname: operation.lvname,
        step,
        pid,
        attempt,
        outcome: None,
        asked_by: None,
        uid: None,
        segment: None,
        why: None,
    }
}

#[test]
fn each_step_has_its_words() {
    let mut end = entry(50, HistoryStep::Ended, Some(8), Some(2));
    end.outcome = Some(Outcome::of(OutcomeKind::Done));
    let mut copied = entry(40, HistoryStep::Segment, None, None);
    copied.segment = Some(SegmentDone { number: 2, count: 3, bytes: None, took_ms: None });
    let entries = [
        entry(0, HistoryStep::Intended, None, None),
        entry(1, HistoryStep::Started, Some(7), Some(1)),
        entry(20, HistoryStep::Adopted, Some(7), Some(1)),
        entry(30, HistoryStep::Retried, Some(7), Some(1)),
        entry(31, HistoryStep::Started, Some(8), Some(2)),
        copied,
        end,
        entry(51, HistoryStep::Forgotten, None, None),
    ];
    assert_eq!(
        bare(&table(&entries, &clock())),
        "\
TIME      ID        LV           KIND    STEP                                 PID  START
11:50:00  10000000  vg0/pvmove0  pvmove  asked for
11:50:01  10000000  vg0/pvmove0  pvmove  lvpoll started                         7      1
11:50:20  10000000  vg0/pvmove0  pvmove  lvpoll taken over                      7      1
11:50:30  10000000  vg0/pvmove0  pvmove  lvpoll ended, will be started again    7      1
11:50:31  10000000  vg0/pvmove0  pvmove  lvpoll started                         8      2
11:50:40  10000000  vg0/pvmove0  pvmove  segment 2 of 3 copied
11:50:50  10000000  vg0/pvmove0  pvmove  done                                   8      2
11:50:51  10000000  vg0/pvmove0  pvmove  result handed out, or expired
"
    );
}

#[test]
fn no_history_is_told_in_words() {
    assert_eq!(table(&[], &clock()), "nothing has happened yet\n");
}
