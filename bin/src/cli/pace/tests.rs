//! Speeds.

use super::*;

/// Returns the estimate after progress that was seen at these seconds.
#[track_caller]
fn estimate(seen: &[(i64, f64)]) -> Option<Estimate> {
    let mut pace = Pace::default();
    for &(second, percent) in seen {
        pace.saw(Timestamp::from_second(second).unwrap(), percent);
    }
    pace.estimate()
}

#[test]
fn the_speed_is_that_between_the_first_and_the_last_change() {
    let known = estimate(&[(0, 10.0), (30, 15.0), (60, 20.0), (90, 20.0)]).unwrap();
    assert_eq!(known, Estimate { percent_per_minute: 10.0, seconds_left: 480.0 });
    assert_eq!(known.to_string(), "10.0 %/min, 8 min 0 s left");
}

#[test]
fn nothing_is_known_before_two_different_shares_at_two_times() {
    assert_eq!(estimate(&[]), None);
    assert_eq!(estimate(&[(0, 10.0)]), None);
    assert_eq!(estimate(&[(0, 10.0), (60, 10.0)]), None);
    assert_eq!(estimate(&[(5, 10.0), (5, 20.0)]), None);
}

#[test]
fn what_was_before_a_new_beginning_does_not_count() {
    let anew = estimate(&[(0, 0.0), (60, 90.0), (120, 10.0), (180, 11.0)]).unwrap();
    assert_eq!(anew, Estimate { percent_per_minute: 1.0, seconds_left: 89.0 * 60.0 });
}

#[test]
fn what_was_before_a_step_back_of_the_clock_does_not_count() {
    let anew = estimate(&[(0, 0.0), (600, 1.0), (10, 2.0), (70, 3.0)]).unwrap();
    assert_eq!(anew, Estimate { percent_per_minute: 1.0, seconds_left: 97.0 * 60.0 });
    assert_eq!(estimate(&[(600, 1.0), (10, 2.0)]), None);
}
