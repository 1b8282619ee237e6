//! What `lvs` says about LVs that are in the middle of something: its command line, and what it prints. Pure.
//!
//! | in LVM's metadata | means | is polled as |
//! |---|---|---|
//! | `move_pv` is set | the temporary LV of a pvmove | pvmove of that LV |
//! | `lv_converting` is set | a mirror that is given another leg | convert of that LV |
//! | `lv_merging` is set, `origin` as well | a snapshot that is merged | merge, or `merge_thin`, of its origin |
//!
//! These are the names and the lvid that lvm itself hands to lvmpolld, so that a later `pvmove` or `vgchange --poll y`
//! joins what was started here. A linear LV that becomes a mirror is marked nowhere, and lvm does not poll it either:
//! there is nothing to do at its end. Nor is there for raid. The origin of an old-style snapshot is marked as merging
//! too, that of a thin one is not; the snapshot is in both cases.
//!
//! Source: lvm2 2.03.16, seen; the fixtures are what it printed.

use std::collections::HashMap;
use std::ffi::OsString;

use lvmwarden_protocol::ids::{LvName, Lvid, Uuids, VgName};
use lvmwarden_protocol::poll::PollOperation;
use serde::Deserialize;
use thiserror::Error;

use crate::foundation::lvm_report;
use crate::roles::poll::operation::state::Names;

/// What is asked of lvs: facts of the metadata alone.
const FIELDS: &str = "vg_name,lv_name,vg_uuid,lv_uuid,lv_converting,lv_merging,move_pv,origin,pool_lv";

/// Returns the words after `lvm`; `more` are further options, such as `--devicesfile`.
pub fn arguments(more: &[&str]) -> Vec<OsString> {
    lvm_report::lvs(FIELDS, more)
}

/// An LV that is in the middle of something that somebody has to poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfinished {
    /// What it is in the middle of.
    pub kind: PollOperation,
    /// The VG's name.
    pub vgname: VgName,
    /// The name of the LV that is polled.
    pub lvname: LvName,
    /// That LV for ever.
    pub lvid: Lvid,
}

/// Why a report of lvs is of no use.
#[derive(Debug, Error)]
pub enum ReportError {
    /// It is not what `--reportformat json` prints.
    #[error("understand the report of lvs")]
    NotAReport(#[from] serde_json::Error),
    /// An LV has no name, or no UUID of the usual form.
    #[error("understand the report of lvs: the LV {lv:?} of the VG {vg:?} has no usual name or UUID")]
    BadName {
        /// The VG's name.
        vg: String,
        /// The LV's name.
        lv: String,
    },
    /// A snapshot is merged into an LV that is not there.
    #[error("understand the report of lvs: {vg}/{lv} is merged into {origin}, which is not there")]
    NoOrigin {
        /// The VG's name.
        vg: String,
        /// The snapshot's name.
        lv: String,
        /// The name of its origin.
        origin: String,
    },
}

/// All that lvs prints; there may be more beside, such as a log.
#[derive(Deserialize)]
struct Printed {
    report: Vec<Report>,
}

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    lv: Vec<Row>,
}

/// One LV. Fields without a value may be left out: `report/compact_output` of lvm.conf.
#[derive(Deserialize)]
struct Row {
    vg_name: String,
    lv_name: String,
    vg_uuid: String,
    lv_uuid: String,
    #[serde(default)]
    lv_converting: String,
    #[serde(default)]
    lv_merging: String,
    #[serde(default)]
    move_pv: String,
    #[serde(default)]
    origin: String,
    #[serde(default)]
    pool_lv: String,
}

/// Reads a report of lvs, and returns what is in the middle of something, in the report's order.
///
/// # Errors
/// [`ReportError`].
pub fn parse(report: &[u8]) -> Result<Vec<Unfinished>, ReportError> {
    let printed: Printed = serde_json::from_slice(report)?;
    let rows: Vec<Row> = printed.report.into_iter().flat_map(|report| report.lv).collect();
    let by_name: HashMap<_, _> = rows.iter().map(|row| ((&*row.vg_uuid, row.name()), row)).collect();
    let mut all = Vec::new();
    for row in &rows {
        let found = if !row.move_pv.is_empty() {
            row.unfinished(PollOperation::Pvmove)?
        } else if is_set(&row.lv_converting) {
            row.unfinished(PollOperation::Convert)?
        } else if is_set(&row.lv_merging) && !row.origin.is_empty() {
            // The changes of an old-style snapshot are never in a pool, whatever its origin is.
            let is_thick = row.pool_lv.is_empty();
            let kind = if is_thick { PollOperation::Merge } else { PollOperation::MergeThin };
            let origin = by_name.get(&(&*row.vg_uuid, bare(&row.origin)));
            origin.ok_or_else(|| row.no_origin())?.unfinished(kind)?
        } else {
            continue;
        };
        if !all.contains(&found) {
            all.push(found);
        }
    }
    Ok(all)
}

/// Reads a report of lvs, and returns what the VG and the LV of this lvid are called; `None`: it is not there.
///
/// # Errors
/// [`ReportError::NotAReport`].
pub fn names_of(report: &[u8], lvid: &Lvid) -> Result<Option<Names>, ReportError> {
    let printed: Printed = serde_json::from_slice(report)?;
    let mut rows = printed.report.into_iter().flat_map(|report| report.lv);
    let found = rows.find(|row| row.lvid() == lvid.as_str());
    let names = |row: Row| {
        Some(Names { vgname: (&*row.vg_name).try_into().ok()?, lvname: row.name().try_into().ok()? })
    };
    Ok(found.and_then(names))
}

/// `--binary` prints 0, 1, and -1 for what is not known.
fn is_set(value: &str) -> bool {
    value == "1"
}

/// Returns the name of an LV without the brackets that hidden ones have.
fn bare(name: &str) -> &str {
    name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name)
}

impl Row {
    fn name(&self) -> &str {
        bare(&self.lv_name)
    }

    fn lvid(&self) -> String {
        format!("{}{}", self.vg_uuid, self.lv_uuid).replace('-', "")
    }

    fn unfinished(&self, kind: PollOperation) -> Result<Unfinished, ReportError> {
        let made = || {
            let uuids =
                Uuids { vg: (&*self.vg_uuid).try_into().ok()?, lv: (&*self.lv_uuid).try_into().ok()? };
            let (vgname, lvname) = ((&*self.vg_name).try_into().ok()?, self.name().try_into().ok()?);
            Some(Unfinished { kind, vgname, lvname, lvid: uuids.into() })
        };
        made().ok_or_else(|| ReportError::BadName { vg: self.vg_name.clone(), lv: self.lv_name.clone() })
    }

    fn no_origin(&self) -> ReportError {
        let (vg, lv, origin) = (self.vg_name.clone(), self.name().to_owned(), self.origin.clone());
        ReportError::NoOrigin { vg, lv, origin }
    }
}

#[cfg(test)]
mod tests;
