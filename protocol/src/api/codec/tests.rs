//! The contract of the codec, and that it holds wherever a stream is cut.

use proptest::prelude::*;
use serde_json::json;

use super::super::{Call, Parameters, Reply};
use super::*;

/// Feeds `pieces` as a socket would deliver them, then closes; returns the messages and, if any, the error after them.
fn decode_pieces(pieces: &[&[u8]]) -> (Vec<Call>, Option<CodecError>) {
    let mut codec = JsonCodec::<Call>::default();
    let mut buffer = BytesMut::new();
    let mut calls = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match codec.decode(&mut buffer) {
                Ok(Some(call)) => calls.push(call),
                Ok(None) => break,
                Err(error) => return (calls, Some(error)),
            }
        }
    }
    loop {
        match codec.decode_eof(&mut buffer) {
            Ok(Some(call)) => calls.push(call),
            Ok(None) => return (calls, None),
            Err(error) => return (calls, Some(error)),
        }
    }
}

#[track_caller]
fn assert_methods(stream: &[u8], expected: &[&str]) {
    for cut in 0..=stream.len() {
        let (head, tail) = stream.split_at(cut);
        let (calls, error) = decode_pieces(&[head, tail]);
        let methods: Vec<_> = calls.iter().map(|call| call.method.as_str()).collect();
        assert_eq!(methods, expected, "cut at {cut}");
        assert!(error.is_none(), "cut at {cut}: {error:?}");
    }
}

/// Asserts that `stream` is refused after no message at all.
#[track_caller]
fn error_of(stream: &[u8]) -> CodecError {
    let (calls, error) = decode_pieces(&[stream]);
    assert_eq!(calls, []);
    error.expect("the stream is refused")
}

#[test]
fn a_message_ends_at_a_nul_or_at_a_newline_wherever_the_stream_is_cut() {
    assert_methods(b"", &[]);
    assert_methods(b"{\"method\":\"a.B\"}\0", &["a.B"]);
    assert_methods(b"{\"method\":\"a.B\"}\n", &["a.B"]);
    assert_methods(b"{\"method\":\"a.B\"}\r\n", &["a.B"]);
    assert_methods(
        b"{\"method\":\"a.B\"}\0{\"method\":\"c.D\"}\n{\"method\":\"e.F\"}\0",
        &["a.B", "c.D", "e.F"],
    );
}

#[test]
fn blank_lines_are_skipped() {
    assert_methods(b"\n \t\r\n\n", &[]);
    assert_methods(b"\n\n{\"method\":\"a.B\"}\n\n{\"method\":\"c.D\"}\0\n\0 ", &["a.B", "c.D"]);
}

#[test]
fn a_newline_inside_the_object_does_not_end_the_message() {
    assert_methods(b"{\n  \"method\": \"a.B\",\n  \"parameters\": {\"x\": [\n1\n]}\n}\n", &["a.B"]);
    assert_methods(b"{\n\"method\": \"a.B\"\n}\0", &["a.B"]);
}

