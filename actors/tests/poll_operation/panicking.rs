//! Panics in one operation's actor: what its clients hear, how many children it has, and that no other operation
//! feels it.
//!
//! Faults are read once in the life of a process, so each of these tests runs itself again in a process of its own.

use std::env;

use lvmwarden_actors::roles::poll::operation::outcome::Outcome;
use lvmwarden_actors::roles::poll::operation::state::{Progress, Stop};
use lvmwarden_supervisor::process::ProcessExit;
use lvmwarden_supervisor::{AskError, NodeState};

use crate::support::{Daemon, Host, OK, eventually, pvmove, run};

const FAULT: &str = "LVMWARDEN_FAULT";
/// The LV of the operation whose actor panics.
const FRAGILE: &str = "FRAGILE";
/// The LV of another operation.
const STURDY: &str = "STURDY";

/// Runs `test`, which is called `name`, in a process in which `faults` strike the actor of [`FRAGILE`].
#[expect(clippy::disallowed_methods, reason = "the test itself once more, not a supervised process")]
#[track_caller]
fn with_faults(name: &str, points: &[&str], test: impl Future<Output = ()>) {
    if env::var_os(FAULT).is_some() {
        run(test);
        return;
    }
    let faults: Vec<String> = points.iter().map(|point| format!("panic@{point}={FRAGILE}")).collect();
    let output = std::process::Command::new(env::current_exe().unwrap())
        .args(["--exact", &format!("panicking::{name}"), "--nocapture"])
        .env(FAULT, faults.join(";"))
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && stdout.contains("1 passed"), "{stdout}\n{stderr}");
    assert!(stderr.contains("fault injected"), "the fault did not strike: {stderr}");
}

/// A daemon that polls [`STURDY`] with the first child.
async fn polling() -> (Host, Daemon) {
    let host = Host::new();
    let daemon = host.start(Stop::EndChild).await;
    daemon.start(&pvmove(STURDY)).await;
    daemon.follows(&pvmove(STURDY), host.child(1).await).await;
    (host, daemon)
}

/// The other operation has noticed nothing, and ends in order.
async fn sturdy_has_felt_nothing(host: &Host, daemon: Daemon) {
    let sturdy = pvmove(STURDY);
    assert_eq!(daemon.actor(&sturdy).await.unwrap().restarts, 0);
    assert_eq!(host.children_of(STURDY), 1);
    host.end(host.child(1).await, ProcessExit::Code(0));
    assert_eq!(daemon.result(&sturdy).await, OK);
    daemon.stop().await;
}

#[test]
fn a_client_that_waits_for_its_intent_is_answered_by_the_successor() {
    let points = ["poll_operation.intent_stored"];
    with_faults("a_client_that_waits_for_its_intent_is_answered_by_the_successor", &points, async {
        let (host, daemon) = polling().await;
        let request = pvmove(FRAGILE);
        daemon.begin(&request).await;
        let child = host.child(2).await;
        daemon.follows(&request, child).await;
        assert_eq!(daemon.description(&request).await.unwrap().init_requests, 1);
        assert_eq!(daemon.actor(&request).await.unwrap().restarts, 1);
        host.end(child, ProcessExit::Code(0));
        assert_eq!(daemon.result(&request).await, OK);
        assert_eq!(host.children_of(FRAGILE), 1);
        sturdy_has_felt_nothing(&host, daemon).await;
    });
}

#[test]
fn a_running_child_is_adopted_by_the_successor() {
    with_faults("a_running_child_is_adopted_by_the_successor", &["poll_operation.running_stored"], async {
        let (host, daemon) = polling().await;
        let request = pvmove(FRAGILE);
        daemon.begin(&request).await;
        let child = host.child(2).await;
        eventually(1, async || daemon.actor(&request).await.map_or(0, |node| node.restarts)).await;
        daemon.follows(&request, child).await;
        host.end(child, ProcessExit::Code(5));
        assert_eq!(daemon.result(&request).await, Outcome::Retcode(5));
        assert_eq!(host.children_of(FRAGILE), 1);
        sturdy_has_felt_nothing(&host, daemon).await;
    });
}

