//! Four clients that connect, say hello and close as fast as they can, and a witness who keeps its connection.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{HELLO_REPLY, connect_within};

/// How many clients come and go at once.
const CLIENTS: usize = 4;

/// Whoever waits longer than this for a connection or an answer is never served.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a storm was like.
#[derive(Debug)]
pub struct Storm {
    /// Connections that were served to their end.
    pub served: usize,
    /// How long the storm lasted.
    pub took: Duration,
    /// Was somebody never served?
    pub hung: bool,
    /// How long the witness waited for each of its answers.
    pub witness: Vec<Duration>,
}

/// Storms the daemon at `socket` for `period`, or until it hangs.
pub fn run(socket: &Path, period: Duration) -> Storm {
    let begin = Instant::now();
    let end = begin + period;
    thread::scope(|scope| {
        let witness = scope.spawn(|| watch(socket, end));
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(|| come_and_go(socket, end))).collect();
        let served: Vec<_> =
            clients.into_iter().map(|client| client.join().expect("a client does not panic")).collect();
        let took = begin.elapsed();
        let (latencies, witness_hung) = witness.join().expect("the witness does not panic");
        Storm {
            served: served.iter().map(|(count, _)| count).sum(),
            took,
            hung: witness_hung || served.iter().any(|(_, hung)| *hung),
            witness: latencies,
        }
    })
}

fn come_and_go(socket: &Path, end: Instant) -> (usize, bool) {
    let mut count = 0;
    while Instant::now() < end {
        if connect_within(socket, PATIENCE).and_then(|mut connection| say_hello(&mut connection)).is_err() {
            return (count, true);
        }
        count += 1;
    }
    (count, false)
}

fn watch(socket: &Path, end: Instant) -> (Vec<Duration>, bool) {
    let mut latencies = Vec::new();
    let Ok(mut connection) = connect_within(socket, PATIENCE) else { return (latencies, true) };
    while Instant::now() < end {
        let begin = Instant::now();
        if say_hello(&mut connection).is_err() {
            return (latencies, true);
        }
        latencies.push(begin.elapsed());
        thread::sleep(Duration::from_millis(1));
    }
    (latencies, false)
}

fn say_hello(connection: &mut UnixStream) -> io::Result<()> {
    connection.write_all(b"request=\"hello\"\n\n##\n")?;
    let mut reply = [0; HELLO_REPLY.len()];
    connection.read_exact(&mut reply)
}
