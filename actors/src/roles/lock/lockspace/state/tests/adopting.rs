//! A daemon that starts again takes over what its earlier life held.

use std::sync::Arc;

use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode};
use lvmwarden_supervisor::process::{BootId, ProcessIdentity};

use crate::roles::lock::lock_manager::{Adopt, Leftover, Resource};
use crate::roles::lock::lockspace::ask::{Ask, Asked, Client, ClientId, LockAsk, StartAsk, Ticket};
use crate::roles::lock::lockspace::event::{Answer, Call, Event, Notice, Outcome};
use crate::roles::lock::lockspace::orphan::Orphan;
use crate::roles::lock::lockspace::picture::Stage;
use crate::roles::lock::lockspace::record::{Change, Claim, HolderRecord, LockRecord};
use crate::roles::lock::lockspace::state::Lockspace;
use crate::roles::lock::lockspace::testing::{Bench, EXCLUSIVE, SHARED, fault, lv, persistent, spec};

fn orphan(name: &str, mode: LockMode, active: bool) -> Orphan {
    let lv_args = || "1.0.0:70254592".into();
    let holder = HolderRecord { pid: 77, lv_args: lv_args(), ..HolderRecord::nobody() };
    let kept = if active { vec![holder] } else { Vec::new() };
    Orphan { kept, ..Orphan::given_back(lv(name), mode, lv_args()) }
}

fn over(bench: &Bench) -> (usize, usize, usize) {
    let over = bench.told.iter().find_map(|notice| match notice {
        Notice::AdoptionOver { held, released, failed } => Some((*held, *released, *failed)),
        _ => None,
    });
    over.expect("adoption is over")
}

fn none(call: &Call) -> Option<Answer> {
    let is_metadata = matches!(call, Call::Acquire(Resource::Vg | Resource::Global, ..));
    is_metadata.then(|| Err(fault(ResultCode::ADOPT_NONE)))
}

#[test]
fn locks_of_active_lvs_are_ours_again_and_clients_are_served() {
    let left = vec![orphan("a", EXCLUSIVE, true), orphan("b", SHARED, true)];
    let mut bench = Bench::adopting(spec(LockType::Sanlock), left, none);
    assert_eq!((bench.stage(), over(&bench)), (Stage::Running, (2, 0, 0)));
    let picture = bench.resource(&lv("a")).unwrap();
    assert_eq!((picture.mode, picture.holders[0].persistent), (EXCLUSIVE, true));
    assert_eq!((picture.holders[0].client.pid, &*picture.holders[0].lv_args), (77, "1.0.0:70254592"));
    assert_eq!(bench.mode(&lv("b")), SHARED);
    assert_eq!(bench.remembered.locks().count(), 2);
    let freed = bench.ask(1, Ask::Lock(persistent(&lv("a"), LockMode::Unlocked)));
    assert_eq!(bench.code(freed), Some(ResultCode::OK));
    assert!(bench.called.contains(&Call::Join { adopt: Adopt::IfThere, nodelay: false }));
}

#[test]
fn a_lock_that_was_being_converted_is_adopted_in_the_other_mode() {
    let left = vec![orphan("a", SHARED, true)];
    let bench = Bench::adopting(spec(LockType::Sanlock), left, |call| match call {
        Call::Acquire(Resource::Lv(_), SHARED, _) => Some(Err(fault(ResultCode::ADOPT_RETRY))),
        call => none(call),
    });
    assert_eq!((bench.mode(&lv("a")), over(&bench)), (EXCLUSIVE, (1, 0, 0)));
}

#[test]
fn the_lock_of_an_lv_that_is_not_active_any_more_is_adopted_given_back_and_told() {
    let left = vec![orphan("off", EXCLUSIVE, false), orphan("on", EXCLUSIVE, true)];
    let bench = Bench::adopting(spec(LockType::Sanlock), left, none);
    assert_eq!(
        (bench.resource(&lv("off")), bench.mode(&lv("on")), over(&bench)),
        (None, EXCLUSIVE, (1, 1, 0))
    );
    assert!(bench.has_told(|notice| matches!(notice, Notice::Adopted { released: true, .. })));
    assert_eq!(bench.remembered.locks().count(), 1);
}

