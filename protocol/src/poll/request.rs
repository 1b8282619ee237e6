//! Requests: from a message to a checked request or a refusal, and from a request to the message that lvm would send.

use std::fmt::{self, Write as _};

use bytes::{BufMut as _, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::Interval;
use crate::command_line::CommandLine;
use crate::config_text::{self, Section, put_quoted};
use crate::ids::{DevicesFile, LvName, Lvid, OperationId, Store, SystemDir, VgName};

/// A request to lvmpolld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The greeting, the first thing every client says.
    Hello,
    /// Poll an operation, unless it is being polled.
    Start(StartRequest),
    /// Tell how an operation is doing.
    Progress(ProgressRequest),
    /// List all operations.
    Dump,
}

/// What kind of long operation is polled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PollOperation {
    /// Moving extents between PVs.
    Pvmove,
    /// Adding a mirror leg.
    Convert,
    /// Merging an old-style snapshot into its origin.
    Merge,
    /// Merging a thin snapshot into its origin.
    MergeThin,
}

/// A request to poll an operation.
///
/// It is kept in journals, under the names of its fields: to rename one is to make a new format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartRequest {
    /// What is polled.
    pub kind: PollOperation,
    /// Whether this is `pvmove --abort`; only with [`PollOperation::Pvmove`].
    pub abort: bool,
    /// Whether lvpoll shall cope with missing PVs.
    pub handle_missing_pvs: bool,
    /// The LV for ever.
    pub lvid: Lvid,
    /// Its VG's name.
    pub vgname: VgName,
    /// Its name.
    pub lvname: LvName,
    /// How often to look.
    pub interval: Interval,
    /// The client's `LVM_SYSTEM_DIR` (`sysdir`).
    pub sysdir: Option<SystemDir>,
    /// The client's `--devicesfile`; sent by lvm2 2.03.12 and later.
    pub devicesfile: Option<DevicesFile>,
    /// The client's command line, for humans.
    pub cmdline: Option<CommandLine>,
}

/// A question for the state of one operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressRequest {
    /// The LV.
    pub lvid: Lvid,
    /// The client's `LVM_SYSTEM_DIR` (`sysdir`), part of the operation's identity.
    pub sysdir: Option<SystemDir>,
    /// Whether an abort is meant.
    pub abort: bool,
}

/// A reason not to do what a request asks; `Display` is the reason on the wire, byte for byte.
///
/// Becomes a [`super::Reply`] with `From`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No config text, or `request` is absent, no string, or no word of this protocol.
    #[error("request not implemented")]
    NotImplemented,
    /// `abort` is set for another operation than pvmove.
    #[error("abort only supported with PVMOVE polling operation")]
    AbortWithoutPvmove,
    /// `interval` is absent, no string, or no [`Interval`].
    #[error("request requires interval set")]
    NoInterval,
    /// `lvname` is absent.
    #[error("request requires lvname set")]
    NoLvName,
    /// `lvid` is absent.
    #[error("request requires lvid set")]
    NoLvid,
    /// `vgname` is absent.
    #[error("request requires vgname set")]
    NoVgName,
    /// A field holds what LVM would never let be such a name; this one is not among the C daemon's.
    #[error("request requires {field} as LVM allows it")]
    BadName {
        /// The field's name.
        field: &'static str,
    },
    /// The same id is being polled with another operation; the daemon finds this out.
    #[error("Different operation on LV already in progress")]
    DifferentOperation,
    /// The daemon has no room for another operation; it finds this out.
    #[error("not enough memory")]
    NotEnoughMemory,
}

impl PollOperation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pvmove, Self::Convert, Self::Merge, Self::MergeThin];

    /// Returns the word for it: in requests, in dumps, and for lvpoll's `--polloperation`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pvmove => "pvmove",
            Self::Convert => "convert",
            Self::Merge => "merge",
            Self::MergeThin => "merge_thin",
        }
    }

    /// Returns the operation with this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == word)
    }
}

impl fmt::Display for PollOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Request {
    /// Parses one message, without its terminator.
    ///
    /// # Errors
    /// The first [`Refusal`] that holds, in the C daemon's order of checks: abort, interval, lvname, lvid, vgname. The
    /// connection stays open after any of them.
    pub fn parse(message: &[u8]) -> Result<Self, Refusal> {
        let fields = config_text::parse(message).map_err(|_| Refusal::NotImplemented)?;
        match fields.string("request") {
            Some("hello") => Ok(Self::Hello),
            Some("dump") => Ok(Self::Dump),
            Some("progress_info") => ProgressRequest::from_fields(&fields).map(Self::Progress),
            Some(word) => {
                let kind = PollOperation::from_word(word).ok_or(Refusal::NotImplemented)?;
                StartRequest::from_fields(kind, &fields).map(Self::Start)
            }
            None => Err(Refusal::NotImplemented),
        }
    }

    /// Writes the message, without its terminator, as lvm commands of 2.03.16 do.
    pub fn to_bytes(&self) -> Bytes {
        match self {
            Self::Hello => Bytes::from_static(b"request = \"hello\"\n"),
            Self::Dump => Bytes::from_static(b"request=\"dump\"\n"),
            Self::Progress(request) => request.to_bytes(),
            Self::Start(request) => request.to_bytes(),
        }
    }
}

