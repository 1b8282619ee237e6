//! What the readings of all devices mean together: the VGs, what the cache is told, and what is wrong. Pure.
//!
//! * A PV that two devices have: the one that was known first counts, the lowest number where both are new. The other is told
//!   as a duplicate, and counts as soon as the first is gone.
//! * The metadata of a VG are the newest that a counting device tells, whatever was cached: LVM may go back to older ones
//!   (`vgcfgrestore`). Of two texts with one seqno the one that is cached stays, and both are told.
//! * A VG is gone when no device tells of it any more, unless a PV of its is there that has no area in use, and so cannot.
//! * While LVM writes a change, one PV has the new text and another the old one. Those that have the old one are read again
//!   ([`Settled::again`]); they count as out of date when they were read after the new text was there, and that text was
//!   confirmed after theirs was first seen.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lvmwarden_protocol::metadata::{FoundPv, Operation, PvKey, Pvid, UpdatedVg, Vgid};

use super::device::DeviceNumber;
use super::problems::Trouble;
use super::pv_reading::PvReading;
use crate::roles::metadata::cache::Cache;

/// A device that was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Known {
    pub(super) reading: PvReading,
    /// When a read of it first began that found this text.
    pub(super) first: Duration,
    /// When the last read of it that succeeded began.
    pub(super) last: Duration,
}

impl Known {
    pub(super) fn vg(&self) -> Option<&Vgid> {
        self.reading.metadata.as_ref().map(|metadata| &metadata.text.uuid)
    }

    pub(super) fn seqno(&self) -> i64 {
        self.reading.metadata.as_ref().map_or(-1, |metadata| metadata.text.seqno)
    }
}

/// What a reading comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// What the cache is told, in this order.
    pub operations: Vec<Operation>,
    /// Devices that have to be read again, because they may be out of date, or another is.
    pub again: BTreeSet<DeviceNumber>,
    /// What is to be cached afterwards: the cache may have dropped a VG for the sake of another.
    vgs: BTreeMap<Vgid, UpdatedVg>,
    /// What PVs say themselves, before anything else is told.
    says: Vec<(Pvid, Option<Vgid>)>,
}

impl Settled {
    /// Returns what has been decided elsewhere.
    pub fn of(operations: Vec<Operation>) -> Self {
        Self { operations, ..Self::default() }
    }

    /// Returns what a cache that was told the operations has to be told still; nothing, sooner or later.
    pub fn missing(&self, cache: &Cache) -> Vec<Operation> {
        let is_cached = |vg: &UpdatedVg| {
            cache.vg(&vg.text.uuid).is_some_and(|cached| cached.name == vg.name && cached.text == vg.text)
        };
        let missing = self.vgs.values().filter(|vg| !is_cached(vg));
        missing.map(|vg| Operation::VgUpdate(Ok(Some(vg.clone())))).collect()
    }

    /// Tells what PVs say themselves: to be done before the operations.
    pub fn say(&self, cache: &mut Cache) {
        for (pv, vg) in &self.says {
            cache.says(pv, vg.as_ref());
        }
    }
}

/// Who has the metadata of a VG that count, and who has others.
pub(super) struct Doubt<'all> {
    holders: Vec<DeviceNumber>,
    pub(super) others: Vec<(DeviceNumber, &'all Known)>,
    /// When they were first read.
    appeared: Duration,
    /// When they were last read.
    confirmed: Duration,
}

impl Doubt<'_> {
    /// Tells whether another one has others for good: each was read when the other's had been there.
    pub(super) fn is_sure(&self, other: &Known) -> bool {
        other.last >= self.appeared && self.confirmed >= other.first
    }
}

/// What was read of all devices.
#[derive(Debug, Clone, Default)]
pub struct Assembly {
    pub(super) known: BTreeMap<DeviceNumber, Known>,
    /// The devices of each PV, of which the first counts.
    pub(super) devices: BTreeMap<Pvid, Vec<DeviceNumber>>,
    /// The devices that tell of each VG, duplicates included.
    pub(super) tellers: BTreeMap<Vgid, BTreeSet<DeviceNumber>>,
    /// What the cache was told of each VG.
    pub(super) vgs: BTreeMap<Vgid, UpdatedVg>,
    pub(super) troubles: BTreeMap<DeviceNumber, Trouble>,
}

