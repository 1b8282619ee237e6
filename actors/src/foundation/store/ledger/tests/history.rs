//! What the history tells, and what it gives up.

use lvmwarden_protocol::api::poll::{HistoryEntry, HistoryStep};

use super::super::history::{HISTORY_STEPS, Outbox};
use super::*;
use crate::roles::poll::operation::conclusion::Ending;

/// What `records` tell: whose step, and what.
fn told(records: &[Record]) -> Vec<(u128, What)> {
    let ledger: PollLedger = fold(records).unwrap();
    steps(&ledger).into_iter().map(|step| (step.op.as_u128(), step.what)).collect()
}

#[test]
fn every_step_of_an_operation_is_told_and_outlives_it() {
    let records = [
        intended(1, "A"),
        started(1, 1),
        retried(1, 1),
        started(1, 2),
        started(1, 3),
        ended(1, 5),
        forgotten(1),
    ];
    let expected = [
        What::Intended,
        What::Started { pid: 71, attempt: 1 },
        What::Retried { pid: Some(71), attempt: 1, why: None },
        What::Started { pid: 72, attempt: 2 },
        What::Adopted { pid: 73, attempt: 3 },
        What::Ended(Outcome::Retcode(5).into()),
        What::Forgotten,
    ];
    assert_eq!(told(&records), expected.map(|what| (1, what)));
}

#[test]
fn wishes_are_told_when_they_change() {
    let wished = |is_paused, is_aborted| Record::PollWished {
        op: op(1),
        wishes: Wishes { is_paused, is_aborted },
        at: Some(at(1)),
    };
    let changes = [wished(true, false), wished(true, false), wished(false, true), wished(false, true)];
    let records: Vec<_> = [intended(1, "A")].into_iter().chain(changes).collect();
    let expected = [What::Intended, What::Paused, What::Resumed, What::AbortAsked];
    assert_eq!(told(&records), expected.map(|what| (1, what)));
}

#[test]
fn a_result_that_gives_way_is_told_to_be_forgotten() {
    let records = [intended(1, "A"), ended(1, 5), intended(2, "A"), forgotten(1)];
    let expected = [
        (1, What::Intended),
        (1, What::Ended(Outcome::Retcode(5).into())),
        (1, What::Forgotten),
        (2, What::Intended),
    ];
    assert_eq!(told(&records), expected);
}

#[test]
fn what_is_not_known_or_has_no_time_is_not_told() {
    assert_eq!(told(&[forgotten(1)]), []);
    let without_time = Record::PollIntended { op: op(1), request: request("A"), uid: None, at: None };
    assert_eq!(told(&[without_time]), []);
}

#[test]
fn the_oldest_steps_are_given_up_and_the_latest_are_given_on_demand() {
    let pairs = |number| [intended(number, "A"), forgotten(number)];
    let count = HISTORY_STEPS as u128;
    let records: Vec<Record> = (1..=count).flat_map(pairs).collect();
    let mut ledger: PollLedger = fold(&records).unwrap();
    for _life in 0..2 {
        let kept = steps(&ledger);
        assert_eq!(kept.len(), HISTORY_STEPS);
        assert_eq!((kept[0].op, kept[HISTORY_STEPS - 1].op), (op(count / 2 + 1), op(count)));
        for (limit, expected) in [(0, 0), (3, 3), (HISTORY_STEPS + 1, HISTORY_STEPS)] {
            let latest: Vec<Step> = ledger.history(limit).cloned().collect();
            assert_eq!(latest, kept[HISTORY_STEPS - expected..], "{limit}");
        }
        ledger = fold(&ledger.records()).unwrap();
    }
}

#[test]
fn what_is_behind_the_step_that_was_copied_last_is_to_be_copied() {
    let ledger: PollLedger = fold(&[intended(1, "A"), started(1, 1), ended(1, 0)]).unwrap();
    let all = steps(&ledger);
    let outbox = |last: Option<&Step>, limit| ledger.outbox(last, limit);
    let complete = |steps: &[Step]| Outbox { steps: steps.to_vec(), is_incomplete: false };
    assert_eq!(outbox(None, 9), complete(&all));
    assert_eq!(outbox(None, 2), complete(&all[..2]));
    assert_eq!(outbox(Some(&all[0]), 9), complete(&all[1..]));
    assert_eq!(outbox(Some(&all[2]), 9), complete(&[]));
    let of_an_earlier_boot = Step { at: at(0), ..all[0].clone() };
    assert_eq!(outbox(Some(&of_an_earlier_boot), 9), complete(&all));
}

#[test]
fn steps_that_were_given_up_before_they_were_copied_are_known_to_be_missing() {
    let begin = [intended(1, "A"), ended(1, 0)];
    let copied = steps(&fold(&begin).unwrap()).remove(1);
    let pairs = |number| [intended(number, "A"), forgotten(number)];
    let many = (2..=HISTORY_STEPS as u128).flat_map(pairs);
    let ledger: PollLedger = fold(&begin.into_iter().chain(many).collect::<Vec<_>>()).unwrap();
    let outbox = ledger.outbox(Some(&copied), usize::MAX);
    assert_eq!((outbox.steps.len(), outbox.is_incomplete), (HISTORY_STEPS, true));
    let outbox = ledger.outbox(Some(&outbox.steps[0]), usize::MAX);
    assert_eq!((outbox.steps.len(), outbox.is_incomplete), (HISTORY_STEPS - 1, false));
}

#[test]
fn a_step_is_an_entry_for_clients() {
    let lost = Ending::from(Outcome::Lost { reason: "no process".to_owned() });
    let (pid, attempt) = (Some(71), Some(2));
    for (what, step, pid, attempt, outcome) in [
        (What::Intended, HistoryStep::Intended, None, None, None),
        (What::Started { pid: 71, attempt: 2 }, HistoryStep::Started, pid, attempt, None),
        (What::Adopted { pid: 71, attempt: 2 }, HistoryStep::Adopted, pid, attempt, None),
        (What::Retried { pid, attempt: 2, why: None }, HistoryStep::Retried, pid, attempt, None),
        (What::Recovered, HistoryStep::Recovered, None, None, None),
        (What::Paused, HistoryStep::Paused, None, None, None),
        (What::Resumed, HistoryStep::Resumed, None, None, None),
        (What::AbortAsked, HistoryStep::AbortAsked, None, None, None),
        (What::Ended(lost.clone()), HistoryStep::Ended, None, None, Some(lost.into())),
        (What::Forgotten, HistoryStep::Forgotten, None, None, None),
    ] {
        let expected = HistoryEntry {
            time: "2001-09-09T01:46:47.000Z".to_owned(),
            id: op(7),
            kind: PollOperation::Pvmove,
            abort: false,
            vgname: "vg".try_into().unwrap(),
            lvname: "pvmove0".try_into().unwrap(),
            step,
            pid,
            attempt,
            outcome,
            asked_by: None,
            uid: None,
            segment: None,
            why: None,
        };
        assert_eq!(HistoryEntry::from(Step::new(at(7), op(7), &request("A"), what)), expected);
    }
}
