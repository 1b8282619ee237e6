//! The network between guests: a hub on a Unix socket that hands each frame to all other guests.
//!
//! Addresses exist in the guests only; nothing reaches the host's network. A frame is a length of four bytes, big-endian,
//! and the frame itself (QEMU's stream netdev). A guest that is killed and boots again just connects again.

use super::init::Init;
use anyhow::{Context, Result};
use std::collections::{HashMap, HashSet};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// A guest that does not take a frame for so long is not served any more.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// Where a frame has the last byte of its sender's hardware address, which is the number of the host.
const SENDER: usize = 11;

/// A running hub; it ends with the process, its socket with the value.
#[derive(Debug)]
pub struct Hub {
    folder: TempDir,
    wires: Arc<Mutex<Wires>>,
}

#[derive(Debug, Default)]
struct Wires {
    /// Connections by a number of their own.
    ports: HashMap<u64, UnixStream>,
    /// Connections of hosts: known from the first frame of each.
    hosts: HashMap<u64, u8>,
    /// Hosts whose frames are neither taken nor delivered.
    cut: HashSet<u8>,
}

impl Hub {
    /// Starts a hub.
    ///
    /// # Errors
    /// The temporary folder takes no socket.
    pub fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("lvmwarden-lab-hub-").tempdir()?;
        let listener = UnixListener::bind(folder.path().join("socket")).context("cannot open the hub")?;
        let wires: Arc<Mutex<Wires>> = Arc::default();
        let served = Arc::clone(&wires);
        thread::spawn(move || {
            for (number, stream) in (0..).zip(listener.incoming().map_while(Result::ok)) {
                let wires = Arc::clone(&served);
                thread::spawn(move || serve(number, stream, &wires));
            }
        });
        Ok(Self { folder, wires })
    }

    /// Returns how the host with this number, from 1, is brought up with a card on this hub.
    pub fn host(&self, number: u8) -> Init {
        Init::LockHost { number, network: self.socket() }
    }

    /// Pulls the cable of a host.
    pub fn cut(&self, host: u8) {
        self.wires.lock().expect("no holder panics").cut.insert(host);
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }
}

/// Hands on what arrives at one connection, until it is closed.
fn serve(port: u64, stream: UnixStream, wires: &Mutex<Wires>) -> io::Result<()> {
    let sending = stream.try_clone()?;
    sending.set_write_timeout(Some(WRITE_LIMIT))?;
    wires.lock().expect("no holder panics").ports.insert(port, sending);
    let mut frames = BufReader::new(stream);
    let ended = loop {
        match next_frame(&mut frames) {
            Ok(frame) => wires.lock().expect("no holder panics").hand_on(port, &frame),
            Err(error) => break error,
        }
    };
    let mut wires = wires.lock().expect("no holder panics");
    wires.ports.remove(&port);
    wires.hosts.remove(&port);
    Err(ended)
}

/// Returns the next frame with its length before it.
fn next_frame(frames: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    frames.read_exact(&mut length)?;
    let mut frame = length.to_vec();
    let expected = u32::from_be_bytes(length).into();
    if frames.take(expected).read_to_end(&mut frame)? as u64 != expected {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(frame)
}

impl Wires {
    fn hand_on(&mut self, port: u64, frame: &[u8]) {
        if let Some(sender) = frame.get(4 + SENDER) {
            self.hosts.insert(port, *sender);
        }
        if self.is_cut(port) {
            return;
        }
        let receivers: Vec<u64> =
            self.ports.keys().copied().filter(|other| *other != port && !self.is_cut(*other)).collect();
        for receiver in receivers {
            // A frame that was written in part would shift all that follow.
            if self.ports.get_mut(&receiver).is_some_and(|stream| stream.write_all(frame).is_err()) {
                self.ports.remove(&receiver);
            }
        }
    }

    fn is_cut(&self, port: u64) -> bool {
        self.hosts.get(&port).is_some_and(|host| self.cut.contains(host))
    }
}
