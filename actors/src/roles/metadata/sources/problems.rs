//! What is wrong with PVs and VGs, as it is shown: with the devices, and not as a reason to stop. Pure.

use lvmwarden_protocol::metadata::Vgid;

use super::assembly::{Assembly, Known};
use super::device::DeviceNumber;
use crate::roles::metadata::knowledge::{Problem, ProblemKind};

/// How many problems are told at most.
pub const TOLD: usize = 1000;

/// Why nothing new is known of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// A read of it does not end.
    NotAnswering,
    /// It cannot be read; why, in words.
    Unreadable(String),
}

impl Assembly {
    /// Returns what is wrong, at most [`TOLD`] of it; `path` tells where a device is.
    pub fn problems(&self, path: impl Fn(DeviceNumber) -> String) -> Vec<Problem> {
        let path = &path;
        let devices = self.troubles.iter().map(|(device, trouble)| self.trouble_of(*device, trouble, path));
        let vgs = self.vgs.keys().flat_map(|vg| self.problems_of_vg(vg, path));
        let areas = self.known.iter().flat_map(|(device, known)| areas(*device, known, path));
        devices.chain(self.duplicates(path)).chain(vgs).chain(areas).take(TOLD).collect()
    }

    fn trouble_of(
        &self,
        device: DeviceNumber,
        trouble: &Trouble,
        path: &impl Fn(DeviceNumber) -> String,
    ) -> Problem {
        let known = self.known.get(&device);
        let detail = match trouble {
            Trouble::NotAnswering => {
                "the device does not answer: what is told of its PV may be out of date".to_owned()
            }
            Trouble::Unreadable(why) => why.clone(),
        };
        Problem {
            kind: ProblemKind::Unreadable,
            vg: known.and_then(Known::vg).cloned(),
            pv: known.map(|known| known.reading.pv.id.clone()),
            devices: vec![path(device)],
            detail,
        }
    }

    fn duplicates(&self, path: &impl Fn(DeviceNumber) -> String) -> impl Iterator<Item = Problem> {
        let several = self.devices.iter().filter(|(_, devices)| devices.len() > 1);
        several.map(move |(pv, devices)| {
            let vg = devices.first().and_then(|used| self.known.get(used)).and_then(Known::vg).cloned();
            let devices: Vec<String> = devices.iter().map(|device| path(*device)).collect();
            let detail = format!("the PV is on {}: the first of them counts", devices.join(", "));
            Problem { kind: ProblemKind::DuplicatePv, vg, pv: Some(pv.clone()), devices, detail }
        })
    }

    /// Returns the PVs of a VG that have other metadata than those that count.
    fn problems_of_vg(&self, vg: &Vgid, path: &impl Fn(DeviceNumber) -> String) -> Vec<Problem> {
        let Some(newest) = self.vgs.get(vg) else { return Vec::new() };
        let doubt = self.doubt(vg);
        let sure = doubt.others.iter().filter(|(_, other)| doubt.is_sure(other));
        let problem = |(device, other): &(DeviceNumber, &Known)| {
            let (seqno, newest) = (other.seqno(), newest.text.seqno);
            let (kind, detail) = if seqno == newest {
                let detail =
                    format!("it has other metadata than the rest of the VG, with the same seqno {seqno}");
                (ProblemKind::Contradiction, detail)
            } else {
                let detail = format!("it has seqno {seqno}, the VG {newest}: it was away, or is an old copy");
                (ProblemKind::OldCopy, detail)
            };
            let pv = Some(other.reading.pv.id.clone());
            Problem { kind, vg: Some(vg.clone()), pv, devices: vec![path(*device)], detail }
        };
        sure.map(problem).collect()
    }
}

fn areas(
    device: DeviceNumber,
    known: &Known,
    path: &impl Fn(DeviceNumber) -> String,
) -> impl Iterator<Item = Problem> {
    known.reading.faults.iter().map(move |fault| Problem {
        kind: ProblemKind::Unreadable,
        vg: known.vg().cloned(),
        pv: Some(known.reading.pv.id.clone()),
        devices: vec![path(device)],
        detail: format!("its metadata area at byte {}: {}", fault.offset, fault.what),
    })
}
