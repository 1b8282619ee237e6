//! A daemon that starts again takes over what its earlier life held.

use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode};

use crate::lockspace::ask::Ask;
use crate::lockspace::event::{Answer, Call, Event, Notice, Outcome};
use crate::lockspace::lock_manager::{Adopt, Resource};
use crate::lockspace::picture::Stage;
use crate::lockspace::record::{Change, HolderRecord, LockRecord, Remembered};
use crate::lockspace::state::{Lockspace, Orphan, orphans};
use crate::lockspace::testing::{Bench, EXCLUSIVE, SHARED, fault, lv, persistent, spec};

fn orphan(name: &str, mode: LockMode, active: bool) -> Orphan {
    let holder = HolderRecord { pid: 77, lv_args: "1.0.0:70254592".into(), ..HolderRecord::nobody() };
    Orphan { resource: lv(name), mode, holder, active }
}

fn over(bench: &Bench) -> (usize, usize, usize) {
    let over = bench.told.iter().find_map(|notice| match notice {
        Notice::AdoptionOver { held, released, failed } => Some((*held, *released, *failed)),
        _ => None,
    });
    over.expect("adoption is over")
}

fn none(call: &Call) -> Option<Answer> {
    let is_metadata = matches!(call, Call::Acquire(Resource::Vg | Resource::Global, ..));
    is_metadata.then(|| Err(fault(ResultCode::ADOPT_NONE)))
}

#[test]
fn locks_of_active_lvs_are_ours_again_and_clients_are_served() {
    let left = vec![orphan("a", EXCLUSIVE, true), orphan("b", SHARED, true)];
    let mut bench = Bench::adopting(spec(LockType::Sanlock), left, none);
    assert_eq!((bench.stage(), over(&bench)), (Stage::Running, (2, 0, 0)));
    let picture = bench.resource(&lv("a")).unwrap();
    assert_eq!((picture.mode, picture.holders[0].persistent), (EXCLUSIVE, true));
    assert_eq!((picture.holders[0].client.pid, &*picture.holders[0].lv_args), (77, "1.0.0:70254592"));
    assert_eq!(bench.mode(&lv("b")), SHARED);
    assert_eq!(bench.remembered.locks().count(), 2);
    let freed = bench.ask(1, Ask::Lock(persistent(&lv("a"), LockMode::Unlocked)));
    assert_eq!(bench.code(freed), Some(ResultCode::OK));
    assert!(bench.called.contains(&Call::Join { adopt: Adopt::IfThere, nodelay: false }));
}

#[test]
fn a_lock_that_was_being_converted_is_adopted_in_the_other_mode() {
    let left = vec![orphan("a", SHARED, true)];
    let bench = Bench::adopting(spec(LockType::Sanlock), left, |call| match call {
        Call::Acquire(Resource::Lv(_), SHARED, _) => Some(Err(fault(ResultCode::ADOPT_RETRY))),
        call => none(call),
    });
    assert_eq!((bench.mode(&lv("a")), over(&bench)), (EXCLUSIVE, (1, 0, 0)));
}

#[test]
fn the_lock_of_an_lv_that_is_not_active_any_more_is_adopted_given_back_and_told() {
    let left = vec![orphan("off", EXCLUSIVE, false), orphan("on", EXCLUSIVE, true)];
    let bench = Bench::adopting(spec(LockType::Sanlock), left, none);
    assert_eq!(
        (bench.resource(&lv("off")), bench.mode(&lv("on")), over(&bench)),
        (None, EXCLUSIVE, (1, 1, 0))
    );
    assert!(bench.has_told(|notice| matches!(notice, Notice::Adopted { released: true, .. })));
    assert_eq!(bench.remembered.locks().count(), 1);
}

#[test]
fn the_failure_of_one_lock_is_told_and_does_not_stop_the_others() {
    let left = vec![orphan("a", EXCLUSIVE, true), orphan("b", EXCLUSIVE, true), orphan("c", SHARED, false)];
    let bench = Bench::adopting(spec(LockType::Sanlock), left, |call| match call {
        Call::Acquire(resource, ..) if *resource == lv("a") => Some(Err(fault(ResultCode::LOCK_IO))),
        Call::Acquire(resource, ..) if *resource == lv("c") => Some(Err(fault(ResultCode::ADOPT_NONE))),
        call => none(call),
    });
    assert_eq!((bench.mode(&lv("b")), over(&bench)), (EXCLUSIVE, (1, 0, 1)));
    let told = bench.told.iter().filter(|notice| matches!(notice, Notice::NotAdopted { .. })).count();
    assert_eq!(told, 2);
}

#[test]
fn vg_and_global_locks_of_the_earlier_life_are_given_back_and_nothing_is_written_over_their_versions() {
    let bench = Bench::adopting(spec(LockType::Sanlock), Vec::new(), |call| match call {
        Call::Acquire(Resource::Global, SHARED, _) => Some(Err(fault(ResultCode::ADOPT_RETRY))),
        _ => None,
    });
    assert_eq!(over(&bench), (0, 2, 0));
    for resource in [Resource::Vg, Resource::Global] {
        assert_eq!(bench.mode(&resource), LockMode::Unlocked);
        assert!(bench.called.contains(&Call::Release { resource, write: None, free: false }));
    }
}

