//! Starts, with and without waiting, that work, fail, and are stopped meanwhile.

use lvmwarden_protocol::lock::{LockType, ResultCode};

use crate::roles::lock::lock_manager::{Adopt, GlobalLease, Prepared, Resource};
use crate::roles::lock::lockspace::ask::{Ask, LockAsk, StartAsk, StopRule};
use crate::roles::lock::lockspace::event::{Call, Event, Notice, Outcome};
use crate::roles::lock::lockspace::picture::Stage;
use crate::roles::lock::lockspace::testing::{Bench, EXCLUSIVE, fault, spec};

const OK: Option<ResultCode> = Some(ResultCode::OK);

fn new() -> Bench {
    let mut bench = Bench::new(spec(LockType::Sanlock));
    bench.slow = true;
    bench
}

fn start(wait: bool) -> Ask {
    Ask::Start(StartAsk { wait, ..StartAsk::default() })
}

#[test]
fn without_wait_the_reply_comes_after_prepare_and_carries_the_generation_before() {
    let mut bench = new();
    let started = bench.ask(1, start(false));
    assert_eq!(bench.code(started), None);
    bench.grant();
    assert_eq!((bench.code(started), bench.reply(started).previous_generation), (OK, 3));
    assert_eq!((bench.stage(), bench.globals.as_slice()), (Stage::Starting, &[GlobalLease::Enabled][..]));
    bench.grant();
    assert_eq!(bench.stage(), Stage::Running);
    let locked = bench.lock(1, &Resource::Vg, EXCLUSIVE);
    bench.grant();
    assert_eq!((bench.code(locked), bench.reply(locked).generation), (OK, 4));
}

#[test]
fn with_wait_the_reply_comes_after_the_join_and_locks_are_served_from_then_on() {
    let mut bench = new();
    let started = bench.ask(1, start(true));
    bench.grant();
    assert_eq!(bench.code(started), None);
    bench.grant();
    assert_eq!((bench.code(started), bench.stage()), (OK, Stage::Running));
}

#[test]
fn a_prepare_or_join_that_fails_is_told_to_who_waits_after_the_lockspace_is_gone() {
    let prepare: fn(&Call) -> bool = |call| matches!(call, Call::Prepare { .. });
    let join: fn(&Call) -> bool = |call| matches!(call, Call::Join { .. });
    for (which, wait, told) in
        [(prepare, false, -213), (prepare, true, -213), (join, false, 0), (join, true, -213)]
    {
        let mut bench = Bench::new(spec(LockType::Sanlock));
        bench.fails(which, fault(ResultCode::BAD_HOST_ID));
        let started = bench.ask(1, start(wait));
        assert_eq!(bench.code(started), Some(ResultCode(told)));
        assert_eq!((bench.stage(), bench.gone), (Stage::Failed, true));
        assert!(bench.has_told(|notice| matches!(notice, Notice::StartFailed(_))));
        assert_ne!(bench.globals.last(), Some(&GlobalLease::Enabled));
    }
}

#[test]
fn how_it_is_started_is_passed_to_the_lock_manager() {
    let mut bench = Bench::new(spec(LockType::Sanlock));
    bench.ask(1, Ask::Start(StartAsk { wait: false, adopt: Adopt::Only, nodelay: true, repair: true }));
    assert_eq!(
        bench.called,
        [Call::Prepare { repair: true }, Call::Join { adopt: Adopt::Only, nodelay: true }, Call::Orphans]
    );
}

#[test]
fn a_stop_while_it_starts_is_told_0_after_the_join_was_undone() {
    let mut bench = new();
    bench.ask(1, start(false));
    let stopped = bench.ask(2, Ask::Stop(StopRule::UnlessLvLocks));
    bench.grant();
    bench.grant();
    assert_eq!((bench.code(stopped), bench.stage()), (None, Stage::Stopping));
    bench.grant();
    assert_eq!((bench.code(stopped), bench.stage(), bench.gone), (OK, Stage::Finished, true));
}

#[test]
fn a_stop_of_a_start_that_fails_is_told_0() {
    let mut bench = new();
    bench.ask(1, start(false));
    let stopped = bench.ask(2, Ask::Stop(StopRule::UnlessLvLocks));
    bench.grant();
    bench.answer(Err(fault(ResultCode::EXISTS)));
    assert_eq!(bench.code(stopped), OK);
}

#[test]
fn a_lock_request_that_may_wait_for_the_start_does() {
    let mut bench = new();
    bench.ask(1, start(false));
    let ask = LockAsk { waits_for_start: true, ..LockAsk::new(Resource::Global, Some(EXCLUSIVE)) };
    let patient = bench.ask(2, Ask::Lock(ask.clone()));
    assert_eq!(bench.code(patient), None);
    bench.slow = false;
    bench.grant();
    assert_eq!(bench.code(patient), OK);

    let mut bench = new();
    bench.ask(1, start(false));
    let patient = bench.ask(2, Ask::Lock(ask));
    bench.answer(Err(fault(ResultCode::MANAGER)));
    assert_eq!(bench.code(patient), Some(ResultCode::NO_LOCKSPACE));
}

#[test]
fn a_start_past_its_deadline_is_told_and_goes_on() {
    let mut bench = new();
    let started = bench.ask(1, start(true));
    bench.grant();
    let stopped = bench.ask(2, Ask::Stop(StopRule::UnlessLvLocks));
    bench.feed(Event::Overdue(bench.calls[0].0));
    let late = Some(ResultCode::LOCK_IO);
    assert_eq!((bench.code(started), bench.code(stopped)), (late, late));
    bench.grant();
    assert_eq!(bench.stage(), Stage::Running);
}

#[test]
fn a_start_over_a_lockspace_that_an_earlier_daemon_has_left_behind_is_never_told_0() {
    for wait in [true, false] {
        let mut bench = new();
        bench.manner(|call| match call {
            Call::Prepare { .. } => Some(Ok(Outcome::Prepared(Prepared {
                global: GlobalLease::Enabled,
                previous_generation: 0,
                is_left_behind: true,
            }))),
            _ => None,
        });
        bench.slow = false;
        let started = bench.ask(1, start(wait));
        assert_eq!((bench.code(started), bench.gone), (Some(ResultCode::ORPHAN), true));
        assert!(!bench.called.iter().any(|call| matches!(call, Call::Join { .. })));
    }
}
