//! Which copies of one VG go: a pure function of what there is, the bounds, what is protected, and the time.
//!
//! In this order:
//!
//! 1. **Age.** A copy that is older than the bound goes, unless the clock is in doubt: it is not known to be
//!    synchronised, or the VG's newest copy seems over a year old. After a jump forward all but the protected copies would
//!    be too old.
//! 2. **Thinning.** While there are more copies, or more bytes, than the bounds permit, that copy goes which is missed
//!    least: the one for which the gap that it leaves, from the next newer copy to the next older one, is smallest for
//!    its age. What is left is dense for today and sparse for last year: about the same number for each doubling of the
//!    age, from an hour on. A burst of thousands within a minute therefore costs the months before it nothing. The oldest
//!    copy goes last, so that the history reaches as far back as it may.
//!
//! The bounds are true upper bounds, for everything that may go. What never goes is [`Protected`]; where that is more than
//! a bound permits, the plan says so in [`VgPlan::unmet`].
//!
//! Which copy is newer is told by the index in its name, as lvm does: times can be wrong. How old it is, by its time.

mod thinning;

use std::collections::BTreeSet;

use jiff::Timestamp;
use lvmwarden_protocol::api::archive::{Because, Bound, Limits, Unmet};

use crate::foundation::wall_clock::elapsed;

const SECONDS_OF_A_DAY: u64 = 24 * 60 * 60;
/// A newest copy that seems older than this says that the clock may be wrong.
const SEEMS_OLD_DAYS: u32 = 365;

/// What the wall clock says, and whether that can be believed.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// The time.
    pub now: Timestamp,
    /// Somebody is known to keep it right.
    pub is_synchronised: bool,
}

/// One copy of a VG's metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchivedCopy {
    /// The how-manieth it is; two hosts that share the directory may have given one twice.
    pub index: u32,
    /// The number in its name that tells these apart.
    pub random: u32,
    /// When it was written.
    pub modified_at: Timestamp,
    /// Its length.
    pub bytes: u64,
}

/// What of a VG must never go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protected {
    /// The newest good copies, by their places in the list of copies.
    Newest(BTreeSet<usize>),
    /// Everything, and why.
    Everything(Because),
}

/// A copy that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Removal {
    /// Which.
    pub copy: ArchivedCopy,
    /// For which bound.
    pub bound: Bound,
}

/// How many files, and how long they are together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// How many.
    pub files: u64,
    /// Their lengths added up.
    pub bytes: u64,
}

/// What becomes of the copies of one VG.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VgPlan {
    /// What goes, in the order of removal.
    pub removals: Vec<Removal>,
    /// The bounds that are not kept even then.
    pub unmet: Vec<Unmet>,
}

/// Orders the copies of a VG as [`plan`] wants them: the newest first.
pub fn sort(copies: &mut [ArchivedCopy]) {
    copies.sort_unstable_by_key(|copy| std::cmp::Reverse((copy.index, copy.random)));
}

/// Returns whether any bound asks for something to go: if not, nothing needs to be known of what is protected.
pub fn is_over(copies: &[ArchivedCopy], limits: &Limits, now: Timestamp) -> bool {
    let total = Total::of(copies);
    total.exceeds_files(limits)
        || total.exceeds_bytes(limits)
        || copies.iter().any(|copy| copy.is_too_old(limits, now))
}

