//! One connection to a poll daemon, in raw bytes: independent of our own parser and writer.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use rustix::net::sockopt::Timeout;
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::request::Operation;
use crate::wait;

/// The four bytes that end each message: newline, two hashes, newline.
pub const TERMINATOR: &[u8] = b"\n##\n";

/// The reply to a hello, byte for byte.
pub const HELLO_REPLY: &str = "response = \"OK\"\nprotocol = \"lvmpolld\"\nversion = 1\n\n##\n";

/// The reply to a request that was taken.
pub const OK: &str = "response = \"OK\"\n\n##\n";

/// The reply about an operation that runs.
pub const IN_PROGRESS: &str = "response = \"in_progress\"\n\n##\n";

/// The reply about an operation that nobody knows.
pub const NOT_FOUND: &str = "response = \"not_found\"\n\n##\n";

/// Returns the reply with `response` and a reason, such as `invalid` or `failed`.
pub fn refusal(response: &str, reason: &str) -> String {
    format!("response = \"{response}\"\nreason = \"{reason}\"\n\n##\n")
}

/// Returns the reply about an operation that ended: `reason` is `retcode` or `signal`.
pub fn finished(reason: &str, value: i32) -> String {
    format!("response = \"finished\"\nreason = \"{reason}\"\nvalue = {value}\n\n##\n")
}

/// Connects; the connection, each read and each write fail when they take longer than `deadline`.
///
/// # Errors
/// When nobody listens, or whoever does accepts nothing for so long.
pub fn connect_within(socket: &Path, deadline: Duration) -> io::Result<UnixStream> {
    let descriptor = net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    net::sockopt::set_socket_timeout(&descriptor, Timeout::Send, Some(deadline))?;
    net::sockopt::set_socket_timeout(&descriptor, Timeout::Recv, Some(deadline))?;
    net::connect(&descriptor, &SocketAddrUnix::new(socket)?)?;
    Ok(descriptor.into())
}

/// One connection.
#[derive(Debug)]
pub struct Client {
    stream: UnixStream,
}

impl Client {
    /// Connects; says nothing yet. Waits while the daemon is still starting.
    #[track_caller]
    pub fn connect(socket: &Path) -> Self {
        let what = format!("a connection to {}", socket.display());
        wait::until(&what, wait::SOON, || Self::try_connect(socket))
    }

    /// Connects, if somebody accepts just now; says nothing yet.
    pub fn try_connect(socket: &Path) -> Option<Self> {
        Some(Self { stream: connect_within(socket, wait::SOON).ok()? })
    }

    /// Sends one message (without its terminator) and returns the reply with its terminator.
    #[track_caller]
    pub fn ask(&mut self, message: impl AsRef<[u8]>) -> String {
        self.send(message);
        self.receive()
    }

    /// Sends one message (without its terminator).
    #[track_caller]
    pub fn send(&mut self, message: impl AsRef<[u8]>) {
        let mut bytes = message.as_ref().to_vec();
        bytes.extend_from_slice(TERMINATOR);
        self.send_raw(&bytes).unwrap_or_else(|error| panic!("the daemon does not take a message: {error}"));
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the daemon has closed the connection, or does not read for [`wait::SOON`].
    pub fn send_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// From now on, sending fails when the daemon takes nothing for so long.
    pub fn set_write_deadline(&self, deadline: Duration) {
        self.stream.set_write_timeout(Some(deadline)).expect("a timeout above zero is accepted");
    }

    /// Returns the next reply with its terminator.
    #[track_caller]
    pub fn receive(&mut self) -> String {
        self.try_receive().expect("the daemon answers")
    }

    /// Sends one message and returns the reply; nothing where the daemon ends instead.
    #[track_caller]
    pub fn try_ask(&mut self, message: impl AsRef<[u8]>) -> Option<String> {
        self.send_raw(&[message.as_ref(), TERMINATOR].concat()).ok()?;
        match self.try_receive() {
            Ok(reply) => Some(reply),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => panic!("neither an answer nor an end"),
            Err(_) => None,
        }
    }

    fn try_receive(&mut self) -> io::Result<String> {
        let mut reply = Vec::new();
        while !reply.ends_with(TERMINATOR) {
            let mut chunk = [0; 16384];
            match self.stream.read(&mut chunk)? {
                0 => {
                    let reply = String::from_utf8_lossy(&reply).into_owned();
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("only {reply:?}")));
                }
                count => reply.extend_from_slice(&chunk[..count]),
            }
        }
        Ok(String::from_utf8(reply).expect("replies are text"))
    }

    /// Returns the next reply with its terminator, unless nothing comes for so long.
    #[track_caller]
    pub fn receive_within(&mut self, time: Duration) -> Option<String> {
        self.stream.set_read_timeout(Some(time)).expect("a timeout above zero is accepted");
        let mut first = [0];
        let read = self.stream.read(&mut first);
        self.stream.set_read_timeout(Some(wait::SOON)).expect("a timeout above zero is accepted");
        match read {
            Ok(1) => Some(String::from_utf8_lossy(&first).into_owned() + &self.receive()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            other => panic!("the daemon closes the connection: {other:?}"),
        }
    }

    /// Asks for the progress of `operation` until it is no longer running; returns that last reply.
    #[track_caller]
    pub fn await_end(&mut self, operation: &Operation) -> String {
        wait::until(&format!("the end of {}", operation.path()), wait::SOON, || {
            Some(self.ask(operation.progress())).filter(|reply| reply != IN_PROGRESS)
        })
    }

    /// Sends one message without hello and shuts the write side down at once, as `socat` does; returns the reply.
    #[track_caller]
    pub fn ask_and_shut_down(mut self, message: &str) -> String {
        self.send(message);
        self.stream.shutdown(std::net::Shutdown::Write).expect("the connection is open");
        self.receive()
    }

    /// Waits until the daemon closes the connection.
    #[track_caller]
    pub fn await_close(&mut self, deadline: Duration) {
        self.stream.set_read_timeout(Some(deadline)).expect("a timeout above zero is accepted");
        let mut byte = [0];
        match self.stream.read(&mut byte) {
            Ok(0) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            other => panic!("the daemon keeps the connection open: {other:?}"),
        }
    }
}
