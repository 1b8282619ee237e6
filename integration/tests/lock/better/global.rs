//! C-45, C-47 to C-49: the global lock of sanlock. In test mode the C daemon takes every VG's for enabled, whatever was asked.

use lvmwarden_integration::daemon::Daemon;
use lvmwarden_integration::daemon::Flavour::Ours;
use lvmwarden_integration::lock_client::{LockClient, ask};
use lvmwarden_integration::lock_daemon::LockSite;

const ARGS: &str = "1.0.0:lvmlock";

fn daemon(site: &LockSite) -> Daemon {
    site.daemon(Ours).options(["-g", "sanlock"]).seeing_devices().start()
}

/// Starts a VG that has a device.
#[track_caller]
fn started(client: &mut LockClient, site: &LockSite, vg: &str) {
    site.device(vg);
    assert_eq!(client.result(ask::start_vg_of_type(vg, "sanlock", ARGS, 1, "wait")), 0);
}

#[test]
fn c_45_what_is_missing_is_told_in_words() {
    let site = LockSite::new();
    for (options, flags) in
        [(["-g", "sanlock"], "NO_LOCKSPACES,NO_GL_LS,"), (["-g", "dlm"], "NO_LOCKSPACES,")]
    {
        let _daemon = site.daemon(Ours).options(options).start();
        for _ in 0..2 {
            let answer = site.client().ask(ask::lock_vg("vg", "sh"));
            assert_eq!((answer.result(), answer.flags()), (-210, flags));
        }
    }
}

#[test]
fn c_47_two_vgs_with_the_global_lock_are_told_of() {
    let site = LockSite::new();
    let _daemon = daemon(&site);
    let mut client = site.client();
    started(&mut client, &site, "one");
    let answer = client.ask(ask::lock_vg("one", "sh"));
    assert_eq!((answer.result(), answer.flags()), (0, "none"));
    assert_eq!(client.result(ask::lock_vg("one", "un")), 0);
    started(&mut client, &site, "two");
    for vg in ["one", "two"] {
        let answer = client.ask(ask::lock_vg(vg, "sh"));
        assert_eq!((answer.result(), answer.flags()), (0, "DUP_GL_LS,"), "{vg}");
        assert_eq!(client.result(ask::lock_vg(vg, "un")), 0);
    }
    assert_eq!(client.result(ask::of_vg("disable_gl", "two", "")), 0);
    let answer = client.ask(ask::lock_vg("one", "sh"));
    assert_eq!((answer.result(), answer.flags()), (0, "none"));
}

#[test]
fn c_48_a_global_lock_is_switched_off_and_on() {
    let site = LockSite::new();
    let _daemon = daemon(&site);
    let (mut client, mut other) = (site.client(), site.client());
    started(&mut client, &site, "vg");
    assert_eq!(other.result(ask::of_vg("disable_gl", "vg", "")), 0);
    let answer = client.ask(ask::lock_gl("ex"));
    assert_eq!((answer.result(), answer.flags()), (-210, "NO_GL_LS,"));
    assert_eq!(other.result(ask::of_vg("enable_gl", "vg", "")), 0);
    assert_eq!(client.result(ask::lock_gl("ex")), 0);
    assert_eq!(other.result(ask::of_vg("enable_gl", "other", "")), -210);
}

#[test]
fn c_49_the_vg_with_the_global_lock_is_removed() {
    let site = LockSite::new();
    let _daemon = daemon(&site);
    let mut client = site.client();
    started(&mut client, &site, "one");
    started(&mut client, &site, "two");
    assert_eq!(client.result(ask::of_vg("disable_gl", "two", "")), 0);
    let of_type = format!("vg_lock_type =\"sanlock\"\nvg_lock_args =\"{ARGS}\"\n");
    let answer = client.ask(ask::of_vg("free_vg", "one", &of_type));
    assert_eq!((answer.result(), answer.flags()), (0, "WARN_GL_REMOVED,"));
    let answer = client.ask(ask::lock_gl("sh"));
    assert_eq!((answer.result(), answer.flags()), (-210, "NO_GL_LS,WARN_GL_REMOVED,"));
    assert_eq!(client.result(ask::of_vg("enable_gl", "two", "")), 0);
    let answer = client.ask(ask::lock_gl("sh"));
    assert_eq!((answer.result(), answer.flags()), (0, "none"));
}
