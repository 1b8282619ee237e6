//! The contract of framing, and that it holds wherever a stream is cut.

use proptest::prelude::*;

use super::*;

/// Feeds `pieces` as a socket would deliver them and returns the messages.
fn decode_pieces(pieces: &[&[u8]]) -> Result<Vec<Bytes>, FramingError> {
    let mut codec = MessageCodec;
    let mut buffer = BytesMut::new();
    let mut messages = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        messages.extend(codec.decode(&mut buffer)?);
    }
    messages.extend(codec.decode_eof(&mut buffer)?);
    Ok(messages)
}

#[track_caller]
fn assert_messages(pieces: &[&[u8]], expected: &[&[u8]]) {
    assert_eq!(decode_pieces(pieces).expect("well framed"), expected);
}

#[test]
fn a_message_is_what_stands_before_the_terminator() {
    assert_messages(&[], &[]);
    assert_messages(&[b"request = \"hello\"\n\n##\n"], &[b"request = \"hello\"\n"]);
    assert_messages(&[b"\n##\n"], &[b""]);
    assert_messages(&[b"a=1\n##\n", b"b=2\n##\n"], &[b"a=1", b"b=2"]);
}

#[test]
fn two_requests_in_one_write_are_one_message() {
    assert_messages(&[b"a=1\n##\nb=2\n##\n"], &[b"a=1\n##\nb=2"]);
}

#[test]
fn a_terminator_without_its_first_newline_ends_nothing() {
    assert_messages(&[b"##\n", b"\n##\n"], &[b"##\n"]);
}

#[test]
fn a_message_of_the_largest_size_passes_and_one_byte_more_does_not() {
    let mut largest = vec![b'x'; MAX_MESSAGE_BYTES - TERMINATOR.len()];
    largest.extend_from_slice(TERMINATOR);
    assert_eq!(decode_pieces(&[&largest]).expect("at the bound")[0].len(), MAX_MESSAGE_BYTES - 4);

    largest.insert(0, b'x');
    assert!(matches!(decode_pieces(&[&largest]), Err(FramingError::TooLarge)));
    largest.truncate(MAX_MESSAGE_BYTES);
    assert!(matches!(decode_pieces(&[&largest, b"x"]), Err(FramingError::TooLarge)));
}

#[test]
fn the_end_of_the_stream_in_the_middle_of_a_message_is_an_error() {
    let error = decode_pieces(&[b"a=1\n##\n", b"b=2\n##"]).expect_err("half a message");
    assert!(matches!(error, FramingError::Truncated { received_bytes: 6 }), "{error}");
}

#[test]
fn a_message_split_at_every_byte_is_the_same_message() {
    let stream = b"request=\"pvmove\"\nlvid =\"A\"\n\n##\n";
    for cut in 0..=stream.len() {
        let (head, tail) = stream.split_at(cut);
        assert_messages(&[head, tail], &[b"request=\"pvmove\"\nlvid =\"A\"\n"]);
    }
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_however_it_is_cut(
        body in "[a-z#\n]{0,40}".prop_filter("a read may end at an inner terminator", |body| {
            !format!("{body}\n##").contains("\n##\n")
        }),
        cuts in prop::collection::vec(0_usize..44, 0..6),
    ) {
        let mut stream = BytesMut::new();
        MessageCodec.encode(body.as_bytes(), &mut stream).expect("encoding grows its buffer");
        let mut bounds: Vec<usize> = cuts.into_iter().filter(|&cut| cut < stream.len()).collect();
        bounds.extend([0, stream.len()]);
        bounds.sort_unstable();
        let pieces: Vec<&[u8]> = bounds.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        prop_assert_eq!(decode_pieces(&pieces).expect("well framed"), [Bytes::from(body)]);
    }
}
