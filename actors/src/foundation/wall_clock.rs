//! Durations by the wall clock: the place where its times are subtracted.
//!
//! The wall clock may be set, back as well. Where both times are of one life of the daemon, a clock that cannot be set is
//! better; between lives, and in what clients are told, there is no other than this.

use std::time::Duration;

use jiff::Timestamp;

/// Returns how long it is from one time to a later one; `None` if the clock was set back between them, so that nobody knows.
pub fn elapsed(from: Timestamp, to: Timestamp) -> Option<Duration> {
    #[expect(clippy::disallowed_methods, reason = "this is the place")]
    let time = to.duration_since(from);
    Duration::try_from(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_a_step_back_no_duration_is_known() {
        let at = |millisecond| Timestamp::from_millisecond(millisecond).unwrap();
        assert_eq!(elapsed(at(1000), at(3500)), Some(Duration::from_millis(2500)));
        assert_eq!(elapsed(at(1000), at(1000)), Some(Duration::ZERO));
        assert_eq!(elapsed(at(1000), at(999)), None);
        assert_eq!(elapsed(Timestamp::MAX, Timestamp::MIN), None);
        assert!(elapsed(Timestamp::MIN, Timestamp::MAX).is_some());
    }
}
