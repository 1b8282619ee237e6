//! Clients that break the rules: each is told or dropped, and nobody else is held up.

use std::io::Read;
use std::time::{Duration, Instant};

use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

use crate::support::{Client, start_pvmove};

/// The longest that an answer may take while somebody misbehaves: a debug build on a busy machine takes some.
const NOT_SLOWED: Duration = Duration::from_secs(1);
/// The largest call, in bytes.
const LIMIT: usize = 64 * 1024;

#[test]
fn a_message_that_is_too_large_is_answered_with_the_limit_and_the_connection_closed() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    client.send(&vec![b'x'; LIMIT + 1000]);
    assert_eq!(
        client.next().unwrap(),
        json!({"error": "org.lvmwarden.Service.MessageTooLarge", "parameters": {"limit_bytes": LIMIT}})
    );
    assert_eq!(client.next(), None);
}

#[test]
fn what_is_no_message_is_answered_with_the_reason_and_the_connection_closed() {
    let site = Site::new();
    let _service = site.service().start();
    for nonsense in ["hello\0", "[]\0", "{\"method\":1}\0", "\u{feff}{}\0"] {
        let mut client = Client::connect(&site);
        client.send(nonsense.as_bytes());
        let reply = client.next().unwrap_or_else(|| panic!("no answer to {nonsense:?}"));
        assert_eq!(reply["error"], "org.lvmwarden.Service.InvalidMessage", "{nonsense:?}: {reply}");
        assert_eq!(client.next(), None);
    }
}

#[test]
fn a_deep_message_is_answered_like_any_other_nonsense() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    client.send(format!("{}\0", "[".repeat(LIMIT / 2)).as_bytes());
    assert_eq!(client.next().unwrap()["error"], "org.lvmwarden.Service.InvalidMessage");
}

#[test]
fn half_a_message_and_a_closed_connection_leave_nothing_behind() {
    let site = Site::new();
    let service = site.service().start();
    let before = service.descriptor_count();
    for _ in 0..50 {
        Client::connect(&site).send(b"{\"method\":\"org.lvmwarden.Poll");
    }
    wait::until("the descriptors of before", wait::SOON, || {
        (service.descriptor_count() <= before).then_some(())
    });
    assert_eq!(Client::connect(&site).call("org.lvmwarden.Poll.List", &json!({})), json!({"operations": []}));
}

#[test]
fn readers_that_never_read_are_dropped_and_nobody_is_held_up() {
    let site = Site::new();
    // The log is not what is tested here.
    let _service = site.service().set("log.level", "\"error\"").set("log.wire", "false").start();
    let mut idlers: Vec<_> = (0..5).map(|_| Client::patient(&site, Duration::from_mins(1))).collect();
    for idler in &mut idlers {
        idler.stream("org.lvmwarden.Events.Subscribe", &json!({}));
    }
    let mut client = Client::connect(&site);
    let mut slowest = Duration::ZERO;
    for number in 0..4000 {
        let level = ["critical", "error"][number % 2];
        let begin = Instant::now();
        client.call("org.lvmwarden.Supervisor.SetLogLevel", &json!({ "level": level }));
        slowest = slowest.max(begin.elapsed());
    }
    assert!(slowest < NOT_SLOWED, "{slowest:?}");
    let dropped = Duration::from_secs(30);
    // Each by its own socket: of the daemon's descriptors others come and go, and whoever is read from lives on.
    wait::until("the end of those who do not read", dropped, || {
        let begin = Instant::now();
        client.call("org.lvmwarden.Service.Info", &json!({}));
        slowest = slowest.max(begin.elapsed());
        idlers.iter().all(Client::is_hung_up).then_some(())
    });
    assert!(slowest < NOT_SLOWED, "{slowest:?}");
    // What had been sent can still be read; then comes the end.
    let mut events = 0;
    while idlers[0].next().is_some() {
        events += 1;
    }
    assert!((1..4000).contains(&events), "{events}");
}

/// Whoever waits costs something whenever anything happens: also a member of the group must not be able to wait as often as
/// it likes.
#[test]
fn there_are_no_more_that_wait_than_there_may_be() {
    let limit = getrlimit(Resource::Nofile);
    // The service inherits it.
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let site = Site::new();
    let _service = site.service().set("log.level", "\"error\"").start();
    let mut client = Client::connect(&site);
    let (id, _) = start_pvmove(&site, &mut client, &site.pvmove("pvmove0"));
    let call = json!({"method": "org.lvmwarden.Poll.Wait", "parameters": {"id": id}}).to_string() + "\0";
    let waiting: Vec<_> = (0..1000)
        .map(|_| {
            let mut waiting = Client::connect(&site);
            waiting.send(call.as_bytes());
            waiting
        })
        .collect();
    let counted = "lvmwarden_requests_total{door=\"api\",request=\"org.lvmwarden.Poll.Wait\"} 1000\n";
    wait::until("all who wait", wait::SOON, || {
        let metrics = client.call("org.lvmwarden.Metrics.Get", &json!({}));
        metrics["openmetrics"].as_str().unwrap().contains(counted).then_some(())
    });
    let mut one_more =
        || client.try_call("org.lvmwarden.Poll.Wait", &json!({"id": id, "timeout_ms": 1}))["error"].take();
    assert_eq!(one_more(), "org.lvmwarden.Service.TooMany");
    drop(waiting);
    wait::until("room for one more", wait::SOON, || one_more().is_null().then_some(()));
}

#[test]
fn a_flood_of_calls_is_answered_in_order_beside_others() {
    let site = Site::new();
    let _service = site.service().set("log.level", "\"error\"").start();
    let call = format!("{}\0", json!({"method": "org.lvmwarden.Service.Info"}));
    let mut flooder = Client::connect(&site);
    let mut other = Client::connect(&site);
    flooder.send(call.repeat(500).as_bytes());
    let begin = Instant::now();
    other.call("org.lvmwarden.Service.Info", &json!({}));
    assert!(begin.elapsed() < NOT_SLOWED, "{:?}", begin.elapsed());
    for _ in 0..500 {
        assert!(flooder.next().unwrap()["parameters"]["pid"].is_number());
    }
}

#[test]
fn the_page_of_metrics_answers_prometheus_and_nobody_else() {
    let site = Site::new();
    // A port that is free now; nothing else on this host takes one so soon.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _service = site.service().set("metrics.listen", &format!("\"127.0.0.1:{port}\"")).start();
    for (request, status) in [
        ("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "200 OK"),
        ("GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
        ("POST /metrics HTTP/1.1\r\n\r\n", "405 Method Not Allowed"),
        ("nonsense\r\n\r\n", "400 Bad Request"),
    ] {
        let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(wait::SOON)).unwrap();
        std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request}: {answer}");
        assert_eq!(answer.ends_with("# EOF\n"), status == "200 OK", "{answer}");
    }
}
