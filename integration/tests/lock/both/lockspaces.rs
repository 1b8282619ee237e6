//! C-10 to C-20, C-58 to C-60: lockspaces begin and end.

use lvmwarden_integration::daemon::Flavour;
use lvmwarden_integration::lock_client::{LockClient, ask};
use lvmwarden_integration::lock_daemon::LockSite;
use lvmwarden_integration::{lock_tests, wait};

lock_tests![
    c_10_a_vg_that_is_not_started_is_told_of,
    c_12_a_start_that_waits_is_answered_when_it_is_over,
    c_13_what_runs_is_not_started_again,
    c_14_start_wait_is_answered_when_nothing_starts,
    c_16_a_vg_with_a_locked_lv_is_not_stopped,
    c_17_locks_of_the_vg_and_the_global_lock_do_not_keep_a_vg,
    c_18_a_forced_stop_asks_nobody,
    c_19_the_global_lockspace_of_dlm_comes_and_goes,
    c_19_the_global_lock_alone_brings_its_lockspace,
    c_20_stop_all_tells_how_many_are_left,
    c_58_a_new_dlm_vg_gets_the_name_of_the_cluster,
    c_59_a_vg_is_renamed,
    c_60_the_running_lock_manager_is_told,
];

fn lockspaces(client: &mut LockClient) -> Vec<String> {
    let mut lines = client.info();
    lines.retain(|line| line.kind == "ls" && line.value("ls_name").starts_with("lvm_"));
    let mut names: Vec<String> = lines.iter().map(|line| line.value("ls_name").to_owned()).collect();
    names.sort();
    names
}

/// The C daemon cleans up a moment after it has answered.
#[track_caller]
fn await_lockspaces(client: &mut LockClient, names: &[&str]) {
    wait::until(&format!("{names:?}"), wait::SOON, || (lockspaces(client) == names).then_some(()));
}

#[track_caller]
fn await_end_of(client: &mut LockClient, name: &str) {
    wait::until(&format!("the end of {name}"), wait::SOON, || {
        (!lockspaces(client).iter().any(|found| found == name)).then_some(())
    });
}

fn c_10_a_vg_that_is_not_started_is_told_of(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    let mut client = site.client();
    let answer = client.ask(ask::lock_vg("vg", "sh"));
    assert_eq!(answer.result(), -210);
    assert!(answer.flags().contains("NO_LOCKSPACES"), "{answer:?}");
    site.start_vg("other");
    for request in [
        ask::lock_vg("vg", "ex"),
        ask::lock_vg("vg", "un"),
        ask::lock_lv("vg", "lv", "ex", "none"),
        ask::of_vg("stop_vg", "vg", ""),
        ask::of_vg("kill_vg", "vg", ""),
        ask::of_vg("vg_update", "vg", "version =3\n"),
    ] {
        let answer = client.ask(&request);
        assert_eq!(answer.result(), -210, "{request}");
        assert_eq!(answer.flags(), "none", "{request}");
    }
}

fn c_12_a_start_that_waits_is_answered_when_it_is_over(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    let mut client = site.client();
    let answer = client.ask(ask::start_vg("vg", "wait"));
    assert_eq!((answer.result(), answer.field("lock_type"), answer.field("op")), (0, Some("dlm"), Some("5")));
    assert!(lockspaces(&mut client).contains(&"lvm_vg".to_owned()));
}

fn c_13_what_runs_is_not_started_again(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut client = site.client();
    assert_eq!(client.result(ask::start_vg("vg", "none")), -17);
    assert_eq!(client.result(ask::start_vg("vg", "wait")), -17);
}

fn c_14_start_wait_is_answered_when_nothing_starts(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    let mut client = site.client();
    assert_eq!(client.result(ask::of_daemon("start_wait")), 0);
    for vg in ["one", "two", "three"] {
        assert_eq!(client.result(ask::start_vg(vg, "none")), 0);
    }
    assert_eq!(client.result(ask::of_daemon("start_wait")), 0);
    for vg in ["one", "two", "three"] {
        assert_eq!(client.result(ask::lock_vg(vg, "ex")), 0, "{vg}");
    }
}

fn c_16_a_vg_with_a_locked_lv_is_not_stopped(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut client = site.client();
    for opts in ["persistent", "none"] {
        site_again(&mut client);
        assert_eq!(client.result(ask::lock_lv("vg", "lv", "sh", opts)), 0);
        assert_eq!(client.result(ask::of_vg("stop_vg", "vg", "")), -16, "{opts}");
        assert_eq!(client.result(ask::lock_lv("vg", "lv", "sh", opts)), -114, "nothing is lost");
        assert_eq!(client.result(ask::lock_lv("vg", "lv", "un", opts)), 0);
        assert_eq!(client.result(ask::of_vg("stop_vg", "vg", "")), 0);
        await_lockspaces(&mut client, &[]);
        assert_eq!(client.result(ask::of_vg("stop_vg", "vg", "")), -210);
    }
}

/// Starts the VG unless it runs.
fn site_again(client: &mut LockClient) {
    let started = client.result(ask::start_vg("vg", "wait"));
    assert!([0, -17].contains(&started), "{started}");
    wait::until("the lockspace", wait::SOON, || {
        (client.result(ask::lock_vg("vg", "un")) == -2).then_some(())
    });
}

