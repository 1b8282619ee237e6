//! The command line, environment, signals and exit codes of `lvmpolld`, asked of both daemons.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use lvmwarden_integration::client::{Client, HELLO_REPLY, IN_PROGRESS};
use lvmwarden_integration::daemon::Flavour;
use lvmwarden_integration::fake_lvm::Step;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::{both_daemons, wait};
use rustix::process::{Pid, Signal};

both_daemons![
    version_is_one_line,
    help_names_every_option,
    an_unknown_option_is_refused,
    dump_prints_the_state_indented,
    dump_goes_with_no_server_option,
    dump_without_a_daemon_fails,
    a_binary_that_is_not_executable_is_refused,
    a_timeout_that_is_no_number_is_refused,
    socket_and_pid_file_may_come_from_the_environment,
    without_foreground_the_parent_ends_when_clients_are_served,
    every_ending_signal_ends_children_and_removes_the_files,
    a_child_that_ignores_sigterm_does_not_keep_the_daemon_for_ever,
    a_client_that_waits_does_not_keep_the_daemon_for_ever,
    a_listening_socket_is_taken_over_from_systemd,
];

const HELLO: &str = "request=\"hello\"\n";

fn run(site: &Site, flavour: Flavour, options: &[&str]) -> Output {
    let mut command = site.daemon(flavour).bare_command();
    command.args(options).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.output().unwrap()
}

fn version_is_one_line(flavour: Flavour) {
    let site = Site::new();
    for option in ["-V", "--version"] {
        let output = run(&site, flavour, &[option]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success());
        assert!(text.starts_with("lvmpolld version: ") && text.lines().count() == 1, "{text}");
    }
}

fn help_names_every_option(flavour: Flavour) {
    let site = Site::new();
    let output = run(&site, flavour, &["-h"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for option in [
        "--version",
        "--help",
        "--foreground",
        "--dump",
        "--log",
        "--pidfile",
        "--socket",
        "--binary",
        "--timeout",
    ] {
        assert!(text.contains(option), "{option} is missing:\n{text}");
    }
}

fn an_unknown_option_is_refused(flavour: Flavour) {
    let site = Site::new();
    for options in [&["--nonsense"][..], &["-x"], &["-s"]] {
        let output = run(&site, flavour, options);
        assert_eq!(output.status.code(), Some(1), "{options:?}");
        assert!(!output.stderr.is_empty(), "{options:?}");
    }
}

fn dump_prints_the_state_indented(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    client.ask(site.pvmove("pvmove0").start());
    let start = site.lvm.await_start();
    daemon.await_pids(&[start.pid]);
    let socket = site.socket();
    let output = run(&site, flavour, &["--dump", "-s", socket.to_str().unwrap()]);
    assert!(output.status.success());
    let state = client.ask("request=\"dump\"\n");
    let lines = state.strip_suffix("\n##\n").unwrap().replace('\n', "\n  ");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("  {lines}\n"));
}

fn dump_goes_with_no_server_option(flavour: Flavour) {
    let site = Site::new();
    let _daemon = site.daemon(flavour).start();
    let socket = site.socket();
    let socket = socket.to_str().unwrap();
    for option in [&["-f"][..], &["-l", "all"], &["-p", "/nonexistent"], &["-B", "/bin/true"], &["-t", "1"]] {
        let output = run(&site, flavour, &[&["--dump", "-s", socket], option].concat());
        assert_eq!(output.status.code(), Some(1), "{option:?}");
    }
}

/// The C daemon only says so; its exit code is 0.
fn dump_without_a_daemon_fails(flavour: Flavour) {
    let site = Site::new();
    let socket = site.socket();
    let output = run(&site, flavour, &["--dump", "-s", socket.to_str().unwrap()]);
    assert_eq!(output.status.success(), flavour == Flavour::Stock);
    assert!(!output.stderr.is_empty());
}

fn a_binary_that_is_not_executable_is_refused(flavour: Flavour) {
    let site = Site::new();
    let text = site.path("text");
    fs::write(&text, "no program").unwrap();
    for binary in [text, site.path("nonexistent")] {
        let mut daemon = site.daemon(flavour).binary(binary).start_unready();
        assert!(!daemon.await_end(wait::SOON).success());
        assert!(!site.socket().exists());
    }
}

fn a_timeout_that_is_no_number_is_refused(flavour: Flavour) {
    let site = Site::new();
    for timeout in ["x", "-1", "1s"] {
        let output = run(&site, flavour, &["-t", timeout]);
        assert_eq!(output.status.code(), Some(1), "{timeout}");
    }
}

fn socket_and_pid_file_may_come_from_the_environment(flavour: Flavour) {
    let site = Site::new();
    let mut command = site
        .daemon(flavour)
        .environment("LVM_LVMPOLLD_SOCKET", site.socket())
        .environment("LVM_LVMPOLLD_PIDFILE", site.pid_file())
        .bare_command();
    let mut daemon = command.arg("-f").arg("-B").arg("/bin/true").spawn().unwrap();
    assert_eq!(Client::connect(&site.socket()).ask(HELLO), HELLO_REPLY);
    assert_eq!(fs::read_to_string(site.pid_file()).unwrap().trim(), daemon.id().to_string());
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}

fn without_foreground_the_parent_ends_when_clients_are_served(flavour: Flavour) {
    let site = Site::new();
    let mut command = site.daemon(flavour).command();
    let started = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let pid: i32 = fs::read_to_string(site.pid_file()).unwrap().trim().parse().unwrap();
    let daemon = BackgroundDaemon(Pid::from_raw(pid).unwrap());
    assert!(started.success());
    assert!(site.socket().exists(), "ready when the parent ends");
    assert_eq!(site.client().ask(HELLO), HELLO_REPLY);
    assert_eq!(rustix::process::getsid(Some(daemon.0)).unwrap(), daemon.0, "it leads a session of its own");
    rustix::process::kill_process(daemon.0, Signal::TERM).unwrap();
    wait::until("its socket to go", wait::SOON, || (!site.socket().exists()).then_some(()));
}

/// Kills a daemon that is not our child.
struct BackgroundDaemon(Pid);

impl Drop for BackgroundDaemon {
    fn drop(&mut self) {
        // It ends by itself when the test passes.
        rustix::process::kill_process(self.0, Signal::KILL).ok();
    }
}

fn every_ending_signal_ends_children_and_removes_the_files(flavour: Flavour) {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT, Signal::ALARM] {
        let site = Site::new();
        let mut daemon = site.daemon(flavour).start();
        daemon.client().ask(site.pvmove("pvmove0").start());
        let child = site.lvm.await_start();
        daemon.await_pids(&[child.pid]);
        let begin = Instant::now();
        daemon.signal(signal);
        let status = daemon.await_end(wait::SOON);
        assert!(begin.elapsed() < Duration::from_secs(2), "{signal:?} took {:?}", begin.elapsed());
        assert_eq!(status.code(), Some(0), "{signal:?}");
        assert!(!child.is_alive(), "{signal:?} left the child");
        assert!(!site.socket().exists() && !site.pid_file().exists(), "{signal:?} left files");
    }
}

