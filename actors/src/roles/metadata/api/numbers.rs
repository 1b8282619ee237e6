//! Numbers for metrics: the VGs of a moment, with no more of them than are bounded.

use lvmwarden_protocol::api::metadata::Lv;
use lvmwarden_protocol::ids::is_lvm_name;

use super::lvs::{self, Wanted};
use super::problems::problems;
use super::vgs;
use super::view::View;
use crate::foundation::facts::metrics::{Fullness, OneVg, VgNumbers};

/// Of how many VGs numbers are told, the first by name: a host with more has other ways to be watched.
const VGS: usize = 200;
/// Of how many LVs it is told how full they are, of all VGs together.
const LVS: usize = 1000;

/// Counts what there is to be seen in a view.
pub fn numbers(view: &View) -> VgNumbers {
    let mut numbers = VgNumbers { is_whole: view.is_whole(), ..VgNumbers::default() };
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
        numbers.vgs.push(OneVg {
            vgname: vg.vgname,
            size_bytes: vg.size_bytes,
            free_bytes: vg.free_bytes,
            missing_pvs: vg.missing_pvs,
        });
        let left = LVS.saturating_sub(numbers.fullness.len());
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

fn fullness(lv: Lv) -> Option<Fullness> {
    let kind = match lv.attr.as_bytes().first() {
        Some(b't') => "thin_pool",
        Some(b's' | b'S') => "snapshot",
        _fills_nothing => return None,
    };
    let kernel = lv.kernel.filter(|_| is_lvm_name(&lv.lvname))?;
    Some(Fullness {
        vgname: lv.vgname,
        lvname: lv.lvname,
        kind,
        data_percent: kernel.data_percent,
        metadata_percent: kernel.metadata_percent,
    })
}
