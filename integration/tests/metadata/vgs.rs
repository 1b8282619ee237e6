//! VGs put together, versions, and what is invalid. M-36 to M-61.

use lvmwarden_integration::metad::{MetadClient, MetadSite, OK, found, refused, vg, vg_with};

fn is_missing_shown(client: &mut MetadClient) -> bool {
    client.ask("vg_lookup name=v").contains("status=[\"MISSING\",\"ALLOCATABLE\"]")
}

/// M-36.
#[test]
fn of_a_partial_vg_the_missing_are_marked_and_the_present_described() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    assert_eq!(client.found("A", 1, &vg("v", "G", 3, &["A", "B"])), found("partial", 1, "G", "v", 3, 3));
    assert_eq!(
        client.ask("vg_lookup uuid=G"),
        "response=\"OK\"\nname=\"v\"\nmetadata {\n\tid=\"G\"\n\tseqno=3\n\tphysical_volumes {\n\t\tpv0 {\n\t\t\tdevice=1\n\t\t\tmda0 {\n\
         \t\t\t\tignore=0\n\t\t\t}\n\t\t\tid=\"A\"\n\t\t\tstatus=\"ALLOCATABLE\"\n\t\t\tflags=[]\n\t\t\tdev_size=8\n\t\t}\n\t\tpv1 {\n\
         \t\t\tid=\"B\"\n\t\t\tstatus=[\"MISSING\",\"ALLOCATABLE\"]\n\t\t\tflags=[]\n\t\t\tdev_size=8\n\t\t}\n\t}\n}\n\n\n"
    );
}

/// M-37.
#[test]
fn the_last_pv_completes_its_vg_and_the_reply_says_so() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 3, &["A", "B"]));
    assert_eq!(client.found("B", 2, ""), found("complete", 1, "G", "v", -1, 3));
    assert!(!is_missing_shown(&mut client));
}

/// M-38.
#[test]
fn a_pv_without_metadata_is_adopted_when_its_vg_is_known() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    assert_eq!(client.found("B", 2, ""), found("orphan", 1, "#orphan", "#orphan", -1, -1));
    assert_eq!(client.found("A", 1, &vg("v", "G", 3, &["A", "B"])), found("complete", 1, "G", "v", 3, 3));
    assert_eq!(client.ask("pv_list").matches("vgid=\"G\"\n\t\tvgname=\"v\"\n").count(), 2);
}

/// M-39.
#[test]
fn a_vg_goes_with_its_last_pv() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 3, &["A", "B"]));
    client.found("B", 2, "");
    client.ask("pv_gone uuid=B");
    assert!(is_missing_shown(&mut client));
    client.ask("pv_gone uuid=A");
    assert_eq!(client.ask("vg_list"), "response=\"OK\"\nvolume_groups {\n}\n\n\n");
    assert_eq!(client.ask("vg_lookup name=v"), refused("unknown", "VG not found"));
    assert_eq!(client.found("B", 2, ""), found("orphan", 1, "#orphan", "#orphan", -1, -1));
}

/// M-40.
#[test]
fn a_pv_that_comes_back_elsewhere_completes_its_vg() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 3, &["A", "B"]));
    client.found("B", 2, "");
    client.ask("pv_gone device=2");
    assert_eq!(client.found("B", 9, ""), found("complete", 1, "G", "v", -1, 3));
}

/// M-41, M-43.
#[test]
fn what_is_on_the_disk_comes_back_but_for_marks_of_a_moment() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found(
        "A",
        1,
        "vgname=v metadata { id=G seqno=1 odd { x=1 } physical_volumes { p { id=A device=\"/dev/x\" \
         status=[\"MISSING\"] flags=[\"MISSING\"] even=2 } } }",
    );
    let shown = client.ask("vg_lookup name=v");
    assert!(shown.contains("id=\"A\"\n\t\t\tstatus=[]\n\t\t\tflags=\"MISSING\"\n\t\t\teven=2\n"), "{shown}");
    assert!(shown.contains("\todd {\n\t\tx=1\n\t}\n") && !shown.contains("/dev/x"), "{shown}");
}

/// M-42: C does not mark such a one.
#[test]
fn a_missing_pv_that_may_not_be_allocated_from_is_marked() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.update("vgname=v metadata { id=G seqno=1 physical_volumes { p { id=A status=[] } } }");
    assert!(client.ask("vg_lookup name=v").contains("\t\t\tstatus=[\"MISSING\"]\n"));
}

