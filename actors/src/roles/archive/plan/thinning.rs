//! Of a row of copies, again and again the one that is missed least. Pure.
//!
//! The row is a list in which each knows its neighbours, beside a heap of what each would leave behind. A removal changes
//! what its two neighbours would leave: they are put into the heap again, and what is out of date is skipped when it
//! comes up. A row of n copies is thinned to nothing in n log n steps.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use jiff::Timestamp;

use crate::foundation::wall_clock::elapsed;

/// How much a copy would be missed; the least comes up first. Of equals the older one.
type Worth = Reverse<(u64, Reverse<usize>)>;

/// How much the oldest copy would be missed: nothing beyond it can take its place.
const OLDEST: u64 = u64::MAX;

/// Copies younger than this are thinned evenly, as if all of them were so old: the moments after a burst of changes are
/// not worth what the months before it are.
const EVEN_SECONDS: u64 = 60 * 60;

/// A row of copies that is being thinned, the newest first.
pub(super) struct Thinning {
    row: Vec<Place>,
    heap: BinaryHeap<Worth>,
    now: Timestamp,
}

struct Place {
    modified_at: Timestamp,
    stays: bool,
    is_gone: bool,
    newer: Option<usize>,
    older: Option<usize>,
    worth: u64,
}

impl Thinning {
    /// Begins with a row of times, the newest first, each with whether it must stay.
    pub(super) fn new(row: Vec<(Timestamp, bool)>, now: Timestamp) -> Self {
        let last = row.len().saturating_sub(1);
        let place = |(place, (modified_at, stays)): (usize, (Timestamp, bool))| Place {
            modified_at,
            stays,
            is_gone: false,
            newer: place.checked_sub(1),
            older: (place < last).then_some(place + 1),
            worth: 0,
        };
        let row: Vec<_> = row.into_iter().enumerate().map(place).collect();
        let mut thinning = Self { heap: BinaryHeap::with_capacity(row.len()), row, now };
        (0..thinning.row.len()).for_each(|place| thinning.weigh(place));
        thinning
    }

    /// Takes the copy out that is missed least, and returns its place; `None` when all that are left must stay.
    pub(super) fn next(&mut self) -> Option<usize> {
        loop {
            let Reverse((worth, Reverse(place))) = self.heap.pop()?;
            let Place { is_gone, newer, older, worth: current, .. } = self.row[place];
            if is_gone || worth != current {
                continue;
            }
            self.row[place].is_gone = true;
            if let Some(newer) = newer {
                self.row[newer].older = older;
                self.weigh(newer);
            }
            if let Some(older) = older {
                self.row[older].newer = newer;
                self.weigh(older);
            }
            return Some(place);
        }
    }

    /// Returns the places of those that are left, the newest first.
    pub(super) fn left(&self) -> impl Iterator<Item = usize> + Clone {
        (0..self.row.len()).filter(|place| !self.row[*place].is_gone)
    }

    /// Finds how much a copy would be missed now: the gap between its neighbours, for its age.
    fn weigh(&mut self, place: usize) {
        let Place { modified_at, stays, newer, older, .. } = self.row[place];
        if stays {
            return;
        }
        let time =
            |neighbour: Option<usize>| neighbour.map_or(modified_at, |near| self.row[near].modified_at);
        let worth = if older.is_some() {
            let gap = seconds_between(time(older), time(newer));
            // Twenty bits behind the point; the longest gap that there can be has forty before it.
            (gap << 20) / seconds_between(modified_at, self.now).max(EVEN_SECONDS)
        } else {
            OLDEST
        };
        self.row[place].worth = worth;
        self.heap.push(Reverse((worth, Reverse(place))));
    }
}

/// Returns the time from `early` to `late`; none where it would be less.
fn seconds_between(early: Timestamp, late: Timestamp) -> u64 {
    elapsed(early, late).map_or(0, |time| time.as_secs())
}
