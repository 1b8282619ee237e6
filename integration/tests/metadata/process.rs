//! The program: options, files, signals, the end. M-01 to M-08.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use lvmwarden_integration::metad::{MetadSite, OK};
use lvmwarden_integration::{binaries, wait};
use rustix::process::Signal;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn run(options: &[&str]) -> Output {
    MetadSite::new().daemon().options(options).bare_command().output().unwrap()
}

/// M-01.
#[test]
fn version_help_and_wrong_options_end_with_the_exit_codes_of_lvmetad() {
    let version = run(&["-V"]);
    assert_eq!(version.status.code(), Some(1));
    assert!(text(&version.stdout).starts_with("lvmetad version: "));
    let help = run(&["-h"]);
    assert_eq!((help.status.code(), text(&help.stderr)), (Some(0), String::new()));
    assert!(text(&help.stdout).contains("Usage:"));
    for unknown in ["-z", "-?"] {
        let refused = run(&[unknown]);
        assert_eq!((refused.status.code(), text(&refused.stdout)), (Some(0), String::new()), "{unknown}");
        assert!(text(&refused.stderr).contains("Usage:"), "{unknown}");
    }
    let timeout = run(&["-t", "x"]);
    assert_eq!(timeout.status.code(), Some(1));
    assert!(text(&timeout.stderr).contains("Invalid value of timeout parameter."));
}

/// M-02.
#[test]
fn a_second_daemon_is_refused_and_the_first_serves_on() {
    let site = MetadSite::new();
    let (_first, mut client) = site.start();
    let second = site.daemon().options(["-f"]).command().stderr(Stdio::null()).status().unwrap();
    assert_eq!(second.code(), Some(13), "the pid file is locked");
    for option in ["-f", "word"] {
        // In the background too whoever starts it learns that it does not serve, which the C daemon hides.
        let mut command = site.daemon().options([option]).bare_command();
        command.arg("-s").arg(site.socket()).arg("-p").arg(site.path("other.pid")).stderr(Stdio::null());
        assert_eq!(command.status().unwrap().code(), Some(1), "the socket is in use");
    }
    assert_eq!(client.ask("set_global_info"), OK);
}

/// M-03.
#[test]
fn options_beat_the_environment_and_the_pid_file_is_there_in_the_foreground() {
    let site = MetadSite::new();
    let launch = || {
        let launch = site.daemon().environment("LVM_LVMETAD_SOCKET", site.path("named.socket"));
        launch.environment("LVM_LVMETAD_PIDFILE", site.path("named.pid"))
    };
    let daemon = launch().start();
    assert_eq!(fs::read_to_string(site.pid_file()).unwrap(), format!("{}\n", daemon.pid()));
    assert!(!site.path("named.socket").exists() && !site.path("named.pid").exists());
    let mut by_environment = launch().bare_command().arg("-f").stderr(Stdio::null()).spawn().unwrap();
    wait::until("both files", wait::SOON, || {
        (site.path("named.socket").exists() && site.path("named.pid").exists()).then_some(())
    });
    by_environment.kill().unwrap();
    by_environment.wait().unwrap();
}

/// M-04.
#[test]
fn a_stale_socket_is_replaced_and_anything_else_is_left_alone() {
    let site = MetadSite::new();
    let stale = || drop(UnixListener::bind(site.socket()).unwrap());
    stale();
    fs::set_permissions(site.socket(), fs::Permissions::from_mode(0o700)).unwrap();
    let (daemon, _) = site.start();
    daemon.kill();
    fs::remove_file(site.socket()).unwrap();
    let refused = || {
        let status = site.daemon().options(["-f"]).command().stderr(Stdio::null()).status().unwrap();
        assert_eq!(status.code(), Some(1));
    };
    stale();
    fs::set_permissions(site.socket(), fs::Permissions::from_mode(0o770)).unwrap();
    refused();
    assert!(fs::metadata(site.socket()).unwrap().file_type().is_socket());
    fs::remove_file(site.socket()).unwrap();
    fs::write(site.socket(), "mine").unwrap();
    refused();
    assert_eq!(fs::read_to_string(site.socket()).unwrap(), "mine");
}

/// M-05: a client that is connected is served on, until it leaves or a grace has passed.
#[test]
fn an_asked_end_waits_for_clients_but_not_for_ever() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::ALARM] {
        let site = MetadSite::new();
        let mut daemon = site.daemon().start();
        daemon.signal(signal);
        assert_eq!(daemon.await_end(wait::SOON).code(), Some(0));
        assert!(!site.socket().exists() && !site.pid_file().exists());
    }
    let site = MetadSite::new();
    let (mut daemon, mut client) = site.start();
    daemon.signal(Signal::TERM);
    wait::until("the socket to be gone", wait::SOON, || (!site.socket().exists()).then_some(()));
    assert_eq!(client.ask("set_global_info"), OK, "it is served on");
    drop(client);
    let begin = Instant::now();
    assert_eq!(daemon.await_end(wait::SOON).code(), Some(0));
    assert!(begin.elapsed() < Duration::from_secs(3), "it left as soon as its client had");
    let (mut daemon, _silent) = site.start();
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.await_end(wait::SOON).code(), Some(0));
}

/// M-06.
#[test]
fn an_idle_daemon_leaves_after_its_timeout_and_a_silent_client_keeps_it() {
    let site = MetadSite::new();
    let begin = Instant::now();
    let mut daemon = site.daemon().options(["-t", "1"]).start();
    let client = site.client();
    std::thread::sleep(Duration::from_millis(1500));
    assert!(!daemon.has_ended());
    drop(client);
    assert_eq!(daemon.await_end(wait::SOON).code(), Some(0));
    assert!(begin.elapsed() >= Duration::from_millis(2500), "a second since the last client");
    let mut daemon = site.daemon().options(["-t", "0"]).start();
    std::thread::sleep(Duration::from_millis(1200));
    assert!(!daemon.has_ended());
}

/// M-07.
#[test]
fn a_socket_that_systemd_made_is_used_and_left_in_place() {
    let site = MetadSite::new();
    let listener = UnixListener::bind(site.socket()).unwrap();
    let mut command = Command::new("/bin/sh");
    command.args(["-c", r#"SD_ACTIVATION=1 LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@" 3<&0 </dev/null"#]);
    command.arg(binaries::lvmwardend()).args(["lvmetad", "-f", "-s"]).arg(site.socket());
    command.arg("-p").arg(site.pid_file()).stderr(Stdio::null()).stdin(std::os::fd::OwnedFd::from(listener));
    let mut process = command.spawn().unwrap();
    assert_eq!(site.client().ask("set_global_info"), OK);
    rustix::process::kill_process(rustix::process::Pid::from_child(&process), Signal::TERM).unwrap();
    assert!(process.wait().unwrap().success());
    assert!(site.socket().exists());
}

/// M-08.
#[test]
fn it_greets_as_lvmetad_without_a_token() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    assert_eq!(client.raw("request=hello"), "response = \"OK\"\nprotocol = \"lvmetad\"\nversion = 1\n");
}

#[test]
fn the_program_plays_lvmetad_by_that_name() {
    let site = MetadSite::new();
    let program = site.path("lvmetad");
    std::os::unix::fs::symlink(binaries::lvmwardend(), &program).unwrap();
    let version = Command::new(program).arg("-V").output().unwrap();
    assert!(text(&version.stdout).starts_with("lvmetad version: "));
    std::io::stderr().flush().unwrap();
}
