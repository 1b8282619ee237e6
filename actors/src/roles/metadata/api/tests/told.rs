//! Views of one moment.

use std::time::Duration;

use lvmwarden_protocol::api::metadata::{Completeness, ProblemKind, Reading as Told, Source};
use lvmwarden_protocol::ids::VgName;
use lvmwarden_supervisor::device_mapper::{DmStatus, DmTarget};

use crate::roles::metadata::api::lvs::{Wanted, lvs};
use crate::roles::metadata::api::mapped::Mapped;
use crate::roles::metadata::api::numbers::numbers;
use crate::roles::metadata::api::problems::problems;
use crate::roles::metadata::api::pvs::{of_vg, pvs};
use crate::roles::metadata::api::vgs::vgs;
use crate::roles::metadata::api::{Place, View};
use crate::roles::metadata::cache::Cache;
use crate::roles::metadata::knowledge::{Problem, ProblemKind as Found, Reading};
use crate::roles::metadata::tests::support::{Bare, vg};

const ALL: Wanted = Wanted { all: true, with_segments: true };
const VISIBLE: Wanted = Wanted { all: false, with_segments: false };
const UUID: &str = "QkKrkV-Ds14-R3ZO-jqL0-8cEo-4Gw4-uLXHc3";
const LV_UUID: &str = "mZa9zA-8sQ8-5du0-uM9G-6ftB-uWtj-fQKblM";

/// A minute and a half after what was read.
fn view(cache: &Cache) -> View {
    let (now, done) = (Duration::from_secs(90), Reading::Done { at: Duration::ZERO });
    View::new(cache.snapshot(), done, vec![], now, |number| Some(format!("/dev/sd{number}")))
}

/// A VG of two PVs of 100 extents of 4 MiB, with a thin pool and an LV on both PVs.
fn two_pvs(name: &str, uuid: &str, pvs: &[&str]) -> String {
    let pv = |(at, id): (usize, &&str)| {
        format!(
            "pv{at} {{ id=\"{id}\" status=[\"ALLOCATABLE\"] dev_size=900000 pe_start=2048 pe_count=100 }} "
        )
    };
    let pvs: String = pvs.iter().enumerate().map(pv).collect();
    let areas = |count: u64, areas: &str| {
        format!("segment1 {{ start_extent=0 extent_count={count} type=\"striped\" stripes=[{areas}] }}")
    };
    let lv = |name: &str, id: &str, visible: &str, segments: &str| {
        format!("{name} {{ id=\"{id}\" status=[\"READ\",\"WRITE\"{visible}] creation_time=5 {segments} }} ")
    };
    let visible = ",\"VISIBLE\"";
    let pool = "segment1 { extent_count=20 type=\"thin-pool\" pool=\"pool_tdata\" metadata=\"pool_tmeta\" chunk_size=128 }";
    let lvs = lv("pool", LV_UUID, visible, pool)
        + &lv("pool_tdata", "d", "", &areas(20, "\"pv0\",10"))
        + &lv("pool_tmeta", "m", "", &areas(1, "\"pv0\",30"))
        + &lv("both", "b", visible, &areas(40, "\"pv0\",50,\"pv1\",0"));
    format!(
        "vgname=\"{name}\" metadata {{ id=\"{uuid}\" seqno=3 extent_size=8192 status=[\"RESIZEABLE\",\"READ\",\"WRITE\"] \
         physical_volumes {{ {pvs} }} logical_volumes {{ {lvs} }} }}"
    )
}

fn complete() -> Bare {
    let mut bare = Bare::default();
    bare.found("A", 1, &two_pvs("vg", UUID, &["A", "B"]));
    bare.found("B", 2, &two_pvs("vg", UUID, &["A", "B"]));
    bare
}

fn name(text: &str) -> VgName {
    text.try_into().unwrap()
}

