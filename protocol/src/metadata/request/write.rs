//! From a request to a message that says the same as that of an lvm command, or of lvmetactl, with its fields in the same
//! order.
//!
//! The text is canonical. lvm's own differs in blanks, which differ from request to request and mean nothing.

use std::fmt::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};

use super::{DisableReasons, Operation, PvKey, Request, UpdatedVg};
use crate::config_text::put_quoted;
use crate::metadata::{Pvid, Vgid, Vgname};

const GROWS: &str = "a buffer that grows takes any text";

impl Request {
    /// Writes the message, without its terminator. What was refused when it was parsed is not written.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = Fields(BytesMut::with_capacity(256));
        out.text("request", &self.operation.keyword());
        out.operation(&self.operation);
        out.text_if_any("token", self.common.token.as_deref());
        out.int_if_any("update_timeout", self.common.update_timeout);
        out.int_if_any("pid", self.common.pid);
        out.text_if_any("cmd", self.common.cmd.as_deref());
        out.0.freeze()
    }
}

/// A message in the making.
struct Fields(BytesMut);

impl Fields {
    fn operation(&mut self, operation: &Operation) {
        match operation {
            Operation::Hello
            | Operation::TokenUpdate
            | Operation::GetGlobalInfo
            | Operation::PvClearAll
            | Operation::PvList
            | Operation::VgList
            | Operation::Dump
            | Operation::Unknown(_)
            | Operation::PvFound(Err(_))
            | Operation::VgUpdate(Err(_) | Ok(None)) => {}
            Operation::SetGlobalInfo { invalid, disable, reasons } => {
                self.int_if_any("global_invalid", invalid.map(i64::from));
                self.int_if_any("global_disable", disable.map(i64::from));
                self.reasons(*reasons);
            }
            Operation::PvFound(Ok(found)) => {
                self.0.put_slice(b"pvmeta {\n");
                found.pv.write_at(1, &mut self.0);
                self.0.put_slice(b"}\n");
                if let Some(metadata) = &found.metadata {
                    self.vg(metadata);
                }
            }
            Operation::PvGone(key) | Operation::PvLookup(key) => self.pv_key(key),
            Operation::VgLookup { uuid, name } => {
                self.text_if_any("uuid", uuid.as_ref().map(Vgid::as_str));
                self.text_if_any("name", name.as_ref().map(Vgname::as_str));
            }
            Operation::VgUpdate(Ok(Some(updated))) => self.vg(updated),
            Operation::VgRemove(uuid) => self.text_if_any("uuid", uuid.as_ref().map(Vgid::as_str)),
            Operation::VgClearOutdatedPvs(uuid) => {
                self.text_if_any("vgid", uuid.as_ref().map(Vgid::as_str));
            }
            Operation::SetVgInfo { version, uuid, name } => {
                self.text_if_any("name", name.as_ref().map(Vgname::as_str));
                self.text_if_any("uuid", uuid.as_ref().map(Vgid::as_str));
                self.int_if_any("version", *version);
            }
        }
    }

    fn reasons(&mut self, reasons: DisableReasons) {
        let words: Vec<&str> = reasons.words().collect();
        self.text_if_any("disable_reason", Some(words.join(",")).as_deref().filter(|text| !text.is_empty()));
    }

    fn pv_key(&mut self, key: &PvKey) {
        self.text_if_any("uuid", key.uuid.as_ref().map(Pvid::as_str));
        self.int_if_any("device", key.device);
    }

    fn vg(&mut self, vg: &UpdatedVg) {
        self.text("vgname", vg.name.as_str());
        self.0.put_slice(b"metadata {\n");
        self.0.put_slice(vg.text.body());
        self.0.put_slice(b"}\n");
    }

    fn text(&mut self, key: &str, value: &str) {
        write!(self.0, "{key}=").expect(GROWS);
        put_quoted(&mut self.0, value.as_bytes());
        self.0.put_u8(b'\n');
    }

    fn text_if_any(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    fn int_if_any(&mut self, key: &str, value: Option<i64>) {
        if let Some(value) = value {
            writeln!(self.0, "{key}={value}").expect(GROWS);
        }
    }
}
