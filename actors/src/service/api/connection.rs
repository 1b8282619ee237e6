//! A client's connection: calls in, replies out, and whether anybody is there.

use std::time::Duration;

use bytes::BytesMut;
use lvmwarden_protocol::api::varlink_service::Error as VarlinkError;
use lvmwarden_protocol::api::{Call, CodecError, JsonCodec, Reply, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::{ReadHalf, WriteHalf};
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tokio_util::codec::Encoder;

use super::WRITE_DEADLINE;
use super::outgoing::Load;
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
    /// The method that is called, which there may be or not.
    pub(crate) method: String,
    /// The client wants no reply, not even an error.
    pub(crate) oneway: bool,
    /// What is asked, or why it cannot be.
    pub(crate) request: Result<Request, VarlinkError>,
}

impl Arrived {
    /// Reads a call with its parameters: all that grows with its length is done here.
    fn read(message: &[u8]) -> Result<Self, CodecError> {
        let call = JsonCodec::<Call>::read(message)?;
        let request = Request::parse(&call);
        Ok(Self { method: call.method, oneway: call.oneway, request })
    }
}

/// The way back to the client of one call.
pub(crate) struct Replies<'a, 's> {
    to: &'a mut WriteHalf<'s>,
    codec: &'a mut JsonCodec<Call>,
    oneway: bool,
}

/// A reply that is ready to be sent, and its share of what may be on its way.
pub(crate) struct Made<'l> {
    framed: BytesMut,
    _load: Load<'l>,
}

/// The last reply to a call.
pub(crate) enum Last<'l> {
    Short(Reply),
    Made(Made<'l>),
}

impl Last<'_> {
    /// Returns whether it refuses the call.
    pub(crate) fn is_refusal(&self) -> bool {
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
    pub(crate) async fn next(&mut self, parser: &Parser) -> Result<Option<Arrived>, CodecError> {
        let call = match self.message().await {
            Ok(Some(message)) => parser.parse(message, Arrived::read).await,
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

impl Replies<'_, '_> {
    /// Sends a reply, unless the client wants none. It is encoded here, so it must be short; what may be long is [made].
    ///
    /// [made]: Self::make
    ///
    /// # Errors
    /// When the client is gone, or does not read.
    pub(crate) async fn send(&mut self, reply: Reply) -> Result<(), CodecError> {
        self.send_all([reply]).await
    }

    /// Sends a few short replies at once.
    ///
    /// # Errors
    /// When the client is gone, or does not read.
    pub(crate) async fn send_all(
        &mut self,
        replies: impl IntoIterator<Item = Reply>,
    ) -> Result<(), CodecError> {
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
    pub(crate) async fn make<'l>(
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
    pub(crate) async fn send_made(&mut self, made: Made<'_>) -> Result<(), CodecError> {
        self.write(&made.framed).await
    }

    /// Sends the last reply.
    ///
    /// # Errors
    /// When the client is gone, or does not read.
    pub(crate) async fn send_last(&mut self, last: Last<'_>) -> Result<(), CodecError> {
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
