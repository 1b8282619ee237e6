//! What one ordinary user can take from others, however much it asks for: its share.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use lvmwarden_integration::client::{HELLO_REPLY, OK, connect_within};
use lvmwarden_integration::service::Service;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::{wait, witness};
use serde_json::{Value, json};

use crate::access::UID;
use crate::support::{Client, become_member, open_to_members, start_pvmove};

const HELLO: &str = "request=\"hello\"\n";

/// How long what is done lasts, when it is done.
const WHILE: Duration = Duration::from_secs(2);

/// Lets lvm's commands connect and say hello meanwhile.
#[track_caller]
fn lvm_connects_during(site: &Site, mischief: impl FnOnce()) {
    witness::is_served_during(|| assert_eq!(site.client().ask(HELLO), HELLO_REPLY), mischief);
}

/// Returns a port that is free now; nothing else on this host takes one so soon.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Asks for the metrics; `None` when somebody else has the places of the door.
fn page(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(wait::SOON)).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.starts_with("HTTP/1.1 200 OK").then_some(answer)
}

/// Does something as an ordinary user, a member of the group.
fn as_member<T: Send>(doing: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let member = scope.spawn(|| {
            become_member();
            doing()
        });
        member.join().unwrap()
    })
}

fn lines_with(site: &Site, words: &str) -> Vec<String> {
    let log = fs::read_to_string(site.log()).unwrap();
    log.lines().filter(|line| line.contains(words)).map(ToOwned::to_owned).collect()
}

#[test]
fn four_hundred_idle_connections_of_a_member_are_felt_by_nobody_else() {
    let site = Site::new();
    let port = free_port();
    let launch =
        open_to_members(site.service(), &site).set("metrics.listen", &format!("\"127.0.0.1:{port}\""));
    let service = launch.open_files(300).start();
    let mut idle = Vec::new();
    lvm_connects_during(&site, || {
        idle = as_member(|| (0..400).map(|_| Client::patient(&site, Duration::from_millis(1))).collect());
        thread::sleep(WHILE);
    });
    let pvmove = site.pvmove("pvmove0");
    assert_eq!(site.client().ask(pvmove.start()), OK, "the journal is written");
    site.lvm.await_start();
    let mut root = Client::connect(&site);
    root.call("org.lvmwarden.Service.Info", &json!({}));
    let metrics = page(port).expect("Prometheus is served");
    let refused = r#"lvmwarden_connections_refused_total{door="api",why="user"} 380"#;
    assert!(metrics.contains(refused), "{metrics}");

    // Who is turned away is told why; the others wait for nothing.
    let told: Vec<Value> = idle.iter_mut().filter_map(Client::try_next).collect();
    let too_many = json!({
        "error": "org.lvmwarden.Service.TooMany",
        "parameters": {"what": "connections", "uid": UID, "limit": 20},
    });
    assert_eq!((told.len(), &told[0]), (380, &too_many));
    let again = as_member(|| Client::connect(&site).next());
    assert_eq!(again, Some(too_many));

    // It is said when it begins and when it ends, however many there were.
    assert_eq!(lines_with(&site, "clients are turned away").len(), 1);
    drop(idle);
    as_member(|| {
        wait::until("room", wait::SOON, || {
            Client::connect(&site)
                .try_call("org.lvmwarden.Service.Info", &json!({}))
                .get("parameters")
                .cloned()
        });
    });
    let ended = wait::until("the end of the shortage", wait::SOON, || {
        lines_with(&site, "clients are let in again").into_iter().next()
    });
    assert!(ended.contains(&format!("user {UID}")) && ended.contains("turned_away: 381"), "{ended}");
    drop(service);
}

/// A TCP connection tells no user: the door's own bound and its deadline have to do.
#[test]
fn four_hundred_idle_readers_of_metrics_are_felt_by_no_other_door_and_leave_soon() {
    let site = Site::new();
    let port = free_port();
    let launch = site.service().set("metrics.listen", &format!("\"127.0.0.1:{port}\""));
    let _service = launch.open_files(300).start();
    let mut idle = Vec::new();
    lvm_connects_during(&site, || {
        idle = (0..400).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
        thread::sleep(WHILE);
    });
    let mut client = Client::connect(&site);
    start_pvmove(&site, &mut client, &site.pvmove("pvmove0"));
    wait::until("a place at the door", wait::SOON, || page(port));
    drop(idle);
}

