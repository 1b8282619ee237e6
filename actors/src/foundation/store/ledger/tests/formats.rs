//! Records as they were written, release by release.

use lvmwarden_protocol::api::poll::OutcomeKind;

use super::*;
use crate::roles::poll::operation::conclusion::{Conclusion, Ending};
use crate::roles::poll::operation::segments::SegmentDone;
use crate::roles::poll::throttle::Knob;
use crate::roles::poll::throttle::state::Held;

/// Records as they were before they had times, one a line; never to be changed.
const FORMAT_1: &str = include_str!("../../../../../tests/fixtures/poll-records-1.jsonl");
/// What has come with times; never to be changed.
const FORMAT_2: &str = include_str!("../../../../../tests/fixtures/poll-records-2.jsonl");
/// What has come with more to tell; never to be changed.
const FORMAT_3: &str = include_str!("../../../../../tests/fixtures/poll-records-3.jsonl");
/// What has come since then; never to be changed once it is released.
const FORMAT_4: &str = include_str!("../../../../../tests/fixtures/poll-records-4.jsonl");

/// Returns the records of the first fixture: without times, without users, and of children that were all started.
fn records_of_format_1() -> Vec<Record> {
    let (uid, at, adopted) = (None, None, false);
    let process = |pid, start_time_ticks| ProcessIdentity {
        pid,
        start_time_ticks,
        boot_id: BootId::of_a_test("0b5f5c3e-7c0e-4c3c-9d5b-3a1f6d1c2e10"),
    };
    let plain = StartRequest { cmdline: Some("pvmove -b /dev/sda".into()), ..request("VGALVA") };
    let full = StartRequest {
        abort: true,
        handle_missing_pvs: true,
        interval: "+15".try_into().unwrap(),
        sysdir: Some("/etc/lvm".try_into().unwrap()),
        devicesfile: Some("some.devices".try_into().unwrap()),
        ..request("VGALVB")
    };
    let kinds = [PollOperation::Convert, PollOperation::Merge, PollOperation::MergeThin];
    let others = kinds.into_iter().zip(3..).map(|(kind, number)| Record::PollIntended {
        op: op(number),
        request: StartRequest { kind, ..request(kind.as_str()) },
        uid,
        at,
    });
    let lost = Outcome::Lost { reason: "no process".to_owned() };
    [
        Record::PollIntended { op: op(1), request: plain, uid, at },
        Record::PollIntended { op: op(2), request: full, uid, at },
    ]
    .into_iter()
    .chain(others)
    .chain([
        Record::PollStarted { op: op(1), process: process(4242, 1_234_567), attempt: 1, adopted, at },
        Record::PollStarted { op: op(2), process: process(4243, 1_234_568), attempt: 4, adopted, at },
        Record::PollEnded { op: op(1), ending: Outcome::Retcode(5).into(), at },
        Record::PollEnded { op: op(3), ending: Outcome::Signal(9).into(), at },
        Record::PollEnded { op: op(4), ending: lost.into(), at },
        Record::PollForgotten { op: op(1), at },
    ])
    .collect()
}

/// Returns the records of the second fixture.
fn records_of_format_2() -> Vec<Record> {
    let at = "2026-11-21T05:28:53.123456789Z".parse().unwrap();
    let process = ProcessIdentity {
        pid: 4242,
        start_time_ticks: 1_234_567,
        boot_id: BootId::of_a_test("0b5f5c3e-7c0e-4c3c-9d5b-3a1f6d1c2e10"),
    };
    let op = op(1);
    let ending = Ending::from(Outcome::Retcode(0));
    let ended = What::Ended(ending.clone());
    let whats = [
        What::Intended,
        What::Started { pid: 4242, attempt: 1 },
        What::Adopted { pid: 4242, attempt: 1 },
        What::Retried { pid: Some(4242), attempt: 1, why: None },
        ended,
        What::Forgotten,
    ];
    let steps = whats.map(|what| Record::PollStep(Step::new(at, op, &request("VGALVA"), what)));
    let when = Some(at);
    let (started, adopted) = (process.clone(), process);
    [
        Record::PollIntended { op, request: request("VGALVA"), uid: Some(1000), at: when },
        Record::PollStarted { op, process: started, attempt: 1, adopted: false, at: when },
        Record::PollStarted { op, process: adopted, attempt: 1, adopted: true, at: when },
        Record::PollRetried { op, pid: Some(4242), attempt: 1, why: None, at },
        Record::PollEnded { op, ending, at: when },
        Record::PollForgotten { op, at: when },
    ]
    .into_iter()
    .chain(steps)
    .collect()
}

