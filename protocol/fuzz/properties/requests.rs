//! What must hold for any bytes as a request or a reply: shared by a fuzz target and `tests/properties.rs`.

use lvmwarden_protocol::poll::{Reply, Request};

/// Parsing never panics, and what parses is written such that it parses to the same.
///
/// Dumps are written only: an id may have more slashes than sections may nest.
pub(crate) fn requests_survive_writing(message: &[u8]) {
    if let Ok(request) = Request::parse(message) {
        assert_eq!(Request::parse(&request.to_bytes()), Ok(request));
    }
    match Reply::parse(message) {
        Ok(Reply::Dump(dump)) => assert!(!Reply::Dump(dump).to_bytes().is_empty()),
        Ok(reply) => assert_eq!(Reply::parse(&reply.to_bytes()), Ok(reply)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
