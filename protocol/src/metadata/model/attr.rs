//! The letters that `vgs`, `pvs` and `lvs` show as `Attr`.
//!
//! What the metadata cannot tell is given by the caller: what is missing, and what the kernel knows ([`Seen`]).
//!
//! Source: vgs(8), pvs(8), lvs(8) of lvm2 2.03.16; its reports.

use super::family::{Family, Part, is_snapshot_note};
use super::{Lv, Pv, SegmentKind, Vg};

/// What the kernel knows of an LV.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// It is active.
    pub is_active: bool,
    /// It is suspended.
    pub is_suspended: bool,
    /// Somebody has it open; `None`: that is not known.
    pub is_open: Option<bool>,
    /// The mirror or raid of which it is an image is active, and has it in sync.
    pub is_in_sync: bool,
}

/// Returns the six letters of a VG.
pub fn of_vg(vg: &Vg, is_partial: bool) -> String {
    let letter = |is_so, letter| if is_so { letter } else { '-' };
    let is_shared = !matches!(&*vg.lock_type, "" | "none");
    [
        if vg.has("WRITE") || vg.has("WRITE_LOCKED") { 'w' } else { 'r' },
        letter(vg.has("RESIZEABLE"), 'z'),
        letter(vg.has("EXPORTED"), 'x'),
        letter(is_partial, 'p'),
        allocation(&vg.allocation_policy, 'n'),
        if vg.has("CLUSTERED") { 'c' } else { letter(is_shared, 's') },
    ]
    .into_iter()
    .collect()
}

/// Returns the three letters of a PV of a VG.
pub fn of_pv(vg: &Vg, pv: &Pv, is_missing: bool) -> String {
    let letter = |is_so, letter| if is_so { letter } else { '-' };
    [
        letter(pv.has("ALLOCATABLE"), 'a'),
        letter(vg.has("EXPORTED") || pv.has("EXPORTED"), 'x'),
        letter(is_missing, 'm'),
    ]
    .into_iter()
    .collect()
}

/// Returns the ten letters of an LV; `is_partial`: a PV is missing on which a part of it lies.
///
/// `-` stands for what is not so as well as for what is not known.
pub fn of_lv(family: &Family<'_>, lv: &Lv, is_partial: bool, seen: Seen) -> String {
    let state = match seen {
        Seen { is_suspended: true, .. } => 's',
        Seen { is_active: true, .. } => 'a',
        Seen { .. } => '-',
    };
    let is_ours = |letter: char| if lv.has("LOCKED") { letter.to_ascii_uppercase() } else { letter };
    [
        kind(family, lv, seen),
        if lv.has("PVMOVE") || is_snapshot_note(lv) {
            '-'
        } else if lv.has("WRITE") {
            'w'
        } else {
            'r'
        },
        is_ours(allocation(&lv.allocation_policy, 'i')),
        if lv.has("FIXED_MINOR") { 'm' } else { '-' },
        state,
        if seen.is_open == Some(true) { 'o' } else { '-' },
        target(family, lv),
        if zeroes(family, lv) { 'z' } else { '-' },
        if is_partial { 'p' } else { '-' },
        if lv.has("ACTIVATION_SKIP") { 'k' } else { '-' },
    ]
    .into_iter()
    .collect()
}

fn allocation(policy: &str, default: char) -> char {
    match policy {
        "" => default,
        "contiguous" => 'c',
        "cling" => 'l',
        "normal" => 'n',
        "anywhere" => 'a',
        "inherit" => 'i',
        _unknown => '-',
    }
}

fn kind(family: &Family<'_>, lv: &Lv, seen: Seen) -> char {
    let is = |part| family.is(&lv.name, part);
    let is_out_of_sync = lv.has("NOTSYNCED");
    let by_sync = |synced: char| if is_out_of_sync { synced.to_ascii_uppercase() } else { synced };
    if lv.has("PVMOVE") {
        return 'p';
    }
    if lv.has("CONVERTING") {
        return 'c';
    }
    if is(Part::Origin) || is(Part::ExternalOrigin) {
        return if is_merging_origin(family, lv) { 'O' } else { 'o' };
    }
    if is(Part::ThinPoolMeta)
        || is(Part::CachePoolMeta)
        || is(Part::RaidMeta)
        || is(Part::IntegrityMeta)
        || lv.name.ends_with("_pmspare")
    {
        return 'e';
    }
    if is(Part::CachePool) || is(Part::Writecache) || is(Part::CachePoolData) {
        return 'C';
    }
    if let Some(letter) = lv.segments.first().and_then(|segment| by_segment(&segment.kind, by_sync)) {
        return letter;
    }
    by_part(family, lv, is_out_of_sync || !seen.is_in_sync)
}

