//! Which LV is a part of which other, and what for.
//!
//! The text says it from above only: a segment names the LVs that it is mapped to. Here it is looked at from below.

use std::collections::{BTreeMap, BTreeSet};

use super::{Area, Lv, Place, Pv, SegmentKind, Vg};

/// What an LV is in another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A place of a striped segment or of some kind that makes no difference.
    Area,
    /// One of the copies of a mirror.
    MirrorImage,
    /// What notes which parts of a mirror are in sync.
    MirrorLog,
    /// What a pvmove moves: the LV above is mapped through it.
    Pvmove,
    /// The data of a raid.
    RaidImage,
    /// What md remembers of one image of a raid.
    RaidMeta,
    /// What a snapshot of this LV needs from it: it is the origin.
    Origin,
    /// What the origin was, as far as it has changed.
    Cow,
    /// A thin pool with thin LVs.
    ThinPool,
    /// The data of a thin pool.
    ThinPoolData,
    /// Where the data of a thin pool are.
    ThinPoolMeta,
    /// What has the blocks of a thin LV that were never written.
    ExternalOrigin,
    /// A cache pool, or the LV that serves as such.
    CachePool,
    /// The data of a cache pool.
    CachePoolData,
    /// Whose the data of a cache pool are.
    CachePoolMeta,
    /// The slow LV of a cache.
    CacheOrigin,
    /// The fast LV of a write cache.
    Writecache,
    /// The slow LV of a write cache.
    WritecacheOrigin,
    /// A VDO pool with VDO LVs.
    VdoPool,
    /// The data of a VDO pool.
    VdoPoolData,
    /// An LV whose data are checked.
    IntegrityOrigin,
    /// The checksums of such an LV.
    IntegrityMeta,
}

impl Part {
    /// Tells whether an LV is of no use without it: a snapshot is none without its origin, but not the other way.
    fn is_needed(self) -> bool {
        !matches!(self, Self::Origin | Self::Cow)
    }
}

/// Where an LV serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use<'vg> {
    /// The LV that uses it.
    pub by: &'vg Lv,
    /// As what.
    pub part: Part,
}

/// Who uses whom in a VG.
#[derive(Debug, Clone)]
pub struct Family<'vg> {
    vg: &'vg Vg,
    by_name: BTreeMap<&'vg str, &'vg Lv>,
    uses: BTreeMap<&'vg str, Vec<Use<'vg>>>,
}

impl<'vg> Family<'vg> {
    /// Looks at all segments of a VG.
    pub fn of(vg: &'vg Vg) -> Self {
        let mut uses: BTreeMap<&str, Vec<Use<'_>>> = BTreeMap::new();
        for by in &vg.lvs {
            for (used, part) in by.segments.iter().flat_map(|segment| parts(by, segment)) {
                let entry = uses.entry(used).or_default();
                if !entry.iter().any(|known| known.part == part && known.by.name == by.name) {
                    entry.push(Use { by, part });
                }
            }
        }
        Self { vg, by_name: vg.lvs.iter().map(|lv| (&*lv.name, lv)).collect(), uses }
    }

    /// Returns the LV with this name.
    pub fn lv(&self, name: &str) -> Option<&'vg Lv> {
        self.by_name.get(name).copied()
    }

    /// Returns where an LV serves.
    pub fn uses(&self, lv: &str) -> &[Use<'vg>] {
        self.uses.get(lv).map_or(&[], Vec::as_slice)
    }

    /// Tells whether an LV serves as this somewhere.
    pub fn is(&self, lv: &str, part: Part) -> bool {
        self.uses(lv).iter().any(|used| used.part == part)
    }

    /// Returns the snapshot segment that says that `lv` has what another LV was, and that other LV.
    pub fn snapshot_of(&self, lv: &str) -> Option<Snapshot<'vg>> {
        let by = self.uses(lv).iter().find(|used| used.part == Part::Cow)?.by;
        by.segments.iter().find_map(|segment| match &segment.kind {
            SegmentKind::Snapshot { origin, cow, chunk_size_bytes, is_merging } if cow == lv => {
                let (chunk_size_bytes, is_merging) = (*chunk_size_bytes, *is_merging);
                Some(Snapshot { origin, chunk_size_bytes, is_merging })
            }
            _another_kind => None,
        })
    }

    /// Returns the LV that lvm's reports give as the origin of another.
    pub fn origin(&self, lv: &'vg Lv) -> Option<&'vg str> {
        if let Some(snapshot) = self.snapshot_of(&lv.name) {
            return Some(snapshot.origin);
        }
        let origin = match &lv.segments.first()?.kind {
            SegmentKind::Thin { origin, external_origin, .. } => {
                if origin.is_empty() {
                    external_origin
                } else {
                    origin
                }
            }
            SegmentKind::Cache { origin, .. }
            | SegmentKind::Writecache { origin, .. }
            | SegmentKind::Integrity { origin, .. } => origin,
            _has_none => return None,
        };
        Some(origin).filter(|origin| !origin.is_empty()).map(String::as_str)
    }

    /// Returns the pool of an LV.
    pub fn pool(&self, lv: &'vg Lv) -> Option<&'vg str> {
        let pool = match &lv.segments.first()?.kind {
            SegmentKind::Thin { pool, .. } | SegmentKind::Cache { pool, .. } | SegmentKind::Vdo { pool } => {
                pool
            }
            SegmentKind::Writecache { cache, .. } => cache,
            _has_none => return None,
        };
        Some(pool).filter(|pool| !pool.is_empty()).map(String::as_str)
    }

    /// Returns the LV of which this one is a part in the end, such as the raid of an image; itself if it is none's.
    ///
    /// A pool and an origin are LVs of their own, not parts.
    pub fn top(&self, lv: &'vg Lv) -> &'vg Lv {
        let mut top = lv;
        // A VG in which LVs are parts of one another in a circle has no top: any of them will do.
        for _ in 0..self.vg.lvs.len() {
            let Some(above) = self.uses(&top.name).iter().find(|used| is_hidden(used.part)) else { break };
            top = above.by;
        }
        top
    }

    /// Returns the names of the LVs that lie on a missing PV, or have a part or a pool that does.
    pub fn partial(&self, is_missing: impl Fn(&Pv) -> bool) -> BTreeSet<&'vg str> {
        let missing: BTreeSet<&str> =
            self.vg.pvs.iter().filter(|pv| is_missing(pv)).map(|pv| pv.name.as_str()).collect();
        let is_gone = |area: &Area| match &area.place {
            Place::Pv(name) => missing.contains(name.as_str()),
            Place::Lv(_) => false,
            Place::Nowhere(_) => true,
        };
        let lies_there = |lv: &&'vg Lv| lv.segments.iter().any(|segment| segment.areas().iter().any(is_gone));
        let mut partial = BTreeSet::new();
        let mut to_do: Vec<&'vg str> =
            self.vg.lvs.iter().filter(lies_there).map(|lv| lv.name.as_str()).collect();
        while let Some(name) = to_do.pop() {
            if partial.insert(name) {
                to_do.extend(
                    self.uses(name).iter().filter(|used| used.part.is_needed()).map(|used| &*used.by.name),
                );
            }
        }
        partial
    }

    /// Tells whether lvm lists an LV without `-a`, and counts it in its VG.
    ///
    /// Source: lvm2 2.03.16, seen in reports.
    pub fn is_visible(&self, lv: &Lv) -> bool {
        if is_snapshot_note(lv) {
            return false;
        }
        match self.snapshot_of(&lv.name) {
            Some(snapshot) if snapshot.is_merging => false,
            Some(snapshot) => self.lv(snapshot.origin).is_none_or(|origin| origin.has("VISIBLE")),
            None => lv.has("VISIBLE"),
        }
    }
}

/// That an LV is a snapshot of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snapshot<'vg> {
    /// The LV as it is.
    pub origin: &'vg str,
    /// How much is copied at once.
    pub chunk_size_bytes: u64,
    /// What it was is being brought back.
    pub is_merging: bool,
}

