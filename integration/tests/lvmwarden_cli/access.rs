//! Who is let in: by the socket's mode, by the group, and by the service itself.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use lvmwarden_integration::site::Site;

use crate::program::{run_as_nobody, start};

const NO_GROUPS: &str = "--clear-groups";
/// The group that may read and watch.
const WATCHERS: &str = "--groups=4711";

/// A folder that everybody may enter.
fn open_site() -> Site {
    let site = Site::new();
    fs::set_permissions(site.path(""), Permissions::from_mode(0o755)).unwrap();
    site
}

#[test]
fn a_socket_that_one_may_not_open_is_named() {
    let site = open_site();
    let _service = site.service().set("api.mode", "\"0600\"").start();
    let run = run_as_nobody(&site, NO_GROUPS, &["poll", "list"]);
    run.assert_failed(4, "you may not open");
    assert!(
        run.stderr.contains(site.api_socket().to_str().unwrap()) && run.stderr.contains("sudo"),
        "{run:#?}"
    );
}

#[test]
fn a_stranger_is_refused_every_command() {
    let site = open_site();
    let _service = site.service().set("api.mode", "\"0666\"").start();
    for command in [
        &[][..],
        &["poll", "list"],
        &["poll", "history"],
        &["poll", "abort", "vg/lv"],
        &["tree"],
        &["archive", "status"],
        &["archive", "plan"],
        &["archive", "clean"],
        &["events"],
        &["events", "--follow"],
        &["metrics"],
        &["log-level", "info"],
        &["restart", "root/poll"],
        &["stop"],
        &["info"],
    ] {
        run_as_nobody(&site, NO_GROUPS, command).assert_failed(4, "you may not do that");
    }
}

#[test]
fn a_member_of_the_group_reads_and_watches_and_changes_nothing() {
    let site = open_site();
    let _service = site.service().set("api.group", "\"4711\"").start();
    let operation = site.pvmove("pvmove0");
    let id = start(&site, &operation);
    let stub = site.lvm.await_start();
    for command in [
        &[][..],
        &["poll", "list"],
        &["poll", "show", &id],
        &["poll", "history"],
        &["tree"],
        &["archive", "status"],
        &["events"],
        &["metrics"],
        &["info"],
    ] {
        run_as_nobody(&site, WATCHERS, command).done();
    }
    for command in [
        &["archive", "clean"][..],
        &["poll", "abort", &id],
        &["log-level", "info"],
        &["restart", "root/poll"],
        &["stop"],
    ] {
        run_as_nobody(&site, WATCHERS, command).assert_failed(4, "only root may change something");
    }
    site.lvm.tell_exit(&stub, 0);
    run_as_nobody(&site, WATCHERS, &["poll", "wait", &id]).done();
    run_as_nobody(&site, WATCHERS, &["poll", "watch", &id]).done();
}
