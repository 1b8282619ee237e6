//! The dump: every operation of both stores, as config text in C's own layout.
//!
//! Programs read it by line (upstream's tests do, with awk), so the order of lines and their tabs are part of it.
//! `error_occured` is spelled as 2.03.16 spells it.

use std::fmt::{self, Write as _};

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{Interval, Outcome, PollOperation, ReplyError};
use crate::config_text::{Content, Section, put_key, put_quoted};
use crate::ids::{LvName, Lvid, OperationId, Store, SystemDir, VgName};

/// What stands for a system directory that the client did not give.
const UNDEFINED: &str = "<undefined>";

/// An entry of lvm's own is about 450 bytes.
const USUAL_ENTRY_BYTES: usize = 512;

/// The operations that a daemon knows, in the order in which they are shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dump {
    /// Those in [`Store::Poll`].
    pub poll: Vec<DumpEntry>,
    /// Those in [`Store::Abort`].
    pub abort: Vec<DumpEntry>,
}

/// One operation in a [`Dump`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpEntry {
    /// The LV for ever; with `sysdir` it makes the section's name, see [`OperationId`].
    pub lvid: Lvid,
    /// What is polled.
    pub kind: PollOperation,
    /// The VG's name.
    pub vgname: VgName,
    /// The LV's name.
    pub lvname: LvName,
    /// How long the C daemon waits for output of lvpoll: twice the interval, at least 60.
    pub internal_timeout_seconds: u64,
    /// The interval as lvpoll got it.
    pub interval: Interval,
    /// The client's `LVM_SYSTEM_DIR`.
    pub sysdir: Option<SystemDir>,
    /// The process id of lvpoll, 0 if there is none yet.
    pub lvpoll_pid: u32,
    /// How the polling stands.
    pub state: DumpState,
    /// How many clients have asked for this operation.
    pub init_requests_count: u64,
}

/// How the polling of an operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DumpState {
    /// lvpoll runs.
    InProgress,
    /// lvpoll ended, and how is known.
    Finished(Outcome),
    /// The daemon lost track of lvpoll, whose own state is then still shown as in progress.
    Failed,
}

impl Dump {
    /// Writes the message, without its terminator and therefore without a last newline.
    pub(super) fn to_bytes(&self) -> Bytes {
        let entry_count = self.poll.len() + self.abort.len();
        let mut out = BytesMut::with_capacity((entry_count + 1) * USUAL_ENTRY_BYTES);
        out.put_slice(b"# Registered polling operations\n\npoll {\n");
        put_entries(&mut out, Store::Poll, &self.poll);
        out.put_slice(b"}\n\n# Registered abort operations\n\nabort {\n");
        put_entries(&mut out, Store::Abort, &self.abort);
        out.put_u8(b'}');
        out.freeze()
    }

    pub(super) fn from_fields(fields: &Section<'_>) -> Result<Self, ReplyError> {
        Ok(Self { poll: entries(fields, "poll")?, abort: entries(fields, "abort")? })
    }
}

fn put_entries(out: &mut BytesMut, store: Store, entries: &[DumpEntry]) {
    for entry in entries {
        entry.put(store, out).expect("a buffer that grows takes any text");
    }
}

impl DumpEntry {
    fn put(&self, store: Store, out: &mut BytesMut) -> fmt::Result {
        let (polling_finished, error_occured) = match self.state {
            DumpState::InProgress => (0, 0),
            DumpState::Finished(_) => (1, 0),
            DumpState::Failed => (1, 1),
        };
        out.put_u8(b'\t');
        put_key(out, OperationId::new(store, self.sysdir.as_ref(), &self.lvid).as_str().as_bytes());
        out.put_slice(b" {\n");
        put_text(out, "lvid", self.lvid.as_str());
        put_text(out, "type", self.kind.as_str());
        put_text(out, "lvname", &format!("{}/{}", self.vgname, self.lvname));
        writeln!(out, "\t\tlvmpolld_internal_timeout={}", self.internal_timeout_seconds)?;
        put_text(out, "lvm_command_interval", self.interval.as_str());
        put_text(out, "LVM_SYSTEM_DIR", self.sysdir.as_ref().map_or(UNDEFINED, SystemDir::as_str));
        writeln!(out, "\t\tlvm_command_pid={}", self.lvpoll_pid)?;
        writeln!(out, "\t\tpolling_finished={polling_finished}")?;
        writeln!(out, "\t\terror_occured={error_occured}")?;
        writeln!(out, "\t\tinit_requests_count={}", self.init_requests_count)?;
        out.put_slice(b"\t\tlvm_command {\n");
        match self.state {
            DumpState::InProgress | DumpState::Failed => out.put_slice(b"\t\t\tstate=\"in_progress\"\n"),
            DumpState::Finished(outcome) => {
                let (reason, value) = outcome.reason_and_value();
                write!(out, "\t\t\tstate=\"finished\"\n\t\t\treason=\"{reason}\"\n\t\t\tvalue={value}\n")?;
            }
        }
        out.put_slice(b"\t\t}\n\t}\n");
        Ok(())
    }

