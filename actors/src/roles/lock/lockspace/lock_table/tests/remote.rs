//! Other hosts in the way.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use lvmwarden_protocol::lock::{LockType, ResultCode};

use crate::roles::lock::lock_manager::{Fault, Owner, Resource};
use crate::roles::lock::lockspace::ask::{Ask, ClientId, LockAsk};
use crate::roles::lock::lockspace::event::{Call, Event, Notice};
use crate::roles::lock::lockspace::picture::Why;
use crate::roles::lock::lockspace::testing::{Bench, EXCLUSIVE, SHARED, fault, lv};

const AGAIN: Option<ResultCode> = Some(ResultCode::AGAIN);

fn is_acquire(call: &Call) -> bool {
    matches!(call, Call::Acquire(..))
}

fn conflict() -> Fault {
    let owner = Owner { host_id: 2, generation: 5, timestamp: 9, state: "LIVE".into(), name: "b".into() };
    Fault { owner: Some(owner), ..fault(ResultCode::AGAIN) }
}

#[test]
fn a_vg_or_global_conflict_is_told_after_six_tries_in_five_seconds() {
    for resource in [Resource::Vg, Resource::Global] {
        let mut bench = Bench::running(LockType::Sanlock);
        bench.fails(is_acquire, conflict());
        let asked = bench.lock(1, &resource, EXCLUSIVE);
        bench.pass(Duration::from_millis(4900));
        assert_eq!((bench.code(asked), bench.count(is_acquire)), (None, 5));
        bench.pass(Duration::from_millis(200));
        assert_eq!((bench.code(asked), bench.count(is_acquire)), (AGAIN, 6));
        assert_eq!(bench.reply(asked).owner.as_ref().unwrap().host_id, 2);
    }
}

#[test]
fn without_retries_there_are_two_tries_a_second_apart() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.fails(is_acquire, conflict());
    let ask = LockAsk { max_retries: 0, ..LockAsk::new(Resource::Vg, Some(EXCLUSIVE)) };
    let asked = bench.ask(1, Ask::Lock(ask));
    assert_eq!(bench.code(asked), None);
    bench.seconds(1);
    assert_eq!((bench.code(asked), bench.count(is_acquire)), (AGAIN, 2));
}

#[test]
fn an_lv_conflict_is_told_at_once_unless_the_lock_manager_calls_it_transient() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.fails(is_acquire, conflict());
    let asked = bench.lock(1, &lv("a"), EXCLUSIVE);
    assert_eq!((bench.code(asked), bench.count(is_acquire)), (AGAIN, 1));
    assert_eq!(bench.resource(&lv("a")), None);
    bench.fails(is_acquire, Fault { is_transient: true, ..conflict() });
    let asked = bench.lock(1, &lv("a"), SHARED);
    bench.seconds(4);
    assert_eq!(bench.code(asked), None);
    bench.seconds(1);
    assert_eq!(bench.code(asked), AGAIN);
}

#[test]
fn a_conflict_that_goes_away_ends_well() {
    let mut bench = Bench::running(LockType::Sanlock);
    let is_there = Rc::new(Cell::new(true));
    let remote = Rc::clone(&is_there);
    bench.manner(move |call| (is_acquire(call) && remote.get()).then(|| Err(conflict())));
    let asked = bench.lock(1, &Resource::Vg, EXCLUSIVE);
    bench.seconds(3);
    is_there.set(false);
    bench.seconds(1);
    assert_eq!(bench.code(asked), Some(ResultCode::OK));
    assert!(bench.has_told(|notice| matches!(notice, Notice::Conflict { tries: 4, .. })));
}

#[test]
fn a_conflict_delays_no_other_lock() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.manner(|call| matches!(call, Call::Acquire(Resource::Vg, ..)).then(|| Err(conflict())));
    bench.lock(1, &Resource::Vg, EXCLUSIVE);
    let other = bench.lock(2, &lv("a"), EXCLUSIVE);
    assert_eq!(bench.code(other), Some(ResultCode::OK));
    let released = bench.unlock(2, &lv("a"));
    assert_eq!(bench.code(released), Some(ResultCode::OK));
}

#[test]
fn the_conflict_of_one_sharer_is_over_when_another_gets_the_lock() {
    let mut bench = Bench::running(LockType::Sanlock);
    let is_there = Rc::new(Cell::new(true));
    let remote = Rc::clone(&is_there);
    bench.manner(move |call| (is_acquire(call) && remote.get()).then(|| Err(conflict())));
    let first = bench.lock(1, &Resource::Vg, SHARED);
    is_there.set(false);
    let second = bench.lock(2, &Resource::Vg, SHARED);
    let ok = Some(ResultCode::OK);
    assert_eq!((bench.code(first), bench.code(second)), (ok, ok));
}

#[test]
fn a_picture_names_the_host_that_is_in_the_way() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.fails(is_acquire, conflict());
    bench.lock(1, &Resource::Vg, EXCLUSIVE);
    bench.lock(2, &Resource::Vg, SHARED);
    bench.seconds(2);
    let waiters = bench.resource(&Resource::Vg).unwrap().waiters;
    let Why::Conflict { fault, tries, again } = &waiters[0].why else { panic!("{waiters:?}") };
    assert_eq!((fault.owner.as_ref().unwrap().host_id, *tries), (2, 3));
    assert_eq!(*again, bench.now + Duration::from_secs(1));
    assert_eq!(waiters[1].why, Why::Behind);
}

#[test]
fn a_client_that_goes_away_between_two_tries_is_not_tried_again() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.fails(is_acquire, conflict());
    bench.lock(1, &Resource::Vg, EXCLUSIVE);
    bench.apply(Event::ClientGone(ClientId(1)));
    bench.seconds(10);
    assert_eq!(bench.count(is_acquire), 1);
    assert_eq!(bench.remembered.locks().count(), 0);
}
