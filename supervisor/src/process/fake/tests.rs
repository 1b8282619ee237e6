//! The scripted process table keeps the promises of the real one.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::process::{Stdout, Termination, terminate};

fn command(program: &str) -> Command {
    Command {
        program: program.into(),
        arguments: vec!["lvpoll".into()],
        environment: vec![("A".into(), "1".into())],
        directory: None,
        when_full: super::super::WhenFull::Lose,
        stdout: "/run/out".into(),
        stderr: "/run/err".into(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_spawned_process_runs_until_the_script_ends_it() {
    let fake = FakeProcesses::new();
    let process = fake.spawn(command("/sbin/lvm")).await.unwrap();
    let pid = process.identity().pid;
    assert_eq!(fake.running(), [pid]);
    fake.end(pid, ProcessExit::Code(5));
    assert_eq!((process.wait().await, process.wait().await), (ProcessExit::Code(5), ProcessExit::Code(5)));
    assert!(fake.running().is_empty());
    assert_eq!(
        fake.spawned(),
        [Spawned { identity: process.identity().clone(), command: command("/sbin/lvm") }]
    );
}

#[tokio::test(start_paused = true)]
async fn a_test_can_wait_for_a_spawn() {
    let fake = FakeProcesses::new();
    let (spawned, process) = tokio::join!(fake.spawned_at_least(1), fake.spawn(command("/sbin/lvm")));
    assert_eq!(spawned[0].identity, *process.unwrap().identity());
}

#[tokio::test(start_paused = true)]
async fn refusals_are_used_up_in_order() {
    let fake = FakeProcesses::new();
    fake.refuse_spawn(Errno::AGAIN);
    fake.refuse_spawn(Errno::NOENT);
    assert!(matches!(fake.spawn(command("a")).await, Err(SpawnError::Fork { .. })));
    assert!(matches!(fake.spawn(command("a")).await, Err(SpawnError::Exec { .. })));
    assert!(fake.spawn(command("a")).await.is_ok());
    assert_eq!(fake.spawned().len(), 1);

    let identity = fake.spawned()[0].identity.clone();
    fake.refuse_adoption(Errno::MFILE);
    assert!(matches!(fake.adopt(identity.clone()).await, Err(AdoptError::Io { .. })));
    assert!(fake.adopt(identity).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn termination_escalates_without_real_time() {
    let fake = FakeProcesses::new();
    fake.on_terminate(None);
    let process = fake.spawn(command("/sbin/lvm")).await.unwrap();
    let termination = terminate(&*process, Duration::from_hours(1)).await.unwrap();
    assert_eq!(termination, Termination::Killed(ProcessExit::Signal(9)));
    assert_eq!(fake.signals(process.identity().pid), [Signal::TERM, Signal::CONT, Signal::KILL]);
}

#[tokio::test(start_paused = true)]
async fn a_process_can_be_scripted_to_end_in_order() {
    let fake = FakeProcesses::new();
    fake.on_terminate(Some(ProcessExit::Code(5)));
    let process = fake.spawn(command("/sbin/lvm")).await.unwrap();
    let termination = terminate(&*process, Duration::from_hours(1)).await.unwrap();
    assert_eq!(termination, Termination::Asked(ProcessExit::Code(5)));
}

#[tokio::test(start_paused = true)]
async fn an_ended_child_is_adopted_until_somebody_waited_for_it() {
    let fake = FakeProcesses::new();
    let identity = fake.spawn(command("/sbin/lvm")).await.unwrap().identity().clone();
    fake.end(identity.pid, ProcessExit::Code(7));
    let adopted = fake.adopt(identity.clone()).await.unwrap();
    assert_eq!(adopted.wait().await, ProcessExit::Code(7));
    assert!(matches!(fake.adopt(identity).await, Err(AdoptError::Gone { .. })));
    assert!(matches!(adopted.signal(Signal::TERM), Err(SignalError::Gone { .. })));
}

#[tokio::test(start_paused = true)]
async fn an_identity_is_adopted_only_when_it_is_that_process() {
    let fake = FakeProcesses::new();
    let identity = fake.spawn(command("/sbin/lvm")).await.unwrap().identity().clone();
    let predecessor = ProcessIdentity { start_time_ticks: 1, ..identity.clone() };
    assert!(
        matches!(fake.adopt(predecessor).await, Err(AdoptError::Stranger { found, .. }) if found == identity)
    );
    assert!(matches!(fake.adopt(fake.unused_identity()).await, Err(AdoptError::Gone { .. })));
}

#[tokio::test(start_paused = true)]
async fn strangers_are_found_adopted_and_gone_when_they_end() {
    let fake = FakeProcesses::new();
    let stranger = FoundProcess::of_a_test(
        fake.unused_identity(),
        vec!["/sbin/lvm".into(), "lvpoll".into()],
        Stdout::Pipe { has_reader: false },
    );
    fake.add_stranger(stranger.clone());
    fake.spawn(command("/sbin/other")).await.unwrap();

    let wanted: ScanFilter = Arc::new(|words| words[0] == "/sbin/lvm");
    assert_eq!(fake.scan(Arc::clone(&wanted)).await.unwrap(), std::slice::from_ref(&stranger));
    let adopted = fake.adopt(stranger.identity.clone()).await.unwrap();
    fake.end(stranger.identity.pid, ProcessExit::Unknown);
    assert_eq!(adopted.wait().await, ProcessExit::Unknown);
    assert_eq!(fake.scan(wanted).await.unwrap(), []);
    assert!(matches!(fake.adopt(stranger.identity).await, Err(AdoptError::Gone { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_running_child_is_found_with_its_command() {
    let fake = FakeProcesses::new();
    let process = fake.spawn(command("/sbin/lvm")).await.unwrap();
    let found = fake.scan(Arc::new(|_| true)).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].identity, *process.identity());
    assert_eq!(found[0].command_line, ["/sbin/lvm", "lvpoll"]);
    assert_eq!(found[0].environment, command("").environment);
}
