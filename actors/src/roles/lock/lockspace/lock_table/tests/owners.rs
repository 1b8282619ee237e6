//! Transient and persistent locks, and who may do what with them.

use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode, ResultFlags};

use crate::roles::lock::lock_manager::Resource;
use crate::roles::lock::lockspace::ask::{Ask, ClientId, LockAsk, Ticket};
use crate::roles::lock::lockspace::event::Event;
use crate::roles::lock::lockspace::testing::{Bench, EXCLUSIVE, SHARED, lv, persistent};

const UNLOCKED: LockMode = LockMode::Unlocked;

/// One row: what was held before (by client 1), what is asked (by which client), and what is told.
struct Row {
    held: &'static [(bool, LockMode)],
    by: u32,
    asks: (bool, LockMode),
    told: ResultCode,
    flags: ResultFlags,
    /// What is held afterwards: persistent, mode.
    then: &'static [(bool, LockMode)],
}

const fn row(
    held: &'static [(bool, LockMode)],
    by: u32,
    asks: (bool, LockMode),
    told: ResultCode,
    then: &'static [(bool, LockMode)],
) -> Row {
    Row { held, by, asks, told, flags: ResultFlags::NONE, then }
}

const P: bool = true;
const T: bool = false;

const ROWS: [Row; 19] = [
    row(&[], 1, (T, UNLOCKED), ResultCode::NOT_FOUND, &[]),
    row(&[(T, SHARED)], 1, (T, SHARED), ResultCode::ALREADY, &[(T, SHARED)]),
    row(&[(T, EXCLUSIVE)], 1, (T, EXCLUSIVE), ResultCode::ALREADY, &[(T, EXCLUSIVE)]),
    row(&[(P, EXCLUSIVE)], 2, (P, EXCLUSIVE), ResultCode::ALREADY, &[(P, EXCLUSIVE)]),
    row(&[(P, SHARED)], 2, (P, SHARED), ResultCode::ALREADY, &[(P, SHARED)]),
    // Without a record: the transient unlock that follows finds nothing.
    row(&[(P, EXCLUSIVE)], 2, (T, EXCLUSIVE), ResultCode::OK, &[(P, EXCLUSIVE)]),
    row(&[(P, EXCLUSIVE)], 2, (T, SHARED), ResultCode::OK, &[(P, EXCLUSIVE)]),
    row(&[(P, SHARED)], 2, (T, SHARED), ResultCode::OK, &[(P, SHARED)]),
    Row {
        held: &[(P, SHARED)],
        by: 2,
        asks: (T, EXCLUSIVE),
        told: ResultCode::EXISTS,
        flags: ResultFlags::SH_EXISTS,
        then: &[(P, SHARED)],
    },
    row(&[(P, SHARED)], 2, (P, EXCLUSIVE), ResultCode::OK, &[(P, EXCLUSIVE)]),
    row(&[(P, EXCLUSIVE)], 2, (P, SHARED), ResultCode::OK, &[(P, SHARED)]),
    row(&[(T, EXCLUSIVE)], 1, (P, EXCLUSIVE), ResultCode::OK, &[(P, EXCLUSIVE)]),
    row(&[(T, SHARED)], 1, (P, SHARED), ResultCode::OK, &[(P, SHARED)]),
    row(&[(T, SHARED)], 1, (P, EXCLUSIVE), ResultCode::EXISTS, &[(T, SHARED)]),
    row(&[(T, EXCLUSIVE)], 1, (P, SHARED), ResultCode::EXISTS, &[(T, EXCLUSIVE)]),
    // An unlock never touches a lock of the other kind.
    row(&[(P, EXCLUSIVE)], 1, (T, UNLOCKED), ResultCode::NOT_FOUND, &[(P, EXCLUSIVE)]),
    row(&[(T, EXCLUSIVE)], 1, (P, UNLOCKED), ResultCode::NOT_FOUND, &[(T, EXCLUSIVE)]),
    row(&[(P, EXCLUSIVE)], 2, (P, UNLOCKED), ResultCode::OK, &[]),
    row(&[(T, SHARED)], 2, (T, UNLOCKED), ResultCode::NOT_FOUND, &[(T, SHARED)]),
];

fn ask(bench: &mut Bench, by: u32, (is_persistent, mode): (bool, LockMode)) -> Ticket {
    let ask = LockAsk { persistent: is_persistent, ..LockAsk::new(lv("a"), Some(mode)) };
    bench.ask(by, Ask::Lock(ask))
}

