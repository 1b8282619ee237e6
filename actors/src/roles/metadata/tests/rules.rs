//! One rule of lvmetad's contract after the other.

use super::support::{Bare, OK, found, refused, vg};

fn mismatch(expected: &str, received: &str, pid: i64) -> String {
    format!(
        "response = \"token_mismatch\"\nexpected = \"{expected}\"\nreceived = \"{received}\"\nupdate_pid = {pid}\n\
         reason = \"another command has populated the cache\"\n"
    )
}

fn updated(prev_token: &str, pid: i64) -> String {
    format!("response = \"OK\"\nprev_token = \"{prev_token}\"\nupdate_pid = {pid}\n")
}

const U: &str = "update in progress";

fn begin(daemon: &mut Bare, pid: i64, timeout: i64) -> String {
    daemon.ask(&format!("request=token_update token=\"{U}\" pid={pid} update_timeout={timeout} cmd=pvs"))
}

fn end(daemon: &mut Bare, pid: i64, token: &str) -> String {
    daemon.ask(&format!("request=token_update token=\"{token}\" pid={pid}"))
}

/// Returns the lines of `get_global_info` that say who fills the cache.
fn token_shown(daemon: &mut Bare) -> String {
    let info = daemon.skip("get_global_info");
    let lines = info.lines().filter(|line| line.starts_with("token") || line.starts_with("update_"));
    lines.map(|line| line.replace(' ', "")).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_fresh_cache_answers_nobody_who_names_a_token() {
    let mut daemon = Bare::default();
    for request in ["vg_list", "get_global_info", "pv_found", "bogus"] {
        assert_eq!(daemon.ask(&format!("request={request} token=\"filter:1\"")), mismatch("", "filter:1", 0));
        assert_eq!(daemon.ask(&format!("request={request}")), mismatch("", "NONE", 0));
    }
    assert!(daemon.ask("request=hello").contains("lvmetad"));
    assert!(daemon.ask("request=dump").starts_with("# VG METADATA"));
    for no_text in ["", " ", "# x", "a=", "{"] {
        assert_eq!(daemon.ask(no_text), mismatch("", "NONE", 0), "{no_text}");
    }
    assert_eq!(daemon.skip("bogus"), refused("failed", "request not implemented"));
    assert_eq!(daemon.skip("Dump"), refused("failed", "request not implemented"));
}

#[test]
fn a_token_cannot_be_set_without_an_update() {
    let mut daemon = Bare::default();
    assert_eq!(end(&mut daemon, 1, "t"), updated("", 0));
    assert_eq!(
        token_shown(&mut daemon),
        "token=\"none\" update_cmd=\"\" update_pid=0 update_begin=0 update_timeout=0"
    );
}

#[test]
fn an_update_belongs_to_one_client_until_its_timeout() {
    let mut daemon = Bare { seconds: 100, ..Bare::default() };
    let updating = "response = \"token_updating\"\nexpected = \"update in progress\"\nupdate_pid = 1\n\
         reason = \"another command has populated the cache\"\n";
    assert_eq!(begin(&mut daemon, 1, 10), updated("", 1));
    assert_eq!(begin(&mut daemon, 2, 10), updating);
    assert_eq!(begin(&mut daemon, 1, 10), updating);
    assert_eq!(
        token_shown(&mut daemon),
        "token=\"updateinprogress\" update_cmd=\"pvs\" update_pid=1 update_begin=100 update_timeout=10"
    );
    daemon.seconds = 109;
    assert_eq!(begin(&mut daemon, 2, 10), updating);
    assert_eq!(end(&mut daemon, 2, "t"), mismatch(U, "t", 1));
    assert_eq!(end(&mut daemon, 1, "t"), updated(U, 0));
    assert_eq!(
        token_shown(&mut daemon),
        "token=\"t\" update_cmd=\"\" update_pid=0 update_begin=0 update_timeout=0"
    );
    assert_eq!(begin(&mut daemon, 3, 10), updated("t", 3));
}

#[test]
fn an_update_that_was_taken_over_is_refused() {
    let mut daemon = Bare::default();
    begin(&mut daemon, 1, 0);
    assert_eq!(begin(&mut daemon, 2, 0), updated(U, 2));
    let preempted = mismatch(U, U, 2).replace("the cache", "the lvmetad cache");
    assert_eq!(daemon.ask(&format!("request=pv_clear_all token=\"{U}\" pid=1")), preempted);
    assert_eq!(
        daemon.ask(&format!("request=pv_clear_all token=\"{U}\"")),
        OK,
        "without a pid nobody can tell"
    );
    assert_eq!(end(&mut daemon, 1, "t"), mismatch(U, "t", 2));
    assert_eq!(end(&mut daemon, 2, "t"), updated(U, 0));
}

#[test]
fn an_update_that_is_overdue_is_noticed_by_who_asks_for_the_state() {
    let mut daemon = Bare { seconds: 7, ..Bare::default() };
    begin(&mut daemon, 1, 10);
    daemon.seconds = 17;
    let clear = format!("request=pv_clear_all token=\"{U}\" pid=1");
    assert_eq!(daemon.ask(&clear), OK);
    assert_eq!(
        token_shown(&mut daemon),
        "token=\"none\" update_cmd=\"\" update_pid=0 update_begin=0 update_timeout=0"
    );
    assert_eq!(daemon.ask(&clear), mismatch("", U, 0));
}

#[test]
fn while_the_cache_is_filled_only_skip_and_dump_see_it() {
    let mut daemon = Bare::default();
    begin(&mut daemon, 1, 10);
    assert!(daemon.skip("vg_list").starts_with("response=\"OK\""));
    assert!(daemon.ask("request=dump token=x").starts_with("# VG"));
    assert_eq!(daemon.ask("request=vg_list token=\"filter:2\""), mismatch(U, "filter:2", 1));
}

#[test]
fn a_long_token_and_a_long_command_are_cut_off() {
    let mut daemon = Bare::default();
    let (token, cmd) = ("t".repeat(126) + "ü", "c".repeat(32));
    daemon.ask(&format!("request=token_update token=\"{U}\" pid=1 update_timeout=9 cmd={cmd}"));
    assert!(token_shown(&mut daemon).contains(&format!("update_cmd=\"{}\"", "c".repeat(31))));
    end(&mut daemon, 1, &token);
    assert!(token_shown(&mut daemon).contains(&format!("token=\"{}\"", "t".repeat(126))));
}

#[test]
fn reasons_to_disable_the_cache_add_up_until_it_is_enabled() {
    let mut daemon = Bare::default();
    let mut set = |fields: &str| {
        assert_eq!(daemon.skip(&format!("set_global_info {fields}")), OK);
        let info = daemon.skip("get_global_info");
        info.lines().skip(1).take(3).map(|line| line.replace(' ', "")).collect::<Vec<_>>().join(" ")
    };
    for (fields, shown) in [
        ("", "global_invalid=0 global_disable=0 disable_reason=\"none\""),
        ("disable_reason=DIRECT", "global_invalid=0 global_disable=0 disable_reason=\"none\""),
        ("global_disable=1", "global_invalid=0 global_disable=1 disable_reason=\"none\""),
        (
            "global_disable=1 disable_reason=REPAIR",
            "global_invalid=0 global_disable=1 disable_reason=\"REPAIR,\"",
        ),
        (
            "global_disable=1 disable_reason=\"x DIRECT\"",
            "global_invalid=0 global_disable=1 disable_reason=\"DIRECT,REPAIR,\"",
        ),
        ("global_disable=2", "global_invalid=0 global_disable=1 disable_reason=\"DIRECT,REPAIR,\""),
        ("global_invalid=1", "global_invalid=1 global_disable=1 disable_reason=\"DIRECT,REPAIR,\""),
        ("global_invalid=7 global_disable=0", "global_invalid=1 global_disable=0 disable_reason=\"none\""),
        ("global_disable=1", "global_invalid=1 global_disable=1 disable_reason=\"none\""),
        ("global_invalid=0", "global_invalid=0 global_disable=1 disable_reason=\"none\""),
    ] {
        assert_eq!(set(fields), shown, "{fields}");
    }
}

#[test]
fn an_invalid_cache_says_so_in_every_list() {
    let mut daemon = Bare::default();
    daemon.found("A", 1, &vg("v", "G", 1, &["A"], ""));
    daemon.skip("set_global_info global_invalid=1");
    for request in ["pv_list", "pv_lookup uuid=A", "vg_list", "vg_lookup name=v"] {
        let reply = daemon.skip(request);
        assert!(reply.ends_with("}\nglobal_invalid {\n}\n\n\n"), "{reply}");
    }
}

#[test]
fn clearing_the_cache_keeps_token_and_marks_and_nothing_else() {
    let mut daemon = Bare::default();
    begin(&mut daemon, 1, 0);
    end(&mut daemon, 1, "t");
    daemon.skip("set_global_info global_invalid=1 global_disable=1");
    daemon.found("A", 1, &vg("v", "G", 2, &["A"], ""));
    daemon.found("A", 1, &vg("v", "G", 1, &["A"], ""));
    daemon.skip("set_vg_info name=v version=9");
    assert_eq!(daemon.skip("pv_clear_all"), OK);
    assert_eq!(daemon.ask("request=dump"), Bare::default().ask("request=dump"));
    assert!(token_shown(&mut daemon).starts_with("token=\"t\""));
    assert!(daemon.skip("get_global_info").contains("global_invalid = 1\nglobal_disable = 1\n"));
}

#[test]
fn an_orphan_that_is_found_again_is_news_only_if_it_has_changed() {
    let mut daemon = Bare::default();
    let orphan = |changed| found("orphan", changed, "#orphan", "#orphan", -1, -1);
    assert_eq!(daemon.found("A", 1, ""), orphan(1));
    assert_eq!(daemon.found("A", 1, ""), orphan(0));
    assert_eq!(daemon.found_with("A", 1, "mda0 { ignore=1 }", ""), orphan(1));
    assert_eq!(daemon.found("A", 1, "vgname=v"), orphan(1));
}

#[test]
fn a_pv_on_two_devices_disables_the_cache() {
    let mut daemon = Bare::default();
    daemon.found("A", 1, "");
    assert_eq!(daemon.found("A", 2, ""), refused("failed", "Ignore duplicate PV"));
    assert!(
        daemon.skip("get_global_info").contains("global_disable = 1\ndisable_reason = \"DUPLICATES,\"\n")
    );
    assert!(daemon.skip("pv_lookup uuid=A").contains("device=1\n"));
    assert_eq!(daemon.skip("pv_lookup device=2"), refused("unknown", "device not found"));
}

#[test]
fn two_pvs_that_changed_places_are_duplicates_and_the_first_to_tell_loses_the_other() {
    let mut daemon = Bare::default();
    daemon.found("A", 1, "");
    daemon.found("B", 2, &vg("v", "G", 1, &["B"], ""));
    assert_eq!(daemon.found("A", 2, ""), refused("failed", "Ignore duplicate PV"));
    assert_eq!(daemon.skip("pv_lookup uuid=B"), refused("unknown", "PV not found"));
    assert_eq!(daemon.skip("vg_lookup name=v"), refused("unknown", "VG not found"));
    assert!(daemon.skip("pv_lookup device=1").contains("id=\"A\""));
}

#[test]
fn a_device_that_is_used_anew_has_lost_its_pv() {
    let mut daemon = Bare::default();
    daemon.found("A", 1, &vg("v", "G", 1, &["A"], ""));
    assert_eq!(daemon.found("B", 1, ""), found("orphan", 1, "#orphan", "#orphan", -1, -1));
    assert_eq!(daemon.skip("pv_lookup uuid=A"), refused("unknown", "PV not found"));
    assert_eq!(daemon.skip("vg_lookup name=v"), refused("unknown", "VG not found"));

    let mut daemon = Bare::default();
    daemon.found("A", 1, &vg("v", "G", 1, &["A", "C"], ""));
    daemon.found("C", 3, "");
    daemon.found("B", 1, "");
    assert!(
        daemon
            .skip("vg_lookup name=v")
            .contains("pv0 {\n\t\t\tid=\"A\"\n\t\t\tstatus=[\"MISSING\",\"ALLOCATABLE\"]")
    );
    // Without metadata of its own it still finds its VG, which C forgets.
    assert_eq!(daemon.found("A", 4, ""), found("complete", 1, "G", "v", -1, 1));
}

#[test]
fn a_pv_that_is_gone_is_gone_once() {
    let mut daemon = Bare::default();
    daemon.found("A", 1, "");
    assert_eq!(daemon.skip("pv_gone device=1"), OK);
    assert_eq!(daemon.skip("pv_gone device=1"), refused("unknown", "device not in cache"));
    for no_device in ["", "device=0", "device=-1", "device=x"] {
        assert_eq!(daemon.skip(&format!("pv_gone {no_device}")), refused("unknown", "device not in cache"));
    }
    assert_eq!(daemon.skip("pv_gone uuid=A"), refused("unknown", "PVID does not exist"));
    assert_eq!(daemon.skip("pv_lookup"), refused("failed", "need PVID or device"));
}

#[test]
fn a_pv_gone_by_uuid_leaves_no_device_behind() {
    let mut daemon = Bare::default();
    daemon.found("A", 1, "");
    assert_eq!(daemon.skip("pv_gone uuid=A device=7"), OK);
    assert_eq!(daemon.found("A", 1, ""), found("orphan", 1, "#orphan", "#orphan", -1, -1));
}

#[test]
fn a_device_number_keeps_all_its_bits() {
    let mut daemon = Bare::default();
    for device in [1_i64 << 31, (1 << 32) + 5, 1 << 40] {
        daemon.found("A", device, "");
        assert!(daemon.skip(&format!("pv_lookup device={device}")).contains(&format!("device={device}\n")));
        assert!(daemon.ask("request=dump").contains(&format!("    {device} = \"A\"\n")));
        assert_eq!(daemon.skip(&format!("pv_gone device={device}")), OK);
    }
}

#[test]
fn what_is_refused_stores_nothing() {
    let mut daemon = Bare::default();
    let empty = daemon.ask("request=dump");
    for request in [
        "pv_found",
        "pv_found pvmeta { id=A }",
        "pv_found pvmeta { id=A device=1 } metadata { id=G seqno=1 }",
        "pv_found pvmeta { id=A device=1 } vgname=v metadata { id=G seqno=-1 }",
        "vg_update metadata { id=G seqno=1 }",
        "vg_update vgname=v metadata { id=G seqno=0 }",
        "vg_update vgname=v",
        "vg_remove",
        "vg_clear_outdated_pvs",
        "set_vg_info name=v version=1",
    ] {
        daemon.skip(request);
        assert_eq!(daemon.ask("request=dump"), empty, "{request}");
    }
}

#[test]
fn a_vg_is_complete_when_its_last_pv_is_found() {
    let mut daemon = Bare::default();
    let two = vg("v", "G", 3, &["A", "B"], "");
    assert_eq!(daemon.found("A", 1, &two), found("partial", 1, "G", "v", 3, 3));
    let shown = daemon.skip("vg_lookup uuid=G name=v");
    assert!(shown.starts_with("response=\"OK\"\nname=\"v\"\nmetadata {\n\tid=\"G\"\n"), "{shown}");
    assert!(
        shown.contains("pv0 {\n\t\t\tdevice=1\n\t\t\tmda0 {\n\t\t\t\tignore=0\n\t\t\t}\n\t\t\tid=\"A\"\n"),
        "{shown}"
    );
    assert!(
        shown.contains("id=\"B\"\n\t\t\tstatus=[\"MISSING\",\"ALLOCATABLE\"]\n\t\t\tflags=[]\n"),
        "{shown}"
    );
    assert_eq!(daemon.found("B", 2, ""), found("complete", 1, "G", "v", -1, 3));
    assert!(!daemon.skip("vg_lookup name=v").contains("MISSING"));
    assert_eq!(daemon.found("A", 1, &two), found("complete", 0, "G", "v", 3, 3));
}

#[test]
fn a_pv_without_metadata_is_adopted_by_the_vg_that_lists_it() {
    let mut daemon = Bare::default();
    assert_eq!(daemon.found("B", 2, ""), found("orphan", 1, "#orphan", "#orphan", -1, -1));
    assert_eq!(daemon.found("A", 1, &vg("v", "G", 3, &["A", "B"], "")), found("complete", 1, "G", "v", 3, 3));
    assert_eq!(daemon.skip("pv_list").matches("vgid=\"G\"\n\t\tvgname=\"v\"\n").count(), 2);
}

#[test]
fn a_vg_is_there_as_long_as_one_of_its_pvs() {
    let mut daemon = Bare::default();
    daemon.found("A", 1, &vg("v", "G", 3, &["A", "B"], ""));
    daemon.found("B", 2, "");
    daemon.skip("pv_gone device=2");
    assert!(daemon.skip("vg_lookup name=v").contains("MISSING"));
    assert_eq!(daemon.found("B", 5, ""), found("complete", 1, "G", "v", -1, 3), "on another device");
    daemon.skip("pv_gone uuid=B");
    daemon.skip("pv_gone uuid=A");
    assert_eq!(daemon.skip("vg_list"), "response=\"OK\"\nvolume_groups {\n}\n\n\n");
    assert_eq!(daemon.skip("vg_lookup uuid=G"), refused("unknown", "VG not found"));
    assert_eq!(daemon.found("B", 2, ""), found("orphan", 1, "#orphan", "#orphan", -1, -1));
}

#[test]
fn a_vg_is_looked_up_by_uuid_by_name_or_by_both() {
    let mut daemon = Bare::default();
    daemon.found("A", 1, &vg("v", "G", 1, &["A"], ""));
    daemon.found("B", 2, &vg("v", "H", 1, &["B"], ""));
    daemon.found("C", 3, &vg("w", "I", 1, &["C"], ""));
    for (fields, reply) in [
        ("", refused("unknown", "VG not found")),
        ("name=x", refused("unknown", "VG not found")),
        ("uuid=X", refused("unknown", "VG not found")),
        ("name=v", refused("multiple", "Multiple VGs found with same name")),
        ("uuid=G name=w", refused("unknown", "VG mapping incomplete")),
        ("uuid=X name=w", refused("unknown", "VG mapping incomplete")),
        ("uuid=G name=x", refused("unknown", "VG mapping incomplete")),
    ] {
        assert_eq!(daemon.skip(&format!("vg_lookup {fields}")), reply, "{fields}");
    }
    for (fields, uuid) in [("uuid=G", "G"), ("uuid=H name=v", "H"), ("name=w", "I")] {
        assert!(
            daemon.skip(&format!("vg_lookup {fields}")).contains(&format!("metadata {{\n\tid=\"{uuid}\"\n"))
        );
    }
}

#[test]
fn a_pv_with_an_old_version_is_outdated_if_its_area_is_in_use() {
    for (meta, is_outdated) in [("mda0 { ignore=0 }", true), ("mda0 { ignore=1 }", false), ("", false)] {
        let mut daemon = Bare::default();
        daemon.found_with("A", 1, meta, &vg("v", "G", 5, &["A"], ""));
        let old = vg("v", "G", 4, &["A"], "");
        assert_eq!(daemon.found_with("A", 1, meta, &old), found("complete", 1, "G", "v", 5, 5));
        let shown = daemon.skip("vg_lookup name=v");
        assert_eq!(
            shown.contains("metadata {\n\toutdated_pvs {\n\t\tA {\n\t\t\tid=\"A\""),
            is_outdated,
            "{shown}"
        );
        assert!(shown.contains("\tseqno=5\n"));
        // It stays until a command has dealt with it.
        daemon.found_with("A", 1, meta, &vg("v", "G", 5, &["A"], ""));
        assert_eq!(daemon.skip("vg_lookup name=v"), shown);
        for (fields, reply) in [("vgid=G", OK), ("vgid=X", OK), ("", &refused("failed", "need VG UUID"))] {
            assert_eq!(daemon.skip(&format!("vg_clear_outdated_pvs {fields}")), reply);
        }
        assert!(!daemon.skip("vg_lookup name=v").contains("outdated"));
    }
}

#[test]
fn a_newer_version_makes_every_pv_of_the_old_one_outdated() {
    let mut daemon = Bare::default();
    daemon.found("A", 1, &vg("v", "G", 1, &["A", "B", "C", "D"], ""));
    daemon.found_with("C", 3, "mda0 { ignore=1 }", "");
    assert_eq!(daemon.found("B", 2, &vg("v", "G", 2, &["B"], "")), found("complete", 1, "G", "v", 1, 2));
    assert!(daemon.ask("request=dump").contains("G {\n\tpv_list=[\"B\",\"A\"]\n\tvgid=\"G\"\n}\n"));
    assert!(daemon.skip("pv_lookup uuid=A").find("vgid").is_none());
    // One that is gone is not shown.
    daemon.skip("pv_gone uuid=A");
    let shown = daemon.skip("vg_lookup name=v");
    assert!(shown.contains("\toutdated_pvs {\n\t\tB {") && !shown.contains("\t\tA {"), "{shown}");
}

#[test]
fn pvs_that_contradict_one_another_change_nothing_and_a_command_is_believed() {
    let mut daemon = Bare::default();
    daemon.found("A", 1, &vg("v", "G", 5, &["A"], "x=1"));
    let before = daemon.skip("vg_lookup name=v");
    for other in ["x=2", "y=1", "x=[]", ""] {
        assert_eq!(
            daemon.found("A", 1, &vg("v", "G", 5, &["A"], other)),
            found("complete", 0, "G", "v", 5, 5)
        );
        assert_eq!(daemon.skip("vg_lookup name=v"), before, "{other}");
    }
    assert_eq!(daemon.update(&vg("v", "G", 5, &["A"], "x=2")), OK);
    assert!(daemon.skip("vg_lookup name=v").contains("\tx=2\n"));
    assert_eq!(daemon.update(&vg("v", "G", 3, &["A"], "x=3")), OK);
    assert!(daemon.skip("vg_lookup name=v").contains("\tseqno=3\n"));
}

#[test]
fn a_vg_with_another_name_is_known_by_that_name_alone() {
    for same_seqno in [true, false] {
        let mut daemon = Bare::default();
        daemon.found("A", 1, &vg("v", "G", 5, &["A"], ""));
        daemon.found("A", 1, &vg("v", "G", 4, &["A"], ""));
        daemon.skip("set_vg_info uuid=G version=9");
        daemon.update(&vg("w", "G", if same_seqno { 5 } else { 6 }, &["A"], ""));
        assert_eq!(daemon.skip("vg_lookup name=v"), refused("unknown", "VG not found"));
        let shown = daemon.skip("vg_lookup name=w");
        assert!(!shown.contains("outdated") && !shown.contains("vg_invalid"), "{shown}");
        assert!(daemon.skip("pv_list").contains("vgname=\"w\""));
    }
}

#[test]
fn a_vg_with_another_uuid_takes_the_place_of_the_one_that_had_its_pvs() {
    let mut daemon = Bare::default();
    daemon.found("A", 1, &vg("v", "G", 5, &["A"], ""));
    daemon.update(&vg("v", "H", 6, &["A"], ""));
    assert_eq!(daemon.skip("vg_lookup uuid=G"), refused("unknown", "VG not found"));
    assert!(daemon.skip("vg_lookup name=v").contains("id=\"H\""));
}

#[test]
fn a_vg_that_lost_its_pvs_to_another_is_gone_with_the_last() {
    let mut daemon = Bare::default();
    daemon.found("A", 1, &vg("v", "G", 5, &["A", "B"], ""));
    daemon.found("B", 2, "");
    daemon.update(&vg("w", "H", 1, &["B"], ""));
    assert!(daemon.skip("vg_lookup name=v").starts_with("response=\"OK\""));
    daemon.update(&vg("w", "H", 2, &["A", "B"], ""));
    assert_eq!(daemon.skip("vg_lookup name=v"), refused("unknown", "VG not found"));
    assert_eq!(daemon.skip("pv_list").matches("vgid=\"H\"").count(), 2);
}

#[test]
fn the_pvs_of_a_vg_that_was_removed_stay() {
    let mut daemon = Bare::default();
    daemon.found("A", 1, &vg("v", "G", 5, &["A"], ""));
    for _ in 0..2 {
        assert_eq!(daemon.skip("vg_remove uuid=G"), OK);
        assert!(daemon.skip("pv_list").contains("\tA {\n") && !daemon.skip("pv_list").contains("vgid"));
        assert_eq!(daemon.skip("vg_lookup uuid=G"), refused("unknown", "VG not found"));
    }
    assert_eq!(daemon.skip("vg_remove"), refused("failed", "need VG UUID"));
}

#[test]
fn a_version_above_the_seqno_makes_a_vg_invalid() {
    let mut daemon = Bare::default();
    daemon.found("A", 1, &vg("v", "G", 5, &["A"], ""));
    let mut is_invalid = |fields: &str| {
        assert_eq!(daemon.skip(&format!("set_vg_info {fields}")), OK);
        let shown = daemon.skip("vg_lookup name=v");
        daemon.update(&vg("v", "G", 5, &["A"], "y=1"));
        daemon.update(&vg("v", "G", 5, &["A"], ""));
        shown.ends_with("}\nvg_invalid {\n}\n\n\n")
    };
    for (fields, expected) in [
        ("uuid=G version=6", true),
        ("uuid=G version=5", false),
        ("uuid=G version=0", true),
        ("uuid=G", false),
        ("uuid=G version=-1", false),
        ("name=v version=6", true),
        ("uuid=none name=v version=6", true),
        ("uuid=X name=x version=6", false),
    ] {
        assert_eq!(is_invalid(fields), expected, "{fields}");
    }
}

#[test]
fn a_vg_is_valid_again_when_a_command_has_brought_that_version() {
    let mut daemon = Bare::default();
    daemon.found("A", 1, &vg("v", "G", 5, &["A"], ""));
    daemon.skip("set_vg_info uuid=G version=8");
    for (seqno, by_command, is_invalid) in [(6, true, true), (8, false, true), (8, true, false)] {
        let metadata = vg("v", "G", seqno, &["A"], "");
        if by_command {
            daemon.update(&metadata)
        } else {
            daemon.found("A", 1, &metadata)
        };
        assert_eq!(daemon.skip("vg_lookup name=v").contains("vg_invalid"), is_invalid, "{seqno}");
    }
    assert!(
        daemon
            .ask("request=dump")
            .contains("    G = 8\n}\n\n# VGID to INFO flags mapping\n\nvgid_to_info {\n    G = 0\n")
    );
}

#[test]
fn metadata_without_a_version_are_refused_and_their_pv_is_stored() {
    let mut daemon = Bare::default();
    assert_eq!(daemon.found("A", 1, &vg("v", "G", 0, &["A"], "")), found("(null)", 1, "G", "v", 0, -1));
    assert_eq!(daemon.skip("vg_lookup uuid=G"), refused("unknown", "VG not found"));
    assert!(daemon.skip("pv_lookup device=1").contains("id=\"A\""));
}

#[test]
fn a_pv_that_its_own_metadata_do_not_list_is_in_no_vg() {
    let mut daemon = Bare::default();
    assert_eq!(daemon.found("A", 1, &vg("v", "G", 1, &[], "")), found("complete", 1, "G", "v", 1, 1));
    assert!(!daemon.skip("pv_list").contains("vgid"));
}

#[test]
fn a_flag_on_disk_survives_and_hints_do_not() {
    let mut daemon = Bare::default();
    daemon.found(
        "A",
        1,
        "vgname=v metadata { id=G seqno=1 physical_volumes { p { id=A device=\"/dev/x\" status=[\"MISSING\",\"X\"] \
         flags=[\"MISSING\"] odd=1 } } } trailing { }",
    );
    let shown = daemon.skip("vg_lookup name=v");
    assert!(
        shown.contains("id=\"A\"\n\t\t\tstatus=\"X\"\n\t\t\tflags=\"MISSING\"\n\t\t\todd=1\n\t\t}"),
        "{shown}"
    );
    assert!(!shown.contains("/dev/x") && !shown.contains("trailing"), "{shown}");
    assert!(daemon.ask("request=dump").contains("status=[\"MISSING\",\"X\"]"), "it is kept as it was sent");
}
