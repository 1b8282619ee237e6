//! A client's connection: calls in, replies out, and whether anybody is there.

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use lvmwarden_protocol::api::varlink_service::Error as VarlinkError;
use lvmwarden_protocol::api::{Call, CodecError, JsonCodec, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::{ReadHalf, WriteHalf};
use tokio::time::sleep;

use crate::foundation::api::replies::Replies;
use crate::foundation::api::{Asked, Described};
use crate::foundation::door::text_session::{HALF_MESSAGE_DEADLINE, Parser, READ_BYTES, within};

/// How often a client that has sent something ahead, or nothing more, is looked after.
const PRESENCE_INTERVAL: Duration = Duration::from_secs(1);
/// How long a client that has sent what cannot be read may go on sending, before it reads why.
const LINGER: Duration = Duration::from_secs(1);

/// Both directions of a connection.
pub(crate) struct Connection<'a> {
    from: ReadHalf<'a>,
    to: WriteHalf<'a>,
    codec: JsonCodec<Call>,
    /// What has come and was not answered yet.
    received: BytesMut,
}

/// A call that has come.
#[derive(Debug)]
pub(crate) struct Arrived {
    /// The client wants no reply, not even an error.
    pub(crate) oneway: bool,
    /// It changes nothing.
    pub(crate) is_watching: bool,
    /// What is asked and the number of the part that answers, or why it cannot be.
    pub(crate) request: Result<(usize, Asked), VarlinkError>,
}

impl Arrived {
    /// Reads a call with its parameters: all that grows with its length is done here.
    fn read(message: &[u8], parts: &[Described]) -> Result<Self, CodecError> {
        let call = JsonCodec::<Call>::read(message)?;
        let interface = call.method.rsplit_once('.').map_or("", |(interface, _)| interface);
        let part = parts.iter().position(|part| part.name == interface);
        let is_watching = part.is_some_and(|part| parts[part].watching.contains(&&*call.method));
        let request = match part {
            Some(part) => parts[part].read(&call).map(|asked| (part, asked)),
            None => Err(VarlinkError::InterfaceNotFound { interface: interface.to_owned() }),
        };
        Ok(Self { oneway: call.oneway, is_watching, request })
    }
}

/// The client of a connection, as far as it is there.
pub(crate) struct Presence<'a, 's>(&'a ReadHalf<'s>);

impl<'a> Connection<'a> {
    pub(crate) fn new(stream: &'a mut UnixStream) -> Self {
        let (from, to) = stream.split();
        Self { from, to, codec: JsonCodec::default(), received: BytesMut::new() }
    }

    /// Returns the next call; `None` when the client has closed its side between two of them.
    ///
    /// # Errors
    /// When the connection cannot go on; the client was told why, where it can be.
    pub(crate) async fn next(
        &mut self,
        parser: &Parser,
        parts: &Arc<[Described]>,
    ) -> Result<Option<Arrived>, CodecError> {
        let parts = Arc::clone(parts);
        let call = match self.message().await {
            Ok(Some(message)) => parser.parse(message, move |message| Arrived::read(message, &parts)).await,
            Ok(None) => return Ok(None),
            Err(error) => Err(error),
        };
        if let Err(error) = &call
            && let Some(answer) = error.answer()
        {
            self.replies(false).send(Reply::error(&answer)).await?;
            Box::pin(self.linger()).await;
        }
        call.map(Some)
    }

    async fn message(&mut self) -> Result<Option<BytesMut>, CodecError> {
        if let Some(message) = self.codec.cut(&mut self.received)? {
            return Ok(Some(message));
        }
        if self.received.is_empty() {
            // A client that says nothing costs no buffer.
            self.received = BytesMut::new();
            self.from.readable().await?;
        }
        Box::pin(within(HALF_MESSAGE_DEADLINE, self.message_rest())).await?
    }

    async fn message_rest(&mut self) -> Result<Option<BytesMut>, CodecError> {
        loop {
            self.received.reserve(READ_BYTES);
            if self.from.read_buf(&mut self.received).await? == 0 {
                return self.codec.cut_last(&mut self.received);
            }
            if let Some(message) = self.codec.cut(&mut self.received)? {
                return Ok(Some(message));
            }
        }
    }

    /// Says that nothing more will come, and reads on for a moment, so that a client which sends before it reads gets to
    /// read what it was told.
    async fn linger(&mut self) {
        let rest = async {
            let _ = self.to.shutdown().await;
            while let Ok(1..) = self.from.read(&mut [0; READ_BYTES]).await {}
        };
        let _ = within(LINGER, rest).await;
    }

    /// Returns the way back to the client.
    pub(crate) fn replies(&mut self, oneway: bool) -> Replies<'_, 'a> {
        self.both(oneway).0
    }

    /// Returns the way back to the client, and its presence.
    pub(crate) fn both(&mut self, oneway: bool) -> (Replies<'_, 'a>, Presence<'_, 'a>) {
        (Replies { to: &mut self.to, codec: &mut self.codec, oneway }, Presence(&self.from))
    }
}

impl Presence<'_, '_> {
    /// Waits until the client is gone.
    ///
    /// One that has closed only its own direction is still there, and may have sent its next call already: both make the
    /// socket readable, so it is then asked from time to time whether the other direction is closed as well.
    ///
    /// # Cancel safety
    /// Cancel-safe: nothing is read.
    pub(crate) async fn end(self) {
        // An error is an end as well.
        if self.0.readable().await.is_err() {
            return;
        }
        while self.0.ready(Interest::WRITABLE).await.is_ok_and(|ready| !ready.is_write_closed()) {
            sleep(PRESENCE_INTERVAL).await;
        }
    }
}