#[test]
fn a_vg_is_told_with_its_sizes_and_how_old_it_is() {
    let view = view(&complete().cache);
    let (_, told) = vgs(&view, None, None).next().unwrap();
    assert_eq!((told.vgname.as_str(), told.uuid.as_str(), told.seqno), ("vg", UUID, 3));
    assert_eq!((told.attr.as_str(), told.completeness), ("wz--n-", Completeness::Complete));
    assert_eq!((told.size_bytes, told.free_bytes), (200 * (4 << 20), 139 * (4 << 20)));
    assert_eq!((told.pvs, told.lvs, told.missing_pvs), (2, 2, 0));
    assert_eq!((told.freshness.source, told.freshness.age_ms), (Source::Command, 90_000));
    assert_eq!((view.coverage().reading, view.coverage().since_ms), (Told::Done, 90_000));
    assert_eq!(vgs(&view, Some(&name("other")), None).count(), 0);
}

#[test]
fn a_pv_that_is_not_there_makes_its_vg_partial_and_the_lvs_on_it() {
    let mut bare = complete();
    bare.skip("pv_gone uuid=B");
    let view = view(&bare.cache);
    let (_, vg) = vgs(&view, None, None).next().unwrap();
    assert_eq!((vg.attr.as_str(), vg.completeness, vg.missing_pvs), ("wz-pn-", Completeness::Partial, 1));
    let told: Vec<_> =
        lvs(&view, None, VISIBLE, None).map(|(_, lv)| (lv.lvname, lv.attr, lv.is_partial)).collect();
    let lv = |name: &str, attr: &str, is_partial| (name.to_owned(), attr.to_owned(), is_partial);
    assert_eq!(told, [lv("both", "-wi-----p-", true), lv("pool", "twi---t---", false)]);
    let missing: Vec<_> = pvs(&view, None, None).filter(|(_, pv)| pv.is_missing).map(|(_, pv)| pv).collect();
    assert_eq!((missing.len(), missing[0].uuid.as_str(), &missing[0].device), (1, "B", &None));
    assert_eq!((missing[0].attr.as_str(), missing[0].free_bytes), ("a-m", Some(80 * (4 << 20))));
    let problems = problems(&view);
    assert_eq!((problems.len(), problems[0].kind), (1, ProblemKind::MissingPv));
}

#[test]
fn what_lies_where_is_told_with_the_lv_that_it_belongs_to() {
    let bare = complete();
    let view = view(&bare.cache);
    let vg = view.vgs(None, None).next().map(|state| view.read(state)).unwrap();
    let pieces = of_vg(&view, &vg, None, true).remove(0).1.pieces.unwrap();
    let told: Vec<_> =
        pieces.iter().map(|piece| (piece.start_extent, piece.extents, piece.of_lvname.as_deref())).collect();
    assert_eq!(
        told,
        [
            (0, 10, None),
            (10, 20, Some("pool")),
            (30, 1, Some("pool")),
            (31, 19, None),
            (50, 20, Some("both")),
            (70, 30, None)
        ]
    );
    let both = lvs(&view, None, ALL, None).find(|(_, lv)| lv.lvname == "both").unwrap().1;
    let areas = &both.segments.unwrap()[0].areas;
    let area = |at: usize| (areas[at].device.as_deref(), areas[at].start_extent, areas[at].extents);
    assert_eq!((area(0), area(1)), ((Some("/dev/sd1"), 50, 20), (Some("/dev/sd2"), 0, 20)));
    assert_eq!(both.created_at.as_deref(), Some("1970-01-01T00:00:05Z"));
}

fn assert_each_once<T: Clone + PartialEq + std::fmt::Debug>(of: impl Fn(Option<&Place>) -> Vec<(Place, T)>) {
    let whole = of(None);
    assert!(whole.len() > 2);
    for (at, (place, _)) in whole.iter().enumerate() {
        let again: Place = place.to_string().parse().unwrap();
        assert_eq!((&again, of(Some(&again))), (place, whole[at + 1..].to_vec()));
    }
    assert!(whole.is_sorted_by(|a, b| a.0 < b.0));
}

