//! The transport over corosync: its closed process groups, and its quorum.
//!
//! ```text
//!   the role ── send ──▶ outbox ──▶┐                      ┌▶ libcpg ────┐
//!            (never waits, ≤ 256)  │ the thread: one event │             ├ corosync ══ the other nodes
//!   the role ◀── events (1,024) ◀──┘ or message at a time  └▶ libquorum ─┘
//!                                         ▲
//!                                         └ watch: breaks a connection whose call lasts longer than `send_limit`
//!
//!   connect ──▶ join ──▶ inside ──▶ lost, told ──▶ 1 s … 30 s ──▶ connect
//! ```
//!
//! The libraries block, so a thread of the transport's own makes all calls; a second one only watches its deadlines.
//!
//! A daemon that is gone is seen at once. One that is stopped takes messages all the same, and sends them when it goes on,
//! however old they are: it is seen by a message of our own that does not come back within `delivery_limit`. A loss forgets
//! the whole group; this host joins it again as a new member.
//!
//! While a dead host has not been found, which by default takes 8 s, every message is late: it is delivered in the next view.
//! That is no loss, or one death would be everybody's; so `delivery_limit` is longer than that. How long somebody waits
//! for their own message within a change is the machines' affair (`send_limit` of the contract).
//!
//! To leave in an orderly way, drop the transport and wait for the end of its events: others then see that this host has
//! left, rather than that its process has died.

mod backoff;
mod connection;
mod outbox;
mod shared;
mod teller;
mod thread;
mod watch;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{EVENTS, LocalFacts, Opened, SendError, Transport, check_length};
use shared::Shared;
use thread::Thread;
use watch::Watch;

/// How the transport behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The group, of 1 to 128 bytes; members of the same group hear one another.
    pub group: String,
    /// What this host is called, for people.
    pub name: String,
    /// How long one call may take, a message be refused, or the role not take an event.
    pub send_limit: Duration,
    /// How long a message of this host's may not come back; longer than a cluster takes to find a dead host.
    pub delivery_limit: Duration,
    /// How long to wait before the first attempt to connect again; then twice as long each time.
    pub first_reconnect: Duration,
    /// How long to wait at the longest.
    pub longest_reconnect: Duration,
}

impl Settings {
    /// Returns the settings of a host of this name.
    pub fn of_host(name: String) -> Self {
        Self {
            group: "lvmwarden.1".to_owned(),
            name,
            send_limit: Duration::from_secs(2),
            delivery_limit: Duration::from_secs(30),
            first_reconnect: Duration::from_secs(1),
            longest_reconnect: Duration::from_secs(30),
        }
    }
}

/// The transport. Dropped, it leaves its group.
pub struct Corosync {
    shared: Arc<Shared>,
    name: String,
}

impl Corosync {
    /// Opens the transport; it connects and joins by itself, also where corosync or its libraries are not there yet.
    ///
    /// # Errors
    /// There are too many threads or descriptors.
    pub fn open(settings: Settings) -> io::Result<Opened> {
        let shared = Arc::new(Shared::new()?);
        let (sender, events) = mpsc::channel(EVENTS);
        let name = settings.name.clone();
        let watch = Watch::start()?;
        let thread = Thread { settings, shared: Arc::clone(&shared), events: sender, watch, dropped: 0 };
        // The library has buffers of a megabyte on the stack.
        let builder = std::thread::Builder::new().name("cpg".to_owned()).stack_size(4 << 20);
        builder.spawn(move || thread.run())?;
        Ok(Opened { transport: Arc::new(Self { shared, name }), events })
    }
}

impl Transport for Corosync {
    fn send(&self, bytes: Vec<u8>) -> Result<(), SendError> {
        check_length(&bytes)?;
        self.shared.lock().outbox.push(bytes)?;
        self.shared.wake();
        Ok(())
    }

    fn facts(&self) -> LocalFacts {
        let state = self.shared.lock();
        LocalFacts {
            transport: "corosync",
            node: state.node,
            name: self.name.clone(),
            problem: state.problem.clone(),
        }
    }

    fn dropped(&self) -> u64 {
        self.shared.dropped()
    }
}

impl Drop for Corosync {
    fn drop(&mut self) {
        self.shared.lock().is_stopped = true;
        self.shared.wake();
    }
}
