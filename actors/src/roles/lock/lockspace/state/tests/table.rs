//! What each request is told in each state: the table of the contract's section on the life of a lockspace.

use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode};

use crate::roles::lock::lock_manager::{InitLv, Resource};
use crate::roles::lock::lockspace::ask::{Ask, LockAsk, StartAsk, StopRule};
use crate::roles::lock::lockspace::event::{Call, Event};
use crate::roles::lock::lockspace::picture::Stage;
use crate::roles::lock::lockspace::testing::{Bench, EXCLUSIVE, fault, id, lv, persistent, spec, uuid};

fn absent() -> Bench {
    Bench::new(spec(LockType::Sanlock))
}

fn starting() -> Bench {
    let mut bench = absent();
    bench.slow = true;
    bench.ask(9, Ask::Start(StartAsk::default()));
    bench.grant();
    assert_eq!(bench.stage(), Stage::Starting);
    bench
}

fn running() -> Bench {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &Resource::Vg, EXCLUSIVE);
    bench
}

fn killed() -> Bench {
    let mut bench = running();
    bench.ask(9, Ask::Kill);
    bench
}

fn stopping() -> Bench {
    let mut bench = running();
    bench.slow = true;
    bench.ask(9, Ask::Stop(StopRule::Anyway));
    assert_eq!(bench.stage(), Stage::Stopping);
    bench
}

fn finished() -> Bench {
    let mut bench = running();
    bench.ask(9, Ask::Stop(StopRule::Anyway));
    assert_eq!(bench.stage(), Stage::Finished);
    bench
}

fn failed() -> Bench {
    let mut bench = absent();
    bench.fails(|call| matches!(call, Call::Join { .. }), fault(ResultCode::MANAGER));
    bench.ask(9, Ask::Start(StartAsk::default()));
    assert_eq!(bench.stage(), Stage::Failed);
    bench
}

/// One that runs, with the lock of an LV.
fn in_use() -> Bench {
    let mut bench = running();
    bench.ask(9, Ask::Lock(persistent(&lv("used"), EXCLUSIVE)));
    bench
}

/// What is asked, and what is told in the states absent, starting, running, killed, stopping; 1: it begins, and is told
/// later.
fn rows() -> Vec<(Ask, [i32; 5])> {
    const LATER: i32 = 1;
    let un = Ask::Lock(LockAsk::new(Resource::Vg, Some(LockMode::Unlocked)));
    let lock = |resource| Ask::Lock(LockAsk::new(resource, Some(EXCLUSIVE)));
    let init = InitLv {
        vg: id("vg"),
        vg_args: "1.0.0:lvmlock".into(),
        lv_uuid: uuid("a"),
        previous_args: "".into(),
    };
    vec![
        (lock(Resource::Global), [-210, -211, 0, -217, -116]),
        (lock(lv("a")), [-210, -211, 0, -217, -116]),
        (un, [-210, -211, 0, 0, -116]),
        (Ask::Start(StartAsk::default()), [LATER, -211, -17, -17, -11]),
        (Ask::Stop(StopRule::UnlessLvLocks), [-210, LATER, 0, 0, -116]),
        (Ask::Stop(StopRule::UnlessLocks), [-210, LATER, -16, -16, -116]),
        (Ask::Stop(StopRule::Anyway), [-210, LATER, 0, 0, -116]),
        (Ask::VgUpdate { version: 3, next: false }, [-210, -211, 0, -217, -116]),
        (Ask::Query(Resource::Vg), [-210, -211, 0, -217, -116]),
        (Ask::FindFreeLock { size_bytes: 0 }, [-210, -211, 0, -217, -116]),
        (Ask::InitLv(Box::new(init)), [-210, -211, 0, 0, -116]),
        (Ask::FreeLv { uuid: uuid("a"), args: "".into() }, [-210, -211, 0, 0, -116]),
        (Ask::EnableGlobal, [-210, -211, 0, -217, -116]),
        (Ask::DisableGlobal { exclusive: false }, [-210, -211, 0, -217, -116]),
        (Ask::DisableGlobal { exclusive: true }, [-210, -211, 0, -217, -116]),
        (Ask::ReadGlobal, [-210, -211, 0, -217, -116]),
        (Ask::Busy, [-210, -211, 0, 0, -116]),
        (Ask::Free, [-210, -211, 0, 0, -116]),
        (Ask::RenameBefore, [-210, -211, 0, -217, -116]),
        (Ask::SetLockArgsBefore, [-210, -211, -93, -93, -116]),
        (Ask::Kill, [-210, -211, 0, 0, -116]),
        (Ask::Drop, [-210, -211, 0, 0, -116]),
        (Ask::Status, [-210, -211, 0, 0, -116]),
    ]
}

#[track_caller]
fn check(mut bench: Bench, ask: &Ask, code: i32, state: &str) {
    let asked = bench.ask(1, ask.clone());
    let told = bench.code(asked).map_or(1, |code| code.0);
    let told = if state == "absent" && matches!(ask, Ask::Start(_)) { 1 } else { told };
    assert_eq!(told, code, "{ask:?} while {state}");
}

#[test]
fn every_request_in_every_state() {
    for (ask, [in_absent, in_starting, in_running, in_killed, in_stopping]) in rows() {
        check(absent(), &ask, in_absent, "absent");
        check(starting(), &ask, in_starting, "starting");
        check(running(), &ask, in_running, "running");
        check(killed(), &ask, in_killed, "killed");
        check(stopping(), &ask, in_stopping, "stopping");
        for over in [finished(), failed()] {
            check(over, &ask, -210, "over");
        }
    }
}

#[test]
fn what_ends_a_lockspace_is_refused_while_an_lv_is_locked_unless_it_is_forced() {
    for (ask, code) in [
        (Ask::Stop(StopRule::UnlessLvLocks), -16),
        (Ask::Stop(StopRule::UnlessLocks), -16),
        (Ask::Stop(StopRule::Anyway), 0),
        (Ask::Free, -16),
        (Ask::RenameBefore, -16),
        (Ask::SetLockArgsBefore, -93),
        (Ask::Drop, 0),
    ] {
        check(in_use(), &ask, code, "in use");
    }
}

#[test]
fn another_lock_type_is_refused_in_every_state_but_absent() {
    for mut bench in [starting(), running(), killed(), stopping()] {
        let asked = bench.ask_for(1, Some(LockType::Dlm), Ask::Busy);
        assert_eq!(bench.code(asked), Some(ResultCode::INVALID));
    }
    let mut bench = running();
    let asked = bench.ask_for(1, Some(LockType::Sanlock), Ask::Busy);
    assert_eq!(bench.code(asked), Some(ResultCode::OK));
}

#[test]
fn events_that_concern_nothing_change_nothing() {
    use crate::roles::lock::lockspace::ask::{ClientId, Ticket};
    use crate::roles::lock::lockspace::event::CallId;
    for mut bench in [absent(), starting(), running(), killed(), stopping(), finished(), failed()] {
        let before = bench.lockspace.describe();
        for event in [
            Event::ClientGone(ClientId(77)),
            Event::NotDelivered(Ticket(77)),
            Event::Overdue(CallId(77)),
            Event::Answered(CallId(77), Err(fault(ResultCode::AGAIN))),
            Event::TimeHasCome,
            Event::Renewal(None),
            Event::DuplicateGlobals(false),
        ] {
            bench.feed(event);
        }
        assert_eq!(bench.lockspace.describe(), before);
    }
}
