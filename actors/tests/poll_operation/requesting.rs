//! What clients ask, and which operations and children come of it.

use std::time::Duration;

use lvmwarden_actors::roles::poll::operation::outcome::Outcome;
use lvmwarden_actors::roles::poll::operation::state::{Progress, StartAnswer, Stop};
use lvmwarden_protocol::poll::{PollOperation, StartRequest};
use lvmwarden_supervisor::process::ProcessExit;
use tokio::task::JoinSet;

use crate::support::{Host, OK, eventually, pvmove, run};

/// P-12.
#[test]
fn a_hundred_identical_requests_at_once_start_one_child_and_are_counted() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let mut clients = JoinSet::new();
        for _ in 0..100 {
            let directory = daemon.directory.clone();
            clients.spawn_local(async move { directory.start(pvmove("A"), None).await });
        }
        let answers = clients.join_all().await;
        let op = daemon.begin(&pvmove("A")).await;
        let joined = StartAnswer::Ok { op, already_running: true };
        assert_eq!(answers.iter().filter(|answer| **answer == joined).count(), 99);
        assert!(answers.contains(&StartAnswer::Ok { op, already_running: false }), "the first");
        host.child(1).await;
        assert_eq!(host.children_of("A"), 1);
        assert_eq!(daemon.description(&pvmove("A")).await.unwrap().init_requests, 101);
        daemon.stop().await;
    });
}

/// P-13.
#[test]
fn poll_and_abort_of_one_lv_go_side_by_side() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let abort = StartRequest { abort: true, ..pvmove("A") };
        daemon.begin(&pvmove("A")).await;
        let poller = host.child(1).await;
        daemon.begin(&abort).await;
        let aborter = host.child(2).await;
        host.end(aborter, ProcessExit::Code(0));
        assert_eq!(daemon.result(&abort).await, OK);
        assert_eq!(daemon.collect(&pvmove("A")).await, Progress::InProgress);
        host.end(poller, ProcessExit::Code(5));
        assert_eq!(daemon.result(&pvmove("A")).await, Outcome::Retcode(5));
        daemon.stop().await;
    });
}

/// P-14.
#[test]
fn one_lv_under_two_system_dirs_is_two_operations() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let elsewhere = StartRequest { sysdir: Some("/etc/other".try_into().unwrap()), ..pvmove("A") };
        daemon.begin(&pvmove("A")).await;
        daemon.begin(&elsewhere).await;
        host.child(2).await;
        assert_eq!(daemon.directory.describe().await.len(), 2);
        daemon.stop().await;
    });
}

#[test]
fn another_kind_of_operation_on_the_same_lv_is_refused() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        daemon.begin(&pvmove("A")).await;
        let convert = StartRequest { kind: PollOperation::Convert, ..pvmove("A") };
        assert_eq!(daemon.start(&convert).await, StartAnswer::DifferentOperation);
        host.child(1).await;
        assert_eq!(host.children_of("A"), 1);
        daemon.stop().await;
    });
}

/// P-16, P-17, P-21.
#[test]
fn a_result_is_handed_out_once_and_the_operation_is_gone_with_it() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove("A");
        assert_eq!(daemon.collect(&request).await, Progress::NotFound);
        daemon.start(&request).await;
        assert_eq!(daemon.collect(&request).await, Progress::InProgress);
        assert_eq!(daemon.environment.activity.idle_for(), None);
        host.end(host.child(1).await, ProcessExit::Code(0));
        assert_eq!(daemon.result(&request).await, OK);
        assert_eq!(daemon.collect(&request).await, Progress::NotFound);
        eventually(None, async || daemon.actor(&request).await).await;
        assert!(daemon.environment.activity.idle_for() < Some(Duration::from_mins(1)));
        daemon.stop().await;
    });
}

#[test]
fn of_many_clients_that_wait_for_a_result_one_gets_it() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove("A");
        daemon.start(&request).await;
        host.end(host.child(1).await, ProcessExit::Code(5));
        eventually(Some(Outcome::Retcode(5)), async || {
            Some(daemon.description(&request).await?.ending?.outcome)
        })
        .await;
        let mut clients = JoinSet::new();
        for _ in 0..20 {
            let directory = daemon.directory.clone();
            clients.spawn_local(async move { directory.collect(&pvmove("A").id()).await.unwrap() });
        }
        let mut answers = clients.join_all().await;
        answers.retain(|answer| *answer != Progress::NotFound);
        assert_eq!(answers, [Progress::Ended(Outcome::Retcode(5))]);
        daemon.stop().await;
    });
}

/// P-22.
#[test]
fn a_result_that_nobody_collected_gives_way_to_a_new_request() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove("A");
        daemon.start(&request).await;
        host.end(host.child(1).await, ProcessExit::Code(5));
        eventually(Some(Outcome::Retcode(5)), async || {
            Some(daemon.description(&request).await?.ending?.outcome)
        })
        .await;
        daemon.begin(&request).await;
        host.end(host.child(2).await, ProcessExit::Code(0));
        assert_eq!(daemon.result(&request).await, OK);
        daemon.stop().await;
    });
}

#[test]
fn a_request_right_after_the_result_starts_anew() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove("A");
        for round in 1..=20 {
            daemon.begin(&request).await;
            host.end(host.child(round).await, ProcessExit::Code(5));
            assert_eq!(daemon.result(&request).await, Outcome::Retcode(5));
        }
        assert_eq!(host.children_of("A"), 20);
        daemon.stop().await;
    });
}
