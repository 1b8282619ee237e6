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

#[test]
fn c_55_the_global_lock_of_a_killed_vg_is_not_switched_and_that_is_the_reason() {
    let site = LockSite::new();
    let _daemon = daemon(&site);
    let mut client = site.client();
    started(&mut client, &site, "vg");
    assert_eq!(client.result(ask::of_vg("enable_gl", "vg", "")), -22, "one is known");
    assert_eq!(client.result(ask::of_vg("kill_vg", "vg", "")), 0);
    for keyword in ["enable_gl", "disable_gl"] {
        assert_eq!(client.result(ask::of_vg(keyword, "vg", "")), -217, "{keyword}");
    }
}

#[test]
fn c_63_a_vg_without_the_global_lock_shows_no_line_for_it() {
    let site = LockSite::new();
    let _daemon = daemon(&site);
    let mut client = site.client();
    started(&mut client, &site, "vg");
    let global =
        |client: &mut LockClient| client.info().iter().filter(|line| line.value("name") == "GLLK").count();
    assert_eq!(global(&mut client), 1);
    assert_eq!(client.result(ask::of_vg("disable_gl", "vg", "")), 0);
    assert_eq!(global(&mut client), 0);
}

#[test]
fn c_63_a_vg_of_dlm_shows_no_line_for_the_global_lock() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let info = site.client().dump("info");
    let (global, vg) = info.split_once("ls_name=lvm_vg ").unwrap();
    assert!(global.contains("name=GLLK") && !vg.contains("name=GLLK"), "{info}");
}

#[test]
fn the_host_id_is_read_when_a_vg_is_started() {
    let site = LockSite::new();
    let file = site.path("lvmlocal.conf");
    let options = ["-g", "sanlock", "--host-id-file", file.to_str().unwrap()];
    let _daemon = site.daemon(Ours).options(options).seeing_devices().start();
    let mut client = site.client();
    site.device("vg");
    let start = ask::start_vg_of_type("vg", "sanlock", ARGS, 0, "wait");
    assert_eq!(client.result(&start), -213, "there is no file yet");
    std::fs::write(&file, "host_id = 7\n").unwrap();
    assert_eq!(client.result(&start), 0);
    assert_eq!(client.info_of("ls", "ls_name", "lvm_vg")[0].value("host_id"), "7");
}

#[test]
fn words_of_lock_arguments_are_known_or_refused() {
    let site = LockSite::new();
    let _daemon = daemon(&site);
    let mut client = site.client();
    site.device("vg");
    for (words, result) in [
        ("timeout,nopersist,nocaw", 0),
        ("", 0),
        ("notimeout", -93),
        ("bogus", -212),
        ("timeout,bogus", -212),
    ] {
        let fields =
            format!("vg_lock_type =\"sanlock\"\nvg_lock_args =\"lvmlock\"\nset_lock_args =\"{words}\"\n");
        let answer = client.ask(ask::of_vg("init_vg", "vg", &fields));
        let args = if result == 0 { ARGS } else { "lvmlock" };
        assert_eq!((answer.result(), answer.field("vg_lock_args")), (result, Some(args)), "{words}");
    }
    let start = |args| ask::start_vg_of_type("vg", "sanlock", args, 1, "wait");
    assert_eq!(client.result(start("2.0.0:lvmlock:bogus")), -212);
    assert_eq!(client.result(start(ARGS)), 0);
    let set = "vg_lock_type =\"sanlock\"\nset_lock_args =\"timeout\"\n";
    assert_eq!(client.result(ask::of_vg("setlockargs_vg_before", "vg", set)), -93);
    assert_eq!(client.result(ask::lock_vg("vg", "sh")), 0, "it runs");
}

#[test]
fn words_of_lock_arguments_are_known_or_refused_with_dlm_as_well() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
    let mut client = site.client();
    for (words, result) in
        [("timeout,nopersist,nocaw", 0), ("", 0), ("persist", -93), ("bogus", -212), ("timeout,bogus", -212)]
    {
        let fields = format!("vg_lock_type =\"dlm\"\nset_lock_args =\"{words}\"\n");
        assert_eq!(client.result(ask::of_vg("init_vg", "vg", &fields)), result, "{words}");
    }
    let start = |args| ask::start_vg_of_type("vg", "dlm", args, 0, "wait");
    for (args, result) in [("1.0.0:bogus:test", -212), ("2.0.0:test", -212), ("1.0.0:test", 0)] {
        assert_eq!(client.result(start(args)), result, "{args}");
    }
}

#[test]
fn an_lv_has_no_lock_at_the_place_of_another_lease() {
    let site = LockSite::new();
    let _daemon = daemon(&site);
    let mut client = site.client();
    started(&mut client, &site, "vg");
    let lock = |offset: u64| {
        let lock = ask::lock_lv("vg", "lv", "ex", "persistent").replace("\"dlm\"", "\"sanlock\"");
        lock.replace("lv_lock_args =\"sanlock\"", &format!("lv_lock_args =\"1.0.0:{offset}\""))
    };
    for mib in [0, 65, 66] {
        assert_eq!(client.result(lock(mib << 20)), -1, "{mib} MiB");
    }
    assert_eq!(client.result(lock((67 << 20) + 512)), -1);
    assert_eq!(client.result(lock(67 << 20)), 0);
}
