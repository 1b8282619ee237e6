//! What a daemon makes of what an earlier one, ours or the C one, left behind when it was killed.

use std::ffi::OsString;
use std::time::Duration;

use lvmwarden_actors::roles::poll::operation::outcome::Outcome;
use lvmwarden_actors::roles::poll::operation::state::{Progress, Stop};
use lvmwarden_protocol::poll::StartRequest;
use lvmwarden_supervisor::process::{FoundProcess, ProcessExit, Stdout};
use rustix::io::Errno;

use crate::support::{BINARY, Host, OK, eventually, pvmove, run};

/// A host on which a daemon was killed while a child ran for [`pvmove`] of `A`; and the child.
async fn after_a_kill() -> (Host, u32) {
    let host = Host::new();
    let daemon = host.start(Stop::LeaveChild).await;
    daemon.start(&pvmove("A")).await;
    let child = host.child(1).await;
    daemon.follows(&pvmove("A"), child).await;
    drop(daemon);
    (host, child)
}

#[test]
fn a_child_that_runs_is_adopted() {
    run(async {
        let (host, child) = after_a_kill().await;
        let daemon = host.start(Stop::LeaveChild).await;
        daemon.begin(&pvmove("A")).await;
        host.end(child, ProcessExit::Code(5));
        assert_eq!(daemon.result(&pvmove("A")).await, Outcome::Retcode(5));
        assert_eq!(host.processes.spawned().len(), 1);
        daemon.stop().await;
    });
}

#[test]
fn a_child_that_cannot_be_looked_for_is_looked_for_again() {
    run(async {
        let (host, child) = after_a_kill().await;
        host.processes.refuse_adoption(Errno::MFILE);
        let daemon = host.start(Stop::LeaveChild).await;
        eventually(true, async || {
            let events = daemon.environment.events.recent(None);
            events.iter().any(|event| event.kind == "poll.adopted")
        })
        .await;
        assert_eq!(daemon.description(&pvmove("A")).await.unwrap().attempt, 1);
        host.end(child, ProcessExit::Code(5));
        assert_eq!(daemon.result(&pvmove("A")).await, Outcome::Retcode(5));
        assert_eq!(host.processes.spawned().len(), 1);
        daemon.stop().await;
    });
}

#[test]
fn a_child_that_was_killed_with_its_daemon_is_started_again() {
    run(async {
        let (host, child) = after_a_kill().await;
        host.end(child, ProcessExit::Signal(9));
        let daemon = host.start(Stop::LeaveChild).await;
        let second = host.child(2).await;
        host.end(second, ProcessExit::Code(0));
        assert_eq!(daemon.result(&pvmove("A")).await, OK);
        daemon.stop().await;
    });
}

#[test]
fn a_result_that_was_not_collected_is_kept_and_handed_out_once() {
    run(async {
        let (host, child) = after_a_kill().await;
        let daemon = host.start(Stop::LeaveChild).await;
        host.end(child, ProcessExit::Code(5));
        let request = pvmove("A");
        eventually(Some(Outcome::Retcode(5)), async || {
            Some(daemon.description(&request).await?.ending?.outcome)
        })
        .await;
        drop(daemon);
        let daemon = host.start(Stop::LeaveChild).await;
        assert_eq!(daemon.result(&request).await, Outcome::Retcode(5));
        // That it was handed out is written down right behind the answer, not before it.
        tokio::time::sleep(Duration::from_millis(50)).await;
        drop(daemon);
        let daemon = host.start(Stop::LeaveChild).await;
        assert_eq!(daemon.collect(&request).await, Progress::NotFound);
        daemon.stop().await;
    });
}

/// Puts a child of a killed C daemon into the process table; returns its pid.
fn add_orphan(host: &Host, environment: &[(&str, &str)]) -> u32 {
    let line = [BINARY, "lvpoll", "--interval", "15", "--polloperation", "pvmove", "vg/pvmove0", "-An"];
    let stdout = Stdout::Pipe { has_reader: false };
    let identity = host.processes.unused_identity();
    let mut orphan = FoundProcess::of_a_test(identity, line.map(OsString::from).to_vec(), stdout);
    orphan.environment = environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
    host.processes.add_stranger(orphan.clone());
    orphan.identity.pid
}

/// Nobody can tell who has put it there.
#[test]
fn the_system_dir_of_a_process_that_was_found_reaches_no_child_before_a_client_has_named_it() {
    run(async {
        let host = Host::new();
        let orphan = add_orphan(&host, &[("LVM_SYSTEM_DIR", "/home/user")]);
        *host.kernel.lvid.lock().unwrap() = Some("A".try_into().unwrap());
        let daemon = host.start(Stop::LeaveChild).await;
        assert_eq!(daemon.directory.describe().await, []);
        daemon.begin(&pvmove("A")).await;
        host.end(host.child(1).await, ProcessExit::Code(0));
        assert_eq!(daemon.result(&pvmove("A")).await, OK, "of a child of its own");

        let asked = StartRequest { sysdir: Some("/home/user".try_into().unwrap()), ..pvmove("A") };
        daemon.begin(&asked).await;
        daemon.follows(&asked, orphan).await;
        assert_eq!(host.processes.spawned().len(), 1);
        daemon.stop().await;
    });
}

#[test]
fn a_child_of_a_killed_c_daemon_is_adopted_at_once_where_the_lv_is_known() {
    run(async {
        let host = Host::new();
        let orphan = add_orphan(&host, &[]);
        *host.kernel.lvid.lock().unwrap() = Some("A".try_into().unwrap());
        let daemon = host.start(Stop::LeaveChild).await;
        daemon.follows(&pvmove("A"), orphan).await;
        assert_eq!(host.processes.spawned().len(), 0);
        let events = daemon.environment.events.recent(None);
        let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
        assert_eq!(kinds, ["poll.intended", "poll.adopted"]);
        daemon.stop().await;
    });
}

#[test]
fn a_child_of_a_killed_c_daemon_is_adopted_when_a_client_asks_for_its_lv() {
    run(async {
        let host = Host::new();
        let orphan = add_orphan(&host, &[]);
        let daemon = host.start(Stop::LeaveChild).await;
        assert_eq!(daemon.directory.describe().await, []);
        daemon.begin(&pvmove("A")).await;
        daemon.follows(&pvmove("A"), orphan).await;
        assert_eq!(host.processes.spawned().len(), 0);

        // Nobody can say how the child of a stranger ended.
        host.end(orphan, ProcessExit::Unknown);
        host.end(host.child(1).await, ProcessExit::Code(0));
        assert_eq!(daemon.result(&pvmove("A")).await, OK);
        daemon.stop().await;
    });
}
