//! The way back to the client of one call.

use std::time::Duration;

use bytes::BytesMut;
use lvmwarden_protocol::api::{Call, CodecError, JsonCodec, Reply};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::WriteHalf;
use tokio::task::spawn_blocking;
use tokio_util::codec::Encoder;

use super::outgoing::Load;
use crate::foundation::door::text_session::within;

/// The longest that a client may take to read a reply.
pub const WRITE_DEADLINE: Duration = Duration::from_secs(10);

/// The way back to the client of one call.
pub struct Replies<'a, 's> {
    /// The direction to the client.
    pub(crate) to: &'a mut WriteHalf<'s>,
    /// As the client writes.
    pub(crate) codec: &'a mut JsonCodec<Call>,
    /// The client wants no reply.
    pub(crate) oneway: bool,
}

/// A reply that is ready to be sent, and its share of what may be on its way.
pub struct Made<'l> {
    framed: BytesMut,
    _load: Load<'l>,
}

/// The last reply to a call.
pub enum Last<'l> {
    /// One that is short, which is encoded when it is sent.
    Short(Reply),
    /// One that may be long.
    Made(Made<'l>),
}

impl Last<'_> {
    /// Returns whether it refuses the call.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Short(reply) => reply.error.is_some(),
            Self::Made(_) => false,
        }
    }
}

impl From<Reply> for Last<'_> {
    fn from(reply: Reply) -> Self {
        Self::Short(reply)
    }
}

impl Replies<'_, '_> {
    /// Sends a reply, unless the client wants none. It is encoded here, so it must be short; what may be long is [made].
    ///
    /// [made]: Self::make
    ///
    /// # Errors
    /// When the client is gone, or does not read.
    pub async fn send(&mut self, reply: Reply) -> Result<(), CodecError> {
        self.send_all([reply]).await
    }

    /// Sends a few short replies at once.
    ///
    /// # Errors
    /// When the client is gone, or does not read.
    pub async fn send_all(&mut self, replies: impl IntoIterator<Item = Reply>) -> Result<(), CodecError> {
        let mut framed = BytesMut::new();
        for reply in replies {
            encode(self.codec, &reply, &mut framed)?;
        }
        self.write(&framed).await
    }

    /// Makes a reply on another thread, encoded for this client; one that is too large becomes an error that says so.
    ///
    /// # Errors
    /// When it cannot be encoded.
    pub async fn make<'l>(
        &self,
        mut load: Load<'l>,
        make: impl FnOnce() -> Reply + Send + 'static,
    ) -> Result<Made<'l>, CodecError> {
        let mut codec = self.codec.clone();
        let making = spawn_blocking(move || {
            let mut framed = BytesMut::new();
            encode(&mut codec, &make(), &mut framed).map(|()| framed)
        });
        let framed = making.await.expect("to make a reply does not panic")?;
        load.is(framed.len());
        Ok(Made { framed, _load: load })
    }

    /// Sends a reply that was made, and gives its share back.
    ///
    /// # Errors
    /// When the client is gone, or does not read.
    pub async fn send_made(&mut self, made: Made<'_>) -> Result<(), CodecError> {
        self.write(&made.framed).await
    }

    /// Sends the last reply.
    ///
    /// # Errors
    /// When the client is gone, or does not read.
    pub async fn send_last(&mut self, last: Last<'_>) -> Result<(), CodecError> {
        match last {
            Last::Short(reply) => self.send(reply).await,
            Last::Made(made) => self.send_made(made).await,
        }
    }

    async fn write(&mut self, framed: &[u8]) -> Result<(), CodecError> {
        if self.oneway {
            return Ok(());
        }
        Ok(within(WRITE_DEADLINE, self.to.write_all(framed)).await??)
    }
}

fn encode(codec: &mut JsonCodec<Call>, reply: &Reply, framed: &mut BytesMut) -> Result<(), CodecError> {
    if let Err(error) = codec.encode(reply, framed) {
        let Some(answer) = error.answer() else { return Err(error) };
        codec.encode(&Reply::error(&answer), framed)?;
    }
    Ok(())
}
