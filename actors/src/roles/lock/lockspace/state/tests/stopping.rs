//! Stop, free, rename, drop: what they give back, what they refuse, and what they leave as it was.

use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode, ResultFlags};

use crate::roles::lock::lock_manager::{GlobalLease, Leave, Leftover, OtherHosts, Resource};
use crate::roles::lock::lockspace::ask::{Ask, ClientId, StopRule};
use crate::roles::lock::lockspace::event::{Call, Event, Notice, Outcome};
use crate::roles::lock::lockspace::picture::Stage;
use crate::roles::lock::lockspace::testing::{Bench, EXCLUSIVE, SHARED, fault, lv, persistent};

const OK: Option<ResultCode> = Some(ResultCode::OK);
const BUSY: Option<ResultCode> = Some(ResultCode::BUSY);

fn is_leave(call: &Call) -> bool {
    matches!(call, Call::Leave(_))
}

fn is_release(call: &Call) -> bool {
    matches!(call, Call::Release { .. })
}

#[test]
fn a_stop_with_an_lv_lock_held_is_refused_and_nothing_is_lost() {
    for is_persistent in [false, true] {
        let mut bench = Bench::running(LockType::Sanlock);
        let mut ask = persistent(&lv("a"), EXCLUSIVE);
        ask.persistent = is_persistent;
        bench.ask(1, Ask::Lock(ask));
        bench.lock(1, &Resource::Vg, SHARED);
        let refused = bench.ask(2, Ask::Stop(StopRule::UnlessLvLocks));
        assert_eq!((bench.code(refused), bench.stage()), (BUSY, Stage::Running));
        assert_eq!((bench.mode(&lv("a")), bench.mode(&Resource::Vg)), (EXCLUSIVE, SHARED));
        assert_eq!(bench.lockspace.lock_counts(), (1, 2));
    }
}

#[test]
fn a_stop_gives_vg_and_global_locks_back_and_answers_those_who_wait() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &Resource::Vg, EXCLUSIVE);
    bench.lock(1, &Resource::Global, SHARED);
    let waits = bench.lock(3, &Resource::Vg, SHARED);
    let stopped = bench.ask(2, Ask::Stop(StopRule::UnlessLvLocks));
    assert_eq!((bench.code(stopped), bench.code(waits)), (OK, Some(ResultCode::NO_LOCKSPACE)));
    assert_eq!((bench.count(is_release), bench.gone, bench.stage()), (2, true, Stage::Finished));
    assert_eq!(bench.globals.last(), Some(&GlobalLease::Absent));
    assert_eq!(bench.remembered.locks().count(), 0);
}

#[test]
fn a_forced_stop_gives_everything_back() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.ask(1, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    let stopped = bench.ask(2, Ask::Stop(StopRule::Anyway));
    assert_eq!((bench.code(stopped), bench.count(is_release)), (OK, 1));
    assert_eq!(bench.remembered.locks().count(), 0);
}

#[test]
fn a_stop_that_orphans_refuse_drops_nothing() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &Resource::Vg, EXCLUSIVE);
    let waits = bench.lock(3, &Resource::Vg, SHARED);
    bench.fails(is_leave, fault(ResultCode::BUSY));
    let refused = bench.ask(2, Ask::Stop(StopRule::UnlessLvLocks));
    assert_eq!((bench.code(refused), bench.stage(), bench.gone), (BUSY, Stage::Running, false));
    let picture = bench.resource(&Resource::Vg).unwrap();
    assert_eq!((picture.mode, picture.holders.len(), bench.code(waits)), (EXCLUSIVE, 1, None));
    bench.unlock(1, &Resource::Vg);
    assert_eq!(bench.code(waits), OK);
}

#[test]
fn a_lock_that_another_host_took_during_a_refused_stop_is_told_as_lost() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &Resource::Vg, EXCLUSIVE);
    bench.manner(|call| match call {
        Call::Leave(_) => Some(Err(fault(ResultCode::BUSY))),
        Call::Acquire(..) => Some(Err(fault(ResultCode::AGAIN))),
        _ => None,
    });
    bench.ask(2, Ask::Stop(StopRule::UnlessLvLocks));
    assert!(bench.has_told(|notice| matches!(notice, Notice::Lost { .. })));
    assert_eq!(bench.resource(&Resource::Vg).unwrap().holders.len(), 0);
    let unlocked = bench.unlock(1, &Resource::Vg);
    assert_eq!(bench.code(unlocked), Some(ResultCode::NOT_FOUND));
}

