//! Names for operations: UUIDs of version 7, which sort by time.
//!
//! Every request brings a name, should its operation be new; hardly any is used. So they must be cheap: randomness is
//! asked of the kernel once, and a counter makes the names differ.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use uuid::{Builder, Uuid};

/// How many random bytes a UUID of version 7 has.
const RANDOM_BYTES: usize = 10;

/// Returns when an operation was given its name, which is when it was asked for; the epoch for a name of another kind.
pub(crate) fn begun_at(op: Uuid) -> Timestamp {
    let since_epoch = op.get_timestamp().and_then(|named| {
        let (seconds, nanoseconds) = named.to_unix();
        Timestamp::new(seconds.try_into().ok()?, nanoseconds.try_into().ok()?).ok()
    });
    since_epoch.unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Makes names that no other daemon, and no other life of this one, makes. Clones share the counter.
#[derive(Debug, Clone)]
pub(super) struct OpNames {
    random: u128,
    counter: Arc<AtomicU64>,
}

impl OpNames {
    /// Asks the kernel for randomness.
    #[must_use]
    pub(super) fn new() -> Self {
        Self { random: Uuid::new_v4().as_u128(), counter: Arc::default() }
    }

    /// Returns the next name.
    pub(super) fn next(&self) -> Uuid {
        let count = self.counter.fetch_add(1, Ordering::Relaxed);
        let mixed = (self.random ^ u128::from(count)).to_be_bytes();
        let mut random = [0; RANDOM_BYTES];
        random.copy_from_slice(&mixed[mixed.len() - RANDOM_BYTES..]);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Milliseconds do not exceed 64 bits for half a billion years.
        let millis = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

impl Default for OpNames {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use jiff::Timestamp;
    use uuid::Uuid;

    use super::{OpNames, begun_at};
    use crate::foundation::wall_clock::elapsed;

    #[test]
    fn a_name_tells_when_it_was_given() {
        for op in [OpNames::new().next(), Uuid::now_v7()] {
            let age = elapsed(begun_at(op), Timestamp::now());
            assert!(age.is_some_and(|age| age.as_secs() < 60), "{age:?}");
        }
        assert_eq!(begun_at(Uuid::from_u128(7)), Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn names_differ_also_from_those_of_another_life() {
        let lives = [OpNames::new(), OpNames::new()];
        let names: HashSet<_> = lives.iter().flat_map(|life| (0..1000).map(|_| life.next())).collect();
        assert_eq!(names.len(), 2000);
        assert!(names.iter().all(|name| name.get_version_num() == 7));
    }
}
