//! When a shortage begins and ends. Pure.
//!
//! A shortage begins when somebody is turned away for a reason, and ends when nobody was for [`QUIET`]: somebody who tries
//! again and again is told of twice, not each time.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::Refusal;

/// How long nobody must have been turned away.
const QUIET: Duration = Duration::from_secs(5);

/// The shortages of one door, by reason.
#[derive(Debug, Default)]
pub struct Shortages(BTreeMap<Refusal, Shortage>);

#[derive(Debug)]
struct Shortage {
    since: Instant,
    latest: Instant,
    turned_away: u64,
}

/// A shortage that is over.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    /// Why clients were turned away.
    pub why: Refusal,
    /// How many.
    pub turned_away: u64,
    /// From the first to the last of them.
    pub lasted: Duration,
}

impl Shortages {
    /// Notes that somebody was turned away; returns whether this is the begin of a shortage.
    pub fn turn_away(&mut self, why: Refusal, now: Instant) -> bool {
        let begins = !self.0.contains_key(&why);
        let shortage = self.0.entry(why).or_insert(Shortage { since: now, latest: now, turned_away: 0 });
        shortage.latest = now;
        shortage.turned_away += 1;
        begins
    }

    /// Returns when the next one may be over, if there is any.
    pub fn next_end(&self) -> Option<Instant> {
        self.0.values().map(|shortage| shortage.latest + QUIET).min()
    }

    /// Returns those that are over, and forgets them.
    pub fn end(&mut self, now: Instant) -> Vec<Ended> {
        let over = self.0.extract_if(.., |_, shortage| now >= shortage.latest + QUIET);
        over.map(|(why, Shortage { since, latest, turned_away })| Ended {
            why,
            turned_away,
            lasted: latest - since,
        })
        .collect()
    }
}
