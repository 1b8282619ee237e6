//! C-24 to C-31, C-36, C-37, C-39: locks that belong to a connection.

use std::time::Duration;

use lvmwarden_integration::daemon::{Daemon, Flavour};
use lvmwarden_integration::lock_client::{LockClient, ask};
use lvmwarden_integration::lock_daemon::LockSite;
use lvmwarden_integration::{lock_tests, wait};

lock_tests![
    c_24_a_vg_that_is_locked_is_waited_for,
    c_25_who_waits_is_served_in_turn,
    c_26_a_shared_lock_is_counted,
    c_27_the_same_lock_again_is_told_of,
    c_30_what_is_not_locked_is_not_unlocked,
    c_30_other_modes_are_refused,
    c_31_the_version_of_a_vg_is_kept,
    c_36_a_client_that_leaves_gives_its_locks_back,
    c_37_a_client_that_dies_waiting_holds_nobody_up,
    c_39_the_mode_of_an_lv_is_told,
];

/// Long enough for a reply that should not come.
const A_WHILE: Duration = Duration::from_millis(500);

fn started(flavour: Flavour) -> (LockSite, Daemon) {
    let site = LockSite::new();
    let daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    (site, daemon)
}

fn c_24_a_vg_that_is_locked_is_waited_for(flavour: Flavour) {
    let (site, _daemon) = started(flavour);
    let (mut a, mut b) = (site.client(), site.client());
    assert_eq!(a.result(ask::lock_vg("vg", "ex")), 0);
    b.send(ask::lock_vg("vg", "ex"));
    b.hears_nothing_for(Duration::from_secs(9));
    assert_eq!(a.result(ask::lock_vg("vg", "un")), 0);
    assert_eq!(b.receive().result(), 0);
}

fn c_25_who_waits_is_served_in_turn(flavour: Flavour) {
    let (site, _daemon) = started(flavour);
    let (mut a, mut b, mut c, mut d) = (site.client(), site.client(), site.client(), site.client());
    assert_eq!(a.result(ask::lock_vg("vg", "ex")), 0);
    b.send(ask::lock_vg("vg", "sh"));
    await_waiting(&mut d, 1);
    c.send(ask::lock_vg("vg", "ex"));
    await_waiting(&mut d, 2);
    drop(a);
    assert_eq!(b.receive().result(), 0);
    d.send(ask::lock_vg("vg", "sh"));
    c.hears_nothing_for(A_WHILE);
    d.hears_nothing_for(A_WHILE);
    drop(b);
    assert_eq!(c.receive().result(), 0);
    d.hears_nothing_for(A_WHILE);
    drop(c);
    assert_eq!(d.receive().result(), 0);
}

#[track_caller]
fn await_waiting(client: &mut LockClient, count: usize) {
    wait::until("requests that wait", wait::SOON, || {
        (client.info_of("r_action", "op", "lock").len() == count).then_some(())
    });
}

fn c_26_a_shared_lock_is_counted(flavour: Flavour) {
    let (site, _daemon) = started(flavour);
    let (mut a, mut b) = (site.client(), site.client());
    assert_eq!(a.result(ask::lock_vg("vg", "sh")), 0);
    assert_eq!(b.result(ask::lock_vg("vg", "sh")), 0);
    let resources = a.info_of("r", "mode", "sh");
    assert_eq!(resources.len(), 1);
    assert_eq!((resources[0].value("name"), resources[0].value("type")), ("VGLK", "vg"));
    assert_eq!(resources[0].value("sh_count"), "2");
    let mut holders: Vec<_> =
        a.info_of("lk", "mode", "sh").iter().map(|line| line.value("client_id").to_owned()).collect();
    holders.dedup();
    assert_eq!(holders.len(), 2);
    let clients = a.info_of("client", "name", "vgs");
    assert!(holders.iter().all(|id| clients.iter().any(|client| client.value("id") == id)), "{holders:?}");
}

fn c_27_the_same_lock_again_is_told_of(flavour: Flavour) {
    let (site, _daemon) = started(flavour);
    let mut a = site.client();
    for mode in ["sh", "ex"] {
        assert_eq!(a.result(ask::lock_vg("vg", mode)), 0);
        assert_eq!(a.result(ask::lock_vg("vg", mode)), -114, "{mode}");
        assert_eq!(a.result(ask::lock_vg("vg", "un")), 0);
    }
}

fn c_30_what_is_not_locked_is_not_unlocked(flavour: Flavour) {
    let (site, _daemon) = started(flavour);
    let (mut a, mut b) = (site.client(), site.client());
    assert_eq!(a.result(ask::lock_vg("vg", "un")), -2);
    assert_eq!(a.result(ask::lock_gl("un")), -2);
    assert_eq!(a.result(ask::lock_lv("vg", "lv", "un", "none")), -2);
    assert_eq!(a.result(ask::lock_lv("vg", "lv", "un", "persistent")), -2);
    assert_eq!(a.result(ask::lock_vg("vg", "ex")), 0);
    assert_eq!(b.result(ask::lock_vg("vg", "un")), -2, "it is another's");
}

