//! What a message looks like on the wire, and what is refused of what comes from it.
//!
//! ```json
//! {"v": 1, "type": "vote", "id": "0b5c…", "from": {"node": 1, "pid": 812, "name": "a", "life": "5f1e…"}, "round": 1, "body": {…}}
//! ```
//!
//! One JSON object, UTF-8, of at most 64 KiB, at most 16 deep. Unknown fields are ignored, an unknown `type` is told from
//! garbage: a later version may say more. Everything that came from elsewhere is bounded here: lists, texts, numbers. Texts
//! are for people only; what reaches a command line is typed by whoever makes that.
//!
//! `from` is what the sender says of itself. [`Message::is_from`] compares that with what corosync says; a mismatch is
//! dropped by whoever delivers.

mod parse;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::member::Member;
use crate::word::{Abandonment, Cause, Code, Concern, Decision, Part, Vote, Word};

pub use parse::Refusal;

/// The version that is spoken.
pub const VERSION: u32 = 1;
/// The longest message, in bytes.
pub const MAX_BYTES: usize = 65_536;
/// How deep objects and lists may lie in one another.
pub const MAX_DEPTH: usize = 16;
/// How many objections, or notes, a message may have: one for each member of the largest group.
pub const MAX_LIST: usize = 32;
/// The longest text for people, in bytes.
pub const MAX_TEXT: usize = 1024;

/// What the sender says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// Its node id.
    pub node: u32,
    /// Its pid.
    pub pid: u32,
    /// What its host is called in the cluster; at most [`MAX_TEXT`] bytes.
    pub name: String,
    /// New for each start of a daemon; a UUID's text.
    pub life: String,
}

/// One message about one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The change, by a UUID's text.
    pub id: String,
    /// Who says it.
    pub from: Sender,
    /// What it says.
    pub word: Word,
}

impl Message {
    /// Tells whether the sender is who corosync says it is.
    pub fn is_from(&self, member: Member) -> bool {
        (self.from.node, self.from.pid) == (member.node, member.pid)
    }

    /// Parses a message.
    ///
    /// # Errors
    /// [`Refusal`], each variant of which says its condition.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        parse::parse(bytes)
    }

    /// Returns the bytes of a message; texts that are too long are cut, so that they can be parsed again.
    pub fn to_bytes(&self) -> Vec<u8> {
        parse::print(self)
    }
}

/// A cause on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Objection {
    node: u32,
    code: Code,
    reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum YesNo {
    Yes,
    No,
}

#[derive(Debug, Serialize, Deserialize)]
struct VoteBody {
    vote: YesNo,
    concern: Concern,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    objection: Option<Objection>,
}

#[derive(Debug, Serialize, Deserialize)]
struct CommitBody {
    #[serde(default)]
    looked: bool,
    #[serde(default)]
    superseded: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct AbandonBody {
    cause: Objection,
    #[serde(default)]
    objections: Vec<Objection>,
    #[serde(default)]
    looked: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct DoneBody {
    part: Part,
}

#[derive(Debug, Serialize, Deserialize)]
struct EndBody {
    outcome: Decision,
}

impl From<&Cause> for Objection {
    fn from(cause: &Cause) -> Self {
        let end = cause.reason.floor_char_boundary(MAX_TEXT);
        Self { node: cause.node, code: cause.code, reason: cause.reason[..end].to_owned() }
    }
}

impl From<Objection> for Cause {
    fn from(objection: Objection) -> Self {
        Self::new(objection.node, objection.code, objection.reason)
    }
}

impl From<VoteBody> for Vote {
    /// A no without an objection is one all the same.
    fn from(body: VoteBody) -> Self {
        let unsaid = || Cause::new(0, Code::Internal, "no reason was given");
        let objection = match body.vote {
            YesNo::Yes => None,
            YesNo::No => Some(body.objection.map_or_else(unsaid, Cause::from)),
        };
        Self { concern: body.concern, objection }
    }
}

impl From<AbandonBody> for Abandonment {
    fn from(body: AbandonBody) -> Self {
        Self { cause: body.cause.into(), objections: body.objections.into_iter().map(Cause::from).collect() }
    }
}
