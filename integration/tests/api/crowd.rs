//! Clients that ask for much, or send much: lvm's own commands notice nothing of it.

use std::io::{Read as _, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use lvmwarden_integration::client::{Client as LvmClient, HELLO_REPLY, OK, connect_within};
use lvmwarden_integration::fake_lvm::Step;
use lvmwarden_integration::service::Service;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::{wait, witness};
use serde_json::json;

use crate::access::{GROUP, Somebody, UID, open_service};
use crate::support::{Client, become_member, open_to_members};

const HELLO: &str = "request=\"hello\"\n";
/// The longest that root may wait for an answer meanwhile.
const NOT_SLOWED: Duration = Duration::from_secs(2);
/// How long the mischief lasts.
const WHILE: Duration = Duration::from_secs(3);

/// Asks lvm's hello while `mischief` goes on.
#[track_caller]
fn lvm_is_served_during(site: &Site, mischief: impl FnOnce()) {
    let mut lvm = site.client();
    witness::is_served_during(|| assert_eq!(lvm.ask(HELLO), HELLO_REPLY), mischief);
}

/// Sends `message` again and again on connections of `clients` threads, each a new one where the old was closed.
fn send_again_and_again(site: &Site, clients: usize, message: &[u8]) {
    let end = Instant::now() + WHILE;
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                while Instant::now() < end {
                    let mut stream = connect_within(&site.api_socket(), wait::SOON).expect("the API accepts");
                    // It may be closed before all is taken.
                    while Instant::now() < end && stream.write_all(message).is_ok() {
                        let mut answer = [0; 4096];
                        if !matches!(stream.read(&mut answer), Ok(1..)) {
                            break;
                        }
                    }
                }
            });
        }
    });
}

/// Four clients that sent calls of a megabyte kept lvm's hello waiting for 205 ms, half of the time.
#[test]
fn calls_of_a_megabyte_hold_nobody_up() {
    let site = Site::new();
    let _service = site.service().set("log.level", "\"error\"").set("log.wire", "false").start();
    let list = vec![json!({}); 340_000];
    let call = json!({"method": "org.lvmwarden.Service.Info", "parameters": {"x": list}}).to_string() + "\0";
    assert!((1_000_000..1024 * 1024).contains(&call.len()));
    lvm_is_served_during(&site, || send_again_and_again(&site, 4, call.as_bytes()));
}

#[test]
fn the_largest_calls_that_are_taken_hold_nobody_up() {
    let site = Site::new();
    let _service = site.service().set("log.level", "\"error\"").set("log.wire", "false").start();
    let list = vec![json!({}); 21_500];
    let call = json!({"method": "org.lvmwarden.Service.Info", "parameters": {"x": list}}).to_string() + "\0";
    assert!((64_000..64 * 1024).contains(&call.len()));
    lvm_is_served_during(&site, || send_again_and_again(&site, 8, call.as_bytes()));
}

/// A group member with 150 connections that asked for all events and did not read cost 2.5 GB, and lvm waited 15 s.
#[test]
fn a_member_that_asks_for_everything_and_does_not_read_costs_a_few_megabytes() {
    let site = Site::new();
    let service = open_service(&site);
    let mut root = Client::connect(&site);
    for number in 0..10_000 {
        let level = ["critical", "error"][number % 2];
        root.call("org.lvmwarden.Supervisor.SetLogLevel", &json!({ "level": level }));
    }
    let before = service.resident_bytes();
    let mut most = before;
    let call = json!({"method": "org.lvmwarden.Events.Recent"}).to_string() + "\n";
    lvm_is_served_during(&site, || {
        let mut crowd: Vec<_> = (0..150).map(|_| Somebody::connect(&site, UID, GROUP, &[])).collect();
        for somebody in &mut crowd {
            somebody.say(&call.repeat(10));
        }
        let end = Instant::now() + WHILE;
        while Instant::now() < end {
            most = most.max(service.resident_bytes());
            thread::sleep(Duration::from_millis(20));
        }
        // Root has a share of its own.
        let begin = Instant::now();
        root.call("org.lvmwarden.Events.Recent", &json!({"limit": 1}));
        assert!(begin.elapsed() < NOT_SLOWED, "root waits {:?}", begin.elapsed());
    });
    let cost = (most - before) >> 20;
    println!("{cost} MiB for those who do not read");
    assert!(cost < 64, "{cost} MiB");
}

