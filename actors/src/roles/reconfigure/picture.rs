//! A VG as lvm reports it: two reports, JSON, to one picture. Pure.
//!
//! The two are taken one after the other: where their seqnos differ, somebody has written in between, and both are taken again.

use std::collections::BTreeSet;
use std::ffi::OsString;

use lvmwarden_protocol::ids::VgName;
use serde_json::Value;
use thiserror::Error;

use crate::foundation::lvm_report;

#[cfg(test)]
mod tests;

const VG_FIELDS: &str =
    "vg_name,vg_uuid,vg_seqno,vg_extent_size,vg_free_count,vg_lock_type,vg_tags,vg_missing_pv_count";
const LV_FIELDS: &str = "vg_uuid,vg_seqno,lv_name,lv_uuid,lv_size,lv_attr,lv_tags";

/// An LV, as far as a change needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PicturedLv {
    /// Its name; those of hidden LVs are not in a picture.
    pub name: String,
    /// Its UUID, with dashes.
    pub uuid: String,
    /// Its size.
    pub bytes: u64,
    /// It is being moved: LVM has locked it against changes.
    pub is_copying: bool,
    /// Its size is that of its store of changes, not that of its device.
    pub is_snapshot: bool,
    /// Its tags.
    pub tags: BTreeSet<String>,
}

/// A VG at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its name.
    pub name: String,
    /// Its UUID, with dashes.
    pub uuid: String,
    /// The version of its metadata.
    pub seqno: u64,
    /// How large an extent is.
    pub extent_bytes: u64,
    /// How many extents are free.
    pub free_extents: u64,
    /// What its locks are held by, such as `sanlock`; `None`: it is not shared.
    pub lock_type: Option<String>,
    /// Its tags.
    pub tags: BTreeSet<String>,
    /// How many of its PVs are not there.
    pub missing_pvs: u64,
    /// Its LVs, those that LVM hides left out.
    pub lvs: Vec<PicturedLv>,
}

/// Why a report says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PictureError {
    /// It is not the JSON that lvm writes.
    #[error("read the report of lvm")]
    Malformed,
    /// The VG is not in it.
    #[error("find the VG")]
    NoVg,
    /// Somebody has written between the two.
    #[error("read the VG twice alike")]
    Torn,
}

/// Returns the words after `lvm` for the report of the VG itself.
pub fn vg_words(vg: &VgName) -> Vec<OsString> {
    lvm_report::vgs(VG_FIELDS, vg.as_str())
}

/// Returns the words after `lvm` for the report of its LVs.
pub fn lv_words(vg: &VgName) -> Vec<OsString> {
    lvm_report::lvs(LV_FIELDS, &[vg.as_str()])
}

impl Picture {
    /// Puts the two reports together.
    ///
    /// # Errors
    /// [`PictureError`], each variant of which says its condition.
    pub fn parse(vgs: &[u8], lvs: &[u8]) -> Result<Self, PictureError> {
        let rows = rows(vgs, "vg")?;
        let row = rows.first().ok_or(PictureError::NoVg)?;
        let mut picture = Self {
            name: text(row, "vg_name")?,
            uuid: text(row, "vg_uuid")?,
            seqno: number(row, "vg_seqno")?,
            extent_bytes: number(row, "vg_extent_size")?,
            free_extents: number(row, "vg_free_count")?,
            lock_type: Some(text(row, "vg_lock_type")?).filter(|kind| !kind.is_empty() && kind != "none"),
            tags: tags(row, "vg_tags")?,
            missing_pvs: number(row, "vg_missing_pv_count")?,
            lvs: Vec::new(),
        };
        for row in self::rows(lvs, "lv")? {
            if text(&row, "vg_uuid")? != picture.uuid || number(&row, "vg_seqno")? != picture.seqno {
                return Err(PictureError::Torn);
            }
            let (name, attr) = (text(&row, "lv_name")?, text(&row, "lv_attr")?);
            if name.starts_with('[') {
                continue;
            }
            // Source: lvs(8), lv_attr bits: the third is a capital while the LV is locked against changes, as by pvmove.
            let is_copying = attr.chars().nth(2).is_some_and(|policy| policy.is_ascii_uppercase());
            let is_snapshot = attr.starts_with(['s', 'S']);
            let (uuid, bytes) = (text(&row, "lv_uuid")?, number(&row, "lv_size")?);
            let tags = tags(&row, "lv_tags")?;
            picture.lvs.push(PicturedLv { name, uuid, bytes, is_copying, is_snapshot, tags });
        }
        Ok(picture)
    }

    /// Returns the LV of this name.
    pub fn lv(&self, name: &str) -> Option<&PicturedLv> {
        self.lvs.iter().find(|lv| lv.name == name)
    }

    /// Returns the LV of this UUID.
    pub fn lv_of(&self, uuid: &str) -> Option<&PicturedLv> {
        self.lvs.iter().find(|lv| lv.uuid == uuid)
    }
}

fn rows(report: &[u8], what: &str) -> Result<Vec<Value>, PictureError> {
    let mut report: Value = serde_json::from_slice(report).map_err(|_| PictureError::Malformed)?;
    let sections = report["report"].as_array_mut().ok_or(PictureError::Malformed)?;
    let mut rows = Vec::new();
    for section in sections {
        rows.extend(section[what].as_array().cloned().unwrap_or_default());
    }
    Ok(rows)
}

fn text(row: &Value, field: &str) -> Result<String, PictureError> {
    row[field].as_str().map(str::to_owned).ok_or(PictureError::Malformed)
}

fn number(row: &Value, field: &str) -> Result<u64, PictureError> {
    match &row[field] {
        Value::Number(number) => number.as_u64().ok_or(PictureError::Malformed),
        Value::String(digits) => digits.parse().map_err(|_| PictureError::Malformed),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(PictureError::Malformed),
    }
}

fn tags(row: &Value, field: &str) -> Result<BTreeSet<String>, PictureError> {
    let listed = text(row, field)?;
    Ok(listed.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect())
}
