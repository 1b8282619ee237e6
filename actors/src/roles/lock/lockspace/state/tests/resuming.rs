//! An actor that starts again beside a connection that holds the locks still.

use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode};

use crate::roles::lock::lock_manager::{Adopt, Leftover, Resource};
use crate::roles::lock::lockspace::ask::{Ask, ClientId, StartAsk};
use crate::roles::lock::lockspace::event::{Call, Effect, Event, Outcome};
use crate::roles::lock::lockspace::orphan::Orphan;
use crate::roles::lock::lockspace::picture::Stage;
use crate::roles::lock::lockspace::record::{Change, LockRecord};
use crate::roles::lock::lockspace::state::{Earlier, Lockspace};
use crate::roles::lock::lockspace::testing::{Bench, EXCLUSIVE, SHARED, lv, persistent, spec};

/// Starts the lockspace of a bench again.
fn resume(bench: &mut Bench) {
    let standing = bench.lockspace.standing();
    let mut effects = Vec::new();
    let spec = spec(LockType::Sanlock);
    let held = bench.held();
    let earlier = Earlier { remembered: &bench.remembered, held: &held, orphans: None };
    bench.lockspace = Lockspace::resume(spec, standing, earlier, bench.now, &mut effects);
    bench.calls.clear();
    for effect in effects {
        if let Effect::Call(id, call) = effect {
            bench.called.push(call.clone());
            bench.calls.push_back((id, call));
        }
    }
    bench.apply(Event::TimeHasCome);
}

#[test]
fn holders_keep_their_locks_and_those_of_the_dead_are_given_back() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &Resource::Vg, SHARED);
    bench.lock(2, &Resource::Vg, SHARED);
    bench.ask(3, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    resume(&mut bench);
    assert_eq!((bench.mode(&Resource::Vg), bench.mode(&lv("a"))), (SHARED, EXCLUSIVE));
    let unlocked = bench.unlock(1, &Resource::Vg);
    assert_eq!(bench.code(unlocked), Some(ResultCode::OK));
    bench.apply(Event::ClientGone(ClientId(2)));
    assert_eq!(bench.mode(&Resource::Vg), LockMode::Unlocked);
    let refused = bench.ask(4, Ask::Stop(crate::roles::lock::lockspace::ask::StopRule::UnlessLvLocks));
    assert_eq!(bench.code(refused), Some(ResultCode::BUSY));
}

#[test]
fn an_actor_that_starts_again_asks_for_the_list_that_the_one_before_could_not_have() {
    let mut bench = Bench::new(spec(LockType::Dlm));
    bench.leftovers = vec![Leftover { resource: lv("a"), mode: SHARED, lv_args: "dlm".into() }];
    bench.manner(|call| matches!(call, Call::Orphans).then_some(Ok(Outcome::Orphans(None))));
    bench.ask(9, Ask::Start(StartAsk { adopt: Adopt::IfThere, ..StartAsk::default() }));
    assert_eq!(bench.mode(&lv("a")), LockMode::Unlocked);
    bench.manner(|_| None);
    resume(&mut bench);
    assert_eq!(bench.mode(&lv("a")), SHARED);
}

#[test]
fn a_lock_that_was_being_acquired_is_given_back_whether_it_came_or_not() {
    for comes in [true, false] {
        let mut bench = Bench::running(LockType::Sanlock);
        bench.slow = true;
        bench.lock(1, &lv("a"), EXCLUSIVE);
        bench.slow = false;
        if !comes {
            use crate::roles::lock::lockspace::testing::fault;
            bench.fails(|call| matches!(call, Call::Release { .. }), fault(ResultCode::LOCK_MANAGER));
        }
        resume(&mut bench);
        assert!(matches!(bench.called.last(), Some(Call::Release { .. })));
        assert_eq!((bench.resource(&lv("a")), bench.remembered.locks().count()), (None, 0));
    }
}

#[test]
fn answers_of_the_life_before_are_not_taken_for_those_of_this_one() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.slow = true;
    bench.lock(1, &lv("a"), EXCLUSIVE);
    let old = bench.calls[0].0;
    resume(&mut bench);
    bench.lock(2, &lv("b"), EXCLUSIVE);
    assert!(bench.calls.iter().all(|(id, _)| *id > old));
}

#[test]
fn a_lockspace_that_was_not_running_is_left() {
    use crate::roles::lock::lockspace::ask::StartAsk;
    let mut bench = Bench::new(spec(LockType::Sanlock));
    bench.slow = true;
    bench.ask(1, Ask::Start(StartAsk::default()));
    bench.grant();
    bench.slow = false;
    resume(&mut bench);
    assert_eq!((bench.stage(), bench.gone), (Stage::Finished, true));
}

#[test]
fn a_panic_while_adopting_adopts_again_and_gives_nothing_back() {
    let left = ["a", "b"].map(|name| Orphan::kept(lv(name), EXCLUSIVE, "1.0.0:70254592".into()));
    let mut bench = Bench::new(spec(LockType::Sanlock));
    for orphan in &left {
        let change = Change::Held { mode: orphan.mode, holder: orphan.kept[0].clone() };
        bench.remembered.apply(&LockRecord { resource: orphan.resource.clone(), change });
    }
    bench.remembered = bench.remembered.clone().into_orphans();
    bench.slow = true;
    let mut effects = Vec::new();
    bench.lockspace = Lockspace::adopt(spec(LockType::Sanlock), left.to_vec(), bench.now, &mut effects);
    bench.carry_out(effects);
    // Prepare, join, and the first of the two locks.
    (0..3).for_each(|_| bench.grant());
    let (standing, held) = (bench.lockspace.standing(), bench.held());
    assert_eq!((standing.stage, held.len()), (Stage::Starting, 1));
    bench.calls.clear();
    let earlier = Earlier { remembered: &bench.remembered, held: &held, orphans: Some(&left) };
    let mut effects = Vec::new();
    let spec = spec(LockType::Sanlock);
    bench.lockspace = Lockspace::resume(spec, standing, earlier, bench.now, &mut effects);
    bench.carry_out(effects);
    bench.slow = false;
    bench.apply(Event::TimeHasCome);
    assert_eq!(bench.stage(), Stage::Running);
    assert_eq!((bench.mode(&lv("a")), bench.mode(&lv("b"))), (EXCLUSIVE, EXCLUSIVE));
    assert_eq!(bench.count(|call| matches!(call, Call::Release { .. })), 0);
    let adopted = bench
        .called
        .iter()
        .filter(|call| matches!(call, Call::Acquire(resource, ..) if *resource == lv("a")));
    assert_eq!(adopted.count(), 1, "what is held is not adopted twice");
}
