//! C-15, C-48, C-50, C-51: sanlock, as far as it goes without disks.

use lvmwarden_integration::daemon::{Daemon, Flavour};
use lvmwarden_integration::lock_client::{LockClient, ask};
use lvmwarden_integration::lock_daemon::LockSite;
use lvmwarden_integration::{lock_tests, wait};

lock_tests![
    c_15_a_vg_starts_with_a_device_a_host_id_and_arguments,
    c_15_the_host_id_may_be_the_daemons,
    c_48_a_global_lock_that_is_held_is_not_switched,
    c_50_a_new_vg_gets_the_name_of_its_leases,
    c_51_leases_are_counted_from_67_mib,
];

const ARGS: &str = "1.0.0:lvmlock";

fn daemon<const N: usize>(flavour: Flavour, site: &LockSite, options: [&str; N]) -> Daemon {
    site.daemon(flavour).options(["-g", "sanlock"]).options(options).seeing_devices().start()
}

fn start(vg: &str) -> String {
    ask::start_vg_of_type(vg, "sanlock", ARGS, 1, "wait")
}

/// Starts a VG that has a device, and waits until it can be locked.
#[track_caller]
fn started(client: &mut LockClient, site: &LockSite, vg: &str) {
    site.device(vg);
    assert_eq!(client.result(start(vg)), 0);
    client.await_started(vg);
}

fn c_15_a_vg_starts_with_a_device_a_host_id_and_arguments(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = daemon(flavour, &site, []);
    let mut client = site.client();
    for vg in ["no-host", "big-host", "good"] {
        site.device(&vg.replace('-', "--"));
    }
    for (vg, args, host_id, result) in [
        ("no-host", ARGS, 0, -213),
        ("big-host", ARGS, 2001, -213),
        ("no-device", ARGS, 1, -212),
        ("good", "3.0.0:lvmlock", 1, -212),
    ] {
        let request = ask::start_vg_of_type(vg, "sanlock", args, host_id, "none");
        assert_eq!(client.result(request), result, "{vg} {args}");
    }
    wait::until("a start that is right", wait::SOON, || (client.result(start("good")) == 0).then_some(()));
}

fn c_15_the_host_id_may_be_the_daemons(flavour: Flavour) {
    let site = LockSite::new();
    let file = site.path("lvmlocal.conf");
    std::fs::write(&file, "# ours\nhost_id = 7\n").unwrap();
    let _daemon = daemon(flavour, &site, ["--host-id-file", file.to_str().unwrap()]);
    let mut client = site.client();
    site.device("vg");
    assert_eq!(client.result(ask::start_vg_of_type("vg", "sanlock", ARGS, 0, "wait")), 0);
    assert_eq!(client.info_of("ls", "ls_name", "lvm_vg")[0].value("host_id"), "7");
}

fn c_48_a_global_lock_that_is_held_is_not_switched(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = daemon(flavour, &site, []);
    let (mut client, mut other) = (site.client(), site.client());
    started(&mut client, &site, "vg");
    assert_eq!(client.result(ask::lock_gl("sh")), 0);
    assert_eq!(other.result(ask::of_vg("disable_gl", "vg", "")), -22);
    assert_eq!(client.result(ask::lock_gl("un")), 0);
    assert_eq!(other.result(ask::of_vg("enable_gl", "vg", "")), -22, "one is known");
}

fn c_50_a_new_vg_gets_the_name_of_its_leases(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = daemon(flavour, &site, []);
    let mut client = site.client();
    let init = |args: &str| {
        ask::of_vg(
            "init_vg",
            "vg",
            &format!("vg_lock_type =\"sanlock\"\nvg_lock_args =\"{args}\"\nopts =\"none\"\n"),
        )
    };
    let answer = client.ask(init("lvmlock"));
    assert_eq!((answer.result(), answer.field("vg_lock_args")), (0, Some(ARGS)));
    assert_eq!(client.result(init("none")), -212);
}

fn c_51_leases_are_counted_from_67_mib(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = daemon(flavour, &site, []);
    let mut client = site.client();
    for (lv, args) in [("one", "1.0.0:70254592"), ("two", "1.0.0:71303168")] {
        let uuid = ask::uuid(lv);
        let fields = format!("lv_uuid =\"{uuid}\"\nvg_lock_type =\"sanlock\"\nvg_lock_args =\"{ARGS}\"\n");
        let answer = client.ask(ask::of_vg("init_lv", "vg", &fields));
        assert_eq!((answer.result(), answer.field("lv_lock_args")), (0, Some(args)));
    }
}
