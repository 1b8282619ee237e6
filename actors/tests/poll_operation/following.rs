//! What becomes of an operation when its child ends in one way or another.

use std::time::Duration;

use lvmwarden_actors::poll_operation::outcome::Outcome;
use lvmwarden_actors::poll_operation::state::{Progress, Stop, Verdict};
use lvmwarden_supervisor::process::ProcessExit;
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
        host.end(host.child(1).await, ProcessExit::Code(0));
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