    fn from_fields(fields: &Section<'_>) -> Result<Self, ReplyError> {
        let (vgname, lvname) = text(fields, "lvname")?.split_once('/').ok_or(bad("lvname"))?;
        let kind = PollOperation::from_word(text(fields, "type")?).ok_or(bad("type"))?;
        let sysdir = Some(text(fields, "LVM_SYSTEM_DIR")?).filter(|text| *text != UNDEFINED);
        Ok(Self {
            lvid: parsed(text(fields, "lvid")?, "lvid")?,
            kind,
            vgname: parsed(vgname, "lvname")?,
            lvname: parsed(lvname, "lvname")?,
            internal_timeout_seconds: number(fields, "lvmpolld_internal_timeout")?,
            interval: parsed(text(fields, "lvm_command_interval")?, "lvm_command_interval")?,
            sysdir: sysdir.map(|text| parsed(text, "LVM_SYSTEM_DIR")).transpose()?,
            lvpoll_pid: number(fields, "lvm_command_pid")?,
            state: state(fields)?,
            init_requests_count: number(fields, "init_requests_count")?,
        })
    }
}

fn put_text(out: &mut BytesMut, field: &str, value: &str) {
    out.put_slice(b"\t\t");
    out.put_slice(field.as_bytes());
    out.put_u8(b'=');
    put_quoted(out, value.as_bytes());
    out.put_u8(b'\n');
}

fn entries(fields: &Section<'_>, store: &'static str) -> Result<Vec<DumpEntry>, ReplyError> {
    let mut found = Vec::new();
    collect_entries(fields.section(store).ok_or(bad(store))?, &mut found)?;
    Ok(found)
}

/// Collects the entries at any depth: an id that begins with a path is a chain of sections once it is parsed.
fn collect_entries(section: &Section<'_>, found: &mut Vec<DumpEntry>) -> Result<(), ReplyError> {
    for node in &section.nodes {
        match &node.content {
            Content::Section(entry) if entry.string("lvid").is_some() => {
                found.push(DumpEntry::from_fields(entry)?);
            }
            Content::Section(parent) => collect_entries(parent, found)?,
            Content::Value(_) => {}
        }
    }
    Ok(())
}

fn state(fields: &Section<'_>) -> Result<DumpState, ReplyError> {
    let command = fields.section("lvm_command").ok_or(bad("lvm_command"))?;
    match command.string("state") {
        Some("finished") => Outcome::from_fields(command).map(DumpState::Finished),
        Some("in_progress") if fields.int("error_occured") == Some(1) => Ok(DumpState::Failed),
        Some("in_progress") => Ok(DumpState::InProgress),
        _ => Err(bad("state")),
    }
}

fn text<'f>(fields: &'f Section<'_>, field: &'static str) -> Result<&'f str, ReplyError> {
    fields.string(field).ok_or(bad(field))
}

fn number<T: TryFrom<i64>>(fields: &Section<'_>, field: &'static str) -> Result<T, ReplyError> {
    fields.int(field).and_then(|value| value.try_into().ok()).ok_or(bad(field))
}

fn parsed<'t, T: TryFrom<&'t str>>(text: &'t str, field: &'static str) -> Result<T, ReplyError> {
    text.try_into().map_err(|_| bad(field))
}

fn bad(field: &'static str) -> ReplyError {
    ReplyError::BadField { field }
}