#[test]
fn the_failure_of_one_lock_is_told_does_not_stop_the_others_and_is_tried_again() {
    let left = vec![orphan("a", EXCLUSIVE, true), orphan("b", EXCLUSIVE, true), orphan("c", SHARED, false)];
    let mut bench = Bench::adopting(spec(LockType::Sanlock), left, |call| match call {
        Call::Acquire(resource, ..) if *resource == lv("a") => Some(Err(fault(ResultCode::LOCK_IO))),
        Call::Acquire(resource, ..) if *resource == lv("c") => Some(Err(fault(ResultCode::ADOPT_NONE))),
        call => none(call),
    });
    assert_eq!((bench.mode(&lv("b")), over(&bench)), (EXCLUSIVE, (1, 0, 1)));
    assert_eq!(told_unadopted(&bench), 1);
    let refused = bench.lock(1, &lv("a"), SHARED);
    assert_eq!(bench.code(refused), Some(ResultCode::LOCK_IO));
    let busy = bench.ask(1, Ask::Stop(crate::roles::lock::lockspace::ask::StopRule::UnlessLvLocks));
    assert_eq!(bench.code(busy), Some(ResultCode::BUSY), "what is not adopted yet is a lock all the same");
    bench.seconds(600);
    assert_eq!((bench.mode(&lv("a")), told_unadopted(&bench)), (LockMode::Unlocked, 1));
    bench.manner(none);
    bench.seconds(64);
    assert_eq!((bench.mode(&lv("a")), bench.remembered.locks().count()), (EXCLUSIVE, 2));
}

fn told_unadopted(bench: &Bench) -> usize {
    bench.told.iter().filter(|notice| matches!(notice, Notice::NotAdopted { .. })).count()
}

fn left_by(client: u32, resource: Resource, mode: LockMode) -> Orphan {
    let holder =
        HolderRecord { client, pid: 1000 + client, claim: Claim::Inherited, ..HolderRecord::nobody() };
    Orphan { kept: vec![holder], ..Orphan::given_back(resource, mode, "".into()) }
}

#[test]
fn vg_and_global_locks_are_kept_while_their_command_lives_and_nothing_is_written_over_their_versions() {
    let left = vec![left_by(3, Resource::Vg, EXCLUSIVE), left_by(3, Resource::Global, SHARED)];
    let mut bench = Bench::adopting(spec(LockType::Sanlock), left, |_| None);
    assert_eq!((over(&bench), bench.mode(&Resource::Vg)), ((2, 0, 0), EXCLUSIVE));
    let waits = bench.lock(9, &Resource::Vg, SHARED);
    assert_eq!(bench.code(waits), None);
    bench.apply(Event::ClientGone(ClientId(3)));
    assert_eq!(
        (bench.code(waits), bench.mode(&Resource::Global)),
        (Some(ResultCode::OK), LockMode::Unlocked)
    );
    for resource in [Resource::Vg, Resource::Global] {
        assert!(bench.called.contains(&Call::Release { resource, write: None, free: false }));
    }
}

#[test]
fn a_lock_of_a_vg_that_nobody_remembers_stays_and_is_told() {
    let mut bench = Bench::new(spec(LockType::Sanlock));
    let left =
        |resource: Resource, lv_args: &str| Leftover { resource, mode: EXCLUSIVE, lv_args: lv_args.into() };
    bench.leftovers = vec![left(Resource::Vg, ""), left(lv("a"), "1.0.0:70254592")];
    let start = StartAsk { wait: true, adopt: Adopt::IfThere, ..StartAsk::default() };
    let started = bench.ask(9, Ask::Start(start));
    assert_eq!((bench.code(started), bench.mode(&Resource::Vg)), (Some(ResultCode::OK), LockMode::Unlocked));
    assert!(bench.has_told(|notice| matches!(notice, Notice::InDoubt { resource: Resource::Vg, .. })));
    // That of an LV is kept, and anybody unlocks it.
    assert_eq!((bench.mode(&lv("a")), bench.remembered.locks().count()), (EXCLUSIVE, 1));
    let unlocked = bench.ask(9, Ask::Lock(persistent(&lv("a"), LockMode::Unlocked)));
    assert_eq!((bench.code(unlocked), bench.mode(&lv("a"))), (Some(ResultCode::OK), LockMode::Unlocked));
}

#[test]
fn a_list_that_cannot_be_had_is_told_once_and_asked_for_again_until_it_is_there() {
    for untold in [Ok(Outcome::Orphans(None)), Err(fault(ResultCode::LOCK_MANAGER))] {
        let mut bench = Bench::new(spec(LockType::Dlm));
        bench.leftovers = vec![Leftover { resource: lv("a"), mode: EXCLUSIVE, lv_args: "dlm".into() }];
        bench.manner(move |call| matches!(call, Call::Orphans).then(|| untold.clone()));
        let start = StartAsk { wait: true, adopt: Adopt::IfThere, ..StartAsk::default() };
        let started = bench.ask(9, Ask::Start(start));
        assert_eq!(bench.code(started), Some(ResultCode::OK), "it holds nobody up");
        bench.seconds(600);
        let told = bench.told.iter().filter(|notice| matches!(notice, Notice::NotListed(_))).count();
        let asked = bench.count(|call| matches!(call, Call::Orphans));
        assert_eq!((told, bench.mode(&lv("a"))), (1, LockMode::Unlocked));
        assert!((8..20).contains(&asked), "{asked} times in ten minutes");
        bench.manner(|_| None);
        bench.seconds(64);
        assert_eq!((bench.mode(&lv("a")), bench.remembered.locks().count()), (EXCLUSIVE, 1));
        let asked = bench.count(|call| matches!(call, Call::Orphans));
        bench.seconds(600);
        assert_eq!(bench.count(|call| matches!(call, Call::Orphans)), asked, "once it is there, that is all");
    }
}

