//! PVs and their devices. M-28 to M-35.

use lvmwarden_integration::metad::{MetadSite, OK, found, refused, vg};

fn orphan(changed: u8) -> String {
    found("orphan", changed, "#orphan", "#orphan", -1, -1)
}

/// M-28.
#[test]
fn an_orphan_is_news_once() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    assert_eq!(client.found("A", 1, ""), orphan(1));
    assert_eq!(client.found("A", 1, ""), orphan(0));
    assert_eq!(client.found_with("A", 1, "x=1", ""), orphan(1));
}

/// M-29.
#[test]
fn a_pv_that_is_on_two_devices_disables_the_cache() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, "");
    assert_eq!(client.found("A", 2, ""), refused("failed", "Ignore duplicate PV"));
    assert!(client.ask("get_global_info").contains("global_disable = 1\ndisable_reason = \"DUPLICATES,\"\n"));
    assert!(client.ask("pv_lookup uuid=A").contains("\tdevice=1\n"));
}

/// M-30.
#[test]
fn a_device_with_another_pv_has_lost_the_first() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 1, &["A"]));
    assert_eq!(client.found("B", 1, ""), orphan(1));
    assert_eq!(client.ask("pv_lookup uuid=A"), refused("unknown", "PV not found"));
    assert_eq!(client.ask("vg_lookup name=v"), refused("unknown", "VG not found"));
    client.found("C", 3, &vg("w", "H", 1, &["B", "C"]));
    client.found("D", 1, "");
    assert!(client.ask("vg_lookup name=w").contains("status=[\"MISSING\",\"ALLOCATABLE\"]"));
}

/// M-31.
#[test]
fn pvs_that_changed_places_are_duplicates() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, "");
    client.found("B", 2, "");
    assert_eq!(client.found("A", 2, ""), refused("failed", "Ignore duplicate PV"));
    assert_eq!(client.ask("pv_lookup uuid=B"), refused("unknown", "PV not found"));
    assert!(client.ask("pv_lookup uuid=A").contains("\tdevice=1\n"));
}

/// M-32.
#[test]
fn a_pv_goes_once() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, "");
    assert_eq!(client.ask("pv_gone device=1"), OK);
    assert_eq!(client.ask("pv_gone device=1"), refused("unknown", "device not in cache"));
    assert_eq!(client.ask("pv_gone uuid=A"), refused("unknown", "PVID does not exist"));
}

/// M-33: C answers the last with `Ignore PV for unknown state`.
#[test]
fn a_pv_that_went_by_uuid_may_come_back_to_its_device() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, "");
    assert_eq!(client.ask("pv_gone uuid=A"), OK);
    assert_eq!(client.found("A", 1, ""), orphan(1));
}

/// M-34: C keeps 32 bits of it.
#[test]
fn a_large_device_number_is_looked_up_and_removed() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    let device = (1_i64 << 31) + (1 << 40);
    client.found("A", device, "");
    assert!(client.ask(&format!("pv_lookup device={device}")).contains("id=\"A\""));
    assert_eq!(client.ask(&format!("pv_gone device={device}")), OK);
}

/// M-35.
#[test]
fn a_pv_of_which_something_is_not_said_is_not_stored() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    let empty = client.raw("request=dump");
    for (fields, reason) in [
        ("", "Ignore PV without PV metadata"),
        ("pvmeta { device=1 }", "Ignore PV without PV UUID"),
        ("pvmeta=1", "Ignore PV without PV UUID"),
        ("pvmeta { id=A }", "Ignore PV without device"),
        ("pvmeta { id=A device=1 } metadata { id=G seqno=1 }", "Ignore VG metadata from PV without VG name"),
        (
            "pvmeta { id=A device=1 } vgname=v metadata { seqno=1 }",
            "Ignore VG metadata from PV without VG vgid",
        ),
        (
            "pvmeta { id=A device=1 } vgname=v metadata { id=G }",
            "Ignore VG metadata from PV without VG seqno",
        ),
    ] {
        assert_eq!(client.ask(&format!("pv_found {fields}")), refused("failed", reason), "{fields}");
        assert_eq!(client.raw("request=dump"), empty, "{fields}");
    }
}
