//! Lock managers that fail, are silent, or say what makes no sense.

use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode};

use crate::roles::lock::lock_manager::{Resource, ValueBlock};
use crate::roles::lock::lockspace::ask::{Ask, ClientId};
use crate::roles::lock::lockspace::event::{Call, Event, Notice, Outcome};
use crate::roles::lock::lockspace::picture::Why;
use crate::roles::lock::lockspace::testing::{Bench, EXCLUSIVE, SHARED, fault, lv, persistent, uuid};

const OK: Option<ResultCode> = Some(ResultCode::OK);
const LOCK_IO: Option<ResultCode> = Some(ResultCode::LOCK_IO);

fn is_release(call: &Call) -> bool {
    matches!(call, Call::Release { .. })
}

#[test]
fn a_lock_with_a_bad_value_block_is_given_back_before_that_is_told() {
    let removed = ValueBlock { version: 0x0101, flags: 1, r_version: 3 };
    let strange = ValueBlock { version: 0x0200, flags: 0, r_version: 3 };
    for (block, code) in [(strange, ResultCode::INVALID), (removed, ResultCode::REMOVED)] {
        let mut bench = Bench::running(LockType::Dlm);
        bench.slow = true;
        let asked = bench.lock(1, &Resource::Vg, EXCLUSIVE);
        bench.answer(Ok(Outcome::Acquired(Some(block))));
        assert_eq!(bench.code(asked), None);
        bench.grant();
        assert_eq!(bench.code(asked), Some(code));
        let picture = bench.resource(&Resource::Vg).unwrap();
        assert_eq!((picture.mode, picture.holders.len()), (LockMode::Unlocked, 0));
        assert_eq!(bench.remembered.locks().count(), 0);
    }
}

#[test]
fn a_lock_that_cannot_be_given_back_is_told_shown_and_given_back_again() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.ask(1, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    bench.fails(is_release, fault(ResultCode::LOCK_IO));
    let unlocked = bench.ask(1, Ask::Lock(persistent(&lv("a"), LockMode::Unlocked)));
    assert_eq!(bench.code(unlocked), LOCK_IO);
    let picture = bench.resource(&lv("a")).unwrap();
    assert_eq!((picture.mode, picture.holders.len()), (EXCLUSIVE, 0));
    assert!(picture.unreleased.is_some());
    assert_eq!(bench.remembered.locks().count(), 1, "it is remembered until it is given back");
    bench.manner(|_| None);
    bench.seconds(1);
    assert_eq!(bench.resource(&lv("a")), None);
    assert!(bench.has_told(|notice| matches!(notice, Notice::ReleasedAtLast(_))));
    assert_eq!(bench.remembered.locks().count(), 0);
}

#[test]
fn whoever_waits_for_a_lock_that_cannot_be_given_back_is_told_so() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &lv("a"), SHARED);
    bench.fails(is_release, fault(ResultCode::LOCK_IO));
    bench.unlock(1, &lv("a"));
    let waits = bench.lock(2, &lv("a"), SHARED);
    assert_eq!(bench.code(waits), None);
    assert_eq!(bench.resource(&lv("a")).unwrap().waiters[0].why, Why::Unreleased);
    bench.seconds(1);
    assert_eq!(bench.code(waits), LOCK_IO);
    let waits = bench.lock(2, &lv("a"), EXCLUSIVE);
    bench.manner(|_| None);
    bench.seconds(1);
    assert_eq!(bench.code(waits), OK);
}

#[test]
fn an_acquire_past_its_deadline_is_told_and_its_late_success_given_back() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.slow = true;
    let asked = bench.ask(1, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    let behind = bench.lock(2, &lv("a"), SHARED);
    bench.feed(Event::Overdue(bench.calls[0].0));
    assert_eq!((bench.code(asked), bench.code(behind)), (LOCK_IO, LOCK_IO));
    let late = bench.lock(3, &lv("a"), SHARED);
    assert_eq!(bench.code(late), LOCK_IO);
    bench.slow = false;
    bench.grant();
    assert!(matches!(bench.called.last(), Some(Call::Release { .. })));
    assert_eq!((bench.resource(&lv("a")), bench.remembered.locks().count()), (None, 0));
    assert!(bench.has_told(|notice| matches!(notice, Notice::Late { .. })));
}