/// Returns what becomes of the `copies` of one VG, which are sorted by [`sort`].
///
/// The newest of all always stays, good or not: lvm counts on from its index.
pub fn plan(copies: &[ArchivedCopy], limits: &Limits, protected: &Protected, clock: Clock) -> VgPlan {
    let now = clock.now;
    let (newest, because) = match protected {
        Protected::Newest(newest) => (newest, Because::NewestCopies),
        Protected::Everything(because) => {
            return VgPlan { removals: Vec::new(), unmet: unmet(copies, limits, [*because; 2], now) };
        }
    };
    let doubt = doubt(copies, clock);
    let stays = |place: usize| place == 0 || newest.contains(&place);
    let is_too_old = |place: usize| !stays(place) && copies[place].is_too_old(limits, now);
    let (old, left): (Vec<_>, Vec<_>) =
        (0..copies.len()).partition(|place| doubt.is_none() && is_too_old(*place));

    let mut removals: Vec<_> =
        old.iter().rev().map(|place| Removal { copy: copies[*place], bound: Bound::Age }).collect();
    let mut total = Total::of(left.iter().map(|place| &copies[*place]));
    let mut thinning = thinning::Thinning::new(
        left.iter().map(|place| (copies[*place].modified_at, stays(*place))).collect(),
        now,
    );
    while let Some(bound) = total.exceeded(limits)
        && let Some(least_missed) = thinning.next()
    {
        let copy = copies[left[least_missed]];
        total.files -= 1;
        total.bytes -= copy.bytes;
        removals.push(Removal { copy, bound });
    }
    let rest: Vec<_> = thinning.left().map(|place| left[place]).collect();
    // Without doubt they would be gone.
    let age_because = doubt.filter(|_| rest.iter().any(|place| is_too_old(*place))).unwrap_or(because);
    let rest = rest.iter().map(|place| &copies[*place]);
    VgPlan { removals, unmet: unmet(rest, limits, [age_because, because], now) }
}

/// Returns why nothing may go for its age, if the clock is in doubt.
fn doubt(copies: &[ArchivedCopy], clock: Clock) -> Option<Because> {
    if !clock.is_synchronised {
        return Some(Because::ClockNotSynchronised);
    }
    let seems_old = copies.first().is_some_and(|newest| newest.is_older_than(SEEMS_OLD_DAYS, clock.now));
    seems_old.then_some(Because::NewestCopySeemsOld)
}

/// Returns the bounds that are not kept: for age because of the first, for number and size because of the second.
fn unmet<'c>(
    copies: impl IntoIterator<Item = &'c ArchivedCopy, IntoIter: Clone>,
    limits: &Limits,
    [age_because, because]: [Because; 2],
    now: Timestamp,
) -> Vec<Unmet> {
    let mut copies = copies.into_iter();
    let total = Total::of(copies.clone());
    [
        (Bound::Age, copies.any(|copy| copy.is_too_old(limits, now)), age_because),
        (Bound::Files, total.exceeds_files(limits), because),
        (Bound::Bytes, total.exceeds_bytes(limits), because),
    ]
    .into_iter()
    .filter(|(_, is_unmet, _)| *is_unmet)
    .map(|(bound, _, because)| Unmet { bound, because })
    .collect()
}

impl ArchivedCopy {
    fn is_too_old(&self, limits: &Limits, now: Timestamp) -> bool {
        self.is_older_than(limits.age_days, now)
    }

    fn is_older_than(&self, days: u32, now: Timestamp) -> bool {
        let age = elapsed(self.modified_at, now);
        age.is_some_and(|age| age.as_secs() > u64::from(days) * SECONDS_OF_A_DAY)
    }
}

impl std::iter::Sum for Total {
    fn sum<I: Iterator<Item = Self>>(totals: I) -> Self {
        totals.fold(Self::default(), |sum, total| Self {
            files: sum.files + total.files,
            bytes: sum.bytes.saturating_add(total.bytes),
        })
    }
}

impl Total {
    /// Adds copies up.
    pub fn of<'c>(copies: impl IntoIterator<Item = &'c ArchivedCopy>) -> Self {
        let add = |sum: Self, copy: &ArchivedCopy| Self {
            files: sum.files + 1,
            bytes: sum.bytes.saturating_add(copy.bytes),
        };
        copies.into_iter().fold(Self::default(), add)
    }

    fn exceeded(self, limits: &Limits) -> Option<Bound> {
        if self.exceeds_files(limits) {
            Some(Bound::Files)
        } else {
            self.exceeds_bytes(limits).then_some(Bound::Bytes)
        }
    }

    fn exceeds_files(self, limits: &Limits) -> bool {
        self.files > u64::from(limits.files_per_vg)
    }

    fn exceeds_bytes(self, limits: &Limits) -> bool {
        self.bytes > limits.bytes_per_vg
    }
}

#[cfg(test)]
mod tests;
