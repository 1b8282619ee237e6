//! From a message to a request. A field of the wrong type counts as absent.

use super::{Common, DisableReasons, FoundPv, Operation, PvKey, Refusal, Request, UpdatedVg};
use crate::config_text::{self, Content, Section};
use crate::metadata::Vgname;
use crate::metadata::{NONE, PvText, VgText};

impl Request {
    /// Parses one message, without its terminator.
    ///
    /// A text that does not parse is a request without any field, as the C daemon sees it.
    pub fn parse(message: &[u8]) -> Self {
        let fields = config_text::parse(message).unwrap_or_default();
        let common = Common {
            token: text(&fields, "token"),
            update_timeout: fields.int("update_timeout"),
            pid: fields.int("pid"),
            cmd: text(&fields, "cmd"),
        };
        Self { operation: operation(&fields), common }
    }
}

fn operation(fields: &Section<'_>) -> Operation {
    match fields.string("request").unwrap_or(NONE) {
        "hello" => Operation::Hello,
        "token_update" => Operation::TokenUpdate,
        "get_global_info" => Operation::GetGlobalInfo,
        "set_global_info" => Operation::SetGlobalInfo {
            invalid: switch(fields, "global_invalid"),
            disable: switch(fields, "global_disable"),
            reasons: DisableReasons::from_text(fields.string("disable_reason").unwrap_or_default()),
        },
        "pv_clear_all" => Operation::PvClearAll,
        "pv_found" => Operation::PvFound(found_pv(fields)),
        "pv_gone" => Operation::PvGone(pv_key(fields)),
        "pv_lookup" => Operation::PvLookup(pv_key(fields)),
        "pv_list" => Operation::PvList,
        "vg_list" => Operation::VgList,
        "vg_lookup" => Operation::VgLookup { uuid: name(fields, "uuid"), name: name(fields, "name") },
        "vg_update" => Operation::VgUpdate(updated_vg(fields)),
        "vg_remove" => Operation::VgRemove(name(fields, "uuid")),
        "vg_clear_outdated_pvs" => Operation::VgClearOutdatedPvs(name(fields, "vgid")),
        "set_vg_info" => Operation::SetVgInfo {
            version: fields.int("version"),
            uuid: name(fields, "uuid"),
            name: name(fields, "name"),
        },
        "dump" => Operation::Dump,
        unknown => Operation::Unknown(unknown.to_owned()),
    }
}

fn text(fields: &Section<'_>, field: &str) -> Option<String> {
    fields.string(field).map(str::to_owned)
}

fn name<'f, T: TryFrom<&'f str>>(fields: &'f Section<'_>, field: &str) -> Option<T> {
    T::try_from(fields.string(field)?).ok()
}

fn switch(fields: &Section<'_>, field: &str) -> Option<bool> {
    match fields.int(field) {
        Some(0) => Some(false),
        Some(1) => Some(true),
        _ => None,
    }
}

fn pv_key(fields: &Section<'_>) -> PvKey {
    PvKey { uuid: name(fields, "uuid"), device: fields.int("device").filter(|device| *device != 0) }
}

fn found_pv(fields: &Section<'_>) -> Result<FoundPv, Refusal> {
    let pv = match fields.find("pvmeta").ok_or(Refusal::NoPvMeta)? {
        Content::Section(section) => PvText::from_section(section)?,
        Content::Value(_) => return Err(Refusal::NoPvUuid),
    };
    if fields.find("metadata").is_none() {
        return Ok(FoundPv { pv, metadata: None });
    }
    let name = name(fields, "vgname").ok_or(Refusal::PvWithoutVgName)?;
    let text = vg_text(fields).ok_or(Refusal::PvWithoutVgUuid)?;
    if text.seqno < 0 {
        return Err(Refusal::PvWithoutSeqno);
    }
    Ok(FoundPv { pv, metadata: Some(UpdatedVg { name, text }) })
}

fn updated_vg(fields: &Section<'_>) -> Result<Option<UpdatedVg>, Refusal> {
    if fields.find("metadata").is_none() {
        return Ok(None);
    }
    let text = vg_text(fields).ok_or(Refusal::UpdateWithoutUuid)?;
    let name: Vgname = name(fields, "vgname").ok_or(Refusal::UpdateWithoutName)?;
    match text.seqno {
        ..0 => Err(Refusal::UpdateWithoutSeqno),
        0 => Err(Refusal::UpdateWithSeqnoZero),
        1.. => Ok(Some(UpdatedVg { name, text })),
    }
}

fn vg_text(fields: &Section<'_>) -> Option<VgText> {
    fields.section("metadata").and_then(VgText::from_section)
}
