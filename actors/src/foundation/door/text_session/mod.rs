//! One client connection: a request, then its reply, one after the other until the client goes away.
//!
//! A session is a task, not an actor: it has no state that outlives a request and nobody sends it messages. It can do
//! no harm to others, and its panic ends itself alone:
//!
//! * no buffer is kept while the client is silent, and it may be silent for ever;
//! * a message has a largest size, and must be whole within [`HALF_MESSAGE_DEADLINE`] of its first byte;
//! * a client that does not read its replies is dropped after [`WRITE_DEADLINE`];
//! * a message that is longer than an ordinary one is parsed on another thread (`Parser`).

use std::io;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use lvmwarden_protocol::framing::{FramingError, MessageCodec, TERMINATOR};
use slog::{Logger, trace};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::codec::Decoder;

/// The longest that a message may take to arrive, once it has begun.
pub const HALF_MESSAGE_DEADLINE: Duration = Duration::from_mins(1);
/// The longest that a client may take to read a reply.
pub const WRITE_DEADLINE: Duration = Duration::from_mins(1);
/// How much is read at once; an ordinary request fits.
pub(crate) const READ_BYTES: usize = 4096;
/// The most that one read takes of a long message: a client that goes on writing meanwhile would have a read go on as long
/// as there is room.
const LONG_READ_BYTES: usize = 64 * 1024;
/// How much of a message is logged: a request of lvm is much shorter, and millions of lines would hold everybody up.
const LOGGED_BYTES: usize = 16 * 1024;

/// Answers the requests of one protocol.
pub trait Service {
    /// Returns the reply to one message, both without the terminator.
    fn answer(&self, message: Bytes) -> impl Future<Output = Bytes>;
}

/// Serves a client until it closes the connection.
///
/// # Errors
/// The reason why the client was dropped: it sent too much, half a message, or does not read.
///
/// # Cancel safety
/// Dropping the future closes the connection; a request that is being answered may or may not have taken effect.
pub async fn serve(mut stream: UnixStream, service: &impl Service) -> Result<(), FramingError> {
    let mut codec = MessageCodec;
    while let Some(message) = read_message(&mut stream, &mut codec).await? {
        // On the heap, as is the rest of a half message: an idle session, of which there are thousands, needs neither.
        let reply = Box::pin(service.answer(message)).await;
        // As it is: a reply may be shared with the cache, and long.
        let mut framed = reply.chain(&TERMINATOR[..]);
        within(WRITE_DEADLINE, stream.write_all_buf(&mut framed)).await??;
    }
    Ok(())
}

/// Reads one message; `None` when the client has closed its side between two messages.
pub(crate) async fn read_message(
    stream: &mut UnixStream,
    codec: &mut MessageCodec,
) -> Result<Option<Bytes>, FramingError> {
    // Ten thousand clients that say nothing cost no buffers.
    stream.readable().await?;
    let mut received = BytesMut::with_capacity(READ_BYTES);
    if stream.read_buf(&mut received).await? == 0 {
        return Ok(None);
    }
    if let Some(message) = codec.decode(&mut received)? {
        return Ok(Some(message));
    }
    Box::pin(within(HALF_MESSAGE_DEADLINE, read_rest(stream, codec, received))).await?
}

pub(crate) async fn read_rest(
    stream: &mut UnixStream,
    codec: &mut MessageCodec,
    mut received: BytesMut,
) -> Result<Option<Bytes>, FramingError> {
    loop {
        received.reserve(READ_BYTES);
        if stream.read_buf(&mut (&mut received).limit(LONG_READ_BYTES)).await? == 0 {
            return codec.decode_eof(&mut received);
        }
        if let Some(message) = codec.decode(&mut received)? {
            return Ok(Some(message));
        }
    }
}

/// Where what the clients of one door have sent is parsed, so that none can keep the others waiting for a millisecond.
///
/// What is longer than [`READ_BYTES`] is parsed on another thread, one message after the other: as many as there are must
/// not take all processors, nor the memory for all of what they say.
#[derive(Debug)]
pub(crate) struct Parser {
    turn: Semaphore,
}

impl Default for Parser {
    fn default() -> Self {
        Self { turn: Semaphore::new(1) }
    }
}

impl Parser {
    /// Parses a message, in its turn if it is long.
    pub(crate) async fn parse<T: Send + 'static>(
        &self,
        message: impl AsRef<[u8]> + Send + 'static,
        parse: impl FnOnce(&[u8]) -> T + Send + 'static,
    ) -> T {
        if message.as_ref().len() <= READ_BYTES {
            return parse(message.as_ref());
        }
        let _turn = self.turn.acquire().await.expect("the semaphore is never closed");
        let parsing = spawn_blocking(move || parse(message.as_ref()));
        parsing.await.expect("a parser does not panic; if it does, that ends this session alone")
    }
}

pub(crate) async fn within<T>(deadline: Duration, doing: impl Future<Output = T>) -> io::Result<T> {
    timeout(deadline, doing).await.map_err(|_| io::ErrorKind::TimedOut.into())
}

/// Logs the lines of a message, the first [`LOGGED_BYTES`] of it.
pub(crate) fn log_message(log: &Logger, direction: &str, message: &[u8]) {
    let (shown, rest) = message.split_at(message.len().min(LOGGED_BYTES));
    for line in String::from_utf8_lossy(shown).lines() {
        trace!(log, "wire"; "direction" => direction, "line" => line);
    }
    if !rest.is_empty() {
        trace!(log, "wire"; "direction" => direction, "more_bytes" => rest.len());
    }
}

#[cfg(test)]
mod tests;