#[test]
fn what_nobody_remembers_is_taken_over_or_given_back_when_somebody_decides_so() {
    for keep in [true, false] {
        let mut bench = Bench::running(LockType::Sanlock);
        let lv_args = "1.0.0:70254592".into();
        bench.leftovers = vec![Leftover { resource: lv("a"), mode: SHARED, lv_args }];
        let listed = bench.ask(1, Ask::Orphans);
        assert_eq!(bench.reply(listed).orphans.as_ref(), Some(&bench.leftovers));
        let other = bench.ask(1, Ask::Settle { which: Some(lv("b")), keep });
        assert_eq!(bench.code(other), Some(ResultCode::NOT_FOUND));
        let settled = bench.ask(1, Ask::Settle { which: Some(lv("a")), keep });
        assert_eq!((bench.code(settled), bench.mode(&lv("a")) == SHARED), (Some(ResultCode::OK), keep));
        let releases = bench.count(|call| matches!(call, Call::Release { resource: Resource::Lv(_), .. }));
        assert_eq!(releases, usize::from(!keep));
    }
}

/// An LV that was not active at the restart, whose lock client 3 has asked for.
fn about_to_be_activated() -> Bench {
    let asker = HolderRecord { client: 3, pid: 1003, ..HolderRecord::nobody() };
    let holder = HolderRecord { pid: 1003, claim: Claim::OnProbation, ..HolderRecord::nobody() };
    let (kept, reliers) = (vec![holder], vec![asker]);
    let left = Orphan { kept, reliers, ..Orphan::given_back(lv("a"), EXCLUSIVE, "".into()) };
    Bench::adopting(spec(LockType::Sanlock), vec![left], none)
}

#[test]
fn the_lock_of_an_lv_that_is_activated_after_the_restart_is_kept() {
    let mut bench = about_to_be_activated();
    assert_eq!((bench.mode(&lv("a")), bench.asked_for_use.len()), (EXCLUSIVE, 0));
    bench.apply(Event::ClientGone(ClientId(3)));
    assert_eq!(bench.asked_for_use, [lv("a")]);
    bench.apply(Event::Used(lv("a"), true));
    assert_eq!(bench.mode(&lv("a")), EXCLUSIVE);
}

#[test]
fn the_lock_of_an_lv_that_is_not_is_given_back_when_its_command_has_ended() {
    let mut bench = about_to_be_activated();
    bench.apply(Event::ClientGone(ClientId(3)));
    bench.apply(Event::Used(lv("a"), false));
    assert_eq!((bench.resource(&lv("a")), bench.remembered.locks().count()), (None, 0));
}

#[test]
fn whoever_is_told_meanwhile_that_it_has_the_lock_keeps_it() {
    let mut bench = about_to_be_activated();
    bench.apply(Event::ClientGone(ClientId(3)));
    let told = bench.ask(4, Ask::Lock(persistent(&lv("a"), EXCLUSIVE)));
    assert_eq!(bench.code(told), Some(ResultCode::ALREADY));
    bench.apply(Event::ClientGone(ClientId(4)));
    // That look was before: the LV may have been activated since.
    bench.apply(Event::Used(lv("a"), false));
    assert_eq!((bench.mode(&lv("a")), bench.asked_for_use.len()), (EXCLUSIVE, 2));
    bench.apply(Event::Used(lv("a"), false));
    assert_eq!(bench.mode(&lv("a")), LockMode::Unlocked);
}

#[test]
fn a_process_that_asks_again_has_what_it_had() {
    let process = |pid| ProcessIdentity { pid, start_time_ticks: 5, boot_id: BootId::of_a_test("b") };
    let mut orphan = left_by(3, Resource::Vg, EXCLUSIVE);
    orphan.kept[0].process = Some(process(1003));
    let mut bench = Bench::adopting(spec(LockType::Sanlock), vec![orphan], |_| None);
    let ask = Ask::Lock(LockAsk::new(Resource::Vg, Some(LockMode::Unlocked)));
    let same = Client { id: ClientId(8), pid: 1003, process: Some(process(1003)), name: "lvm".into() };
    let asked = Asked { ticket: Ticket(70), client: Arc::new(same), lock_type: None, ask };
    bench.apply(Event::Asked(asked));
    assert_eq!(
        (bench.code(Ticket(70)), bench.mode(&Resource::Vg)),
        (Some(ResultCode::OK), LockMode::Unlocked)
    );
}

