//! Many clients at once, clients that misbehave, and deaths. M-62, M-63, M-69.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lvmwarden_integration::client::{TERMINATOR, connect_within};
use lvmwarden_integration::metad::{MetadSite, OK, UPDATING, found, vg, vg_with};
use lvmwarden_integration::{site::Site, wait};
use lvmwarden_protocol::metadata::Reply;
use serde_json::json;

/// How many clients there are.
const CLIENTS: i64 = 8;
/// How many PVs, each with a VG of its own, the clients find.
const PVS: usize = 20;

/// A client that connects anew when its daemon has died.
struct Survivor {
    socket: PathBuf,
    stream: Option<UnixStream>,
    pid: i64,
}

impl Survivor {
    fn new(socket: PathBuf, pid: i64) -> Self {
        Self { socket, stream: None, pid }
    }

    /// Returns the reply, which is well formed; `None` when there is no daemon, or none any more.
    fn ask(&mut self, fields: &str, token: &str) -> Option<String> {
        let message = format!("request={fields} token=\"{token}\" pid={} update_timeout=1 cmd=pvs", self.pid);
        let reply = self.exchange(&message);
        if reply.is_none() {
            self.stream = None;
        }
        reply
    }

    fn exchange(&mut self, message: &str) -> Option<String> {
        if self.stream.is_none() {
            self.stream = connect_within(&self.socket, wait::SOON).ok();
        }
        let stream = self.stream.as_mut()?;
        stream.write_all(&[message.as_bytes(), TERMINATOR].concat()).ok()?;
        let mut reply = Vec::new();
        while !reply.ends_with(TERMINATOR) {
            let mut chunk = [0; 16384];
            let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
            reply.extend_from_slice(&chunk[..count]);
        }
        reply.truncate(reply.len() - TERMINATOR.len());
        Reply::parse(&reply).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&reply)));
        Some(String::from_utf8(reply).unwrap())
    }

    /// Does what a reading command does: fills the cache if that has not been done, and reads it.
    ///
    /// Returns whether it has seen all VGs; `None` when it has to begin anew.
    fn read_all(&mut self) -> Option<bool> {
        let info = self.ask("get_global_info", "skip")?;
        if !info.contains("\ntoken = \"t\"\n") {
            self.fill()?;
        }
        let pvs = self.ask("pv_list", "t").filter(|reply| reply.starts_with("response=\"OK\""))?;
        let vgs = self.ask("vg_list", "t").filter(|reply| reply.starts_with("response=\"OK\""))?;
        Some(pvs.matches("vgname=").count() == PVS && vgs.matches("name=").count() == PVS)
    }

    fn fill(&mut self) -> Option<()> {
        let begun = self.ask("token_update", UPDATING)?;
        if !begun.starts_with(OK) {
            thread::sleep(Duration::from_millis(5));
            return None;
        }
        self.ask("pv_clear_all", UPDATING)?;
        for number in 0..PVS {
            let metadata = vg(&format!("v{number}"), &format!("G{number}"), 1, &[&format!("A{number}")]);
            let pv = format!("pv_found pvmeta {{ id=A{number} device={} }} {metadata}", number + 1);
            self.ask(&pv, UPDATING).filter(|reply| reply.starts_with(OK))?;
        }
        self.ask("token_update", "t").filter(|reply| reply.starts_with(OK)).map(|_| ())
    }
}

/// M-62.
#[test]
fn half_a_message_holds_up_nobody_else() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    let mut slow = site.client().into_inner();
    slow.send_raw(b"request=\"pv_li").unwrap();
    let begin = Instant::now();
    for _ in 0..100 {
        assert_eq!(client.ask("set_global_info"), OK);
    }
    assert!(begin.elapsed() < Duration::from_secs(5));
    drop(slow);
    assert_eq!(client.ask("set_global_info"), OK);
}

