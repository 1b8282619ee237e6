//! Replies: lines `key = value`, in the order in which the C daemon writes them.

use std::io::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{LockMode, Op, PROTOCOL, RequestedType, ResultCode, ResultFlags, VERSION};
use crate::config_text::{self, ParseError, Section, put_quoted};

/// A reply of lvmlockd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To hello and quit: this is lvmlockd, in the version that this crate speaks.
    Greeting {
        /// 0; for quit also [`ResultCode::BUSY`].
        result: ResultCode,
    },
    /// To nearly everything.
    Done(Done),
    /// To `init_vg`, `init_lv` and `setlockargs_vg_final`.
    Made(Made),
    /// To `query_lock_vg` and `query_lock_lv`.
    Mode {
        /// Whether the mode could be told.
        result: ResultCode,
        /// The VG's lock type.
        lock_type: RequestedType,
        /// The mode here; `None` when it could not be told.
        mode: Option<LockMode>,
    },
    /// To `set_remote_lv_lock`.
    RemoteLock {
        /// The result.
        result: ResultCode,
    },
    /// To info and dump: so many bytes follow on another socket.
    Dump {
        /// 0, or why there is none.
        result: ResultCode,
        /// How many bytes follow.
        len: usize,
    },
}

/// The reply to a request that is done, or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What was asked for.
    pub op: Op,
    /// The lock type of the request, or of its lockspace where the request named none.
    pub lock_type: RequestedType,
    /// The result; above 0 only for `running_lm` and `stop_all`.
    pub result: ResultCode,
    /// The lock manager's own number, 0 where it was not asked.
    pub lm_result: i32,
    /// What else there is to say.
    pub detail: Detail,
    /// What goes with the result.
    pub flags: ResultFlags,
}

/// What only some replies say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Detail {
    /// Nothing, as lvm2 up to 2.03.36.
    #[default]
    None,
    /// Our host's generation in the lockspace; 0 where there is none.
    Generation(u32),
    /// Who holds the lock that is in the way; in a reply to `vg_status`, who we are.
    Owner(Owner),
    /// The generation of our host's last life in a lockspace that starts.
    PreviousGeneration(u32),
}

/// A host in a sanlock lockspace; the default one stands for no host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owner {
    /// Its id in the lockspace.
    pub host_id: u32,
    /// The how-manieth life of that host it is.
    pub generation: u32,
    /// When it last renewed its lease, in seconds of its own clock.
    pub timestamp: u32,
    /// `UNKNOWN`, `FREE`, `LIVE`, `FAIL`, `DEAD`, `ERROR`; empty for none.
    pub state: String,
    /// The name it gave itself; empty for none.
    pub name: String,
}

/// The reply to a request that makes lock arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// What was asked for.
    pub op: Op,
    /// The result.
    pub result: ResultCode,
    /// The lock manager's own number, 0 where it was not asked.
    pub lm_result: i32,
    /// The VG's lock arguments; empty for none.
    pub vg_lock_args: String,
    /// The LV's lock arguments; empty for none.
    pub lv_lock_args: String,
    /// What goes with the result.
    pub flags: ResultFlags,
}

/// A reply that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// It is not config text.
    #[error("parse a reply")]
    Syntax(#[from] ParseError),
    /// A field that such a reply must have is absent, or makes no sense.
    #[error("parse a reply: no usable {field}")]
    BadField {
        /// The field's name.
        field: &'static str,
    },
    /// It greets, but not as an lvmlockd that this crate can speak to.
    #[error("parse a reply: the daemon speaks {protocol:?} version {version}")]
    ForeignDaemon {
        /// The protocol's name.
        protocol: String,
        /// Its version, 0 if there was none.
        version: i64,
    },
}

impl Reply {
    /// Writes the message, without its terminator, byte for byte as lvmlockd does.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = Lines::new();
        match self {
            Self::Greeting { result } => {
                out.int("result", result.0);
                out.text("protocol", PROTOCOL);
                out.int("version", VERSION);
            }
            Self::Done(done) => done.write(&mut out),
            Self::Made(made) => made.write(&mut out),
            Self::Mode { result, lock_type, mode } => {
                out.int("op", Op::QueryLock.number());
                out.int("op_result", result.0);
                out.text("lock_type", lock_type.as_str());
                out.text("mode", mode.map_or("iv", LockMode::as_str));
            }
            Self::RemoteLock { result } => {
                out.int("op", Op::SetRemoteLvLock.number());
                out.int("op_result", result.0);
            }
            Self::Dump { result, len } => {
                out.int("result", result.0);
                out.int("dump_len", i64::try_from(*len).unwrap_or(i64::MAX));
            }
        }
        out.0.freeze()
    }

    /// Parses one message, without its terminator.
    ///
    /// # Errors
    /// See [`ReplyError`]. A client should close the connection on any of them.
    pub fn parse(message: &[u8]) -> Result<Self, ReplyError> {
        let fields = config_text::parse(message)?;
        if fields.string("response") != Some("OK") {
            return Err(ReplyError::BadField { field: "response" });
        }
        if fields.string("protocol").is_some() {
            return greeting(&fields);
        }
        if let Some(len) = fields.int("dump_len") {
            let len = usize::try_from(len).map_err(|_| ReplyError::BadField { field: "dump_len" })?;
            return Ok(Self::Dump { result: code(&fields, "result")?, len });
        }
        let result = code(&fields, "op_result")?;
        match op(&fields)? {
            Op::QueryLock => Ok(Self::Mode {
                result,
                lock_type: lock_type(&fields),
                mode: fields.string("mode").and_then(LockMode::from_word),
            }),
            Op::SetRemoteLvLock => Ok(Self::RemoteLock { result }),
            op if fields.string("vg_lock_args").is_some() => Ok(Self::Made(Made {
                op,
                result,
                lm_result: code(&fields, "lm_result")?.0,
                vg_lock_args: text(&fields, "vg_lock_args"),
                lv_lock_args: text(&fields, "lv_lock_args"),
                flags: flags(&fields),
            })),
            op => Ok(Self::Done(Done {
                op,
                lock_type: lock_type(&fields),
                result,
                lm_result: code(&fields, "lm_result")?.0,
                detail: Detail::from_fields(&fields),
                flags: flags(&fields),
            })),
        }
    }

    /// Returns the result, whichever field it is in.
    pub fn result(&self) -> ResultCode {
        match self {
            Self::Greeting { result }
            | Self::Mode { result, .. }
            | Self::RemoteLock { result }
            | Self::Dump { result, .. }
            | Self::Done(Done { result, .. })
            | Self::Made(Made { result, .. }) => *result,
        }
    }
}

