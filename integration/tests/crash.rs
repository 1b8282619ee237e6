//! Every point at which the daemon can die, or one of its actors can panic, and what a client sees after it.
//!
//! The points are compiled into builds with debug assertions only, and so are these tests.
#![cfg(debug_assertions)]

use lvmwarden_integration::client::{IN_PROGRESS, NOT_FOUND, OK, finished};
use lvmwarden_integration::daemon::{Daemon, Flavour};
use lvmwarden_integration::fake_lvm::{Start, Step};
use lvmwarden_integration::request::Operation;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;

/// Starts our daemon with a fault, hands it a pvmove, and waits until the fault has killed it.
fn crash_at(site: &Site, fault: &str, pvmove: &Operation) {
    let mut daemon = site.daemon(Flavour::Ours).environment("LVMWARDEN_FAULT", fault).start();
    // The daemon may be gone before it has read or answered this.
    daemon.client().send_raw(format!("{}\n##\n", pvmove.start()).as_bytes()).ok();
    daemon.await_end(wait::SOON);
}

/// Asks for the pvmove once more: exactly one child runs, and its end is told once.
fn expect_one_child_to_the_end(site: &Site, daemon: &Daemon, pvmove: &Operation, starts: usize) {
    let mut client = daemon.client();
    assert_eq!(client.ask(pvmove.start()), OK);
    assert_eq!(client.ask(pvmove.progress()), IN_PROGRESS);
    let all = site.lvm.await_starts(starts);
    let alive: Vec<_> = all.iter().filter(|start| start.is_alive()).collect();
    assert_eq!((all.len(), alive.len()), (starts, 1));
    daemon.await_pids(&[alive[0].pid]);
    site.lvm.tell_exit(alive[0], 3);
    assert_eq!(client.await_end(pvmove), finished("retcode", 3));
    assert_eq!(client.ask(pvmove.progress()), NOT_FOUND);
    assert_eq!(site.lvm.starts().len(), starts);
}

macro_rules! one_child_after_a_kill_at {
    ($($name:ident: $point:literal;)*) => {
        $(#[test] fn $name() {
            let site = Site::new();
            let pvmove = site.pvmove("pvmove0");
            crash_at(&site, concat!("kill@", $point), &pvmove);
            expect_one_child_to_the_end(&site, &site.daemon(Flavour::Ours).start(), &pvmove, 1);
        })*
    };
}

one_child_after_a_kill_at! {
    killed_before_the_intent_is_written: "journal.before_write";
    killed_before_the_intent_is_synced: "journal.written";
    killed_before_the_intent_is_known_to_be_synced: "journal.synced";
    killed_before_the_spawn: "poll_operation.intent_stored";
    killed_between_spawn_and_record: "poll_operation.spawned";
    killed_while_the_child_runs: "poll_operation.running_stored";
}

/// The intent is on disk: the operation goes on without anybody asking again.
#[test]
fn killed_before_the_spawn_the_next_daemon_starts_the_child_by_itself() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    crash_at(&site, "kill@poll_operation.intent_stored", &pvmove);
    assert_eq!(site.lvm.starts().len(), 0);
    let daemon = site.daemon(Flavour::Ours).start();
    assert_eq!(daemon.client().ask(pvmove.progress()), IN_PROGRESS);
    site.lvm.await_start();
}

/// Nobody saw the exit: it is unknown, so lvpoll runs once more and its second end counts.
#[test]
fn killed_after_the_end_before_it_is_recorded() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    site.lvm.script(&pvmove.path(), &[&[Step::Exit(5)], &[Step::Exit(0)]]);
    crash_at(&site, "kill@poll_operation.child_exited", &pvmove);
    let daemon = site.daemon(Flavour::Ours).start();
    assert_eq!(daemon.client().await_end(&pvmove), finished("retcode", 0));
    assert_eq!(site.lvm.starts().len(), 2);
}

#[test]
fn killed_after_the_end_is_recorded_before_it_is_collected() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    site.lvm.script(&pvmove.path(), &[&[Step::Exit(5)]]);
    crash_at(&site, "kill@poll_operation.end_stored", &pvmove);
    let daemon = site.daemon(Flavour::Ours).start();
    assert_eq!(daemon.client().ask(pvmove.progress()), finished("retcode", 5));
    assert_eq!(site.lvm.starts().len(), 1);
}

#[test]
fn killed_while_the_result_is_handed_out_it_is_not_lost() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    site.lvm.script(&pvmove.path(), &[&[Step::Exit(5)]]);
    let daemon = site.daemon(Flavour::Ours).start();
    let mut client = daemon.client();
    assert_eq!(client.ask(pvmove.start()), OK);
    daemon.await_state(&pvmove, "finished");
    client.send(pvmove.progress());
    daemon.kill();
    let daemon = site.daemon(Flavour::Ours).start();
    assert_eq!(daemon.client().ask(pvmove.progress()), finished("retcode", 5));
    assert_eq!(site.lvm.starts().len(), 1);
}