/// Returns the records of the third fixture.
fn records_of_format_3() -> Vec<Record> {
    let (op, at) = (op(1), "2026-11-21T08:28:53.123456789Z".parse().unwrap());
    let asking = StartRequest { cmdline: Some("pvmove -b /dev/sda".into()), ..request("VGALVA") };
    let (why, bytes, took_ms) = (Some("killed".to_owned()), Some(67_108_864), Some(3000));
    let whats = [
        What::Recovered,
        What::Segment(SegmentDone { number: 1, count: 12, bytes, took_ms }),
        What::Segment(SegmentDone { number: 2, count: 12, bytes: None, took_ms: None }),
        What::FellBack { why: "the status of a mirror cannot be read".to_owned() },
    ];
    let told = whats.clone().map(|what| Record::PollTold { op, what, at });
    let retried = What::Retried { pid: Some(4242), attempt: 1, why: why.clone() };
    let steps = whats.into_iter().chain([retried]).map(|what| Step::new(at, op, &asking, what));
    [Record::PollIntended { op, request: asking.clone(), uid: Some(1000), at: Some(at) }]
        .into_iter()
        .chain(told)
        .chain([Record::PollRetried { op, pid: Some(4242), attempt: 1, why, at }])
        .chain([Step::intended(at, op, &asking, Some(1000))].into_iter().chain(steps).map(Record::PollStep))
        .collect()
}

/// Returns the records of the fourth fixture.
fn records_of_format_4() -> Vec<Record> {
    let at = Some("2026-11-21T05:28:53.123456789Z".parse().unwrap());
    let conclusion = Conclusion {
        kind: OutcomeKind::Invalid,
        cause: Some("it ran full".to_owned()),
        remedy: Some("remove it".to_owned()),
        last_lines: vec!["Merging snapshot invalidated".to_owned()],
    };
    let ending = Ending::written(Outcome::Retcode(5), Some(conclusion));
    let held_again = Held::set(Some(&Held::set(None, 5, 100)), 7, 5);
    vec![
        Record::PollIntended { op: op(1), request: request("VGALVA"), uid: None, at },
        Record::PollWished { op: op(1), wishes: Wishes { is_paused: true, is_aborted: true }, at },
        Record::PollEnded { op: op(1), ending, at },
        Record::Throttle { knob: Knob::Mirror, held: Some(Held::set(None, 5, 100)) },
        Record::Throttle { knob: Knob::Snapshot, held: Some(held_again.ending()) },
        Record::Throttle { knob: Knob::Mirror, held: None },
    ]
}

#[track_caller]
fn assert_format(fixture: &str, records: &[Record]) {
    let read: Vec<Record> = fixture.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, records);
    let written: Vec<String> = records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    assert_eq!(written, fixture.lines().collect::<Vec<_>>());
}

#[test]
fn records_without_times_are_read_for_ever_and_tell_no_history() {
    assert_format(FORMAT_1, &records_of_format_1());
    let ledger: PollLedger = fold(&records_of_format_1()).unwrap();
    assert_eq!(ledger.operations().count(), 4);
    assert_eq!(steps(&ledger), []);
}

#[test]
fn records_with_times_are_read_for_ever_and_tell_the_history() {
    let records = records_of_format_2();
    assert_format(FORMAT_2, &records);
    // Each of the first half is told as the one in the second half.
    let (records, told) = records.split_at(records.len() / 2);
    let ledger: PollLedger = fold(records).unwrap();
    // Who asked is told since the third.
    let without_asker = |step| Record::PollStep(Step { asked: None, ..step });
    assert_eq!(steps(&ledger).into_iter().map(without_asker).collect::<Vec<_>>(), told);
}

#[test]
fn steps_that_tell_more_are_read_for_ever() {
    let records = records_of_format_3();
    assert_format(FORMAT_3, &records);
    let (records, told) = records.split_at(records.len() / 2);
    let ledger: PollLedger = fold(records).unwrap();
    assert_eq!(steps(&ledger).into_iter().map(Record::PollStep).collect::<Vec<_>>(), told);
    assert_eq!(ledger.last_segment(op(1)), Some(2));
}

#[test]
fn records_with_wishes_and_conclusions_are_read_for_ever() {
    let records = records_of_format_4();
    assert_format(FORMAT_4, &records);
    let ledger: PollLedger = fold(&records).unwrap();
    let throttles = Knob::ALL.map(|knob| ledger.throttle(knob).map(|held| held.wanted_percent));
    assert_eq!(throttles, [None, Some(7)]);
    let from_snapshot: PollLedger = fold(&ledger.records()).unwrap();
    assert_eq!(from_snapshot.throttle(Knob::Snapshot), ledger.throttle(Knob::Snapshot));
}

