//! LVs.

use jiff::Timestamp;
use lvmwarden_protocol::api::metadata::{Area, Kernel, Lv, Segment};
use lvmwarden_protocol::ids::VgName;
use lvmwarden_protocol::metadata::model::attr::{self, Seen};
use lvmwarden_protocol::metadata::model::family::{Family, Part, is_snapshot_note};
use lvmwarden_protocol::metadata::model::{self, Place as Where, SegmentKind};

use super::vgs::{some, sorted};
use super::view::{Place, ReadVg, View, is_told};

/// Which LVs are wanted, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Those that are parts of others as well.
    pub all: bool,
    /// With their segments.
    pub with_segments: bool,
}

/// Returns the LVs of this VG, or of all, behind a place.
pub fn lvs<'v>(
    view: &'v View,
    vgname: Option<&'v VgName>,
    wanted: Wanted,
    after: Option<&'v Place>,
) -> impl Iterator<Item = (Place, Lv)> {
    let read = view.vgs(vgname, after).map(|state| view.read(state));
    read.flat_map(move |vg| of_vg(view, &vg, wanted, after))
}

/// Returns the LVs of one VG behind a place, by name.
pub fn of_vg(view: &View, vg: &ReadVg<'_>, wanted: Wanted, after: Option<&Place>) -> Vec<(Place, Lv)> {
    let family = Family::of(&vg.model);
    let partial = family.partial(|pv| view.is_missing(pv));
    let is_wanted = |lv: &&model::Lv| !is_snapshot_note(lv) && (wanted.all || family.is_visible(lv));
    let mut lvs: Vec<_> = vg.model.lvs.iter().filter(is_wanted).collect();
    lvs.sort_by(|a, b| a.name.cmp(&b.name));
    // Behind the PVs, where both are told.
    let placed = lvs.into_iter().map(|lv| (vg.place(format!("q{}", lv.name)), lv));
    let left = placed.filter(|(place, _)| !is_told(place, after));
    let told = left.map(|(place, lv)| {
        let is_partial = partial.contains(lv.name.as_str());
        (place, told(view, vg, &family, lv, is_partial, wanted.with_segments))
    });
    told.collect()
}

fn told(
    view: &View,
    vg: &ReadVg<'_>,
    family: &Family<'_>,
    lv: &model::Lv,
    is_partial: bool,
    with_segments: bool,
) -> Lv {
    let kernel = view.mapped.as_ref().and_then(|mapped| mapped.of(&vg.model.uuid, &lv.uuid));
    let is_suspended = kernel.as_ref().is_some_and(|kernel| kernel.is_suspended);
    let is_open = kernel.as_ref().map(|kernel| kernel.is_open);
    let is_in_sync = kernel.is_some() && is_image_in_sync(view, vg, family, lv);
    let seen = Seen { is_active: kernel.is_some(), is_suspended, is_open, is_in_sync };
    let top = family.top(lv);
    let created_at = Timestamp::from_second(lv.creation_time).ok().filter(|_| lv.creation_time > 0);
    Lv {
        vgname: vg.state.name.as_str().to_owned(),
        vg_uuid: vg.uuid().as_str().to_owned(),
        seqno: vg.state.text.seqno,
        lvname: lv.name.clone(),
        uuid: lv.uuid.clone(),
        attr: attr::of_lv(family, lv, is_partial, seen),
        is_visible: family.is_visible(lv),
        is_partial,
        part_of: (top.name != lv.name).then(|| top.name.clone()),
        kind: lv.segments.first().map(|segment| segment.report_type().to_owned()).unwrap_or_default(),
        size_bytes: vg.model.bytes(lv.extent_count()),
        origin: family.origin(lv).map(str::to_owned),
        pool: family.pool(lv).map(str::to_owned),
        tags: sorted(&lv.tags),
        created_at: created_at.map(|time| time.to_string()),
        created_on: some(&lv.creation_host),
        kernel: kernel.map(told_by_kernel),
        freshness: view.freshness(&vg.state.provenance),
        segments: with_segments
            .then(|| lv.segments.iter().map(|segment| segment_told(view, &vg.model, segment)).collect()),
    }
}

