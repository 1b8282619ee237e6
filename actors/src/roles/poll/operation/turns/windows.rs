//! Times of the day at which copies may go on: pure.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Time;
use thiserror::Error;

/// The seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// A part of every day, such as `22:00-06:00`; it may contain midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Its first minute.
    pub from: Time,
    /// The minute behind its last.
    pub to: Time,
}

/// A text that is no window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("two different times of the day, such as \"22:00-06:00\"")]
pub struct BadWindow;

impl Window {
    /// Returns whether `time` is in the window.
    pub fn contains(&self, time: Time) -> bool {
        if self.from < self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        }
    }

    /// Returns for how long a clock that shows `time` runs until the window begins, 0 to a day.
    pub fn seconds_until_it_opens(&self, time: Time) -> i64 {
        (seconds(self.from) - seconds(time)).rem_euclid(DAY)
    }
}

fn seconds(time: Time) -> i64 {
    i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second())
}

impl FromStr for Window {
    type Err = BadWindow;

    fn from_str(text: &str) -> Result<Self, BadWindow> {
        let (from, to) = text.split_once('-').ok_or(BadWindow)?;
        let (from, to) = (minute(from).ok_or(BadWindow)?, minute(to).ok_or(BadWindow)?);
        if from == to { Err(BadWindow) } else { Ok(Self { from, to }) }
    }
}

/// Reads `HH:MM`.
fn minute(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str| {
        let is_two_digits = digits.len() == 2 && digits.bytes().all(|digit| digit.is_ascii_digit());
        digits.parse().ok().filter(|_| is_two_digits)
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.hour(), from.minute(), to.hour(), to.minute())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::*;

    fn window(text: &str) -> Window {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_is_a_part_of_the_day_which_may_contain_midnight() {
        for (text, inside, outside) in [
            ("08:00-18:30", [(8, 0), (12, 0), (18, 29)], [(7, 59), (18, 30), (0, 0)]),
            ("22:00-06:00", [(22, 0), (0, 0), (5, 59)], [(21, 59), (6, 0), (12, 0)]),
            ("00:00-00:01", [(0, 0), (0, 0), (0, 0)], [(0, 1), (12, 0), (23, 59)]),
        ] {
            let window = window(text);
            assert_eq!(window.to_string(), text);
            for (hour, minute) in inside {
                assert!(window.contains(time(hour, minute, 59, 0)), "{hour}:{minute} in {text}");
            }
            for (hour, minute) in outside {
                assert!(!window.contains(time(hour, minute, 0, 0)), "{hour}:{minute} in {text}");
            }
        }
    }

    #[test]
    fn it_opens_within_a_day() {
        let window = window("22:00-06:00");
        for (now, seconds) in
            [(time(21, 59, 30, 0), 30), (time(22, 0, 0, 0), 0), (time(23, 0, 0, 0), 23 * 3600)]
        {
            assert_eq!(window.seconds_until_it_opens(now), seconds);
        }
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for text in
            ["", "22:00", "22-06", "24:00-06:00", "22:60-06:00", "1:00-2:00", "22:00-22:00", "+1:00-02:00"]
        {
            assert_eq!(text.parse::<Window>(), Err(BadWindow), "{text}");
        }
    }
}