#[test]
fn brackets_and_quotes_in_strings_open_and_close_nothing() {
    assert_methods(b"{\"method\":\"}]\\\"\\\\{[\"}\n", &[r#"}]"\{["#]);
}

#[test]
fn what_is_no_message_is_an_error_that_can_be_answered() {
    let table: [(&[u8], &str); 8] = [
        (b"hello\n", "expected value at line 1 column 1"),
        (b"{\"method\":\n\"a.B\"]\0", "expected `,` or `}` at line 2 column 6"),
        (b"{\"method\":\"a.B\n", "EOF while parsing a string at line 1 column 14"),
        (b"{\"method\":\"a.B\0", "EOF while parsing a string at line 1 column 14"),
        (b"{\"method\":\"a.B\"}{}\n", "trailing characters at line 1 column 17"),
        (b"{}\0", "missing field `method` at line 1 column 2"),
        (b"{\"method\":7}\0", "invalid type: integer `7`, expected a string at line 1 column 11"),
        (
            b"{\"method\":\"a.B\",\"parameters\":[1]}\0",
            "invalid type: sequence, expected a map at line 1 column 29",
        ),
    ];
    for (stream, expected) in table {
        let answer = error_of(stream).answer();
        assert_eq!(answer, Some(service::Error::InvalidMessage { reason: expected.to_owned() }));
    }
    let not_utf8 = error_of(b"{\"method\":\"\xff\"}\0");
    assert!(matches!(not_utf8, CodecError::Invalid(_)), "{not_utf8}");
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| {
        format!(r#"{{"method":"a.B","parameters":{{"x":{}{}}}}}"#, "[".repeat(depth), "]".repeat(depth))
            + "\n"
    };
    assert_methods(nested(125).as_bytes(), &["a.B"]);
    let error = error_of(nested(126).as_bytes());
    assert!(
        matches!(&error, CodecError::Invalid(cause) if cause.to_string().contains("recursion")),
        "{error:?}"
    );
    error_of(nested(Call::MAX_BYTES / 2 - 30).as_bytes());
}

/// Makes a call of this many bytes, its end included.
fn call_of(bytes: usize) -> Vec<u8> {
    let mut call = b"{\"method\":\"".to_vec();
    call.resize(bytes - 3, b'x');
    call.extend_from_slice(b"\"}\n");
    call
}

#[test]
fn a_call_of_the_largest_size_passes_and_one_byte_more_does_not() {
    let largest = call_of(Call::MAX_BYTES);
    let (calls, error) = decode_pieces(&[&largest, &largest]);
    assert_eq!(calls.len(), 2);
    assert!(error.is_none(), "{error:?}");

    let too_large = error_of(&call_of(Call::MAX_BYTES + 1));
    assert_eq!(too_large.answer(), Some(service::Error::MessageTooLarge { limit_bytes: 64 * 1024 }));
    let without_end =
        error_of(&largest[..Call::MAX_BYTES - 1].iter().chain(b"xx").copied().collect::<Vec<_>>());
    assert!(matches!(without_end, CodecError::TooLarge { .. }), "{without_end}");
}

#[test]
fn many_small_calls_in_one_read_may_be_larger_together() {
    let call = call_of(1024);
    let (calls, error) = decode_pieces(&[&call.repeat(1025)]);
    assert_eq!(calls.len(), 1025);
    assert!(error.is_none(), "{error:?}");
}

#[test]
fn a_reply_that_is_too_large_is_not_sent_and_another_can_be() {
    let reply = |text: String| {
        let parameters = Parameters::from_iter([("openmetrics".to_owned(), text.into())]);
        Reply { parameters, continues: false, error: None }
    };
    let mut codec = JsonCodec::<Call>::default();
    let mut sent = BytesMut::from("before".as_bytes());
    let error = codec.encode(&reply("x".repeat(Reply::MAX_BYTES)), &mut sent).expect_err("too large");
    assert_eq!(error.answer(), Some(service::Error::MessageTooLarge { limit_bytes: 16 * 1024 * 1024 }));
    codec.encode(&reply(String::new()), &mut sent).expect("small");
    assert_eq!(sent, "before{\"parameters\":{\"openmetrics\":\"\"}}\0");
}

#[test]
fn the_end_of_the_stream_in_the_middle_of_a_message_is_an_error_that_nobody_reads() {
    let (calls, error) = decode_pieces(&[b"{\"method\":\"a.B\"}\0{\"method\""]);
    assert_eq!(calls.len(), 1);
    let error = error.expect("half a message");
    assert!(matches!(error, CodecError::Truncated { received_bytes: 9 }), "{error}");
    assert_eq!(error.answer(), None);
}

#[test]
fn a_peer_is_answered_in_the_way_that_it_spoke_last() {
    let mut codec = JsonCodec::<Call>::default();
    let mut received = BytesMut::new();
    let mut answer_after = |said: &[u8]| {
        received.extend_from_slice(said);
        while codec.decode(&mut received).expect("a message").is_some() {}
        let mut sent = BytesMut::new();
        let reply = Reply { parameters: Parameters::new(), continues: false, error: None };
        codec.encode(&reply, &mut sent).expect("small");
        sent.last().copied()
    };
    assert_eq!(answer_after(b""), Some(b'\0'));
    assert_eq!(answer_after(b"{\"method\":\"a.B\"}\n"), Some(b'\n'));
    assert_eq!(answer_after(b"\0"), Some(b'\n'), "a blank message changes nothing");
    assert_eq!(answer_after(b"{\"method\":\"a.B\"}\0"), Some(b'\0'));
    assert_eq!(answer_after(b"\n"), Some(b'\0'), "nor does a blank line");
}

#[test]
fn a_client_reads_what_a_service_writes() {
    let reply = Reply {
        parameters: Parameters::from_iter([("text".to_owned(), json!("two\nlines and a \u{0} byte"))]),
        continues: true,
        error: None,
    };
    let mut stream = BytesMut::new();
    JsonCodec::<Call>::default().encode(&reply, &mut stream).expect("small");
    assert_eq!(JsonCodec::<Reply>::default().decode(&mut stream).expect("a reply"), Some(reply));
}

fn any_call() -> impl Strategy<Value = Call> {
    let value = prop_oneof![
        any::<Option<bool>>().prop_map(|flag| json!(flag)),
        any::<i64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(|text| json!(text)),
    ];
    let value = value.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| json!(list)),
            prop::collection::btree_map(any::<String>(), inner, 0..4).prop_map(|object| json!(object)),
        ]
    });
    let parameters = prop::collection::btree_map("[a-z\"\\\\{\\[\n]{0,6}", value, 0..4);
    (any::<String>(), parameters, any::<[bool; 3]>()).prop_map(
        |(method, parameters, [more, oneway, upgrade])| Call {
            method,
            parameters: parameters.into_iter().collect(),
            more,
            oneway,
            upgrade,
        },
    )
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_however_it_is_cut_and_ended(
        calls in prop::collection::vec((any_call(), any::<bool>()), 0..4),
        is_pretty in any::<bool>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mut stream = Vec::new();
        for (call, is_line) in &calls {
            let text = if is_pretty { serde_json::to_string_pretty(call) } else { serde_json::to_string(call) };
            stream.extend_from_slice(text.expect("a call").as_bytes());
            stream.push(if *is_line { b'\n' } else { b'\0' });
        }
        let mut bounds: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        bounds.extend([0, stream.len()]);
        bounds.sort_unstable();
        let pieces: Vec<&[u8]> = bounds.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        let (decoded, error) = decode_pieces(&pieces);
        prop_assert!(error.is_none(), "{error:?}");
        prop_assert_eq!(decoded, calls.into_iter().map(|(call, _)| call).collect::<Vec<_>>());
    }

    #[test]
    fn where_a_stream_is_cut_changes_nothing(
        stream in prop::collection::vec(prop_oneof![
            prop::sample::select(b"{}[]\",:\\\n\0 a1".as_slice()),
            any::<u8>(),
        ], 0..60),
        cut in any::<prop::sample::Index>(),
    ) {
        let (head, tail) = stream.split_at(cut.index(stream.len() + 1));
        let whole = decode_pieces(&[&stream]);
        let in_pieces = decode_pieces(&[head, tail]);
        prop_assert_eq!(format!("{whole:?}"), format!("{in_pieces:?}"));
    }
}