fn a_child_that_ignores_sigterm_does_not_keep_the_daemon_for_ever(flavour: Flavour) {
    let site = Site::new();
    let mut daemon = site.daemon(flavour).start();
    let pvmove = site.pvmove("pvmove0");
    site.lvm.script(&pvmove.path(), &[&[Step::IgnoreTerminate, Step::Say("ignoring".into())]]);
    daemon.client().ask(pvmove.start());
    let child = site.lvm.await_start();
    daemon.await_pids(&[child.pid]);
    wait::until("the child to ignore SIGTERM", wait::SOON, || ignores_terminate(child.pid).then_some(()));
    daemon.signal(Signal::TERM);
    assert!(daemon.await_end(wait::SOON).success());
}

/// The C daemon serves a connected client until it leaves: only ours is asked to end.
fn a_client_that_waits_does_not_keep_the_daemon_for_ever(flavour: Flavour) {
    let site = Site::new();
    let mut daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let pvmove = site.pvmove("pvmove0");
    client.ask(pvmove.start());
    assert_eq!(client.ask(pvmove.progress()), IN_PROGRESS);
    daemon.signal(Signal::TERM);
    match flavour {
        Flavour::Ours => assert!(daemon.await_end(wait::SOON).success()),
        Flavour::Stock => {
            std::thread::sleep(Duration::from_secs(2));
            assert!(!daemon.has_ended());
        }
    }
}

fn a_listening_socket_is_taken_over_from_systemd(flavour: Flavour) {
    let site = Site::new();
    let listener = UnixListener::bind(site.socket()).unwrap();
    let mut early = Client::connect(&site.socket());
    // The shell puts the socket, its stdin, where systemd puts it, and keeps its pid across the exec.
    let mut command = Command::new("/bin/sh");
    command.args(["-c", r#"LISTEN_PID=$$ LISTEN_FDS=1 SD_ACTIVATION=1 exec "$0" "$@" 3<&0 </dev/null"#]);
    let daemon = site.daemon(flavour).option("-f").command();
    command.arg(daemon.get_program()).args(daemon.get_args());
    for (name, value) in daemon.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut daemon = command.stdin(OwnedFd::from(listener)).process_group(0).spawn().unwrap();
    assert_eq!(early.ask(HELLO), HELLO_REPLY, "who came before the daemon is served");
    assert_eq!(site.client().ask(HELLO), HELLO_REPLY);
    daemon.kill().unwrap();
    daemon.wait().unwrap();
}

fn ignores_terminate(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
    u64::from_str_radix(mask.trim(), 16).unwrap() & (1 << (15 - 1)) != 0
}
