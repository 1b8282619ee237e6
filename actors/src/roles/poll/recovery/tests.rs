//! What a daemon finds after every way in which the one before it may have ended.

use lvmwarden_protocol::poll::{PollOperation, StartRequest};
use lvmwarden_supervisor::process::BootId;

use super::*;
use crate::roles::poll::operation::outcome::Outcome;

mod found;

/// The operation that most rows are about.
const OP: Uuid = Uuid::from_u128(1);
/// Given to operations that the journal does not know.
const NEW_OP: Uuid = Uuid::from_u128(2);
/// When the daemon starts.
const NOW: Timestamp = Timestamp::constant(1_000_000_000, 0);

fn request() -> StartRequest {
    StartRequest {
        kind: PollOperation::Pvmove,
        abort: false,
        handle_missing_pvs: false,
        lvid: "A".try_into().unwrap(),
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

fn known(life: Life) -> Recovered {
    Recovered { op: OP, request: request(), uid: None, wishes: Wishes::default(), life }
}

fn recorded(pid: u32) -> Life {
    Life::Started { process: process(pid), attempt: 3 }
}

fn ended() -> Life {
    Life::Ended(Outcome::Retcode(0).into())
}

fn child_of(pid: u32, op: Uuid) -> FoundChild {
    FoundChild {
        process: process(pid),
        parent: Parent::Ours { op },
        arguments: Arguments::of(&request()),
        sysdir: None,
        lvid: Some(request().lvid),
    }
}

fn child(pid: u32) -> FoundChild {
    child_of(pid, OP)
}

/// A child of a C daemon on an LV that device-mapper knows.
fn orphan(pid: u32) -> FoundChild {
    FoundChild { parent: Parent::GoneLvmpolld, ..child(pid) }
}

fn intended_for(op: Uuid, request: StartRequest) -> Record {
    Record::PollIntended { op, request, uid: None, at: Some(NOW) }
}

fn intended(op: Uuid) -> Record {
    intended_for(op, request())
}

fn started(op: Uuid, pid: u32, attempt: u32) -> Record {
    Record::PollStarted { op, process: process(pid), attempt, adopted: true, at: None }
}

#[track_caller]
fn assert_plan(known: &[Recovered], found: &[FoundChild], expected: &Plan) {
    assert_eq!(plan(known, found, NOW, || NEW_OP), *expected);
}

fn records(records: impl Into<Vec<Record>>) -> Plan {
    Plan { records: records.into(), ..Plan::default() }
}

#[test]
fn nothing_known_and_nothing_found() {
    assert_plan(&[], &[], &Plan::default());
}

#[test]
fn killed_before_the_child_was_started() {
    assert_plan(&[known(Life::Intended)], &[], &Plan::default());
}

#[test]
fn killed_between_start_and_record_of_the_child() {
    assert_plan(&[known(Life::Intended)], &[child(70)], &records([started(OP, 70, 1)]));
}

#[test]
fn killed_between_start_and_record_of_a_later_child() {
    assert_plan(&[known(recorded(70))], &[child(71)], &records([started(OP, 71, 4)]));
}

#[test]
fn killed_while_the_child_runs() {
    assert_plan(&[known(recorded(70))], &[child(70)], &Plan::default());
}

#[test]
fn killed_together_with_the_child_or_before_its_end_was_recorded() {
    assert_plan(&[known(recorded(70))], &[], &Plan::default());
}

#[test]
fn a_child_may_be_starting_where_none_or_only_an_ended_one_is_known() {
    for (life, found, is_missed) in [
        (Life::Intended, vec![], true),
        (recorded(70), vec![], true),
        (recorded(70), vec![child(70)], false),
        (ended(), vec![], false),
    ] {
        assert_eq!(misses_child(&known(life.clone()), &found), is_missed, "{life:?}");
    }
}

#[test]
fn killed_before_the_result_was_collected() {
    assert_plan(&[known(ended())], &[], &Plan::default());
}

#[test]
fn the_run_directory_is_lost_and_the_child_runs() {
    assert_plan(&[], &[child(70)], &records([intended(OP), started(OP, 70, 1)]));
}

#[test]
fn the_pid_of_the_recorded_child_is_used_again_by_the_child_of_another_boot() {
    let before = ProcessIdentity { boot_id: BootId::of_a_test("boot before"), ..process(70) };
    let life = Life::Started { process: before, attempt: 3 };
    assert_plan(&[known(life)], &[child(70)], &records([started(OP, 70, 4)]));
}

#[test]
fn two_children_for_an_operation_whose_child_is_recorded() {
    let surplus = Plan { surplus: vec![process(71)], ..Plan::default() };
    assert_plan(&[known(recorded(70))], &[child(70), child(71)], &surplus);
    assert_plan(&[known(recorded(70))], &[child(71), child(70)], &surplus);
}

#[test]
fn two_children_for_an_operation_without_a_record_of_either() {
    let adopted = Plan { records: vec![started(OP, 70, 1)], surplus: vec![process(71)], ..Plan::default() };
    assert_plan(&[known(Life::Intended)], &[child(70), child(71)], &adopted);
}

#[test]
fn a_child_outlives_the_end_of_its_operation() {
    let anew = records([intended(NEW_OP), started(NEW_OP, 70, 1)]);
    assert_plan(&[known(ended())], &[child(70)], &anew);
}

#[test]
fn a_child_of_an_earlier_operation_on_the_same_lv() {
    let earlier = child_of(70, Uuid::from_u128(9));
    assert_plan(&[known(Life::Intended)], &[earlier], &records([started(OP, 70, 1)]));
}

#[test]
fn poll_and_abort_of_one_lv_and_two_system_dirs_are_different_operations() {
    let aborts = Arguments { abort: true, ..child(70).arguments };
    let abort = FoundChild { arguments: aborts.clone(), ..child_of(70, NEW_OP) };
    let request_of_abort = aborts.into_request(request().lvid, None);
    let record = intended_for(NEW_OP, request_of_abort);
    assert_plan(&[known(Life::Intended)], &[abort], &records([record, started(NEW_OP, 70, 1)]));

    let sysdir: Option<SystemDir> = Some("/etc/other".try_into().unwrap());
    let elsewhere = FoundChild { sysdir: sysdir.clone(), ..child_of(70, NEW_OP) };
    let record = intended_for(NEW_OP, StartRequest { sysdir, ..request() });
    assert_plan(&[known(Life::Intended)], &[elsewhere], &records([record, started(NEW_OP, 70, 1)]));
}

#[test]
fn a_c_daemon_was_killed_and_device_mapper_knows_the_lv() {
    assert_plan(&[], &[orphan(70)], &records([intended(NEW_OP), started(NEW_OP, 70, 1)]));
    assert_plan(&[known(Life::Intended)], &[orphan(70)], &records([started(OP, 70, 1)]));
    assert_plan(&[known(recorded(70))], &[orphan(70)], &Plan::default());
}

#[test]
fn a_c_daemon_was_killed_and_nobody_knows_the_lv() {
    let child = FoundChild { lvid: None, ..orphan(70) };
    let waiting = Orphan { process: process(70), arguments: child.arguments.clone(), sysdir: None };
    let plan = Plan { orphans: vec![waiting], ..Plan::default() };
    assert_plan(&[known(Life::Intended)], &[child], &plan);
}

/// What the plan says is what the ledger takes, whatever was known before.
#[test]
fn every_plan_can_be_written() {
    use lvmwarden_supervisor::journal::{Ledger, fold};

    let lives = [None, Some(Life::Intended), Some(recorded(70)), Some(ended())];
    let children = [child(70), child(71), child_of(72, Uuid::from_u128(9)), orphan(73)];
    for life in lives {
        let known: Vec<Recovered> = life.map(known).into_iter().collect();
        for found in (0..16_u8).map(|bits| (0..4).filter(move |bit| bits & (1 << bit) != 0)) {
            let found: Vec<FoundChild> = found.map(|index| children[index].clone()).collect();
            let mut before = Vec::new();
            for Recovered { life, .. } in &known {
                before.push(intended(OP));
                match life {
                    Life::Intended => {}
                    Life::Started { attempt, .. } => before.push(started(OP, 70, *attempt)),
                    Life::Ended(ending) => {
                        before.push(Record::PollEnded { op: OP, ending: ending.clone(), at: None });
                    }
                }
            }
            let mut ledger: crate::foundation::store::ledger::PollLedger = fold(&before).unwrap();
            let plan = plan(&known, &found, NOW, || NEW_OP);
            for record in &plan.records {
                ledger.apply(record).unwrap_or_else(|illegal| panic!("{illegal}: {known:?} {found:?}"));
            }
            assert_eq!(ledger.operations().count(), usize::from(!(known.is_empty() && found.is_empty())));
        }
    }
}
