//! Texts made harmless, times and durations.

use super::*;
use crate::cli::samples::clock;

#[test]
fn an_output_keeps_its_lines_and_styles_and_nothing_else_that_acts() {
    let styled = format!("{}\n{}\n", styled("é", BAD), styled("b", BOLD));
    assert_eq!(harmless(&styled), styled);
    for (text, expected) in [
        ("\u{1b}[2Jvg", "\\u{1b}[2Jvg"),
        ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
        ("\u{1b}[31", "\\u{1b}[31"),
        ("a\rb\u{9b}1A\u{202e}\n", "a\\rb\\u{9b}1A\\u{202e}\n"),
    ] {
        assert_eq!(harmless(text), expected);
    }
}

#[test]
fn json_means_the_same_and_reaches_no_terminal_raw() {
    let name = "vg\u{1b}[2J\n\u{7f}\u{9b}\u{202e}é";
    let line = harmless_json(&serde_json::to_string(name).unwrap());
    assert!(!line.contains(acts), "{line:?}");
    assert_eq!(serde_json::from_str::<String>(&line).unwrap(), name);
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
    assert_eq!(
        clock().age("2026-11-21T12:00:01Z").as_deref(),
        Some("an unknown time"),
        "the clock was set back"
    );
}
