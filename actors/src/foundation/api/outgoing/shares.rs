//! How many bytes each user may keep, of those that there are for all: pure.

use std::collections::HashMap;

/// What the replies to root may be together, and again those to everybody else.
const ALL_BYTES: usize = 16 * 1024 * 1024;
/// What the replies to one user may be together who is not root.
pub(crate) const UID_BYTES: usize = 4 * 1024 * 1024;

/// What is taken.
#[derive(Debug, Default)]
pub(super) struct Shares {
    /// By user; who has taken nothing is not there.
    taken: HashMap<u32, usize>,
}

impl Shares {
    /// Takes so many bytes for a user, if there are.
    pub(super) fn take(&mut self, uid: u32, bytes: usize) -> bool {
        let of_this = self.of(uid) + bytes;
        let is_there = if uid == 0 {
            of_this <= ALL_BYTES
        } else {
            let of_all =
                self.taken.iter().filter(|(uid, _)| **uid != 0).map(|(_, taken)| taken).sum::<usize>();
            of_this <= UID_BYTES && of_all + bytes <= ALL_BYTES
        };
        if is_there {
            self.change(uid, 0, bytes);
        }
        is_there
    }

    /// Takes `after` instead of `before`, without asking whether there are so many.
    pub(super) fn change(&mut self, uid: u32, before: usize, after: usize) {
        match self.of(uid) + after - before {
            0 => drop(self.taken.remove(&uid)),
            taken => drop(self.taken.insert(uid, taken)),
        }
    }

    pub(super) fn of(&self, uid: u32) -> usize {
        self.taken.get(&uid).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_share_all_others_have_one_together_and_root_has_its_own() {
        let mut shares = Shares::default();
        for uid in 1..5 {
            assert!(shares.take(uid, UID_BYTES));
            assert!(!shares.take(uid, 1), "{uid} has taken its share");
        }
        assert!(!shares.take(5, 1), "nothing is left for any other");
        assert!(shares.take(0, ALL_BYTES));
        assert!(!shares.take(0, 1));
        shares.change(4, UID_BYTES, 0);
        assert!(shares.take(5, UID_BYTES));
    }

    #[test]
    fn what_is_given_back_is_forgotten() {
        let mut shares = Shares::default();
        assert!(shares.take(7, 100));
        shares.change(7, 100, 2 * UID_BYTES);
        assert!(!shares.take(7, 1), "a reply may turn out larger than a page");
        shares.change(7, 2 * UID_BYTES, 0);
        assert!(shares.taken.is_empty());
    }
}
