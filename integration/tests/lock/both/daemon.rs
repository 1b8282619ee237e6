//! C-21 to C-23: how the daemon begins and ends.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use lvmwarden_integration::daemon::Flavour;
use lvmwarden_integration::lock_client::ask;
use lvmwarden_integration::lock_daemon::LockSite;
use lvmwarden_integration::{lock_tests, wait};
use rustix::process::Signal;

lock_tests![
    c_21_quit_is_refused_while_there_is_a_lockspace,
    c_22_sigterm_leaves_a_lock_alone,
    c_22_other_signals_mean_nothing,
    c_23_a_second_daemon_on_one_pid_file_exits_13,
    a_daemon_in_the_background_serves_when_its_starter_returns,
    the_socket_is_roots_alone,
    a_stale_socket_is_replaced,
    the_environment_names_the_files,
    what_makes_no_sense_is_refused_with_1,
    version_and_help_are_shown,
];

const QUIT: &str = "request = \"quit\"\n";

fn c_21_quit_is_refused_while_there_is_a_lockspace(flavour: Flavour) {
    let site = LockSite::new();
    let mut daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut client = site.client();
    assert_eq!(client.ask(QUIT).field("result"), Some("-16"));
    assert_eq!(client.result(ask::lock_vg("vg", "ex")), 0);
    assert_eq!(client.result(ask::of_vg("stop_vg", "vg", "")), 0);
    wait::until("a quit that is accepted", wait::SOON, || {
        let answer = client.ask(QUIT);
        assert_eq!((answer.field("protocol"), answer.field("version")), (Some("lvmlockd"), Some("1")));
        (answer.field("result") == Some("0")).then_some(())
    });
    assert_eq!(daemon.await_end(wait::SOON).code(), Some(0));
    assert!(!site.socket().exists() && !site.pid_file().exists());
}

fn c_22_sigterm_leaves_a_lock_alone(flavour: Flavour) {
    let site = LockSite::new();
    let mut daemon = site.daemon(flavour).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut client = site.client();
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "ex", "persistent")), 0);
    daemon.signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(500));
    assert!(!daemon.has_ended());
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "ex", "persistent")), -114);
    assert_eq!(client.result(ask::lock_lv("vg", "lv", "un", "persistent")), 0);
    assert_eq!(client.result(ask::of_vg("stop_vg", "vg", "")), 0);
    let end = wait::until("the end", wait::SOON, || {
        // The C daemon needs a second signal where a lockspace was idle.
        daemon.signal(Signal::TERM);
        std::thread::sleep(Duration::from_millis(200));
        daemon.has_ended().then(|| daemon.await_end(wait::SOON))
    });
    assert_eq!(end.code(), Some(0));
    assert!(!site.socket().exists() && !site.pid_file().exists());
}

fn c_22_other_signals_mean_nothing(flavour: Flavour) {
    let site = LockSite::new();
    let mut daemon = site.daemon(flavour).start();
    for signal in [Signal::INT, Signal::HUP, Signal::QUIT, Signal::ALARM, Signal::PIPE] {
        daemon.signal(signal);
    }
    std::thread::sleep(Duration::from_millis(300));
    assert!(!daemon.has_ended());
    assert_eq!(site.client().result(ask::lock_vg("vg", "sh")), -210);
}

fn c_23_a_second_daemon_on_one_pid_file_exits_13(flavour: Flavour) {
    let site = LockSite::new();
    let _first = site.daemon(flavour).start();
    let mut second = site.daemon(flavour).start_unready();
    assert_eq!(second.await_end(wait::SOON).code(), Some(13));
    let nowhere = site.path("nowhere").join("lvmlockd.pid");
    let mut third = site.daemon(flavour).pid_file(nowhere).start_unready();
    assert_eq!(third.await_end(wait::SOON).code(), Some(13));
}

fn a_daemon_in_the_background_serves_when_its_starter_returns(flavour: Flavour) {
    let site = LockSite::new();
    let status = site.daemon(flavour).command().status().unwrap();
    assert_eq!(status.code(), Some(0));
    let pid: u32 = fs::read_to_string(site.pid_file()).unwrap().trim().parse().unwrap();
    assert!(fs::exists(format!("/proc/{pid}")).unwrap());
    let mut client = site.client();
    assert_eq!(client.ask(QUIT).field("result"), Some("0"));
    wait::until("the end", wait::SOON, || (!site.pid_file().exists()).then_some(()));
}

fn the_socket_is_roots_alone(flavour: Flavour) {
    let site = LockSite::new();
    let _daemon = site.daemon(flavour).start();
    assert_eq!(fs::metadata(site.socket()).unwrap().permissions().mode() & 0o777, 0o600 | mode_bits(flavour));
}

/// The C daemon leaves the owner's execute bit, which means nothing.
fn mode_bits(flavour: Flavour) -> u32 {
    if flavour == Flavour::Stock { 0o100 } else { 0 }
}

fn a_stale_socket_is_replaced(flavour: Flavour) {
    let site = LockSite::new();
    site.daemon(flavour).start().kill();
    assert!(site.socket().exists() && site.pid_file().exists(), "a killed daemon leaves them");
    let _daemon = site.daemon(flavour).start();
    assert_eq!(site.client().result(ask::lock_vg("vg", "sh")), -210);
}

fn the_environment_names_the_files(flavour: Flavour) {
    let site = LockSite::new();
    let launch = site
        .daemon(flavour)
        .environment("LVM_LVMLOCKD_SOCKET", site.socket())
        .environment("LVM_LVMLOCKD_PIDFILE", site.pid_file());
    let status = launch.bare_command().status().unwrap();
    assert_eq!(status.code(), Some(0));
    let mut client = site.client();
    assert!(site.pid_file().exists());
    assert_eq!(client.ask(QUIT).field("result"), Some("0"));
    wait::until("the end", wait::SOON, || (!site.pid_file().exists()).then_some(()));
}

fn what_makes_no_sense_is_refused_with_1(flavour: Flavour) {
    let site = LockSite::new();
    for options in [["-g", "idm"], ["-g", "clvm"], ["-l", "X"], ["-I", "X"], ["--bogus", "1"]] {
        let output = site.daemon(flavour).options(["-f"]).options(options).bare_command().output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{options:?}: {output:?}");
    }
}

fn version_and_help_are_shown(flavour: Flavour) {
    let site = LockSite::new();
    for (option, word) in [
        ("-V", "lvmlockd version: "),
        ("--version", "lvmlockd version: "),
        ("-h", "--gl-type"),
        ("--help", "--gl-type"),
    ] {
        let output = site.daemon(flavour).options([option]).bare_command().output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{option}");
        assert!(String::from_utf8_lossy(&output.stdout).contains(word), "{option}: {output:?}");
    }
}