#[test]
fn pages_that_begin_behind_any_place_tell_each_thing_once() {
    let mut bare = complete();
    bare.found("C", 3, &two_pvs("vg", "other", &["C", "D"]));
    bare.found("E", 5, &two_pvs("a/b [x]", "W", &["E"]));
    bare.found("O", 9, "");
    let view = view(&bare.cache);
    assert_each_once(|after| vgs(&view, None, after).collect());
    assert_each_once(|after| pvs(&view, None, after).collect());
    assert_each_once(|after| lvs(&view, None, ALL, after).collect());
    assert!("x".parse::<Place>().is_err() && "[]".parse::<Place>().is_err());
}

#[test]
fn whether_a_pv_is_an_orphan_is_decided_when_all_were_looked_at_or_it_says_so_itself() {
    let mut bare = Bare::default();
    bare.found("A", 1, "");
    bare.found_with("B", 2, "dev_size=1048576", "");
    let since = Duration::from_millis(89_988);
    let early = View::new(
        bare.cache.snapshot(),
        Reading::Underway { since },
        vec![],
        Duration::from_secs(90),
        |_| None,
    );
    let orphans = |view: &View| pvs(view, None, None).map(|(_, pv)| pv.is_orphan).collect::<Vec<_>>();
    assert_eq!(orphans(&early), [Some(true), None]);
    assert_eq!((early.coverage().reading, early.coverage().since_ms), (Told::Underway, 12));
    let late = view(&bare.cache);
    assert_eq!(orphans(&late), [Some(true), Some(true)]);
    let told: Vec<_> = pvs(&late, None, None).map(|(_, pv)| (pv.device, pv.device_size_bytes)).collect();
    assert_eq!(told[1], (Some("/dev/sd2".to_owned()), Some(1 << 20)));
}

#[test]
fn what_is_not_as_it_should_be_is_told_once_with_its_devices() {
    let mut bare = complete();
    bare.found("C", 3, &two_pvs("vg", "other", &["C"]));
    bare.found("D", 4, &vg("w", "W", 2, &["D", "E"], "extent_size=1"));
    bare.found("E", 5, &vg("w", "W", 1, &["D", "E"], "extent_size=1"));
    bare.skip("set_vg_info uuid=W version=9");
    let mut view = view(&bare.cache);
    view.found = vec![
        Problem {
            kind: Found::OldCopy,
            vg: Some("W".try_into().unwrap()),
            pv: Some("E".try_into().unwrap()),
            devices: vec!["/dev/sd5".to_owned()],
            detail: "seen by the reader".to_owned(),
        },
        Problem {
            kind: Found::DuplicatePv,
            vg: None,
            pv: Some("A".try_into().unwrap()),
            devices: vec!["/dev/sd1".to_owned(), "/dev/sd7".to_owned()],
            detail: "twice".to_owned(),
        },
    ];
    let told: Vec<_> =
        problems(&view).into_iter().map(|one| (one.kind, one.vgname, one.devices.len())).collect();
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(
        told,
        [
            (ProblemKind::DuplicatePv, None, 2),
            (ProblemKind::SameName, some("vg"), 2),
            (ProblemKind::SameName, some("vg"), 1),
            (ProblemKind::OldCopy, some("w"), 1),
            (ProblemKind::OutOfDate, some("w"), 0),
        ]
    );
}

fn status(kind: &str, params: &str, length_sectors: u64) -> DmStatus {
    let target =
        DmTarget { start_sector: 0, length_sectors, kind: kind.to_owned(), params: params.to_owned() };
    DmStatus { suspended: false, is_open: false, targets: vec![target] }
}

