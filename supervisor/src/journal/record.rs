//! The bytes of a journal: frames and the header. Pure: no file is touched here.
//!
//! A frame is one line, so that `cat` and `grep` show a journal:
//!
//! ```text
//! 0000001f 8a1c22d0 {"Intended":{"operation":"abc"}}\n
//! |        |        `- JSON without a raw newline, as many bytes as the first field says
//! |        `- CRC-32 (IEEE) of the JSON, 8 lower-case hexadecimal digits
//! `- length of the JSON in bytes, 8 lower-case hexadecimal digits
//! ```
//!
//! The first frame of a file is a [`Header`]. Its frame and its fields are the same in every version for ever, so
//! that an old program can tell a newer journal from a damaged one.

use serde::{Deserialize, Serialize};

/// The newest format that this program reads, and the one that it writes.
pub const FORMAT_VERSION: u32 = 1;

/// The longest JSON of one record, in bytes.
pub const MAX_PAYLOAD_BYTES: usize = 1 << 20;

const MAGIC: &str = "lvmwarden-journal";
const LENGTH_DIGITS: usize = 8;
const PREFIX_BYTES: usize = 18;

/// The first frame of every generation file.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    magic: String,
    version: u32,
    generation: u64,
}

/// Why a record has no frame.
#[derive(Debug, thiserror::Error)]
pub(super) enum EncodeError {
    #[error("encode the record as JSON")]
    Json(#[source] serde_json::Error),
    #[error("encode a record of {bytes} bytes; the limit is {MAX_PAYLOAD_BYTES}")]
    TooLong { bytes: usize },
}

/// What the next bytes of a journal are.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// Nothing is left.
    End,
    /// A whole frame, `length` bytes long with its prefix and newline.
    Frame { payload: &'a [u8], length: usize },
    /// The beginning of a frame whose rest was never written.
    Torn,
    /// Bytes that no interrupted append leaves behind.
    Bad,
}

/// What the first frame of a file says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum HeaderStep {
    /// A header that this program reads, `length` bytes long.
    Known { generation: u64, length: usize },
    /// A journal written by a newer program.
    Newer { version: u32 },
    /// No header.
    Bad,
}

/// Appends the header frame of `generation` to `out`.
pub(super) fn write_header(out: &mut Vec<u8>, generation: u64) {
    let header = Header { magic: MAGIC.to_owned(), version: FORMAT_VERSION, generation };
    write_frame(out, &header).expect("a header is short and plain");
}

/// Appends `value` to `out` as one frame; leaves `out` as it was on an error.
pub(super) fn write_frame(out: &mut Vec<u8>, value: &impl Serialize) -> Result<(), EncodeError> {
    let start = out.len();
    let framed = write_frame_at(out, start, value);
    if framed.is_err() {
        out.truncate(start);
    }
    framed
}

fn write_frame_at(out: &mut Vec<u8>, start: usize, value: &impl Serialize) -> Result<(), EncodeError> {
    out.extend_from_slice(&[b' '; PREFIX_BYTES]);
    serde_json::to_writer(&mut *out, value).map_err(EncodeError::Json)?;
    let payload = &out[start + PREFIX_BYTES..];
    let bytes = payload.len();
    if bytes > MAX_PAYLOAD_BYTES {
        return Err(EncodeError::TooLong { bytes });
    }
    let prefix = format!("{bytes:08x} {:08x} ", crc32fast::hash(payload));
    out[start..start + PREFIX_BYTES].copy_from_slice(prefix.as_bytes());
    out.push(b'\n');
    Ok(())
}

/// Reads the frame at the beginning of `bytes`.
///
/// Torn means: what an append that was cut off at any byte leaves at the end of a file, and nothing else. A frame
/// that is there in full but wrong is bad, even as the last one, because somebody may have been told that it is safe.
pub(super) fn read_frame(bytes: &[u8]) -> Step<'_> {
    if bytes.is_empty() {
        return Step::End;
    }
    let Some(digits) = bytes.get(..LENGTH_DIGITS) else {
        return if bytes.iter().all(|byte| is_digit(*byte)) { Step::Torn } else { Step::Bad };
    };
    let Some(payload_bytes) = parse_hexadecimal(digits).filter(|bytes| *bytes as usize <= MAX_PAYLOAD_BYTES)
    else {
        return Step::Bad;
    };
    let length = PREFIX_BYTES + payload_bytes as usize + 1;
    let Some(frame) = bytes.get(..length) else {
        return if bytes.contains(&b'\n') { Step::Bad } else { Step::Torn };
    };
    let payload = &frame[PREFIX_BYTES..length - 1];
    let whole = frame[8] == b' '
        && frame[17] == b' '
        && frame[length - 1] == b'\n'
        && parse_hexadecimal(&frame[9..17]) == Some(crc32fast::hash(payload));
    if whole { Step::Frame { payload, length } } else { Step::Bad }
}