/// M-44.
#[test]
fn a_vg_is_found_by_what_is_said_of_it() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 1, &["A"]));
    assert!(client.ask("vg_lookup uuid=G name=v").starts_with("response=\"OK\"\nname=\"v\"\nmetadata {\n"));
    client.found("B", 2, &vg("v", "H", 1, &["B"]));
    assert_eq!(client.ask("vg_lookup name=v"), refused("multiple", "Multiple VGs found with same name"));
    assert_eq!(client.ask("vg_lookup uuid=G name=w"), refused("unknown", "VG mapping incomplete"));
    assert_eq!(client.ask("vg_lookup"), refused("unknown", "VG not found"));
}

/// M-45, M-46.
#[test]
fn a_pv_with_an_older_version_is_outdated_if_it_is_in_use() {
    for (areas, is_listed) in [("mda0 { ignore=0 }", true), ("mda0 { ignore=1 }", false), ("", false)] {
        let site = MetadSite::new();
        let (_daemon, mut client) = site.start();
        client.found_with("A", 1, areas, &vg("v", "G", 5, &["A"]));
        let reply = client.found_with("A", 1, areas, &vg("v", "G", 4, &["A"]));
        assert_eq!(reply, found("complete", 1, "G", "v", 5, 5));
        let shown = client.ask("vg_lookup name=v");
        assert_eq!(shown.contains("metadata {\n\toutdated_pvs {\n\t\tA {\n"), is_listed, "{shown}");
    }
}

/// M-47.
#[test]
fn a_newer_version_makes_the_pvs_of_the_older_one_outdated() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 1, &["A", "B"]));
    assert_eq!(client.found("B", 2, &vg("v", "G", 2, &["A", "B"])), found("complete", 1, "G", "v", 1, 2));
    assert!(client.raw("request=dump").contains("\tpv_list=[\"B\",\"A\"]\n"));
}

/// M-48.
#[test]
fn what_is_outdated_is_cleared() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 2, &["A"]));
    client.found("A", 1, &vg("v", "G", 1, &["A"]));
    for vgid in ["G", "unknown"] {
        assert_eq!(client.ask(&format!("vg_clear_outdated_pvs vgid={vgid}")), OK);
    }
    assert!(!client.ask("vg_lookup name=v").contains("outdated"));
    assert_eq!(client.ask("vg_clear_outdated_pvs"), refused("failed", "need VG UUID"));
}

/// M-49.
#[test]
fn pvs_that_contradict_one_another_change_nothing() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg_with("v", "G", 2, &["A"], "x=1"));
    let before = client.ask("vg_lookup name=v");
    let reply = client.found("A", 1, &vg_with("v", "G", 2, &["A"], "x=2"));
    assert_eq!(reply, found("complete", 0, "G", "v", 2, 2));
    assert_eq!(client.ask("vg_lookup name=v"), before);
}

/// M-50.
#[test]
fn a_command_is_believed_whatever_the_version() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    for (seqno, more) in [(5, "x=1"), (5, "x=2"), (3, "x=3")] {
        assert_eq!(client.update(&vg_with("v", "G", seqno, &["A"], more)), OK);
        assert!(client.ask("vg_lookup name=v").contains(&format!("\tseqno={seqno}\n\t{more}\n")));
    }
}

/// M-51.
#[test]
fn a_renamed_vg_has_its_new_name_only() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 2, &["A"]));
    client.found("A", 1, &vg("v", "G", 1, &["A"]));
    client.ask("set_vg_info uuid=G version=9");
    client.update(&vg("w", "G", 3, &["A"]));
    assert_eq!(client.ask("vg_lookup name=v"), refused("unknown", "VG not found"));
    let shown = client.ask("vg_lookup name=w");
    assert!(shown.starts_with("response=\"OK\"") && !shown.contains("outdated"), "{shown}");
    assert!(!shown.contains("vg_invalid"), "{shown}");
}

/// M-52.
#[test]
fn a_new_uuid_takes_the_place_of_the_old_one() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 2, &["A"]));
    client.update(&vg("v", "H", 3, &["A"]));
    assert_eq!(
        client.ask("vg_list"),
        "response=\"OK\"\nvolume_groups {\n\tH {\n\t\tname=\"v\"\n\t}\n}\n\n\n"
    );
}

