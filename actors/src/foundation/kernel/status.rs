//! What device-mapper's status of an LV says about the operation on it: pure.

use lvmwarden_supervisor::device_mapper::{DmStatus, DmTarget};

use super::Verdict;
use lvmwarden_protocol::poll::PollOperation;

/// Tells whether an operation is over, from the status of the device with its lvid; `None`: there is no such device.
///
/// * The temporary LV of a pvmove exists as long as the pvmove does.
/// * A mirror is being converted as long as one of its segments is not in sync.
/// * A snapshot is being merged as long as its origin has a target of the kind `snapshot-merge`.
/// * A thin merge leaves no trace in the status.
///
/// Source: Linux 6.1, `dm-raid1.c` and `dm-snap.c` (status lines); seen with lvm2 2.03.16.
pub fn judge(operation: PollOperation, status: Option<&DmStatus>) -> Verdict {
    let Some(status) = status else {
        return match operation {
            PollOperation::Pvmove => Verdict::Over,
            PollOperation::Convert | PollOperation::Merge | PollOperation::MergeThin => Verdict::Unknown,
        };
    };
    let still_there = match operation {
        PollOperation::Pvmove => true,
        PollOperation::Convert => status.targets.iter().any(is_mirror_out_of_sync),
        PollOperation::Merge => status.targets.iter().any(|target| target.kind == "snapshot-merge"),
        PollOperation::MergeThin => return Verdict::Unknown,
    };
    if still_there { Verdict::NotOver } else { Verdict::Over }
}

/// Tells whether a `mirror` target has regions left to copy.
///
/// Its status is the number of its devices, the devices, then `<regions in sync>/<regions>`, and more.
fn is_mirror_out_of_sync(target: &DmTarget) -> bool {
    if target.kind != "mirror" {
        return false;
    }
    let mut words = target.params.split_ascii_whitespace();
    let Some(devices) = words.next().and_then(|count| count.parse::<usize>().ok()) else {
        return false;
    };
    let ratio = words.nth(devices).and_then(|ratio| ratio.split_once('/'));
    let Some((in_sync, regions)) = ratio else {
        return false;
    };
    match (in_sync.parse::<u64>(), regions.parse::<u64>()) {
        (Ok(in_sync), Ok(regions)) => in_sync < regions,
        _unreadable => false,
    }
}

#[cfg(test)]
mod tests {
    use lvmwarden_supervisor::device_mapper::{DmStatus, DmTarget};

    use super::Verdict;
    use super::judge;
    use lvmwarden_protocol::poll::PollOperation;

    fn status(kind: &str, params: &str) -> DmStatus {
        let target = DmTarget {
            start_sector: 0,
            length_sectors: 131_072,
            kind: kind.to_owned(),
            params: params.to_owned(),
        };
        DmStatus { suspended: false, is_open: false, targets: vec![target] }
    }

    #[test]
    fn a_device_tells_whether_its_operation_is_over() {
        let copying = status("mirror", "2 254:1 254:2 60/128 1 AA 1 core");
        let copied = status("mirror", "2 254:1 254:2 128/128 1 AA 1 core");
        let merging = status("snapshot-merge", "10240/131072 40");
        let linear = status("linear", "");
        let odd = status("mirror", "two 254:1");
        for (operation, status, verdict) in [
            (PollOperation::Pvmove, Some(&copying), Verdict::NotOver),
            (PollOperation::Pvmove, Some(&copied), Verdict::NotOver),
            (PollOperation::Pvmove, None, Verdict::Over),
            (PollOperation::Convert, Some(&copying), Verdict::NotOver),
            (PollOperation::Convert, Some(&copied), Verdict::Over),
            (PollOperation::Convert, Some(&linear), Verdict::Over),
            (PollOperation::Convert, Some(&odd), Verdict::Over),
            (PollOperation::Convert, None, Verdict::Unknown),
            (PollOperation::Merge, Some(&merging), Verdict::NotOver),
            (PollOperation::Merge, Some(&linear), Verdict::Over),
            (PollOperation::Merge, None, Verdict::Unknown),
            (PollOperation::MergeThin, Some(&linear), Verdict::Unknown),
            (PollOperation::MergeThin, None, Verdict::Unknown),
        ] {
            assert_eq!(judge(operation, status), verdict, "{operation:?} {status:?}");
        }
    }
}
