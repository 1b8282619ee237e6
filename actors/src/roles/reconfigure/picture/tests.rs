//! Reports as lvm writes them, and what is no report.

use super::*;

const VGS: &str = r#"{"report":[{"vg":[{"vg_name":"vg0","vg_uuid":"V","vg_seqno":"7","vg_extent_size":"4194304",
    "vg_free_count":"10","vg_lock_type":"","vg_tags":"a,b","vg_missing_pv_count":"0"}]}]}"#;
const LVS: &str = r#"{"report":[{"lv":[
    {"vg_uuid":"V","vg_seqno":"7","lv_name":"data","lv_uuid":"L","lv_size":"8388608","lv_attr":"-wi-a-----","lv_tags":""},
    {"vg_uuid":"V","vg_seqno":"7","lv_name":"moved","lv_uuid":"M","lv_size":"4194304","lv_attr":"-wI-a-----","lv_tags":"t"},
    {"vg_uuid":"V","vg_seqno":"7","lv_name":"[pvmove0]","lv_uuid":"P","lv_size":"4194304","lv_attr":"p-C-aom---","lv_tags":""}]}]}"#;

#[test]
fn two_reports_are_one_picture() {
    let picture = Picture::parse(VGS.as_bytes(), LVS.as_bytes()).expect("a picture");
    assert_eq!((picture.seqno, picture.extent_bytes, picture.lock_type.as_deref()), (7, 4_194_304, None));
    assert_eq!(picture.tags.iter().collect::<Vec<_>>(), ["a", "b"]);
    let names: Vec<_> = picture.lvs.iter().map(|lv| (lv.name.as_str(), lv.is_copying)).collect();
    assert_eq!(names, [("data", false), ("moved", true)]);
    assert_eq!(picture.lv_of("L").map(|lv| lv.bytes), Some(8_388_608));
}

#[test]
fn what_is_no_picture_says_why() {
    let torn = LVS.replace(r#""vg_seqno":"7""#, r#""vg_seqno":"8""#);
    let rows = [
        (VGS.to_owned(), torn, PictureError::Torn),
        (VGS.to_owned(), "  Error".to_owned(), PictureError::Malformed),
        (r#"{"report":[{"vg":[]}]}"#.to_owned(), LVS.to_owned(), PictureError::NoVg),
        (VGS.replace("\"7\"", "\"x\""), LVS.to_owned(), PictureError::Malformed),
    ];
    for (vgs, lvs, expected) in rows {
        assert_eq!(Picture::parse(vgs.as_bytes(), lvs.as_bytes()), Err(expected));
    }
}