#[test]
fn waiting_calls_of_a_member_take_none_from_root() {
    let site = Site::new();
    let _service = open_to_members(site.service(), &site).set("log.level", "\"error\"").start();
    let mut root = Client::connect(&site);
    let (id, _) = start_pvmove(&site, &mut root, &site.pvmove("pvmove0"));
    let recent = root.call("org.lvmwarden.Events.Recent", &json!({}));
    let cursor = &recent["events"][0]["cursor"];
    let subscribe = |count| {
        as_member(|| {
            let mut all: Vec<_> = (0..count).map(|_| Client::connect(&site)).collect();
            for client in &mut all {
                client.stream("org.lvmwarden.Events.Subscribe", &json!({ "cursor": cursor }));
            }
            all
        })
    };
    let mut subscribers = Vec::new();
    lvm_connects_during(&site, || {
        subscribers = subscribe(375);
        let end = Instant::now() + WHILE;
        // Each of them is told of each event.
        while Instant::now() < end {
            root.call("org.lvmwarden.Supervisor.SetLogLevel", &json!({ "level": "critical" }));
            root.call("org.lvmwarden.Supervisor.SetLogLevel", &json!({ "level": "error" }));
            thread::sleep(Duration::from_millis(100));
        }
    });
    for client in &mut subscribers {
        // Whoever is told of an event has been let in.
        client.next_of_stream();
    }
    for mut client in subscribe(125) {
        let reply = client.next().unwrap();
        let parameters = json!({"what": "waiting_calls", "uid": UID, "limit": 375});
        assert_eq!(reply, json!({"error": "org.lvmwarden.Service.TooMany", "parameters": parameters}));
    }
    root.stream("org.lvmwarden.Poll.Watch", &json!({}));
    assert_eq!(root.next_of_stream().0["operation"]["id"], id);
    let waited = Client::connect(&site).call("org.lvmwarden.Poll.Wait", &json!({"id": id, "timeout_ms": 1}));
    assert_eq!(waited["operation"]["id"], id);
}

/// Lets two threads of an ordinary user do `mischief`, while lvm's commands connect and say hello.
#[track_caller]
fn lvm_is_greeted_during(site: &Site, mischief: impl Fn() + Sync) {
    lvm_connects_during(site, || {
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    become_member();
                    mischief();
                });
            }
        });
    });
}

#[test]
fn lvm_is_greeted_while_a_member_takes_all_that_it_may() {
    let site = Site::new();
    let copies = site.archive();
    fs::create_dir(&copies).unwrap();
    for index in 0..2000 {
        fs::write(copies.join(format!("vg0_{index:05}-7.vg")), "").unwrap();
    }
    let launch = open_to_members(site.service(), &site).set("log.level", "\"info\"").set("log.wire", "false");
    let _service: Service = launch.open_files(300).start();
    let soon = || Instant::now() + Duration::from_secs(5);
    lvm_is_greeted_during(&site, || {
        let end = soon();
        let mut kept = Vec::new();
        while Instant::now() < end {
            kept.push(Client::connect(&site));
            kept.truncate(30);
        }
    });
    let subscribe = json!({"method": "org.lvmwarden.Events.Subscribe", "more": true}).to_string() + "\0";
    lvm_is_greeted_during(&site, || {
        let end = soon();
        let mut kept = Vec::new();
        while Instant::now() < end {
            let mut client = connect_within(&site.api_socket(), wait::SOON).unwrap();
            // It may have been turned away already.
            let _ = client.write_all(subscribe.as_bytes());
            kept.push(client);
            kept.truncate(5);
        }
    });
    let plan = json!({"method": "org.lvmwarden.Archive.Plan"}).to_string() + "\0";
    lvm_is_greeted_during(&site, || {
        let end = soon();
        while Instant::now() < end {
            // It may be turned away while connections of before are not closed yet.
            let mut client = connect_within(&site.api_socket(), wait::SOON).unwrap();
            let _ = client.write_all(plan.as_bytes());
            let _ = client.read(&mut [0; 4096]);
        }
    });
}
