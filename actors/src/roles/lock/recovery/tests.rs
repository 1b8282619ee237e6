//! What is remembered against what is there.

use lvmwarden_protocol::lock::LockMode;

use super::*;
use crate::roles::lock::lockspace::testing::id;

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

fn remains(lockspace: &str) -> BTreeMap<LockType, Vec<Remains>> {
    BTreeMap::from([(LockType::Sanlock, vec![Remains { lockspace: lockspace.to_owned(), host_id: 5 }])])
}

#[test]
fn a_lockspace_that_is_there_is_taken_over() {
    let plan = plan(&book(), &remains("lvm_vg"), None);
    let [spec] = &plan.there[..] else { panic!("{plan:?}") };
    assert_eq!((&*spec.name, spec.host_id, spec.lock_type), ("lvm_vg", 5, LockType::Sanlock));
    assert_eq!((plan.gone.len(), plan.unknown.len(), plan.untold.len()), (0, 0, 0));
}

#[test]
fn an_lv_of_the_same_uuid_in_another_vg_is_another_one() {
    let plain = |vg: &str| Lvid::try_from([vg, LV].concat().replace('-', "")).expect("it is not empty");
    let resource = Resource::Lv(id(LV));
    for (active, expected) in [(plain(VG), true), (plain(OTHER), false)] {
        assert_eq!(is_active(&BTreeSet::from([active]), Some(id(VG)), &resource), expected);
    }
}

#[test]
fn what_is_gone_and_what_is_unknown_is_told() {
    let plan = plan(&book(), &remains("lvm_other"), None);
    assert_eq!((plan.gone, plan.unknown), (vec!["lvm_vg".to_owned()], vec!["lvm_other".to_owned()]));
    assert_eq!(plan.there, []);
}

#[test]
fn where_the_lock_manager_does_not_answer_nothing_is_written_off() {
    let plan = plan(&book(), &BTreeMap::from([(LockType::Dlm, Vec::new())]), None);
    assert_eq!(plan, Plan { untold: vec!["lvm_vg".to_owned()], ..Plan::default() });
}

#[test]
fn the_adopt_file_adds_what_the_journal_does_not_know() {
    let mut known = LockBook::default();
    known.apply(&BookRecord::Started(Started {
        lockspace: "lvm_vg".to_owned(),
        vg: Some("vg".try_into().expect("a name")),
        vg_uuid: VG.to_owned(),
        args: "1.0.0:lvmlock".to_owned(),
        lock_type: LockType::Sanlock,
        host_id: 3,
    }));
    let holder = HolderRecord { pid: 7, ..HolderRecord::nobody() };
    let change = Change::Held { mode: LockMode::Exclusive, holder };
    known.apply_lock("lvm_vg", &LockRecord { resource: Resource::Lv(id(LV)), change });
    let file = format!(
        "lvmlockd adopt_version 1.0 pid 1 updates 1 x\nVG: {VG} vg sanlock 1.0.0:lvmlock\n\
         LV: {VG} {LV} 1.0.0:1 sh 0\nLV: {VG} {OTHER} 1.0.0:2 sh 0\n"
    );
    add_adopt_file(&mut known, &AdoptFileContent::parse(file.as_bytes()).expect("it is an adopt file").0);
    let booked = known.get("lvm_vg").expect("it is known");
    let pids: Vec<_> = booked.locks.everybody().map(|holder| holder.pid).collect();
    assert_eq!((booked.started.host_id, pids), (3, vec![0, 7]));
}
