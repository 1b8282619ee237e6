//! C-32 to C-35, C-38: locks of LVs that belong to nobody.

use std::time::Duration;

use lvmwarden_integration::daemon::{Daemon, Flavour};
use lvmwarden_integration::lock_client::{LockClient, ask};
use lvmwarden_integration::lock_daemon::LockSite;
use lvmwarden_integration::{lock_tests, wait};

lock_tests![
    c_32_a_persistent_lock_stays_when_its_client_leaves,
    c_33_anybody_releases_a_persistent_lock,
    c_34_a_persistent_shared_lock_and_others,
    c_35_a_clients_own_lock_becomes_persistent,
    c_35_a_clients_own_shared_lock_does_not_become_a_persistent_exclusive_one,
    c_38_a_lock_whose_reply_cannot_be_delivered_is_not_left_behind,
];

fn started(flavour: Flavour) -> (LockSite, Daemon) {
    let site = LockSite::new();
    let daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    (site, daemon)
}

fn persistent(client: &mut LockClient, mode: &str) -> i32 {
    client.result(ask::lock_lv("vg", "lv", mode, "persistent"))
}

fn transient(client: &mut LockClient, mode: &str) -> i32 {
    client.result(ask::lock_lv("vg", "lv", mode, "none"))
}

fn locks(client: &mut LockClient) -> Vec<(String, String)> {
    let mut lines = client.info();
    lines.retain(|line| line.kind == "lk");
    lines.iter().map(|line| (line.value("mode").to_owned(), line.value("flags").to_owned())).collect()
}

fn c_32_a_persistent_lock_stays_when_its_client_leaves(flavour: Flavour) {
    let (site, _daemon) = started(flavour);
    let (mut a, mut b) = (site.client(), site.client());
    assert_eq!(persistent(&mut a, "ex"), 0);
    assert_eq!(persistent(&mut a, "ex"), -114);
    drop(a);
    assert_eq!(persistent(&mut b, "ex"), -114);
    assert_eq!(transient(&mut b, "ex"), 0);
    assert_eq!(transient(&mut b, "sh"), 0);
    assert_eq!(transient(&mut b, "un"), -2);
    let lines = b.info_of("lk", "mode", "ex");
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].value("flags"), lines[0].value("client_id")), ("0x1", "0"));
}

fn c_33_anybody_releases_a_persistent_lock(flavour: Flavour) {
    let (site, _daemon) = started(flavour);
    let (mut a, mut b) = (site.client(), site.client());
    for mode in ["ex", "sh"] {
        assert_eq!(persistent(&mut a, mode), 0);
        assert_eq!(persistent(&mut b, "un"), 0);
        assert_eq!(persistent(&mut b, "un"), -2);
        assert_eq!(persistent(&mut a, "un"), -2);
    }
}

fn c_34_a_persistent_shared_lock_and_others(flavour: Flavour) {
    let (site, _daemon) = started(flavour);
    let (mut a, mut b) = (site.client(), site.client());
    assert_eq!(persistent(&mut a, "sh"), 0);
    let answer = b.ask(ask::lock_lv("vg", "lv", "ex", "none"));
    assert_eq!((answer.result(), answer.flags()), (-17, "SH_EXISTS,"));
    assert_eq!(transient(&mut b, "sh"), 0);
    assert_eq!(transient(&mut b, "un"), -2, "nothing was recorded");
    assert_eq!(persistent(&mut b, "ex"), 0);
    assert_eq!(locks(&mut b), [("ex".to_owned(), "0x1".to_owned())]);
}

fn c_35_a_clients_own_lock_becomes_persistent(flavour: Flavour) {
    let (site, _daemon) = started(flavour);
    let mut a = site.client();
    for mode in ["ex", "sh"] {
        assert_eq!(transient(&mut a, mode), 0);
        assert_eq!(persistent(&mut a, mode), 0);
        assert_eq!(a.info_of("lk", "mode", mode)[0].value("client_id"), "0");
        assert_eq!(transient(&mut a, "un"), -2);
        assert_eq!(persistent(&mut a, "un"), 0);
    }
}

fn c_35_a_clients_own_shared_lock_does_not_become_a_persistent_exclusive_one(flavour: Flavour) {
    let (site, _daemon) = started(flavour);
    let mut a = site.client();
    assert_eq!(transient(&mut a, "sh"), 0);
    let answer = a.ask(ask::lock_lv("vg", "lv", "ex", "persistent"));
    assert_eq!((answer.result(), answer.flags()), (-17, "none"));
    assert_eq!(transient(&mut a, "un"), 0);
}

fn c_38_a_lock_whose_reply_cannot_be_delivered_is_not_left_behind(flavour: Flavour) {
    let (site, _daemon) = started(flavour);
    let (mut a, mut b) = (site.client(), site.client());
    assert_eq!(transient(&mut a, "ex"), 0);
    b.send(ask::lock_lv("vg", "lv", "ex", "persistent"));
    b.hears_nothing_for(Duration::from_millis(300));
    drop(b);
    assert_eq!(transient(&mut a, "un"), 0);
    wait::until("no lock", wait::SOON, || locks(&mut a).is_empty().then_some(()));
    assert_eq!(persistent(&mut a, "ex"), 0);
}
