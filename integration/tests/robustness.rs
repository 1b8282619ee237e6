//! Clients that misbehave, many clients, and what everybody else notices of them: nothing. Ours only; the C daemon hangs in some of these.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use lvmwarden_integration::client::{Client, HELLO_REPLY, IN_PROGRESS, OK, finished};
use lvmwarden_integration::daemon::{Daemon, Flavour};
use lvmwarden_integration::fake_lvm::Step;
use lvmwarden_integration::request::Operation;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::{wait, witness};

const HELLO: &str = "request=\"hello\"\n";

/// A daemon with one operation that runs.
fn busy_daemon(site: &Site) -> (Daemon, Operation) {
    let daemon = site.daemon(Flavour::Ours).quiet().start();
    let pvmove = site.pvmove("pvmove0");
    assert_eq!(daemon.client().ask(pvmove.start()), OK);
    daemon.await_pids(&[site.lvm.await_start().pid]);
    (daemon, pvmove)
}

/// Runs `mischief` while a witness asks for progress.
#[track_caller]
fn witness_is_served_during(daemon: &Daemon, pvmove: &Operation, mischief: impl FnOnce()) {
    let mut client = daemon.client();
    witness::is_served_during(|| assert_eq!(client.ask(pvmove.progress()), IN_PROGRESS), mischief);
}

/// Two seconds of this put lvmpolld 2.03.16 into a shutdown that never ends.
#[test]
fn four_clients_that_connect_and_close_in_a_loop() {
    let site = Site::new();
    let (daemon, pvmove) = busy_daemon(&site);
    witness_is_served_during(&daemon, &pvmove, || {
        let end = Instant::now() + Duration::from_secs(10);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while Instant::now() < end {
                        assert_eq!(daemon.client().ask(HELLO), HELLO_REPLY);
                    }
                });
            }
        });
    });
}

/// How much the daemon's run directory takes, in bytes; it lies in memory.
fn used_below(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let used = |path: &Path, found: &fs::Metadata| {
        if found.is_dir() { used_below(path) } else { found.blocks() * 512 }
    };
    // What goes meanwhile takes nothing.
    entries.filter_map(|entry| Some(used(&entry.path(), &entry.metadata().ok()?))).sum()
}

/// A /run of 12 MB was full after two seconds of this.
#[test]
fn a_child_that_floods_neither_fills_the_run_directory_nor_stops_with_or_without_a_daemon() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    site.lvm.script(&pvmove.path(), &[&[Step::Flood(8_000)]]);
    let daemon = site.daemon(Flavour::Ours).start();
    assert_eq!(daemon.client().ask(pvmove.start()), OK);
    let child = site.lvm.await_start();
    let stays_small = |during: Duration| {
        let end = Instant::now() + during;
        while Instant::now() < end {
            let used = used_below(&site.run_dir());
            assert!(used < 1 << 20, "{used} bytes");
            thread::sleep(Duration::from_millis(20));
        }
    };
    let mut turn = 0;
    let ask = || {
        turn += 1;
        let mut lvm = site.client();
        // Each second one asks for what the flood is about.
        if turn % 2 == 0 {
            assert_eq!(lvm.ask(pvmove.progress()), IN_PROGRESS);
        } else {
            assert_eq!(lvm.ask(HELLO), HELLO_REPLY);
        }
    };
    witness::is_served_during(ask, || stays_small(Duration::from_secs(3)));
    daemon.kill();
    stays_small(Duration::from_secs(2));
    assert!(child.is_alive(), "it goes on without a daemon");
    let daemon = site.daemon(Flavour::Ours).start();
    stays_small(Duration::from_secs(4));
    site.lvm.tell(&child, &[Step::Complain("  The last word.".to_owned()), Step::Exit(5)]);
    assert_eq!(daemon.client().await_end(&pvmove), finished("retcode", 5));
    assert_eq!(site.lvm.starts().len(), 1);
    let log = fs::read_to_string(site.log()).unwrap();
    assert!(log.contains("last_line: The last word."), "what it says after the flood is read");
}

#[test]
fn five_hundred_idle_connections() {
    let site = Site::new();
    let (daemon, pvmove) = busy_daemon(&site);
    let mut idle: Vec<Client> = Vec::new();
    witness_is_served_during(&daemon, &pvmove, || {
        idle = (0..500).map(|_| daemon.client()).collect();
        thread::sleep(Duration::from_millis(500));
    });
    for client in &mut idle {
        assert_eq!(client.ask(HELLO), HELLO_REPLY);
    }
}

#[test]
fn ten_thousand_connections_one_after_another() {
    let site = Site::new();
    let (daemon, pvmove) = busy_daemon(&site);
    let before = daemon.descriptor_count();
    witness_is_served_during(&daemon, &pvmove, || {
        for _ in 0..10_000 {
            assert_eq!(daemon.client().ask(HELLO), HELLO_REPLY);
        }
    });
    wait::until("the daemon to close its ends", wait::SOON, || {
        (daemon.descriptor_count() <= before).then_some(())
    });
}

#[test]
fn thirty_thousand_connections_that_say_nothing() {
    let site = Site::new();
    let (daemon, pvmove) = busy_daemon(&site);
    let before = daemon.descriptor_count();
    witness_is_served_during(&daemon, &pvmove, || {
        for _ in 0..30_000 {
            drop(daemon.client());
        }
    });
    wait::until("the daemon to close its ends", wait::SOON, || {
        (daemon.descriptor_count() <= before).then_some(())
    });
}

#[test]
fn many_clients_that_ask_for_the_same_at_once() {
    let site = Site::new();
    let (daemon, pvmove) = busy_daemon(&site);
    let other = site.pvmove("other");
    witness_is_served_during(&daemon, &pvmove, || {
        thread::scope(|scope| {
            for _ in 0..100 {
                scope.spawn(|| {
                    let mut client = daemon.client();
                    for _ in 0..50 {
                        assert_eq!(client.ask(other.start()), OK);
                    }
                });
            }
        });
    });
    let entry = daemon.dump().into_iter().find(|entry| entry.lvid == other.lvid);
    assert_eq!(entry.map(|entry| entry.init_requests_count), Some(5000));
    assert_eq!(site.lvm.await_starts(2).len(), 2);
}

#[test]
fn messages_without_an_end() {
    let site = Site::new();
    let (daemon, pvmove) = busy_daemon(&site);
    witness_is_served_during(&daemon, &pvmove, || {
        let mut half: Vec<_> = (0..50).map(|_| daemon.client()).collect();
        for client in &mut half {
            client.send_raw(b"request=\"pvmove\"\nlvid").expect("half a message is taken");
        }
        for _ in 0..3 {
            let mut endless = daemon.client();
            let mebibyte = vec![b'x'; 1 << 20];
            let sent = (0..32).take_while(|_| endless.send_raw(&mebibyte).is_ok()).count();
            assert!((16..32).contains(&sent), "cut off after {sent} MiB");
        }
        thread::sleep(Duration::from_millis(200));
    });
}

#[test]
fn a_client_that_never_reads_its_replies() {
    let site = Site::new();
    let (daemon, pvmove) = busy_daemon(&site);
    witness_is_served_during(&daemon, &pvmove, || {
        let mut deaf = daemon.client();
        deaf.set_write_deadline(Duration::from_millis(500));
        let end = Instant::now() + Duration::from_secs(3);
        while Instant::now() < end && deaf.send_raw(b"request=\"dump\"\n\n##\n").is_ok() {}
    });
    assert!(daemon.resident_bytes() < 100 << 20, "it stores replies: {} bytes", daemon.resident_bytes());
}
