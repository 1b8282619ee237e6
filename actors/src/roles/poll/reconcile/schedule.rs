//! When LVM's metadata is looked at again by itself: pure.
//!
//! Once at the start is enough on a host that has been up for a while. After a boot volume groups appear one by one, and
//! some are activated without polling (by an initramfs, as for the root file system): then it is looked again, at
//! growing intervals. So it is where a look could not be made, and where an LV was left to another process.

use std::time::Duration;

/// For how long after a boot volume groups may appear.
pub const BOOT: Duration = Duration::from_mins(10);
/// The time from the first look to the second; it doubles with each further one.
pub const FIRST_INTERVAL: Duration = Duration::from_secs(10);
/// The longest time between two looks.
pub const LONGEST_INTERVAL: Duration = Duration::from_mins(5);
/// How often in a row a look may fail before nobody tries any more.
pub const FAILURES: u32 = 8;

/// How a look went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// There is nothing to wait for.
    Settled,
    /// An LV was left to another process.
    Held,
    /// It could not be made.
    Failed,
}

/// The looks so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Schedule {
    looks: u32,
    failures: u32,
}

impl Schedule {
    /// Takes note of a look, `uptime` after the boot, and returns after which time it is to be looked again.
    pub fn looked(&mut self, looked: Looked, uptime: Duration) -> Option<Duration> {
        let factor = 1_u32.checked_shl(self.looks).unwrap_or(u32::MAX);
        let interval = FIRST_INTERVAL.saturating_mul(factor).min(LONGEST_INTERVAL);
        self.looks += 1;
        self.failures = if looked == Looked::Failed { self.failures + 1 } else { 0 };
        let again = match looked {
            Looked::Settled => uptime < BOOT,
            Looked::Held => true,
            Looked::Failed => self.failures < FAILURES,
        };
        again.then_some(interval)
    }
}

/// Reads how long the host has been up: the first number of `/proc/uptime`, in seconds. Source: proc(5).
pub fn parse_uptime(text: &str) -> Option<Duration> {
    let seconds: f64 = text.split_ascii_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG_AGO: Duration = Duration::from_hours(100);

    #[test]
    fn once_is_enough_on_a_host_that_has_been_up_for_a_while() {
        assert_eq!(Schedule::default().looked(Looked::Settled, LONG_AGO), None);
    }

    #[test]
    fn after_a_boot_it_is_looked_again_at_growing_intervals_and_then_no_more() {
        let (mut schedule, mut uptime, mut intervals) =
            (Schedule::default(), Duration::from_secs(20), vec![]);
        while let Some(interval) = schedule.looked(Looked::Settled, uptime) {
            intervals.push(interval.as_secs());
            uptime += interval;
        }
        assert_eq!(intervals, [10, 20, 40, 80, 160, 300]);
    }

    #[test]
    fn a_look_that_fails_is_made_again_but_not_for_ever() {
        let mut schedule = Schedule::default();
        let again = |schedule: &mut Schedule| schedule.looked(Looked::Failed, LONG_AGO).is_some();
        assert!((1..FAILURES).all(|_| again(&mut schedule)));
        assert!(!again(&mut schedule));
    }

    #[test]
    fn what_is_left_to_others_is_looked_after_for_as_long_as_it_takes() {
        let mut schedule = Schedule::default();
        for _ in 0..100 {
            assert!(schedule.looked(Looked::Held, LONG_AGO).is_some_and(|pause| pause <= LONGEST_INTERVAL));
        }
    }

    #[test]
    fn the_uptime_is_the_first_number() {
        assert_eq!(parse_uptime("350735.47 234388.90\n"), Some(Duration::from_secs_f64(350_735.47)));
        for text in ["", "long", "-1 2"] {
            assert_eq!(parse_uptime(text), None, "{text}");
        }
    }
}
