//! Each way in which the daemon can refuse or be absent: its words and its exit code.

use std::os::unix::net::UnixListener;

use lvmwarden_protocol::api::archive::Error as ArchiveError;
use lvmwarden_protocol::api::poll::Error as PollError;
use lvmwarden_protocol::api::service::Bounded;
use lvmwarden_protocol::api::supervisor::Error as SupervisorError;
use lvmwarden_protocol::api::varlink_service::Error as VarlinkError;
use lvmwarden_protocol::api::{InterfaceError, events, metrics, service};

use crate::fake_daemon::FakeDaemon;
use crate::program::{Run, run};

/// Runs a command whose first call is refused.
fn refused(error: impl InterfaceError + Send + 'static, arguments: &[&str]) -> Run {
    let daemon = FakeDaemon::with(move |connection| connection.refuse(&error));
    let run = run(&daemon.socket(), arguments);
    daemon.join();
    run
}

const LVID: &str = "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv";

#[test]
fn an_operation_that_is_not_there_is_named() {
    let error = PollError::NotFound { id: "vg0/pvmove0".to_owned() };
    refused(error, &["poll", "abort", "vg0/pvmove0"])
        .assert_failed(1, &["no operation vg0/pvmove0", "lvmwarden poll list"]);
}

#[test]
fn another_operation_on_the_lv_is_told_with_what_to_type() {
    refused(PollError::DifferentOperation, &["poll", "start", "merge", "vg0/lv", "--lvid", LVID])
        .assert_failed(
            1,
            &["another kind of operation is in progress on vg0/lv", "lvmwarden poll show vg0/lv"],
        );
}

#[test]
fn only_a_pvmove_can_be_aborted() {
    refused(PollError::NotPvmove, &["poll", "abort", "vg0/lv"]).assert_failed(1, &["vg0/lv is not a pvmove"]);
}

#[test]
fn the_daemons_own_reason_is_told() {
    let error = PollError::Failed { reason: "no space for the journal".to_owned() };
    refused(error, &["poll", "start", "merge", "vg0/lv", "--lvid", LVID])
        .assert_failed(1, &["vg0/lv: no space for the journal", "journalctl -u lvmwardend"]);
}

#[test]
fn a_busy_daemon_is_a_timeout_whoever_says_so() {
    let words = ["busy", "try again"];
    refused(PollError::Busy, &["poll", "list"]).assert_failed(5, &words);
    refused(SupervisorError::Busy, &["tree"]).assert_failed(5, &words);
    refused(service::Error::Busy, &["info"]).assert_failed(5, &words);
    refused(events::Error::Busy, &["events"]).assert_failed(5, &words);
    refused(metrics::Error::Busy, &["metrics"]).assert_failed(5, &words);
}

#[test]
fn too_many_of_ones_own_is_told_apart_from_no_answer_in_time() {
    let too_many = |what, uid| service::Error::TooMany { what, uid, limit: 7 };
    refused(too_many(Bounded::WaitingCalls, Some(1000)), &["events", "--follow"])
        .assert_failed(6, &["user 1000 has 7 calls that wait", "end some of yours"]);
    refused(too_many(Bounded::DryRuns, None), &["archive", "plan"])
        .assert_failed(6, &["all users together have 7 dry runs"]);
    // It comes before anything was asked, and the connection is closed.
    let daemon = FakeDaemon::with(|connection| {
        connection.turn_away(b"{\"error\":\"org.lvmwarden.Service.TooMany\",\"parameters\":{\"what\":\"connections\",\"uid\":7,\"limit\":20}}\0");
    });
    run(&daemon.socket(), ["info"]).assert_failed(6, &["user 7 has 20 connections"]);
    daemon.join();
}

#[test]
fn an_unknown_name_in_the_tree_is_named() {
    refused(SupervisorError::UnknownName { name: "root/x".to_owned() }, &["restart", "root/x"])
        .assert_failed(1, &["nothing below the root of the tree is called root/x", "lvmwarden tree"]);
}

#[test]
fn a_level_that_this_daemon_does_not_know_is_told_with_those_it_knows() {
    let permitted = vec!["error".to_owned(), "info".to_owned()];
    refused(SupervisorError::BadLevel { level: "trace".to_owned(), permitted }, &["log-level", "trace"])
        .assert_failed(1, &["no log level trace", "error, info"]);
}