fn is_merging_origin(family: &Family<'_>, lv: &Lv) -> bool {
    family.uses(&lv.name).iter().flat_map(|used| &used.by.segments).any(|segment| {
        matches!(&segment.kind, SegmentKind::Snapshot { origin, is_merging: true, .. } if *origin == lv.name)
    })
}

/// Returns the letter of the kinds of LVs that are known by how they are mapped.
fn by_segment(kind: &SegmentKind, by_sync: impl Fn(char) -> char) -> Option<char> {
    Some(match kind {
        SegmentKind::Cache { .. } | SegmentKind::CachePool { .. } | SegmentKind::Writecache { .. } => 'C',
        SegmentKind::Raid { .. } => by_sync('r'),
        SegmentKind::Mirror { .. } => by_sync('m'),
        SegmentKind::Thin { merges_into, .. } => {
            if merges_into.is_empty() {
                'V'
            } else {
                'S'
            }
        }
        SegmentKind::ThinPool { .. } => 't',
        SegmentKind::VdoPool { .. } => 'd',
        SegmentKind::Vdo { .. } | SegmentKind::Error | SegmentKind::Zero => 'v',
        SegmentKind::Integrity { .. } => 'g',
        SegmentKind::Striped { .. } | SegmentKind::Snapshot { .. } | SegmentKind::Unknown => return None,
    })
}

/// Returns the letter of the other LVs, which are known by what they are a part of.
fn by_part(family: &Family<'_>, lv: &Lv, is_out_of_sync: bool) -> char {
    let is = |part| family.is(&lv.name, part);
    if is(Part::ThinPoolData) {
        'T'
    } else if is(Part::VdoPoolData) {
        'D'
    } else if is(Part::MirrorImage) || is(Part::RaidImage) {
        if is_out_of_sync { 'I' } else { 'i' }
    } else if is(Part::MirrorLog) {
        'l'
    } else if let Some(snapshot) = family.snapshot_of(&lv.name) {
        if snapshot.is_merging { 'S' } else { 's' }
    } else if is(Part::CacheOrigin) || is(Part::WritecacheOrigin) {
        'o'
    } else {
        '-'
    }
}

/// Returns the letter of the kernel's module that an LV needs; data and metadata of pools need none of their own.
fn target(family: &Family<'_>, lv: &Lv) -> char {
    let is = |part| family.is(&lv.name, part);
    if is(Part::RaidImage) || is(Part::RaidMeta) {
        return 'r';
    }
    if is(Part::MirrorImage) || is(Part::MirrorLog) {
        return 'm';
    }
    if is(Part::CachePool) || is(Part::CacheOrigin) || is(Part::Writecache) || is(Part::WritecacheOrigin) {
        return 'C';
    }
    match lv.segments.first().map(|segment| &segment.kind) {
        Some(SegmentKind::Thin { .. } | SegmentKind::ThinPool { .. }) => 't',
        Some(SegmentKind::Cache { .. } | SegmentKind::CachePool { .. } | SegmentKind::Writecache { .. }) => {
            'C'
        }
        Some(SegmentKind::Vdo { .. } | SegmentKind::VdoPool { .. }) => 'd',
        Some(SegmentKind::Raid { .. }) => 'r',
        Some(SegmentKind::Mirror { .. }) => 'm',
        Some(SegmentKind::Integrity { .. }) => 'i',
        Some(SegmentKind::Unknown) => 'u',
        Some(SegmentKind::Error | SegmentKind::Zero) => 'v',
        Some(SegmentKind::Striped { .. } | SegmentKind::Snapshot { .. }) | None => {
            if is(Part::Origin) || is(Part::Cow) { 's' } else { '-' }
        }
    }
}

/// Tells whether new blocks are zeroed: a pool says it, for its thin LVs as well.
fn zeroes(family: &Family<'_>, lv: &Lv) -> bool {
    let is_zeroing = |lv: &Lv| {
        lv.segments.iter().any(|segment| matches!(segment.kind, SegmentKind::ThinPool { zeroes: true, .. }))
    };
    let pool = || family.pool(lv).and_then(|pool| family.lv(pool));
    is_zeroing(lv) || pool().is_some_and(is_zeroing)
}
