//! An lvpoll that waits in the kernel and cannot be interrupted: since when, and for what. Pure.

use std::time::Duration;

use jiff::Timestamp;
use lvmwarden_supervisor::process::Blocked;

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
    /// What it waits for, and whether that was told.
    waiting: Option<(Stuck, bool)>,
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
    /// Takes note of what it waits for `now`, and returns what is worth telling.
    pub(super) fn saw(&mut self, blocked: Option<Blocked>, now: Timestamp) -> Option<News> {
        let Some(blocked) = blocked else {
            let (_, was_told) = self.waiting.take()?;
            return was_told.then_some(News::Free);
        };
        let (stuck, is_told) = self.waiting.get_or_insert((Stuck { since: now, blocked }, false));
        let is_long = now.duration_since(stuck.since).unsigned_abs() >= PATIENCE;
        if *is_told || !is_long {
            return None;
        }
        *is_told = true;
        Some(News::Stuck(stuck.clone()))
    }

    /// Returns what it has waited for long.
    pub(super) fn stuck(&self) -> Option<&Stuck> {
        self.waiting.as_ref().filter(|(_, is_told)| *is_told).map(|(stuck, _)| stuck)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked() -> Blocked {
        Blocked { wait_point: Some("io_schedule".to_owned()), device: Some("/dev/vda".into()) }
    }

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_000_000 + milliseconds).unwrap()
    }

    #[test]
    fn a_long_wait_is_told_once_and_its_end_as_well() {
        let mut looks = Looks::default();
        assert_eq!(looks.saw(Some(blocked()), at(0)), None);
        assert_eq!(looks.saw(Some(blocked()), at(2999)), None);
        assert_eq!(looks.stuck(), None);
        let stuck = Stuck { since: at(0), blocked: blocked() };
        assert_eq!(looks.saw(Some(blocked()), at(3000)), Some(News::Stuck(stuck.clone())));
        assert_eq!(looks.saw(Some(blocked()), at(9000)), None);
        assert_eq!(looks.stuck(), Some(&stuck));
        assert_eq!(looks.saw(None, at(9001)), Some(News::Free));
        assert_eq!((looks.saw(None, at(9002)), looks.stuck()), (None, None));
    }

    #[test]
    fn short_waits_are_nothing() {
        let mut looks = Looks::default();
        for round in 0..10 {
            assert_eq!(looks.saw(Some(blocked()), at(round * 2000)), None);
            assert_eq!(looks.saw(None, at(round * 2000 + 1000)), None);
        }
    }
}
