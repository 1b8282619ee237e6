//! What comes back of what was said; what is refused; and that nothing that comes makes it panic.

use proptest::prelude::*;

use super::*;

fn sender() -> Sender {
    let life = "5f1e0000-0000-4000-8000-000000000000".to_owned();
    Sender { node: 1, pid: 812, name: "a".to_owned(), life }
}

fn message(word: Word) -> Message {
    Message { id: "0b5c41d2".to_owned(), from: sender(), word }
}

/// A message with this type and this body.
fn text(kind: &str, body: &str) -> Vec<u8> {
    let from = serde_json::to_string(&sender()).unwrap();
    format!(r#"{{"v": 1, "type": "{kind}", "id": "x", "from": {from}, "round": 2, "body": {body}}}"#)
        .into_bytes()
}

fn parsed(kind: &str, body: &str) -> Result<Word, Refusal> {
    Message::parse(&text(kind, body)).map(|message| message.word)
}

fn cause() -> impl Strategy<Value = Cause> {
    let codes = prop_oneof![Just(Code::Busy), Just(Code::StaleMetadata), Just(Code::RefusedByLvm)];
    (0..64_u32, codes, ".{0,80}").prop_map(|(node, code, reason)| Cause::new(node, code, reason))
}

fn decision() -> impl Strategy<Value = Decision> {
    prop_oneof![Just(Decision::Committed), Just(Decision::Abandoned), Just(Decision::Superseded)]
}

fn said() -> impl Strategy<Value = Word> {
    let concern = prop_oneof![Just(Concern::None), Just(Concern::Vg), Just(Concern::Lv)];
    let vote =
        (concern, proptest::option::of(cause())).prop_map(|(concern, objection)| Vote { concern, objection });
    let why = (cause(), proptest::collection::vec(cause(), 0..5))
        .prop_map(|(cause, objections)| Abandonment { cause, objections });
    prop_oneof![
        (1..9_u32).prop_map(|round| Word::Propose { round }),
        (1..9_u32, vote).prop_map(|(round, vote)| Word::Vote { round, vote }),
        Just(Word::Prepare),
        Just(Word::Ready),
        cause().prop_map(Word::NotReady),
        Just(Word::Released),
        any::<(bool, bool)>().prop_map(|(looked, superseded)| Word::Commit { looked, superseded }),
        (why, any::<bool>()).prop_map(|(why, looked)| Word::Abandon { why, looked }),
        prop_oneof![Just(Part::Done), Just(Part::Lagging)].prop_map(Word::Done),
        decision().prop_map(Word::End),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_is_heard(word in said()) {
        let message = message(word);
        let bytes = message.to_bytes();
        prop_assert!(bytes.len() <= MAX_BYTES);
        prop_assert_eq!(Message::parse(&bytes), Ok(message));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Message::parse(&bytes).is_err());
    }

    #[test]
    fn no_change_of_one_byte_makes_it_panic(word in said(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = message(word).to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(message) = Message::parse(&bytes) {
            prop_assert_eq!(Message::parse(&message.to_bytes()), Ok(message));
        }
    }
}

#[test]
fn each_refusal_has_its_condition() {
    let long = format!("\"{}\"", "x".repeat(MAX_BYTES));
    assert!(matches!(parsed("prepare", &long), Err(Refusal::TooLong(_))));
    let deep = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert_eq!(parsed("prepare", &deep), Err(Refusal::TooDeep));
    assert_eq!(parsed("explode", "{}"), Err(Refusal::UnknownType));
    assert!(matches!(parsed("vote", "{}"), Err(Refusal::Malformed(_))));
    assert!(matches!(Message::parse(b"garbage"), Err(Refusal::Malformed(_))));
    let foreign = String::from_utf8(text("prepare", "null")).unwrap().replace("\"v\": 1", "\"v\": 2");
    assert_eq!(Message::parse(foreign.as_bytes()), Err(Refusal::Version(2)));
    let objection = format!(r#"{{"node": 1, "code": "open", "reason": "{}"}}"#, "x".repeat(MAX_TEXT + 1));
    assert_eq!(parsed("not_ready", &objection), Err(Refusal::Unbounded("a reason")));
    let one = r#"{"node": 1, "code": "open", "reason": ""}"#;
    let many = vec![one; MAX_LIST + 1].join(",");
    let many = format!(r#"{{"cause": {one}, "objections": [{many}]}}"#);
    assert_eq!(parsed("abandon", &many), Err(Refusal::Unbounded("the list of objections")));
}

#[test]
fn brackets_in_a_text_are_not_deep_and_unknown_fields_are_ignored() {
    let body = format!(r#"{{"part": "done", "why": "{}\"{}"}}"#, "[".repeat(40), "{".repeat(40));
    assert_eq!(parsed("done", &body), Ok(Word::Done(Part::Done)));
}

#[test]
fn a_no_without_a_reason_is_a_no() {
    let Ok(Word::Vote { round: 2, vote }) = parsed("vote", r#"{"vote": "no", "concern": "vg"}"#) else {
        panic!("it is a vote")
    };
    assert_eq!(vote.objection.map(|cause| cause.code), Some(Code::Internal));
}

#[test]
fn a_reason_that_is_too_long_is_cut_by_the_one_who_says_it() {
    let word = Word::NotReady(Cause::new(1, Code::Open, "ä".repeat(MAX_TEXT)));
    let heard = Message::parse(&message(word).to_bytes()).map(|message| message.word);
    let Ok(Word::NotReady(cause)) = heard else { panic!("{heard:?}") };
    assert_eq!(cause.reason.len(), MAX_TEXT);
}

#[test]
fn who_speaks_is_who_corosync_says() {
    let message = message(Word::Ready);
    assert!(message.is_from(Member { node: 1, pid: 812 }));
    assert!(!message.is_from(Member { node: 1, pid: 813 }));
}
