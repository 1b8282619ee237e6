//! What real commands of lvm2 2.02.188 said to the C daemon, said to ours: each reply must mean the same. M-65 to M-70.
//!
//! The recordings are those of `protocol/tests/fixtures`. Masked are the daemon's pid and when an update began; lists and dumps
//! are compared as sets of lines, because C has them in the order of its hash tables.

use std::collections::BTreeMap;

use lvmwarden_integration::metad::{MetadClient, MetadSite, OK, found, refused, vg};
use serde_json::Value;

fn masked(reply: &str) -> String {
    let kept = |line: &&str| !line.starts_with("daemon_pid = ") && !line.starts_with("update_begin = ");
    let mut lines: Vec<_> = reply.lines().filter(kept).collect();
    if reply.starts_with('#') || reply.contains("\nphysical_volumes {") || reply.contains("\nvolume_groups {")
    {
        lines.sort_unstable();
    }
    lines.join("\n")
}

#[track_caller]
fn assert_replayed(name: &str, replies: usize) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../protocol/tests/fixtures/lvmetad-2.02.188");
    let recording = std::fs::read_to_string(format!("{folder}/metad_{name}.jsonl")).unwrap();
    let site = MetadSite::new();
    let _daemon = site.daemon().start();
    let mut connections: BTreeMap<i64, (MetadClient, Option<String>)> = BTreeMap::new();
    let mut seen = 0;
    for line in recording.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let (number, message) = (line["conn"].as_i64().unwrap(), line["msg"].as_str().unwrap());
        let (client, asked) = connections.entry(number).or_insert_with(|| (site.client(), None));
        if line["dir"] == "c2s" {
            *asked = Some(message.to_owned());
            continue;
        }
        let request = asked.take().unwrap();
        assert_eq!(masked(&client.raw(&request)), masked(message), "{name}, reply {seen} to {request}");
        seen += 1;
    }
    assert_eq!(seen, replies);
}

/// M-65.
#[test]
fn commands_that_change_vgs_are_answered_as_by_lvmetad() {
    for (name, replies) in [
        ("create", 130),
        ("reshape", 262),
        ("new_uuids", 195),
        ("export_import", 150),
        ("cfgrestore", 103),
        ("remove", 145),
    ] {
        assert_replayed(name, replies);
    }
}

/// M-66.
#[test]
fn devices_that_go_and_come_back_are_answered_as_by_lvmetad() {
    assert_replayed("device_gone", 233);
}

#[test]
fn lvmetactl_is_answered_as_by_lvmetad() {
    assert_replayed("ctl", 167);
}

/// M-67: the requests of `pvscan --cache` of a stale PV, and of the vgs after it.
#[test]
fn a_stale_pv_is_told_to_the_next_command_which_deals_with_it() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 5, &["A"]));
    let stale = client.found("B", 2, &vg("v", "G", 3, &["A", "B"]));
    assert_eq!(stale, found("complete", 1, "G", "v", 5, 5), "seqno_after is not what was sent: pvscan warns");
    assert!(client.ask("vg_lookup uuid=G name=v").contains("\toutdated_pvs {\n\t\tB {\n"));
    assert_eq!(client.found_with("B", 2, "", ""), found("orphan", 1, "#orphan", "#orphan", -1, -1));
    assert_eq!(client.ask("vg_clear_outdated_pvs vgid=G"), OK);
    assert!(client.raw("request=dump").contains("# VGID to outdated PVs mapping\n\n\n"));
}

/// M-68: the requests of `pvscan --cache` of a copy, and of the one after the copy was wiped.
#[test]
fn a_copy_disables_the_cache_until_it_is_filled_without() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 5, &["A"]));
    assert_eq!(client.found("A", 2, &vg("v", "G", 5, &["A"])), refused("failed", "Ignore duplicate PV"));
    assert!(client.ask("get_global_info").contains("disable_reason = \"DUPLICATES,\"\n"));
    client.begin(1, 10);
    client.ask("pv_clear_all");
    assert_eq!(client.found("A", 1, &vg("v", "G", 5, &["A"])), found("complete", 1, "G", "v", 5, 5));
    client.end(1, "t");
    client.ask("set_global_info global_disable=0");
    assert!(client.ask("get_global_info").contains("global_disable = 0\ndisable_reason = \"none\"\n"));
}

/// M-70: the requests of `lvmetactl set_vg_version` and of the vgs after it.
#[test]
fn a_vg_that_was_changed_behind_the_back_is_read_anew() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 5, &["A"]));
    client.ask("set_vg_info name=v version=6");
    assert!(client.ask("vg_lookup name=v").contains("vg_invalid"));
    assert_eq!(client.ask("pv_gone device=1"), OK);
    assert_eq!(client.update(&vg("v", "G", 6, &["A"])), OK);
    assert_eq!(client.found("A", 1, ""), found("complete", 1, "G", "v", -1, 6));
    let shown = client.ask("vg_lookup name=v");
    assert!(shown.contains("\tseqno=6\n") && !shown.contains("vg_invalid"), "{shown}");
}
