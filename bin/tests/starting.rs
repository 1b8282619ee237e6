//! What holds from the moment on that the socket is there to be seen.
#![expect(clippy::disallowed_methods, reason = "it starts the daemon, and waits without a runtime")]
#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// No test takes nearly as long, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// Starts a daemon in `directory`, which has everything of it, with a relative path to its lvm binary.
fn start(directory: &Path) -> Child {
    let binary = directory.join("lvm");
    fs::write(&binary, "#!/bin/sh\necho run > \"${0%/lvm}/started\"\n").unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    Command::new(env!("CARGO_BIN_EXE_lvmwardend"))
        .args(["lvmpolld", "-f", "-s", "socket", "-p", "pid", "-B", "./lvm"])
        .current_dir(directory)
        .env("LVMWARDEN_RUN_DIR", directory.join("run"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < DEADLINE, "never saw: {what}");
        std::thread::yield_now();
    }
}

fn terminate(mut daemon: Child) -> Option<i32> {
    kill_process(Pid::from_child(&daemon), Signal::TERM).unwrap();
    daemon.wait().unwrap().code()
}

/// Several times, because it is a matter of a millisecond.
#[test]
fn a_daemon_asked_to_end_as_soon_as_its_socket_is_there_ends_in_order() {
    for _ in 0..10 {
        let directory = tempfile::tempdir().unwrap();
        let daemon = start(directory.path());
        wait_until("the socket", || directory.path().join("socket").exists());
        assert_eq!(terminate(daemon), Some(0));
        assert!(!directory.path().join("socket").exists() && !directory.path().join("pid").exists());
    }
}

#[test]
fn a_relative_path_of_the_lvm_binary_is_seen_from_where_the_daemon_was_started() {
    let directory = tempfile::tempdir().unwrap();
    let daemon = start(directory.path());
    wait_until("the socket", || directory.path().join("socket").exists());
    let mut client = std::os::unix::net::UnixStream::connect(directory.path().join("socket")).unwrap();
    let request = "request=\"pvmove\"\nlvid=\"A\"\nvgname=\"vg\"\nlvname=\"pvmove0\"\ninterval=\"1\"\n\n##\n";
    std::io::Write::write_all(&mut client, request.as_bytes()).unwrap();
    wait_until("the child", || directory.path().join("started").exists());
    assert_eq!(terminate(daemon), Some(0));
}
