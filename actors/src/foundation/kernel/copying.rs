//! How far the kernel is with a copy, and whether lvpoll has something to do: pure.
//!
//! A pvmove copies one segment after the other. The temporary LV `pvmoveN` maps what is done to the new PV, what is to
//! come to the old one, and the segment in between as a mirror of both:
//!
//! ```text
//! table                                                      status
//! 0     49152 linear 254:16 2048                             0     49152 linear                                     done
//! 49152 49152 mirror core 1 4096 2 254:0 51200 254:16 51200  49152 49152 mirror 2 254:0 254:16 3/12 1 AA 1 core  copying
//! 98304 49152 linear 254:0 100352                            98304 49152 linear                                  to come
//! ```
//!
//! The kernel stops at the end of a segment: lvpoll writes down that it is done and has the next one copied.
//!
//! Source: seen with lvm2 2.03.16 on Linux 6.1; `dm-raid1.c` (`mirror_status`), `dm-snap.c` (`snapshot_merge` status).

use std::fmt;

use lvmwarden_supervisor::device_mapper::{DmStatus, DmTarget};

use lvmwarden_protocol::ids::Lvid;
use lvmwarden_protocol::poll::PollOperation;
use serde::{Deserialize, Serialize};

/// Bytes in a sector of device-mapper.
pub(super) const SECTOR_BYTES: u64 = 512;

/// Whose copy is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// What is polled.
    pub operation: PollOperation,
    /// The LV that is polled.
    pub lvid: Lvid,
}

impl Subject {
    /// Returns whether the kernel raises an event when the copy is complete. A merge that is complete raises none, one that
    /// has failed does.
    ///
    /// Source: Linux 6.1 to 6.18, `dm-raid1.c` (`do_recovery`), `dm-snap.c` (`snapshot_merge_next_chunks`).
    pub fn is_end_an_event(&self) -> bool {
        match self.operation {
            PollOperation::Pvmove | PollOperation::Convert => true,
            PollOperation::Merge | PollOperation::MergeThin => false,
        }
    }
}

/// What device-mapper shows of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Whether lvpoll has something to do.
    pub situation: Situation,
    /// How far the copy is, where that can be told.
    pub copied: Option<Copied>,
    /// The devices that are copied from and to, such as `254:0`, where that can be told.
    pub devices: Vec<String>,
    /// The devices that could not be read or written everywhere, as long as the kernel remembers it.
    pub faults: Vec<Fault>,
}

/// A device of a copy that could not be read or written everywhere.
///
/// The kernel remembers it until the segment is copied, and goes on as if nothing had happened: it does not keep a pvmove's
/// mirror out of sync for it.
///
/// Source: Linux 6.1 to 6.18, `dm-raid1.c` (`fail_mirror`, `reset_ms_flags`, `device_status_char`); seen with lvm2 2.03.16.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The device, such as `/dev/sda`, or `254:0` where it has no name.
    pub device: String,
    /// It is copied from, rather than to.
    pub is_source: bool,
    /// The kernel's letter: `S` for the copying itself, `R` for another read, `D` for another write, `F` for a flush.
    pub letter: char,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, is_source, letter } = self;
        let done = if *is_source { "read" } else { "written" };
        write!(f, "{device} could not be {done} everywhere (device-mapper: {letter})")
    }
}

/// Whether lvpoll has something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Situation {
    /// The kernel copies: nobody has anything to do.
    Copying,
    /// lvpoll has something to do.
    Due(Due),
    /// What is there is not understood: lvpoll has to look by itself.
    Unclear {
        /// Why, for people.
        why: &'static str,
    },
}

/// What lvpoll has to do something about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// A segment is copied, and perhaps all of them.
    Copied,
    /// There is no such device any more, or it does something else by now.
    Gone,
    /// The kernel has given the copy up.
    Failed {
        /// In the kernel's words, such as `Invalid`.
        words: String,
    },
}

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// What is left to copy.
    pub left_bytes: u64,
    /// All there was to copy; `None` for merges, where the kernel tells only what is left.
    pub total_bytes: Option<u64>,
    /// The segment that is being copied, from 1.
    pub segment: u32,
    /// How many segments there are.
    pub segments: u32,
}

