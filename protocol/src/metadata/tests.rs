//! Texts of PVs and VGs as they are kept and shown, and requests that make no sense.

use bytes::BytesMut;

use super::compose::{self, Invalid, ListedPv, ShownVg};
use super::*;
use crate::config_text;
use crate::metadata::{Pvid, Vgid, Vgname};

fn vg_text(text: &str) -> VgText {
    VgText::from_section(&config_text::parse(text.as_bytes()).unwrap()).unwrap()
}

fn pv_text(text: &str) -> PvText {
    PvText::from_section(&config_text::parse(text.as_bytes()).unwrap()).unwrap()
}

/// Returns a VG's entries as a reply shows them while these PVs are there.
fn shown(vg: &VgText, present: &[PvText]) -> String {
    let mut out = BytesMut::new();
    vg.write(|id| present.iter().find(|pv| pv.id == *id), &mut out);
    String::from_utf8(out.to_vec()).unwrap()
}

/// Returns the line that says the status of the only PV.
fn status_shown(entries: &str, present: bool) -> String {
    let vg = vg_text(&format!(
        "id=\"gggggg-gggg-gggg-gggg-gggg-gggg-gggggg\" seqno=1 physical_volumes {{ pv0 {{ {entries} }} }}"
    ));
    let present = if present {
        vec![pv_text("id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" device=1")]
    } else {
        Vec::new()
    };
    let shown = shown(&vg, &present);
    shown.lines().filter(|line| line.contains("status")).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn a_pv_that_is_not_there_is_marked_whatever_its_status_says() {
    for (entries, missing, present) in [
        (
            "id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" status=[\"ALLOCATABLE\"]",
            "status=[\"MISSING\",\"ALLOCATABLE\"]",
            "status=\"ALLOCATABLE\"",
        ),
        ("id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" status=[]", "status=[\"MISSING\"]", "status=[]"),
        ("id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\"", "status=[\"MISSING\"]", ""),
        (
            "id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" status=[\"X\",\"MISSING\"]",
            "status=[\"X\",\"MISSING\"]",
            "status=\"X\"",
        ),
        (
            "id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" status=\"MISSING\"",
            "status=\"MISSING\"",
            "status=[]",
        ),
        // What ended the C daemon.
        (
            "id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" status=[1,\"X\"]",
            "status=[\"MISSING\",1,\"X\"]",
            "status=[1,\"X\"]",
        ),
        ("id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" status { x=1 }", "status=[\"MISSING\"]", "status {"),
        // Only the first counts.
        (
            "status=\"X\" id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" status=\"Y\"",
            "status=[\"MISSING\",\"X\"]status=\"Y\"",
            "status=\"X\"status=\"Y\"",
        ),
        // It cannot be told whether it is there.
        ("status=\"X\"", "status=\"X\"", "status=\"X\""),
    ] {
        assert_eq!(status_shown(entries, false), missing, "{entries}");
        assert_eq!(status_shown(entries, true), present, "{entries}");
    }
}

#[test]
fn a_vg_shows_of_a_pv_what_is_known_of_it_before_what_it_says_itself() {
    let vg = vg_text(
        "id=\"gggggg-gggg-gggg-gggg-gggg-gggg-gggggg\" seqno=2 physical_volumes { pv0 { device=\"/dev/a\" id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" device=\"/dev/b\" dev_size=9 x=1 } y=1 } z { }",
    );
    let pv = pv_text(
        "device=5 id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" dev_size=7 mda0 { ignore=0 } tag=\"a\nb\\\"\n\" id=\"B\"",
    );
    assert_eq!(
        shown(&vg, std::slice::from_ref(&pv)),
        "\tid=\"gggggg-gggg-gggg-gggg-gggg-gggg-gggggg\"\n\tseqno=2\n\tphysical_volumes {\n\t\tpv0 {\n\t\t\tdevice=5\n\t\t\tmda0 {\n\t\t\t\tignore=0\n\t\t\t}\n\
         \t\t\ttag=\"a\nb\\\"\n\"\n\t\t\tid=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\"\n\t\t\tdev_size=9\n\t\t\tx=1\n\t\t}\n\t\ty=1\n\t}\n\tz {\n\t}\n"
    );
    let mut indented = BytesMut::new();
    pv.write_at(1, &mut indented);
    assert_eq!(
        indented,
        "\tdevice=5\n\tid=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\"\n\tdev_size=7\n\tmda0 {\n\t\tignore=0\n\t}\n\ttag=\"a\nb\\\"\n\"\n\tid=\"B\"\n"
    );
}

#[test]
fn what_a_vg_keeps_is_what_was_sent_but_for_hints() {
    let vg = vg_text(
        "id=\"gggggg-gggg-gggg-gggg-gggg-gggg-gggggg\" seqno=010 a=[1] physical_volumes { pv0 { id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" device=\"x\" } } a { }",
    );
    assert_eq!((vg.uuid.as_str(), vg.seqno), ("gggggg-gggg-gggg-gggg-gggg-gggg-gggggg", 8));
    assert_eq!(
        vg.body(),
        "\tid=\"gggggg-gggg-gggg-gggg-gggg-gggg-gggggg\"\n\tseqno=8\n\ta=1\n\tphysical_volumes {\n\t\tpv0 {\n\t\t\tid=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\"\n\t\t}\n\t}\n\ta {\n\t}\n"
    );
    assert_eq!(
        vg.pvs().iter().map(|pv| pv.id.as_str()).collect::<Vec<_>>(),
        ["aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa"]
    );
    assert_ne!(
        vg,
        vg_text(
            "id=\"gggggg-gggg-gggg-gggg-gggg-gggg-gggggg\" seqno=8 b=1 physical_volumes { pv0 { id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" } } a { }"
        )
    );
}

#[test]
fn a_metadata_area_is_in_use_where_it_says_so() {
    for (areas, expected) in [
        ("", false),
        ("mda0 { ignore=0 }", true),
        ("mda0 { ignore=1 }", false),
        ("mda0 { ignore=1 } mda1 { ignore=0 }", true),
        ("mda0 { }", false),
        ("mda2 { ignore=0 }", false),
    ] {
        assert_eq!(
            pv_text(&format!("id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" device=1 {areas}")).has_used_area,
            expected,
            "{areas}"
        );
    }
}

#[test]
fn a_request_that_makes_no_sense_is_refused_in_the_words_of_lvmetad() {
    for (request, reason) in [
        ("pv_found", "Ignore PV without PV metadata"),
        ("pv_found pvmeta=1", "Ignore PV without PV UUID"),
        ("pv_found pvmeta { device=1 }", "Ignore PV without PV UUID"),
        ("pv_found pvmeta { id=5 device=1 }", "Ignore PV without PV UUID"),
        ("pv_found pvmeta { id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" }", "Ignore PV without device"),
        (
            "pv_found pvmeta { id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" device=\"1\" }",
            "Ignore PV without device",
        ),
        (
            "pv_found pvmeta { id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" device=1 } metadata { }",
            "Ignore VG metadata from PV without VG name",
        ),
        (
            "pv_found pvmeta { id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" device=1 } vgname=\"v\" metadata=1",
            "Ignore VG metadata from PV without VG vgid",
        ),
        (
            "pv_found pvmeta { id=\"aaaaaa-aaaa-aaaa-aaaa-aaaa-aaaa-aaaaaa\" device=1 } vgname=\"v\" metadata { id=\"gggggg-gggg-gggg-gggg-gggg-gggg-gggggg\" }",
            "Ignore VG metadata from PV without VG seqno",
        ),
        ("vg_update metadata=1", "vg_update: need VG UUID"),
        ("vg_update metadata { }", "vg_update: need VG UUID"),
        ("vg_update metadata { id=\"gggggg-gggg-gggg-gggg-gggg-gggg-gggggg\" }", "vg_update: need VG name"),
        (
            "vg_update vgname=\"v\" metadata { id=\"gggggg-gggg-gggg-gggg-gggg-gggg-gggggg\" }",
            "vg_update: need VG seqno",
        ),
        (
            "vg_update vgname=\"v\" metadata { id=\"gggggg-gggg-gggg-gggg-gggg-gggg-gggggg\" seqno=-1 }",
            "vg_update: need VG seqno",
        ),
        (
            "vg_update vgname=\"v\" metadata { id=\"gggggg-gggg-gggg-gggg-gggg-gggg-gggggg\" seqno=0 }",
            "vg_update: failed metadata update",
        ),
    ] {
        let refusal = match Request::parse(format!("request={request}").as_bytes()).operation {
            Operation::PvFound(Err(refusal)) | Operation::VgUpdate(Err(refusal)) => refusal,
            other => panic!("{request}: {other:?}"),
        };
        assert_eq!(refusal.to_string(), reason, "{request}");
    }
}

#[test]
fn a_field_of_the_wrong_type_counts_as_absent() {
    let parse = |text: &str| Request::parse(text.as_bytes());
    let request = parse("request=pv_gone uuid=5 device=\"x\" pid=\"1\" token=7");
    assert_eq!(request.operation, Operation::PvGone(PvKey::default()));
    assert_eq!(request.common, Common::default());
    assert_eq!(parse("request=").operation, Operation::Unknown("NONE".to_owned()));
    assert_eq!(parse("request=\"Hello\"").operation, Operation::Unknown("Hello".to_owned()));
    assert_eq!(parse("request=vg_update vgname=v").operation, Operation::VgUpdate(Ok(None)));
    let set =
        |invalid, disable| Operation::SetGlobalInfo { invalid, disable, reasons: DisableReasons::default() };
    assert_eq!(
        parse("request=set_global_info global_invalid=2 global_disable=1").operation,
        set(None, Some(true))
    );
}

#[test]
fn lists_quote_uuids_that_need_it_and_say_what_is_invalid_last() {
    let (uuid, name) =
        (Vgid::try_from("######-####-####-####-####-####-######").unwrap(), Vgname::try_from("v+g").unwrap());
    let pv = pv_text("id=\"!!!!!!-!!!!-!!!!-!!!!-!!!!-!!!!-!!!!!!\" device=1");
    let listed = ListedPv { pv: &pv, vg: Some((&uuid, Some(&name))) };
    let global = Invalid { global: true, vg: false };
    assert_eq!(
        compose::pv_list([listed].into_iter(), global),
        "response=\"OK\"\nphysical_volumes {\n\t\"!!!!!!-!!!!-!!!!-!!!!-!!!!-!!!!-!!!!!!\" {\n\t\tid=\"!!!!!!-!!!!-!!!!-!!!!-!!!!-!!!!-!!!!!!\"\n\t\tdevice=1\n\t\tvgid=\"######-####-####-####-####-####-######\"\n\t\tvgname=\"v+g\"\n\t}\n}\n\
         global_invalid {\n}\n\n\n"
    );
    assert_eq!(
        compose::pv_lookup(ListedPv { vg: None, ..listed }, Invalid::default()),
        "response=\"OK\"\nphysical_volume {\n\tid=\"!!!!!!-!!!!-!!!!-!!!!-!!!!-!!!!-!!!!!!\"\n\tdevice=1\n}\n\n\n"
    );
    assert_eq!(
        compose::vg_list([(&uuid, &name)].into_iter(), Invalid::default()),
        "response=\"OK\"\nvolume_groups {\n\t\"######-####-####-####-####-####-######\" {\n\t\tname=\"v+g\"\n\t}\n}\n\n\n"
    );
    let text = vg_text("id=\"gggggg-gggg-gggg-gggg-gggg-gggg-gggggg\" seqno=1");
    let vg = ShownVg {
        name: &name,
        text: &text,
        outdated: Some([&pv].into_iter()),
        invalid: Invalid { global: true, vg: true },
    };
    assert_eq!(
        compose::vg_lookup(vg, |_: &Pvid| None),
        "response=\"OK\"\nname=\"v+g\"\nmetadata {\n\toutdated_pvs {\n\t\t\"!!!!!!-!!!!-!!!!-!!!!-!!!!-!!!!-!!!!!!\" {\n\t\t\tid=\"!!!!!!-!!!!-!!!!-!!!!-!!!!-!!!!-!!!!!!\"\n\t\t\tdevice=1\n\t\t}\n\t}\n\tid=\"gggggg-gggg-gggg-gggg-gggg-gggg-gggggg\"\n\t\
         seqno=1\n}\nglobal_invalid {\n}\nvg_invalid {\n}\n\n\n"
    );
}

#[test]
fn a_reply_says_its_text_such_that_it_can_be_read_back() {
    let info = GlobalInfo {
        disable: true,
        reasons: DisableReasons::from_text("VGRESTORE DIRECT"),
        token: "a\"b".to_owned(),
        ..GlobalInfo::default()
    };
    let reply = Reply::GlobalInfo(info);
    let bytes = reply.to_bytes();
    assert!(String::from_utf8_lossy(&bytes).contains("disable_reason = \"DIRECT,VGRESTORE,\"\n"));
    assert_eq!(Reply::parse(&bytes), Ok(reply));
    for reply in [
        Reply::TokenMismatch {
            expected: String::new(),
            received: "\\".to_owned(),
            update_pid: 4,
            reason: "r".to_owned(),
        },
        Reply::TokenUpdating { expected: "e".to_owned(), update_pid: 4, reason: "r".to_owned() },
        Reply::Refused { response: Response::Multiple, reason: "r".to_owned() },
        Reply::Found(Found {
            status: Status::Unknown,
            changed: true,
            vg: None,
            seqno_before: 0,
            seqno_after: -1,
        }),
    ] {
        assert_eq!(Reply::parse(&reply.to_bytes()), Ok(reply.clone()));
    }
}
