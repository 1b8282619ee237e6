//! How many clients a door has room for, and which descriptors are kept for others.
//!
//! ```text
//!  0 ─────────────────────────────────────────────────────────────────────────── the limit of open files
//!  │ what every door may use                                 │ lvm's doors, root │ kept: children, journal, locks │
//!                                                             5/8                 7/8
//! ```
//!
//! A new descriptor has the lowest number that is free: what has a number `n` says that at least `n` are open, whoever has
//! opened them. So a reserve holds also when children and lock managers need more descriptors than anybody has foreseen.

use super::{Asker, Excess, Occupancy, Shares};

/// The most clients of the API: no more reads than these can wait at the journal, which has a longer queue.
const MOST_API_CLIENTS: usize = 2000;
/// The most readers of metrics: each is gone after seconds.
const MOST_METRICS_READERS: usize = 64;
/// However few descriptors there are, each door is for this many.
const FEWEST: usize = 4;

/// Whom a door is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entrance {
    /// LVM commands: what they wait for is why there is a daemon.
    Lvm,
    /// Clients of the JSON API.
    Api,
    /// Readers of metrics.
    Metrics,
}

/// The room for one client of a door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// How many clients the door has room for.
    pub shares: Shares,
    /// The first descriptor that is kept for others.
    pub kept_from: usize,
}

impl Room {
    /// Returns the room for `asker` at an entrance, where so many files may be open.
    pub fn of(entrance: Entrance, asker: Asker, open_files: usize) -> Self {
        let all = match entrance {
            Entrance::Lvm => open_files / 4,
            Entrance::Api => (open_files / 16 * 3).min(MOST_API_CLIENTS),
            Entrance::Metrics => (open_files / 16).min(MOST_METRICS_READERS),
        };
        let eighth = open_files / 8;
        let kept_from = match (entrance, asker) {
            (Entrance::Lvm, _) | (Entrance::Api, Asker::Root) => 7 * eighth,
            (Entrance::Api, Asker::User(_) | Asker::Unknown) | (Entrance::Metrics, _) => 5 * eighth,
        };
        Self { shares: Shares { all: all.max(FEWEST) }, kept_from }
    }
}

/// Why a client is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refusal {
    /// A user, or all together, have as many connections as they may.
    #[error("{}", in_words(*.0))]
    Excess(Excess),
    /// What is left is kept for LVM commands, for starting programs and for the journal.
    #[error("the descriptors that are left are kept")]
    Kept,
    /// The kernel gives the daemon no connection.
    #[error("the system refuses the daemon further connections")]
    System,
}

fn in_words(excess: Excess) -> String {
    match excess {
        Excess::Yours { uid } => format!("user {uid} has as many connections as one user may"),
        Excess::Others => "all users but root have as many connections as they may".to_owned(),
        Excess::All => "there are as many connections as there may be".to_owned(),
    }
}

impl Refusal {
    /// Returns a word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Excess(Excess::Yours { .. }) => "user",
            Self::Excess(Excess::Others) => "users",
            Self::Excess(Excess::All) => "all",
            Self::Kept => "kept",
            Self::System => "system",
        }
    }
}

/// Tells whether `asker`, whose connection has this descriptor, may come in.
///
/// # Errors
/// Why not.
pub fn verdict(room: Room, occupancy: &Occupancy, asker: Asker, descriptor: usize) -> Result<(), Refusal> {
    occupancy.admits(room.shares, asker).map_err(Refusal::Excess)?;
    if descriptor >= room.kept_from { Err(Refusal::Kept) } else { Ok(()) }
}