/// Reads what device-mapper says of the LV that is polled; `None`: it has no device.
pub fn look(operation: PollOperation, status: Option<&DmStatus>, table: Option<&DmStatus>) -> Look {
    let Some(status) = status else {
        return Look::of(Situation::Due(Due::Gone), None);
    };
    match operation {
        PollOperation::Pvmove | PollOperation::Convert => look_at_mirror(status, table),
        PollOperation::Merge => look_at_merge(status),
        PollOperation::MergeThin => Look::unclear("a thin merge leaves no trace in device-mapper"),
    }
}

impl Look {
    /// Returns whether lvpoll, asleep, is of no use: the kernel copies, or waits for an lvpoll that is awake.
    pub fn is_relief(&self) -> bool {
        matches!(self.situation, Situation::Copying | Situation::Due(Due::Copied))
    }

    /// Nothing could be seen.
    pub fn unclear(why: &'static str) -> Self {
        Self::of(Situation::Unclear { why }, None)
    }

    /// Returns a look that shows no devices.
    pub(crate) fn of(situation: Situation, copied: Option<Copied>) -> Self {
        Self { situation, copied, devices: Vec::new(), faults: Vec::new() }
    }
}

fn look_at_mirror(status: &DmStatus, table: Option<&DmStatus>) -> Look {
    let mut mirrors = status.targets.iter().filter(|target| target.kind == "mirror").peekable();
    if mirrors.peek().is_none() {
        return Look::of(Situation::Due(Due::Gone), None);
    }
    let (mut situation, mut devices) = (Situation::Due(Due::Copied), Vec::new());
    let (mut failed, mut faults) = (None, Vec::new());
    for target in mirrors {
        match Mirror::parse(target) {
            Some(mirror) if mirror.is_failing() => {
                faults.extend(mirror.faults());
                failed = failed.or(Some(mirror.health));
            }
            Some(mirror) => {
                if mirror.in_sync < mirror.regions {
                    situation = Situation::Copying;
                }
                devices.extend(mirror.devices);
            }
            None => return Look::unclear("the status of a mirror cannot be read"),
        }
    }
    if let Some(words) = failed {
        return Look { faults, ..Look::of(Situation::Due(Due::Failed { words }), None) };
    }
    let copied = table.and_then(|table| copied_by_mirrors(status, table));
    Look { devices, ..Look::of(situation, copied) }
}

/// Adds up what is left; `None` when status and table are not of the same moment.
fn copied_by_mirrors(status: &DmStatus, table: &DmStatus) -> Option<Copied> {
    let old = table.targets.iter().find_map(first_device_of_mirror)?;
    let (mut left_bytes, mut total_bytes, mut segment) = (0, 0, 0);
    if status.targets.len() != table.targets.len() {
        return None;
    }
    for (index, (now, mapped)) in status.targets.iter().zip(&table.targets).enumerate() {
        if now.kind != mapped.kind || now.start_sector != mapped.start_sector {
            return None;
        }
        let bytes = now.length_sectors * SECTOR_BYTES;
        total_bytes += bytes;
        if now.kind == "mirror" {
            left_bytes += Mirror::parse(now)?.left_of(bytes);
            segment = u32::try_from(index + 1).ok()?;
        } else if mapped.params.split_ascii_whitespace().next() == Some(old) {
            left_bytes += bytes;
        }
    }
    let segments = u32::try_from(table.targets.len()).ok()?;
    Some(Copied { left_bytes, total_bytes: Some(total_bytes), segment, segments })
}

/// Returns the device that a mirror copies from, such as `254:0`.
///
/// A table's line is the log's type, the number of its arguments, these, the number of devices, then device and offset
/// of each.
fn first_device_of_mirror(target: &DmTarget) -> Option<&str> {
    if target.kind != "mirror" {
        return None;
    }
    let mut words = target.params.split_ascii_whitespace();
    let arguments: usize = words.nth(1)?.parse().ok()?;
    words.nth(arguments.checked_add(1)?)
}

