//! Replies: the plain ones are lines `key = value`, the dump is config text of its own.

use bytes::{BufMut as _, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::{Dump, PROTOCOL, Refusal, VERSION};
use crate::config_text::{self, ParseError, Section, put_quoted};

/// The reason of [`Reply::Failed`] when the daemon could not follow an operation to its end.
pub const POLLING_FAILED: &str = "polling of lvm command failed";

/// A reply of lvmpolld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To hello: this is lvmpolld, in the version that this crate speaks.
    Hello,
    /// The operation is being polled.
    Ok,
    /// The operation goes on.
    InProgress,
    /// No such operation; a client takes it as finished without error.
    NotFound,
    /// The operation's lvpoll has ended. Given once.
    Finished(Outcome),
    /// The daemon could not do it, for this reason.
    Failed(String),
    /// The request makes no sense, for this reason.
    Invalid(String),
    /// All operations.
    Dump(Dump),
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// By itself, with this exit code; lvm's is 0 when the work is done.
    Retcode(i32),
    /// By this signal.
    Signal(i32),
}

/// A reply that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// It is not config text.
    #[error("parse a reply")]
    Syntax(#[from] ParseError),
    /// It is neither a dump nor has it a `response` that this crate knows.
    #[error("parse a reply: unknown response {response:?}")]
    UnknownResponse {
        /// The word, empty if there was none.
        response: String,
    },
    /// A field that such a reply must have is absent, or makes no sense.
    #[error("parse a reply: no usable {field}")]
    BadField {
        /// The field's name.
        field: &'static str,
    },
    /// It greets, but not as an lvmpolld that this crate can speak to.
    #[error("parse a reply: the daemon speaks {protocol:?} version {version}")]
    ForeignDaemon {
        /// The protocol's name.
        protocol: String,
        /// Its version, 0 if there was none.
        version: i64,
    },
}

impl Outcome {
    /// Returns the word for the way it ended, and the number that goes with it.
    pub(super) fn reason_and_value(self) -> (&'static str, i32) {
        match self {
            Self::Retcode(code) => ("retcode", code),
            Self::Signal(signal) => ("signal", signal),
        }
    }

    /// Reads `reason` and `value`.
    pub(super) fn from_fields(fields: &Section<'_>) -> Result<Self, ReplyError> {
        let value = fields.int("value").and_then(|value| i32::try_from(value).ok());
        let value = value.ok_or(ReplyError::BadField { field: "value" })?;
        match fields.string("reason") {
            Some("retcode") => Ok(Self::Retcode(value)),
            Some("signal") => Ok(Self::Signal(value)),
            _ => Err(ReplyError::BadField { field: "reason" }),
        }
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotImplemented
            | Refusal::AbortWithoutPvmove
            | Refusal::NoInterval
            | Refusal::DifferentOperation => Self::Invalid(refusal.to_string()),
            Refusal::NoLvName
            | Refusal::NoLvid
            | Refusal::NoVgName
            | Refusal::BadName { .. }
            | Refusal::NotEnoughMemory => Self::Failed(refusal.to_string()),
        }
    }
}

impl Reply {
    /// Writes the message, without its terminator, byte for byte as lvmpolld 2.03.16 does.
    ///
    /// One thing is better: strings are escaped, where C would print text that cannot be parsed again.
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::Hello => Bytes::from_static(b"response = \"OK\"\nprotocol = \"lvmpolld\"\nversion = 1\n"),
            Self::Ok => Bytes::from_static(b"response = \"OK\"\n"),
            Self::InProgress => Bytes::from_static(b"response = \"in_progress\"\n"),
            Self::NotFound => Bytes::from_static(b"response = \"not_found\"\n"),
            Self::Finished(outcome) => {
                let (reason, value) = outcome.reason_and_value();
                format!("response = \"finished\"\nreason = \"{reason}\"\nvalue = {value}\n").into()
            }
            Self::Failed(reason) => with_reason("failed", reason),
            Self::Invalid(reason) => with_reason("invalid", reason),
            Self::Dump(dump) => dump.to_bytes(),
        }
    }

    /// Parses one message, without its terminator.
    ///
    /// # Errors
    /// See [`ReplyError`]. A client should close the connection on any of them.
    pub fn parse(message: &[u8]) -> Result<Self, ReplyError> {
        let fields = config_text::parse(message)?;
        let reason = || fields.string("reason").unwrap_or_default().to_owned();
        match fields.string("response") {
            Some("OK") if fields.string("protocol").is_some() => greeting(&fields),
            Some("OK") => Ok(Self::Ok),
            Some("in_progress") => Ok(Self::InProgress),
            Some("not_found") => Ok(Self::NotFound),
            Some("finished") => Outcome::from_fields(&fields).map(Self::Finished),
            Some("failed") => Ok(Self::Failed(reason())),
            Some("invalid") => Ok(Self::Invalid(reason())),
            None if fields.section("poll").is_some() => Dump::from_fields(&fields).map(Self::Dump),
            other => Err(ReplyError::UnknownResponse { response: other.unwrap_or_default().to_owned() }),
        }
    }
}

fn greeting(fields: &Section<'_>) -> Result<Reply, ReplyError> {
    let protocol = fields.string("protocol").unwrap_or_default();
    let version = fields.int("version").unwrap_or_default();
    if protocol == PROTOCOL && version == VERSION {
        return Ok(Reply::Hello);
    }
    Err(ReplyError::ForeignDaemon { protocol: protocol.to_owned(), version })
}

fn with_reason(response: &str, reason: &str) -> Bytes {
    let mut out = BytesMut::with_capacity(128);
    out.put_slice(b"response = ");
    put_quoted(&mut out, response.as_bytes());
    out.put_slice(b"\nreason = ");
    put_quoted(&mut out, reason.as_bytes());
    out.put_u8(b'\n');
    out.freeze()
}