/// Tells whether an LV is no more than the note that another one is a snapshot: lvm shows it nowhere.
pub fn is_snapshot_note(lv: &Lv) -> bool {
    lv.segments.iter().any(|segment| matches!(segment.kind, SegmentKind::Snapshot { .. }))
}

fn is_hidden(part: Part) -> bool {
    !matches!(
        part,
        Part::Pvmove | Part::Origin | Part::Cow | Part::ThinPool | Part::ExternalOrigin | Part::VdoPool
    )
}

fn parts<'vg>(by: &'vg Lv, segment: &'vg super::Segment) -> Vec<(&'vg str, Part)> {
    let areas_as = |part| lvs(segment.areas()).map(move |name| (name, part));
    let mut parts: Vec<(&str, Part)> = match &segment.kind {
        SegmentKind::Striped { .. } => areas_as(Part::Area).collect(),
        SegmentKind::Mirror { log, .. } => {
            areas_as(Part::MirrorImage).chain([(log.as_str(), Part::MirrorLog)]).collect()
        }
        SegmentKind::Raid { metas, .. } => {
            areas_as(Part::RaidImage).chain(lvs(metas).map(|name| (name, Part::RaidMeta))).collect()
        }
        SegmentKind::Snapshot { origin, cow, .. } => vec![(origin, Part::Origin), (cow, Part::Cow)],
        SegmentKind::Thin { pool, external_origin, .. } => {
            vec![(pool, Part::ThinPool), (external_origin, Part::ExternalOrigin)]
        }
        SegmentKind::ThinPool { data, metadata, .. } => {
            vec![(data, Part::ThinPoolData), (metadata, Part::ThinPoolMeta)]
        }
        SegmentKind::Cache { pool, origin } => vec![(pool, Part::CachePool), (origin, Part::CacheOrigin)],
        SegmentKind::CachePool { data, metadata, .. } => {
            vec![(data, Part::CachePoolData), (metadata, Part::CachePoolMeta)]
        }
        SegmentKind::Writecache { cache, origin, .. } => {
            vec![(cache, Part::Writecache), (origin, Part::WritecacheOrigin)]
        }
        SegmentKind::Vdo { pool } => vec![(pool, Part::VdoPool)],
        SegmentKind::VdoPool { data } => vec![(data, Part::VdoPoolData)],
        SegmentKind::Integrity { origin, metadata } => {
            vec![(origin, Part::IntegrityOrigin), (metadata, Part::IntegrityMeta)]
        }
        SegmentKind::Error | SegmentKind::Zero | SegmentKind::Unknown => vec![],
    };
    parts.retain(|(name, _)| !name.is_empty() && *name != by.name);
    for (name, part) in &mut parts {
        // An LV whose segment is mapped to a pvmove's LV is not made of that.
        if *part == Part::Area && name.starts_with("pvmove") {
            *part = Part::Pvmove;
        }
    }
    parts
}

fn lvs(areas: &[Area]) -> impl Iterator<Item = &str> {
    areas.iter().filter_map(|area| match &area.place {
        Place::Lv(name) => Some(name.as_str()),
        Place::Pv(_) | Place::Nowhere(_) => None,
    })
}
