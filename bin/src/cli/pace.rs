//! How fast an operation goes, from what was seen of its progress. Pure.

use jiff::Timestamp;
use lvmwarden_actors::foundation::wall_clock::elapsed;

/// What was seen of one operation's progress.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    first: Option<Sample>,
    last: Option<Sample>,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Timestamp,
    percent: f64,
}

/// An operation's speed, and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    /// Percent a minute; above 0.
    pub(super) percent_per_minute: f64,
    /// How long it goes on like this.
    pub(super) seconds_left: f64,
}

impl Pace {
    /// Notes how much was done at a time. lvpoll may begin anew with less, and the clock
    /// may be set back: then the earlier speed says nothing.
    pub(super) fn saw(&mut self, at: Timestamp, percent: f64) {
        let sample = Sample { at, percent };
        if self.last.is_none_or(|last| percent < last.percent || elapsed(last.at, at).is_none()) {
            self.first = Some(sample);
        }
        // The moment of the change is what counts, not how long it was seen.
        if self.last.is_none_or(|last| percent.to_bits() != last.percent.to_bits()) {
            self.last = Some(sample);
        }
    }

    /// Returns the speed, once two different shares were seen.
    pub(super) fn estimate(&self) -> Option<Estimate> {
        let (first, last) = (self.first?, self.last?);
        let minutes = elapsed(first.at, last.at)?.as_secs_f64() / 60.0;
        let percent_per_minute = (last.percent - first.percent) / minutes;
        let is_known = minutes > 0.0 && percent_per_minute > 0.0;
        is_known.then(|| Estimate {
            percent_per_minute,
            seconds_left: (100.0 - last.percent) / percent_per_minute * 60.0,
        })
    }
}

impl std::fmt::Display for Estimate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let left = super::screen::duration(self.seconds_left);
        write!(f, "{:.1} %/min, {left} left", self.percent_per_minute)
    }
}

#[cfg(test)]
mod tests;