#[test]
fn what_the_kernel_says_of_an_lv_is_told_with_it() {
    let lvid = format!("LVM-{}{}", UUID.replace('-', ""), LV_UUID.replace('-', ""));
    let mut mapped = Mapped::default();
    mapped.add(&lvid, &status("linear", "", 131_072));
    let pool = "3 114/1024 160/1024 - rw discard_passdown queue_if_no_space - 256";
    mapped.add(&format!("{lvid}-tpool"), &status("thin-pool", pool, 131_072));
    mapped.add("LVM-short", &status("error", "", 1));
    mapped.add("CRYPT-x", &status("crypt", "", 1));
    let mut view = view(&complete().cache);
    view.mapped = Some(mapped.into());
    let told: Vec<_> = lvs(&view, None, VISIBLE, None).map(|(_, lv)| lv).collect();
    let pool = told[1].kernel.as_ref().unwrap();
    assert_eq!((pool.data_percent, pool.metadata_percent, &pool.trouble), (Some(15.63), Some(11.13), &None));
    assert_eq!(
        (told[1].attr.as_str(), told[0].attr.as_str(), &told[0].kernel),
        ("twi-a-t---", "-wi-------", &None)
    );
    let numbers = numbers(&view);
    assert_eq!((numbers.vg_count, numbers.vgs.len(), numbers.fullness.len()), (1, 1, 1));
    assert_eq!((numbers.fullness[0].kind, numbers.oldest_verified_ms), ("thin_pool", Some(90_000)));
}

#[test]
fn an_lv_is_open_when_somebody_has_its_own_device_open() {
    let lvid = format!("LVM-{}{}", UUID.replace('-', ""), LV_UUID.replace('-', ""));
    for (layer, is_open, attr) in [
        ("", false, "twi-a-t---"),
        ("", true, "twi-aot---"),
        ("-tpool", true, "twi-aot---"),
        ("-real", true, "twi-a-t---"),
        ("-cow", true, "twi-a-t---"),
    ] {
        let mut mapped = Mapped::default();
        mapped.add(&format!("{lvid}{layer}"), &DmStatus { is_open, ..status("linear", "", 131_072) });
        let mut view = view(&complete().cache);
        view.mapped = Some(mapped.into());
        let told: Vec<_> = lvs(&view, None, VISIBLE, None).map(|(_, lv)| lv.attr).collect();
        assert_eq!(told[1], attr, "{layer:?} {is_open}");
    }
}

#[test]
fn each_target_is_read_as_lvm_reads_it() {
    let read = |kind: &str, params: &str, length: u64| {
        let mut mapped = Mapped::default();
        mapped.add(&format!("LVM-{}", "x".repeat(64)), &status(kind, params, length));
        let seen = mapped.of(&"x".repeat(32), &"x".repeat(32)).unwrap();
        (seen.data_percent, seen.sync_percent, seen.trouble)
    };
    let trouble = |word: &str| (None, None, Some(word.to_owned()));
    for (kind, params, length, expected) in [
        ("snapshot", "16/16384 16", 1, (Some(0.0), None, None)),
        ("snapshot", "4096/16384 16", 1, (Some(25.0), None, None)),
        ("snapshot", "Invalid", 1, trouble("Invalid")),
        ("snapshot", "Overflow", 1, trouble("Overflow")),
        ("snapshot-merge", "8192/16384 16", 1, (Some(50.0), None, None)),
        ("thin", "20480 20479", 204_800, (Some(10.0), None, None)),
        ("thin", "0 -", 16_384, (Some(0.0), None, None)),
        ("thin", "Fail", 1, trouble("Fail")),
        ("thin-pool", "Fail", 1, trouble("Fail")),
        (
            "thin-pool",
            "1 1/4 4/4 - out_of_data_space discard_passdown",
            1,
            (Some(100.0), None, Some("out_of_data_space".to_owned())),
        ),
        ("mirror", "2 253:37 253:38 1/4 1 AA 1 core", 1, (None, Some(25.0), None)),
        ("mirror", "99999999999999999999 x", 1, (None, None, None)),
        ("raid", "raid1 2 AA 32768/32768 idle 0 0 -", 1, (None, Some(100.0), None)),
        (
            "raid",
            "raid1 2 DA 16384/32768 recover 0 0 -",
            1,
            (None, Some(50.0), Some("devices DA".to_owned())),
        ),
        ("cache", "8 27/1280 128 64/256 0 0 0 0", 1, (Some(25.0), None, None)),
        ("linear", "", 1, (None, None, None)),
    ] {
        assert_eq!(read(kind, params, length), expected, "{kind} {params}");
    }
}
