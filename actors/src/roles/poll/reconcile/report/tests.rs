//! What lvs really prints, and what it might.

use super::*;

const FOUR: &str = include_str!("../../../../../tests/fixtures/lvs-2.03.16/four-unfinished.json");
const COMPACT: &str = include_str!("../../../../../tests/fixtures/lvs-2.03.16/compact-output.json");
/// What `vgchange --poll y` asked for in the moment of the other two.
const VGCHANGE: &str = include_str!("../../../../../tests/fixtures/lvs-2.03.16/vgchange-poll-y.txt");

/// Returns kind, VG, LV and lvid of each request that vgchange made.
fn asked_by_vgchange() -> Vec<[String; 4]> {
    let field = |request: &str, name: &str| {
        let line = request.lines().find_map(|line| line.strip_prefix(&format!("<- {name}=\"")));
        line.and_then(|value| value.strip_suffix('"')).unwrap().to_owned()
    };
    let requests = VGCHANGE.split("<- request=\"").filter(|request| request.contains("lvid"));
    let asked = requests.map(|request| {
        let kind = request.split('"').next().unwrap().to_owned();
        [kind, field(request, "vgname"), field(request, "lvname"), field(request, "lvid")]
    });
    asked.collect()
}

fn words(found: &[Unfinished]) -> Vec<[String; 4]> {
    let words = |lv: &Unfinished| {
        [lv.kind.to_string(), lv.vgname.to_string(), lv.lvname.to_string(), lv.lvid.to_string()]
    };
    found.iter().map(words).collect()
}

#[test]
fn each_lv_is_named_as_vgchange_names_it() {
    for report in [FOUR, COMPACT] {
        let (mut found, mut asked) = (words(&parse(report.as_bytes()).unwrap()), asked_by_vgchange());
        found.sort();
        asked.sort();
        assert_eq!(found.len(), 4);
        assert_eq!(found, asked);
    }
}

/// Returns a report of these LVs of one VG: name, then what differs from an LV that nothing happens to.
fn report(lvs: &[(&str, &str)]) -> String {
    let (vg_uuid, lv_uuid) = ("V".repeat(32), |index: usize| format!("{index:032}"));
    let rows = lvs.iter().enumerate().map(|(index, (name, more))| {
        let uuids = format!(r#""vg_uuid":"{vg_uuid}","lv_uuid":"{}""#, lv_uuid(index));
        format!(r#"{{"vg_name":"vg","lv_name":"{name}",{uuids}{more}}}"#)
    });
    format!(r#"{{"report":[{{"lv":[{}]}}]}}"#, rows.collect::<Vec<_>>().join(","))
}

#[track_caller]
fn assert_finds(lvs: &[(&str, &str)], expected: &[(PollOperation, &str)]) {
    let found = parse(report(lvs).as_bytes()).unwrap();
    let found: Vec<_> = found.iter().map(|lv| (lv.kind, lv.lvname.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn what_is_marked_is_found() {
    use PollOperation::{Convert, Merge, MergeThin, Pvmove};

    let merging = r#","lv_merging":"1","origin":"data","pool_lv":"""#;
    let merging_thin = r#","lv_merging":"1","origin":"data","pool_lv":"pool""#;
    assert_finds(&[], &[]);
    assert_finds(&[("data", ""), ("more", r#","lv_converting":"0","unknown":"1""#)], &[]);
    assert_finds(&[("[pvmove0]", r#","move_pv":"/dev/sda""#)], &[(Pvmove, "pvmove0")]);
    assert_finds(&[("data", r#","lv_converting":"1""#)], &[(Convert, "data")]);
    assert_finds(&[("data", r#","lv_merging":"1","origin":"""#), ("[snap]", merging)], &[(Merge, "data")]);
    assert_finds(&[("data", ""), ("[snap]", merging_thin)], &[(MergeThin, "data")]);
    // -1: lvs does not know.
    assert_finds(&[("data", r#","lv_converting":"-1""#)], &[]);
    // A merging origin alone says nothing of what it is merged with.
    assert_finds(&[("data", r#","lv_merging":"1""#)], &[]);
}

#[test]
fn a_name_that_two_vgs_share_is_not_mixed_up() {
    let of = |vg_uuid: &str| {
        report(&[("data", ""), ("snap", r#","lv_merging":"1","origin":"data""#)])
            .replace(&"V".repeat(32), vg_uuid)
    };
    let (first, second) = (of(&"A".repeat(32)), of(&"B".repeat(32)));
    let rows = |report: &str| report["{\"report\":[".len()..report.len() - 2].to_owned();
    let both = format!(r#"{{"report":[{},{}]}}"#, rows(&first), rows(&second));
    let found = parse(both.as_bytes()).unwrap();
    let vgs: Vec<_> = found.iter().map(|lv| lv.lvid.uuids().unwrap().vg.plain()).collect();
    assert_eq!(vgs, ["A".repeat(32), "B".repeat(32)]);
}

#[test]
fn what_is_no_report_is_refused_with_the_reason() {
    let no_uuid = report(&[("lv", r#","lv_converting":"1""#)]).replace(&"V".repeat(32), "short");
    let no_origin = report(&[("snap", r#","lv_merging":"1","origin":"data""#)]);
    for (text, reason) in [
        ("", "understand the report of lvs"),
        ("  WARNING: Running as a non-root user.", "understand the report of lvs"),
        (r#"{"report":[{"lv":[{"lv_name":"lv"}]}]}"#, "understand the report of lvs"),
        (&*no_uuid, r#"understand the report of lvs: the LV "lv" of the VG "vg" has no usual name or UUID"#),
        (&*no_origin, "understand the report of lvs: vg/snap is merged into data, which is not there"),
    ] {
        assert_eq!(parse(text.as_bytes()).unwrap_err().to_string(), reason, "{text}");
    }
}
