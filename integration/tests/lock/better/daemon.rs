//! How the daemon begins and ends, and whom it keeps waiting.

use std::os::unix::net::{UnixDatagram, UnixListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use lvmwarden_integration::daemon::Flavour::Ours;
use lvmwarden_integration::lock_client::{LockClient, ask};
use lvmwarden_integration::lock_daemon::LockSite;
use lvmwarden_integration::{wait, witness};
use rustix::process::Signal;

const HELLO: &str = "request = \"hello\"\n";

#[test]
fn c_04_half_a_message_keeps_nobody_waiting() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).start();
    let (mut half, mut other) = (site.client(), site.client());
    half.raw().send_raw(b"request = \"hel").unwrap();
    assert_eq!(other.ask(HELLO).field("protocol"), Some("lvmlockd"));
    half.raw().send_raw(b"lo\"\n\n##\n").unwrap();
    assert_eq!(half.receive().field("protocol"), Some("lvmlockd"));
}

#[test]
fn c_22_a_refused_sigterm_stops_nothing() {
    let site = LockSite::new();
    let mut daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
    site.start_vg("idle");
    site.start_vg("busy");
    let mut client = site.client();
    assert_eq!(client.result(ask::lock_lv("busy", "lv", "ex", "persistent")), 0);
    daemon.signal(Signal::TERM);
    wait::until("the refusal in the log", wait::SOON, || {
        client.dump("dump").contains("ignore shutdown for 1 lockspaces").then_some(())
    });
    assert!(!daemon.has_ended());
    assert_eq!(client.result(ask::lock_vg("idle", "ex")), 0);
    assert_eq!(client.result(ask::lock_vg("idle", "un")), 0);
    assert_eq!(client.result(ask::lock_lv("busy", "lv", "un", "persistent")), 0);
    daemon.signal(Signal::TERM);
    assert_eq!(daemon.await_end(wait::SOON).code(), Some(0), "one signal is enough when lockspaces are idle");
}

/// Of 200 VGs two are locked and unlocked all the time while the daemon is asked to end, again and again.
#[test]
fn a_sigterm_while_a_lock_is_being_taken_ends_the_daemon_or_stops_nothing() {
    for _ in 0..12 {
        let site = LockSite::new();
        let mut daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
        let mut client = site.client();
        for number in 0..200 {
            assert_eq!(client.result(ask::start_vg(&format!("vg{number}"), "wait")), 0);
        }
        let is_enough = AtomicBool::new(false);
        thread::scope(|scope| {
            for vg in ["vg98", "vg99"] {
                let (mut client, is_enough) = (site.client(), &is_enough);
                scope.spawn(move || keep_locking(&mut client, vg, is_enough));
            }
            for _ in 0..20 {
                daemon.signal(Signal::TERM);
                if is_served(&mut client).is_none() {
                    break;
                }
            }
            is_enough.store(true, Ordering::Relaxed);
        });
        if !daemon.has_ended() {
            daemon.signal(Signal::TERM);
        }
        assert_eq!(daemon.await_end(wait::SOON).code(), Some(0), "nothing is locked any more");
    }
}