#[test]
fn killed_after_the_result_was_handed_out() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    site.lvm.script(&pvmove.path(), &[&[Step::Exit(5)]]);
    let mut daemon = site
        .daemon(Flavour::Ours)
        .environment("LVMWARDEN_FAULT", "kill@poll_operation.collect_stored")
        .start();
    assert_eq!(daemon.client().ask(pvmove.start()), OK);
    daemon.await_state(&pvmove, "finished");
    assert_eq!(daemon.client().ask(pvmove.progress()), finished("retcode", 5));
    daemon.await_end(wait::SOON);
    let daemon = site.daemon(Flavour::Ours).start();
    assert_eq!(daemon.client().ask(pvmove.progress()), NOT_FOUND);
    assert_eq!(site.lvm.starts().len(), 1);
}

#[test]
fn killed_at_every_start_it_still_gets_there() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    for fault in [
        "kill@poll_operation.intent_stored",
        "kill@poll_operation.spawned",
        "kill@poll_operation.running_stored",
    ] {
        let mut daemon = site.daemon(Flavour::Ours).environment("LVMWARDEN_FAULT", fault).start_unready();
        if let Some(mut client) = wait::until("a daemon that serves or is gone", wait::SOON, || {
            if daemon.has_ended() { Some(None) } else { site.try_client().map(Some) }
        }) {
            client.send_raw(format!("{}\n##\n", pvmove.start()).as_bytes()).ok();
        }
        daemon.await_end(wait::SOON);
    }
    expect_one_child_to_the_end(&site, &site.daemon(Flavour::Ours).start(), &pvmove, 1);
}

/// Runs two operations, one of which panics at `point`; the other one and every client must not notice.
fn expect_a_panic_to_stay_alone(point: &str, first_run: &[Step]) -> (Site, Daemon, Operation) {
    let site = Site::new();
    let (unlucky, other) = (site.pvmove("unlucky"), site.pvmove("other"));
    let fault = format!("panic@{point}={}", unlucky.lvid);
    let daemon = site.daemon(Flavour::Ours).environment("LVMWARDEN_FAULT", fault).start();
    let mut client = daemon.client();
    assert_eq!(client.ask(other.start()), OK);
    let others_child = site.lvm.await_start();
    site.lvm.script(&unlucky.path(), &[first_run]);
    assert_eq!(client.ask(unlucky.start()), OK, "the connection that hit the panic stays");
    assert_eq!(client.ask(other.progress()), IN_PROGRESS);
    site.lvm.tell_exit(&others_child, 0);
    assert_eq!(client.await_end(&other), finished("retcode", 0));
    (site, daemon, unlucky)
}

macro_rules! alone_in_a_panic_at {
    ($($name:ident: $point:literal;)*) => {
        $(#[test] fn $name() {
            let (site, daemon, unlucky) = expect_a_panic_to_stay_alone($point, &[]);
            let child = wait::until("the child", wait::SOON, || {
                starts_of(&site, &unlucky).pop()
            });
            daemon.await_pids(&[child.pid]);
            site.lvm.tell_exit(&child, 3);
            assert_eq!(daemon.client().await_end(&unlucky), finished("retcode", 3));
            assert_eq!(starts_of(&site, &unlucky).len(), 1, "the restarted actor took its child over");
        })*
    };
}

alone_in_a_panic_at! {
    a_panic_before_the_spawn_stays_alone: "poll_operation.intent_stored";
    a_panic_between_spawn_and_record_stays_alone: "poll_operation.spawned";
    a_panic_while_the_child_runs_stays_alone: "poll_operation.running_stored";
}

/// The exit of our own child is still there for the restarted actor, unless the panic came after it was fetched.
#[test]
fn a_panic_after_the_end_stays_alone() {
    let (site, daemon, unlucky) =
        expect_a_panic_to_stay_alone("poll_operation.child_exited", &[Step::Sleep(200), Step::Exit(3)]);
    assert_eq!(daemon.client().await_end(&unlucky), finished("retcode", 3));
    assert!(starts_of(&site, &unlucky).len() <= 2);
}

#[test]
fn a_panic_after_the_end_is_recorded_stays_alone() {
    let (site, daemon, unlucky) =
        expect_a_panic_to_stay_alone("poll_operation.end_stored", &[Step::Sleep(200), Step::Exit(3)]);
    assert_eq!(daemon.client().await_end(&unlucky), finished("retcode", 3));
    assert_eq!(starts_of(&site, &unlucky).len(), 1);
}

fn starts_of(site: &Site, operation: &Operation) -> Vec<Start> {
    site.lvm.starts().into_iter().filter(|start| start.lv() == Some(&operation.path())).collect()
}