/// M-63: C answers with garbage at times.
#[test]
fn lists_are_whole_while_the_cache_is_cleared_and_filled() {
    let site = MetadSite::new();
    let _daemon = site.daemon().start();
    let (is_over, lists) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let writers = (1..=4).map(|writer| {
        let (mut client, is_over) = (site.client(), Arc::clone(&is_over));
        thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                for number in 0..10_i64 {
                    let (name, uuid) = (format!("v{writer}-{number}"), format!("G{writer}-{number}"));
                    let pv = format!("A{writer}-{number}");
                    let reply = client.found(&pv, writer * 100 + number, &vg(&name, &uuid, 1, &[&pv]));
                    assert!(reply.starts_with(OK), "{reply}");
                }
                assert_eq!(client.ask("pv_clear_all"), OK);
            }
        })
    });
    let readers = (1..=4).map(|reader| {
        let (socket, is_over, lists) = (site.socket(), Arc::clone(&is_over), Arc::clone(&lists));
        thread::spawn(move || {
            let mut client = Survivor::new(socket, reader);
            while !is_over.load(Ordering::Relaxed) {
                let pvs = client.ask("pv_list", "skip").unwrap();
                // Each PV has a VG of its own: a list is of one moment.
                assert_eq!(pvs.matches("\tid=").count(), pvs.matches("\tvgname=").count(), "{pvs}");
                let vgs = client.ask("vg_list", "skip").unwrap();
                assert_eq!(vgs.matches(" {\n\t\tname=\"v").count(), vgs.matches("\n\t}").count(), "{vgs}");
                client.ask("vg_lookup name=v1-3", "skip").unwrap();
                client.ask("dump", "skip").unwrap();
                lists.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let threads: Vec<_> = writers.chain(readers).collect();
    // A count, not a time: a busy machine lists as often, and takes longer.
    let is_failed = || threads.iter().any(thread::JoinHandle::is_finished);
    let begin = Instant::now();
    while lists.load(Ordering::Relaxed) < 200 && !is_failed() && begin.elapsed() < Duration::from_secs(40) {
        thread::sleep(Duration::from_millis(10));
    }
    is_over.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(lists.load(Ordering::Relaxed) >= 200, "{lists:?}");
}

/// M-69.
#[test]
fn clients_that_come_at_once_fill_the_cache_one_after_the_other() {
    let site = MetadSite::new();
    let (_daemon, mut client) = site.start();
    // One began, and died.
    assert!(client.begin(99, 1).starts_with(OK));
    let begin = Instant::now();
    let clients: Vec<_> = (1..=6)
        .map(|pid| {
            let mut client = Survivor::new(site.socket(), pid);
            thread::spawn(move || wait::until("a full cache", wait::SOON, || client.read_all()))
        })
        .collect();
    for client in clients {
        assert!(client.join().unwrap(), "whoever reads sees all of it");
    }
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
}

#[test]
fn a_daemon_that_is_killed_at_any_moment_is_filled_anew() {
    let site = MetadSite::new();
    let mut daemon = site.daemon().start();
    let (is_over, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (1..=CLIENTS)
        .map(|pid| {
            let mut client = Survivor::new(site.socket(), pid);
            let (is_over, reads) = (Arc::clone(&is_over), Arc::clone(&reads));
            thread::spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    match client.read_all() {
                        Some(is_whole) => {
                            assert!(is_whole, "a client that follows the rules has seen half a cache");
                            reads.fetch_add(1, Ordering::Relaxed);
                        }
                        None => thread::sleep(Duration::from_millis(1)),
                    }
                }
                wait::until("a full cache at the end", wait::SOON, || client.read_all())
            })
        })
        .collect();
    // Not in step with anything that the clients do.
    for life in 0_u64..12 {
        thread::sleep(Duration::from_millis(20 + life * 37 % 150));
        daemon.kill();
        daemon = site.daemon().start();
    }
    is_over.store(true, Ordering::Relaxed);
    for client in clients {
        assert!(client.join().unwrap());
    }
    assert!(reads.load(Ordering::Relaxed) > 0);
}

#[test]
fn a_panic_in_one_vg_costs_that_vg_a_read_and_nobody_else_anything() {
    let site = MetadSite::new();
    let _daemon = site.daemon().environment("LVMWARDEN_FAULT", "panic@metadata.deciding=G1").start();
    let mut client = site.client();
    for number in 1..=2 {
        let metadata = vg(&format!("v{number}"), &format!("G{number}"), 1, &[&format!("A{number}")]);
        client.found(&format!("A{number}"), number, &metadata);
    }
    let other = client.ask("vg_lookup name=v2");
    assert!(!other.contains("vg_invalid"));
    // Its actor panics, and a fresh one decides.
    let offered = vg("v1", "G1", 1, &["A1"]);
    assert_eq!(client.found("A1", 1, &offered), found("complete", 0, "G1", "v1", 1, 1));
    let shown = client.ask("vg_lookup name=v1");
    assert!(shown.contains("\tseqno=1\n") && shown.contains("\nvg_invalid {\n}\n"), "{shown}");
    assert_eq!(client.ask("vg_lookup name=v2"), other);
    assert_eq!(client.found("A2", 2, &vg("v2", "G2", 1, &["A2"])), found("complete", 0, "G2", "v2", 1, 1));
    // The command that has read it says so.
    assert_eq!(client.update(&vg_with("v1", "G1", 1, &["A1"], "")), OK);
    assert!(!client.ask("vg_lookup name=v1").contains("vg_invalid"));
}

#[test]
fn a_vg_whose_actor_crashes_again_and_again_holds_up_no_other() {
    let site = MetadSite::new();
    let fault = |hit: u8| format!("panic@metadata.deciding=G1:{hit}");
    let faults = [fault(1), fault(2), fault(3)].join(";");
    let _daemon = site.daemon().environment("LVMWARDEN_FAULT", faults).start();
    let (mut client, mut other) = (site.client(), site.client());
    client.found("A1", 1, &vg("v1", "G1", 1, &["A1"]));
    client.found("A2", 2, &vg("v2", "G2", 1, &["A2"]));
    let is_over = Arc::new(AtomicBool::new(false));
    let unlucky = thread::spawn({
        let is_over = Arc::clone(&is_over);
        move || {
            let reply = client.update(&vg("v1", "G1", 2, &["A1"]));
            is_over.store(true, Ordering::Relaxed);
            (client, reply)
        }
    });
    let mut changes = 0;
    while !is_over.load(Ordering::Relaxed) {
        assert_eq!(other.update(&vg("v2", "G2", 2 + changes % 2, &["A2"])), OK);
        changes += 1;
    }
    let (mut client, reply) = unlucky.join().unwrap();
    assert!(reply.starts_with("response = \"failed\"\n"), "{reply}");
    assert!(changes >= 20, "{changes} changes of another VG while one was restarted twice");
    let shown = client.ask("vg_lookup name=v1");
    assert!(shown.contains("\tseqno=1\n") && shown.contains("vg_invalid"), "nothing was changed: {shown}");
    assert_eq!(client.update(&vg("v1", "G1", 2, &["A1"])), OK);
    assert!(!client.ask("vg_lookup name=v1").contains("vg_invalid"));
}

#[test]
fn the_service_plays_the_role_where_it_is_told_to() {
    let site = Site::new();
    let socket = site.path("lvmetad.socket");
    let quoted = |path: &Path| format!("{:?}", path.to_str().unwrap());
    let service = site
        .service()
        .set("service.roles", r#"["metadata"]"#)
        .set("metadata.socket", &quoted(&socket))
        .configure()
        .start();
    let mut client = Survivor::new(socket, 1);
    assert_eq!(client.read_all(), Some(true));
    for name in ["root/metadata/cached_vgs/G7", "root/doors/lvmetad"] {
        wait::until(name, wait::SOON, || {
            let tree = service.call("org.lvmwarden.Supervisor.Tree", &json!({})).to_string();
            tree.contains(&format!("\"{name}\"")).then_some(())
        });
    }
}
