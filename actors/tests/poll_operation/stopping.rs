//! How a daemon ends in order, and what it leaves.

use lvmwarden_actors::roles::poll::operation::outcome::Outcome;
use lvmwarden_actors::roles::poll::operation::state::{Progress, Stop};
use lvmwarden_supervisor::ExitReason;
use lvmwarden_supervisor::process::{ProcessExit, Signal};

use crate::support::{Host, OK, pvmove, run};

#[test]
fn a_stop_ends_the_children_and_forgets_their_operations() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        for (count, lvid) in ["A", "B"].into_iter().enumerate() {
            daemon.start(&pvmove(lvid)).await;
            daemon.follows(&pvmove(lvid), host.child(count + 1).await).await;
        }
        let report = daemon.stop().await;
        assert_eq!((report.reason, report.killed), (ExitReason::Shutdown, vec![]));
        assert!(host.processes.running().is_empty());
        assert_eq!(host.processes.signals(host.child(1).await)[0], Signal::TERM);

        let next = host.start(Stop::EndChild).await;
        assert_eq!(next.collect(&pvmove("A")).await, Progress::NotFound);
        assert_eq!(next.directory.describe().await, []);
        assert_eq!(host.processes.spawned().len(), 2);
        next.stop().await;
    });
}

#[test]
fn a_child_that_does_not_end_is_left_to_the_next_daemon() {
    run(async {
        let host = Host::new();
        host.processes.on_terminate(None);
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove("A");
        daemon.start(&request).await;
        let child = host.child(1).await;
        daemon.follows(&request, child).await;
        let report = daemon.stop().await;
        assert_eq!(report.killed.len(), 1, "{report:?}");
        assert_eq!(host.processes.signals(child), [Signal::TERM, Signal::CONT]);

        let next = host.start(Stop::LeaveChild).await;
        next.follows(&request, child).await;
        host.end(child, ProcessExit::Code(0));
        assert_eq!(next.result(&request).await, OK);
        assert_eq!(host.processes.spawned().len(), 1);
        next.stop().await;
    });
}

#[test]
fn a_stop_that_leaves_children_leaves_everything_to_the_next_daemon() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::LeaveChild).await;
        let (running, ended) = (pvmove("A"), pvmove("B"));
        daemon.start(&running).await;
        let child = host.child(1).await;
        daemon.follows(&running, child).await;
        daemon.start(&ended).await;
        host.end(host.child(2).await, ProcessExit::Code(5));
        crate::support::eventually(Some(Outcome::Retcode(5)), async || {
            Some(daemon.description(&ended).await?.ending?.outcome)
        })
        .await;
        assert_eq!(daemon.stop().await.killed, []);
        assert_eq!(host.processes.signals(child), []);

        let next = host.start(Stop::LeaveChild).await;
        assert_eq!(next.collect(&running).await, Progress::InProgress);
        assert_eq!(next.result(&ended).await, Outcome::Retcode(5));
        host.end(child, ProcessExit::Code(0));
        assert_eq!(next.result(&running).await, OK);
        assert_eq!(host.processes.spawned().len(), 2);
        next.stop().await;
    });
}
