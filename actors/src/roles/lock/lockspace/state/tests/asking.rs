//! Leases, the global lock's name, hosts and renewal.

use std::time::Duration;

use lvmwarden_protocol::lock::{LockType, ResultCode, ResultFlags};

use crate::roles::lock::lock_manager::{Acquire, GlobalLease, InitLv, Renewal, Resource};
use crate::roles::lock::lockspace::ask::{Ask, Ticket};
use crate::roles::lock::lockspace::event::{Call, Event, Notice, Outcome};
use crate::roles::lock::lockspace::testing::{Bench, EXCLUSIVE, SHARED, fault, id, lv, uuid};

const OK: Option<ResultCode> = Some(ResultCode::OK);
const INVALID: Option<ResultCode> = Some(ResultCode::INVALID);

fn init_lv(bench: &mut Bench) -> Ticket {
    let request = InitLv {
        vg: id("vg"),
        vg_args: "1.0.0:lvmlock".into(),
        lv_uuid: uuid("a"),
        previous_args: "".into(),
    };
    bench.ask(1, Ask::InitLv(Box::new(request)))
}

#[test]
fn a_new_lease_is_told_with_its_arguments() {
    let mut bench = Bench::running(LockType::Sanlock);
    let asked = init_lv(&mut bench);
    assert_eq!(bench.reply(asked).lv_args.as_deref(), Some("1.0.0:70254592"));
    bench.fails(|call| matches!(call, Call::InitLv(_)), fault(ResultCode::NO_ROOM));
    let asked = init_lv(&mut bench);
    assert_eq!(bench.code(asked), Some(ResultCode::NO_ROOM));
}

#[test]
fn a_lease_that_was_made_too_late_is_given_back() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.slow = true;
    let asked = init_lv(&mut bench);
    bench.feed(Event::Overdue(bench.calls[0].0));
    assert_eq!(bench.code(asked), Some(ResultCode::LOCK_IO));
    bench.grant();
    assert_eq!(bench.calls[0].1, Call::FreeLv { uuid: uuid("a"), args: "1.0.0:70254592".into() });
}

#[test]
fn the_global_lock_is_switched_only_while_this_host_does_not_hold_it() {
    for ask in
        [Ask::EnableGlobal, Ask::DisableGlobal { exclusive: false }, Ask::DisableGlobal { exclusive: true }]
    {
        let mut bench = Bench::running(LockType::Sanlock);
        bench.lock(1, &Resource::Global, SHARED);
        let refused = bench.ask(2, ask.clone());
        assert_eq!(bench.code(refused), INVALID);
        bench.unlock(1, &Resource::Global);
        let switched = bench.ask(2, ask);
        assert_eq!(bench.code(switched), OK);
        assert_eq!(bench.resource(&Resource::Global).unwrap().holders.len(), 0);
    }
    let mut bench = Bench::running(LockType::Dlm);
    let refused = bench.ask(2, Ask::EnableGlobal);
    assert_eq!(bench.code(refused), INVALID);
}

#[test]
fn disabling_tells_the_name_and_cancels_those_who_wait() {
    let mut bench = Bench::running(LockType::Sanlock);
    let mut conflict = fault(ResultCode::AGAIN);
    conflict.is_transient = true;
    bench.fails(|call| matches!(call, Call::Acquire(..)), conflict);
    let waits = bench.lock(1, &Resource::Global, EXCLUSIVE);
    let disabled = bench.ask(2, Ask::DisableGlobal { exclusive: false });
    assert_eq!((bench.code(disabled), bench.code(waits)), (OK, Some(ResultCode::CANCELED)));
    assert_eq!(bench.globals.last(), Some(&GlobalLease::Disabled));
    bench.ask(2, Ask::EnableGlobal);
    assert_eq!(bench.globals.last(), Some(&GlobalLease::Enabled));
}

#[test]
fn the_exclusive_form_takes_the_lock_renames_it_and_gives_it_back() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.ask(2, Ask::DisableGlobal { exclusive: true });
    let kinds: Vec<_> = bench.called.iter().map(std::mem::discriminant).collect();
    let global = || Resource::Global;
    let expected = [
        Call::Acquire(global(), EXCLUSIVE, Acquire::default()),
        Call::WriteGlobal { enabled: false },
        Call::Release { resource: global(), write: None, free: false },
    ];
    assert_eq!(kinds, expected.iter().map(std::mem::discriminant).collect::<Vec<_>>());
}

#[test]
fn a_global_lock_found_disabled_is_forgotten() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.fails(|call| matches!(call, Call::Acquire(..)), fault(ResultCode::NO_LOCKSPACE));
    let refused = bench.lock(1, &Resource::Global, EXCLUSIVE);
    assert_eq!(bench.code(refused), Some(ResultCode::NO_LOCKSPACE));
    assert_eq!(bench.globals.last(), Some(&GlobalLease::Disabled));
}

#[test]
fn new_locks_warn_of_duplicates_as_long_as_the_own_global_lock_is_enabled() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.apply(Event::DuplicateGlobals(true));
    for resource in [Resource::Global, Resource::Vg, lv("a")] {
        let locked = bench.lock(1, &resource, SHARED);
        assert_eq!(bench.reply(locked).flags, ResultFlags::DUP_GL_LS);
    }
    // Each such lock of a VG or of all looks again what is on the disk.
    bench.manner(|call| {
        matches!(call, Call::ReadGlobal).then_some(Ok(Outcome::Global(GlobalLease::Disabled)))
    });
    bench.lock(2, &Resource::Vg, SHARED);
    assert_eq!(bench.globals.last(), Some(&GlobalLease::Disabled));
    let locked = bench.lock(3, &Resource::Vg, SHARED);
    assert_eq!(bench.reply(locked).flags, ResultFlags::NONE);
}

#[test]
fn reading_the_global_lock_says_whether_it_is_enabled() {
    let mut bench = Bench::running(LockType::Sanlock);
    let enabled = bench.ask(1, Ask::ReadGlobal);
    assert_eq!(bench.code(enabled), OK);
    bench.manner(|call| {
        matches!(call, Call::ReadGlobal).then_some(Ok(Outcome::Global(GlobalLease::Disabled)))
    });
    let disabled = bench.ask(1, Ask::ReadGlobal);
    assert_eq!(bench.code(disabled), Some(ResultCode::NO_LOCKSPACE));
}

#[test]
fn status_is_who_we_are() {
    let mut bench = Bench::running(LockType::Sanlock);
    let asked = bench.ask(1, Ask::Status);
    let owner = bench.reply(asked).owner.clone().unwrap();
    assert_eq!((owner.host_id, owner.generation, owner.state.as_str()), (1, 4, "LIVE"));
}

#[test]
fn a_lease_that_is_not_renewed_is_told_once_with_the_times_left_and_once_when_it_is_again() {
    let mut bench = Bench::running(LockType::Sanlock);
    let at = |seconds| {
        let [age, kill_after, reset_after] = [seconds, 80, 140].map(Duration::from_secs);
        Event::Renewal(Some(Renewal { age, kill_after, reset_after }))
    };
    for seconds in [10, 39, 45, 50, 3, 4] {
        bench.apply(at(seconds));
    }
    let [kill_in, reset_in] = [35, 95].map(Duration::from_secs);
    assert_eq!(bench.told, [Notice::LeaseLate { kill_in, reset_in }, Notice::LeaseRenewed]);
    assert_eq!(bench.lockspace.describe().renewal.unwrap().0.age, Duration::from_secs(4));
}
