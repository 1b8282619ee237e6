//! C-61, C-62, C-64, C-65: what came later than 2.03.16, and limits.

use std::fs;

use lvmwarden_integration::daemon::Flavour::Ours;
use lvmwarden_integration::lock_client::{LockClient, ask};
use lvmwarden_integration::lock_daemon::LockSite;
use lvmwarden_integration::wait;

/// The names of a VG's own leases, and what else is not the UUID of an LV.
const NO_UUIDS: [&str; 6] = ["VGLK", "GLLK", "_GLLK_disabled", "#unused", "", "x"];

#[test]
fn c_61_later_requests_are_answered() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
    let mut client = site.client();
    let answer = client.ask(ask::of_vg("vg_status", "vg", ""));
    assert_eq!((answer.result(), answer.field("op")), (-2, Some("25")));
    assert_eq!((answer.field("owner_host_id"), answer.field("owner_state")), (Some("0"), Some("none")));
    site.start_vg("vg");
    let set = |words: &str| {
        ask::of_vg(
            "setlockargs_vg_before",
            "vg",
            &format!("vg_lock_type =\"dlm\"\nset_lock_args =\"{words}\"\n"),
        )
    };
    assert_eq!(client.result(set("bogus")), -93);
    assert_eq!(client.result(set("persist")), -93, "it is for sanlock");
    let answer = client.ask(ask::of_vg("setlockargs_vg_final", "vg", "vg_lock_type =\"dlm\"\n"));
    assert!(answer.result() < 0, "{answer:?}");
}

#[test]
fn c_61_locked_lvs_keep_the_arguments_of_a_vg() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "sanlock"]).seeing_devices().start();
    let mut client = site.client();
    site.device("vg");
    assert_eq!(client.result(ask::start_vg_of_type("vg", "sanlock", "1.0.0:lvmlock", 1, "wait")), 0);
    let lock = ask::lock_lv("vg", "lv", "ex", "persistent").replace("\"dlm\"", "\"sanlock\"");
    let lock = lock.replace("lv_lock_args =\"sanlock\"", "lv_lock_args =\"1.0.0:70254592\"");
    assert_eq!(client.result(lock), 0);
    let set = "vg_lock_type =\"sanlock\"\nset_lock_args =\"persist\"\n";
    assert!([-39, -93].contains(&client.result(ask::of_vg("setlockargs_vg_before", "vg", set))));
}

#[test]
fn c_42_in_test_mode_another_host_can_be_made_believe() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut client = site.client();
    let uuid = ask::uuid("lv");
    let remote = |mode: &str, client: &mut LockClient| {
        let fields = format!("lv_uuid =\"{uuid}\"\nmode =\"{mode}\"\n");
        let answer = client.ask(ask::of_vg("set_remote_lv_lock", "vg", &fields));
        assert_eq!((answer.result(), answer.field("op")), (0, Some("30")));
    };
    remote("sh", &mut client);
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "ex", "persistent")), -11);
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "sh", "persistent")), 0);
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "un", "persistent")), 0);
    remote("ex", &mut client);
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "ex", "persistent")), -11);
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "sh", "persistent")), -11);
    remote("un", &mut client);
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "ex", "persistent")), 0);
}

#[test]
fn c_62_replies_tell_the_generation() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut client = site.client();
    for request in [ask::lock_vg("vg", "sh"), ask::lock_vg("other", "sh"), ask::of_vg("stop_vg", "vg", "")] {
        assert_eq!(client.ask(&request).field("ls_generation"), Some("0"), "{request}");
    }
}

#[test]
fn c_64_a_hundred_clients_are_listed_those_with_locks_among_them() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut idle: Vec<LockClient> = (0..200).map(|_| site.client()).collect();
    for client in &mut idle {
        assert_eq!(client.result(ask::lock_vg("vg", "un").replace("vgs", "idle")), -2);
    }
    let mut holder = site.client();
    assert_eq!(holder.result(ask::lock_vg("vg", "ex").replace("vgs", "holder")), 0);
    let lines = holder.info();
    assert_eq!(lines.iter().filter(|line| line.kind == "client").count(), 100);
    assert!(lines.iter().any(|line| line.value("name") == "holder"));
}

#[test]
fn c_63_the_lines_of_a_later_lvmlockctl_have_no_system_id() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm", "--info-format", "2.03.28"]).start();
    site.start_vg("vg0");
    let text = site.client().dump("info");
    let vg = ask::uuid("vg0");
    let line = format!("vg_name=vg0 vg_uuid={vg} vg_args=1.0.0:test lm_type=dlm host_id=0 generation=0 ");
    assert!(text.contains(&line) && !text.contains("vg_sysid"), "{text}");
    assert!(text.contains("ls_name=lvm_global vg_name=. vg_uuid=. vg_args=. "), "{text}");
}