#[test]
fn clients_that_come_during_the_adoption_wait_for_its_end() {
    let left = vec![orphan("a", EXCLUSIVE, true)];
    let mut bench = Bench::new(spec(LockType::Sanlock));
    bench.slow = true;
    let mut effects = Vec::new();
    bench.lockspace = Lockspace::adopt(spec(LockType::Sanlock), left, bench.now, &mut effects);
    bench.carry_out(effects);
    let waits = bench.lock(1, &Resource::Vg, EXCLUSIVE);
    bench.grant();
    bench.grant();
    assert_eq!((bench.code(waits), bench.stage()), (None, Stage::Starting));
    bench.slow = false;
    bench.manner(none);
    bench.apply(Event::TimeHasCome);
    assert_eq!(bench.stage(), Stage::Running);
    bench.manner(|_| None);
    let again = bench.lock(1, &Resource::Vg, EXCLUSIVE);
    assert!(bench.code(waits).is_some() && bench.code(again).is_some());
}

#[test]
fn an_adoption_past_its_deadline_holds_nobody_up_but_who_wants_that_lock() {
    let mut bench = Bench::new(spec(LockType::Sanlock));
    bench.slow = true;
    let left = vec![orphan("a", EXCLUSIVE, true)];
    let mut effects = Vec::new();
    bench.lockspace = Lockspace::adopt(spec(LockType::Sanlock), left, bench.now, &mut effects);
    bench.carry_out(effects);
    let waits = bench.lock(1, &Resource::Vg, SHARED);
    bench.grant();
    bench.grant();
    let (adopting, call) = bench.calls.pop_front().unwrap();
    assert!(matches!(call, Call::Acquire(Resource::Lv(_), ..)));
    bench.feed(Event::Overdue(adopting));
    bench.slow = false;
    bench.manner(|call| match call {
        Call::Acquire(_, _, how) if how.adopt == Adopt::Only => Some(Err(fault(ResultCode::ADOPT_NONE))),
        _ => None,
    });
    bench.apply(Event::TimeHasCome);
    assert_eq!((bench.code(waits), bench.stage()), (Some(ResultCode::OK), Stage::Running));
    let refused = bench.lock(1, &lv("a"), SHARED);
    assert_eq!(bench.code(refused), Some(ResultCode::LOCK_IO));
    bench.apply(Event::Answered(adopting, Ok(Outcome::Acquired(None))));
    assert_eq!(bench.mode(&lv("a")), EXCLUSIVE);
}

#[test]
fn a_stop_that_comes_during_the_adoption_is_refused_where_lv_locks_are_adopted() {
    use crate::lockspace::ask::StopRule;
    let mut bench = Bench::new(spec(LockType::Sanlock));
    bench.slow = true;
    let left = vec![orphan("a", EXCLUSIVE, true)];
    let mut effects = Vec::new();
    bench.lockspace = Lockspace::adopt(spec(LockType::Sanlock), left, bench.now, &mut effects);
    bench.carry_out(effects);
    let stopped = bench.ask(1, Ask::Stop(StopRule::UnlessLvLocks));
    bench.slow = false;
    bench.manner(none);
    bench.apply(Event::TimeHasCome);
    assert_eq!((bench.code(stopped), bench.mode(&lv("a"))), (Some(ResultCode::BUSY), EXCLUSIVE));
}

#[test]
fn where_the_lockspace_cannot_be_joined_each_lock_is_told() {
    let left = vec![orphan("a", EXCLUSIVE, true)];
    let bench = Bench::adopting(spec(LockType::Sanlock), left, |call| {
        matches!(call, Call::Join { .. }).then(|| Err(fault(ResultCode::MANAGER)))
    });
    assert_eq!((bench.stage(), bench.gone), (Stage::Failed, true));
    assert!(bench.has_told(|notice| matches!(notice, Notice::NotAdopted { active: true, .. })));
}

#[test]
fn what_is_remembered_says_what_may_have_been_left_behind() {
    let holder = |client| HolderRecord { client, ..HolderRecord::nobody() };
    let mut remembered = Remembered::default();
    let mut record = |resource: Resource, change| remembered.apply(&LockRecord { resource, change });
    record(lv("kept"), Change::Held { mode: EXCLUSIVE, holder: holder(0) });
    record(lv("transient"), Change::Held { mode: SHARED, holder: holder(5) });
    record(lv("wanted"), Change::Wanted { mode: EXCLUSIVE, holder: holder(0) });
    record(lv("gone"), Change::Held { mode: EXCLUSIVE, holder: holder(0) });
    record(lv("gone"), Change::Released { client: 0 });
    record(Resource::Vg, Change::Held { mode: EXCLUSIVE, holder: holder(5) });
    let left = orphans(&remembered, |resource| *resource != lv("wanted"));
    let left: Vec<_> =
        left.iter().map(|orphan| (orphan.resource.clone(), orphan.mode, orphan.active)).collect();
    let expected =
        [(lv("kept"), EXCLUSIVE, true), (lv("transient"), SHARED, false), (lv("wanted"), EXCLUSIVE, false)];
    assert_eq!(left, expected);
}

#[test]
fn a_record_survives_being_written_down() {
    for resource in [Resource::Global, Resource::Vg, lv("a")] {
        let record = LockRecord {
            resource,
            change: Change::Held { mode: SHARED, holder: HolderRecord { pid: 5, ..HolderRecord::nobody() } },
        };
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<LockRecord>(&text).unwrap(), record, "{text}");
    }
}
