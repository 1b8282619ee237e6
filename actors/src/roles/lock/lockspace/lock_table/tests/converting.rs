//! From one mode to the other.

use lvmwarden_protocol::lock::{LockType, ResultCode};

use crate::roles::lock::lock_manager::Resource;
use crate::roles::lock::lockspace::ask::Ask;
use crate::roles::lock::lockspace::event::Call;
use crate::roles::lock::lockspace::testing::{Bench, EXCLUSIVE, SHARED, fault, lv, persistent};

const OK: Option<ResultCode> = Some(ResultCode::OK);
const AGAIN: Option<ResultCode> = Some(ResultCode::AGAIN);

#[test]
fn shared_to_exclusive_beside_other_sharers_is_refused_at_once() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &Resource::Global, SHARED);
    bench.lock(2, &Resource::Global, SHARED);
    let refused = bench.lock(1, &Resource::Global, EXCLUSIVE);
    assert_eq!(bench.code(refused), AGAIN);
    bench.unlock(2, &Resource::Global);
    let converted = bench.lock(1, &Resource::Global, EXCLUSIVE);
    assert_eq!((bench.code(converted), bench.mode(&Resource::Global)), (OK, EXCLUSIVE));
}

#[test]
fn exclusive_to_shared_writes_a_new_version_and_leaves_one_sharer() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &Resource::Global, EXCLUSIVE);
    let before = bench.resource(&Resource::Global).unwrap().version;
    let converted = bench.lock(1, &Resource::Global, SHARED);
    let picture = bench.resource(&Resource::Global).unwrap();
    assert_eq!((bench.code(converted), picture.version), (OK, before + 1));
    assert_eq!((picture.mode, picture.holders.len()), (SHARED, 1));
    let written = bench.called.iter().find_map(|call| match call {
        Call::Convert(_, _, write) => *write,
        _ => None,
    });
    assert_eq!(written.unwrap().r_version, before + 1);
}

#[test]
fn a_conflict_with_another_host_is_told_at_once_and_the_shared_lock_stays() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &Resource::Vg, SHARED);
    bench.fails(|call| matches!(call, Call::Convert(..)), fault(ResultCode::AGAIN));
    let refused = bench.lock(1, &Resource::Vg, EXCLUSIVE);
    assert_eq!((bench.code(refused), bench.mode(&Resource::Vg)), (AGAIN, SHARED));
    let unlocked = bench.unlock(1, &Resource::Vg);
    assert_eq!(bench.code(unlocked), OK);
}

#[test]
fn a_downgrade_lets_waiting_sharers_in() {
    let mut bench = Bench::running(LockType::Dlm);
    bench.lock(1, &Resource::Vg, EXCLUSIVE);
    let waits = bench.lock(2, &Resource::Vg, SHARED);
    bench.lock(1, &Resource::Vg, SHARED);
    assert_eq!(bench.code(waits), OK);
}

#[test]
fn less_is_remembered_before_a_downgrade_and_what_is_so_after_it() {
    let mut bench = Bench::running(LockType::Dlm);
    let mode = |bench: &Bench| bench.remembered.locks().next().unwrap().1.holders[0].0;
    bench.ask(1, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    bench.slow = true;
    bench.ask(2, Ask::Lock(persistent(&lv("a"), SHARED)));
    assert_eq!(mode(&bench), SHARED);
    bench.answer(Err(fault(ResultCode::LOCK_MANAGER)));
    assert_eq!(mode(&bench), EXCLUSIVE);
    bench.ask(2, Ask::Lock(persistent(&lv("a"), SHARED)));
    bench.grant();
    assert_eq!(mode(&bench), SHARED);
    bench.ask(2, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    assert_eq!(mode(&bench), SHARED);
    bench.grant();
    assert_eq!(mode(&bench), EXCLUSIVE);
}
