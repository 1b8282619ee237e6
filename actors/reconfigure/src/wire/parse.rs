//! Bytes to a message, and back.

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    AbandonBody, CommitBody, DoneBody, EndBody, MAX_BYTES, MAX_DEPTH, MAX_LIST, MAX_TEXT, Message, Objection,
    Sender, VERSION, VoteBody, YesNo,
};
use crate::word::{Abandonment, Cause, Vote, Word};

/// Why a message is dropped. Each is counted by its own word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It has more than 64 KiB.
    TooLong(usize),
    /// It is more than 16 deep.
    TooDeep,
    /// It is not JSON, or a field that must be there is not, or is something else.
    Malformed(String),
    /// It is of a version that is not spoken here.
    Version(u32),
    /// Its type is not known here.
    UnknownType,
    /// A text or a list is longer than it may be.
    Unbounded(&'static str),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(bytes) => write!(f, "parse a message: it has {bytes} bytes"),
            Self::TooDeep => write!(f, "parse a message: it is too deep"),
            Self::Malformed(why) => write!(f, "parse a message: {why}"),
            Self::Version(version) => write!(f, "parse a message: version {version} is not spoken here"),
            Self::UnknownType => write!(f, "parse a message: its type is not known here"),
            Self::Unbounded(what) => write!(f, "parse a message: {what} is longer than it may be"),
        }
    }
}

impl std::error::Error for Refusal {}

#[derive(Deserialize)]
struct Envelope {
    v: u32,
    #[serde(rename = "type")]
    kind: String,
    id: String,
    from: Sender,
    #[serde(default)]
    round: u32,
    #[serde(default)]
    body: Value,
}

#[derive(Serialize)]
struct Printed<'a> {
    v: u32,
    #[serde(rename = "type")]
    kind: &'a str,
    id: &'a str,
    from: &'a Sender,
    round: u32,
    #[serde(skip_serializing_if = "Value::is_null")]
    body: Value,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Message, Refusal> {
    if bytes.len() > MAX_BYTES {
        return Err(Refusal::TooLong(bytes.len()));
    }
    if depth(bytes) > MAX_DEPTH {
        return Err(Refusal::TooDeep);
    }
    let envelope: Envelope = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
    if envelope.v != VERSION {
        return Err(Refusal::Version(envelope.v));
    }
    let texts = [&envelope.id, &envelope.from.name, &envelope.from.life];
    if texts.iter().any(|text| text.len() > MAX_TEXT) {
        return Err(Refusal::Unbounded("an id or a name"));
    }
    let Envelope { kind, id, from, round, body, .. } = envelope;
    let word = word(&kind, round, body)?;
    Ok(Message { id, from, word })
}

/// Returns how deep objects and lists lie in one another, where brackets within texts are none.
fn depth(bytes: &[u8]) -> usize {
    let (mut now, mut most, mut in_text, mut is_escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !in_text => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

fn malformed(error: &serde_json::Error) -> Refusal {
    let mut why = error.to_string();
    why.truncate(why.floor_char_boundary(MAX_TEXT));
    Refusal::Malformed(why)
}

fn read<T: DeserializeOwned>(body: Value) -> Result<T, Refusal> {
    serde_json::from_value(body).map_err(|error| malformed(&error))
}

fn bounded(objection: Objection) -> Result<Objection, Refusal> {
    if objection.reason.len() > MAX_TEXT { Err(Refusal::Unbounded("a reason")) } else { Ok(objection) }
}

fn word(kind: &str, round: u32, body: Value) -> Result<Word, Refusal> {
    Ok(match kind {
        "propose" => Word::Propose { round },
        "vote" => {
            let mut vote: VoteBody = read(body)?;
            vote.objection = vote.objection.map(bounded).transpose()?;
            Word::Vote { round, vote: vote.into() }
        }
        "prepare" => Word::Prepare,
        "ready" => Word::Ready,
        "not_ready" => Word::NotReady(bounded(read(body)?)?.into()),
        "released" => Word::Released,
        "commit" => {
            let CommitBody { looked, superseded } = read(body)?;
            Word::Commit { looked, superseded }
        }
        "abandon" => {
            let abandon: AbandonBody = read(body)?;
            if abandon.objections.len() > MAX_LIST {
                return Err(Refusal::Unbounded("the list of objections"));
            }
            bounded(abandon.cause.clone())?;
            abandon.objections.iter().cloned().try_for_each(|objection| bounded(objection).map(drop))?;
            Word::Abandon { looked: abandon.looked, why: abandon.into() }
        }
        "done" => Word::Done(read::<DoneBody>(body)?.part),
        "end" => Word::End(read::<EndBody>(body)?.outcome),
        _ => return Err(Refusal::UnknownType),
    })
}

pub(super) fn print(message: &Message) -> Vec<u8> {
    let (kind, round, body) = printed(&message.word);
    let Message { id, from, .. } = message;
    let printed = Printed { v: VERSION, kind, id, from, round, body };
    serde_json::to_vec(&printed).expect("texts and numbers can be printed")
}

/// Returns type, round and body.
fn printed(word: &Word) -> (&'static str, u32, Value) {
    match word {
        Word::Propose { round } => ("propose", *round, Value::Null),
        Word::Vote { round, vote } => ("vote", *round, json(&vote_body(vote))),
        Word::Prepare => ("prepare", 0, Value::Null),
        Word::Ready => ("ready", 0, Value::Null),
        Word::NotReady(cause) => ("not_ready", 0, json(&Objection::from(cause))),
        Word::Released => ("released", 0, Value::Null),
        Word::Commit { looked, superseded } => {
            ("commit", 0, json(&CommitBody { looked: *looked, superseded: *superseded }))
        }
        Word::Abandon { why, looked } => ("abandon", 0, json(&abandon_body(why, *looked))),
        Word::Done(part) => ("done", 0, json(&DoneBody { part: *part })),
        Word::End(outcome) => ("end", 0, json(&EndBody { outcome: *outcome })),
    }
}

fn vote_body(vote: &Vote) -> VoteBody {
    let said = if vote.objection.is_none() { YesNo::Yes } else { YesNo::No };
    VoteBody { vote: said, concern: vote.concern, objection: vote.objection.as_ref().map(Objection::from) }
}

fn abandon_body(why: &Abandonment, looked: bool) -> AbandonBody {
    let objections = why.objections.iter().take(MAX_LIST).map(|cause: &Cause| cause.into()).collect();
    AbandonBody { cause: (&why.cause).into(), objections, looked }
}

fn json(body: &impl Serialize) -> Value {
    serde_json::to_value(body).expect("texts and numbers can be printed")
}