fn c_30_other_modes_are_refused(flavour: Flavour) {
    let (site, _daemon) = started(flavour);
    let mut a = site.client();
    for mode in ["nl", "na", "iv", "cr", "EX", "xyz", ""] {
        assert_eq!(a.result(ask::lock_vg("vg", mode)), -22, "{mode}");
        assert_eq!(a.result(ask::lock_gl(mode)), -22, "{mode}");
        assert_eq!(a.result(ask::lock_lv("vg", "lv", mode, "persistent")), -22, "{mode}");
    }
}

fn c_31_the_version_of_a_vg_is_kept(flavour: Flavour) {
    let (site, _daemon) = started(flavour);
    let mut a = site.client();
    let update = |version: u32| ask::of_vg("vg_update", "vg", &format!("version ={version}\n"));
    assert_eq!(a.result(update(5)), -2);
    assert_eq!(a.result(ask::lock_vg("vg", "sh")), 0);
    assert_eq!(a.result(update(5)), -22);
    assert_eq!(a.result(ask::lock_vg("vg", "un")), 0);
    assert_eq!(a.result(ask::lock_vg("vg", "ex")), 0);
    assert_eq!(a.result(update(5)), 0);
    assert_eq!(a.result(ask::lock_vg("vg", "un")), 0);
    assert_eq!(version_of_vg(&mut a), "5");
    assert_eq!(a.result(ask::lock_vg("vg", "ex")), 0);
    assert_eq!(a.result(update(3)), 0, "an older one is taken, and means nothing");
    assert_eq!(a.result(ask::lock_vg("vg", "un")), 0);
    assert_eq!(version_of_vg(&mut a), "5");
    assert_eq!(a.result(ask::of_vg("vg_update", "other", "version =5\n")), -210);
}

fn version_of_vg(client: &mut LockClient) -> String {
    let mut in_vg = false;
    let mut lines = client.info();
    lines.retain(|line| {
        if line.kind == "ls" {
            in_vg = line.value("ls_name") == "lvm_vg";
        }
        in_vg && line.value("name") == "VGLK"
    });
    lines[0].value("version").to_owned()
}

fn c_36_a_client_that_leaves_gives_its_locks_back(flavour: Flavour) {
    let (site, _daemon) = started(flavour);
    let (mut a, mut b) = (site.client(), site.client());
    for request in [ask::lock_lv("vg", "lv", "ex", "none"), ask::lock_gl("ex"), ask::lock_vg("vg", "ex")] {
        assert_eq!(a.result(&request), 0, "{request}");
    }
    b.send(ask::lock_lv("vg", "lv", "ex", "none"));
    b.hears_nothing_for(A_WHILE);
    drop(a);
    assert_eq!(b.raw().receive_within(Duration::from_secs(1)).map(|_| ()), Some(()));
    assert_eq!(b.result(ask::lock_gl("ex")), 0);
    assert_eq!(b.result(ask::lock_vg("vg", "ex")), 0);
}

fn c_37_a_client_that_dies_waiting_holds_nobody_up(flavour: Flavour) {
    let (site, _daemon) = started(flavour);
    let (mut a, mut b, mut c) = (site.client(), site.client(), site.client());
    assert_eq!(a.result(ask::lock_vg("vg", "ex")), 0);
    b.send(ask::lock_vg("vg", "ex"));
    await_waiting(&mut a, 1);
    drop(b);
    c.send(ask::lock_vg("vg", "ex"));
    c.hears_nothing_for(A_WHILE);
    assert_eq!(a.result(ask::lock_vg("vg", "un")), 0);
    assert_eq!(c.receive().result(), 0);
}

fn c_39_the_mode_of_an_lv_is_told(flavour: Flavour) {
    let (site, _daemon) = started(flavour);
    let (mut a, mut b) = (site.client(), site.client());
    let uuid = ask::uuid("lv");
    let query = ask::of_vg("query_lock_lv", "vg", &format!("lv_uuid =\"{uuid}\"\n"));
    let told = |client: &mut LockClient| {
        let answer = client.ask(&query);
        assert_eq!(
            (answer.result(), answer.field("op"), answer.field("lock_type")),
            (0, Some("23"), Some("dlm"))
        );
        answer.field("mode").map(str::to_owned)
    };
    assert_eq!(told(&mut b).as_deref(), Some("un"));
    for mode in ["sh", "ex"] {
        assert_eq!(a.result(ask::lock_lv("vg", "lv", mode, "persistent")), 0);
        assert_eq!(told(&mut b).as_deref(), Some(mode));
    }
    assert_eq!(a.result(ask::lock_lv("vg", "lv", "un", "persistent")), 0);
    assert_eq!(told(&mut b).as_deref(), Some("un"));
}
