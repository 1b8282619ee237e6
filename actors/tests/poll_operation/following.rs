//! What becomes of an operation when its child ends in one way or another.

use std::time::Duration;

use lvmwarden_actors::foundation::kernel::Verdict;
use lvmwarden_actors::roles::poll::operation::outcome::Outcome;
use lvmwarden_actors::roles::poll::operation::state::{Progress, Stop};
use lvmwarden_supervisor::process::ProcessExit;
use rustix::io::Errno;
use tokio::time::Instant;

use crate::support::{Host, OK, pvmove, run};

/// P-32.
#[test]
fn a_child_that_is_killed_is_started_again_later_and_later_until_the_signal_is_reported() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove("A");
        daemon.start(&request).await;
        for (count, milliseconds) in [(1, 200), (2, 400), (3, 800)] {
            let child = host.child(count).await;
            daemon.follows(&request, child).await;
            let killed = Instant::now();
            host.end(child, ProcessExit::Signal(9));
            host.child(count + 1).await;
            let waited = killed.elapsed();
            assert!(waited >= Duration::from_millis(milliseconds), "restart {count} after {waited:?}");
            assert_eq!(daemon.collect(&request).await, Progress::InProgress);
        }
        host.end(host.child(4).await, ProcessExit::Signal(9));
        assert_eq!(daemon.result(&request).await, Outcome::Signal(9));
        daemon.stop().await;
    });
}

#[test]
fn a_child_that_cannot_be_started_now_is_started_later() {
    run(async {
        let host = Host::new();
        host.processes.refuse_spawn(Errno::AGAIN);
        host.processes.refuse_spawn(Errno::MFILE);
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove("A");
        let begun = Instant::now();
        daemon.begin(&request).await;
        assert_eq!(daemon.collect(&request).await, Progress::InProgress);
        let child = host.child(1).await;
        assert!(begun.elapsed() >= Duration::from_millis(200 + 400));
        daemon.follows(&request, child).await;
        assert_eq!(daemon.description(&request).await.unwrap().attempt, 1);
        let events = daemon.environment.events.recent(None);
        let causes: Vec<&str> =
            events.iter().filter_map(|event| Some(event.fields.get("why")?.as_str())).collect();
        assert_eq!(causes, ["shortage", "shortage"]);
        host.end(child, ProcessExit::Code(0));
        assert_eq!(daemon.result(&request).await, OK);
        daemon.stop().await;
    });
}

#[test]
fn a_program_that_cannot_be_executed_ends_the_operation() {
    run(async {
        let host = Host::new();
        host.processes.refuse_spawn(Errno::NOENT);
        let daemon = host.start(Stop::EndChild).await;
        daemon.begin(&pvmove("A")).await;
        assert_eq!(daemon.result(&pvmove("A")).await, Outcome::Retcode(101));
        daemon.stop().await;
    });
}

#[test]
fn an_exit_that_nobody_knows_is_answered_by_another_child() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove("A");
        daemon.start(&request).await;
        host.end(host.child(1).await, ProcessExit::Unknown);
        let second = host.child(2).await;
        assert_eq!(daemon.collect(&request).await, Progress::InProgress);
        host.end(second, ProcessExit::Code(0));
        assert_eq!(daemon.result(&request).await, OK);
        daemon.stop().await;
    });
}

#[test]
fn a_child_that_ends_while_the_kernel_still_shows_the_operation_is_started_again() {
    run(async {
        let host = Host::new();
        host.kernel.verdicts.lock().unwrap().extend([Verdict::NotOver, Verdict::Over]);
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove("A");
        daemon.start(&request).await;
        let ended = Instant::now();
        let first = host.child(1).await;
        host.writes(first, "  vg/pvmove0: Moved: 50.00%");
        host.end(first, ProcessExit::Code(0));
        let second = host.child(2).await;
        assert!(ended.elapsed() >= Duration::from_secs(1));
        assert_eq!(daemon.collect(&request).await, Progress::InProgress);
        host.end(second, ProcessExit::Code(0));
        assert_eq!(daemon.result(&request).await, OK);
        assert_eq!(host.kernel.verdicts.lock().unwrap().len(), 0);
        daemon.stop().await;
    });
}

/// P-30.
#[test]
fn what_happens_to_one_operation_is_not_felt_by_another() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let requests: Vec<_> = (0..50).map(|number| pvmove(&format!("LV{number:02}"))).collect();
        for (count, request) in requests.iter().enumerate() {
            daemon.start(request).await;
            let child = host.child(count + 1).await;
            if count % 2 == 0 {
                host.end(child, ProcessExit::Code(5));
            }
        }
        for (count, request) in requests.iter().enumerate() {
            if count % 2 == 0 {
                assert_eq!(daemon.result(request).await, Outcome::Retcode(5));
            } else {
                assert_eq!(daemon.collect(request).await, Progress::InProgress);
            }
        }
        assert_eq!(daemon.directory.describe().await.len(), 25);
        daemon.stop().await;
    });
}