fn c_17_locks_of_the_vg_and_the_global_lock_do_not_keep_a_vg(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let (mut holder, mut other) = (site.client(), site.client());
    assert_eq!(holder.result(ask::lock_gl("ex")), 0);
    assert_eq!(holder.result(ask::lock_vg("vg", "ex")), 0);
    assert_eq!(other.result(ask::of_vg("stop_vg", "vg", "")), 0);
    await_lockspaces(&mut other, &[]);
    assert_eq!(holder.result(ask::lock_vg("vg", "un")), -210);
}

fn c_18_a_forced_stop_asks_nobody(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut client = site.client();
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "ex", "persistent")), 0);
    assert_eq!(client.result(ask::of_vg("stop_vg", "vg", "opts =\"force\"\n")), 0);
    wait::until("the next start", wait::SOON, || match client.result(ask::start_vg("vg", "wait")) {
        0 => Some(()),
        again => {
            assert!([-11, -211].contains(&again), "{again}");
            None
        }
    });
    site_again(&mut client);
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "un", "persistent")), -2, "the lock is gone");
}

fn c_19_the_global_lockspace_of_dlm_comes_and_goes(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    let mut client = site.client();
    site.start_vg("one");
    site.start_vg("two");
    await_lockspaces(&mut client, &["lvm_global", "lvm_one", "lvm_two"]);
    assert_eq!(client.result(ask::of_vg("stop_vg", "one", "")), 0);
    await_lockspaces(&mut client, &["lvm_global", "lvm_two"]);
    assert_eq!(client.result(ask::of_vg("stop_vg", "two", "")), 0);
    await_lockspaces(&mut client, &[]);
}

fn c_19_the_global_lock_alone_brings_its_lockspace(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).start();
    let mut client = site.client();
    let request = ask::lock_gl("ex").replace("vg_lock_type =\"none\"", "vg_lock_type =\"dlm\"");
    assert_eq!(client.result(request), 0);
    assert_eq!(lockspaces(&mut client), ["lvm_global"]);
    assert_eq!(client.result(ask::lock_gl("un")), 0);
}

fn c_20_stop_all_tells_how_many_are_left(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    let stop_all =
        |opts: &str| format!("request=\"stop_all\"\ncmd =\"lvmlockctl\"\npid =1\nopts =\"{opts}\"\n");
    site.start_vg("one");
    site.start_vg("two");
    let mut client = site.client();
    assert_eq!(client.result(ask::lock_lv("one", "lv", "ex", "persistent")), 0);
    assert!(client.result(stop_all("none")) > 0);
    await_end_of(&mut client, "lvm_two");
    assert_eq!(client.result(ask::lock_lv("one", "lv", "ex", "persistent")), -114);
    assert_eq!(client.result(ask::lock_lv("one", "lv", "un", "persistent")), 0);
    assert_eq!(client.result(stop_all("wait ")), 0);
    await_lockspaces(&mut client, &[]);
    site.start_vg("one");
    assert_eq!(client.result(ask::lock_lv("one", "lv", "ex", "persistent")), 0);
    assert_eq!(client.result(stop_all("wait force ")), 0);
    await_lockspaces(&mut client, &[]);
}

fn c_58_a_new_dlm_vg_gets_the_name_of_the_cluster(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    let mut client = site.client();
    let answer = client.ask(ask::of_vg("init_vg", "vg", "vg_lock_type =\"dlm\"\n"));
    assert_eq!((answer.result(), answer.field("op")), (0, Some("3")));
    assert_eq!(
        (answer.field("vg_lock_args"), answer.field("lv_lock_args")),
        (Some("1.0.0:test"), Some("none"))
    );
    site.start_vg("vg");
    assert_eq!(client.result(ask::of_vg("init_vg", "vg", "vg_lock_type =\"dlm\"\n")), -17);
    let answer = client.ask(ask::of_vg(
        "init_lv",
        "vg",
        &format!("lv_uuid =\"{}\"\nvg_lock_type =\"dlm\"\n", ask::uuid("lv")),
    ));
    assert_eq!((answer.result(), answer.field("lv_lock_args")), (0, Some("none")));
}

fn c_59_a_vg_is_renamed(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut client = site.client();
    let of_type = "vg_lock_type =\"dlm\"\nvg_lock_args =\"1.0.0:test\"\n";
    assert_eq!(client.result(ask::lock_vg("vg", "ex")), 0);
    assert_eq!(client.result(ask::of_vg("rename_vg_before", "vg", of_type)), 0);
    await_end_of(&mut client, "lvm_vg");
    assert_eq!(client.result(ask::lock_vg("vg", "un")), -210);
    assert_eq!(client.result(ask::of_vg("rename_vg_final", "new", of_type)), 0);
    assert_eq!(client.result(ask::of_vg("rename_vg_final", "new", "")), -22);
    site.start_vg("new");
}

fn c_60_the_running_lock_manager_is_told(flavour: Flavour) {
    for (options, result) in [(["-g", "dlm"], 2), (["-g", "sanlock"], 3)] {
        let site = LockSite::new();
        let _daemon = site.daemon(flavour).options(options).start();
        let answer = site.client().ask(ask::of_daemon("running_lm"));
        assert_eq!((answer.result(), answer.field("op")), (result, Some("18")), "{options:?}");
    }
}
