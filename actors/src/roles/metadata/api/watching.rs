//! What has become of each VG since a client was told of it.
//!
//! ```text
//!            ┌─ Appeared ──▶ complete ◀── Completed ──┐
//!  (unknown) ┤                   └──── Degraded ──▶ partial     each with Changed: another seqno or name
//!            └─ Appeared ──▶ partial                  │
//!      ▲                                              │
//!      └────────────── Gone ──────────────────────────┘
//! ```
//!
//! The first look tells every VG as Known. A VG that comes and goes between two looks is not told of.

use std::collections::BTreeMap;

use lvmwarden_protocol::api::metadata::Change;

use super::view::View;

/// What a client was told of one VG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its name.
    pub vgname: String,
    /// Its version.
    pub seqno: i64,
    /// None of its PVs is missing.
    pub is_complete: bool,
}

/// A change to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What.
    pub change: Change,
    /// The VG's UUID.
    pub uuid: String,
    /// What it is called now, or was called.
    pub vgname: String,
}

/// All that a client was told.
#[derive(Debug, Default)]
pub struct Watcher {
    told: Option<BTreeMap<String, Told>>,
}

impl Watcher {
    /// Tells whether nothing was told yet.
    pub fn is_new(&self) -> bool {
        self.told.is_none()
    }

    /// Returns what is new, and takes it as told.
    pub fn look(&mut self, now: BTreeMap<String, Told>) -> Vec<Step> {
        let step =
            |change, uuid: &String, vg: &Told| Step { change, uuid: uuid.clone(), vgname: vg.vgname.clone() };
        let steps = match &self.told {
            None => now.iter().map(|(uuid, vg)| step(Change::Known, uuid, vg)).collect(),
            Some(before) => {
                let gone = before.iter().filter(|(uuid, _)| !now.contains_key(*uuid));
                let gone = gone.map(|(uuid, vg)| step(Change::Gone, uuid, vg));
                let there =
                    now.iter().filter_map(|(uuid, vg)| Some(step(change(before.get(uuid), vg)?, uuid, vg)));
                gone.chain(there).collect()
            }
        };
        self.told = Some(now);
        steps
    }
}

fn change(before: Option<&Told>, now: &Told) -> Option<Change> {
    let Some(before) = before else { return Some(Change::Appeared) };
    match (before.is_complete, now.is_complete) {
        (false, true) => Some(Change::Completed),
        (true, false) => Some(Change::Degraded),
        (true, true) | (false, false) => (before != now).then_some(Change::Changed),
    }
}

/// Returns what is to be compared of the VGs of a view, by UUID.
pub fn compared(view: &View, vgname: Option<&lvmwarden_protocol::ids::VgName>) -> BTreeMap<String, Told> {
    let vgs = view.vgs(vgname, None).map(|vg| {
        let told = Told {
            vgname: vg.name.as_str().to_owned(),
            seqno: vg.text.seqno,
            is_complete: view.missing(vg).next().is_none(),
        };
        (vg.text.uuid.as_str().to_owned(), told)
    });
    vgs.collect()
}
