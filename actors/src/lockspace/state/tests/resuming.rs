//! An actor that starts again beside a connection that holds the locks still.

use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode};

use crate::lockspace::ask::{Ask, ClientId};
use crate::lockspace::event::{Call, Effect, Event};
use crate::lockspace::lock_manager::Resource;
use crate::lockspace::picture::Stage;
use crate::lockspace::state::{Earlier, Lockspace};
use crate::lockspace::testing::{Bench, EXCLUSIVE, SHARED, lv, persistent, spec};

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
    let refused = bench.ask(4, Ask::Stop(crate::lockspace::ask::StopRule::UnlessLvLocks));
    assert_eq!(bench.code(refused), Some(ResultCode::BUSY));
}

#[test]
fn a_lock_that_was_being_acquired_is_given_back_whether_it_came_or_not() {
    for comes in [true, false] {
        let mut bench = Bench::running(LockType::Sanlock);
        bench.slow = true;
        bench.lock(1, &lv("a"), EXCLUSIVE);
        bench.slow = false;
        if !comes {
            use crate::lockspace::testing::fault;
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
    use crate::lockspace::ask::StartAsk;
    let mut bench = Bench::new(spec(LockType::Sanlock));
    bench.slow = true;
    bench.ask(1, Ask::Start(StartAsk::default()));
    bench.grant();
    bench.slow = false;
    resume(&mut bench);
    assert_eq!((bench.stage(), bench.gone), (Stage::Finished, true));
}
