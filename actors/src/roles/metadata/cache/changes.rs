//! What changes the cache.

use std::collections::BTreeSet;
use std::sync::Arc;

use lvmwarden_protocol::metadata::{DisableReasons, Found, FoundPv, PvKey, Reply, Status, UpdatedVg};
use lvmwarden_protocol::metadata::{Pvid, Vgid};

use super::Cache;
use crate::roles::metadata::cached_vg::state::{Decision, Outcome, VgState};
use crate::roles::metadata::pv_index::{Identity, Provenance, PvIndex};

impl Cache {
    /// Forgets all PVs and VGs; token and marks stay.
    pub(super) fn clear(&mut self) -> Reply<'static> {
        self.comings.extend(std::mem::take(&mut self.vgs).into_keys());
        self.names.clear();
        self.pvs = PvIndex::default();
        Reply::Ok
    }

    /// A PV was found, and its VG has decided about the metadata that it says.
    pub(super) fn found(
        &mut self,
        found: FoundPv,
        decision: Option<Decision>,
        provenance: Provenance,
    ) -> Reply<'static> {
        let FoundPv { pv, metadata } = found;
        let identity = self.pvs.identify(&pv);
        let gone = match &identity {
            Identity::Duplicate { gone } => {
                if let Some(gone) = gone {
                    self.remove_pv(gone);
                }
                self.disable(DisableReasons::DUPLICATES);
                return Reply::failed("Ignore duplicate PV");
            }
            Identity::Reused(gone) => Some(gone.clone()),
            Identity::Known { .. } | Identity::New => None,
        };
        if let Some(gone) = &gone {
            self.pvs.remove(gone);
        }
        let (id, is_same) = (pv.id.clone(), identity == Identity::Known { is_same: true });
        self.pvs.insert(pv, provenance);
        let (vg, seqno_before, is_other_seqno) = match metadata {
            None => (self.pvs.vg_of(&id).map(|vg| (vg.clone(), None)), -1, false),
            Some(metadata) => {
                let (vg, name, sent) =
                    (metadata.text.uuid.clone(), metadata.name.clone(), metadata.text.seqno);
                let before = self.vg(&vg).map_or(sent, |vg| vg.text.seqno);
                self.put(first_or(decision, metadata, provenance));
                (Some((vg, Some(name))), before, before != sent)
            }
        };
        let left = gone.as_ref().and_then(|gone| self.pvs.vg_of(gone)).cloned();
        if let Some(left) = left.filter(|left| vg.as_ref().is_none_or(|(vg, _)| vg != left)) {
            self.drop_if_empty(&left);
        }
        let cached = vg.as_ref().and_then(|(vg, _)| self.vg(vg));
        Reply::Found(Found {
            status: self.status(vg.as_ref().map(|(vg, _)| vg)),
            changed: !is_same || is_other_seqno,
            seqno_before,
            seqno_after: cached.map_or(-1, |vg| vg.text.seqno),
            vg: vg.as_ref().map(|(uuid, name)| {
                let name = name.as_ref().or(cached.map(|vg| &vg.name));
                (uuid.as_str().to_owned(), name.map(|name| name.as_str().to_owned()))
            }),
        })
    }

    fn status(&self, vg: Option<&Vgid>) -> Status {
        match vg.map(|vg| self.vg(vg)) {
            None => Status::Orphan,
            Some(None) => Status::Unknown,
            Some(Some(vg)) if self.is_complete(vg) => Status::Complete,
            Some(Some(_)) => Status::Partial,
        }
    }

    /// Tells whether each PV that a VG lists is there.
    pub fn is_complete(&self, vg: &VgState) -> bool {
        vg.text.pvs().iter().all(|listed| self.pv(&listed.id).is_some())
    }

    /// A PV is gone.
    pub(super) fn gone(&mut self, key: &PvKey) -> Reply<'static> {
        let pv = match (&key.uuid, key.device.and_then(|device| self.pvs.on_device(device))) {
            (Some(uuid), _) => uuid.clone(),
            (None, Some(on_device)) => on_device.clone(),
            (None, None) => return Reply::unknown("device not in cache"),
        };
        if self.remove_pv(&pv) { Reply::Ok } else { Reply::unknown("PVID does not exist") }
    }

    fn remove_pv(&mut self, pv: &Pvid) -> bool {
        let was_there = self.pvs.remove(pv);
        if let Some(vg) = self.pvs.vg_of(pv).cloned() {
            self.drop_if_empty(&vg);
        }
        was_there
    }

    /// A VG was changed on disk, and has decided about it.
    pub(super) fn updated(
        &mut self,
        metadata: Option<UpdatedVg>,
        decision: Option<Decision>,
        provenance: Provenance,
    ) -> Reply<'static> {
        if let Some(metadata) = metadata {
            self.put(first_or(decision, metadata, provenance));
        }
        Reply::Ok
    }

    /// A VG was removed.
    pub(super) fn removed(&mut self, vg: &Vgid) -> Reply<'static> {
        self.drop_vg(vg);
        Reply::Ok
    }

    /// A VG has decided.
    pub(super) fn decided(&mut self, decision: Option<Decision>) -> Reply<'static> {
        self.put(decision);
        Reply::Ok
    }

    /// Puts in place what was decided of a VG.
    pub fn put(&mut self, decision: Option<Decision>) {
        let Some(Decision { state, outcome }) = decision else { return };
        let (uuid, state) = (state.text.uuid.clone(), Arc::new(state));
        let before = self.vgs.insert(uuid.clone(), Arc::clone(&state));
        if outcome != Outcome::Replaced {
            return;
        }
        match &before {
            None => self.comings.push(uuid.clone()),
            Some(before) => self.let_go(before),
        }
        self.names.entry(state.name.clone()).or_default().push(uuid.clone());
        let mut left = BTreeSet::new();
        for listed in state.text.pvs() {
            if self.pvs.may_be_in(&listed.id, &uuid) {
                left.extend(self.pvs.assign(&listed.id, Some(uuid.clone())).filter(|before| *before != uuid));
            }
        }
        for vg in &left {
            self.drop_if_empty(vg);
        }
    }

    /// A PV itself says in which VG it is, or in none: it is in that one, whatever another VG says of it.
    ///
    /// Only the daemon's own reader knows that. While a PV goes from one VG to another, both list it for a moment.
    pub fn says(&mut self, pv: &Pvid, vg: Option<&Vgid>) {
        self.pvs.says(pv, vg.cloned());
        if let Some(uuid) = vg
            && self.vg(uuid).is_some_and(|vg| vg.text.lists(pv))
        {
            self.pvs.assign(pv, Some(uuid.clone()));
        }
    }

    /// Forgets a VG if none of its PVs is there and its own.
    fn drop_if_empty(&mut self, uuid: &Vgid) {
        let Some(vg) = self.vg(uuid) else { return };
        let is_here = |pv: &Pvid| self.pv(pv).is_some() && self.pvs.vg_of(pv) == Some(uuid);
        if !vg.text.pvs().iter().any(|listed| is_here(&listed.id)) {
            self.drop_vg(uuid);
        }
    }

    fn drop_vg(&mut self, uuid: &Vgid) {
        if let Some(vg) = self.vgs.remove(uuid) {
            self.let_go(&vg);
            self.comings.push(uuid.clone());
        }
    }

    /// Forgets a VG's name, and makes orphans of the PVs that are its own.
    fn let_go(&mut self, vg: &VgState) {
        let uuid = &vg.text.uuid;
        if let Some(uuids) = self.names.get_mut(&vg.name) {
            uuids.retain(|other| other != uuid);
            if uuids.is_empty() {
                self.names.remove(&vg.name);
            }
        }
        for listed in vg.text.pvs() {
            if self.pvs.vg_of(&listed.id) == Some(uuid) {
                self.pvs.assign(&listed.id, None);
            }
        }
    }
}

/// Returns what was decided, or else makes metadata the first of a VG; `None` if they have no seqno.
fn first_or(decision: Option<Decision>, metadata: UpdatedVg, provenance: Provenance) -> Option<Decision> {
    let first = || {
        let state = VgState::first(metadata, provenance)?;
        Some(Decision { state, outcome: Outcome::Replaced })
    };
    decision.or_else(first)
}
