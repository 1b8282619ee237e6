//! One bound, divided: root has a share of its own, and each other user at most half of the rest.

use std::collections::BTreeMap;

/// Who asks, as far as the kernel tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asker {
    /// User 0.
    Root,
    /// Another user, by number.
    User(u32),
    /// Somebody on this host: a TCP connection tells no user.
    Unknown,
}

impl Asker {
    /// Returns who has this number.
    pub fn of(uid: u32) -> Self {
        if uid == 0 { Self::Root } else { Self::User(uid) }
    }
}

/// How much there is, for all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// The bound.
    pub all: usize,
}

impl Shares {
    /// Returns how much there is for all but root: three quarters.
    pub fn others(self) -> usize {
        self.all - self.all.div_ceil(4)
    }

    /// Returns how much one user may have that is not root: half of that, so that one alone cannot take it all.
    pub fn each(self) -> usize {
        self.others().div_ceil(2)
    }
}

/// Why somebody gets no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Excess {
    /// This user has its share already.
    Yours {
        /// The user.
        uid: u32,
    },
    /// All users but root have all that is meant for them.
    Others,
    /// There is nothing left, not even for root.
    All,
}

/// Who has how much.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Occupancy {
    all: usize,
    /// Of all but root and those who are not known.
    others: usize,
    users: BTreeMap<u32, usize>,
}

impl Occupancy {
    /// Tells whether `asker` may have one more.
    ///
    /// # Errors
    /// Why not.
    pub fn admits(&self, shares: Shares, asker: Asker) -> Result<(), Excess> {
        if let Asker::User(uid) = asker {
            if self.users.get(&uid).is_some_and(|has| *has >= shares.each()) {
                return Err(Excess::Yours { uid });
            }
            if self.others >= shares.others() {
                return Err(Excess::Others);
            }
        }
        if self.all >= shares.all { Err(Excess::All) } else { Ok(()) }
    }

    /// Notes that `asker` has one more.
    pub fn enter(&mut self, asker: Asker) {
        self.all += 1;
        if let Asker::User(uid) = asker {
            self.others += 1;
            *self.users.entry(uid).or_default() += 1;
        }
    }

    /// Notes that `asker`, who has some, has one less.
    pub fn leave(&mut self, asker: Asker) {
        self.all -= 1;
        if let Asker::User(uid) = asker {
            self.others -= 1;
            if let Some(has) = self.users.get_mut(&uid) {
                *has -= 1;
            }
            self.users.retain(|_, has| *has > 0);
        }
    }

    /// Returns how much all have together.
    pub fn all(&self) -> usize {
        self.all
    }
}
