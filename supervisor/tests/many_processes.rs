//! Many processes at once, in a program of its own: descriptors belong to the whole program.
#![expect(clippy::unwrap_used, reason = "a failed helper is a failed test")]

use std::fs;
use std::time::Duration;

use lvmwarden_supervisor::process::{
    Command, OsProcesses, OsProcessesOptions, Process, ProcessExit, Processes, WhenFull,
};
use tempfile::TempDir;
use tokio::task::JoinSet;

async fn start(directory: &TempDir, script: &str) -> Box<dyn Process> {
    let command = Command {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
        environment: Vec::new(),
        directory: None,
        stdout: directory.path().join("output"),
        stderr: directory.path().join("output"),
        when_full: WhenFull::Lose,
    };
    OsProcesses::new(OsProcessesOptions::default()).spawn(command).await.unwrap()
}

/// Descriptors of this program that are pidfds.
fn pidfd_count() -> usize {
    let links =
        fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    links.filter(|link| link.to_string_lossy().contains("pidfd")).count()
}

#[test]
fn two_hundred_processes_at_once_hold_one_descriptor_each_and_keep_their_exits_apart() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let test = async {
        let directory = tempfile::tempdir().unwrap();
        let gate = directory.path().join("gate");
        let script =
            |number| format!("while ! [ -e {} ]; do /bin/sleep 0.2; done; exit {number}", gate.display());
        let mut handles = Vec::new();
        for number in 0..200 {
            handles.push(start(&directory, &script(number)).await);
        }
        assert_eq!(pidfd_count(), 200);

        let mut waits = JoinSet::new();
        for (number, process) in handles.into_iter().enumerate() {
            waits.spawn(async move { (number, process.wait().await) });
        }
        fs::write(&gate, "").unwrap();
        for (number, exit) in waits.join_all().await {
            assert_eq!(exit, ProcessExit::Code(i32::try_from(number).unwrap()));
        }
        assert_eq!(pidfd_count(), 0, "a descriptor is left behind");
    };
    runtime.block_on(async { tokio::time::timeout(Duration::from_mins(1), test).await }).expect("in time");
}