/// The status of a `mirror` target: the number of its devices, these, `<regions in sync>/<regions>`, the number of words
/// about their health, and these: a letter for each device.
struct Mirror {
    devices: Vec<String>,
    in_sync: u64,
    regions: u64,
    health: String,
}

impl Mirror {
    fn parse(target: &DmTarget) -> Option<Self> {
        let mut words = target.params.split_ascii_whitespace();
        let count: usize = words.next()?.parse().ok()?;
        let devices = words.by_ref().take(count).map(str::to_owned).collect();
        let (in_sync, regions) = words.next()?.split_once('/')?;
        let health = words.nth(1)?.to_owned();
        Some(Self { devices, in_sync: in_sync.parse().ok()?, regions: regions.parse().ok()?, health })
    }

    /// `A` stands for a device that is alive.
    fn is_failing(&self) -> bool {
        self.health.bytes().any(|letter| letter != b'A')
    }

    /// The first device is copied from.
    fn faults(&self) -> impl Iterator<Item = Fault> {
        let letters = self.devices.iter().zip(self.health.chars()).enumerate();
        let faults = letters.filter(|(_, (_, letter))| *letter != 'A');
        faults.map(|(leg, (device, letter))| Fault { device: device.clone(), is_source: leg == 0, letter })
    }

    fn left_of(&self, bytes: u64) -> u64 {
        let left = self.regions.saturating_sub(self.in_sync);
        let share = u128::from(bytes) * u128::from(left) / u128::from(self.regions.max(1));
        u64::try_from(share).unwrap_or(bytes)
    }
}

fn look_at_merge(status: &DmStatus) -> Look {
    let Some(target) = status.targets.iter().find(|target| target.kind == "snapshot-merge") else {
        return Look::of(Situation::Due(Due::Gone), None);
    };
    let Some((allocated, metadata)) = parse_merge(&target.params) else {
        let failed = Due::Failed { words: target.params.clone() };
        return Look::of(Situation::Due(failed), None);
    };
    let left = allocated.saturating_sub(metadata);
    let situation = if left == 0 { Situation::Due(Due::Copied) } else { Situation::Copying };
    let copied = Copied { left_bytes: left * SECTOR_BYTES, total_bytes: None, segment: 1, segments: 1 };
    Look::of(situation, Some(copied))
}

