//! The model compared with lvm's own reports of the same VGs, and with texts that nobody has written.
//!
//! The fixtures were made with lvm2 2.03.16 on Linux 6.1: `vgcfgbackup`, without comments, and at the same moment
//! `lvm fullreport --units b -a` with the fields that are compared.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::Value;

use super::attr::{self, Seen};
use super::family::{Family, Part, is_snapshot_note};
use super::*;
use crate::config_text;

/// What an lvm command has written, and what it reported.
struct Fixture {
    vg: Vg,
    report: Value,
}

macro_rules! fixture {
    ($name:literal) => {
        Fixture::read(
            include_bytes!(concat!("../../../tests/fixtures/lvm-2.03.16-vgs/", $name, ".vg")),
            include_str!(concat!("../../../tests/fixtures/lvm-2.03.16-vgs/", $name, ".json")),
        )
    };
}

impl Fixture {
    fn read(text: &[u8], report: &str) -> Self {
        let file = config_text::parse(text).unwrap();
        let report: Value = serde_json::from_str(report).unwrap();
        let name = report["vg"][0]["vg_name"].as_str().unwrap();
        Self { vg: Vg::from_section(name, file.section(name).unwrap()).unwrap(), report }
    }

    fn all() -> [Self; 5] {
        [fixture!("plain"), fixture!("thin"), fixture!("raid"), fixture!("cache"), fixture!("merging")]
    }

    fn rows(&self, report: &str) -> &[Value] {
        self.report[report].as_array().unwrap()
    }
}

fn number(row: &Value, field: &str) -> u64 {
    row[field].as_str().unwrap().parse().unwrap()
}

fn text<'r>(row: &'r Value, field: &str) -> &'r str {
    row[field].as_str().unwrap().trim_start_matches('[').trim_end_matches(']')
}

#[test]
fn a_vg_is_what_lvm_reports() {
    for fixture in Fixture::all() {
        let (vg, row) = (&fixture.vg, &fixture.rows("vg")[0]);
        let family = Family::of(vg);
        assert_eq!(vg.uuid, text(row, "vg_uuid"));
        assert_eq!(vg.extent_size_bytes, number(row, "vg_extent_size"));
        assert_eq!(vg.extent_count(), number(row, "vg_extent_count"));
        assert_eq!(vg.extent_count() - vg.used_extents(), number(row, "vg_free_count"));
        assert_eq!(vg.bytes(vg.extent_count()), number(row, "vg_size"));
        assert_eq!(vg.pvs.len() as u64, number(row, "pv_count"));
        let visible = vg.lvs.iter().filter(|lv| family.is_visible(lv)).count();
        assert_eq!(visible as u64, number(row, "lv_count"), "{}", vg.name);
        assert_eq!(vg.seqno.to_string(), text(row, "vg_seqno"));
        let is_partial = vg.pvs.iter().any(|pv| pv.has("MISSING"));
        assert_eq!(attr::of_vg(vg, is_partial), text(row, "vg_attr"));
    }
}

#[test]
fn pvs_are_what_lvm_reports() {
    for fixture in Fixture::all() {
        let (vg, rows) = (&fixture.vg, fixture.rows("pv"));
        assert_eq!(vg.pvs.len(), rows.len());
        for pv in &vg.pvs {
            let row = rows.iter().find(|row| text(row, "pv_uuid") == pv.uuid).unwrap();
            assert_eq!(attr::of_pv(vg, pv, pv.has("MISSING")), text(row, "pv_attr"));
            assert_eq!(pv.extent_count, number(row, "pv_pe_count"));
            assert_eq!(vg.used_extents_of(pv), number(row, "pv_pe_alloc_count"));
            assert_eq!(vg.bytes(pv.extent_count), number(row, "pv_size"));
            assert_eq!(pv.data_start_bytes, number(row, "pe_start"));
            if !pv.has("MISSING") {
                assert_eq!(pv.device_size_bytes, number(row, "dev_size"));
            }
        }
    }
}

/// What only the kernel knows is left out: whether the LV is active, is open, and whether an image of a raid is in sync.
fn without_the_kernel(attr: &str) -> String {
    let hidden = |(at, letter): (usize, char)| match (at, letter) {
        (0, 'I') => 'i',
        (4 | 5, _) => '-',
        (_, letter) => letter,
    };
    attr.chars().enumerate().map(hidden).collect()
}

