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
    let poller = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    for (connection, index) in connections.iter().zip(0..) {
        epoll::add(&poller, connection, EventData::new_u64(index), EventFlags::IN)?;
    }
    let begin = Instant::now();
    let mut sent = vec![begin; connections.len()];
    for connection in connections.iter_mut() {
        connection.write_all(request)?;
    }
    let mut latencies = Vec::with_capacity(1 << 20);
    let mut under_way = connections.len();
    let mut tails = vec![Tail::default(); connections.len()];
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
            if !tails[index].read_from(&mut connections[index])? {
                continue;
            }
            let now = Instant::now();
            latencies.push(now - sent[index]);
            if now - begin < period {
                sent[index] = now;
                connections[index].write_all(request)?;
            } else {
                under_way -= 1;
            }
        }
    }
    Ok(Some((latencies, begin.elapsed())))
}

/// The last bytes of a reply that may come in pieces.
#[derive(Debug, Default, Clone, Copy)]
struct Tail([u8; TERMINATOR.len()]);

impl Tail {
    /// Reads what is there; was it the end of a reply?
    fn read_from(&mut self, connection: &mut UnixStream) -> io::Result<bool> {
        let mut chunk = [0; 4096];
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
