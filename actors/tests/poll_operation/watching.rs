//! Mode events: lvpoll runs when it is needed, and not while the kernel copies.

use std::time::Duration;

use lvmwarden_actors::kernel::copying::{Due, Situation};
use lvmwarden_actors::poll_operation::outcome::Outcome;
use lvmwarden_actors::poll_operation::state::{Mode, Progress, Stop};
use lvmwarden_supervisor::process::{ProcessExit, Signal};
use tokio::time::sleep;

use crate::support::{Host, OK, eventually, pvmove, run};

/// Some looks at device-mapper.
const A_WHILE: Duration = Duration::from_secs(1);

fn host() -> Host {
    let mut host = Host::new();
    host.mode = Mode::Events;
    host.processes.on_terminate(Some(ProcessExit::Code(5)));
    host.kernel.show(Situation::Copying);
    host
}

#[test]
fn lvpoll_runs_between_segments_only() {
    run(async {
        let host = host();
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove("A");
        daemon.start(&request).await;
        sleep(A_WHILE).await;
        assert!(host.processes.spawned().is_empty(), "lvpoll was started although the kernel copies");
        assert_eq!(daemon.collect(&request).await, Progress::InProgress);

        host.kernel.show(Situation::Due(Due::Copied));
        let first = host.child(1).await;
        daemon.follows(&request, first).await;
        host.kernel.show(Situation::Copying);
        sleep(A_WHILE).await;
        assert_eq!(host.processes.signals(first), [], "lvpoll is ended although it works");
        host.processes.set_asleep(first, true);
        eventually(vec![Signal::TERM], async || host.processes.signals(first)).await;
        eventually(vec![], async || host.processes.running()).await;
        sleep(A_WHILE).await;
        assert_eq!(host.processes.spawned().len(), 1);

        host.kernel.show(Situation::Due(Due::Gone));
        let last = host.child(2).await;
        host.end(last, ProcessExit::Code(0));
        assert_eq!(daemon.result(&request).await, OK);
        daemon.stop().await;
    });
}

#[test]
fn an_operation_that_nobody_watches_while_the_daemon_is_away_goes_on() {
    run(async {
        let host = host();
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove("A");
        daemon.start(&request).await;
        drop(daemon);

        let next = host.start(Stop::EndChild).await;
        sleep(A_WHILE).await;
        assert_eq!(next.collect(&request).await, Progress::InProgress);
        assert!(host.processes.spawned().is_empty());
        host.kernel.show(Situation::Due(Due::Failed { words: "Invalid".to_owned() }));
        let child = host.child(1).await;
        host.processes.set_asleep(child, true);
        sleep(A_WHILE).await;
        assert_eq!(host.processes.signals(child), [], "what has failed is left to lvpoll");
        host.end(child, ProcessExit::Code(5));
        assert_eq!(next.result(&request).await, Outcome::Retcode(5));
        next.stop().await;
    });
}

#[test]
fn a_child_that_was_relieved_when_the_daemon_was_killed_is_not_missed() {
    run(async {
        let host = host();
        host.processes.on_terminate(None);
        host.kernel.show(Situation::Due(Due::Copied));
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove("A");
        daemon.start(&request).await;
        let child = host.child(1).await;
        host.kernel.show(Situation::Copying);
        host.processes.set_asleep(child, true);
        eventually(vec![Signal::TERM], async || host.processes.signals(child)).await;
        drop(daemon);
        // Its exit is read by nobody: the journal still names it.
        host.end(child, ProcessExit::Unknown);

        let next = host.start(Stop::EndChild).await;
        sleep(A_WHILE).await;
        assert_eq!(next.collect(&request).await, Progress::InProgress);
        assert_eq!(host.processes.spawned().len(), 1, "the kernel copies: nobody is needed");
        next.stop().await;
    });
}

#[test]
fn what_is_not_understood_is_left_to_lvpoll() {
    run(async {
        let host = host();
        host.kernel.show(Situation::Unclear { why: "odd" });
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove("A");
        daemon.start(&request).await;
        let child = host.child(1).await;
        host.kernel.show(Situation::Copying);
        host.processes.set_asleep(child, true);
        sleep(A_WHILE).await;
        assert_eq!(host.processes.signals(child), []);
        host.end(child, ProcessExit::Code(0));
        assert_eq!(daemon.result(&request).await, OK);
        daemon.stop().await;
    });
}