#[test]
fn lvs_are_what_lvm_reports() {
    for fixture in Fixture::all() {
        let (vg, rows) = (&fixture.vg, fixture.rows("lv"));
        let family = Family::of(vg);
        assert_eq!(vg.lvs.iter().filter(|lv| !is_snapshot_note(lv)).count(), rows.len(), "{}", vg.name);
        for row in rows {
            let lv = family.lv(text(row, "lv_name")).unwrap();
            let reported = without_the_kernel(text(row, "lv_attr"));
            let ours = without_the_kernel(&attr::of_lv(&family, lv, false, Seen::default()));
            assert_eq!(ours, reported, "{}", lv.name);
            assert_eq!(lv.uuid, text(row, "lv_uuid"));
            assert_eq!(vg.bytes(lv.extent_count()), number(row, "lv_size"), "{}", lv.name);
            assert_eq!(lv.segments.len() as u64, number(row, "seg_count"), "{}", lv.name);
            assert_eq!(lv.tags.join(","), text(row, "lv_tags"));
            let is_hidden = row["lv_name"].as_str().unwrap().starts_with('[');
            assert_eq!(family.is_visible(lv), !is_hidden, "{}", lv.name);
            assert_eq!(family.origin(lv).unwrap_or_default(), text(row, "origin"), "{}", lv.name);
            assert_eq!(family.pool(lv).unwrap_or_default(), text(row, "pool_lv"), "{}", lv.name);
        }
    }
}

#[test]
fn an_image_is_out_of_sync_unless_its_raid_says_otherwise() {
    let Fixture { vg, .. } = fixture!("raid");
    let family = Family::of(&vg);
    let images: Vec<_> = vg.lvs.iter().filter(|lv| family.is(&lv.name, Part::RaidImage)).collect();
    assert!(!images.is_empty());
    for image in images {
        let attr = |seen| attr::of_lv(&family, image, false, seen);
        assert_eq!(attr(Seen::default()).as_bytes()[0], b'I', "{}", image.name);
        let in_sync = Seen { is_active: true, is_in_sync: true, ..Seen::default() };
        assert_eq!(attr(in_sync).as_bytes()[0], b'i', "{}", image.name);
    }
}

/// Counts how often each thing is there.
fn counted<T: Ord>(things: impl IntoIterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for thing in things {
        *counts.entry(thing).or_default() += 1;
    }
    counts
}

#[test]
fn segments_are_what_lvm_reports() {
    for fixture in Fixture::all() {
        let vg = &fixture.vg;
        let ours =
            vg.lvs.iter().filter(|lv| !is_snapshot_note(lv)).flat_map(|lv| &lv.segments).map(|segment| {
                let (start, size) = (vg.bytes(segment.start_extent), vg.bytes(segment.extent_count));
                (segment.report_type().to_owned(), start, size)
            });
        let theirs = fixture
            .rows("seg")
            .iter()
            .map(|row| (text(row, "segtype").to_owned(), number(row, "seg_start"), number(row, "seg_size")));
        assert_eq!(counted(ours), counted(theirs), "{}", vg.name);
    }
}

#[test]
fn what_lies_on_pvs_is_what_lvm_reports() {
    for fixture in Fixture::all() {
        let vg = &fixture.vg;
        let pieces = vg.pvs.iter().flat_map(|pv| vg.pieces(pv));
        let ours = pieces.map(|piece| (piece.start_extent, piece.extent_count));
        let rows = fixture.rows("pvseg").iter();
        let theirs = rows.map(|row| (number(row, "pvseg_start"), number(row, "pvseg_size")));
        assert_eq!(counted(ours), counted(theirs), "{}", vg.name);
    }
}