impl Done {
    fn write(&self, out: &mut Lines) {
        out.int("op", self.op.number());
        out.text("lock_type", self.lock_type.as_str());
        out.int("op_result", self.result.0);
        out.int("lm_result", self.lm_result);
        match &self.detail {
            Detail::None | Detail::Generation(_) => {}
            Detail::Owner(owner) => {
                out.int("owner_host_id", owner.host_id);
                out.int("owner_generation", owner.generation);
                out.int("owner_timestamp", owner.timestamp);
                out.text_or_none("owner_state", &owner.state);
                out.text_or_none("owner_name", &owner.name);
            }
            Detail::PreviousGeneration(generation) => out.int("prev_generation", *generation),
        }
        out.flags(self.flags);
        if let Detail::Generation(generation) = self.detail {
            out.int("ls_generation", generation);
        }
    }
}

impl Made {
    fn write(&self, out: &mut Lines) {
        out.int("op", self.op.number());
        out.int("op_result", self.result.0);
        out.int("lm_result", self.lm_result);
        out.text_or_none("vg_lock_args", &self.vg_lock_args);
        out.text_or_none("lv_lock_args", &self.lv_lock_args);
        out.flags(self.flags);
    }
}

impl Detail {
    fn from_fields(fields: &Section<'_>) -> Self {
        let number = |field| fields.int(field).and_then(|value| u32::try_from(value).ok());
        if let Some(generation) = number("ls_generation") {
            Self::Generation(generation)
        } else if let Some(host_id) = number("owner_host_id") {
            Self::Owner(Owner {
                host_id,
                generation: number("owner_generation").unwrap_or_default(),
                timestamp: number("owner_timestamp").unwrap_or_default(),
                state: text(fields, "owner_state"),
                name: text(fields, "owner_name"),
            })
        } else {
            number("prev_generation").map_or(Self::None, Self::PreviousGeneration)
        }
    }
}

/// A message being written.
struct Lines(BytesMut);

impl Lines {
    /// A [`Done`] fits without growing.
    const USUAL_BYTES: usize = 160;

    fn new() -> Self {
        let mut out = BytesMut::with_capacity(Self::USUAL_BYTES);
        out.put_slice(b"response = \"OK\"\n");
        Self(out)
    }

    fn int(&mut self, field: &str, value: impl Into<i64>) {
        self.key(field);
        writeln!((&mut self.0).writer(), "{}", value.into()).expect("a buffer that grows takes any text");
    }

    fn text(&mut self, field: &str, value: &str) {
        self.key(field);
        put_quoted(&mut self.0, value.as_bytes());
        self.0.put_u8(b'\n');
    }

    fn text_or_none(&mut self, field: &str, value: &str) {
        self.text(field, if value.is_empty() { "none" } else { value });
    }

    fn flags(&mut self, flags: ResultFlags) {
        if flags == ResultFlags::NONE {
            self.0.put_slice(b"result_flags = \"none\"\n");
        } else {
            writeln!((&mut self.0).writer(), "result_flags = \"{flags}\"")
                .expect("a buffer that grows takes any text");
        }
    }

    fn key(&mut self, field: &str) {
        self.0.put_slice(field.as_bytes());
        self.0.put_slice(b" = ");
    }
}

fn greeting(fields: &Section<'_>) -> Result<Reply, ReplyError> {
    let protocol = fields.string("protocol").unwrap_or_default();
    let version = fields.int("version").unwrap_or_default();
    if protocol == PROTOCOL && version == VERSION {
        return Ok(Reply::Greeting { result: code(fields, "result")? });
    }
    Err(ReplyError::ForeignDaemon { protocol: protocol.to_owned(), version })
}

fn code(fields: &Section<'_>, field: &'static str) -> Result<ResultCode, ReplyError> {
    let value = fields.int(field).and_then(|value| i32::try_from(value).ok());
    value.map(ResultCode).ok_or(ReplyError::BadField { field })
}

fn op(fields: &Section<'_>) -> Result<Op, ReplyError> {
    fields.int("op").and_then(Op::from_number).ok_or(ReplyError::BadField { field: "op" })
}

fn lock_type(fields: &Section<'_>) -> RequestedType {
    fields.string("lock_type").map_or(RequestedType::None, RequestedType::from_word)
}

fn flags(fields: &Section<'_>) -> ResultFlags {
    fields.string("result_flags").map_or(ResultFlags::NONE, ResultFlags::parse)
}

fn text(fields: &Section<'_>, field: &str) -> String {
    fields.string(field).filter(|text| *text != "none").unwrap_or_default().to_owned()
}