/// Never to be changed once it is released.
#[test]
fn records_of_other_names_and_of_errors_are_read_for_ever_and_a_late_one_changes_nothing() {
    const RENEWED: &str = r#"{"poll_renewed":{"op":"00000000-0000-0000-0000-000000000001","target":{"names":{"vgname":"new","lvname":"pvmove0"},"devicesfile":"some"},"why":"renamed","at":"2026-11-21T05:28:53.123456789Z"}}"#;
    const COPY_ERRORS: &str = r#"{"poll_told":{"op":"00000000-0000-0000-0000-000000000001","what":{"copy_errors":{"device":"/dev/sda","is_source":true,"letter":"S"}},"at":"2026-11-21T05:28:53.123456789Z"}}"#;
    let (op, at) = (op(1), "2026-11-21T05:28:53.123456789Z".parse().unwrap());
    let (asked, uid, when) = (request("VGALVA"), None, Some(at));
    let renewed: Record = serde_json::from_str(RENEWED).unwrap();
    assert_eq!(serde_json::to_string(&renewed).unwrap(), RENEWED);

    let intended = Record::PollIntended { op, request: asked.clone(), uid, at: when };
    let ledger: PollLedger = fold(&[intended.clone(), renewed.clone()]).unwrap();
    let elsewhere = StartRequest {
        vgname: "new".try_into().unwrap(),
        lvname: "pvmove0".try_into().unwrap(),
        devicesfile: Some("some".try_into().unwrap()),
        ..asked.clone()
    };
    assert_eq!(ledger.get(&asked.id()).unwrap().request, elsewhere);
    let last = steps(&ledger).pop().unwrap();
    let names = Target::of(&elsewhere).names;
    assert_eq!((last.vgname.as_str(), last.what), ("new", What::Renewed { names, why: Renewal::Renamed }));

    let told: Record = serde_json::from_str(COPY_ERRORS).unwrap();
    assert_eq!(serde_json::to_string(&told).unwrap(), COPY_ERRORS);
    let ledger: PollLedger = fold(&[intended.clone(), told]).unwrap();
    assert_eq!(ledger.faults(op).len(), 1);

    let ended = Record::PollEnded { op, ending: Outcome::Retcode(0).into(), at: when };
    let ledger: PollLedger = fold(&[intended, ended, renewed]).unwrap();
    assert_eq!(ledger.get(&asked.id()).unwrap().request, asked);
}

/// The journal skips such a record, tells of it and reads the others: see `supervisor/tests/journal`.
#[test]
fn a_record_with_what_lvm_never_lets_be_a_name_is_not_read() {
    let record = Record::PollIntended { op: op(1), request: request("VGALVA"), uid: None, at: None };
    let json = serde_json::to_value(&record).unwrap();
    assert!(serde_json::from_value::<Record>(json.clone()).is_ok());
    for (field, odd) in [("vgname", "-x"), ("lvname", "../x"), ("lvname", "a/b"), ("lvid", "a\nb")] {
        let mut record = json.clone();
        record["poll_intended"]["request"][field] = odd.into();
        let refused = serde_json::from_value::<Record>(record).unwrap_err().to_string();
        assert!(refused.starts_with("parse a name: "), "{refused}");
    }
    let lock = r#"{"locks":{"lock":{"lockspace":"lvm_vg","record":{"resource":"_GLLK_disabled","change":"unwanted"}}}}"#;
    let refused = serde_json::from_str::<Record>(lock).unwrap_err().to_string();
    assert!(refused.contains("no lock is named"), "{refused}");
}

/// Never to be changed once it is released.
#[test]
fn what_happened_to_lockspaces_is_read_for_ever_and_kept_once_over_a_snapshot() {
    const FACTS: &str = r#"{"facts":[{"at":"2026-11-29T05:28:53.123456789Z","subject":"lvm_vg0","kind":"lock.lease_late","fields":{"kill_in_seconds":"38","reset_in_seconds":"98"}},{"at":"2026-11-29T05:28:54Z","subject":"lvm_vg0","kind":"lock.killed"}]}"#;
    let record: Record = serde_json::from_str(FACTS).unwrap();
    assert_eq!(serde_json::to_string(&record).unwrap(), FACTS);
    let Record::Facts(told) = &record else { panic!("{record:?}") };
    let ledger: PollLedger = fold(&[record.clone(), record.clone()]).unwrap();
    assert_eq!(ledger.facts(None, 9).steps, *told);
    let from_snapshot: PollLedger = fold(&ledger.records()).unwrap();
    assert_eq!(from_snapshot.facts(told.first(), 9).steps, told[1..]);
    assert_eq!(steps(&from_snapshot), [], "they are no steps of operations");
}
