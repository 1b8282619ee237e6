//! The leases of one VG are lost, with real daemons of sanlock on two hosts: what becomes of the others.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, Instant};
use std::{fs, thread};

use lvmwarden_integration::lock_client::{LockClient, ask};
use lvmwarden_integration::sanlock::{Sanlock, lock_lv};
use lvmwarden_integration::service::Service;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;
use rustix::process::Signal;
use serde_json::json;

/// More than a join or the loss of a lease takes: some I/O timeouts.
const PATIENCE: Duration = Duration::from_secs(40);

fn start(site: &Site, sanlock: &Sanlock, host_id: &str) -> Service {
    let path = |name: &str| format!("{:?}", site.path(name).to_str().unwrap());
    let launch = site
        .service()
        .set("service.roles", r#"["poll", "lock"]"#)
        .set("lock.socket", &path("lockd"))
        .set("lock.pid_file", &path("lockd.pid"))
        .set("lock.adopt_file", &path("lockd.adopt"))
        .set("lock.host_id", host_id);
    sanlock.serves(launch).start()
}

fn held(service: &Service) -> Vec<String> {
    let locks = service.call("org.lvmwarden.Lock.Locks", &json!({}))["locks"].take();
    locks.as_array().unwrap().iter().map(|lock| lock["vgname"].as_str().unwrap().to_owned()).collect()
}

fn assert_numbers(service: &Service) {
    let scraped = service.call("org.lvmwarden.Metrics.Get", &json!({}))["openmetrics"].take();
    let scraped = scraped.as_str().unwrap();
    for line in [
        "lvmwarden_lockspaces{state=\"running\"} 2",
        "lvmwarden_locks_held{mode=\"ex\"} 2",
        "lvmwarden_lock_requests_total{request=\"start_vg\",result=\"ok\"} 2",
        "lvmwarden_lock_kill_countdown_seconds 0.0",
    ] {
        assert!(scraped.lines().any(|there| there == line), "{line} is not in\n{scraped}");
    }
    assert!(!scraped.contains("lvmwarden_lock_leases_late 0"), "{scraped}");
}

/// Returns what the history tells of a VG, once each. With leases of a few seconds one of a healthy VG may be late for a moment on
/// a busy machine; a lost one may be told to be late more than once.
fn history(service: &Service, vg: &str) -> Vec<String> {
    let told = service.call("org.lvmwarden.Lock.History", &json!({ "vgname": vg }))["entries"].take();
    let kinds = told.as_array().unwrap().iter().map(|entry| entry["kind"].as_str().unwrap().to_owned());
    let is_of_lease = |kind: &String| kind.starts_with("lock.lease_");
    let is_told = |kind: &String| vg == "lost" && kind != "lock.lease_renewed" || !is_of_lease(kind);
    let mut kinds: Vec<_> = kinds.filter(is_told).collect();
    kinds.dedup();
    kinds
}

#[test]
fn sanlocks_signals_for_a_lost_vg_do_not_end_the_service_of_the_others() {
    let site = Site::new();
    let sanlock = Sanlock::start(site.path("sanlock"));
    let mut service = start(&site, &sanlock, "1");
    let mut client = LockClient::connect(&site.path("lockd"));
    sanlock.locked_lv(&mut client, "lost");
    sanlock.locked_lv(&mut client, "healthy");
    let (second, there) = (Site::new(), sanlock.beside());
    let mut other_service = start(&second, &there, "2");
    let mut other = LockClient::connect(&second.path("lockd"));
    let start_there = |vg| ask::start_vg_of_type(vg, "sanlock", "1.0.0:lvmlock", 2, "wait");
    assert_eq!(other.result(start_there("healthy")), 0);
    sanlock.lose_disk("lost");
    let refused = wait::until("sanlock's signal, and its refusal", PATIENCE, || {
        assert!(!service.has_ended(), "the service ended: {}", sanlock.log());
        let events = service.call("org.lvmwarden.Events.Recent", &json!({}))["events"].take();
        let is_it = |event: &&serde_json::Value| event["kind"] == "service.stop_refused";
        events.as_array().unwrap().iter().find(is_it).cloned()
    });
    assert!(refused["fields"]["why"].as_str().unwrap().contains("lvmwarden lock drop lost"), "{refused}");
    assert_eq!(sanlock.killed(), "--kill lost\n");
    // Each second another one.
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(4) {
        assert_eq!(client.result(ask::lock_vg("healthy", "ex")), 0);
        assert_eq!(other.result(ask::lock_vg("healthy", "sh")), -11, "another host");
        assert_eq!(client.result(ask::lock_vg("healthy", "un")), 0);
        assert_eq!(other.result(lock_lv("healthy", "ex")), -11, "another host");
        assert_ne!(other.result(start_there("lost")), 0, "its leases are lost to all");
        assert_ne!(other.result(lock_lv("lost", "ex")), 0, "another host");
        thread::sleep(Duration::from_millis(100));
    }
    assert!(!service.has_ended(), "a healthy VG is served on");
    assert_eq!(held(&service), ["healthy", "lost"]);
    assert_numbers(&service);
    let status = service.await_notice("STATUS=nothing to poll; LEASES LOST: lost");
    assert!(status.contains("host reset in"), "{status}");
    // The API says the same, and a stop by systemd is no other signal.
    let stop = service.try_call("org.lvmwarden.Service.Stop", &json!({ "leave_children": true }));
    assert_eq!(stop["error"], "org.lvmwarden.Service.StillNeeded", "{stop}");
    service.signal(Signal::TERM);
    // Whoever has deactivated the LVs gives the lost VG up; then the daemon ends as ever.
    assert_eq!(client.result(lock_lv("lost", "un")), 0);
    assert_eq!(client.result(ask::of_vg("drop_vg", "lost", "")), 0);
    assert!(!service.has_ended(), "it was refused for good, not put off");
    assert_eq!(held(&service), ["healthy"]);
    assert_eq!(other.result(lock_lv("healthy", "ex")), -11, "it is held to the end");
    assert_eq!(client.result(lock_lv("healthy", "un")), 0);
    wait::until("the lock on the other host", PATIENCE, || {
        (other.result(lock_lv("healthy", "ex")) == 0).then_some(())
    });
    assert_eq!(other.result(lock_lv("healthy", "un")), 0);
    assert!(!other_service.has_ended(), "it has no lock in the lost VG, and sanlock had nothing to tell it");
    service.signal(Signal::TERM);
    assert_eq!(service.await_end(wait::SOON).code(), Some(0));
    // As after a boot: what was in memory is gone.
    for entry in fs::read_dir(site.run_dir()).unwrap() {
        fs::remove_dir_all(entry.unwrap().path()).unwrap();
    }
    let service = start(&site, &sanlock, "1");
    for (vg, expected) in [
        ("lost", &["lock.started", "lock.lease_late", "lock.stopped"][..]),
        ("healthy", &["lock.started", "lock.adopted"]),
    ] {
        // The disk is read in its own time.
        wait::until(&format!("the history of {vg}"), wait::SOON, || {
            (history(&service, vg) == expected).then_some(())
        });
    }
}