#[test]
fn a_client_that_goes_away_during_a_refused_stop_gets_no_lock_back() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &Resource::Vg, EXCLUSIVE);
    bench.slow = true;
    bench.ask(2, Ask::Stop(StopRule::UnlessLvLocks));
    bench.feed(Event::ClientGone(ClientId(1)));
    bench.slow = false;
    bench.fails(is_leave, fault(ResultCode::BUSY));
    bench.grant();
    assert_eq!((bench.stage(), bench.mode(&Resource::Vg)), (Stage::Running, LockMode::Unlocked));
    assert_eq!(bench.resource(&Resource::Vg).unwrap().holders.len(), 0);
}

#[test]
fn a_lock_that_is_being_acquired_when_a_forced_stop_comes_is_given_back_as_well() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.slow = true;
    let locking = bench.lock(1, &lv("a"), EXCLUSIVE);
    bench.ask(2, Ask::Stop(StopRule::Anyway));
    assert_eq!(bench.calls.len(), 1);
    bench.grant();
    assert!(is_release(&bench.calls[0].1));
    bench.slow = false;
    bench.grant();
    assert_eq!((bench.stage(), bench.code(locking)), (Stage::Finished, Some(ResultCode::NO_LOCKSPACE)));
    assert_eq!(bench.remembered.locks().count(), 0);
}

#[test]
fn free_and_rename_are_refused_while_other_hosts_are_there_and_busy_says_so() {
    for ask in [Ask::Busy, Ask::Free, Ask::RenameBefore] {
        for (hosts, flags) in [
            (OtherHosts { live: 1, unknown: 0 }, ResultFlags::NONE),
            (OtherHosts { live: 0, unknown: 1 }, ResultFlags::HOSTS_UNKNOWN),
        ] {
            let mut bench = Bench::running(LockType::Sanlock);
            bench.lock(1, &Resource::Vg, EXCLUSIVE);
            bench.manner(move |call| matches!(call, Call::OtherHosts).then_some(Ok(Outcome::Hosts(hosts))));
            let refused = bench.ask(1, ask.clone());
            assert_eq!((bench.code(refused), bench.reply(refused).flags), (BUSY, flags));
            assert_eq!((bench.stage(), bench.mode(&Resource::Vg)), (Stage::Running, EXCLUSIVE));
        }
    }
}

#[test]
fn free_gives_the_locks_back_for_ever_and_destroys_the_lockspace() {
    let mut bench = Bench::running(LockType::Dlm);
    bench.lock(1, &Resource::Vg, EXCLUSIVE);
    let freed = bench.ask(1, Ask::Free);
    assert_eq!((bench.code(freed), bench.gone), (OK, true));
    let removed = bench.called.iter().find_map(|call| match call {
        Call::Release { write, free: true, .. } => *write,
        _ => None,
    });
    let removed = removed.unwrap();
    assert_eq!((removed.flags & 1, removed.r_version > 0), (1, true));
    assert_eq!(bench.called.last(), Some(&Call::Leave(Leave::Destroy)));
}

/// What ends a lockspace, and how it is left then.
const ENDS: [(Ask, Leave); 2] = [(Ask::Free, Leave::Destroy), (Ask::RenameBefore, Leave::Keep)];

#[test]
fn a_vg_is_not_removed_or_renamed_over_the_lock_of_an_earlier_daemon() {
    let leftover = Leftover { resource: lv("a"), mode: SHARED, lv_args: "".into() };
    let (failed, failure) = (Err(fault(ResultCode::LOCK_MANAGER)), Some(ResultCode::LOCK_MANAGER));
    for (ask, how) in ENDS {
        for (listed, code) in [
            (Ok(Outcome::Orphans(Some(vec![leftover.clone()]))), BUSY),
            // Nobody knows whether there are any.
            (Ok(Outcome::Orphans(None)), BUSY),
            (failed.clone(), failure),
        ] {
            let mut bench = Bench::running(LockType::Dlm);
            bench.lock(1, &Resource::Vg, EXCLUSIVE);
            bench.called.clear();
            let answer = listed.clone();
            bench.manner(move |call| matches!(call, Call::Orphans).then(|| answer.clone()));
            let refused = bench.ask(1, ask.clone());
            assert_eq!((bench.code(refused), bench.stage()), (code, Stage::Running), "{ask:?} {listed:?}");
            assert_eq!((bench.mode(&Resource::Vg), bench.mode(&lv("a"))), (EXCLUSIVE, LockMode::Unlocked));
            assert_eq!(bench.called, [Call::OtherHosts, Call::Orphans], "nothing is changed");
            bench.manner(|_| None);
            let ended = bench.ask(1, ask.clone());
            assert_eq!((bench.code(ended), bench.gone), (OK, true));
            assert_eq!(bench.called.last(), Some(&Call::Leave(how)));
        }
    }
}

