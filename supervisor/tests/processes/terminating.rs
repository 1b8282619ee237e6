//! Ending processes, whether they want to or not.

use std::time::Duration;

use lvmwarden_supervisor::process::{Blocked, ProcessExit, Signal, Termination, terminate};

use crate::support::{Site, eventually, run};

const LONG_GRACE: Duration = Duration::from_secs(20);
const SHORT_GRACE: Duration = Duration::from_millis(100);

#[test]
fn a_process_that_listens_is_asked() {
    run(async {
        let process = Site::new().start("exec sleep 20").await;
        assert_eq!(
            terminate(&*process, LONG_GRACE).await.unwrap(),
            Termination::Asked(ProcessExit::Signal(15))
        );
    });
}

#[test]
fn a_process_that_does_not_listen_is_killed() {
    run(async {
        let site = Site::new();
        let process = site.start("trap '' TERM; echo ready; exec sleep 20").await;
        site.first_line().await;
        assert_eq!(
            terminate(&*process, SHORT_GRACE).await.unwrap(),
            Termination::Killed(ProcessExit::Signal(9))
        );
    });
}

#[test]
fn a_stopped_process_can_end_in_order() {
    run(async {
        let site = Site::new();
        let process = site.start("trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done").await;
        site.first_line().await;
        process.signal(Signal::STOP).unwrap();
        assert_eq!(terminate(&*process, LONG_GRACE).await.unwrap(), Termination::Asked(ProcessExit::Code(5)));
    });
}

#[test]
fn a_process_that_has_ended_needs_nothing() {
    run(async {
        let process = Site::new().start("exit 3").await;
        process.wait().await;
        let termination = terminate(&*process, SHORT_GRACE).await.unwrap();
        assert_eq!(termination, Termination::Asked(ProcessExit::Code(3)));
        assert_eq!(termination.exit(), ProcessExit::Code(3));
    });
}

#[test]
fn a_process_that_sleeps_is_known_from_one_that_works() {
    run(async {
        let sleeping = Site::new().start("exec sleep 20").await;
        let working = Site::new().start("while :; do :; done").await;
        eventually("one asleep", || sleeping.is_asleep().then_some(())).await;
        assert!(!working.is_asleep());
        for process in [sleeping, working] {
            process.signal(Signal::KILL).unwrap();
            process.wait().await;
            assert!(!process.is_asleep());
        }
    });
}

/// A parent in vfork(2) waits for its child as uninterruptibly as others do for a disk.
#[test]
fn a_process_that_waits_in_the_kernel_is_blocked_until_it_goes_on() {
    const WAITS: &str = "exec python3 -c '
import ctypes, os, time
libc = ctypes.PyDLL(None)
if libc.vfork() == 0:
    time.sleep(2)
    os._exit(0)
'";
    run(async {
        let process = Site::new().start(WAITS).await;
        let is_known = |blocked: &Blocked| blocked.wait_point.is_some();
        eventually("one blocked, and where", || process.blocked().filter(is_known)).await;
        process.wait().await;
        assert_eq!(process.blocked(), None);
    });
}
