//! What must hold for any bytes as a request to, or a reply of, lvmlockd: shared by a fuzz target and `tests/properties.rs`.

use lvmwarden_protocol::lock::{Options, Reply, Request, ResultFlags};

/// Parsing never panics, and what parses is written such that it parses to the same.
pub(crate) fn lock_requests_survive_writing(message: &[u8]) {
    match Request::parse(message) {
        Ok(request) => assert_eq!(Request::parse(&request.to_bytes()), Ok(request)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    match Reply::parse(message) {
        Ok(reply) => assert_eq!(Reply::parse(&reply.to_bytes()), Ok(reply)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Ok(text) = std::str::from_utf8(message) {
        let options = Options::parse(text);
        let words: Vec<&str> = options.words().collect();
        assert_eq!(Options::parse(&words.join(",")), options);
        let flags = ResultFlags::parse(text);
        assert_eq!(ResultFlags::parse(&flags.to_string()), flags);
    }
}