#[test]
fn an_exit_that_died_with_the_actor_is_found_out_by_another_child() {
    let points = ["poll_operation.child_exited"];
    with_faults("an_exit_that_died_with_the_actor_is_found_out_by_another_child", &points, async {
        let (host, daemon) = polling().await;
        let request = pvmove(FRAGILE);
        daemon.begin(&request).await;
        let child = host.child(2).await;
        daemon.follows(&request, child).await;
        host.end(child, ProcessExit::Code(5));
        let second = host.child(3).await;
        assert_eq!(daemon.collect(&request).await, Progress::InProgress);
        host.end(second, ProcessExit::Code(5));
        assert_eq!(daemon.result(&request).await, Outcome::Retcode(5));
        sturdy_has_felt_nothing(&host, daemon).await;
    });
}

#[test]
fn a_recorded_end_is_handed_out_by_the_successor() {
    let points = ["poll_operation.end_stored"];
    with_faults("a_recorded_end_is_handed_out_by_the_successor", &points, async {
        let (host, daemon) = polling().await;
        let request = pvmove(FRAGILE);
        daemon.start(&request).await;
        host.end(host.child(2).await, ProcessExit::Code(5));
        assert_eq!(daemon.result(&request).await, Outcome::Retcode(5));
        assert_eq!(host.children_of(FRAGILE), 1);
        sturdy_has_felt_nothing(&host, daemon).await;
    });
}

#[test]
fn a_result_that_was_handed_out_is_not_handed_out_twice() {
    let points = ["poll_operation.collect_stored"];
    with_faults("a_result_that_was_handed_out_is_not_handed_out_twice", &points, async {
        let (host, daemon) = polling().await;
        let request = pvmove(FRAGILE);
        daemon.start(&request).await;
        host.end(host.child(2).await, ProcessExit::Code(5));
        assert_eq!(daemon.result(&request).await, Outcome::Retcode(5));
        assert_eq!(daemon.collect(&request).await, Progress::NotFound);
        daemon.begin(&request).await;
        host.child(3).await;
        sturdy_has_felt_nothing(&host, daemon).await;
    });
}

#[test]
fn a_child_that_was_not_recorded_yet_is_adopted_by_the_successor() {
    let points = ["poll_operation.spawned"];
    with_faults("a_child_that_was_not_recorded_yet_is_adopted_by_the_successor", &points, async {
        let (host, daemon) = polling().await;
        let request = pvmove(FRAGILE);
        daemon.begin(&request).await;
        let child = host.child(2).await;
        daemon.follows(&request, child).await;
        assert_eq!(daemon.actor(&request).await.unwrap().restarts, 1);
        assert_eq!(host.children_of(FRAGILE), 1);
        sturdy_has_felt_nothing(&host, daemon).await;
    });
}

/// Six panics are one more than its supervisor allows.
#[test]
fn an_operation_whose_actor_always_panics_is_given_up_alone_and_its_clients_are_told() {
    let points = ["poll_operation.running_stored"; 6];
    let name = "an_operation_whose_actor_always_panics_is_given_up_alone_and_its_clients_are_told";
    with_faults(name, &points, async {
        let (host, daemon) = polling().await;
        let request = pvmove(FRAGILE);
        daemon.begin(&request).await;
        eventually(Some(NodeState::GivenUp), async || Some(daemon.actor(&request).await?.state)).await;
        let answer = daemon.directory.collect(&request.id()).await;
        assert!(matches!(answer, Err(AskError::GivenUp { .. })), "{answer:?}");
        assert_eq!(daemon.directory.describe().await.len(), 1, "the other one");

        // A client who asks again is given another try.
        daemon.begin(&request).await;
        assert_eq!(daemon.collect(&request).await, Progress::InProgress);
        sturdy_has_felt_nothing(&host, daemon).await;
    });
}