/// M-53.
#[test]
fn a_vg_is_there_until_its_last_pv_has_moved() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 2, &["A", "B"]));
    client.found("B", 2, "");
    client.update(&vg("w", "H", 1, &["B"]));
    assert!(client.ask("vg_lookup uuid=G").starts_with("response=\"OK\""));
    client.update(&vg("w", "H", 2, &["A", "B"]));
    assert_eq!(client.ask("vg_lookup uuid=G"), refused("unknown", "VG not found"));
}

/// M-54.
#[test]
fn the_pvs_of_a_removed_vg_are_orphans() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 2, &["A"]));
    for _ in 0..2 {
        assert_eq!(client.ask("vg_remove uuid=G"), OK);
        let pvs = client.ask("pv_list");
        assert!(pvs.contains("id=\"A\"") && !pvs.contains("vgid"), "{pvs}");
    }
    assert_eq!(client.ask("vg_list"), "response=\"OK\"\nvolume_groups {\n}\n\n\n");
}

/// M-55: C exits.
#[test]
fn a_malformed_update_changes_nothing() {
    let site = MetadSite::new();
    let (mut daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 2, &["A"]));
    let before = client.raw("request=dump");
    for fields in ["metadata=1", "vgname=v metadata { id=G }", "vgname=v metadata { id=G seqno=0 }"] {
        assert!(client.update(fields).starts_with("response = \"failed\"\n"), "{fields}");
    }
    assert_eq!(client.update("vgname=v"), OK);
    assert_eq!(client.raw("request=dump"), before);
    assert!(!daemon.has_ended());
}

/// M-56, M-58.
#[test]
fn a_vg_is_invalid_when_a_later_version_is_announced() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 2, &["A"]));
    for (fields, is_invalid) in [
        ("uuid=G version=2", false),
        ("uuid=G version=-1", false),
        ("uuid=G", false),
        ("uuid=none name=none version=3", false),
        ("uuid=G version=3", true),
        ("uuid=none name=v version=3", true),
        ("name=v version=0", true),
    ] {
        assert_eq!(client.ask(&format!("set_vg_info {fields}")), OK);
        let shown = client.ask("vg_lookup name=v");
        assert_eq!(shown.ends_with("}\nvg_invalid {\n}\n\n\n"), is_invalid, "{fields}: {shown}");
        client.ask("vg_remove uuid=G");
        client.found("A", 1, &vg("v", "G", 2, &["A"]));
    }
}

/// M-57.
#[test]
fn only_a_command_makes_a_vg_valid_again() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 2, &["A"]));
    client.ask("set_vg_info uuid=G version=5");
    client.update(&vg("v", "G", 4, &["A"]));
    assert!(client.ask("vg_lookup name=v").contains("vg_invalid"));
    client.found("A", 1, &vg("v", "G", 5, &["A"]));
    assert!(client.ask("vg_lookup name=v").contains("vg_invalid"));
    client.update(&vg("v", "G", 5, &["A"]));
    assert!(!client.ask("vg_lookup name=v").contains("vg_invalid"));
}

/// M-59.
#[test]
fn an_outdated_pv_of_a_complete_vg_is_answered_complete() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 3, &["A"]));
    assert_eq!(client.found("B", 2, &vg("v", "G", 2, &["A", "B"])), found("complete", 1, "G", "v", 3, 3));
}

/// M-60.
#[test]
fn metadata_without_version_are_not_cached_and_their_pv_is() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    assert_eq!(client.found("A", 1, &vg("v", "G", 0, &["A"])), found("(null)", 1, "G", "v", 0, -1));
    assert_eq!(client.ask("vg_lookup uuid=G"), refused("unknown", "VG not found"));
    assert!(client.ask("pv_lookup uuid=A").contains("\tdevice=1\n"));
}

/// M-61.
#[test]
fn a_dump_has_its_nine_sections_in_order() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 3, &["A", "B"]));
    let dump = client.raw("request=dump");
    let comments: Vec<_> = dump.lines().filter_map(|line| line.strip_prefix("# ")).collect();
    assert_eq!(
        comments,
        [
            "VG METADATA",
            "PV METADATA",
            "VGID to VGNAME mapping",
            "VGID to outdated PVs mapping",
            "VGNAME to VGID mapping",
            "PVID to VGID mapping",
            "DEVICE to PVID mapping",
            "VGID to INFO version mapping",
            "VGID to INFO flags mapping",
        ]
    );
    assert!(
        !dump.contains("MISSING") && dump.contains("pvid_to_vgid {\n    A = \"G\"\n    B = \"G\"\n}"),
        "{dump}"
    );
}