impl StartRequest {
    /// Returns what this operation is known by.
    pub fn id(&self) -> OperationId {
        operation_id(self.abort, self.sysdir.as_ref(), &self.lvid)
    }

    /// Returns what the pvmove is known by that this request aborts.
    pub fn aborted_id(&self) -> OperationId {
        operation_id(false, self.sysdir.as_ref(), &self.lvid)
    }

    /// Returns the LV as commands name it: `VG/LV`.
    pub fn lv(&self) -> String {
        format!("{}/{}", self.vgname, self.lvname)
    }

    fn from_fields(kind: PollOperation, fields: &Section<'_>) -> Result<Self, Refusal> {
        let abort = flag(fields, "abort");
        if abort && kind != PollOperation::Pvmove {
            return Err(Refusal::AbortWithoutPvmove);
        }
        let interval = fields.string("interval").and_then(|text| Interval::try_from(text).ok());
        let interval = interval.ok_or(Refusal::NoInterval)?;
        let lvname = name(fields, "lvname")?.ok_or(Refusal::NoLvName)?;
        let lvid = name(fields, "lvid")?.ok_or(Refusal::NoLvid)?;
        let vgname = name(fields, "vgname")?.ok_or(Refusal::NoVgName)?;
        Ok(Self {
            kind,
            abort,
            handle_missing_pvs: flag(fields, "handle_missing_pvs"),
            lvid,
            vgname,
            lvname,
            interval,
            sysdir: name(fields, "sysdir")?,
            devicesfile: name(fields, "devicesfile")?,
            cmdline: fields.bytes("cmdline").map(CommandLine::lossy),
        })
    }

    fn to_bytes(&self) -> Bytes {
        let mut out = MessageWriter::new(self.kind.as_str());
        out.flag("abort", self.abort);
        out.flag("handle_missing_pvs", self.handle_missing_pvs);
        out.text("sysdir", self.sysdir.as_ref().map(SystemDir::as_str));
        out.text("lvid", Some(self.lvid.as_str()));
        out.text("vgname", Some(self.vgname.as_str()));
        out.text("lvname", Some(self.lvname.as_str()));
        out.text("interval", Some(self.interval.as_str()));
        out.text("cmdline", self.cmdline.as_deref());
        out.text("devicesfile", self.devicesfile.as_ref().map(DevicesFile::as_str));
        out.finish()
    }
}

impl ProgressRequest {
    /// Returns what the operation is known by.
    pub fn id(&self) -> OperationId {
        operation_id(self.abort, self.sysdir.as_ref(), &self.lvid)
    }

    fn from_fields(fields: &Section<'_>) -> Result<Self, Refusal> {
        Ok(Self {
            lvid: name(fields, "lvid")?.ok_or(Refusal::NoLvid)?,
            sysdir: name(fields, "sysdir")?,
            abort: flag(fields, "abort"),
        })
    }

    fn to_bytes(&self) -> Bytes {
        let mut out = MessageWriter::new("progress_info");
        out.flag("abort", self.abort);
        out.text("sysdir", self.sysdir.as_ref().map(SystemDir::as_str));
        out.text("lvid", Some(self.lvid.as_str()));
        out.finish()
    }
}

fn operation_id(abort: bool, sysdir: Option<&SystemDir>, lvid: &Lvid) -> OperationId {
    OperationId::new(if abort { Store::Abort } else { Store::Poll }, sysdir, lvid)
}

/// Returns whether an integer field is there and not 0.
fn flag(fields: &Section<'_>, field: &str) -> bool {
    fields.int(field).is_some_and(|value| value != 0)
}

/// Returns a name, or `None` when the field is absent, which an empty one counts as.
fn name<'f, T: TryFrom<&'f str>>(fields: &'f Section<'_>, field: &'static str) -> Result<Option<T>, Refusal> {
    let Some(bytes) = fields.bytes(field) else { return Ok(None) };
    let text = std::str::from_utf8(bytes).ok().and_then(|text| T::try_from(text).ok());
    text.map(Some).ok_or(Refusal::BadName { field })
}

/// Writes fields as lvm commands of 2.03.16 space them: `request="x"`, then `key ="text"` and `key =1`.
struct MessageWriter(BytesMut);

impl MessageWriter {
    /// A pvmove request of lvm fits without growing.
    const USUAL_BYTES: usize = 256;

    fn new(word: &str) -> Self {
        let mut out = BytesMut::with_capacity(Self::USUAL_BYTES);
        writeln!(out, "request=\"{word}\"").expect("a buffer that grows takes any text");
        Self(out)
    }

    fn flag(&mut self, field: &str, value: bool) {
        if value {
            self.0.put_slice(field.as_bytes());
            self.0.put_slice(b" =1\n");
        }
    }

    fn text(&mut self, field: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.0.put_slice(field.as_bytes());
            self.0.put_slice(b" =");
            put_quoted(&mut self.0, value.as_bytes());
            self.0.put_u8(b'\n');
        }
    }

    fn finish(self) -> Bytes {
        self.0.freeze()
    }
}
