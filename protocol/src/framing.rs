//! Cuts a byte stream into messages: config text followed by the four bytes `\n##\n`.
//!
//! A message is complete when everything received so far *ends* in the terminator; nothing is searched. This is the
//! contract of the C daemons, and clients keep to it by never sending a second request before the first reply. Two
//! requests in one write are therefore one message (the `##` between them is a comment, the first `request` wins),
//! and a terminator in the middle of a string does no harm unless a read happens to end there.
//!
//! Source: lvm2 2.03.16 (the contract), 2.03.39 (the bound).

use std::io;

use bytes::{Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

/// What ends a message.
pub const TERMINATOR: &[u8; 4] = b"\n##\n";

/// The largest message, terminator included: 16 MiB. lvm2 2.03.39 drops a peer that goes beyond it.
pub const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// Why a connection cannot go on; each of these makes the session drop its peer.
#[derive(Debug, thiserror::Error)]
pub enum FramingError {
    /// The peer sent more than [`MAX_MESSAGE_BYTES`] without the end of a message, or with it.
    #[error("read a message: it is larger than {MAX_MESSAGE_BYTES} bytes")]
    TooLarge,
    /// The peer closed its side in the middle of a message.
    #[error("read a message: the peer closed the connection {received_bytes} bytes into it")]
    Truncated {
        /// How much of the message had come.
        received_bytes: usize,
    },
    /// The socket failed.
    #[error("read or write a message")]
    Io(#[from] io::Error),
}

/// The codec of the lvmpolld, lvmlockd and lvmetad sockets; a frame is a message without its terminator.
///
/// One call of `decode` costs the same however much has been received.
#[derive(Debug, Clone, Copy, Default)]
pub struct MessageCodec;

impl Decoder for MessageCodec {
    type Item = Bytes;
    type Error = FramingError;

    fn decode(&mut self, received: &mut BytesMut) -> Result<Option<Bytes>, FramingError> {
        if received.len() > MAX_MESSAGE_BYTES {
            return Err(FramingError::TooLarge);
        }
        if !received.ends_with(TERMINATOR) {
            return Ok(None);
        }
        let mut message = received.split();
        message.truncate(message.len() - TERMINATOR.len());
        Ok(Some(message.freeze()))
    }

    fn decode_eof(&mut self, received: &mut BytesMut) -> Result<Option<Bytes>, FramingError> {
        match self.decode(received)? {
            None if !received.is_empty() => Err(FramingError::Truncated { received_bytes: received.len() }),
            message => Ok(message),
        }
    }
}

impl<T: AsRef<[u8]>> Encoder<T> for MessageCodec {
    type Error = FramingError;

    fn encode(&mut self, message: T, to_send: &mut BytesMut) -> Result<(), FramingError> {
        let message = message.as_ref();
        to_send.reserve(message.len() + TERMINATOR.len());
        to_send.extend_from_slice(message);
        to_send.extend_from_slice(TERMINATOR);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
