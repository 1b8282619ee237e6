//! A place in the history, from which it is told backwards: pure.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use crate::foundation::store::ledger::history::Timed;

/// Behind it lies what was told: of the steps of its time so many, the latest, and all that are later.
///
/// Written as `NANOSECOND:TOLD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    at: Timestamp,
    told: usize,
}

/// A text that is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("parse a place in the history")]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (at, told) = text.split_once(':').ok_or(NoPlace)?;
        let at = at.parse().ok().and_then(|nanosecond| Timestamp::from_nanosecond(nanosecond).ok());
        Ok(Self { at: at.ok_or(NoPlace)?, told: told.parse().map_err(|_| NoPlace)? })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.at.as_nanosecond(), self.told)
    }
}

impl Place {
    /// Returns the place before `told`, oldest first, which were told from `from` on; `None` where these are none.
    pub(crate) fn before<S: Timed>(told: &[S], from: Option<Self>) -> Option<Self> {
        let at = told.first()?.at();
        let earlier = from.filter(|from| from.at == at).map_or(0, |from| from.told);
        Some(Self { at, told: earlier + told.iter().take_while(|step| step.at() == at).count() })
    }

    /// Returns whether a step may lie before this place.
    pub(super) fn may_follow(&self, at: Timestamp) -> bool {
        at <= self.at
    }

    /// Returns how many steps may have been told that [`Self::may_follow`].
    pub(super) fn told(&self) -> usize {
        self.told
    }

    /// Leaves those of `steps`, oldest first, that lie before it.
    pub(super) fn cut<S: Timed>(&self, steps: &mut Vec<S>) {
        let earlier = steps.partition_point(|step| step.at() < self.at);
        let of_its_time = steps.partition_point(|step| step.at() <= self.at) - earlier;
        steps.truncate(earlier + of_its_time.saturating_sub(self.told));
    }
}

#[cfg(test)]
mod tests {
    use lvmwarden_protocol::poll::PollOperation;
    use uuid::Uuid;

    use super::*;
    use crate::foundation::store::ledger::history::{Step, What};

    fn steps(seconds: &[i64]) -> Vec<Step> {
        let step = |(number, second): (u128, &i64)| Step {
            at: Timestamp::from_second(*second).unwrap(),
            op: Uuid::from_u128(number),
            kind: PollOperation::Pvmove,
            abort: false,
            vgname: "vg".try_into().unwrap(),
            lvname: "lv".try_into().unwrap(),
            what: What::Recovered,
            asked: None,
        };
        (0..).zip(seconds).map(step).collect()
    }

    #[test]
    fn told_backwards_page_by_page_each_step_comes_once_also_where_many_are_of_one_time() {
        let all = steps(&[1, 2, 2, 2, 2, 3, 4, 4]);
        for page in 1..9 {
            let (mut told, mut from) = (Vec::new(), None);
            loop {
                let mut left = all.clone();
                if let Some(place) = from {
                    Place::cut(&place, &mut left);
                }
                let latest = left.split_off(left.len().saturating_sub(page));
                from = Place::before(&latest, from);
                told.splice(0..0, latest);
                if left.is_empty() {
                    break;
                }
            }
            assert_eq!(told, all, "pages of {page}");
        }
    }

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let place = Place::before(&steps(&[7, 7, 8]), None).unwrap();
        assert_eq!(place.to_string(), "7000000000:2");
        assert_eq!(place.to_string().parse(), Ok(place));
        for nonsense in ["", "7", ":", "7:-1", "x:1", "7:1:1"] {
            assert_eq!(nonsense.parse::<Place>(), Err(NoPlace), "{nonsense}");
        }
    }
}
