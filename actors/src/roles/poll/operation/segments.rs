//! Which segments of a copy are done: pure.
//!
//! Only what was seen is told. A segment is done when the kernel has copied all of it, or has gone on to a later one;
//! several may be done between two looks. How much was copied, and in which time, is known only where its beginning was
//! seen: not for the segment during which the daemon was started anew.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::foundation::kernel::copying::{Due, Look, Situation};
use crate::foundation::moment::Moment;

/// A segment that is done, with those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentDone {
    /// Which, from 1. One or more may have been done since the last one that was told.
    pub number: u32,
    /// How many there are.
    pub count: u32,
    /// What was copied since the last one that was told; `None` when its beginning was not seen.
    pub bytes: Option<u64>,
    /// How long that took; `None` when its beginning was not seen.
    pub took_ms: Option<u64>,
}

/// What was seen and told of a copy's segments.
#[derive(Debug, Clone, Default)]
pub(super) struct Segments {
    /// The last one that was told, from 1; 0: none.
    told: u32,
    /// The daemon was started anew: what was not told is not new.
    is_recovered: bool,
    /// The segment that was copied when it was looked at last; `None` before the first look.
    current: Option<u32>,
    /// Where what was not told yet begins: when, and how much was left to copy then.
    begin: Option<(Moment, u64)>,
}

impl Segments {
    /// Goes on with a copy that was watched in an earlier life, in which the segment `told` was told last.
    pub(super) fn recovered(told: Option<u32>) -> Self {
        Self { told: told.unwrap_or_default(), is_recovered: true, ..Self::default() }
    }

    /// Takes note of what the kernel showed at `now`; returns the last segment that is done since, if there is one.
    pub(super) fn saw(&mut self, look: &Look, now: Moment) -> Option<SegmentDone> {
        let copied = look.copied?;
        let before = self.current.replace(copied.segment);
        if before.is_none() && !self.is_recovered && copied.segment == 1 {
            self.begin = Some((now, copied.total_bytes.unwrap_or(copied.left_bytes)));
        }
        let number = if look.situation == Situation::Due(Due::Copied) {
            copied.segment
        } else if before.is_some_and(|before| before < copied.segment) {
            copied.segment - 1
        } else {
            return None;
        };
        if number <= self.told {
            return None;
        }
        self.told = number;
        let begin = self.begin.replace((now, copied.left_bytes));
        let bytes = begin.map(|(_, left_bytes)| left_bytes.saturating_sub(copied.left_bytes));
        let took_ms = begin.map(|(then, _)| milliseconds(now.saturating_sub(then)));
        Some(SegmentDone { number, count: copied.segments, bytes, took_ms })
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foundation::kernel::copying::Copied;

    const COUNT: u32 = 4;

    fn look(situation: Situation, segment: u32, left_bytes: u64) -> Look {
        let copied = Copied { left_bytes, total_bytes: Some(400), segment, segments: COUNT };
        Look::of(situation, Some(copied))
    }

    fn copying(segment: u32, left_bytes: u64) -> Look {
        look(Situation::Copying, segment, left_bytes)
    }

    fn copied(segment: u32, left_bytes: u64) -> Look {
        look(Situation::Due(Due::Copied), segment, left_bytes)
    }

    /// Shows one look a second; returns what is told at each.
    fn told(mut segments: Segments, looks: &[Look]) -> Vec<Option<SegmentDone>> {
        (0..).zip(looks).map(|(second, look)| segments.saw(look, Duration::from_secs(second))).collect()
    }

    fn done(number: u32, bytes: u64, took_ms: u64) -> SegmentDone {
        SegmentDone { number, count: COUNT, bytes: Some(bytes), took_ms: Some(took_ms) }
    }

    #[test]
    fn each_segment_is_told_once_when_all_of_it_is_copied() {
        let looks = [
            copying(1, 390),
            copied(1, 300),
            copied(1, 300),
            copying(2, 250),
            copied(2, 200),
            Look::unclear("a wink"),
            copying(3, 200),
        ];
        let expected = [None, Some(done(1, 100, 1000)), None, None, Some(done(2, 100, 3000)), None, None];
        assert_eq!(told(Segments::default(), &looks), expected);
    }

    #[test]
    fn segments_that_were_done_between_two_looks_are_told_as_one() {
        let looks = [copying(1, 400), copying(3, 150), copied(4, 0)];
        assert_eq!(
            told(Segments::default(), &looks),
            [None, Some(done(2, 250, 1000)), Some(done(4, 150, 1000))]
        );
    }

    #[test]
    fn a_copy_that_is_done_at_the_first_look_is_told() {
        assert_eq!(told(Segments::default(), &[copied(1, 300)]), [Some(done(1, 100, 0))]);
    }

    #[test]
    fn after_a_restart_nothing_is_told_twice_and_only_what_was_seen() {
        let looks = [copied(2, 200), copying(3, 150), copied(3, 100), copied(4, 0)];
        let unseen = Some(SegmentDone { number: 3, count: COUNT, bytes: None, took_ms: None });
        let expected = [None, None, unseen, Some(done(4, 100, 1000))];
        assert_eq!(told(Segments::recovered(Some(2)), &looks), expected);
    }

    #[test]
    fn a_copy_that_was_going_on_already_has_no_beginning() {
        let unseen = Some(SegmentDone { number: 2, count: COUNT, bytes: None, took_ms: None });
        assert_eq!(told(Segments::default(), &[copying(2, 250), copied(2, 200)]), [None, unseen]);
        let first = Some(SegmentDone { number: 1, count: COUNT, bytes: None, took_ms: None });
        assert_eq!(told(Segments::recovered(None), &[copying(1, 350), copied(1, 300)]), [None, first]);
    }

    #[test]
    fn a_merge_is_one_segment_of_what_was_left_at_first() {
        let merge = |situation, left_bytes| {
            Look::of(situation, Some(Copied { left_bytes, total_bytes: None, segment: 1, segments: 1 }))
        };
        let looks = [merge(Situation::Copying, 300), merge(Situation::Due(Due::Copied), 0)];
        let whole = SegmentDone { number: 1, count: 1, bytes: Some(300), took_ms: Some(1000) };
        assert_eq!(told(Segments::default(), &looks), [None, Some(whole)]);
    }
}
