//! The host's end of the agent's port: sends commands, and hands each reply to the one who waits for it.

use super::wire::{Outcome, Reply, Request};
use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Waiting commands by id; `None` when the guest is gone and nobody will answer any more.
type Waiting = Arc<Mutex<Option<HashMap<u64, Sender<Outcome>>>>>;

/// A connection to a guest's agent.
#[derive(Debug)]
pub struct Connection {
    requests: Mutex<UnixStream>,
    waiting: Waiting,
    next_id: AtomicU64,
}

impl Connection {
    /// Waits until the agent is ready, `limit` at most.
    ///
    /// # Errors
    /// The agent says nothing in time, or something else than that it is ready.
    pub fn establish(stream: UnixStream, limit: Duration) -> Result<Self> {
        stream.set_read_timeout(Some(limit))?;
        let mut replies = BufReader::new(stream.try_clone()?);
        let mut line = String::new();
        replies.read_line(&mut line).with_context(|| format!("no word from the agent within {limit:?}"))?;
        let Ok(Reply::Ready) = serde_json::from_str(&line) else {
            bail!("the agent's first word is {line:?}");
        };
        // The clone shares this setting: from here on, each waiter has its own limit.
        stream.set_read_timeout(None)?;
        let waiting: Waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        let served = Arc::clone(&waiting);
        thread::spawn(move || distribute(replies, &served));
        Ok(Self { requests: Mutex::new(stream), waiting, next_id: AtomicU64::new(1) })
    }

    /// Sends a command; its outcome arrives at what is returned.
    ///
    /// # Errors
    /// The guest is gone.
    pub fn send(&self, command: &str, timeout: Duration) -> Result<Pending> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (sender, outcome) = mpsc::channel();
        match &mut *self.waiting.lock().expect("no holder panics") {
            Some(waiting) => waiting.insert(id, sender),
            None => bail!("the guest is gone"),
        };
        let request = Request { id, command: command.to_owned(), timeout_seconds: timeout.as_secs() };
        let line = serde_json::to_string(&request)? + "\n";
        let mut requests = self.requests.lock().expect("no holder panics");
        requests.write_all(line.as_bytes()).context("the guest is gone")?;
        Ok(Pending { outcome, limit: timeout + Duration::from_secs(30) })
    }
}

/// A command whose outcome is awaited.
#[derive(Debug)]
pub struct Pending {
    outcome: Receiver<Outcome>,
    limit: Duration,
}

impl Pending {
    /// Waits for the outcome; the agent has ended the command by force by then, if need be.
    ///
    /// # Errors
    /// The guest is gone, or does not answer although the command's time is over.
    pub fn wait(&self) -> Result<Outcome> {
        self.outcome.recv_timeout(self.limit).map_err(|error| match error {
            RecvTimeoutError::Timeout => {
                anyhow::anyhow!("the guest hangs: no outcome within {:?}", self.limit)
            }
            RecvTimeoutError::Disconnected => anyhow::anyhow!("the guest is gone"),
        })
    }
}

fn distribute(replies: BufReader<UnixStream>, waiting: &Waiting) {
    for line in replies.lines().map_while(Result::ok) {
        if let Ok(Reply::Ended { id, outcome }) = serde_json::from_str(&line) {
            let waiter = waiting.lock().expect("no holder panics").as_mut().and_then(|all| all.remove(&id));
            // A waiter that has given up is not told.
            let _ = waiter.map(|waiter| waiter.send(outcome));
        }
    }
    *waiting.lock().expect("no holder panics") = None;
}
