//! An lvpoll that waits in the kernel and cannot be interrupted: since when, and for what. Pure.

use std::time::Duration;

use jiff::Timestamp;
use lvmwarden_supervisor::process::Blocked;

use crate::foundation::moment::Moment;

/// How long such a wait lasts before it is worth a word: every read of a disk is one.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// What an lvpoll waits for, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// Since when, as far as was seen.
    pub since: Timestamp,
    /// For what.
    pub blocked: Blocked,
}

/// What was seen of a child, look by look.
#[derive(Debug, Clone, Default)]
pub(super) struct Looks {
    /// What it waits for, since when by a clock that cannot be set, and whether that was told.
    waiting: Option<(Stuck, Moment, bool)>,
}

/// What is new.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    /// It has waited for long.
    Stuck(Stuck),
    /// It waits no more.
    Free,
}

impl Looks {
    /// Takes note of what it waits for `now`, and returns what is worth telling; `wall` is for people.
    pub(super) fn saw(&mut self, blocked: Option<Blocked>, now: Moment, wall: Timestamp) -> Option<News> {
        let Some(blocked) = blocked else {
            let (_, _, was_told) = self.waiting.take()?;
            return was_told.then_some(News::Free);
        };
        let (stuck, since, is_told) =
            self.waiting.get_or_insert((Stuck { since: wall, blocked }, now, false));
        let is_long = now.saturating_sub(*since) >= PATIENCE;
        if *is_told || !is_long {
            return None;
        }
        *is_told = true;
        Some(News::Stuck(stuck.clone()))
    }

    /// Returns what it has waited for long.
    pub(super) fn stuck(&self) -> Option<&Stuck> {
        self.waiting.as_ref().filter(|(_, _, is_told)| *is_told).map(|(stuck, _, _)| stuck)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked() -> Blocked {
        Blocked { wait_point: Some("io_schedule".to_owned()), device: Some("/dev/vda".into()) }
    }

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::UNIX_EPOCH + Duration::from_millis(1_000_000 + milliseconds)
    }

    /// Looks at a child by two clocks that go alike.
    fn look(looks: &mut Looks, blocked: Option<Blocked>, milliseconds: u64) -> Option<News> {
        looks.saw(blocked, Duration::from_millis(milliseconds), at(milliseconds))
    }

    #[test]
    fn a_long_wait_is_told_once_and_its_end_as_well() {
        let mut looks = Looks::default();
        assert_eq!(look(&mut looks, Some(blocked()), 0), None);
        assert_eq!(look(&mut looks, Some(blocked()), 2999), None);
        assert_eq!(looks.stuck(), None);
        let stuck = Stuck { since: at(0), blocked: blocked() };
        assert_eq!(look(&mut looks, Some(blocked()), 3000), Some(News::Stuck(stuck.clone())));
        assert_eq!(look(&mut looks, Some(blocked()), 9000), None);
        assert_eq!(looks.stuck(), Some(&stuck));
        assert_eq!(look(&mut looks, None, 9001), Some(News::Free));
        assert_eq!((look(&mut looks, None, 9002), looks.stuck()), (None, None));
    }

    #[test]
    fn short_waits_are_nothing() {
        let mut looks = Looks::default();
        for round in 0..10 {
            assert_eq!(look(&mut looks, Some(blocked()), round * 2000), None);
            assert_eq!(look(&mut looks, None, round * 2000 + 1000), None);
        }
    }

    #[test]
    fn a_clock_that_is_set_makes_no_wait_long() {
        let (mut looks, moment) = (Looks::default(), Duration::from_millis(10));
        assert_eq!(looks.saw(Some(blocked()), moment, at(3_600_000)), None);
        for wall in [at(0), at(7_200_000)] {
            assert_eq!(looks.saw(Some(blocked()), 2 * moment, wall), None);
        }
    }
}
