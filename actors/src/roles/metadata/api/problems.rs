//! What is not as it should be: what the cache itself shows, and what those who read PVs have found.

use std::collections::BTreeMap;

use lvmwarden_protocol::api::metadata::{Problem, ProblemKind};
use lvmwarden_protocol::metadata::Pvid;

use super::view::View;
use crate::roles::metadata::cached_vg::state::VgState;
use crate::roles::metadata::knowledge;

/// Returns all problems, by kind and VG.
pub fn problems(view: &View) -> Vec<Problem> {
    let mut problems: Vec<_> = view.found.iter().map(|found| told(view, found)).collect();
    let mut names: BTreeMap<&str, Vec<&VgState>> = BTreeMap::new();
    for vg in view.vgs(None, None) {
        names.entry(vg.name.as_str()).or_default().push(vg);
        problems.extend(of_vg(view, vg));
    }
    for (name, vgs) in names.into_iter().filter(|(_, vgs)| vgs.len() > 1) {
        problems.extend(vgs.into_iter().map(|vg| same_name(view, name, vg)));
    }
    problems.sort_by(|a, b| key(a).cmp(&key(b)));
    // Those who read may have seen what the cache shows as well.
    problems.dedup_by(|a, b| key(a) == key(b));
    problems
}

fn key(problem: &Problem) -> (ProblemKind, &Option<String>, &Option<String>, &Option<String>, &[String]) {
    let devices = if problem.pv_uuid.is_some() { &[][..] } else { &problem.devices[..] };
    (problem.kind, &problem.vgname, &problem.vg_uuid, &problem.pv_uuid, devices)
}

fn of_vg(view: &View, vg: &VgState) -> Vec<Problem> {
    let name = vg.name.as_str();
    let missing = view.missing(vg).map(|pv| Problem {
        pv_uuid: Some(pv.as_str().to_owned()),
        ..problem(
            vg,
            ProblemKind::MissingPv,
            format!("a PV of {name} is not there: LVs that lie on it cannot be activated as a whole"),
        )
    });
    let old = vg.outdated.iter().map(|pv| Problem {
        pv_uuid: Some(pv.as_str().to_owned()),
        devices: devices(view, pv),
        ..problem(
            vg,
            ProblemKind::OldCopy,
            format!("a PV of {name} has old metadata, as one that was away has; the next change of the VG mends it, or vgck --updatemetadata {name}"),
        )
    });
    let out_of_date = vg.is_invalid().then(|| {
        problem(
            vg,
            ProblemKind::OutOfDate,
            format!("{name} has changed on its disks, and was not read since"),
        )
    });
    missing.chain(old).chain(out_of_date).collect()
}

fn same_name(view: &View, name: &str, vg: &VgState) -> Problem {
    let devices = vg.text.pvs().iter().flat_map(|pv| devices(view, &pv.id)).collect();
    let uuid = vg.text.uuid.as_str();
    let detail = format!("several VGs are called {name}; give this one another name: vgrename {uuid} NEW");
    Problem { devices, ..problem(vg, ProblemKind::SameName, detail) }
}

fn problem(vg: &VgState, kind: ProblemKind, detail: String) -> Problem {
    Problem {
        kind,
        vgname: Some(vg.name.as_str().to_owned()),
        vg_uuid: Some(vg.text.uuid.as_str().to_owned()),
        pv_uuid: None,
        devices: vec![],
        detail,
    }
}

fn devices(view: &View, pv: &Pvid) -> Vec<String> {
    view.device(pv.as_str()).into_iter().collect()
}

fn told(view: &View, found: &knowledge::Problem) -> Problem {
    let vg = found.vg.as_ref();
    let name = vg.and_then(|uuid| view.vgs(None, None).find(|vg| vg.text.uuid == *uuid)).map(|vg| &vg.name);
    Problem {
        kind: kind(found.kind),
        vgname: name.map(|name| name.as_str().to_owned()),
        vg_uuid: vg.map(|vg| vg.as_str().to_owned()),
        pv_uuid: found.pv.as_ref().map(|pv| pv.as_str().to_owned()),
        devices: found.devices.clone(),
        detail: found.detail.clone(),
    }
}

fn kind(kind: knowledge::ProblemKind) -> ProblemKind {
    match kind {
        knowledge::ProblemKind::DuplicatePv => ProblemKind::DuplicatePv,
        knowledge::ProblemKind::SameName => ProblemKind::SameName,
        knowledge::ProblemKind::OldCopy => ProblemKind::OldCopy,
        knowledge::ProblemKind::Contradiction => ProblemKind::Contradiction,
        knowledge::ProblemKind::MissingPv => ProblemKind::MissingPv,
        knowledge::ProblemKind::Unreadable => ProblemKind::Unreadable,
        knowledge::ProblemKind::OutOfDate => ProblemKind::OutOfDate,
        knowledge::ProblemKind::SourceDown => ProblemKind::SourceDown,
    }
}