#[test]
fn c_65_the_adopt_file_is_that_of_the_c_daemon_and_never_late() {
    let site = LockSite::new();
    let mut daemon = site.daemon(Ours).options(["-g", "dlm", "-A", "1"]).start();
    site.start_vg("vg");
    let mut client = site.client();
    let (vg, lv) = (ask::uuid("vg"), ask::uuid("lv"));
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "ex", "persistent")), 0);
    let text = fs::read_to_string(site.adopt_file()).unwrap();
    let head = format!("lvmlockd adopt_version 1.0 pid {} updates ", daemon.pid());
    assert!(text.starts_with(&head), "{text}");
    let lines: Vec<&str> = text.lines().skip(1).collect();
    assert_eq!(lines, [format!("VG: {vg} vg dlm 1.0.0:test"), format!("LV: {vg} {lv} dlm ex 0")]);
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "un", "persistent")), 0);
    wait::until("a file without the lock", wait::SOON, || {
        (!fs::read_to_string(site.adopt_file()).unwrap_or_default().contains("LV:")).then_some(())
    });
    assert_eq!(client.result(ask::of_vg("stop_vg", "vg", "")), 0);
    daemon.signal(rustix::process::Signal::TERM);
    assert_eq!(daemon.await_end(wait::SOON).code(), Some(0));
    assert!(!site.adopt_file().exists());
}

#[test]
fn a_request_about_an_lv_never_reaches_the_lock_of_its_vg() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut holder = site.client();
    assert_eq!(holder.result(ask::lock_vg("vg", "ex")), 0);
    let mut client = site.client();
    let uuid = ask::uuid("lv");
    for odd in NO_UUIDS {
        for mode in ["ex", "sh", "un"] {
            let lock = ask::lock_lv("vg", "lv", mode, "persistent").replace(&uuid, odd);
            assert_eq!(client.result(lock), -22, "{odd} {mode}");
        }
        for keyword in ["free_lv", "init_lv", "query_lock_lv"] {
            let fields = format!("lv_uuid =\"{odd}\"\nvg_lock_type =\"dlm\"\nlv_lock_args =\"dlm\"\n");
            assert_eq!(client.result(ask::of_vg(keyword, "vg", &fields)), -22, "{keyword} {odd}");
        }
    }
    let plain = ask::lock_lv("vg", "lv", "ex", "persistent").replace(&uuid, &uuid.replace('-', ""));
    assert_eq!(client.result(plain), 0, "a UUID may come without dashes");
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "ex", "persistent")), -114, "it is the same lock");
    assert_eq!(holder.result(ask::lock_vg("vg", "un")), 0, "it was held all the time");
}

#[test]
fn a_vg_that_nothing_can_be_called_is_no_vg() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
    let mut client = site.client();
    let long = "v".repeat(128);
    for name in ["-x", ".", "..", "a/b", "../x", "vg --force", "v\u{fc}", &long] {
        assert_eq!(client.result(ask::lock_vg(name, "ex")), -210, "{name}");
        assert_eq!(client.result(ask::start_vg(name, "wait")), -212, "{name}");
        for keyword in ["init_vg", "rename_vg_final"] {
            assert_eq!(client.result(ask::of_vg(keyword, name, "vg_lock_type =\"dlm\"\n")), -212, "{name}");
        }
        assert_eq!(client.result(ask::of_vg("kill_vg", name, "")), -210, "{name}");
    }
    assert!(client.info().iter().all(|line| line.kind != "ls"), "nothing was started");
}

#[test]
fn lock_arguments_are_one_word() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm", "-A", "1"]).start();
    let mut client = site.client();
    let odd = "1.0.0:test LV: x";
    assert_eq!(client.result(ask::start_vg_of_type("vg", "dlm", odd, 0, "wait")), -212);
    site.start_vg("vg");
    let lock = ask::lock_lv("vg", "lv", "ex", "persistent");
    assert_eq!(client.result(lock.replace("=\"dlm\"\n", "=\"dlm ex 0\"\n")), -1);
    assert_eq!(client.result(lock), 0);
}

#[test]
fn only_an_lv_of_a_vg_is_refreshed_on_other_hosts() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
    let mut client = site.client();
    let refresh = |path: &str| format!("request=\"refresh_lv\"\npid =1\nopts =\"none\"\npath =\"{path}\"\n");
    for path in
        ["/dev/vg/lv --config x", "/dev/vg", "vg/lv", "/dev/vg/../lv", "/dev/-x/lv", "/dev/mapper/vg/lv"]
    {
        assert_eq!(client.result(refresh(path)), -22, "{path}");
    }
    assert_eq!(client.result(refresh("/dev/vg/lv")), 0);
    assert_eq!(client.result(refresh("")), 0, "as the C daemon answers");
}
