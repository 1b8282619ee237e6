//! Who keeps a lock of an earlier life.

use lvmwarden_protocol::lock::LockMode::{Exclusive, Shared};

use super::*;
use crate::roles::lock::lockspace::record::{Change, LockRecord};
use crate::roles::lock::lockspace::testing::lv;

/// The living have pids below 100, the dead below 200.
fn asker(holder: &HolderRecord) -> Asker {
    match holder.pid {
        0 => Asker::Unknown,
        pid @ 1..100 => Asker::Lives(ClientId(if holder.client == 0 { 1000 + pid } else { holder.client })),
        _dead => Asker::Gone,
    }
}

fn holder(client: u32, pid: u32) -> HolderRecord {
    HolderRecord { client, pid, lv_args: "1.0.0:70254592".into(), ..HolderRecord::nobody() }
}

fn held(mode: LockMode, client: u32, pid: u32) -> Change {
    Change::Held { mode, holder: holder(client, pid) }
}

/// Returns what becomes of a lock of which this is remembered.
fn judged(resource: &Resource, is_active: bool, changes: &[Change]) -> Option<Orphan> {
    let mut remembered = Remembered::default();
    for change in changes {
        remembered.apply(&LockRecord { resource: resource.clone(), change: change.clone() });
    }
    orphans(&remembered, |_| is_active, asker).pop()
}

/// Returns who keeps it, whether on probation, and how many rely on it.
fn kept(orphan: Option<Orphan>) -> (Vec<(u32, bool)>, usize) {
    let orphan = orphan.expect("it is known what becomes of it");
    let kept = orphan.kept.iter().map(|holder| (holder.client, holder.claim == Claim::OnProbation));
    (kept.collect(), orphan.reliers.len())
}

#[test]
fn the_lock_of_a_vg_is_kept_for_the_command_that_lives_and_given_back_when_it_is_gone() {
    for resource in [Resource::Vg, Resource::Global] {
        assert_eq!(kept(judged(&resource, false, &[held(Exclusive, 7, 5)])), (vec![(7, false)], 0));
        assert_eq!(kept(judged(&resource, false, &[held(Exclusive, 7, 150)])), (vec![], 0));
        let wanted = Change::Wanted { mode: Exclusive, holder: holder(7, 5) };
        assert_eq!(kept(judged(&resource, false, &[wanted])), (vec![(7, false)], 0));
        assert_eq!(judged(&resource, false, &[held(Exclusive, 7, 0)]), None, "in doubt it stays");
    }
}

#[test]
fn a_shared_lock_is_kept_for_those_who_live() {
    let orphan =
        judged(&Resource::Vg, false, &[held(Shared, 7, 5), held(Shared, 8, 150), held(Shared, 9, 6)]);
    assert_eq!(orphan.as_ref().map(|orphan| (orphan.mode, orphan.gone.clone())), Some((Shared, vec![8])));
    assert_eq!(kept(orphan), (vec![(7, false), (9, false)], 0));
}

#[test]
fn the_lock_of_an_active_lv_is_kept_whoever_has_asked_for_it() {
    assert_eq!(kept(judged(&lv("a"), true, &[held(Exclusive, 0, 150)])), (vec![(0, false)], 0));
}

#[test]
fn the_lock_of_an_lv_that_is_not_active_is_kept_for_the_command_that_is_about_to_activate_it() {
    assert_eq!(kept(judged(&lv("a"), false, &[held(Exclusive, 0, 5)])), (vec![(0, true)], 1));
    assert_eq!(kept(judged(&lv("a"), false, &[held(Exclusive, 0, 150)])), (vec![], 0));
}

#[test]
fn whoever_was_told_that_the_lock_is_as_good_as_its_own_keeps_it() {
    let relied = Change::Relied { holder: holder(8, 6) };
    let let_go = Change::LetGo { client: 8 };
    let orphan = judged(&lv("a"), false, &[held(Exclusive, 0, 150), relied.clone()]);
    assert_eq!(kept(orphan), (vec![(0, true)], 1));
    assert_eq!(kept(judged(&lv("a"), false, &[held(Exclusive, 0, 150), relied, let_go])), (vec![], 0));
}

#[test]
fn the_lock_of_an_adopt_file_says_nobody_and_is_kept() {
    let nobody = Change::Held { mode: Exclusive, holder: HolderRecord::nobody() };
    assert_eq!(kept(judged(&lv("a"), false, &[nobody])), (vec![(0, false)], 0));
}

#[test]
fn a_transient_lock_of_an_lv_ends_with_its_command_not_with_the_daemon() {
    assert_eq!(kept(judged(&lv("a"), true, &[held(Exclusive, 7, 5)])), (vec![(7, false)], 0));
    assert_eq!(kept(judged(&lv("a"), true, &[held(Exclusive, 7, 150)])), (vec![], 0));
}

#[test]
fn what_was_given_back_leaves_nothing() {
    assert_eq!(judged(&lv("a"), true, &[held(Exclusive, 0, 5), Change::Released { client: 0 }]), None);
}
