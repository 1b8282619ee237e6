//! Mode events: lvpoll runs when it is needed, and not while the kernel copies.

use std::time::Duration;

use lvmwarden_protocol::api::poll::OutcomeKind;
use lvmwarden_protocol::poll::StartRequest;

use lvmwarden_actors::foundation::kernel::copying::{Due, Situation};
use lvmwarden_actors::roles::poll::operation::outcome::Outcome;
use lvmwarden_actors::roles::poll::operation::state::{Mode, Progress, Stop};
use lvmwarden_supervisor::process::{Blocked, ProcessExit, Signal};
use tokio::time::sleep;

use crate::support::{Host, OK, eventually, pvmove, run};
use lvmwarden_actors::roles::poll::operation::messages::PauseError;
use lvmwarden_actors::roles::poll::operation::state::CannotPause;
use lvmwarden_actors::roles::poll::operation::turns::{Hold, Rules};

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

#[test]
fn a_pause_holds_at_the_end_of_the_segment_and_through_a_restart() {
    run(async {
        let host = host();
        let daemon = host.start(Stop::LeaveChild).await;
        let request = pvmove("A");
        daemon.start(&request).await;
        let op = daemon.description(&request).await.unwrap().op;
        let paused = daemon.directory.pause(op, true).await.unwrap();
        assert_eq!((paused.is_paused, paused.hold), (true, None), "the kernel copies on");
        host.kernel.show_end_of_segment();
        eventually(Some(Hold::Paused), async || daemon.description(&request).await?.hold).await;
        drop(daemon);

        let next = host.start(Stop::LeaveChild).await;
        eventually(Some(Hold::Paused), async || next.description(&request).await?.hold).await;
        sleep(A_WHILE).await;
        assert!(host.processes.spawned().is_empty(), "a pause was forgotten");
        assert_eq!(next.collect(&request).await, Progress::InProgress);
        next.directory.pause(op, false).await.unwrap();
        host.child(1).await;
        next.stop().await;
    });
}

#[test]
fn what_cannot_be_paused_says_why_and_nothing_changes() {
    run(async {
        let mut host = host();
        host.mode = Mode::Classic;
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove("A");
        daemon.start(&request).await;
        let op = daemon.description(&request).await.unwrap().op;
        let refused = daemon.directory.pause(op, true).await.unwrap_err();
        assert_eq!(refused, PauseError::Impossible(CannotPause::LvpollWatches));
        assert!(!daemon.description(&request).await.unwrap().is_paused);
        let unknown = daemon.directory.pause(uuid::Uuid::nil(), true).await.unwrap_err();
        assert_eq!(unknown, PauseError::Gone);
        daemon.stop().await;
    });
}

#[test]
fn one_goes_on_after_the_other_where_a_vg_has_one_turn() {
    run(async {
        let host = host();
        host.turns.set_rules(Rules { per_vg: Some(1), ..Rules::default() });
        let daemon = host.start(Stop::EndChild).await;
        let (first, second) = (pvmove("A"), pvmove("B"));
        daemon.start(&first).await;
        daemon.start(&second).await;
        host.kernel.show_end_of_segment();
        let child = host.child(1).await;
        eventually(Some(Hold::VgLimit), async || daemon.description(&second).await?.hold).await;
        sleep(A_WHILE).await;
        assert_eq!(host.processes.spawned().len(), 1);
        host.end(child, ProcessExit::Code(0));
        assert_eq!(daemon.result(&first).await, OK);
        host.child(2).await;
        daemon.stop().await;
    });
}

#[test]
fn a_pvmove_that_somebody_aborts_is_aborted_and_not_done() {
    run(async {
        let host = host();
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove("A");
        daemon.start(&request).await;
        daemon.start(&StartRequest { abort: true, ..request.clone() }).await;
        let aborter = host.child(1).await;
        host.end(aborter, ProcessExit::Code(0));
        host.kernel.show(Situation::Due(Due::Gone));
        let child = host.child(2).await;
        host.writes(child, "  vg/pvmove0: No pvmove in progress - already finished or aborted.");
        host.end(child, ProcessExit::Code(0));
        let kind = async || Some(daemon.description(&request).await?.ending?.conclusion().kind);
        eventually(Some(OutcomeKind::Aborted), kind).await;
        daemon.stop().await;
    });
}

#[test]
fn lvpoll_that_waits_in_the_kernel_is_named_with_what_it_waits_for() {
    run(async {
        let mut host = host();
        host.mode = Mode::Classic;
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove("A");
        daemon.start(&request).await;
        let child = host.child(1).await;
        let blocked = Blocked { wait_point: Some("io_schedule".to_owned()), device: Some("/dev/sda".into()) };
        host.processes.set_blocked(child, Some(blocked.clone()));
        eventually(Some(blocked), async || Some(daemon.description(&request).await?.stuck?.blocked)).await;
        host.processes.set_blocked(child, None);
        eventually(None, async || daemon.description(&request).await?.stuck).await;
        daemon.stop().await;
    });
}
