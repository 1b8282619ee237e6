//! All that is known at one moment, in the order in which it is told.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::api::metadata::{Coverage, Freshness, Reading, Source};
use lvmwarden_protocol::ids::VgName;
use lvmwarden_protocol::metadata::model::{Pv, Vg};
use lvmwarden_protocol::metadata::{Pvid, Vgid};

use super::mapped::Mapped;
use crate::roles::metadata::cache::Snapshot;
use crate::roles::metadata::cached_vg::state::VgState;
use crate::roles::metadata::knowledge::{self, Problem};
use crate::roles::metadata::pv_index::{self, PresentPv, Provenance};

/// Where a thing stands among all that are told: VGs by name and UUID, in each its own order, and what is in no VG at the end.
///
/// As text it is JSON: the names and UUIDs of lvmetad's clients may be any text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// It is in no VG.
    pub is_outside: bool,
    /// The VG's name.
    pub vgname: String,
    /// The VG's UUID.
    pub vg_uuid: String,
    /// What orders it within the VG; empty for the VG itself.
    pub item: String,
}

/// A text that is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (is_outside, vgname, vg_uuid, item) = serde_json::from_str(text).map_err(|_| NoPlace)?;
        Ok(Self { is_outside, vgname, vg_uuid, item })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = (self.is_outside, &self.vgname, &self.vg_uuid, &self.item);
        f.write_str(&serde_json::to_string(&parts).map_err(|_| std::fmt::Error)?)
    }
}

/// Looks up the path of a device by its number.
pub type DeviceNames = fn(i64) -> Option<String>;

/// All that is known at one moment.
pub struct View {
    vgs: Vec<Arc<VgState>>,
    present: BTreeMap<Pvid, Arc<PresentPv>>,
    listed: BTreeSet<Pvid>,
    reading: knowledge::Reading,
    /// What those who read have found.
    pub found: Vec<Problem>,
    /// What the kernel says of LVs; `None`: it does not answer.
    pub mapped: Option<Arc<Mapped>>,
    now: Duration,
    device_names: DeviceNames,
}

/// A VG with what its metadata mean; what makes no sense means nothing.
pub struct ReadVg<'view> {
    /// As it is cached.
    pub state: &'view VgState,
    /// What its metadata mean.
    pub model: Vg,
}

impl View {
    /// Makes the view of a moment.
    pub fn new(
        snapshot: Snapshot,
        reading: knowledge::Reading,
        found: Vec<Problem>,
        now: Duration,
        device_names: DeviceNames,
    ) -> Self {
        let mut vgs = snapshot.vgs;
        vgs.sort_by(|a, b| order(a).cmp(&order(b)));
        let listed = vgs.iter().flat_map(|vg| vg.text.pvs()).map(|listed| listed.id.clone()).collect();
        let present = snapshot.pvs.into_iter().map(|pv| (pv.text.id.clone(), pv)).collect();
        Self { vgs, present, listed, reading, found, mapped: None, now, device_names }
    }

    /// Returns how far it goes.
    pub fn coverage(&self) -> Coverage {
        let (reading, since) = match self.reading {
            knowledge::Reading::Underway { since } => (Reading::Underway, since),
            knowledge::Reading::Done { at } => (Reading::Done, at),
        };
        Coverage { reading, since_ms: self.ms_since(since) }
    }

    /// Tells whether all PVs were looked at.
    pub fn is_whole(&self) -> bool {
        matches!(self.reading, knowledge::Reading::Done { .. })
    }

    /// Returns the VGs of this name, or all, in order; those before `after` are left out.
    pub fn vgs<'v>(
        &'v self,
        vgname: Option<&'v VgName>,
        after: Option<&'v Place>,
    ) -> impl Iterator<Item = &'v VgState> {
        let is_before = move |vg: &VgState| {
            after.is_some_and(|after| {
                after.is_outside || order(vg) < (after.vgname.as_str(), after.vg_uuid.as_str())
            })
        };
        let is_meant = move |vg: &VgState| vgname.is_none_or(|name| name.as_str() == vg.name.as_str());
        self.vgs.iter().map(|vg| &**vg).filter(move |vg| is_meant(vg) && !is_before(vg))
    }

    /// Reads what the metadata of a VG mean.
    pub fn read<'v>(&self, state: &'v VgState) -> ReadVg<'v> {
        let model = Vg::from_text(state.name.as_str(), &state.text).unwrap_or_else(|_| Vg {
            name: state.name.as_str().to_owned(),
            uuid: state.text.uuid.as_str().to_owned(),
            seqno: state.text.seqno,
            ..Vg::default()
        });
        ReadVg { state, model }
    }

    /// Returns the PV, if it is there.
    pub fn present(&self, uuid: &str) -> Option<&PresentPv> {
        let id = Pvid::try_from(uuid).ok()?;
        self.present.get(&id).map(|pv| &**pv)
    }

    /// Tells whether a PV is missing: it is not there, or its VG has been used without it.
    pub fn is_missing(&self, pv: &Pv) -> bool {
        pv.has("MISSING") || self.present(&pv.uuid).is_none()
    }

    /// Returns the UUIDs of the PVs of a VG that are not there.
    pub fn missing<'v>(&'v self, vg: &'v VgState) -> impl Iterator<Item = &'v Pvid> {
        vg.text.pvs().iter().map(|listed| &listed.id).filter(|id| !self.present.contains_key(*id))
    }

    /// Returns the PVs that are there and that no VG lists, by UUID.
    pub fn outside(&self) -> impl Iterator<Item = &PresentPv> {
        self.present.values().map(|pv| &**pv).filter(|pv| !self.listed.contains(&pv.text.id))
    }

    /// Returns the path of the device of a PV that is there.
    pub fn device(&self, uuid: &str) -> Option<String> {
        let number = self.present(uuid)?.text.device;
        Some((self.device_names)(number).unwrap_or_else(|| format!("device {number}")))
    }

    /// Returns how far something of this provenance is to be believed.
    pub fn freshness(&self, provenance: &Provenance) -> Freshness {
        Freshness {
            source: match provenance.source {
                pv_index::Source::Command => Source::Command,
                pv_index::Source::Disk => Source::Disk,
            },
            age_ms: self.ms_since(provenance.read_at),
            verified_ms_ago: self.ms_since(provenance.verified_at),
        }
    }

    /// Returns the time since then, by a clock that nobody sets.
    fn ms_since(&self, then: Duration) -> u64 {
        u64::try_from(self.now.saturating_sub(then).as_millis()).unwrap_or(u64::MAX)
    }
}

impl ReadVg<'_> {
    /// Returns where something stands within this VG.
    pub fn place(&self, item: impl Into<String>) -> Place {
        Place {
            is_outside: false,
            vgname: self.state.name.as_str().to_owned(),
            vg_uuid: self.state.text.uuid.as_str().to_owned(),
            item: item.into(),
        }
    }

    /// Returns its UUID.
    pub fn uuid(&self) -> &Vgid {
        &self.state.text.uuid
    }
}

fn order(vg: &VgState) -> (&str, &str) {
    (vg.name.as_str(), vg.text.uuid.as_str())
}

/// Tells whether a place is one that has been told: it is not behind `after`.
pub(super) fn is_told(place: &Place, after: Option<&Place>) -> bool {
    after.is_some_and(|after| place.cmp(after) != Ordering::Greater)
}
