//! What only reads the cache, and is answered at once.

use lvmwarden_protocol::metadata::compose::{self, Invalid, ListedPv, ShownVg};
use lvmwarden_protocol::metadata::{PvKey, Reply, Response};
use lvmwarden_protocol::metadata::{Pvid, Vgid, Vgname};

use super::{Answer, Cache};
use crate::roles::metadata::pv_index::PresentPv;

impl Cache {
    fn invalid(&self) -> Invalid {
        Invalid { global: self.is_invalid, vg: false }
    }

    pub(super) fn pv_lookup(&self, key: &PvKey) -> Answer {
        let pv = match (&key.uuid, key.device) {
            (Some(uuid), _) => Some(uuid),
            (None, Some(device)) => self.pvs.on_device(device),
            (None, None) => return Reply::failed("need PVID or device").into(),
        };
        match pv.map(|pv| self.pvs.get(pv)) {
            None => Reply::unknown("device not found").into(),
            Some(None) => Reply::unknown("PV not found").into(),
            Some(Some(pv)) => Answer::Ready(compose::pv_lookup(self.listed(pv), self.invalid())),
        }
    }

    pub(super) fn pv_list(&self) -> Answer {
        Answer::Ready(compose::pv_list(self.pvs.present().map(|pv| self.listed(pv)), self.invalid()))
    }

    fn listed<'cache>(&'cache self, pv: &'cache PresentPv) -> ListedPv<'cache> {
        let vg = self.pvs.vg_of(&pv.text.id);
        ListedPv { pv: &pv.text, vg: vg.map(|uuid| (uuid, self.vg(uuid).map(|vg| &vg.name))) }
    }

    pub(super) fn vg_list(&self) -> Answer {
        let vgs = self.vgs.iter().map(|(uuid, vg)| (uuid, &vg.name));
        Answer::Ready(compose::vg_list(vgs, self.invalid()))
    }

    pub(super) fn vg_lookup(&self, uuid: Option<&Vgid>, name: Option<&Vgname>) -> Answer {
        let uuid = match self.resolve(uuid, name) {
            Ok(uuid) => uuid,
            Err((response, reason)) => return Reply::Refused { response, reason: reason.to_owned() }.into(),
        };
        let Some(vg) = self.vg(uuid) else { return Reply::unknown("UUID not found").into() };
        let present = |pv: &Pvid| self.pv(pv);
        let outdated = || vg.outdated.iter().filter_map(present);
        let shown = ShownVg {
            name: &vg.name,
            text: &vg.text,
            outdated: (!vg.outdated.is_empty()).then(outdated),
            invalid: Invalid { vg: vg.is_invalid(), ..self.invalid() },
        };
        Answer::Ready(compose::vg_lookup(shown, present))
    }

    fn resolve<'key>(
        &'key self,
        uuid: Option<&'key Vgid>,
        name: Option<&Vgname>,
    ) -> Result<&'key Vgid, (Response, &'static str)> {
        let not_found = (Response::Unknown, "VG not found");
        let named = name.map(|name| self.names.get(name).map_or(&[][..], Vec::as_slice));
        match (uuid, named) {
            (None, None | Some([])) => Err(not_found),
            (None, Some([only])) => Ok(only),
            (None, Some([_, _, ..])) => Err((Response::Multiple, "Multiple VGs found with same name")),
            (Some(uuid), None) => self.vgs.contains_key(uuid).then_some(uuid).ok_or(not_found),
            (Some(uuid), Some(named)) if named.contains(uuid) => Ok(uuid),
            (Some(_), Some(_)) => Err((Response::Unknown, "VG mapping incomplete")),
        }
    }
}
