//! Cuts a byte stream into JSON messages, and writes them.
//!
//! A message is one JSON object followed by a NUL byte, as Varlink has it, or by a newline, which is what `nc -U` and
//! shell scripts can send. A newline inside the object is white space like any other. Each side is answered in the
//! way that it spoke last.
//!
//! ```text
//! {"method": …}␀   ->   {"parameters": …}␀
//! {"method": …}⏎   ->   {"parameters": …}⏎
//! ```
//!
//! Lines and messages of white space alone are skipped. Bytes that are too many, or no message, end the decoding of
//! their stream; the encoder still works, so that the peer can be told ([`CodecError::answer`]).

use std::io;
use std::marker::PhantomData;

use bytes::{BufMut as _, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use super::message::Message;
use super::service;

/// Why a connection cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// A message, received or to be sent, is larger than its kind may be.
    #[error("read or write a message: it is larger than {limit_bytes} bytes")]
    TooLarge {
        /// [`Message::MAX_BYTES`] of its kind.
        limit_bytes: usize,
    },
    /// What the peer sent is not JSON, is nested deeper than 128, or is not a message.
    #[error("read a message")]
    Invalid(#[source] serde_json::Error),
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

impl CodecError {
    /// Returns what a service answers before it closes the connection; nothing when nobody is there to read it.
    pub fn answer(&self) -> Option<service::Error> {
        match self {
            Self::TooLarge { limit_bytes } => {
                Some(service::Error::MessageTooLarge { limit_bytes: *limit_bytes as u64 })
            }
            Self::Invalid(error) => Some(service::Error::InvalidMessage { reason: error.to_string() }),
            Self::Truncated { .. } | Self::Io(_) => None,
        }
    }
}

/// What ends a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Nul,
    Newline,
}

impl End {
    fn byte(self) -> u8 {
        match self {
            Self::Nul => b'\0',
            Self::Newline => b'\n',
        }
    }
}

/// The codec of one end of a connection; a frame that it reads is an `In`: a service reads
/// [`Call`](super::Call)s, a client [`Reply`](super::Reply)s.
///
/// Each received byte is looked at once, however the stream is cut.
#[derive(Debug, Clone)]
pub struct JsonCodec<In> {
    /// How the peer ended its last message.
    peers_end: End,
    scan: Scan,
    message: PhantomData<In>,
}

impl<In> Default for JsonCodec<In> {
    fn default() -> Self {
        Self { peers_end: End::Nul, scan: Scan::default(), message: PhantomData }
    }
}

impl<In: Message> JsonCodec<In> {
    /// Takes the next message that is not blank off the front of `received`, without its end; [`Self::read`] reads it,
    /// on whatever thread.
    ///
    /// # Errors
    /// [`CodecError::TooLarge`].
    pub fn cut(&mut self, received: &mut BytesMut) -> Result<Option<BytesMut>, CodecError> {
        let too_large = CodecError::TooLarge { limit_bytes: In::MAX_BYTES };
        loop {
            let searched = &received[..received.len().min(In::MAX_BYTES)];
            let Some(end) = self.scan.find_end(searched) else {
                return if received.len() < In::MAX_BYTES { Ok(None) } else { Err(too_large) };
            };
            let mut message = received.split_to(std::mem::take(&mut self.scan).length);
            message.truncate(message.len() - 1);
            if !is_blank(&message) {
                self.peers_end = end;
                return Ok(Some(message));
            }
        }
    }

    /// Takes the last message off `received`, after which the peer sends nothing.
    ///
    /// # Errors
    /// [`CodecError::TooLarge`]; [`CodecError::Truncated`].
    pub fn cut_last(&mut self, received: &mut BytesMut) -> Result<Option<BytesMut>, CodecError> {
        match self.cut(received)? {
            None if !is_blank(received) => Err(CodecError::Truncated { received_bytes: received.len() }),
            message => Ok(message),
        }
    }

    /// Reads a message that was cut. What it costs grows with its length: 64 KiB may take a millisecond.
    ///
    /// # Errors
    /// [`CodecError::Invalid`].
    pub fn read(message: &[u8]) -> Result<In, CodecError> {
        serde_json::from_slice(message).map_err(CodecError::Invalid)
    }
}

impl<In: Message> Decoder for JsonCodec<In> {
    type Item = In;
    type Error = CodecError;

    fn decode(&mut self, received: &mut BytesMut) -> Result<Option<In>, CodecError> {
        self.cut(received)?.map(|message| Self::read(&message)).transpose()
    }

    fn decode_eof(&mut self, received: &mut BytesMut) -> Result<Option<In>, CodecError> {
        self.cut_last(received)?.map(|message| Self::read(&message)).transpose()
    }
}

impl<In, Out: Message> Encoder<&Out> for JsonCodec<In> {
    type Error = CodecError;

    fn encode(&mut self, message: &Out, to_send: &mut BytesMut) -> Result<(), CodecError> {
        let already_there = to_send.len();
        serde_json::to_writer(to_send.writer(), message)
            .expect("messages have string keys, and a buffer that grows takes them");
        to_send.put_u8(self.peers_end.byte());
        if to_send.len() - already_there > Out::MAX_BYTES {
            to_send.truncate(already_there);
            return Err(CodecError::TooLarge { limit_bytes: Out::MAX_BYTES });
        }
        Ok(())
    }
}

fn is_blank(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_whitespace)
}

/// How far the message at the front of a buffer has been looked at, and where in JSON's structure that is.
#[derive(Debug, Clone, Default)]
struct Scan {
    /// The bytes looked at.
    length: usize,
    /// How many objects and arrays are open.
    depth: usize,
    in_string: bool,
    after_backslash: bool,
}

impl Scan {
    /// Goes on until the message's end is found, and leaves `length` just behind it.
    ///
    /// JSON allows neither byte inside a string, so a newline ends the message there too: it is broken, and its
    /// sender is to be told now rather than after more of it.
    fn find_end(&mut self, received: &[u8]) -> Option<End> {
        while let Some(&byte) = received.get(self.length) {
            self.length += 1;
            match byte {
                b'\0' => return Some(End::Nul),
                b'\n' if self.depth == 0 || self.in_string => return Some(End::Newline),
                _ if self.after_backslash => self.after_backslash = false,
                b'\\' if self.in_string => self.after_backslash = true,
                b'"' => self.in_string = !self.in_string,
                b'{' | b'[' if !self.in_string => self.depth += 1,
                b'}' | b']' if !self.in_string => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