impl Assembly {
    /// A device was read, by a read that began at `begun`.
    pub fn read(&mut self, device: DeviceNumber, reading: PvReading, begun: Duration) -> Settled {
        self.troubles.remove(&device);
        let before = self.known.get(&device);
        let (pv_before, vg_before) =
            (before.map(|known| known.reading.pv.id.clone()), before.and_then(Known::vg).cloned());
        let is_same = before.is_some_and(|known| known.reading.metadata == reading.metadata);
        let first = before.filter(|_| is_same).map_or(begun, |known| known.first);
        let mut settled = Settled::default();
        if pv_before.as_ref().is_some_and(|before| *before != reading.pv.id) {
            settled = self.gone(device);
        }
        let known = Known { reading: self.shared(reading), first, last: begun };
        let mut vgs: BTreeSet<Vgid> = vg_before.into_iter().chain(known.vg().cloned()).collect();
        if let Some(before) = self.known.get(&device) {
            vgs.extend(self.kept_for(&before.reading));
        }
        self.place(device, known);
        settled.says.extend(self.said(device));
        settled.operations.extend(self.found(device));
        self.settle(vgs.clone(), &mut settled);
        if is_same {
            settled.operations.extend(self.confirmed(device));
        }
        for vg in &vgs {
            settled.again.extend(self.doubted(vg));
        }
        settled
    }

    /// Says again what a device tells of its VG, if that is what counts: it was verified.
    fn confirmed(&self, device: DeviceNumber) -> Option<Operation> {
        let metadata = self.known.get(&device)?.reading.metadata.as_ref()?;
        let is_newest = self.vgs.get(&metadata.text.uuid) == Some(metadata);
        is_newest.then(|| Operation::VgUpdate(Ok(Some(metadata.clone()))))
    }

    /// Makes the text of a reading the one that is kept for its VG, where it is the same.
    fn shared(&self, mut reading: PvReading) -> PvReading {
        if let Some(metadata) = &mut reading.metadata
            && let Some(kept) = self.vgs.get(&metadata.text.uuid).filter(|kept| *kept == metadata)
        {
            metadata.clone_from(kept);
        }
        reading
    }

    fn place(&mut self, device: DeviceNumber, known: Known) {
        if let Some(vg) = self.known.get(&device).and_then(Known::vg).cloned() {
            self.unlist(&vg, device);
        }
        if let Some(vg) = known.vg() {
            self.tellers.entry(vg.clone()).or_default().insert(device);
        }
        let devices = self.devices.entry(known.reading.pv.id.clone()).or_default();
        if !devices.contains(&device) {
            devices.push(device);
        }
        self.known.insert(device, known);
    }

    fn unlist(&mut self, vg: &Vgid, device: DeviceNumber) {
        if let Some(tellers) = self.tellers.get_mut(vg) {
            tellers.remove(&device);
            if tellers.is_empty() {
                self.tellers.remove(vg);
            }
        }
    }

    /// Returns what the PV on a device says of its VG, if that device counts.
    fn said(&self, device: DeviceNumber) -> Option<(Pvid, Option<Vgid>)> {
        let known = self.known.get(&device).filter(|known| self.counts(device, known))?;
        Some((known.reading.pv.id.clone(), known.vg().cloned()))
    }

    /// Says that the PV on a device is there, if that device counts.
    fn found(&self, device: DeviceNumber) -> Option<Operation> {
        let known = self.known.get(&device).filter(|known| self.counts(device, known))?;
        Some(Operation::PvFound(Ok(FoundPv { pv: known.reading.pv.clone(), metadata: None })))
    }

    pub(super) fn counts(&self, device: DeviceNumber, known: &Known) -> bool {
        self.devices.get(&known.reading.pv.id).and_then(|devices| devices.first()) == Some(&device)
    }

    /// A device is as it was when it was read, by a read that began at `begun`.
    pub fn unchanged(&mut self, device: DeviceNumber, begun: Duration) -> Settled {
        self.troubles.remove(&device);
        let Some(known) = self.known.get_mut(&device) else { return Settled::default() };
        known.last = begun;
        let vg = known.vg().cloned();
        let again = vg.map(|vg| self.doubted(&vg)).unwrap_or_default();
        let mut settled = Settled { again, ..Settled::default() };
        settled.operations.extend(self.confirmed(device));
        settled.operations.extend(self.found(device));
        settled
    }

    /// Nothing could be read of a device: what was known of it stays, and the trouble is told.
    /// Returns whether it is another trouble than before.
    pub fn trouble(&mut self, device: DeviceNumber, trouble: Trouble) -> bool {
        self.troubles.insert(device, trouble.clone()) != Some(trouble)
    }

