//! `doctor` on a host that is made of stubs: what it runs, and what becomes of programs that fail.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use lvmwarden_protocol::api::service::{Info, InfoReply};

use crate::fake_daemon::FakeDaemon;
use crate::program::{Run, finish, program};

/// Lays down a program that does this.
fn stub(folder: &Path, name: &str, script: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A daemon that says what it is.
fn daemon() -> FakeDaemon {
    FakeDaemon::with(|connection| {
        connection.serve::<Info>(&InfoReply {
            product: "lvmwarden".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            url: String::new(),
            pid: std::process::id(),
            started_at: "2026-11-21T12:00:00Z".to_owned(),
            instance: "test".to_owned(),
            roles: vec!["poll".to_owned()],
            history_problem: None,
            lock_problem: None,
        });
    })
}

/// Runs it where there are no programs but the stubs.
fn doctor(daemon: &FakeDaemon, options: &[&str]) -> Run {
    finish(
        program(&daemon.socket())
            .arg("doctor")
            .args(options)
            .env("PATH", daemon.folder())
            .env("LVM_LVMPOLLD_SOCKET", daemon.socket()),
    )
}

fn lay_down_healthy(folder: &Path) {
    stub(folder, "lvm", "echo '  LVM version:     2.03.16(2) (2022-05-18)'");
    stub(folder, "lvmconfig", "printf 'use_lvmpolld=1\\npolling_interval=15\\n'");
    stub(folder, "systemctl", "exit 1");
}

#[test]
fn values_and_versions_are_shown_and_a_stranger_on_the_socket_is_found() {
    let daemon = daemon();
    lay_down_healthy(daemon.folder());
    let run = doctor(&daemon, &[]);
    // It is this test's process that listens.
    let stranger = format!("(pid {}) listens on", std::process::id());
    for words in
        ["version 2.03.16(2)", "use_lvmpolld is 1", "polling_interval is 15", &stranger, "systemctl failed"]
    {
        assert!(run.stdout.contains(words), "{words} is in {run:#?}");
    }
    assert_eq!(run.code, Some(1), "{run:#?}");
    daemon.join();
}

#[test]
fn json_has_a_finding_for_each_check() {
    let daemon = daemon();
    lay_down_healthy(daemon.folder());
    let run = doctor(&daemon, &["--json"]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let verdicts: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| (finding["about"].as_str().unwrap(), finding["verdict"].as_str().unwrap()))
        .collect();
    let expected = [
        ("lvm", "well"),
        ("lvm.conf", "well"),
        ("lvm.conf", "well"),
        ("daemon", "well"),
        ("version", "well"),
        ("history", "well"),
        ("polling socket", "wrong"),
        ("systemd", "unsure"),
    ];
    assert_eq!(verdicts, expected);
    daemon.join();
}

#[test]
fn programs_that_are_absent_or_fail_are_told_with_their_own_words() {
    let daemon = daemon();
    stub(daemon.folder(), "lvmconfig", "echo '  Parse error at byte 7' >&2; exit 5");
    let run = doctor(&daemon, &[]);
    for words in ["lvm cannot be started", "Parse error at byte 7", "systemctl cannot be started"] {
        assert!(run.stdout.contains(words), "{words} is in {run:#?}");
    }
    daemon.join();
}

#[test]
fn a_program_that_hangs_is_ended() {
    let daemon = daemon();
    lay_down_healthy(daemon.folder());
    stub(daemon.folder(), "lvmconfig", "exec /bin/sleep 300");
    let run = doctor(&daemon, &[]);
    assert!(run.stdout.contains("lvmconfig gave no answer"), "{run:#?}");
    daemon.join();
}
