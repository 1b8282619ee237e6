//! Many connections in one thread, each of which always waits for one answer.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};

use crate::client::TERMINATOR;

/// After so long without any answer the daemon hangs.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends `request` (with its terminator) on every connection for `period`, the next as soon as the answer is there.
///
/// Returns the time from request to answer of each, and how long all took; `None` when the daemon hung.
///
/// # Errors
/// When a connection breaks.
pub fn run(
    connections: &mut [UnixStream],
    request: &[u8],
    period: Duration,
) -> io::Result<Option<(Vec<Duration>, Duration)>> {
    let scripts = vec![vec![request.to_vec()]; connections.len()];
    run_scripts(connections, &scripts, period)
}

/// As [`run`], but each connection has a script of its own; it sends its messages in turns and ends after the last.
///
/// # Errors
/// When a connection breaks.
pub fn run_scripts(
    connections: &mut [UnixStream],
    scripts: &[Vec<Vec<u8>>],
    period: Duration,
) -> io::Result<Option<(Vec<Duration>, Duration)>> {
    let poller = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    for (connection, index) in connections.iter().zip(0..) {
        epoll::add(&poller, connection, EventData::new_u64(index), EventFlags::IN)?;
    }
    let begin = Instant::now();
    let mut actors: Vec<_> = scripts.iter().map(|script| Actor::new(script, begin)).collect();
    for (actor, connection) in actors.iter_mut().zip(connections.iter_mut()) {
        connection.write_all(actor.next_line(begin))?;
    }
    let mut latencies = Vec::with_capacity(1 << 20);
    let mut under_way = connections.len();
    let mut events = Vec::with_capacity(connections.len());
    let patience = Timespec::try_from(PATIENCE).expect("a few seconds fit");
    while under_way > 0 {
        events.clear();
        epoll::wait(&poller, rustix::buffer::spare_capacity(&mut events), Some(&patience))?;
        if events.is_empty() {
            return Ok(None);
        }
        for event in &events {
            let index = usize::try_from(event.data.u64()).expect("it was an index");
            let (actor, connection) = (&mut actors[index], &mut connections[index]);
            if !actor.tail.read_from(connection)? {
                continue;
            }
            let now = Instant::now();
            latencies.push(now - actor.sent);
            if now - begin < period || !actor.is_at_end() {
                connection.write_all(actor.next_line(now))?;
            } else {
                under_way -= 1;
            }
        }
    }
    Ok(Some((latencies, begin.elapsed())))
}

/// One connection's part.
struct Actor<'a> {
    script: &'a [Vec<u8>],
    /// How many lines it has said.
    said: usize,
    /// When it said the last one.
    sent: Instant,
    tail: Tail,
}

impl<'a> Actor<'a> {
    fn new(script: &'a [Vec<u8>], now: Instant) -> Self {
        Self { script, said: 0, sent: now, tail: Tail::default() }
    }

    fn next_line(&mut self, now: Instant) -> &'a [u8] {
        let line = &self.script[self.said % self.script.len()];
        self.said += 1;
        self.sent = now;
        line
    }

    /// Has it just said the last line of its script?
    fn is_at_end(&self) -> bool {
        self.said.is_multiple_of(self.script.len())
    }
}

/// The last bytes of a reply that may come in pieces.
#[derive(Debug, Default, Clone, Copy)]
struct Tail([u8; TERMINATOR.len()]);

impl Tail {
    /// Reads what is there; was it the end of a reply?
    fn read_from(&mut self, connection: &mut UnixStream) -> io::Result<bool> {
        let mut chunk = [0; 16384];
        let count = connection.read(&mut chunk)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for &byte in &chunk[count.saturating_sub(TERMINATOR.len())..count] {
            self.0.rotate_left(1);
            self.0[TERMINATOR.len() - 1] = byte;
        }
        let ended = self.0 == TERMINATOR;
        if ended {
            *self = Self::default();
        }
        Ok(ended)
    }
}