    /// Nothing can be read of a device: its PV is missing, as it is for LVM. Returns whether that is new.
    pub fn lost(&mut self, device: DeviceNumber, trouble: Trouble) -> (Settled, bool) {
        let is_new = self.troubles.get(&device) != Some(&trouble);
        let settled = self.gone(device);
        self.troubles.insert(device, trouble);
        (settled, is_new)
    }

    /// Returns the devices that could not be read.
    pub fn unreadable(&self) -> Vec<DeviceNumber> {
        let unreadable =
            self.troubles.iter().filter(|(_, trouble)| matches!(trouble, Trouble::Unreadable(_)));
        unreadable.map(|(device, _)| *device).collect()
    }

    /// A device is gone, or no PV any more.
    pub fn gone(&mut self, device: DeviceNumber) -> Settled {
        self.troubles.remove(&device);
        let Some(known) = self.known.remove(&device) else { return Settled::default() };
        let pv = known.reading.pv.id.clone();
        let mut settled = Settled::default();
        if let Some(vg) = known.vg() {
            self.unlist(vg, device);
        }
        let devices = self.devices.remove(&pv).unwrap_or_default();
        let did_count = devices.first() == Some(&device);
        let left: Vec<_> = devices.into_iter().filter(|other| *other != device).collect();
        if did_count {
            settled.operations.push(Operation::PvGone(PvKey { uuid: Some(pv.clone()), device: None }));
        }
        let successor = left.first().copied().filter(|_| did_count);
        if !left.is_empty() {
            self.devices.insert(pv.clone(), left);
        }
        let mut vgs: BTreeSet<Vgid> = known.vg().cloned().into_iter().collect();
        vgs.extend(self.kept_for(&known.reading));
        if did_count {
            settled.says.push((pv.clone(), None));
        }
        if let Some(successor) = successor {
            settled.says.extend(self.said(successor));
            settled.operations.extend(self.found(successor));
            vgs.extend(self.known.get(&successor).and_then(Known::vg).cloned());
        }
        self.settle(vgs, &mut settled);
        settled
    }

    /// Decides what these VGs are now, and says what has changed.
    fn settle(&mut self, mut vgs: BTreeSet<Vgid>, settled: &mut Settled) {
        let mut removed = Vec::new();
        for vg in vgs.clone() {
            let (before, newest) = (self.vgs.get(&vg).cloned(), self.newest(&vg));
            if before != newest {
                // PVs go from one VG to another: both are concerned.
                let listed = before.iter().chain(&newest).flat_map(|vg| vg.text.pvs().iter());
                vgs.extend(listed.filter_map(|listed| self.vg_told_by(&listed.id)));
            }
            match newest {
                Some(newest) => drop(self.vgs.insert(vg, newest)),
                None if before.is_some_and(|before| !self.is_kept(&before)) => {
                    self.vgs.remove(&vg);
                    removed.push(Operation::VgRemove(Some(vg)));
                }
                None => {}
            }
        }
        for vg in vgs.into_iter().filter_map(|vg| self.vgs.get(&vg)) {
            settled.vgs.insert(vg.text.uuid.clone(), vg.clone());
        }
        settled.operations.append(&mut removed);
    }

    /// Returns the VG of which the device tells that counts for a PV.
    fn vg_told_by(&self, pv: &Pvid) -> Option<Vgid> {
        self.known.get(self.devices.get(pv)?.first()?)?.vg().cloned()
    }

    /// Returns the newest metadata of a VG that a device tells that counts.
    fn newest(&self, vg: &Vgid) -> Option<UpdatedVg> {
        let told = self.told(vg).filter_map(|(_, known)| known.reading.metadata.as_ref());
        let seqno = told.clone().map(|metadata| metadata.text.seqno).max()?;
        let newest: Vec<_> = told.filter(|metadata| metadata.text.seqno == seqno).collect();
        let kept = self.vgs.get(vg).filter(|kept| newest.contains(kept));
        kept.or(newest.first().copied()).cloned()
    }

