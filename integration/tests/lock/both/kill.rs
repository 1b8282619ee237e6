//! C-55, C-56: VGs whose leases are lost.

use lvmwarden_integration::daemon::Flavour;
use lvmwarden_integration::lock_client::{LockClient, ask};
use lvmwarden_integration::lock_daemon::LockSite;
use lvmwarden_integration::{lock_tests, wait};

lock_tests![
    c_55_a_killed_vg_grants_nothing_more,
    c_56_a_dropped_vg_loses_all_its_locks,
    c_56_a_vg_may_be_dropped_without_being_killed,
];

fn c_55_a_killed_vg_grants_nothing_more(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut client = site.client();
    assert_eq!(client.result(ask::lock_vg("vg", "ex")), 0);
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "ex", "persistent")), 0);
    assert_eq!(client.result(ask::of_vg("kill_vg", "vg", "cmd =\"lvmlockctl\"\n")), 0);
    assert_eq!(client.info_of("ls", "ls_name", "lvm_vg")[0].value("kill_vg"), "1");
    let uuid = ask::uuid("lv");
    for request in [
        ask::lock_vg("vg", "sh"),
        ask::lock_vg("vg", "ex"),
        ask::lock_lv("vg", "other", "ex", "persistent"),
        ask::of_vg("query_lock_lv", "vg", &format!("lv_uuid =\"{uuid}\"\n")),
        ask::of_vg("find_free_lock", "vg", ""),
        ask::of_vg("vg_update", "vg", "version =7\n"),
        ask::of_vg("rename_vg_before", "vg", ""),
    ] {
        assert_eq!(client.result(&request), -217, "{request}");
    }
    assert_eq!(client.result(ask::lock_vg("vg", "un")), 0);
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "un", "persistent")), 0);
    assert_eq!(client.result(ask::start_vg("vg", "wait")), -17);
    assert!(
        client
            .dump("dump")
            .lines()
            .any(|line| line.ends_with("S lvm_vg kill_vg") || line.contains("S lvm_vg kill_vg "))
    );
}

fn is_gone(client: &mut LockClient) {
    wait::until("the end of the lockspace", wait::SOON, || {
        (client.result(ask::lock_vg("vg", "un")) == -210).then_some(())
    });
}

fn c_56_a_dropped_vg_loses_all_its_locks(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut client = site.client();
    assert_eq!(client.result(ask::lock_vg("vg", "sh")), 0);
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "ex", "persistent")), 0);
    assert_eq!(client.result(ask::of_vg("kill_vg", "vg", "")), 0);
    assert_eq!(client.result(ask::of_vg("drop_vg", "vg", "")), 0);
    is_gone(&mut client);
    assert_eq!(client.result(ask::of_vg("drop_vg", "vg", "")), -210);
    site.start_vg("vg");
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "un", "persistent")), -2);
}

fn c_56_a_vg_may_be_dropped_without_being_killed(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut client = site.client();
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "sh", "persistent")), 0);
    assert_eq!(client.result(ask::of_vg("drop_vg", "vg", "")), 0);
    is_gone(&mut client);
}
