//! What is remembered against what is there.

use lvmwarden_protocol::lock::{LockMode, LockType};

use super::*;

const VG: &str = "QkKrkV-Ds14-R3ZO-jqL0-8cEo-4Gw4-uLXHc3";
const LV: &str = "yLXt7f-rD3N-8jLh-4UpG-kX3o-t0bA-Ze1r7q";
const OTHER: &str = "GcrDfL-GODE-3YuR-VAJP-dWj6-XQ1g-AgR1VL";

fn book() -> LockBook {
    let mut book = LockBook::default();
    let file = format!(
        "lvmlockd adopt_version 1.0 pid 277 updates 2 Fri Nov 20 23:28:16 2026\n\
         VG: {VG} vg sanlock 1.0.0:lvmlock\n\
         LV: {VG} {LV} 1.0.0:70254592 ex 0\n\
         LV: {VG} {OTHER} 1.0.0:71303168 sh 0\n"
    );
    let (file, odd) = AdoptFileContent::parse(file.as_bytes()).expect("it is an adopt file");
    assert_eq!(odd, []);
    add_adopt_file(&mut book, &file);
    book
}

fn remains(lockspace: &str) -> Vec<Remains> {
    vec![Remains { lockspace: lockspace.to_owned(), host_id: 5 }]
}

fn lvid(vg: &str, lv: &str) -> Lvid {
    let plain = [vg, lv].concat().replace('-', "");
    Lvid::try_from(plain).expect("it is not empty")
}

#[test]
fn a_lockspace_that_is_there_is_adopted_with_the_locks_of_active_lvs_kept() {
    let active = BTreeSet::from([lvid(VG, LV)]);
    let plan = plan(&book(), &remains("lvm_vg"), Some(&active), None);
    let [(spec, orphans)] = &plan.adopted[..] else { panic!("{plan:?}") };
    assert_eq!((&*spec.name, spec.host_id, spec.lock_type), ("lvm_vg", 5, LockType::Sanlock));
    let told: Vec<_> =
        orphans.iter().map(|orphan| (orphan.resource.as_str(), orphan.mode, orphan.active)).collect();
    assert_eq!(told, [(OTHER, LockMode::Shared, false), (LV, LockMode::Exclusive, true)]);
    assert_eq!((plan.gone.len(), plan.unknown.len()), (0, 0));
}

#[test]
fn an_lv_of_the_same_uuid_in_another_vg_is_another_one() {
    let active = BTreeSet::from([lvid(OTHER, LV)]);
    let plan = plan(&book(), &remains("lvm_vg"), Some(&active), None);
    assert!(plan.adopted[0].1.iter().all(|orphan| !orphan.active));
}

#[test]
fn where_nobody_knows_what_is_active_locks_are_kept() {
    let plan = plan(&book(), &remains("lvm_vg"), None, None);
    assert!(plan.adopted[0].1.iter().all(|orphan| orphan.active));
}

#[test]
fn what_is_gone_and_what_is_unknown_is_told() {
    let plan = plan(&book(), &remains("lvm_other"), None, None);
    assert_eq!((plan.gone, plan.unknown), (vec!["lvm_vg".to_owned()], vec!["lvm_other".to_owned()]));
    assert_eq!(plan.adopted, []);
}

#[test]
fn what_the_journal_knows_counts_before_the_adopt_file() {
    let mut known = LockBook::default();
    known.apply(&BookRecord::Started(Started {
        lockspace: "lvm_vg".to_owned(),
        vg: Some("vg".to_owned()),
        vg_uuid: VG.to_owned(),
        args: "1.0.0:lvmlock".to_owned(),
        lock_type: LockType::Sanlock,
        host_id: 3,
    }));
    let before = known.clone();
    let file = AdoptFileContent::parse(
        format!("lvmlockd adopt_version 1.0 pid 1 updates 1 x\nVG: {VG} vg sanlock 1.0.0:lvmlock\nLV: {VG} {LV} 1.0.0:1 ex 0\n").as_bytes(),
    );
    add_adopt_file(&mut known, &file.expect("it is an adopt file").0);
    assert_eq!(known, before);
}
