//! Who may ask, and who fills the cache. M-16 to M-27.

use std::time::Duration;

use lvmwarden_integration::metad::{MetadClient, MetadSite, OK, UPDATING, vg};

fn mismatch(expected: &str, received: &str, pid: i64) -> String {
    format!(
        "response = \"token_mismatch\"\nexpected = \"{expected}\"\nreceived = \"{received}\"\nupdate_pid = {pid}\n\
         reason = \"another command has populated the cache\"\n"
    )
}

fn begun(prev_token: &str, pid: i64) -> String {
    format!("response = \"OK\"\nprev_token = \"{prev_token}\"\nupdate_pid = {pid}\n")
}

fn updating(pid: i64) -> String {
    format!(
        "response = \"token_updating\"\nexpected = \"{UPDATING}\"\nupdate_pid = {pid}\n\
         reason = \"another command has populated the cache\"\n"
    )
}

/// Returns a line of `get_global_info`.
fn shown(client: &mut MetadClient, field: &str) -> String {
    let info = client.ask("get_global_info");
    let line = info.lines().find_map(|line| line.strip_prefix(&format!("{field} = ")));
    line.unwrap_or_else(|| panic!("no {field} in {info}")).to_owned()
}

/// M-16.
#[test]
fn a_fresh_daemon_has_no_token() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    for request in ["get_global_info", "pv_list", "vg_update", "pv_clear_all", "set_global_info", "bogus"] {
        assert_eq!(client.raw(&format!("request={request} token=t")), mismatch("", "t", 0), "{request}");
    }
    assert!(client.raw("request=dump token=t").starts_with("# VG METADATA\n\n"));
    assert_eq!(shown(&mut client, "token"), "\"none\"");
}

/// M-17.
#[test]
fn a_token_that_nobody_began_is_not_set() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    assert_eq!(client.end(1, "t"), begun("", 0));
    assert_eq!(client.raw("request=pv_list token=t"), mismatch("", "t", 0));
}

/// M-18.
#[test]
fn two_clients_do_not_fill_the_cache_at_once() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    assert_eq!(client.begin(1, 10), begun("", 1));
    assert_eq!(site.client().begin(2, 10), updating(1));
    assert_eq!(client.begin(1, 10), updating(1));
}

/// M-19.
#[test]
fn an_update_without_timeout_may_be_taken_over() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.begin(1, 0);
    assert_eq!(site.client().begin(2, 0), begun(UPDATING, 2));
    let late = client.raw(&format!("request=pv_clear_all token=\"{UPDATING}\" pid=1"));
    assert_eq!(late, mismatch(UPDATING, UPDATING, 2).replace("the cache", "the lvmetad cache"));
    assert_eq!(client.end(1, "t"), mismatch(UPDATING, "t", 2));
}

/// M-20.
#[test]
fn whoever_began_ends_and_the_token_is_shown() {
    let site = MetadSite::new();
    let (daemon, mut client) = site.start();
    client.begin(7, 10);
    assert_eq!(client.end(7, "filter:1"), begun(UPDATING, 0));
    for (field, value) in [
        ("token", "\"filter:1\""),
        ("update_cmd", "\"\""),
        ("update_pid", "0"),
        ("update_begin", "0"),
        ("update_timeout", "0"),
        ("daemon_pid", &daemon.pid().to_string()),
    ] {
        assert_eq!(shown(&mut client, field), value, "{field}");
    }
    assert!(client.raw("request=pv_list token=\"filter:1\"").starts_with("response=\"OK\""));
}

/// M-21.
#[test]
fn an_update_that_is_overdue_is_given_up_when_somebody_asks() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.begin(1, 1);
    assert_eq!(shown(&mut client, "update_pid"), "1");
    std::thread::sleep(Duration::from_millis(2100));
    assert_eq!(shown(&mut client, "token"), "\"none\"");
    assert_eq!(shown(&mut client, "update_pid"), "0");
    let late = client.raw(&format!("request=pv_clear_all token=\"{UPDATING}\" pid=1"));
    assert_eq!(late, mismatch("", UPDATING, 0));
}

/// M-22.
#[test]
fn nobody_sees_the_cache_half_filled_but_who_asks_for_that() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.begin(1, 10);
    assert_eq!(client.raw("request=pv_list token=\"filter:9\""), mismatch(UPDATING, "filter:9", 1));
    assert!(client.ask("pv_list").starts_with("response=\"OK\""));
    assert!(client.raw("request=dump").starts_with("# VG"));
}

/// M-23.
#[test]
fn a_client_without_pid_helps_to_fill_the_cache() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.begin(1, 10);
    assert_eq!(client.raw(&format!("request=pv_clear_all token=\"{UPDATING}\"")), OK);
}

/// M-24.
#[test]
fn long_tokens_and_commands_are_cut_off() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    let cmd = "c".repeat(40);
    client.raw(&format!("request=token_update token=\"{UPDATING}\" pid=1 update_timeout=9 cmd={cmd}"));
    assert_eq!(shown(&mut client, "update_cmd"), format!("\"{}\"", "c".repeat(31)));
    client.end(1, &"t".repeat(200));
    assert_eq!(shown(&mut client, "token"), format!("\"{}\"", "t".repeat(127)));
}

/// M-25.
#[test]
fn reasons_to_disable_add_up() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    for (fields, disable, reason) in [
        ("global_disable=1 disable_reason=DIRECT", "1", "\"DIRECT,\""),
        ("global_disable=1 disable_reason=REPAIR", "1", "\"DIRECT,REPAIR,\""),
        ("global_disable=2", "1", "\"DIRECT,REPAIR,\""),
        ("global_disable=0", "0", "\"none\""),
    ] {
        assert_eq!(client.ask(&format!("set_global_info {fields}")), OK);
        assert_eq!(
            (&*shown(&mut client, "global_disable"), &*shown(&mut client, "disable_reason")),
            (disable, reason)
        );
    }
}

/// M-26.
#[test]
fn an_invalid_cache_says_so_in_all_that_it_shows() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    client.found("A", 1, &vg("v", "G", 1, &["A"]));
    client.ask("set_global_info global_invalid=1");
    for request in ["pv_list", "pv_lookup uuid=A", "vg_list", "vg_lookup name=v"] {
        let reply = client.ask(request);
        assert!(reply.ends_with("}\nglobal_invalid {\n}\n\n\n"), "{reply}");
    }
}

/// M-27.
#[test]
fn clearing_forgets_all_but_token_and_marks() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    let empty = client.raw("request=dump");
    client.begin(1, 0);
    client.end(1, "t");
    client.found("A", 1, &vg("v", "G", 2, &["A"]));
    client.found("A", 1, &vg("v", "G", 1, &["A"]));
    client.ask("set_vg_info name=v version=5");
    client.ask("set_global_info global_invalid=1 global_disable=1");
    assert_eq!(client.ask("pv_clear_all"), OK);
    assert_eq!(client.raw("request=dump"), empty);
    for (field, value) in [("token", "\"t\""), ("global_invalid", "1"), ("global_disable", "1")] {
        assert_eq!(shown(&mut client, field), value);
    }
}