#[test]
fn a_pass_over_the_archive_that_was_not_made_is_told_with_what_to_do() {
    refused(ArchiveError::Off, &["archive", "clean"])
        .assert_failed(1, &["turned off", "archive plan", "archive_janitor.enabled"]);
    refused(ArchiveError::Busy, &["archive", "plan"]).assert_failed(5, &["under way", "archive status"]);
    refused(ArchiveError::Failed { reason: "open /x: gone".to_owned() }, &["archive", "clean"])
        .assert_failed(1, &["failed to open /x: gone"]);
}

#[test]
fn a_user_who_may_not_is_told_who_may() {
    refused(VarlinkError::PermissionDenied, &["stop"]).assert_failed(4, &["you may not", "only root"]);
}

#[test]
fn a_daemon_of_another_version_is_told_apart() {
    let words = ["lvmwarden doctor"];
    let method = "org.lvmwarden.Metrics.Get".to_owned();
    refused(VarlinkError::MethodNotFound { method: method.clone() }, &["metrics"]).assert_failed(1, &words);
    refused(VarlinkError::MethodNotImplemented { method }, &["metrics"]).assert_failed(1, &words);
    let interface = "org.lvmwarden.Metrics".to_owned();
    refused(VarlinkError::InterfaceNotFound { interface }, &["metrics"]).assert_failed(1, &words);
    refused(VarlinkError::ExpectedMore, &["metrics"]).assert_failed(1, &words);
    refused(VarlinkError::InvalidParameter { parameter: "limit".to_owned() }, &["events"])
        .assert_failed(1, &["does not accept the limit"]);
    refused(service::Error::MessageTooLarge { limit_bytes: 7 }, &["metrics"]).assert_failed(1, &["7 bytes"]);
    refused(service::Error::InvalidMessage { reason: "EOF".to_owned() }, &["metrics"])
        .assert_failed(1, &["EOF"]);
}

#[test]
fn an_error_that_is_not_known_is_told_as_it_came() {
    let daemon = FakeDaemon::with(|connection| {
        connection.say(b"{\"error\":\"org.lvmwarden.Poll.Frozen\",\"parameters\":{\"since_seconds\":3}}\0");
    });
    run(&daemon.socket(), ["poll", "list"]).assert_failed(1, &["org.lvmwarden.Poll.Frozen", "since_seconds"]);
    daemon.join();
}

#[test]
fn json_prints_the_error_as_the_api_said_it() {
    let run = refused(
        PollError::NotFound { id: "vg0/pvmove0".to_owned() },
        &["--json", "poll", "abort", "vg0/pvmove0"],
    );
    assert_eq!(
        run.stdout,
        "{\"error\":\"org.lvmwarden.Poll.NotFound\",\"parameters\":{\"id\":\"vg0/pvmove0\"}}\n"
    );
    run.assert_failed(1, &["no operation"]);
}

#[test]
fn an_answer_of_another_form_is_told_apart_from_no_answer() {
    for (bytes, words) in [
        (&b"{\"parameters\":{\"operations\":7}}\0"[..], "another form"),
        (b"HTTP/1.1 400 Bad Request\n", "does not speak Varlink"),
    ] {
        let daemon = FakeDaemon::with(move |connection| connection.say(bytes));
        run(&daemon.socket(), ["poll", "list"]).assert_failed(1, &[words, "lvmwarden doctor"]);
        daemon.join();
    }
}

#[test]
fn a_daemon_that_ends_before_it_answers_is_unreachable() {
    let daemon = FakeDaemon::with(|connection| connection.say(b""));
    run(&daemon.socket(), ["poll", "list"]).assert_failed(3, &["closed the connection"]);
    daemon.join();
}

#[test]
fn a_socket_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("nothing");
    run(&socket, ["tree"]).assert_failed(3, &[socket.to_str().unwrap(), "does not exist", "systemctl start"]);
    drop(UnixListener::bind(&socket).unwrap());
    run(&socket, ["tree"]).assert_failed(3, &["nobody listens on", "systemctl start"]);
    run(&folder.path().join("x".repeat(200)), ["tree"]).assert_failed(3, &["cannot connect to"]);
}

#[test]
fn a_daemon_that_never_answers_is_left_after_a_while() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("silent");
    // The kernel accepts for a process that never does.
    let _listener = UnixListener::bind(&socket).unwrap();
    run(&socket, ["poll", "list"]).assert_failed(5, &["did not answer in time"]);
}
