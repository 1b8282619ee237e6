//! Clients of the same host wait for each other.

use std::time::Duration;

use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode};

use crate::roles::lock::lock_manager::Resource;
use crate::roles::lock::lockspace::ask::{Ask, ClientId, LockAsk};
use crate::roles::lock::lockspace::event::{Call, Event, Spec};
use crate::roles::lock::lockspace::picture::Why;
use crate::roles::lock::lockspace::testing::{Bench, EXCLUSIVE, SHARED, lv, persistent, spec};

const OK: Option<ResultCode> = Some(ResultCode::OK);

#[test]
fn whoever_wants_it_while_another_client_has_it_alone_waits_until_it_is_unlocked() {
    let mut bench = Bench::running(LockType::Dlm);
    let held = bench.lock(1, &Resource::Vg, EXCLUSIVE);
    assert_eq!(bench.code(held), OK);
    let waits = bench.lock(2, &Resource::Vg, EXCLUSIVE);
    bench.seconds(3600);
    assert_eq!(bench.code(waits), None);
    let unlocked = bench.unlock(1, &Resource::Vg);
    assert_eq!((bench.code(unlocked), bench.code(waits)), (OK, OK));
}

#[test]
fn a_waiting_exclusive_request_blocks_sharers_that_come_later() {
    let mut bench = Bench::running(LockType::Dlm);
    bench.lock(1, &Resource::Vg, EXCLUSIVE);
    let shared = bench.lock(2, &Resource::Vg, SHARED);
    let exclusive = bench.lock(3, &Resource::Vg, EXCLUSIVE);
    bench.apply(Event::ClientGone(ClientId(1)));
    assert_eq!((bench.code(shared), bench.code(exclusive)), (OK, None));
    let late = bench.lock(4, &Resource::Vg, SHARED);
    assert_eq!(bench.code(late), None);
    bench.apply(Event::ClientGone(ClientId(2)));
    assert_eq!((bench.code(exclusive), bench.code(late)), (OK, None));
    bench.unlock(3, &Resource::Vg);
    assert_eq!(bench.code(late), OK);
}

#[test]
fn sharers_are_counted_and_the_lock_manager_sees_one_lock() {
    let mut bench = Bench::running(LockType::Dlm);
    for client in [1, 2] {
        let shared = bench.lock(client, &Resource::Vg, SHARED);
        assert_eq!(bench.code(shared), OK);
    }
    let picture = bench.resource(&Resource::Vg).unwrap();
    assert_eq!((picture.mode, picture.holders.len()), (SHARED, 2));
    assert_eq!(bench.count(|call| matches!(call, Call::Acquire(..))), 1);
    bench.unlock(1, &Resource::Vg);
    assert_eq!(bench.count(|call| matches!(call, Call::Release { .. })), 0);
    bench.unlock(2, &Resource::Vg);
    assert_eq!(bench.count(|call| matches!(call, Call::Release { .. })), 1);
    assert_eq!(bench.mode(&Resource::Vg), LockMode::Unlocked);
}

#[test]
fn a_client_that_dies_waiting_leaves_the_queue_at_once() {
    let mut bench = Bench::running(LockType::Dlm);
    bench.lock(1, &Resource::Vg, SHARED);
    let dead = bench.lock(2, &Resource::Vg, EXCLUSIVE);
    let behind = bench.lock(3, &Resource::Vg, SHARED);
    assert_eq!(bench.code(behind), None);
    bench.apply(Event::ClientGone(ClientId(2)));
    assert_eq!((bench.code(behind), bench.code(dead)), (OK, None));
}

#[test]
fn a_lock_that_comes_for_a_client_that_died_meanwhile_is_given_back() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.slow = true;
    bench.lock(1, &lv("a"), EXCLUSIVE);
    bench.feed(Event::ClientGone(ClientId(1)));
    let next = bench.lock(2, &lv("a"), EXCLUSIVE);
    bench.grant();
    assert!(matches!(bench.calls[0].1, Call::Release { .. }));
    bench.slow = false;
    bench.grant();
    assert_eq!(bench.code(next), OK);
}

#[test]
fn transient_lv_locks_end_with_their_client_and_wake_the_next() {
    let mut bench = Bench::running(LockType::Dlm);
    bench.lock(1, &lv("a"), EXCLUSIVE);
    let next = bench.lock(2, &lv("a"), EXCLUSIVE);
    bench.apply(Event::ClientGone(ClientId(1)));
    assert_eq!(bench.code(next), OK);
}