/// Tells whether the mirror or raid of which an LV is an image is all in sync, or has this image in sync.
///
/// Source: lvm2 2.03.16, seen.
fn is_image_in_sync(view: &View, vg: &ReadVg<'_>, family: &Family<'_>, lv: &model::Lv) -> bool {
    let is_image = |part| matches!(part, Part::RaidImage | Part::MirrorImage);
    let Some(place) = family.uses(&lv.name).iter().find(|place| is_image(place.part)) else { return false };
    let mapped = view.mapped.as_ref();
    let Some(whole) = mapped.and_then(|mapped| mapped.of(&vg.model.uuid, &place.by.uuid)) else {
        return false;
    };
    let mut areas = place.by.segments.iter().take(1).flat_map(model::Segment::areas);
    let number = areas.position(|area| matches!(&area.place, Where::Lv(name) if *name == lv.name));
    let is_in_sync = number.is_some_and(|number| whole.images.chars().nth(number) == Some('A'));
    is_in_sync || whole.sync_percent.is_some_and(|percent| percent >= 100.0)
}

fn told_by_kernel(seen: super::mapped::MappedLv) -> Kernel {
    Kernel {
        is_suspended: seen.is_suspended,
        data_percent: seen.data_percent,
        metadata_percent: seen.metadata_percent,
        sync_percent: seen.sync_percent,
        trouble: seen.trouble,
    }
}

fn segment_told(view: &View, vg: &model::Vg, segment: &model::Segment) -> Segment {
    let size = |bytes: u64| Some(bytes).filter(|bytes| *bytes > 0);
    let (stripe, region, chunk) = match &segment.kind {
        SegmentKind::Striped { stripe_size_bytes, .. } => (*stripe_size_bytes, 0, 0),
        SegmentKind::Mirror { region_size_bytes, .. } => (0, *region_size_bytes, 0),
        SegmentKind::Raid { stripe_size_bytes, region_size_bytes, .. } => {
            (*stripe_size_bytes, *region_size_bytes, 0)
        }
        SegmentKind::Snapshot { chunk_size_bytes, .. }
        | SegmentKind::ThinPool { chunk_size_bytes, .. }
        | SegmentKind::CachePool { chunk_size_bytes, .. } => (0, 0, *chunk_size_bytes),
        SegmentKind::Thin { .. }
        | SegmentKind::Cache { .. }
        | SegmentKind::Writecache { .. }
        | SegmentKind::Vdo { .. }
        | SegmentKind::VdoPool { .. }
        | SegmentKind::Integrity { .. }
        | SegmentKind::Error
        | SegmentKind::Zero
        | SegmentKind::Unknown => (0, 0, 0),
    };
    let mut areas: Vec<_> = segment.areas().iter().map(|area| area_told(view, vg, area)).collect();
    areas.extend(whole_lvs(&segment.kind).into_iter().map(|lv| Area {
        pv_uuid: None,
        device: None,
        lvname: Some(lv.to_owned()),
        start_extent: 0,
        extents: 0,
    }));
    Segment {
        start_bytes: vg.bytes(segment.start_extent),
        size_bytes: vg.bytes(segment.extent_count),
        kind: segment.report_type().to_owned(),
        areas,
        stripe_size_bytes: size(stripe),
        region_size_bytes: size(region),
        chunk_size_bytes: size(chunk),
    }
}

/// Returns the LVs that a segment uses as a whole, besides its areas.
fn whole_lvs(kind: &SegmentKind) -> Vec<&str> {
    let lvs = match kind {
        SegmentKind::ThinPool { data, metadata, .. } | SegmentKind::CachePool { data, metadata, .. } => {
            vec![data, metadata]
        }
        SegmentKind::Cache { pool, origin } => vec![origin, pool],
        SegmentKind::Writecache { cache, origin, .. } => vec![origin, cache],
        SegmentKind::Thin { pool, .. } | SegmentKind::Vdo { pool } => vec![pool],
        SegmentKind::VdoPool { data } => vec![data],
        SegmentKind::Integrity { origin, metadata } => vec![origin, metadata],
        SegmentKind::Snapshot { origin, cow, .. } => vec![origin, cow],
        SegmentKind::Striped { .. }
        | SegmentKind::Mirror { .. }
        | SegmentKind::Raid { .. }
        | SegmentKind::Error
        | SegmentKind::Zero
        | SegmentKind::Unknown => vec![],
    };
    lvs.into_iter().map(String::as_str).filter(|name| !name.is_empty()).collect()
}

fn area_told(view: &View, vg: &model::Vg, area: &model::Area) -> Area {
    let pv = match &area.place {
        Where::Pv(name) => vg.pvs.iter().find(|pv| pv.name == *name),
        Where::Lv(_) | Where::Nowhere(_) => None,
    };
    let lvname = match &area.place {
        Where::Lv(name) => Some(name.clone()),
        Where::Pv(_) | Where::Nowhere(_) => None,
    };
    Area {
        pv_uuid: pv.map(|pv| pv.uuid.clone()),
        device: pv.and_then(|pv| view.device(&pv.uuid)),
        lvname,
        start_extent: area.start_extent,
        extents: area.extent_count,
    }
}