#[test]
fn clients_that_come_during_the_adoption_wait_for_its_end() {
    let left = vec![orphan("a", EXCLUSIVE, true)];
    let mut bench = Bench::new(spec(LockType::Sanlock));
    bench.slow = true;
    let mut effects = Vec::new();
    bench.lockspace = Lockspace::adopt(spec(LockType::Sanlock), left, bench.now, &mut effects);
    bench.carry_out(effects);
    let waits = bench.lock(1, &Resource::Vg, EXCLUSIVE);
    bench.grant();
    bench.grant();
    assert_eq!((bench.code(waits), bench.stage()), (None, Stage::Starting));
    bench.slow = false;
    bench.manner(none);
    bench.apply(Event::TimeHasCome);
    assert_eq!(bench.stage(), Stage::Running);
    bench.manner(|_| None);
    let again = bench.lock(1, &Resource::Vg, EXCLUSIVE);
    assert!(bench.code(waits).is_some() && bench.code(again).is_some());
}

#[test]
fn an_adoption_past_its_deadline_holds_nobody_up_but_who_wants_that_lock() {
    let mut bench = Bench::new(spec(LockType::Sanlock));
    bench.slow = true;
    let left = vec![orphan("a", EXCLUSIVE, true)];
    let mut effects = Vec::new();
    bench.lockspace = Lockspace::adopt(spec(LockType::Sanlock), left, bench.now, &mut effects);
    bench.carry_out(effects);
    let waits = bench.lock(1, &Resource::Vg, SHARED);
    bench.grant();
    bench.grant();
    let (adopting, call) = bench.calls.pop_front().unwrap();
    assert!(matches!(call, Call::Acquire(Resource::Lv(_), ..)));
    bench.feed(Event::Overdue(adopting));
    bench.slow = false;
    bench.manner(|call| match call {
        Call::Acquire(_, _, how) if how.adopt == Adopt::Only => Some(Err(fault(ResultCode::ADOPT_NONE))),
        _ => None,
    });
    bench.apply(Event::TimeHasCome);
    assert_eq!((bench.code(waits), bench.stage()), (Some(ResultCode::OK), Stage::Running));
    let refused = bench.lock(1, &lv("a"), SHARED);
    assert_eq!(bench.code(refused), Some(ResultCode::LOCK_IO));
    bench.apply(Event::Answered(adopting, Ok(Outcome::Acquired(None))));
    assert_eq!(bench.mode(&lv("a")), EXCLUSIVE);
}

#[test]
fn a_stop_that_comes_during_the_adoption_is_refused_where_lv_locks_are_adopted() {
    use crate::roles::lock::lockspace::ask::StopRule;
    let mut bench = Bench::new(spec(LockType::Sanlock));
    bench.slow = true;
    let left = vec![orphan("a", EXCLUSIVE, true)];
    let mut effects = Vec::new();
    bench.lockspace = Lockspace::adopt(spec(LockType::Sanlock), left, bench.now, &mut effects);
    bench.carry_out(effects);
    let stopped = bench.ask(1, Ask::Stop(StopRule::UnlessLvLocks));
    bench.slow = false;
    bench.manner(none);
    bench.apply(Event::TimeHasCome);
    assert_eq!((bench.code(stopped), bench.mode(&lv("a"))), (Some(ResultCode::BUSY), EXCLUSIVE));
}

#[test]
fn where_the_lockspace_cannot_be_joined_each_lock_is_told() {
    let left = vec![orphan("a", EXCLUSIVE, true)];
    let bench = Bench::adopting(spec(LockType::Sanlock), left, |call| {
        matches!(call, Call::Join { .. }).then(|| Err(fault(ResultCode::MANAGER)))
    });
    assert_eq!((bench.stage(), bench.gone), (Stage::Failed, true));
    assert!(bench.has_told(|notice| matches!(notice, Notice::NotAdopted { needed: true, .. })));
}

#[test]
fn a_record_survives_being_written_down() {
    for resource in [Resource::Global, Resource::Vg, lv("a")] {
        let record = LockRecord {
            resource,
            change: Change::Held { mode: SHARED, holder: HolderRecord { pid: 5, ..HolderRecord::nobody() } },
        };
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<LockRecord>(&text).unwrap(), record, "{text}");
    }
}
