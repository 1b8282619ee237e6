//! VGs.

use lvmwarden_protocol::api::metadata::{Completeness, Vg};
use lvmwarden_protocol::ids::VgName;
use lvmwarden_protocol::metadata::model::attr;
use lvmwarden_protocol::metadata::model::family::Family;

use super::view::{Place, ReadVg, View, is_told};

/// Returns the VGs of this name, or all, behind a place.
pub fn vgs<'v>(
    view: &'v View,
    vgname: Option<&'v VgName>,
    after: Option<&'v Place>,
) -> impl Iterator<Item = (Place, Vg)> {
    let read = view.vgs(vgname, after).map(|state| view.read(state));
    let placed = read.map(|vg| (vg.place(""), vg)).filter(move |(place, _)| !is_told(place, after));
    placed.map(|(place, vg)| (place, told(view, &vg)))
}

/// Returns what is told of a VG.
pub fn told(view: &View, vg: &ReadVg<'_>) -> Vg {
    let (state, model) = (vg.state, &vg.model);
    let family = Family::of(model);
    let missing_pvs = model.pvs.iter().filter(|pv| view.is_missing(pv)).count() as u64;
    let visible = || model.lvs.iter().filter(|lv| family.is_visible(lv));
    let snapshots = visible().filter(|lv| family.snapshot_of(&lv.name).is_some()).count() as u64;
    let (extents, used) = (model.extent_count(), model.used_extents());
    Vg {
        vgname: state.name.as_str().to_owned(),
        uuid: state.text.uuid.as_str().to_owned(),
        seqno: state.text.seqno,
        attr: attr::of_vg(model, missing_pvs > 0),
        completeness: if missing_pvs > 0 { Completeness::Partial } else { Completeness::Complete },
        missing_pvs,
        is_out_of_date: state.is_invalid(),
        pvs: model.pvs.len() as u64,
        lvs: visible().count() as u64,
        snapshots,
        size_bytes: model.bytes(extents),
        free_bytes: model.bytes(extents.saturating_sub(used)),
        extent_size_bytes: model.extent_size_bytes,
        extents,
        free_extents: extents.saturating_sub(used),
        tags: sorted(&model.tags),
        system_id: some(&model.system_id),
        lock_type: some(&model.lock_type),
        freshness: view.freshness(&state.provenance),
    }
}

/// Returns tags in the order of lvm's reports: the metadata have them in the order in which they were added.
pub(super) fn sorted(tags: &[String]) -> Vec<String> {
    let mut tags = tags.to_vec();
    tags.sort_unstable();
    tags
}

/// Returns a text that is not empty.
pub(super) fn some(text: &str) -> Option<String> {
    Some(text.to_owned()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::sorted;

    #[test]
    fn tags_are_in_the_order_of_lvms_reports() {
        let tags = ["t2", "a", "t1", "B"].map(str::to_owned);
        assert_eq!(sorted(&tags), ["B", "a", "t1", "t2"]);
    }
}