#[test]
fn a_part_is_known_by_the_lv_that_it_is_a_part_of_in_the_end() {
    let Fixture { vg, .. } = fixture!("cache");
    let family = Family::of(&vg);
    for (part, top) in [
        ("ri_rimage_0_imeta", "ri"),
        ("ri_rmeta_1", "ri"),
        ("fast_cpool_cdata", "slow"),
        ("wc_cvol", "slow3"),
        ("free_cmeta", "free"),
        ("lvol0_pmspare", "lvol0_pmspare"),
        ("slow", "slow"),
    ] {
        assert_eq!(family.top(family.lv(part).unwrap()).name, top);
    }
    let Fixture { vg, .. } = fixture!("thin");
    let family = Family::of(&vg);
    assert_eq!(family.top(family.lv("pool_tdata").unwrap()).name, "pool");
    assert_eq!(
        family.top(family.lv("t1").unwrap()).name,
        "t1",
        "a thin LV is no part of its pool, nor the other way"
    );
    assert!(family.is("pool", Part::ThinPool) && family.is("ext", Part::ExternalOrigin));
}

/// A VG with one PV of 100 extents, and what else is given.
fn vg(lvs: &str) -> Vg {
    let text = format!(
        "id=\"v\" seqno=1 extent_size=8 physical_volumes {{ pv0 {{ id=\"p\" pe_count=100 }} }} logical_volumes {{ {lvs} }}"
    );
    Vg::parse("vg", text.as_bytes()).unwrap()
}

fn only_kind(segment: &str) -> SegmentKind {
    let vg = vg(&format!("lv {{ segment1 {{ extent_count=10 {segment} }} }} other {{ }}"));
    vg.lvs[0].segments[0].kind.clone()
}