#[test]
fn an_unlock_behind_a_silent_lock_manager_is_told_so_and_done_when_it_answers() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &Resource::Vg, SHARED);
    bench.slow = true;
    let converted = bench.lock(1, &Resource::Vg, EXCLUSIVE);
    let unlocked = bench.unlock(1, &Resource::Vg);
    bench.feed(Event::Overdue(bench.calls[0].0));
    assert_eq!((bench.code(converted), bench.code(unlocked)), (LOCK_IO, LOCK_IO));
    bench.slow = false;
    bench.grant();
    assert_eq!(bench.mode(&Resource::Vg), LockMode::Unlocked);
}

#[test]
fn an_upgrade_that_comes_too_late_is_undone() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &Resource::Vg, SHARED);
    bench.slow = true;
    let converted = bench.lock(1, &Resource::Vg, EXCLUSIVE);
    bench.feed(Event::Overdue(bench.calls[0].0));
    assert_eq!(bench.code(converted), LOCK_IO);
    bench.slow = false;
    bench.grant();
    assert_eq!(
        (bench.mode(&Resource::Vg), bench.resource(&Resource::Vg).unwrap().holders.len()),
        (SHARED, 1)
    );
}

#[test]
fn a_release_past_its_deadline_is_told_once() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &lv("a"), EXCLUSIVE);
    bench.slow = true;
    let unlocked = bench.unlock(1, &lv("a"));
    bench.feed(Event::Overdue(bench.calls[0].0));
    assert_eq!(bench.code(unlocked), LOCK_IO);
    bench.grant();
    assert_eq!(bench.resource(&lv("a")), None);
}

#[test]
fn one_call_at_a_time_is_under_way_for_a_lock() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.slow = true;
    bench.lock(1, &Resource::Vg, SHARED);
    bench.lock(2, &Resource::Vg, SHARED);
    bench.unlock(2, &Resource::Vg);
    bench.lock(3, &Resource::Vg, EXCLUSIVE);
    bench.feed(Event::ClientGone(ClientId(1)));
    bench.lock(4, &lv("a"), EXCLUSIVE);
    assert_eq!(bench.calls.len(), 2);
}

#[test]
fn the_lease_of_a_locked_lv_is_not_given_back() {
    let mut bench = Bench::running(LockType::Sanlock);
    let free = || Ask::FreeLv { uuid: uuid("a"), args: "1.0.0:70254592".into() };
    bench.ask(1, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    let refused = bench.ask(1, free());
    assert_eq!((bench.code(refused), bench.mode(&lv("a"))), (Some(ResultCode::BUSY), EXCLUSIVE));
    bench.ask(1, Ask::Lock(persistent(&lv("a"), LockMode::Unlocked)));
    let freed = bench.ask(1, free());
    assert_eq!(bench.code(freed), OK);
    let call = Call::FreeLv { uuid: uuid("a"), args: "1.0.0:70254592".into() };
    assert_eq!(bench.called.last(), Some(&call));
    assert_eq!(bench.resource(&lv("a")), None);
}

#[test]
fn an_intent_is_remembered_before_the_lock_manager_is_asked_and_the_outcome_before_the_reply() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.slow = true;
    bench.ask(1, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    let wanted = |bench: &Bench| bench.remembered.locks().next().map(|(_, lock)| lock.clone());
    assert_eq!(wanted(&bench).unwrap().wanted.unwrap().0, EXCLUSIVE);
    bench.grant();
    let lock = wanted(&bench).unwrap();
    assert_eq!((lock.wanted, lock.holders.len()), (None, 1));
    assert_eq!((lock.holders[0].1.client, lock.holders[0].1.pid), (0, 1001));
}
