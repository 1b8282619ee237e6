//! What the journal's records fold to, and which are refused.

use lvmwarden_protocol::poll::PollOperation;
use lvmwarden_supervisor::journal::fold;
use lvmwarden_supervisor::process::BootId;
use proptest::prelude::*;

use super::*;
use crate::roles::poll::operation::outcome::Outcome;

mod formats;
mod history;

fn op(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A time for everything that happens to one operation.
fn at(number: u128) -> Timestamp {
    Timestamp::from_second(1_000_000_000 + i64::try_from(number).unwrap()).unwrap()
}

fn request(lvid: &str) -> StartRequest {
    StartRequest {
        kind: PollOperation::Pvmove,
        abort: false,
        handle_missing_pvs: false,
        lvid: lvid.try_into().unwrap(),
        vgname: "vg".try_into().unwrap(),
        lvname: "pvmove0".try_into().unwrap(),
        interval: "15".try_into().unwrap(),
        sysdir: None,
        devicesfile: None,
        cmdline: None,
    }
}

fn process(pid: u32) -> ProcessIdentity {
    ProcessIdentity { pid, start_time_ticks: 5, boot_id: BootId::of_a_test("boot") }
}

fn intended(number: u128, lvid: &str) -> Record {
    Record::PollIntended { op: op(number), request: request(lvid), uid: Some(7), at: Some(at(number)) }
}

fn started(number: u128, attempt: u32) -> Record {
    Record::PollStarted {
        op: op(number),
        process: process(70 + attempt),
        attempt,
        adopted: attempt == 3,
        at: Some(at(number)),
    }
}

fn retried(number: u128, attempt: u32) -> Record {
    Record::PollRetried { op: op(number), pid: Some(70 + attempt), attempt, why: None, at: at(number) }
}

fn ended(number: u128, code: i32) -> Record {
    Record::PollEnded { op: op(number), ending: Outcome::Retcode(code).into(), at: Some(at(number)) }
}

fn forgotten(number: u128) -> Record {
    Record::PollForgotten { op: op(number), at: Some(at(number)) }
}

fn life_started(attempt: u32) -> Life {
    Life::Started { process: process(70 + attempt), attempt }
}

fn life_ended(code: i32) -> Life {
    Life::Ended(Outcome::Retcode(code).into())
}

/// Returns the operations of a ledger, ordered by name.
fn operations(ledger: &PollLedger) -> Vec<Recovered> {
    let mut operations: Vec<Recovered> = ledger.operations().cloned().collect();
    operations.sort_by_key(|operation| operation.op);
    operations
}

/// Returns the whole history of a ledger.
fn steps(ledger: &PollLedger) -> Vec<Step> {
    ledger.history(usize::MAX).cloned().collect()
}

/// What `records` fold to: the lives of the operations, by name.
#[track_caller]
fn assert_folds(records: &[Record], lives: &[(u128, Life)]) {
    let ledger: PollLedger = fold(records).unwrap();
    let folded: Vec<_> = operations(&ledger).into_iter().map(|known| (known.op, known.life)).collect();
    let expected: Vec<_> = lives.iter().map(|(number, life)| (op(*number), life.clone())).collect();
    assert_eq!(folded, expected);
}

/// The last of `records` is illegal, and changes nothing.
#[track_caller]
fn assert_illegal(records: &[Record], expected: Illegal) {
    let (last, before) = records.split_last().unwrap();
    let mut ledger: PollLedger = fold(before).unwrap();
    let unchanged = operations(&ledger);
    assert_eq!(ledger.apply(last), Err(expected));
    assert_eq!(operations(&ledger), unchanged);
}

#[test]
fn an_operation_lives_from_its_intent_until_it_is_forgotten() {
    let records = [intended(1, "A"), started(1, 1), started(1, 2), ended(1, 0), forgotten(1)];
    assert_folds(&records[..1], &[(1, Life::Intended)]);
    assert_folds(&records[..2], &[(1, life_started(1))]);
    assert_folds(&records[..3], &[(1, life_started(2))]);
    assert_folds(&records[..4], &[(1, life_ended(0))]);
    assert_folds(&records, &[]);
}

#[test]
fn an_operation_may_end_or_be_forgotten_before_its_child_is_known() {
    assert_folds(&[intended(1, "A"), ended(1, 101)], &[(1, life_ended(101))]);
    assert_folds(&[intended(1, "A"), forgotten(1)], &[]);
}

#[test]
fn an_operation_that_has_ended_gives_way_to_the_next_on_its_lv() {
    let records = [intended(1, "A"), ended(1, 5), intended(2, "A")];
    assert_folds(&records, &[(2, Life::Intended)]);
}

#[test]
fn to_forget_the_predecessor_leaves_the_successor() {
    let records = [intended(1, "A"), ended(1, 5), intended(2, "A"), forgotten(1)];
    assert_folds(&records, &[(2, Life::Intended)]);
    let ledger: PollLedger = fold(&records).unwrap();
    assert_eq!(ledger.get(&request("A").id()).map(|known| known.op), Some(op(2)));
}

#[test]
fn operations_on_different_lvs_do_not_touch_one_another() {
    let records = [intended(1, "A"), intended(2, "B"), started(2, 1), ended(1, 0)];
    assert_folds(&records, &[(1, life_ended(0)), (2, life_started(1))]);
}

#[test]
fn a_record_may_be_repeated() {
    let records = [intended(1, "A"), started(1, 1), retried(1, 1), started(1, 2), ended(1, 0), forgotten(1)];
    for length in 1..=records.len() {
        let once: PollLedger = fold(&records[..length]).unwrap();
        let twice = [&records[..length], &records[length - 1..length]].concat();
        let twice: PollLedger = fold(&twice).unwrap();
        assert_eq!(operations(&twice), operations(&once), "{length} records");
        assert_eq!(steps(&twice), steps(&once), "{length} records");
    }
}

#[test]
fn what_cannot_follow_is_illegal() {
    let unknown = Illegal::UnknownOperation { op: op(1) };
    let has_ended = Illegal::HasEnded { op: op(1) };
    let in_progress = Illegal::InProgress { op: op(2), id: request("A").id() };
    assert_illegal(&[started(1, 1)], unknown.clone());
    assert_illegal(&[ended(1, 0)], unknown.clone());
    assert_illegal(&[retried(1, 1)], unknown.clone());
    assert_illegal(&[intended(1, "A"), forgotten(1), started(1, 1)], unknown.clone());
    assert_illegal(&[intended(1, "A"), ended(1, 0), intended(2, "A"), ended(1, 0)], unknown);
    assert_illegal(&[intended(1, "A"), intended(2, "A")], in_progress.clone());
    assert_illegal(&[intended(1, "A"), started(1, 1), intended(2, "A")], in_progress);
    assert_illegal(&[intended(1, "A"), ended(1, 0), started(1, 1)], has_ended.clone());
    assert_illegal(&[intended(1, "A"), ended(1, 0), retried(1, 1)], has_ended.clone());
    assert_illegal(&[intended(1, "A"), ended(1, 0), ended(1, 5)], has_ended);
}

#[test]
fn an_operation_stays_what_it_was_intended_for() {
    let convert = StartRequest { kind: PollOperation::Convert, ..request("A") };
    let changed = Record::PollIntended { op: op(1), request: convert, uid: None, at: None };
    let in_progress = Illegal::InProgress { op: op(1), id: request("A").id() };
    assert_illegal(&[intended(1, "A"), changed], in_progress.clone());
    assert_illegal(&[intended(1, "A"), intended(1, "B")], in_progress);
    assert_illegal(&[intended(1, "A"), ended(1, 0), intended(1, "A")], Illegal::HasEnded { op: op(1) });
}

#[test]
fn poll_and_abort_of_one_lv_are_two_operations() {
    let abort = StartRequest { abort: true, ..request("A") };
    let records =
        [intended(1, "A"), Record::PollIntended { op: op(2), request: abort.clone(), uid: None, at: None }];
    assert_folds(&records, &[(1, Life::Intended), (2, Life::Intended)]);
    let ledger: PollLedger = fold(&records).unwrap();
    assert_eq!(ledger.get(&abort.id()).map(|known| known.op), Some(op(2)));
}

fn record() -> impl Strategy<Value = Record> {
    let (number, lvid) = (1..5_u128, prop::sample::select(vec!["A", "B", "C"]));
    prop_oneof![
        3 => (number.clone(), lvid).prop_map(|(number, lvid)| intended(number, lvid)),
        2 => (number.clone(), 1..4_u32).prop_map(|(number, attempt)| started(number, attempt)),
        1 => (number.clone(), 1..4_u32).prop_map(|(number, attempt)| retried(number, attempt)),
        2 => (number.clone(), 0..3).prop_map(|(number, code)| ended(number, code)),
        1 => number.prop_map(forgotten),
    ]
}

fn invariant_each_lv_has_its_operation(ledger: &PollLedger) {
    assert_eq!(ledger.by_id.len(), ledger.operations.len());
    for known in ledger.operations() {
        assert_eq!(ledger.get(&known.request.id()), Some(known));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn its_own_records_fold_to_the_same_ledger(records in prop::collection::vec(record(), 0..40)) {
        let mut ledger = PollLedger::default();
        for record in &records {
            let before = (operations(&ledger), steps(&ledger));
            if ledger.apply(record).is_err() {
                let after = (operations(&ledger), steps(&ledger));
                prop_assert_eq!(after, before, "an illegal record changes nothing");
            }
            invariant_each_lv_has_its_operation(&ledger);
        }
        let again: PollLedger = fold(&ledger.records()).unwrap();
        prop_assert_eq!(operations(&again), operations(&ledger));
        prop_assert_eq!(steps(&again), steps(&ledger));
    }
}

#[test]
fn what_is_wished_of_an_operation_is_kept_with_it() {
    let abort = StartRequest { abort: true, ..request("A") };
    let paused = Wishes { is_paused: true, is_aborted: false };
    let records = [
        intended(1, "A"),
        Record::PollWished { op: op(1), wishes: paused, at: None },
        Record::PollIntended { op: op(2), request: abort, uid: None, at: None },
    ];
    let ledger: PollLedger = fold(&records).unwrap();
    let wishes = |ledger: &PollLedger, number| ledger.find(op(number)).unwrap().wishes;
    let expected = (Wishes { is_paused: true, is_aborted: true }, Wishes::default());
    assert_eq!((wishes(&ledger, 1), wishes(&ledger, 2)), expected);
    let again: PollLedger = fold(&ledger.records()).unwrap();
    assert_eq!((wishes(&again, 1), wishes(&again, 2)), expected);
}

#[test]
fn what_a_role_keeps_is_the_latest_of_each_key_and_outlives_a_snapshot() {
    let kept = |key: &str, value: Option<u32>| Record::Kept {
        role: "reconfigure".to_owned(),
        key: key.to_owned(),
        value: value.map(Into::into),
    };
    let mut ledger = PollLedger::default();
    let records = [kept("a", Some(1)), kept("b", Some(2)), kept("a", Some(3)), kept("b", None)];
    for record in &records {
        ledger.apply(record).expect("it is legal");
    }
    assert_eq!(ledger.records(), [kept("a", Some(3))]);
    let mut again = PollLedger::default();
    for record in ledger.records() {
        again.apply(&record).expect("it is legal");
    }
    assert_eq!(again.kept("reconfigure").collect::<Vec<_>>(), [("a", &3.into())]);
    assert_eq!(again.kept("poll").count(), 0);
}