#[test]
fn a_vg_is_not_removed_or_renamed_while_an_lv_of_it_is_locked() {
    for (ask, _) in ENDS {
        let mut bench = Bench::running(LockType::Sanlock);
        bench.ask(1, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
        bench.called.clear();
        let refused = bench.ask(1, ask.clone());
        assert_eq!((bench.code(refused), bench.mode(&lv("a"))), (BUSY, EXCLUSIVE), "{ask:?}");
        assert_eq!(bench.called, [], "nothing is asked of the lock manager");
        // One that is locked while the others are counted.
        let mut bench = Bench::running(LockType::Sanlock);
        bench.slow = true;
        let refused = bench.ask(1, ask.clone());
        bench.ask(2, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
        bench.slow = false;
        bench.grant();
        assert_eq!((bench.code(refused), bench.mode(&lv("a"))), (BUSY, EXCLUSIVE), "{ask:?}");
    }
}

#[test]
fn a_change_of_lock_args_whose_second_step_is_not_served_is_refused_before_anything_is_changed() {
    for lock_type in [LockType::Sanlock, LockType::Dlm] {
        let mut bench = Bench::running(lock_type);
        bench.lock(1, &Resource::Vg, EXCLUSIVE);
        let calls = bench.called.len();
        let refused = bench.ask(1, Ask::SetLockArgsBefore);
        assert_eq!(bench.code(refused), Some(ResultCode::NOT_SUPPORTED));
        assert_eq!((bench.stage(), bench.mode(&Resource::Vg)), (Stage::Running, EXCLUSIVE));
        assert_eq!(bench.called.len(), calls, "nothing is asked of the lock manager");
    }
}

#[test]
fn drop_releases_everything_even_where_the_leases_cannot_be_written() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.ask(1, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    bench.ask(2, Ask::Kill);
    bench.fails(is_release, fault(ResultCode::LOCK_IO));
    let dropped = bench.ask(2, Ask::Drop);
    assert_eq!((bench.code(dropped), bench.stage()), (OK, Stage::Finished));
}

#[test]
fn a_kill_answers_those_who_wait_and_lets_unlocks_through() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.lock(1, &Resource::Vg, EXCLUSIVE);
    let waits = bench.lock(2, &Resource::Vg, EXCLUSIVE);
    bench.ask(3, Ask::Kill);
    assert_eq!(bench.code(waits), Some(ResultCode::VG_KILLED));
    let unlocked = bench.unlock(1, &Resource::Vg);
    assert_eq!(bench.code(unlocked), OK);
    assert!(bench.lockspace.describe().killed);
}

#[test]
fn a_stop_of_a_silent_lock_manager_is_told_so() {
    let mut bench = Bench::running(LockType::Sanlock);
    bench.slow = true;
    bench.lock(1, &lv("a"), EXCLUSIVE);
    bench.feed(Event::Overdue(bench.calls[0].0));
    let dropped = bench.ask(2, Ask::Drop);
    assert_eq!((bench.code(dropped), bench.stage()), (Some(ResultCode::LOCK_IO), Stage::Stopping));
    bench.slow = false;
    bench.grant();
    assert_eq!(bench.stage(), Stage::Finished);

    let mut bench = Bench::running(LockType::Sanlock);
    bench.slow = true;
    let dropped = bench.ask(2, Ask::Drop);
    bench.feed(Event::Overdue(bench.calls[0].0));
    assert_eq!(bench.code(dropped), Some(ResultCode::LOCK_IO));
    bench.answer(Err(fault(ResultCode::LOCK_MANAGER)));
    assert_eq!(bench.stage(), Stage::Running);
}
