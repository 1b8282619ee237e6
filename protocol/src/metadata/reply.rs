//! Replies: the plain ones are lines `key = value`, the others are trees.

use std::fmt::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};

use super::request::{DisableReasons, Refusal};
use super::{Dump, ORPHAN, PROTOCOL, VERSION};
use crate::config_text::{self, Content, ParseError, Section, put_quoted};

const GROWS: &str = "a buffer that grows takes any text";

/// A reply of lvmetad.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply<'a> {
    /// To hello: this is lvmetad, in the version that this crate speaks.
    Hello,
    /// It is done.
    Ok,
    /// It is not done, for this reason.
    Refused {
        /// The word.
        response: Response,
        /// The reason.
        reason: String,
    },
    /// The cache was filled under another token.
    TokenMismatch {
        /// The token of the cache; empty if it was never filled.
        expected: String,
        /// The client's.
        received: String,
        /// The pid of the client that fills the cache; 0 if nobody does.
        update_pid: i64,
        /// The reason.
        reason: String,
    },
    /// Another client fills the cache.
    TokenUpdating {
        /// The token of the cache.
        expected: String,
        /// The pid of that client.
        update_pid: i64,
        /// The reason.
        reason: String,
    },
    /// To `token_update`: it is done.
    TokenUpdated {
        /// The token before; empty also where nothing has changed.
        prev_token: String,
        /// The pid of the client that fills the cache now; 0 if nobody does.
        update_pid: i64,
    },
    /// To `get_global_info`.
    GlobalInfo(GlobalInfo),
    /// To `pv_found`.
    Found(Found),
    /// To `pv_list`, `pv_lookup`, `vg_list` or `vg_lookup`: all of it, `response` included.
    Tree(Section<'a>),
    /// To `dump`.
    Dump(Dump<'a>),
}

/// The word in the field `response` of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    /// The request makes no sense, or cannot be followed.
    Failed,
    /// What it names is not there.
    Unknown,
    /// What it names is there more than once.
    Multiple,
}

/// The state of the cache as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GlobalInfo {
    /// Another host has changed something.
    pub invalid: bool,
    /// Commands shall not use the cache.
    pub disable: bool,
    /// Why not.
    pub reasons: DisableReasons,
    /// The daemon.
    pub daemon_pid: i64,
    /// The token under which the cache was filled; empty if it was never filled.
    pub token: String,
    /// The command that fills it; empty if nobody does.
    pub update_cmd: String,
    /// That command's pid; 0 if nobody does.
    pub update_pid: i64,
    /// When it began, in seconds of a clock that never goes back; 0 if nobody does.
    pub update_begin: i64,
    /// For how long it is protected, in seconds; 0 if nobody does.
    pub update_timeout: i64,
}

/// What became of a PV that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// How whole its VG is now.
    pub status: Status,
    /// The PV, or what is known of it, is new; or the metadata is of another version.
    pub changed: bool,
    /// The VG's UUID and name, where the PV is in one. The name may be absent.
    pub vg: Option<(String, Option<String>)>,
    /// The version that was cached before; -1 where no metadata was sent.
    pub seqno_before: i64,
    /// The version that is cached now; -1 if none is.
    pub seqno_after: i64,
}

/// How whole a VG is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The PV is in no VG.
    Orphan,
    /// Each PV that the VG's metadata lists is there.
    Complete,
    /// At least one is not.
    Partial,
    /// No metadata of the VG is cached. The word is what C's library makes of no word at all.
    Unknown,
}

/// A reply that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// It is not config text.
    #[error("parse a reply")]
    Syntax(#[from] ParseError),
    /// It is no dump, and has no `response` that this crate knows.
    #[error("parse a reply: unknown response {response:?}")]
    UnknownResponse {
        /// The word, empty if there was none.
        response: String,
    },
    /// It greets, but not as an lvmetad that this crate can speak to.
    #[error("parse a reply: the daemon speaks {protocol:?} version {version}")]
    ForeignDaemon {
        /// The protocol's name.
        protocol: String,
        /// Its version, 0 if there was none.
        version: i64,
    },
}

impl Response {
    fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Multiple => "multiple",
        }
    }
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Self::Orphan => "orphan",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Unknown => "(null)",
        }
    }

    fn from_word(word: &str) -> Self {
        let known = [Self::Orphan, Self::Complete, Self::Partial];
        known.into_iter().find(|status| status.word() == word).unwrap_or(Self::Unknown)
    }
}

impl From<Refusal> for Reply<'_> {
    fn from(refusal: Refusal) -> Self {
        Self::failed(refusal.to_string())
    }
}