#[test]
fn an_lv_lock_whose_reply_could_not_be_delivered_is_given_back() {
    let mut bench = Bench::running(LockType::Sanlock);
    let asked = bench.ask(1, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    bench.apply(Event::NotDelivered(asked));
    assert_eq!(bench.resource(&lv("a")), None);
    assert_eq!(bench.remembered.locks().count(), 0);
}

#[test]
fn an_lv_lock_that_somebody_else_has_asked_about_since_is_not_given_back() {
    let mut bench = Bench::running(LockType::Sanlock);
    let asked = bench.ask(1, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    let other = bench.lock(2, &lv("a"), SHARED);
    assert_eq!(bench.code(other), OK);
    bench.apply(Event::NotDelivered(asked));
    assert_eq!(bench.mode(&lv("a")), EXCLUSIVE);
}

#[test]
fn an_lv_lock_that_somebody_is_having_converted_is_not_given_back() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.slow = true;
    let first = bench.ask(1, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    let converted = bench.ask(2, Ask::Lock(persistent(&lv("a"), SHARED)));
    bench.grant();
    bench.feed(Event::NotDelivered(first));
    bench.slow = false;
    bench.grant();
    assert_eq!((bench.code(converted), bench.mode(&lv("a"))), (OK, SHARED));
}

#[test]
fn unlock_cancel_with_nothing_held_cancels_what_waits() {
    let mut bench = Bench::running(LockType::Dlm);
    let cancel = |persistent| {
        let ask = LockAsk::new(lv("a"), Some(LockMode::Unlocked));
        Ask::Lock(LockAsk { persistent, unlock_cancel: true, ..ask })
    };
    bench.lock(1, &lv("a"), EXCLUSIVE);
    let transient = bench.lock(2, &lv("a"), EXCLUSIVE);
    let durable = bench.ask(3, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    let wrong_client = bench.ask(4, cancel(false));
    assert_eq!(bench.code(wrong_client), Some(ResultCode::NOT_FOUND));
    let own = bench.ask(2, cancel(false));
    assert_eq!(
        (bench.code(own), bench.code(transient)),
        (Some(ResultCode::CANCELED), Some(ResultCode::CANCELED))
    );
    let any = bench.ask(4, cancel(true));
    assert_eq!(
        (bench.code(any), bench.code(durable)),
        (Some(ResultCode::CANCELED), Some(ResultCode::CANCELED))
    );
}

#[test]
fn a_limit_of_local_waiting_is_answered_again() {
    let limited = Spec { local_wait: Some(Duration::from_secs(30)), ..spec(LockType::Dlm) };
    let mut bench = Bench::running_with(limited);
    bench.lock(1, &Resource::Vg, EXCLUSIVE);
    let waits = bench.lock(2, &Resource::Vg, SHARED);
    bench.seconds(29);
    assert_eq!(bench.code(waits), None);
    bench.seconds(2);
    assert_eq!(bench.code(waits), Some(ResultCode::AGAIN));
}

#[test]
fn a_picture_says_what_each_waiter_waits_for() {
    let mut bench = Bench::running(LockType::Dlm);
    bench.lock(1, &Resource::Vg, EXCLUSIVE);
    bench.lock(2, &Resource::Vg, EXCLUSIVE);
    bench.lock(3, &Resource::Vg, SHARED);
    let picture = bench.resource(&Resource::Vg).unwrap();
    assert_eq!(picture.holders[0].client.pid, 1001);
    let why: Vec<_> = picture.waiters.iter().map(|waiter| (waiter.client.pid, waiter.why.clone())).collect();
    assert_eq!(why, [(1002, Why::Held), (1003, Why::Behind)]);
}

#[test]
fn an_lv_that_nobody_holds_or_waits_for_is_not_kept() {
    let mut bench = Bench::running(LockType::Dlm);
    let asked = bench.ask(1, Ask::Query(lv("a")));
    assert_eq!((bench.code(asked), bench.reply(asked).mode), (OK, Some(LockMode::Unlocked)));
    let unlocked = bench.unlock(1, &lv("a"));
    assert_eq!(bench.code(unlocked), Some(ResultCode::NOT_FOUND));
    assert_eq!(bench.resource(&lv("a")), None);
    bench.lock(1, &lv("a"), SHARED);
    let asked = bench.ask(2, Ask::Query(lv("a")));
    assert_eq!(bench.reply(asked).mode, Some(SHARED));
    bench.unlock(1, &lv("a"));
    assert_eq!(bench.resource(&lv("a")), None);
}
