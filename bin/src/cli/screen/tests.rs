//! Texts made harmless, times and durations.

use super::*;
use crate::cli::samples::clock;

#[test]
fn no_name_can_move_the_cursor_or_change_colours() {
    assert_eq!(plain("vg\u{1b}[31m\n\u{7f}é"), "vg\\u{1b}[31m\\n\\u{7f}é");
}

#[test]
fn a_style_is_taken_back_behind_its_text() {
    assert_eq!(styled("text", BAD), "\u{1b}[31mtext\u{1b}[0m");
    assert_eq!(styled("text", USUAL), "text");
    assert_eq!(styled("", BAD), "");
}

#[test]
fn durations_have_their_two_largest_units() {
    for (seconds, words) in [
        (-5.0, "0 s"),
        (0.4, "0 s"),
        (59.6, "1 min 0 s"),
        (61.0, "1 min 1 s"),
        (600.0, "10 min"),
        (3599.0, "59 min"),
        (7500.0, "2 h 5 min"),
        (90_000.0, "1 day 1 h"),
        (266_400.0, "3 days 2 h"),
    ] {
        assert_eq!(duration(seconds), words, "{seconds}");
    }
}

#[test]
fn times_of_other_days_have_a_date() {
    assert_eq!(clock().time("2026-11-21T11:59:07.123456Z"), "11:59:07");
    assert_eq!(clock().time("2026-11-20T23:59:07Z"), "2026-11-20 23:59:07");
    assert_eq!(clock().time("yesterday\n"), "yesterday\\n");
    assert_eq!(clock().age("2026-11-21T11:59:07Z").as_deref(), Some("53 s"));
    assert_eq!(clock().age("yesterday"), None);
}
