//! The cache at one moment: made by cloning handles, and written out wherever there is time.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use lvmwarden_protocol::metadata::{Dump, ORPHAN, Reply};
use lvmwarden_protocol::metadata::{Pvid, Vgid, Vgname};

use super::Cache;
use crate::roles::metadata::cached_vg::state::VgState;
use crate::roles::metadata::pv_index::PresentPv;

/// The cache at one moment. It shares all texts with the cache.
#[derive(Debug)]
pub struct Snapshot {
    /// The VGs, by UUID.
    pub vgs: Vec<Arc<VgState>>,
    /// The PVs that are there, by UUID.
    pub pvs: Vec<Arc<PresentPv>>,
    names: Vec<(Vgname, Vgid)>,
    assigned: Vec<(Pvid, Option<Vgid>)>,
    devices: Vec<(i64, Pvid)>,
}

impl Cache {
    /// Returns the cache at this moment.
    pub fn snapshot(&self) -> Snapshot {
        let names =
            self.names.iter().flat_map(|(name, vgs)| vgs.iter().map(move |vg| (name.clone(), vg.clone())));
        Snapshot {
            vgs: self.vgs.values().cloned().collect(),
            pvs: self.pvs.present().cloned().collect(),
            names: names.collect(),
            assigned: self.pvs.assigned().map(|(pv, vg)| (pv.clone(), vg.cloned())).collect(),
            devices: self.pvs.devices().map(|(device, pv)| (device, pv.clone())).collect(),
        }
    }
}

impl Snapshot {
    /// Writes the reply to `dump`.
    pub fn dump(&self) -> Bytes {
        Reply::Dump(self.to_dump()).to_bytes()
    }

    fn to_dump(&self) -> Dump<'_> {
        let announced = || {
            let one = |vg: &'_ Arc<VgState>| vg.announced;
            self.vgs.iter().filter_map(move |vg| Some((text(vg.text.uuid.as_str()), one(vg)?)))
        };
        let outdated = self.vgs.iter().filter(|vg| !vg.outdated.is_empty());
        Dump {
            vgs: self.vgs.iter().map(|vg| (text(vg.text.uuid.as_str()), vg.text.body().clone())).collect(),
            pvs: self.pvs.iter().map(|pv| (text(pv.text.id.as_str()), entries(pv))).collect(),
            vgid_to_vgname: self
                .vgs
                .iter()
                .map(|vg| (text(vg.text.uuid.as_str()), text(vg.name.as_str())))
                .collect(),
            outdated: outdated
                .map(|vg| {
                    (text(vg.text.uuid.as_str()), vg.outdated.iter().map(|pv| text(pv.as_str())).collect())
                })
                .collect(),
            vgname_to_vgid: self
                .names
                .iter()
                .map(|(name, vg)| (text(name.as_str()), text(vg.as_str())))
                .collect(),
            pvid_to_vgid: self
                .assigned
                .iter()
                .map(|(pv, vg)| (text(pv.as_str()), text(vg.as_ref().map_or(ORPHAN, Vgid::as_str))))
                .collect(),
            device_to_pvid: self.devices.iter().map(|(device, pv)| (*device, text(pv.as_str()))).collect(),
            versions: announced().map(|(vg, announced)| (vg, announced.version)).collect(),
            invalid: announced().map(|(vg, announced)| (vg, announced.is_invalid)).collect(),
        }
    }
}

fn text(text: &str) -> Cow<'_, [u8]> {
    Cow::Borrowed(text.as_bytes())
}

fn entries(pv: &PresentPv) -> Bytes {
    let mut out = BytesMut::new();
    pv.text.write_at(1, &mut out);
    out.freeze()
}
