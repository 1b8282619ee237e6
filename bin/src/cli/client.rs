//! A blocking client of the JSON API: one connection, one call after the other.
//!
//! Connecting, sending and each awaited reply have a deadline, but for calls whose nature it is to wait. It knows no method; what
//! is asked and answered is said by the types of `lvmwarden_protocol::api`.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::BytesMut;
use lvmwarden_protocol::api::page::{NEXT_PAGE, PAGE};
use lvmwarden_protocol::api::{Call, CallError, CodecError, JsonCodec, Method, Paged, Parameters, Reply};
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use serde_json::Value;
use tokio_util::codec::{Decoder as _, Encoder as _};

use super::deadline::Deadline;

/// How long the daemon has for each step.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// Why there is no answer, or not the wanted one.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// The socket is not there, may not be opened, or nobody listens on it.
    #[error("connect to {}", socket.display())]
    Connect {
        /// Its path.
        socket: PathBuf,
        /// What the kernel says.
        #[source]
        source: io::Error,
    },
    /// The daemon closed the connection, or ended.
    #[error("read an answer: the connection was closed")]
    Lost,
    /// The daemon lives, and is silent.
    #[error("get an answer within {} s", PATIENCE.as_secs())]
    NoAnswer,
    /// What came is not Varlink.
    #[error("understand the answer")]
    Garbled(#[source] CodecError),
    /// The daemon answered with an error, or with something else than the method's reply.
    #[error(transparent)]
    Call(CallError),
}

impl From<io::Error> for ClientError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Self::NoAnswer,
            _ => Self::Lost,
        }
    }
}

/// One reply to a call.
#[derive(Debug)]
pub(super) struct Answer<M: Method> {
    /// What it says.
    pub(super) reply: M::Reply,
    /// The same as it came, with fields that this version does not know.
    pub(super) raw: Parameters,
    /// Another one follows.
    pub(super) continues: bool,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Client {
    stream: UnixStream,
    codec: JsonCodec<Reply>,
    received: BytesMut,
}

impl Client {
    /// Connects to the daemon at `socket`.
    ///
    /// # Errors
    /// [`ClientError::Connect`]; [`ClientError::NoAnswer`] when so many wait to be accepted that there is no room.
    pub(super) fn connect(socket: &Path) -> Result<Self, ClientError> {
        match connect_within(PATIENCE, socket) {
            Ok(stream) => {
                Ok(Self { stream, codec: JsonCodec::default(), received: BytesMut::with_capacity(8192) })
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(ClientError::NoAnswer),
            Err(source) => Err(ClientError::Connect { socket: socket.to_owned(), source }),
        }
    }

    /// Calls a method that answers at once.
    ///
    /// # Errors
    /// All of [`ClientError`] but `Connect`.
    pub(super) fn call<M: Method>(&mut self, parameters: &M) -> Result<Answer<M>, ClientError> {
        self.send(parameters)?;
        self.receive(Some(PATIENCE))
    }

    /// Calls a method that gives pages, one after the other, and returns them as one answer.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub(super) fn call_all<M: Paged>(&mut self, parameters: &M) -> Result<Answer<M>, ClientError> {
        let mut call = Call::new(parameters);
        let mut whole: Option<Parameters> = None;
        loop {
            self.send_call(&call)?;
            let reply = self.receive_any(Some(Deadline::after(PATIENCE)))?;
            if let Some(error) = reply.error {
                return Err(ClientError::Call(CallError::Refused { error, parameters: reply.parameters }));
            }
            let mut told = reply.parameters;
            let next = told.remove(NEXT_PAGE).filter(|next| !next.is_null());
            let is_enough = count_down(&mut call.parameters, &told);
            match &mut whole {
                None => whole = Some(told),
                Some(whole) => M::join(whole, told),
            }
            match next {
                Some(next) if !is_enough => drop(call.parameters.insert(PAGE.to_owned(), next)),
                _no_more_is_wanted => break,
            }
        }
        let raw = whole.unwrap_or_default();
        let reply = Reply { error: None, parameters: raw.clone(), continues: false };
        let reply = reply.read::<M>().map_err(ClientError::Call)?;
        Ok(Answer { reply, raw, continues: false })
    }

    /// Sends a call, whose replies are then to be received until one says that no other follows.
    ///
    /// # Errors
    /// [`ClientError::Lost`] and [`ClientError::NoAnswer`].
    pub(super) fn send<M: Method>(&mut self, parameters: &M) -> Result<(), ClientError> {
        self.send_call(&Call::new(parameters))
    }

    fn send_call(&mut self, call: &Call) -> Result<(), ClientError> {
        let mut to_send = BytesMut::new();
        self.codec.encode(call, &mut to_send).map_err(ClientError::Garbled)?;
        match self.stream.write_all(&to_send) {
            // A daemon that turns a client away says why before it closes: the answer is there to be read.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            sent => Ok(sent?),
        }
    }

    /// Receives the next reply; without `within` it waits for ever.
    ///
    /// # Errors
    /// All of [`ClientError`] but `Connect`.
    pub(super) fn receive<M: Method>(&mut self, within: Option<Duration>) -> Result<Answer<M>, ClientError> {
        let reply = self.receive_any(within.map(Deadline::after))?;
        let continues = reply.continues;
        let raw = reply.parameters.clone();
        let reply = reply.read::<M>().map_err(ClientError::Call)?;
        Ok(Answer { reply, raw, continues })
    }

    fn receive_any(&mut self, deadline: Option<Deadline>) -> Result<Reply, ClientError> {
        loop {
            if let Some(reply) = self.codec.decode(&mut self.received).map_err(ClientError::Garbled)? {
                return Ok(reply);
            }
            let left = match deadline {
                Some(deadline) => Some(deadline.left().ok_or(ClientError::NoAnswer)?),
                None => None,
            };
            self.stream.set_read_timeout(left)?;
            let mut chunk = [0; 8192];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(ClientError::Lost),
                Ok(length) => self.received.extend_from_slice(&chunk[..length]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// Takes what was told off the limit of a call, if it has one; returns whether that is reached.
fn count_down(parameters: &mut Parameters, told: &Parameters) -> bool {
    let count: usize = told.values().filter_map(Value::as_array).map(Vec::len).sum();
    let Some(limit) = parameters.get_mut("limit").filter(|limit| !limit.is_null()) else { return false };
    let left = limit.as_u64().unwrap_or_default().saturating_sub(count as u64);
    *limit = left.into();
    left == 0
}

/// Connects; what is sent has the same deadline.
///
/// The standard library's `connect` would wait without one while the queue of the listening socket is full.
///
/// Source: Linux 6.1, `net/unix/af_unix.c`: `connect` waits as long as `SO_SNDTIMEO` says.
fn connect_within(patience: Duration, path: &Path) -> io::Result<UnixStream> {
    let address = SocketAddrUnix::new(path)?;
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_timeout(&socket, Timeout::Send, Some(patience))?;
    rustix::net::connect(&socket, &address)?;
    Ok(socket.into())
}