/// So many operations have been polled, and so many VGs are known.
const MANY: usize = 200;

/// Starts a service that plays all roles and has something to tell of each, and lets members of the group use it.
fn well_read(site: &Site) -> Service {
    let path = |name: &str| format!("{:?}", site.path(name).to_str().unwrap());
    let launch = open_to_members(site.service(), site)
        .set("log.level", "\"error\"")
        .set("log.wire", "false")
        .set("service.roles", r#"["poll", "lock", "metadata"]"#)
        .set("metadata.socket", &path("lvmetad"));
    let launch = ["socket", "pid_file", "adopt_file"]
        .iter()
        .fold(launch, |launch, key| launch.set(&format!("lock.{key}"), &path(&format!("lockd.{key}"))));
    let service = launch.start();
    let (mut lvm, mut lvmetad) = (site.client(), LvmClient::connect(&site.path("lvmetad")));
    for number in 0..MANY {
        let pvmove = site.pvmove(&format!("pvmove{number}"));
        site.lvm.script(&pvmove.path(), &[&[Step::Exit(0)]]);
        assert_eq!(lvm.ask(pvmove.start()), OK);
        let uuid = |kind: char| format!("{kind}kKrkV-Ds14-R3ZO-jqL0-8cEo-4Gw4-{number:06}");
        let found = format!(
            "request=pv_found token=skip pvmeta {{ id=\"{pv}\" device={number} mda0 {{ ignore=0 }} }} vgname=\"vg{number}\" \
             metadata {{ id=\"{vg}\" seqno=1 extent_size=8192 status=[\"RESIZEABLE\",\"READ\",\"WRITE\"] physical_volumes {{ \
             pv0 {{ id=\"{pv}\" status=[\"ALLOCATABLE\"] dev_size=900000 pe_start=2048 pe_count=100 }} }} }}",
            pv = uuid('p'),
            vg = uuid('v'),
        );
        let reply = lvmetad.ask(found);
        assert!(reply.starts_with("response = \"OK\""), "{reply}");
    }
    wait::until("the end of one", wait::SOON, || {
        let history =
            service.call("org.lvmwarden.Poll.History", &json!({ "limit": 1_000_000 }))["entries"].take();
        history.as_array().unwrap().iter().any(|entry| entry["step"] == "ended").then_some(())
    });
    service
}

/// As for events, with whatever else may be long.
#[test]
fn a_member_that_asks_for_whatever_is_long_and_does_not_read_holds_nobody_up() {
    let site = Site::new();
    let service = well_read(&site);
    for method in [
        "Poll.History",
        "Poll.List",
        "Poll.Foreign",
        "Metadata.Vgs",
        "Metadata.Pvs",
        "Lock.History",
        "Lock.Locks",
        "Supervisor.Tree",
        "Events.Recent",
    ] {
        let before = service.resident_bytes();
        let mut most = before;
        let call = json!({ "method": format!("org.lvmwarden.{method}") }).to_string() + "\0";
        lvm_is_served_during(&site, || {
            thread::scope(|scope| {
                let crowd = scope.spawn(|| {
                    become_member();
                    let connect =
                        |_| connect_within(&site.api_socket(), wait::SOON).expect("the API accepts");
                    let mut crowd: Vec<_> = (0..150).map(connect).collect();
                    for client in &mut crowd {
                        // It may be turned away, or not be read any more: it reads nothing itself.
                        let _ = client.set_nonblocking(true);
                        let _ = client.write_all(call.repeat(10).as_bytes());
                    }
                    let end = Instant::now() + Duration::from_secs(2);
                    while Instant::now() < end {
                        most = most.max(service.resident_bytes());
                        thread::sleep(Duration::from_millis(20));
                    }
                });
                crowd.join().unwrap();
            });
        });
        let cost = (most - before) >> 20;
        println!("{method}: {cost} MiB for those who do not read");
        assert!(cost < 64, "{method}: {cost} MiB");
    }
}
