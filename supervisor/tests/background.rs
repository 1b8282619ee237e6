//! A classic daemon's start: the parent waits until the child is ready or has failed.
//!
//! This program has no test harness, which would have threads: without arguments it tests, with one it is a daemon.
#![expect(clippy::disallowed_methods, reason = "this program starts itself, and waits without a runtime")]
#![expect(clippy::print_stderr, reason = "the daemon's errors are to reach the terminal")]
#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::path::Path;
use std::process::{Command, Output, exit};
use std::time::Duration;
use std::{env, fs, thread};

use lvmwarden_supervisor::sys::{Background, ReadyPipe, fork_into_background};
use rustix::process::{Signal, getpid, getsid, kill_process};
use tempfile::TempDir;

fn main() {
    let arguments: Vec<_> = env::args().collect();
    if let [_, role, directory] = &arguments[..] {
        return daemon(role, Path::new(directory));
    }
    the_parent_succeeds_when_the_daemon_is_ready_and_on_its_own();
    the_parent_ends_as_the_daemon_that_failed();
    the_parent_ends_like_a_shell_when_the_daemon_was_killed();
    a_daemon_that_ends_well_before_it_is_ready_is_no_failure();
    a_daemon_that_outlives_its_parent_gets_ready();
    a_program_with_threads_is_refused();
}

fn daemon(role: &str, directory: &Path) {
    if role == "with a thread" {
        thread::spawn(|| thread::sleep(Duration::from_secs(20)));
    }
    let ready = match fork_into_background() {
        Ok(Background::Parent { exit_code }) => exit(exit_code),
        Ok(Background::Child(ready)) => ready,
        Err(error) => {
            eprintln!("{error}");
            exit(99);
        }
    };
    eprintln!("starting");
    match role {
        "fails" => exit(3),
        "ends well" => exit(0),
        "is killed" => kill_process(getpid(), Signal::KILL).unwrap(),
        "is ready" => serve(ready, directory),
        "is ready late" => {
            kill_process(rustix::process::getppid().unwrap(), Signal::KILL).unwrap();
            serve(ready, directory);
        }
        _ => unreachable!("no such role: {role}"),
    }
}

/// Says what it has become in the file `facts`, and serves until there is a file `stop`.
fn serve(ready: ReadyPipe, directory: &Path) {
    ready.ready().unwrap();
    let link = |name: &str| fs::read_link(format!("/proc/self/{name}")).unwrap().display().to_string();
    let leads_session = getsid(None).unwrap() == getpid();
    let facts = [leads_session.to_string(), link("cwd"), link("fd/0"), link("fd/1"), link("fd/2")].join(" ");
    fs::write(directory.join("written"), facts).unwrap();
    fs::rename(directory.join("written"), directory.join("facts")).unwrap();
    wait_for(&directory.join("stop"));
    fs::write(directory.join("stopped"), "").unwrap();
}

#[track_caller]
fn wait_for(path: &Path) {
    for _ in 0..2000 {
        if path.exists() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("never saw {}", path.display());
}

/// Starts the daemon and returns when its parent has ended and everybody has let go of its output.
fn start(role: &str, directory: &TempDir) -> Output {
    Command::new(env::current_exe().unwrap()).arg(role).arg(directory.path()).output().unwrap()
}

#[track_caller]
fn assert_serves_on_its_own(directory: &TempDir) {
    wait_for(&directory.path().join("facts"));
    let facts = fs::read_to_string(directory.path().join("facts")).unwrap();
    assert_eq!(facts, "true / /dev/null /dev/null /dev/null");
    fs::write(directory.path().join("stop"), "").unwrap();
    wait_for(&directory.path().join("stopped"));
}

fn the_parent_succeeds_when_the_daemon_is_ready_and_on_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let output = start("is ready", &directory);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stderr, b"starting\n");
    assert_serves_on_its_own(&directory);
}

fn the_parent_ends_as_the_daemon_that_failed() {
    let output = start("fails", &tempfile::tempdir().unwrap());
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(output.stderr, b"starting\n");
}

fn the_parent_ends_like_a_shell_when_the_daemon_was_killed() {
    assert_eq!(start("is killed", &tempfile::tempdir().unwrap()).status.code(), Some(128 + 9));
}

fn a_daemon_that_ends_well_before_it_is_ready_is_no_failure() {
    assert_eq!(start("ends well", &tempfile::tempdir().unwrap()).status.code(), Some(0));
}

fn a_daemon_that_outlives_its_parent_gets_ready() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(start("is ready late", &directory).status.code(), None, "the parent was killed");
    assert_serves_on_its_own(&directory);
}

fn a_program_with_threads_is_refused() {
    let output = start("with a thread", &tempfile::tempdir().unwrap());
    assert_eq!(output.status.code(), Some(99));
    assert_eq!(output.stderr, b"threads exist already\n");
}