#[test]
fn every_request_of_an_owner_and_beside_one() {
    for (at, row) in ROWS.iter().enumerate() {
        let mut bench = Bench::running(LockType::Sanlock);
        for held in row.held {
            let held = ask(&mut bench, 1, *held);
            assert_eq!(bench.code(held), Some(ResultCode::OK), "row {at}");
        }
        let asked = ask(&mut bench, row.by, row.asks);
        let reply = bench.reply(asked);
        assert_eq!((reply.code, reply.flags), (row.told, row.flags), "row {at}");
        let holders = bench.resource(&lv("a")).map(|picture| picture.holders).unwrap_or_default();
        let then: Vec<_> = holders.iter().map(|holder| (holder.persistent, holder.mode)).collect();
        assert_eq!(then, row.then, "row {at}");
    }
}

#[test]
fn a_persistent_lock_outlives_its_client_and_anyone_releases_it() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.ask(1, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    bench.apply(Event::ClientGone(ClientId(1)));
    assert_eq!(bench.mode(&lv("a")), EXCLUSIVE);
    let released = bench.ask(7, Ask::Lock(persistent(&lv("a"), UNLOCKED)));
    assert_eq!(bench.code(released), Some(ResultCode::OK));
    let again = bench.ask(7, Ask::Lock(persistent(&lv("a"), UNLOCKED)));
    assert_eq!(bench.code(again), Some(ResultCode::NOT_FOUND));
}

#[test]
fn a_transient_lock_that_became_persistent_stays_when_its_client_is_gone() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &lv("a"), EXCLUSIVE);
    bench.ask(1, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    bench.apply(Event::ClientGone(ClientId(1)));
    assert_eq!(bench.mode(&lv("a")), EXCLUSIVE);
    let (_, lock) = bench.remembered.locks().next().unwrap();
    assert!(lock.holders[0].1.is_persistent());
}

#[test]
fn modes_that_clients_may_not_ask_for_are_invalid() {
    let mut bench = Bench::running(LockType::Dlm);
    for mode in [None, Some(LockMode::Null)] {
        let asked = bench.ask(1, Ask::Lock(LockAsk::new(Resource::Vg, mode)));
        assert_eq!(bench.code(asked), Some(ResultCode::INVALID));
    }
}

#[test]
fn the_version_of_the_metadata_is_taken_from_the_holder_of_the_exclusive_vg_lock_only() {
    let mut bench = Bench::running(LockType::Dlm);
    let update = |bench: &mut Bench, by, version| {
        let asked = bench.ask(by, Ask::VgUpdate { version, next: false });
        bench.code(asked).unwrap()
    };
    assert_eq!(update(&mut bench, 1, 5), ResultCode::NOT_FOUND);
    bench.lock(1, &Resource::Vg, SHARED);
    assert_eq!(update(&mut bench, 1, 5), ResultCode::INVALID);
    bench.unlock(1, &Resource::Vg);
    bench.lock(1, &Resource::Vg, EXCLUSIVE);
    assert_eq!(update(&mut bench, 2, 5), ResultCode::NOT_FOUND);
    assert_eq!(update(&mut bench, 1, 5), ResultCode::OK);
    bench.unlock(1, &Resource::Vg);
    assert_eq!(bench.resource(&Resource::Vg).unwrap().version, 5);
    bench.lock(2, &Resource::Vg, EXCLUSIVE);
    let next = bench.ask(2, Ask::VgUpdate { version: 0, next: true });
    assert_eq!(bench.code(next), Some(ResultCode::OK));
    bench.unlock(2, &Resource::Vg);
    assert_eq!(bench.resource(&Resource::Vg).unwrap().version, 6);
}

#[test]
fn there_is_one_persistent_lock_also_where_several_are_waited_for() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &lv("a"), EXCLUSIVE);
    let first = bench.ask(2, Ask::Lock(persistent(&lv("a"), SHARED)));
    let second = bench.ask(3, Ask::Lock(persistent(&lv("a"), SHARED)));
    bench.unlock(1, &lv("a"));
    assert_eq!(bench.code(first), Some(ResultCode::OK));
    assert_eq!(bench.code(second), Some(ResultCode::ALREADY));
    assert_eq!(bench.resource(&lv("a")).unwrap().holders.len(), 1);
}

#[test]
fn a_lock_that_becomes_persistent_answers_those_who_wait_for_a_persistent_one() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &lv("a"), EXCLUSIVE);
    let waits = bench.ask(2, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    bench.ask(1, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    assert_eq!((bench.code(waits), bench.mode(&lv("a"))), (Some(ResultCode::ALREADY), EXCLUSIVE));
}
