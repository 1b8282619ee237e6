//! PVs.

use lvmwarden_protocol::api::metadata::{Piece, Pv};
use lvmwarden_protocol::config_text;
use lvmwarden_protocol::ids::VgName;
use lvmwarden_protocol::metadata::model::family::Family;
use lvmwarden_protocol::metadata::model::{self, attr};

use super::vgs::sorted;
use super::view::{Place, ReadVg, View, is_told};
use crate::roles::metadata::pv_index::PresentPv;

/// Returns the PVs of this VG, or all, behind a place; those that are in no VG at the end.
pub fn pvs<'v>(
    view: &'v View,
    vgname: Option<&'v VgName>,
    after: Option<&'v Place>,
) -> impl Iterator<Item = (Place, Pv)> {
    let of_vgs = view.vgs(vgname, after).map(|state| view.read(state));
    let of_vgs = of_vgs.flat_map(move |vg| of_vg(view, &vg, after, false));
    let outside = view.outside().filter(move |_| vgname.is_none());
    let placed = outside.map(|pv| (outside_place(pv), pv)).filter(move |(place, _)| !is_told(place, after));
    of_vgs.chain(placed.map(|(place, pv)| (place, in_no_vg(view, pv))))
}

/// Returns the PVs of one VG behind a place, with what lies on them if wanted.
pub fn of_vg(view: &View, vg: &ReadVg<'_>, after: Option<&Place>, with_pieces: bool) -> Vec<(Place, Pv)> {
    // In the order of the metadata, which is the order in which lvm has added them.
    let placed = vg.model.pvs.iter().enumerate().map(|(at, pv)| (vg.place(format!("p{at:08}")), pv));
    let left = placed.filter(|(place, _)| !is_told(place, after));
    let family = Family::of(&vg.model);
    left.map(|(place, pv)| (place, told(view, vg, pv, with_pieces.then_some(&family)))).collect()
}

fn told(view: &View, vg: &ReadVg<'_>, pv: &model::Pv, pieces_of: Option<&Family<'_>>) -> Pv {
    let (model, is_missing, device) = (&vg.model, view.is_missing(pv), view.device(&pv.uuid));
    let free = pv.extent_count.saturating_sub(model.used_extents_of(pv));
    Pv {
        uuid: pv.uuid.clone(),
        // The metadata say how large it was: without a device it has no size, as lvm has it, too.
        device_size_bytes: device.as_ref().map(|_| pv.device_size_bytes),
        device,
        vgname: Some(vg.state.name.as_str().to_owned()),
        vg_uuid: Some(vg.uuid().as_str().to_owned()),
        seqno: Some(vg.state.text.seqno),
        attr: attr::of_pv(model, pv, is_missing),
        is_missing,
        is_orphan: Some(false),
        data_start_bytes: Some(pv.data_start_bytes),
        size_bytes: Some(model.bytes(pv.extent_count)),
        free_bytes: Some(model.bytes(free)),
        extents: Some(pv.extent_count),
        free_extents: Some(free),
        tags: sorted(&pv.tags),
        freshness: view.present(&pv.uuid).map(|present| view.freshness(&present.provenance)),
        pieces: pieces_of.map(|family| pieces(model, pv, family)),
    }
}

fn pieces(vg: &model::Vg, pv: &model::Pv, family: &Family<'_>) -> Vec<Piece> {
    let pieces = vg.pieces(pv).into_iter().map(|piece| Piece {
        start_extent: piece.start_extent,
        extents: piece.extent_count,
        lvname: piece.lv.map(|lv| lv.name.clone()),
        of_lvname: piece.lv.map(|lv| family.top(lv).name.clone()),
    });
    pieces.collect()
}

fn outside_place(pv: &PresentPv) -> Place {
    let item = pv.text.id.as_str().to_owned();
    Place { is_outside: true, vgname: String::new(), vg_uuid: String::new(), item }
}

fn in_no_vg(view: &View, pv: &PresentPv) -> Pv {
    let uuid = pv.text.id.as_str();
    // A PV with a metadata area of its own would say what VG it is in. One without is known by its VG's other PVs alone.
    let is_orphan = (view.is_whole() || pv.text.has_used_area).then_some(true);
    // In bytes, unlike everything in a VG's metadata.
    let entries = config_text::parse(pv.text.text()).unwrap_or_default();
    let size = entries.int("dev_size").and_then(|size| u64::try_from(size).ok());
    let data_start = entries.section("da0").and_then(|area| u64::try_from(area.int("offset")?).ok());
    // As lvm has it of an orphan: all of the device is free, and there are no extents yet.
    let free = is_orphan.and(size);
    Pv {
        uuid: uuid.to_owned(),
        device: view.device(uuid),
        vgname: None,
        vg_uuid: None,
        seqno: None,
        attr: "---".to_owned(),
        is_missing: false,
        is_orphan,
        device_size_bytes: size,
        data_start_bytes: data_start,
        size_bytes: free,
        free_bytes: free,
        extents: is_orphan.map(|_| 0),
        free_extents: is_orphan.map(|_| 0),
        tags: vec![],
        freshness: Some(view.freshness(&pv.provenance)),
        pieces: None,
    }
}