/// Reads the header at the beginning of a file.
///
/// A torn header counts as bad: generation files appear in the directory complete or not at all.
pub(super) fn read_header(bytes: &[u8]) -> HeaderStep {
    let Step::Frame { payload, length } = read_frame(bytes) else { return HeaderStep::Bad };
    match serde_json::from_slice::<Header>(payload) {
        Ok(header) if header.magic != MAGIC => HeaderStep::Bad,
        Ok(header) if header.version > FORMAT_VERSION => HeaderStep::Newer { version: header.version },
        Ok(header) => HeaderStep::Known { generation: header.generation, length },
        Err(_) => HeaderStep::Bad,
    }
}

fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Parses lower-case digits only: a number has one spelling, so that no flipped bit goes unnoticed.
fn parse_hexadecimal(digits: &[u8]) -> Option<u32> {
    if !digits.iter().all(|byte| is_digit(*byte)) {
        return None;
    }
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: &str = "00000004 e0c1517f \"ab\"\n";

    #[track_caller]
    fn reads_as(bytes: &str, expected: &Step<'_>) {
        assert_eq!(read_frame(bytes.as_bytes()), *expected, "{bytes:?}");
    }

    #[test]
    fn a_frame_is_one_readable_line() {
        let mut out = b"before".to_vec();
        write_frame(&mut out, &"ab").unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), format!("before{FRAME}"));
    }

    #[test]
    fn newlines_in_strings_do_not_break_the_line() {
        let mut out = Vec::new();
        write_frame(&mut out, &"a\nb").unwrap();
        assert_eq!(out.iter().position(|byte| *byte == b'\n'), Some(out.len() - 1));
    }

    #[test]
    fn frames_are_told_from_torn_and_bad_bytes() {
        let whole = Step::Frame { payload: b"\"ab\"", length: FRAME.len() };
        reads_as("", &Step::End);
        reads_as(FRAME, &whole);
        reads_as(&format!("{FRAME}rest"), &whole);
        for cut in 1..FRAME.len() {
            reads_as(&FRAME[..cut], &Step::Torn);
        }
        reads_as("0000000g", &Step::Bad);
        reads_as("\0\0", &Step::Bad);
        reads_as("0000000A 00000000 ", &Step::Bad);
        reads_as("00000004 E0C1517F \"ab\"\n", &Step::Bad);
        reads_as("00000004 e0c1517e \"ab\"\n", &Step::Bad);
        reads_as("00000004_e0c1517f \"ab\"\n", &Step::Bad);
        reads_as("00000004 e0c1517f_\"ab\"\n", &Step::Bad);
        reads_as("00000004 e0c1517f \"ab\"J", &Step::Bad);
        reads_as("00000005 e0c1517f \"ab\"\n", &Step::Bad);
        reads_as("ffffffff 00000000 ", &Step::Bad);
    }

    #[test]
    fn a_record_above_the_bound_has_no_frame() {
        let mut out = b"kept".to_vec();
        let longest = "x".repeat(MAX_PAYLOAD_BYTES - 2);
        write_frame(&mut out, &longest).unwrap();
        let before = out.len();
        let refused = write_frame(&mut out, &(longest + "x"));
        assert!(matches!(refused, Err(EncodeError::TooLong { bytes }) if bytes == MAX_PAYLOAD_BYTES + 1));
        assert_eq!(out.len(), before);
    }

    #[test]
    fn headers_are_known_newer_or_bad() {
        let mut known = Vec::new();
        write_header(&mut known, 7);
        assert_eq!(read_header(&known), HeaderStep::Known { generation: 7, length: known.len() });

        let mut newer = Vec::new();
        let value = serde_json::json!({"magic": MAGIC, "version": 2, "generation": 7, "new": true});
        write_frame(&mut newer, &value).unwrap();
        assert_eq!(read_header(&newer), HeaderStep::Newer { version: 2 });

        let mut stranger = Vec::new();
        write_frame(&mut stranger, &serde_json::json!({"magic": "other", "version": 1, "generation": 7}))
            .unwrap();
        assert_eq!(read_header(&stranger), HeaderStep::Bad);
        assert_eq!(read_header(&known[..known.len() - 1]), HeaderStep::Bad);
        assert_eq!(read_header(b""), HeaderStep::Bad);
    }
}