impl<'a> Reply<'a> {
    /// Returns the refusal of a request that makes no sense.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Refused { response: Response::Failed, reason: reason.into() }
    }

    /// Returns the refusal of a request for what is not there.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self::Refused { response: Response::Unknown, reason: reason.into() }
    }

    /// Writes the message, without its terminator, as lvmetad 2.02.188 does; strings are escaped where C forgets it.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = Lines(BytesMut::with_capacity(256));
        match self {
            Self::Hello => {
                out.text("response", "OK").text("protocol", PROTOCOL).int("version", VERSION);
            }
            Self::Ok => {
                out.text("response", "OK");
            }
            Self::Refused { response, reason } => {
                out.text("response", response.word()).text("reason", reason);
            }
            Self::TokenMismatch { expected, received, update_pid, reason } => {
                out.text("response", "token_mismatch").text("expected", expected).text("received", received);
                out.int("update_pid", *update_pid).text("reason", reason);
            }
            Self::TokenUpdating { expected, update_pid, reason } => {
                out.text("response", "token_updating").text("expected", expected);
                out.int("update_pid", *update_pid).text("reason", reason);
            }
            Self::TokenUpdated { prev_token, update_pid } => {
                out.text("response", "OK").text("prev_token", prev_token).int("update_pid", *update_pid);
            }
            Self::GlobalInfo(info) => out.global_info(info),
            Self::Found(found) => out.found(found),
            Self::Tree(section) => {
                section.write(&mut out.0);
                out.0.put_slice(b"\n\n");
            }
            Self::Dump(dump) => dump.write(&mut out.0),
        }
        out.0.freeze()
    }

    /// Parses one message, without its terminator.
    ///
    /// # Errors
    /// See [`ReplyError`]. A client should close the connection on any of them.
    pub fn parse(message: &'a [u8]) -> Result<Self, ReplyError> {
        let fields = config_text::parse(message)?;
        let text = |field| fields.string(field).unwrap_or_default().to_owned();
        let (reason, update_pid) = (text("reason"), fields.int("update_pid").unwrap_or_default());
        let refused = |response| Ok(Self::Refused { response, reason: text("reason") });
        match fields.string("response") {
            Some("OK") => of_success(fields),
            Some("failed") => refused(Response::Failed),
            Some("unknown") => refused(Response::Unknown),
            Some("multiple") => refused(Response::Multiple),
            Some("token_mismatch") => {
                let (expected, received) = (text("expected"), text("received"));
                Ok(Self::TokenMismatch { expected, received, update_pid, reason })
            }
            Some("token_updating") => {
                Ok(Self::TokenUpdating { expected: text("expected"), update_pid, reason })
            }
            None if fields.section("vgid_to_vgname").is_some() => Ok(Self::Dump(Dump::from_fields(fields))),
            other => Err(ReplyError::UnknownResponse { response: other.unwrap_or_default().to_owned() }),
        }
    }
}

/// Tells by its fields what a reply of success is.
fn of_success(fields: Section<'_>) -> Result<Reply<'_>, ReplyError> {
    let text = |field| fields.string(field).unwrap_or_default().to_owned();
    let int = |field| fields.int(field).unwrap_or_default();
    if let Some(protocol) = fields.string("protocol") {
        return match (protocol, int("version")) {
            (PROTOCOL, VERSION) => Ok(Reply::Hello),
            (protocol, version) => Err(ReplyError::ForeignDaemon { protocol: protocol.to_owned(), version }),
        };
    }
    Ok(if fields.find("daemon_pid").is_some() {
        Reply::GlobalInfo(GlobalInfo {
            invalid: int("global_invalid") == 1,
            disable: int("global_disable") == 1,
            reasons: DisableReasons::from_text(&text("disable_reason")),
            daemon_pid: int("daemon_pid"),
            token: fields.string("token").filter(|token| *token != "none").unwrap_or_default().to_owned(),
            update_cmd: text("update_cmd"),
            update_pid: int("update_pid"),
            update_begin: int("update_begin"),
            update_timeout: int("update_timeout"),
        })
    } else if fields.find("prev_token").is_some() {
        Reply::TokenUpdated { prev_token: text("prev_token"), update_pid: int("update_pid") }
    } else if let Some(status) = fields.string("status") {
        let name = |field| fields.string(field).filter(|name| *name != ORPHAN).map(str::to_owned);
        Reply::Found(Found {
            status: Status::from_word(status),
            changed: int("changed") == 1,
            vg: name("vgid").map(|uuid| (uuid, name("vgname"))),
            seqno_before: int("seqno_before"),
            seqno_after: int("seqno_after"),
        })
    } else if fields.nodes.iter().any(|node| matches!(node.content, Content::Section(_))) {
        Reply::Tree(fields)
    } else {
        Reply::Ok
    })
}

/// Lines `key = value`.
struct Lines(BytesMut);

impl Lines {
    fn text(&mut self, key: &str, value: &str) -> &mut Self {
        write!(self.0, "{key} = ").expect(GROWS);
        put_quoted(&mut self.0, value.as_bytes());
        self.0.put_u8(b'\n');
        self
    }

    fn int(&mut self, key: &str, value: impl Into<i64>) -> &mut Self {
        writeln!(self.0, "{key} = {}", value.into()).expect(GROWS);
        self
    }

    fn global_info(&mut self, info: &GlobalInfo) {
        let mut reasons: String = info.reasons.words().flat_map(|word| [word, ","]).collect();
        if !info.disable || reasons.is_empty() {
            "none".clone_into(&mut reasons);
        }
        let token = if info.token.is_empty() { "none" } else { &info.token };
        self.text("response", "OK")
            .int("global_invalid", info.invalid)
            .int("global_disable", info.disable)
            .text("disable_reason", &reasons)
            .int("daemon_pid", info.daemon_pid)
            .text("token", token)
            .text("update_cmd", &info.update_cmd)
            .int("update_pid", info.update_pid)
            .int("update_begin", info.update_begin)
            .int("update_timeout", info.update_timeout);
    }

    fn found(&mut self, found: &Found) {
        let (uuid, name) =
            found.vg.as_ref().map_or((ORPHAN, Some(ORPHAN)), |(uuid, name)| (uuid, name.as_deref()));
        self.text("response", "OK")
            .text("status", found.status.word())
            .int("changed", found.changed)
            .text("vgid", uuid)
            .text("vgname", name.unwrap_or(ORPHAN))
            .int("seqno_before", found.seqno_before)
            .int("seqno_after", found.seqno_after);
    }
}
