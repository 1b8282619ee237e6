//! How fast a copy goes, and how long it will take: pure.

use std::time::Duration;

use crate::foundation::kernel::copying::Copied;
use crate::foundation::moment::Moment;

/// The time between two measurements of the rate, at least.
const SAMPLE: Duration = Duration::from_secs(1);
/// How long a rate is remembered: what was measured so long ago counts for a third.
const MEMORY: Duration = Duration::from_secs(10);

/// How far a copy is, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyProgress {
    /// What is copied.
    pub done_bytes: u64,
    /// All that is to be copied; for a merge, what was left when it was looked at first.
    pub total_bytes: u64,
    /// The segment that is being copied, from 1.
    pub segment: u32,
    /// How many segments there are.
    pub segments: u32,
    /// How much is copied in a second, smoothed; `None` before a second has passed.
    pub bytes_per_second: Option<u64>,
    /// How long it will take at this rate; `None` when nothing is copied.
    pub left: Option<Duration>,
}

impl CopyProgress {
    /// Returns how much is done, 0 to 100.
    #[expect(clippy::cast_precision_loss, reason = "a percentage of bytes is for people")]
    pub fn percent(&self) -> f64 {
        if self.total_bytes == 0 {
            return 100.0;
        }
        // Two digits behind the point, as lvpoll says it.
        (self.done_bytes as f64 / self.total_bytes as f64 * 10_000.0).round() / 100.0
    }
}

/// How far an operation is, as far as is known.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    percent: Option<f64>,
    copy: Option<CopyProgress>,
    pace: Pace,
    /// What was told last, and when.
    told: Option<(Moment, f64)>,
}

impl Known {
    /// Returns how much is done, 0 to 100.
    pub(super) fn percent(&self) -> Option<f64> {
        self.percent
    }

    /// Returns how far the kernel is, where it is looked at.
    pub(super) fn copy(&self) -> Option<CopyProgress> {
        self.copy
    }

    /// Takes note of what lvpoll said; returns it where it is worth telling.
    pub(super) fn said(&mut self, percent: f64, now: Moment) -> Option<f64> {
        if self.copy.is_none() {
            self.percent = Some(percent);
        }
        self.tell(now)
    }

    /// Takes note of what the kernel showed; returns how much is done where it is worth telling.
    pub(super) fn saw(&mut self, copied: &Copied, now: Moment) -> Option<f64> {
        let progress = self.pace.progress(copied, now);
        self.copy = Some(progress);
        self.percent = Some(progress.percent());
        self.tell(now)
    }

    /// Nothing is told twice, nor more often than once in [`SAMPLE`].
    fn tell(&mut self, now: Moment) -> Option<f64> {
        let percent = self.percent?;
        let is_due =
            self.told.is_none_or(|(then, told)| told.to_bits() != percent.to_bits() && now >= then + SAMPLE);
        self.told = if is_due { Some((now, percent)) } else { self.told };
        is_due.then_some(percent)
    }
}

/// What is remembered of a copy's past.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pace {
    most_left_bytes: u64,
    sample: Option<(Moment, u64)>,
    bytes_per_second: Option<f64>,
}

impl Pace {
    /// Takes note of how far the copy is at `now`.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a smoothed rate is an estimate, and not negative"
    )]
    pub(crate) fn progress(&mut self, copied: &Copied, now: Moment) -> CopyProgress {
        self.most_left_bytes = self.most_left_bytes.max(copied.left_bytes);
        let total_bytes = copied.total_bytes.unwrap_or(self.most_left_bytes);
        let done_bytes = total_bytes.saturating_sub(copied.left_bytes);
        match self.sample {
            Some((then, before)) if done_bytes >= before => {
                let passed = now.saturating_sub(then);
                if passed >= SAMPLE {
                    let rate = (done_bytes - before) as f64 / passed.as_secs_f64();
                    let weight = 1.0 - (-passed.as_secs_f64() / MEMORY.as_secs_f64()).exp();
                    let smoothed = self.bytes_per_second.map_or(rate, |old| old + weight * (rate - old));
                    self.bytes_per_second = Some(smoothed);
                    self.sample = Some((now, done_bytes));
                }
            }
            // A copy that began anew says nothing about its rate.
            _ => self.sample = Some((now, done_bytes)),
        }
        let rate = self.bytes_per_second.map(|rate| rate as u64);
        let left = rate.filter(|rate| *rate > 0).map(|rate| Duration::from_secs(copied.left_bytes / rate));
        CopyProgress {
            done_bytes,
            total_bytes,
            segment: copied.segment,
            segments: copied.segments,
            bytes_per_second: rate,
            left,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(left_bytes: u64, total_bytes: Option<u64>) -> Copied {
        Copied { left_bytes, total_bytes, segment: 1, segments: 2 }
    }

    #[test]
    fn a_steady_copy_has_its_rate_and_its_end() {
        let mut pace = Pace::default();
        let first = pace.progress(&copied(1000, Some(1000)), Duration::ZERO);
        assert_eq!((first.percent(), first.bytes_per_second, first.left), (0.0, None, None));
        for second in 1..=5 {
            let progress =
                pace.progress(&copied(1000 - second * 100, Some(1000)), Duration::from_secs(second));
            assert_eq!(progress.bytes_per_second, Some(100));
            assert_eq!(progress.left, Some(Duration::from_secs(10 - second)));
            assert_eq!(progress.done_bytes, second * 100);
        }
    }

    #[test]
    fn a_merge_is_measured_by_what_was_left_first() {
        let mut pace = Pace::default();
        pace.progress(&copied(800, None), Duration::ZERO);
        let later = pace.progress(&copied(200, None), Duration::from_secs(2));
        assert_eq!((later.done_bytes, later.total_bytes, later.percent()), (600, 800, 75.0));
    }

    #[test]
    fn the_rate_follows_slowly_and_a_copy_that_stands_has_no_end() {
        let mut pace = Pace::default();
        pace.progress(&copied(1000, Some(1000)), Duration::ZERO);
        pace.progress(&copied(900, Some(1000)), Duration::from_secs(1));
        let slower = pace.progress(&copied(900, Some(1000)), Duration::from_secs(2));
        assert_eq!(slower.bytes_per_second, Some(90));
        let stands = pace.progress(&copied(900, Some(1000)), Duration::from_mins(10));
        assert_eq!((stands.bytes_per_second, stands.left), (Some(0), None));
    }

    #[test]
    fn progress_is_told_when_it_is_new_and_not_more_than_once_a_second() {
        let mut known = Known::default();
        let at = Duration::from_millis;
        assert_eq!(known.said(10.0, at(0)), Some(10.0));
        assert_eq!(known.said(10.0, at(5000)), None);
        assert_eq!(known.saw(&copied(500, Some(1000)), at(6000)), Some(50.0));
        assert_eq!(known.saw(&copied(400, Some(1000)), at(6500)), None);
        assert_eq!(known.said(12.0, at(6600)), None, "the kernel knows better");
        assert_eq!(known.percent(), Some(60.0));
        assert_eq!(known.saw(&copied(400, Some(1000)), at(7000)), Some(60.0));
    }

    #[test]
    fn a_copy_that_began_anew_has_no_negative_rate() {
        let mut pace = Pace::default();
        pace.progress(&copied(100, Some(1000)), Duration::ZERO);
        let anew = pace.progress(&copied(900, Some(1000)), Duration::from_secs(2));
        assert_eq!((anew.done_bytes, anew.bytes_per_second), (100, None));
        let on = pace.progress(&copied(800, Some(1000)), Duration::from_secs(3));
        assert_eq!(on.bytes_per_second, Some(100));
    }
}
