//! What the records of the history on disk fold to, and what is given up.

use lvmwarden_protocol::api::poll::OperationStory;
use lvmwarden_protocol::poll::PollOperation;
use lvmwarden_supervisor::journal::fold;
use proptest::prelude::*;

use super::*;
use crate::foundation::store::history::story::STORY_STEPS;
use crate::foundation::store::ledger::history::Renewal;
use crate::roles::poll::operation::outcome::Outcome;
use crate::roles::poll::operation::state::Names;

const FORMAT_1: &str = include_str!("../../../../../tests/fixtures/history-records-1.jsonl");

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000_000 + second).unwrap()
}

fn op(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn step(number: u128, second: i64, what: What) -> Step {
    Step {
        at: at(second),
        op: op(number),
        kind: PollOperation::Pvmove,
        abort: false,
        vgname: "vg".try_into().unwrap(),
        lvname: "pvmove0".try_into().unwrap(),
        what,
        asked: None,
    }
}

fn ended() -> What {
    What::Ended(Outcome::Retcode(0).into())
}

fn life(keep: u32) -> Record {
    Record::Life { boot: BootId::of_a_test("boot"), keep }
}

fn folded(records: &[Record]) -> Chronicle {
    fold(records).unwrap()
}

fn names(chronicle: &Chronicle) -> Vec<u128> {
    chronicle.stories.keys().map(Uuid::as_u128).collect()
}

#[test]
fn each_step_is_told_under_the_names_of_its_time() {
    let names = Names { vgname: "new".try_into().unwrap(), lvname: "pvmove0".try_into().unwrap() };
    let renewed =
        Step { vgname: names.vgname.clone(), ..step(1, 1, What::Renewed { names, why: Renewal::Renamed }) };
    let end = Step { vgname: renewed.vgname.clone(), ..step(1, 2, ended()) };
    let batch = vec![step(1, 0, What::Intended), renewed, end];
    let chronicle = folded(&[Record::Steps(batch.clone())]);
    let story = chronicle.story(op(1)).unwrap();
    assert_eq!(story.steps.iter().map(|step| story.entry(step)).collect::<Vec<_>>(), batch);
    assert_eq!(OperationStory::from(story.clone()).vgname.as_str(), "new");
}

#[test]
fn the_steps_of_an_operation_are_its_story() {
    let batch = vec![step(1, 0, What::Intended), step(2, 1, What::Intended), step(1, 2, ended())];
    let chronicle = folded(&[Record::Steps(batch)]);
    let whats = |number| -> Vec<What> {
        chronicle.story(op(number)).unwrap().steps.iter().map(|step| step.what.clone()).collect()
    };
    assert_eq!(whats(1), [What::Intended, ended()]);
    assert_eq!(whats(2), [What::Intended]);
    assert_eq!(chronicle.going_on(), [op(2)]);
    assert_eq!(chronicle.last(), Some(&step(1, 2, ended())));
    let told: Vec<_> = chronicle.latest(2, None).iter().map(|step| (step.op, step.at)).collect();
    assert_eq!(told, [(op(2), at(1)), (op(1), at(2))]);
    assert_eq!(chronicle.latest(9, None).len(), 3);
    assert_eq!(chronicle.latest(0, None), []);
}

#[test]
fn an_operation_that_nobody_knows_any_more_has_an_end_that_says_so() {
    let noted = Record::Noted { ops: vec![op(1), op(9)], what: What::HostRestarted, at: at(5) };
    let chronicle = folded(&[Record::Steps(vec![step(1, 0, What::Intended)]), noted]);
    assert!(chronicle.story(op(1)).unwrap().is_over());
    assert!(chronicle.going_on().is_empty());
    assert_eq!(names(&chronicle), [1], "a note makes no story");
}

#[test]
fn a_story_goes_on_where_its_operation_was_found_again() {
    let records = [
        Record::Steps(vec![step(1, 0, What::Intended)]),
        Record::Noted { ops: vec![op(1)], what: What::JournalLost, at: at(5) },
        Record::Steps(vec![step(1, 6, What::Intended), step(1, 7, What::Recovered)]),
    ];
    assert_eq!(folded(&records).going_on(), [op(1)]);
}

#[test]
fn the_oldest_stories_that_are_over_are_given_up_first() {
    let begin = |number| Record::Steps(vec![step(number, 0, What::Intended)]);
    let end = |number| Record::Steps(vec![step(number, 1, ended())]);
    let records = [life(3), begin(1), begin(2), begin(3), end(3), end(2), begin(4)];
    assert_eq!(names(&folded(&records)), [1, 3, 4]);
    let all_go_on = [life(3), begin(1), begin(2), begin(3), begin(4)];
    assert_eq!(names(&folded(&all_go_on)), [2, 3, 4]);
    let fewer_are_kept = [begin(1), end(1), begin(2), begin(3), life(2)];
    assert_eq!(names(&folded(&fewer_are_kept)), [2, 3]);
}

#[test]
fn many_steps_cost_the_stories_that_are_over() {
    let begin = |number| step(number, 0, What::Intended);
    let many = (0..).take(2 * STEPS_FOR_EACH).map(|second| step(2, second, What::Recovered)).collect();
    let records = [life(2), Record::Steps(vec![begin(1), step(1, 1, ended())]), Record::Steps(many)];
    let chronicle = folded(&records);
    assert_eq!((names(&chronicle), chronicle.step_count), (vec![2], 2 * STEPS_FOR_EACH));
}

#[test]
fn a_long_story_keeps_its_beginning_and_its_latest_steps() {
    let steps = (0..).take(STORY_STEPS + 20).map(|second| step(1, second, What::Recovered)).collect();
    let chronicle = folded(&[Record::Steps(steps)]);
    let story = chronicle.story(op(1)).unwrap();
    assert_eq!((story.steps.len(), story.left_out), (STORY_STEPS, 20));
    let times: Vec<_> = story.steps.iter().map(|step| step.at).collect();
    assert_eq!((times[0], times[49], times[50]), (at(0), at(49), at(70)));
    assert_eq!(times.last(), Some(&at(519)));
}

#[test]
fn records_are_read_for_ever() {
    let story = folded(&[Record::Steps(vec![step(1, 0, What::Intended)])]).story(op(1)).unwrap().clone();
    let records = [
        life(1000),
        Record::Steps(vec![step(1, 0, What::Intended), step(1, 1, ended())]),
        Record::Noted { ops: vec![op(1)], what: What::HostRestarted, at: at(2) },
        Record::Noted { ops: vec![op(1)], what: What::JournalLost, at: at(2) },
        Record::Noted { ops: vec![op(1)], what: What::StepsMissing, at: at(2) },
        Record::Story(story),
        Record::Copied(step(1, 1, ended())),
    ];
    let read: Vec<Record> = FORMAT_1.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, records);
    let written: Vec<String> = records.iter().map(|record| serde_json::to_string(record).unwrap()).collect();
    assert_eq!(written, FORMAT_1.lines().collect::<Vec<_>>());
}

