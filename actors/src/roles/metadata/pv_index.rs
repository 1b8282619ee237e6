//! The PVs that are there, by UUID and by device, and the VG that each belongs to.
//!
//! What becomes of a PV that is found depends on what its device and its UUID meant before:
//!
//! | on the device was | the PV was | then |
//! |---|---|---|
//! | this PV | on this device | it is there still, perhaps with other areas |
//! | nothing | nowhere | it is new |
//! | another PV | nowhere, or there | that other PV is gone: the device was used anew |
//! | anything | on another device | one of the two is a copy: nothing is believed, and commands shall look for themselves |
//!
//! The VG of a PV that goes away is remembered as long as that VG is: a PV without metadata areas finds it again so.
//!
//! Source: lvm2 2.02.188, lvmetad; better in two points: a PV that went away by UUID leaves no device behind, and one whose
//! device was used anew keeps its VG.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::metadata::PvText;
use lvmwarden_protocol::metadata::{Pvid, Vgid};

/// Where knowledge comes from, and how old it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provenance {
    /// Who has read it from the disk.
    pub source: Source,
    /// When it came.
    pub read_at: Duration,
    /// When it was last known to be what is on the disk.
    pub verified_at: Duration,
}

/// Who reads metadata from disks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An lvm command, which has told it.
    Command,
    /// The daemon itself.
    Disk,
}

impl Provenance {
    /// Returns that of what comes now.
    pub fn fresh(source: Source, now: Duration) -> Self {
        Self { source, read_at: now, verified_at: now }
    }
}

/// A PV that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentPv {
    /// What is known of it.
    pub text: PvText,
    /// Where that comes from.
    pub provenance: Provenance,
}

/// What a PV that is found was before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// It was there.
    Known {
        /// What was known of it is what is said now.
        is_same: bool,
    },
    /// It was not there, nor anything on its device.
    New,
    /// Another PV was on its device, and is gone.
    Reused(Pvid),
    /// It is on another device as well.
    Duplicate {
        /// The PV that was on the device is gone.
        gone: Option<Pvid>,
    },
}

/// The PVs.
#[derive(Debug, Clone, Default)]
pub struct PvIndex {
    present: BTreeMap<Pvid, Arc<PresentPv>>,
    by_device: BTreeMap<i64, Pvid>,
    /// The VG of each PV that was in one; `None`: it is an orphan now.
    vg_of: BTreeMap<Pvid, Option<Vgid>>,
    /// The VG of which each PV tells itself, as far as the daemon has read it.
    said: BTreeMap<Pvid, Vgid>,
}

impl PvIndex {
    /// Returns the PV, if it is there.
    pub fn get(&self, pv: &Pvid) -> Option<&Arc<PresentPv>> {
        self.present.get(pv)
    }

    /// Returns the PV that is on this device.
    pub fn on_device(&self, device: i64) -> Option<&Pvid> {
        self.by_device.get(&device)
    }

    /// Returns the VG that the PV is in, be it there or not.
    pub fn vg_of(&self, pv: &Pvid) -> Option<&Vgid> {
        self.vg_of.get(pv)?.as_ref()
    }

    /// Returns the PVs that are there, by UUID.
    pub fn present(&self) -> impl Iterator<Item = &Arc<PresentPv>> {
        self.present.values()
    }

    /// Returns the devices and what is on them, by number.
    pub fn devices(&self) -> impl Iterator<Item = (i64, &Pvid)> {
        self.by_device.iter().map(|(device, pv)| (*device, pv))
    }

    /// Returns every PV that was ever in a VG, and which.
    pub fn assigned(&self) -> impl Iterator<Item = (&Pvid, Option<&Vgid>)> {
        self.vg_of.iter().map(|(pv, vg)| (pv, vg.as_ref()))
    }

    /// Tells what a PV that is found was before.
    pub fn identify(&self, found: &PvText) -> Identity {
        let on_device = self.by_device.get(&found.device);
        let before = self.present.get(&found.id);
        let is_elsewhere = before.is_some_and(|before| before.text.device != found.device);
        let other = on_device.filter(|other| **other != found.id);
        match (other, before) {
            (gone, _) if is_elsewhere => Identity::Duplicate { gone: gone.cloned() },
            (Some(gone), _) => Identity::Reused(gone.clone()),
            (None, Some(before)) => Identity::Known { is_same: before.text == *found },
            (None, None) => Identity::New,
        }
    }

    /// Puts a PV in place. What else was on its device must have been removed.
    pub fn insert(&mut self, text: PvText, provenance: Provenance) {
        self.by_device.insert(text.device, text.id.clone());
        self.present.insert(text.id.clone(), Arc::new(PresentPv { text, provenance }));
    }

    /// Removes a PV and its device; its VG is remembered. Returns whether it was there.
    pub fn remove(&mut self, pv: &Pvid) -> bool {
        let Some(removed) = self.present.remove(pv) else { return false };
        self.by_device.remove(&removed.text.device);
        true
    }

    /// A PV itself tells of a VG, or of none.
    pub fn says(&mut self, pv: &Pvid, vg: Option<Vgid>) {
        match vg {
            Some(vg) => drop(self.said.insert(pv.clone(), vg)),
            None => drop(self.said.remove(pv)),
        }
    }

    /// Tells whether a PV may be in a VG that lists it: it does not tell of another itself.
    pub fn may_be_in(&self, pv: &Pvid, vg: &Vgid) -> bool {
        self.said.get(pv).is_none_or(|said| said == vg)
    }

    /// Says which VG a PV is in, and returns the one that it was in.
    pub fn assign(&mut self, pv: &Pvid, vg: Option<Vgid>) -> Option<Vgid> {
        self.vg_of.insert(pv.clone(), vg).flatten()
    }
}