    /// Returns the devices that count and tell of a VG.
    pub(super) fn told<'all>(
        &'all self,
        vg: &Vgid,
    ) -> impl Iterator<Item = (DeviceNumber, &'all Known)> + Clone {
        let tellers = self.tellers.get(vg).into_iter().flatten();
        tellers.filter_map(|device| {
            let known = self.known.get(device)?;
            self.counts(*device, known).then_some((*device, known))
        })
    }

    /// Tells whether a VG that no device tells of is there: one of its PVs has nothing that it could tell it by.
    fn is_kept(&self, vg: &UpdatedVg) -> bool {
        let cannot_tell = |pv: &Pvid| {
            let device = self.devices.get(pv).and_then(|devices| devices.first());
            let known = device.and_then(|device| self.known.get(device));
            known.is_some_and(|known| !known.reading.pv.has_used_area && known.reading.is_used != Some(false))
        };
        vg.text.pvs().iter().any(|listed| cannot_tell(&listed.id))
    }

    /// Returns the VGs that may be there for this PV alone: no device tells of them, and it cannot.
    fn kept_for(&self, reading: &PvReading) -> Vec<Vgid> {
        if reading.pv.has_used_area {
            return Vec::new();
        }
        let untold = self.vgs.iter().filter(|(uuid, _)| self.told(uuid).next().is_none());
        untold.filter(|(_, vg)| vg.text.lists(&reading.pv.id)).map(|(uuid, _)| uuid.clone()).collect()
    }

    /// Returns the devices of a VG that have to be read again before they can be said to contradict one another.
    fn doubted(&self, vg: &Vgid) -> BTreeSet<DeviceNumber> {
        let doubt = self.doubt(vg);
        let mut doubted = BTreeSet::new();
        for (device, other) in &doubt.others {
            if other.last < doubt.appeared {
                doubted.insert(*device);
            }
            if doubt.confirmed < other.first {
                doubted.extend(doubt.holders.iter().copied());
            }
        }
        doubted
    }

    /// Returns who has the metadata of a VG that count, and who has others.
    pub(super) fn doubt(&self, vg: &Vgid) -> Doubt<'_> {
        let newest = self.vgs.get(vg);
        let (holders, others): (Vec<_>, Vec<_>) =
            self.told(vg).partition(|(_, known)| known.reading.metadata.as_ref() == newest);
        Doubt {
            appeared: holders.iter().map(|(_, holder)| holder.first).min().unwrap_or_default(),
            confirmed: holders.iter().map(|(_, holder)| holder.last).max().unwrap_or(Duration::MAX),
            holders: holders.into_iter().map(|(device, _)| device).collect(),
            others,
        }
    }

    /// Returns the devices that tell of VGs of this name.
    pub fn devices_of_name(&self, name: &str) -> Vec<DeviceNumber> {
        let named = self.vgs.iter().filter(|(_, vg)| vg.name.as_str() == name);
        named.flat_map(|(uuid, _)| self.told(uuid)).map(|(device, _)| device).collect()
    }

    /// Returns the devices whose PVs tell of no VG.
    pub fn orphans(&self) -> Vec<DeviceNumber> {
        let orphans = self.known.iter().filter(|(_, known)| known.reading.metadata.is_none());
        orphans.map(|(device, _)| *device).collect()
    }

    /// Returns the PVs and the VGs of which the cache was told.
    pub fn told_of(&self) -> (BTreeSet<&Pvid>, BTreeSet<&Vgid>) {
        (self.devices.keys().collect(), self.vgs.keys().collect())
    }

    /// Returns what was read of a device.
    pub fn reading(&self, device: DeviceNumber) -> Option<&PvReading> {
        self.known.get(&device).map(|known| &known.reading)
    }

    /// Returns the devices of a PV; the first counts.
    pub fn devices_of(&self, pv: &Pvid) -> &[DeviceNumber] {
        self.devices.get(pv).map_or(&[], Vec::as_slice)
    }

    /// Returns when the metadata of a VG were last known to be those on a disk.
    pub fn verified(&self, vg: &Vgid) -> Option<Duration> {
        let newest = self.vgs.get(vg)?;
        let holders = self.told(vg).filter(|(_, known)| known.reading.metadata.as_ref() == Some(newest));
        holders.map(|(_, known)| known.last).max()
    }

    /// Returns the devices by one of which it can be verified that a VG is as it was, the best first.
    pub fn verifiers(&self, vg: &Vgid) -> Vec<DeviceNumber> {
        let newest = self.vgs.get(vg);
        let mut told: Vec<_> =
            self.told(vg).filter(|(_, known)| known.reading.metadata.as_ref() == newest).collect();
        told.sort_by_key(|(device, _)| (self.troubles.contains_key(device), *device));
        told.into_iter().map(|(device, _)| device).collect()
    }
}

#[cfg(test)]
mod tests;