/// Locks and unlocks a VG until it is enough, or the daemon ends: then nobody answers, and nothing untrue was said.
fn keep_locking(client: &mut LockClient, vg: &str, is_enough: &AtomicBool) {
    while !is_enough.load(Ordering::Relaxed) {
        for mode in ["ex", "un"] {
            let Some(answer) = client.try_ask(ask::lock_vg(vg, mode)) else { return };
            assert_eq!(answer.result(), 0, "{vg} {mode}");
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Makes sure that what is asked is answered as if nobody had asked for an end; nothing where the daemon ends.
fn is_served(client: &mut LockClient) -> Option<()> {
    assert_eq!(client.try_ask(ask::start_vg("late", "wait"))?.result(), 0);
    for vg in ["late", "vg0", "vg100"] {
        assert_eq!(client.try_ask(ask::lock_vg(vg, "un"))?.result(), -2, "{vg} is started, and not locked");
    }
    assert_eq!(client.try_ask(ask::of_vg("stop_vg", "late", ""))?.result(), 0);
    Some(())
}

#[test]
fn c_37_a_client_that_dies_waiting_leaves_the_queue() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let (mut holder, mut dying) = (site.client(), site.client());
    assert_eq!(holder.result(ask::lock_vg("vg", "ex")), 0);
    dying.send(ask::lock_vg("vg", "ex"));
    dying.hears_nothing_for(Duration::from_millis(100));
    assert_eq!(holder.info_of("r_action", "op", "lock").len(), 1);
    drop(dying);
    wait::until("an empty queue", wait::SOON, || {
        holder.info_of("r_action", "op", "lock").is_empty().then_some(())
    });
    assert_eq!(holder.info_of("lk", "mode", "ex").len(), 1);
}

#[test]
fn c_38_a_client_that_dies_just_when_it_is_served_leaves_no_lock_behind() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).options(["-g", "dlm"]).start();
    site.start_vg("vg");
    let mut holder = site.client();
    for round in 0..50 {
        let mut dying = site.client();
        assert_eq!(holder.result(ask::lock_lv("vg", "lv", "ex", "none")), 0, "round {round}");
        dying.send(ask::lock_lv("vg", "lv", "ex", "persistent"));
        wait::until("a request that waits", wait::SOON, || {
            (holder.info_of("r_action", "op", "lock").len() == 1).then_some(())
        });
        drop(dying);
        assert_eq!(holder.result(ask::lock_lv("vg", "lv", "un", "none")), 0, "round {round}");
        wait::until("an LV without a lock", wait::SOON, || {
            holder.info_of("r", "type", "lv").iter().all(|lv| lv.value("mode") == "un").then_some(())
        });
    }
}

#[test]
fn a_daemon_without_a_socket_ends() {
    let site = LockSite::new();
    let _first = UnixListener::bind(site.socket()).unwrap();
    std::fs::set_permissions(site.socket(), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut daemon = site.daemon(Ours).start_unready();
    assert_eq!(daemon.await_end(wait::SOON).code(), Some(1));
    assert!(site.socket().exists() && !site.pid_file().exists());
}

#[test]
fn systemd_is_told_when_clients_are_served() {
    let site = LockSite::new();
    let notices = UnixDatagram::bind(site.path("notify")).unwrap();
    notices.set_read_timeout(Some(wait::SOON)).unwrap();
    let _daemon = site.daemon(Ours).environment("NOTIFY_SOCKET", site.path("notify")).start();
    let mut notice = [0; 64];
    let count = notices.recv(&mut notice).unwrap();
    assert_eq!(String::from_utf8_lossy(&notice[..count]).trim(), "READY=1");
    assert_eq!(site.client().ask(HELLO).field("protocol"), Some("lvmlockd"));
}

#[test]
fn the_short_options_that_lvmlockd_documents_are_taken() {
    let site = LockSite::new();
    let file = site.path("lvmlocal.conf");
    std::fs::write(&file, "host_id = 9\n").unwrap();
    let file = file.to_str().unwrap();
    for (options, host_id) in [(["-i", "8", "-F", file], "8"), (["-i", "0", "-F", file], "9")] {
        let launch = site.daemon(Ours).options(["-g", "sanlock"]).options(options);
        let _daemon = launch.seeing_devices().start();
        let mut client = site.client();
        site.device("vg");
        assert_eq!(client.result(ask::start_vg_of_type("vg", "sanlock", "1.0.0:lvmlock", 0, "wait")), 0);
        assert_eq!(client.info_of("ls", "ls_name", "lvm_vg")[0].value("host_id"), host_id);
        assert_eq!(client.result(ask::of_vg("stop_vg", "vg", "")), 0);
    }
}

/// A message may be as long as upstream lets it be; whoever sends it waits alone.
#[test]
fn messages_of_sixteen_megabytes_hold_nobody_up() {
    let site = LockSite::new();
    let _daemon = site.daemon(Ours).start();
    let long = format!("{HELLO}cmd = \"{}\"\n", "x".repeat(16_000_000));
    let (mut other, hello) = (site.client(), |client: &mut LockClient, message: &str| {
        assert_eq!(client.ask(message).field("protocol"), Some("lvmlockd"));
    });
    witness::is_served_during(
        || hello(&mut other, HELLO),
        || (0..3).for_each(|_| hello(&mut site.client(), &long)),
    );
}