#[test]
fn kinds_that_the_fixtures_lack_are_read() {
    let area = |place, start_extent| Area { place, start_extent, extent_count: 10 };
    assert_eq!(
        only_kind(r#"type="mirror" mirror_count=2 extents_moved=3 mirrors=["pv0",0,"gone",7]"#),
        SegmentKind::Mirror {
            areas: vec![area(Place::Pv("pv0".to_owned()), 0), area(Place::Nowhere("gone".to_owned()), 7)],
            log: String::new(),
            region_size_bytes: 0,
        }
    );
    assert_eq!(only_kind(r#"type="vdo" vdo_pool="other""#), SegmentKind::Vdo { pool: "other".to_owned() });
    assert_eq!(
        only_kind(r#"type="vdo-pool" data="other""#),
        SegmentKind::VdoPool { data: "other".to_owned() }
    );
    assert_eq!(only_kind(r#"type="zoned-nonsense" x=1"#), SegmentKind::Unknown);
    let unknown = vg(r#"lv { segment1 { extent_count=10 type="future+FLAG" } }"#);
    assert_eq!(unknown.lvs[0].segments[0].report_type(), "future");
    assert_eq!(attr::of_lv(&Family::of(&unknown), &unknown.lvs[0], true, Seen::default()), "-ri---u-p-");
}

#[test]
fn a_pvmove_is_no_part_of_what_it_moves() {
    let vg = vg(concat!(
        r#"data { status=["READ","WRITE","VISIBLE","LOCKED"] segment1 { extent_count=10 type="striped" stripes=["pvmove0",0] } } "#,
        r#"pvmove0 { status=["READ","WRITE","PVMOVE","LOCKED"] allocation_policy="contiguous" "#,
        r#"segment1 { extent_count=10 type="mirror" mirrors=["pv0",0,"pv0",50] } }"#,
    ));
    let family = Family::of(&vg);
    assert_eq!(family.top(&vg.lvs[1]).name, "pvmove0");
    assert!(family.is("pvmove0", Part::Pvmove));
    assert_eq!(attr::of_lv(&family, &vg.lvs[1], false, Seen::default()), "p-C---m---");
    let active = Seen { is_active: true, is_open: Some(true), ..Seen::default() };
    assert_eq!(attr::of_lv(&family, &vg.lvs[0], false, active), "-wI-ao----");
    assert_eq!(vg.used_extents(), 20);
}

#[test]
fn what_makes_no_sense_counts_as_absent() {
    let vg = vg(
        r#"lv { status=5 tags="t" creation_time="x" segment1 { start_extent=-5 extent_count="many" type="striped"
        stripes=["pv0","pv0",1,2] } segment3 { extent_count=9 type="error" } }"#,
    );
    let lv = &vg.lvs[0];
    assert_eq!((lv.status.len(), lv.tags.as_slice(), lv.creation_time), (0, &["t".to_owned()][..], 0));
    assert_eq!((lv.segments.len(), lv.extent_count()), (1, 0));
    assert_eq!(Vg::parse("vg", b"id=\"v\""), Err(ModelError::NoExtentSize));
    assert_eq!(Vg::parse("vg", b"extent_size=-1"), Err(ModelError::NoExtentSize));
    assert!(matches!(Vg::parse("vg", b"{"), Err(ModelError::Syntax(_))));
}

#[test]
fn lvs_that_are_parts_of_one_another_end_no_search() {
    let circle = |name, of| {
        format!(r#"{name} {{ segment1 {{ extent_count=1 type="striped" stripes=["{of}",0] }} }} "#)
    };
    let vg = vg(&(circle("a", "b") + &circle("b", "c") + &circle("c", "a") + &circle("own", "own")));
    let family = Family::of(&vg);
    assert!(["a", "b", "c"].contains(&&*family.top(&vg.lvs[0]).name));
    assert_eq!(family.top(&vg.lvs[3]).name, "own");
}

#[test]
fn an_lv_is_partial_when_something_that_it_needs_lies_on_a_missing_pv() {
    let Fixture { vg, .. } = fixture!("cache");
    let partial = |pv: &str| {
        let family = Family::of(&vg);
        let partial = family.partial(|known| known.name == pv);
        let visible = vg.lvs.iter().filter(|lv| family.is_visible(lv) && partial.contains(lv.name.as_str()));
        visible.map(|lv| lv.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(partial("pv0"), ["r1", "slow", "slow2", "slow3", "ri", "free"]);
    assert_eq!(partial("pv1"), ["r1", "slow", "slow2", "slow3", "ri"]);
    assert_eq!(partial("pv2"), Vec::<String>::new());
    let Fixture { vg, .. } = fixture!("thin");
    let family = Family::of(&vg);
    let partial = family.partial(|_| true);
    for lv in ["pool", "pool_tmeta", "t1", "t1snap", "fromext"] {
        assert!(partial.contains(lv), "{lv}");
    }
}

/// Some areas on a PV, anywhere.
fn areas() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((0..120_u64, 0..40_u64), 0..12)
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(text in prop::collection::vec(any::<u8>(), 0..200)) {
        let _either = Vg::parse("vg", &text);
    }

    #[test]
    fn fixtures_with_bytes_changed_are_read_or_refused(at in 0..9000_usize, byte in any::<u8>(), cut in 0..400_usize) {
        let mut text = include_bytes!("../../../tests/fixtures/lvm-2.03.16-vgs/cache.vg").to_vec();
        let at = at.min(text.len() - 1);
        text[at] = byte;
        text.drain(at..(at + cut).min(text.len()));
        let Ok(file) = config_text::parse(&text) else { return Ok(()) };
        let Some(Ok(vg)) = file.section("raid").map(|vg| Vg::from_section("raid", vg)) else { return Ok(()) };
        let family = Family::of(&vg);
        for lv in &vg.lvs {
            prop_assert_eq!(attr::of_lv(&family, lv, false, Seen::default()).chars().count(), 10);
            family.top(lv);
        }
        for pv in &vg.pvs {
            invariant_pieces_are_the_pv(&vg, pv)?;
        }
    }

    #[test]
    fn pieces_of_a_pv_are_all_of_it_and_none_twice(areas in areas()) {
        let mut lvs = String::new();
        for (at, (start, count)) in areas.iter().enumerate() {
            write!(lvs, "lv{at} {{ segment1 {{ extent_count={count} type=\"striped\" stripes=[\"pv0\",{start}] }} }} ").unwrap();
        }
        let vg = vg(&lvs);
        invariant_pieces_are_the_pv(&vg, &vg.pvs[0])?;
        let is_used = |extent: &u64| areas.iter().any(|(start, count)| (*start..start + count).contains(extent));
        prop_assert_eq!(vg.used_extents(), (0..100).filter(is_used).count() as u64);
    }
}

fn invariant_pieces_are_the_pv(vg: &Vg, pv: &Pv) -> Result<(), TestCaseError> {
    let mut end = 0;
    for piece in vg.pieces(pv) {
        prop_assert_eq!(piece.start_extent, end);
        prop_assert!(piece.extent_count > 0);
        end += piece.extent_count;
    }
    prop_assert_eq!(end, pv.extent_count);
    Ok(())
}
