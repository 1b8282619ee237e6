//! What must hold for any bytes as calls of the JSON API: shared by a fuzz target and `tests/properties.rs`.

use bytes::BytesMut;
use lvmwarden_protocol::api::{Call, JsonCodec, Reply, Request};
use tokio_util::codec::{Decoder, Encoder};

/// Decoding never panics, what decodes is written such that it means the same, and a refusal can be sent.
///
/// The meaning is compared, not the JSON: `serde_json` may read a float one bit off, and no request has any.
pub(crate) fn calls_survive_writing(stream: &[u8]) {
    let mut codec = JsonCodec::<Call>::default();
    let mut received = BytesMut::from(stream);
    while let Ok(Some(call)) = codec.decode_eof(&mut received) {
        let mut sent = BytesMut::new();
        let request = Request::parse(&call);
        if let Err(refusal) = &request {
            codec.encode(&Reply::error(refusal), &mut sent).expect("a name is smaller than a reply may be");
            let reply = JsonCodec::<Reply>::default().decode(&mut sent).expect("a reply");
            assert_eq!(reply, Some(Reply::error(refusal)));
        }
        // Written without white space, but with defaults and escapes of its own, it may be larger than it was.
        if codec.encode(&call, &mut sent).is_ok() {
            let again = JsonCodec::<Call>::default().decode(&mut sent).expect("a call");
            assert_eq!(again.as_ref().map(Request::parse), Some(request));
        }
    }
}
