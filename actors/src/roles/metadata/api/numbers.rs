//! Numbers for metrics: the VGs of a moment, with no more of them than are bounded.

use lvmwarden_protocol::api::metadata::ProblemKind;

use super::lvs::{self, Wanted};
use super::problems::problems;
use super::vgs;
use super::view::View;

/// Of how many VGs numbers are told, the first by name: a host with more has other ways to be watched.
const VGS: usize = 200;
/// Of how many LVs it is told how full they are, of all VGs together.
const LVS: usize = 1000;

/// The numbers of a moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Numbers {
    /// All PVs were looked at.
    pub is_whole: bool,
    /// How many VGs are known.
    pub vg_count: u64,
    /// Of how many VGs nothing more is told.
    pub vgs_left_out: u64,
    /// VGs, by name.
    pub vgs: Vec<VgNumbers>,
    /// LVs that fill up.
    pub fullness: Vec<Fullness>,
    /// How many problems there are of each kind.
    pub problems: Vec<(ProblemKind, u64)>,
    /// How long ago what is known of the VG that was verified longest ago was verified.
    pub oldest_verified_ms: Option<u64>,
}

/// The numbers of a VG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VgNumbers {
    /// Its name.
    pub vgname: String,
    /// How large it is.
    pub size_bytes: u64,
    /// How much of it is free.
    pub free_bytes: u64,
    /// How many PVs are missing.
    pub missing_pvs: u64,
}

/// How full an LV is.
#[derive(Debug, Clone, PartialEq)]
pub struct Fullness {
    /// Its VG.
    pub vgname: String,
    /// Its name.
    pub lvname: String,
    /// What it is: a thin pool, or a snapshot.
    pub kind: &'static str,
    /// How full, 0 to 100.
    pub data_percent: Option<f64>,
    /// How full its metadata are.
    pub metadata_percent: Option<f64>,
}

/// Counts what there is to be seen in a view.
pub fn numbers(view: &View) -> Numbers {
    let mut numbers = Numbers { is_whole: view.is_whole(), ..Numbers::default() };
    for state in view.vgs(None, None) {
        numbers.vg_count += 1;
        let verified = view.freshness(&state.provenance).verified_ms_ago;
        numbers.oldest_verified_ms = numbers.oldest_verified_ms.max(Some(verified));
        if numbers.vgs.len() == VGS
            || numbers.vgs.last().is_some_and(|last| last.vgname == state.name.as_str())
        {
            // Of several with one name the first is told: a label must mean one thing.
            numbers.vgs_left_out += 1;
            continue;
        }
        let read = view.read(state);
        let vg = vgs::told(view, &read);
        numbers.vgs.push(VgNumbers {
            vgname: vg.vgname,
            size_bytes: vg.size_bytes,
            free_bytes: vg.free_bytes,
            missing_pvs: vg.missing_pvs,
        });
        let left = LVS - numbers.fullness.len();
        let lvs = lvs::of_vg(view, &read, Wanted { all: false, with_segments: false }, None);
        numbers.fullness.extend(lvs.into_iter().filter_map(|(_, lv)| fullness(lv)).take(left));
    }
    for problem in problems(view) {
        match numbers.problems.last_mut() {
            Some((kind, count)) if *kind == problem.kind => *count += 1,
            _another_kind => numbers.problems.push((problem.kind, 1)),
        }
    }
    numbers
}

fn fullness(lv: lvmwarden_protocol::api::metadata::Lv) -> Option<Fullness> {
    let kind = match lv.attr.as_bytes().first() {
        Some(b't') => "thin_pool",
        Some(b's' | b'S') => "snapshot",
        _fills_nothing => return None,
    };
    let kernel = lv.kernel?;
    Some(Fullness {
        vgname: lv.vgname,
        lvname: lv.lvname,
        kind,
        data_percent: kernel.data_percent,
        metadata_percent: kernel.metadata_percent,
    })
}