/// Never to be changed once it is released.
#[test]
fn records_of_other_things_are_read_for_ever() {
    const FORMAT: [&str; 2] = [
        r#"{"facts":[{"at":"2026-11-29T05:28:53.123456789Z","subject":"lvm_vg0","kind":"lock.started"}]}"#,
        r#"{"fact_copied":{"at":"2026-11-29T05:28:53.123456789Z","subject":"lvm_vg0","kind":"lock.started"}}"#,
    ];
    for line in FORMAT {
        let record: Record = serde_json::from_str(line).unwrap();
        assert_eq!(serde_json::to_string(&record).unwrap(), line);
        let chronicle = folded(&[record]);
        assert_eq!(chronicle.facts().last().map(|step| &*step.subject), Some("lvm_vg0"));
        assert_eq!(folded(&chronicle.records()), chronicle);
    }
}

fn fact(subject: u8, second: i64) -> FactStep {
    let (subject, kind) = (format!("lvm_vg{subject}"), "lock.started".to_owned());
    FactStep { at: at(second), subject, kind, fields: BTreeMap::new() }
}

fn record() -> impl Strategy<Value = Record> {
    let whats = prop::sample::select(vec![What::Intended, What::Recovered, ended(), What::Forgotten]);
    let a_step = (1..8_u128, 0..20_i64, whats).prop_map(|(number, second, what)| step(number, second, what));
    let a_fact = (0..3_u8, 0..20_i64).prop_map(|(subject, second)| fact(subject, second));
    prop_oneof![
        3 => prop::collection::vec(a_fact, 1..4).prop_map(Record::Facts),
        8 => prop::collection::vec(a_step, 1..4).prop_map(Record::Steps),
        1 => (1..8_u128).prop_map(|number| Record::Noted {
            ops: vec![op(number)],
            what: What::HostRestarted,
            at: at(30),
        }),
        1 => (1..5_u32).prop_map(life),
    ]
}

fn invariant_the_bounds_hold(chronicle: &Chronicle) {
    let count: usize = chronicle.stories.values().map(|story| story.steps.len()).sum();
    assert_eq!(chronicle.step_count, count);
    if let Some((_, keep)) = chronicle.life {
        assert!(chronicle.stories.len() <= keep as usize);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn its_own_records_fold_to_the_same_chronicle(records in prop::collection::vec(record(), 0..30)) {
        let mut chronicle = Chronicle::default();
        for record in &records {
            let Ok(()) = chronicle.apply(record);
            invariant_the_bounds_hold(&chronicle);
        }
        prop_assert_eq!(folded(&chronicle.records()), chronicle);
    }

    #[test]
    fn the_last_record_may_be_repeated(records in prop::collection::vec(record(), 1..30)) {
        let last = &records[records.len() - 1..];
        // A story that was given up for lack of room would begin anew.
        let records: Vec<_> = records.iter().filter(|record| !matches!(record, Record::Life { .. })).cloned().collect();
        let twice = [&records[..], last].concat();
        prop_assume!(!matches!(last, [Record::Life { .. }]));
        prop_assert_eq!(folded(&twice), folded(&records));
    }
}
