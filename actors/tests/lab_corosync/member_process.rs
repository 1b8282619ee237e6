//! A member's process: prints what the transport tells it, does what it reads from its standard input, and answers.

use std::env;
use std::io::{self, BufRead};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use lvmwarden_actors::roles::reconfigure::transport::cpg::{Corosync, Settings};
use lvmwarden_actors::roles::reconfigure::transport::{SendError, Transport, TransportEvent};
use lvmwarden_supervisor::sys::corosync::{Cpg, Failure};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::mpsc::Receiver;

use crate::member::{DELIVERY_LIMIT_MS, FOREIGN_BYTES};

const GROUP: &str = "lvmwarden.1";

/// Serves until the end of the input.
pub(crate) fn serve() {
    if let Ok(bytes) = env::var(FOREIGN_BYTES) {
        return foreign(bytes.parse().unwrap());
    }
    let limit = env::var(DELIVERY_LIMIT_MS).unwrap().parse().unwrap();
    let opened = Corosync::open(settings(limit)).unwrap();
    let is_deaf = Arc::new(AtomicBool::new(false));
    let hears = Arc::clone(&is_deaf);
    let listener = thread::spawn(move || print_all(opened.events, &hears));
    let (mut transport, mut listener) = (Some(opened.transport), Some(listener));
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        let answer = match line.split(' ').collect::<Vec<_>>()[..] {
            ["deaf", word] => {
                is_deaf.store(word == "yes", Ordering::Relaxed);
                "done".to_owned()
            }
            ["leave"] => {
                transport = None;
                listener.take().unwrap().join().unwrap();
                "ended".to_owned()
            }
            ref words => perform(transport.as_deref().unwrap(), words),
        };
        println!("= {answer}");
    }
}

/// Returns settings whose messages come back within this time.
pub(crate) fn settings(delivery_limit_ms: u64) -> Settings {
    Settings {
        group: GROUP.to_owned(),
        send_limit: Duration::from_millis(500),
        delivery_limit: Duration::from_millis(delivery_limit_ms),
        first_reconnect: Duration::from_millis(100),
        longest_reconnect: Duration::from_millis(400),
        ..Settings::of_host("a test".to_owned())
    }
}

fn perform(transport: &dyn Transport, words: &[&str]) -> String {
    match words {
        ["send", text] => result(transport.send(text.as_bytes().to_vec())),
        ["send_bytes", count] => result(transport.send(vec![b'x'; count.parse().unwrap()])),
        ["flood", count, from] => {
            for number in 0..count.parse::<u32>().unwrap() {
                while transport.send(format!("{from}:{number}").into_bytes()) == Err(SendError::Busy) {
                    thread::sleep(Duration::from_micros(200));
                }
            }
            "done".to_owned()
        }
        ["problem"] => transport.facts().problem.unwrap_or_else(|| "none".to_owned()),
        ["node"] => format!("{:?}", transport.facts().node),
        ["dropped"] => transport.dropped().to_string(),
        words => unreachable!("no such call: {words:?}"),
    }
}

/// Sends a message of so many bytes as a program that knows no limit.
fn foreign(bytes: usize) {
    let mut group = Cpg::load().unwrap().open(0).unwrap();
    again(|| group.join(GROUP));
    again(|| group.multicast(&vec![b'y'; bytes]));
    again(|| group.leave(GROUP));
    println!("= done");
}

/// Makes a call until corosync has time for it.
fn again(mut call: impl FnMut() -> Result<(), Failure>) {
    loop {
        match call() {
            Err(Failure::TRY_AGAIN) => thread::sleep(Duration::from_millis(1)),
            done => return done.unwrap(),
        }
    }
}

fn result(result: Result<(), SendError>) -> String {
    result.map_or_else(|error| error.to_string(), |()| "sent".to_owned())
}

fn print_all(mut events: Receiver<TransportEvent>, is_deaf: &AtomicBool) {
    while let Some(event) = events.blocking_recv() {
        println!("{} {}", now().as_nanos(), text(&event));
        while is_deaf.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(5));
        }
    }
}

pub(crate) fn now() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec.try_into().unwrap(), now.tv_nsec.try_into().unwrap())
}

pub(crate) fn text(event: &TransportEvent) -> String {
    match event {
        TransportEvent::Joined(member) => format!("joined {member}"),
        TransportEvent::ViewChanged { left, joined } => {
            let left = left.iter().map(|member| format!(" -{member}"));
            let joined = joined.iter().map(|member| format!(" +{member}"));
            format!("view{}", left.chain(joined).collect::<String>())
        }
        TransportEvent::RingFormed(ring) => format!("ring {}.{:x}", ring.node, ring.sequence),
        TransportEvent::QuorumTold(ring, is_quorate) => {
            let word = if *is_quorate { "yes" } else { "no" };
            format!("quorum {}.{:x} {word}", ring.node, ring.sequence)
        }
        TransportEvent::Delivered(from, bytes) if bytes.len() > 100 => {
            format!("heard {from} {} bytes", bytes.len())
        }
        TransportEvent::Delivered(from, bytes) => format!("heard {from} {}", String::from_utf8_lossy(bytes)),
        TransportEvent::Lost(why) => format!("lost {why}"),
    }
}
