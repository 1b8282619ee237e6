//! The latest of a numbered stream, and what a reader who was away is given of it: pure.
//!
//! ```text
//!   1 2 3 4 5 6 7 8 9          numbers grow by one, from 1
//!   └──────┘ └──────┘ ▲
//!    expired   kept   next     a reader behind 2 is told that 3 to 5 are missing, and given 6 to 9
//! ```

use std::collections::VecDeque;

/// The latest items of a stream, numbered from 1.
#[derive(Debug)]
pub(super) struct Ring<T> {
    items: VecDeque<T>,
    /// How many items are kept at most; none is for readers who are only woken.
    keep: usize,
    /// The number of the latest item; 0 before the first.
    latest: u64,
}

/// What a reader is given at once.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slice<T> {
    /// What lies between the reader's place and the first item.
    pub(super) missing: Option<Missing>,
    /// Each with its number, in order and without holes.
    pub(super) items: Vec<(u64, T)>,
    /// Where the reader goes on: the number of the last item that it was given or told of.
    pub(super) next: u64,
}

/// Items that a reader cannot be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// So many are not kept any more.
    Expired {
        /// At least 1.
        count: u64,
    },
    /// The reader's place is none of this stream: it is of an earlier one, of which nothing is known.
    OtherStream,
}

impl<T: Clone> Ring<T> {
    pub(super) fn new(keep: usize) -> Self {
        Self { items: VecDeque::new(), keep, latest: 0 }
    }

    /// Takes the next item in, and returns its number.
    pub(super) fn push(&mut self, item: T) -> u64 {
        self.latest += 1;
        if self.keep > 0 {
            if self.items.len() == self.keep {
                self.items.pop_front();
            }
            self.items.push_back(item);
        }
        self.latest
    }

    /// Returns the number of the latest item; 0 before the first.
    pub(super) fn latest(&self) -> u64 {
        self.latest
    }

    /// Returns the number of the oldest item that is kept, or of the next one when none is.
    pub(super) fn oldest(&self) -> u64 {
        self.latest - self.items.len() as u64 + 1
    }

    /// Returns what follows the item of this number, at most `at_most` items. `None` and numbers that were never
    /// given out are places of another stream.
    pub(super) fn after(&self, place: Option<u64>, at_most: usize) -> Slice<T> {
        let oldest = self.oldest();
        let (missing, first) = match place {
            Some(number) if number > self.latest => (Some(Missing::OtherStream), oldest),
            None => (Some(Missing::OtherStream), oldest),
            Some(number) if number + 1 < oldest => {
                (Some(Missing::Expired { count: oldest - number - 1 }), oldest)
            }
            Some(number) => (None, number + 1),
        };
        let skipped = usize::try_from(first - oldest).unwrap_or(usize::MAX);
        let items: Vec<(u64, T)> =
            (first..).zip(self.items.iter().skip(skipped).take(at_most).cloned()).collect();
        let next = items.last().map_or(first - 1, |(number, _)| *number);
        Slice { missing, items, next }
    }
}

#[cfg(test)]
mod tests;