/// Reads `<sectors allocated>/<sectors> <sectors of metadata>`; a merge that failed says so in words instead.
fn parse_merge(params: &str) -> Option<(u64, u64)> {
    let (allocated, rest) = params.split_once('/')?;
    let metadata = rest.split_ascii_whitespace().nth(1)?;
    Some((allocated.parse().ok()?, metadata.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    /// Reads lines as dmsetup prints them.
    fn lines(text: &str) -> DmStatus {
        let target = |line: &str| {
            let mut words = line.trim().splitn(4, ' ');
            let mut number = || words.next().unwrap().parse().unwrap();
            let (start_sector, length_sectors) = (number(), number());
            let kind = words.next().unwrap().to_owned();
            let params = words.next().unwrap_or_default().to_owned();
            DmTarget { start_sector, length_sectors, kind, params }
        };
        DmStatus { suspended: false, is_open: false, targets: text.lines().map(target).collect() }
    }

    const TABLE: &str = "0 49152 linear 254:16 2048
        49152 49152 mirror core 1 4096 2 254:0 51200 254:16 51200
        98304 49152 linear 254:0 100352";

    fn pvmove(mirror: &str) -> Look {
        let status = lines(&format!("0 49152 linear\n49152 49152 mirror {mirror}\n98304 49152 linear"));
        look(PollOperation::Pvmove, Some(&status), Some(&lines(TABLE)))
    }

    #[test]
    fn a_pvmove_is_as_far_as_its_segments_and_the_mirror_are() {
        const SEGMENT: u64 = 49152 * 512;
        let copied =
            |left_bytes| Some(Copied { left_bytes, total_bytes: Some(3 * SEGMENT), segment: 2, segments: 3 });
        let copying = pvmove("2 254:0 254:16 3/12 1 AA 1 core");
        let devices = || vec!["254:0".to_owned(), "254:16".to_owned()];
        let look = |situation, copied| Look { devices: devices(), ..Look::of(situation, copied) };
        assert_eq!(copying, look(Situation::Copying, copied(SEGMENT + SEGMENT * 9 / 12)));
        let done = pvmove("2 254:0 254:16 12/12 1 AA 1 core");
        assert_eq!(done, look(Situation::Due(Due::Copied), copied(SEGMENT)));
    }

    #[test]
    fn a_dead_device_and_an_unreadable_status_are_for_lvpoll() {
        let failing = pvmove("2 254:0 254:16 3/12 1 AD 1 core");
        assert_eq!(failing.situation, Situation::Due(Due::Failed { words: "AD".to_owned() }));
        let written = Fault { device: "254:16".to_owned(), is_source: false, letter: 'D' };
        assert_eq!(failing.faults, slice::from_ref(&written));
        // As Linux 6.1 shows a pvmove off a disk with unreadable sectors.
        let read = Fault { device: "254:0".to_owned(), is_source: true, letter: 'S' };
        assert_eq!(pvmove("2 254:0 254:16 3/12 1 SA 1 core").faults, slice::from_ref(&read));
        assert_eq!(pvmove("2 254:0 254:16 3/12 1 SD 1 core").faults, [read, written]);
        assert_eq!(pvmove("2 254:0 254:16 3/12 1 AA 1 core").faults, []);
        for odd in ["two 254:0", "2 254:0 254:16", "2 254:0 254:16 x/12 1 AA", "2 254:0 254:16 3/12 1"] {
            assert!(matches!(pvmove(odd).situation, Situation::Unclear { .. }), "{odd}");
        }
    }

    #[test]
    fn a_device_that_is_gone_or_changed_is_for_lvpoll() {
        let linear = lines("0 49152 linear");
        for operation in [PollOperation::Pvmove, PollOperation::Convert, PollOperation::Merge] {
            for status in [None, Some(&linear)] {
                let gone = Look::of(Situation::Due(Due::Gone), None);
                assert_eq!(look(operation, status, None), gone, "{operation:?} {status:?}");
            }
        }
    }

    #[test]
    fn a_table_of_another_moment_tells_nothing_about_bytes() {
        let status = lines("0 49152 mirror 2 254:0 254:16 3/12 1 AA 1 core");
        for table in ["0 49152 linear 254:16 0", TABLE, "1 49152 mirror core 1 4096 2 254:0 1 254:16 1"] {
            let seen = look(PollOperation::Pvmove, Some(&status), Some(&lines(table)));
            assert_eq!((seen.situation, seen.copied), (Situation::Copying, None), "{table}");
        }
    }

    #[test]
    fn a_merge_is_over_when_only_its_metadata_is_left() {
        let merge = |params: &str| {
            let status = lines(&format!("0 196608 snapshot-merge {params}"));
            look(PollOperation::Merge, Some(&status), None)
        };
        let copied = |left_bytes| Some(Copied { left_bytes, total_bytes: None, segment: 1, segments: 1 });
        assert_eq!(merge("10240/131072 40"), Look::of(Situation::Copying, copied(10_200 * 512)));
        assert_eq!(merge("40/131072 40"), Look::of(Situation::Due(Due::Copied), copied(0)));
        for words in ["Invalid", "Merge failed", "Overflow"] {
            let failed = Situation::Due(Due::Failed { words: words.to_owned() });
            assert_eq!(merge(words), Look::of(failed, None));
        }
    }

    #[test]
    fn a_thin_merge_cannot_be_seen() {
        let status = lines("0 49152 thin 1 2");
        let seen = look(PollOperation::MergeThin, Some(&status), None);
        assert!(matches!(seen.situation, Situation::Unclear { .. }));
    }
}
