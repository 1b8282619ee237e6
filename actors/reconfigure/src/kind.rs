//! The kinds of changes, as data: what is done in which phase.

use serde::{Deserialize, Serialize};

/// What sort of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An LV grows to a number of extents.
    Resize,
    /// Devices are brought to what the metadata say.
    Refresh,
    /// An LV has another name.
    RenameLv,
    /// A VG has another name.
    RenameVg,
    /// LVs are activated, shared, on every host.
    Activate,
    /// LVs are deactivated on every host.
    Deactivate,
    /// Tags come and go.
    Tag,
    /// Devices become PVs of the VG.
    PvAdd,
}

/// What is done for a kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "a row of a table, each column of which is yes or no")]
pub struct Terms {
    /// It writes to the metadata: there is a gate, and doubt is decided by reading. Otherwise the coordinator's word decides
    /// among those who stay with it.
    pub writes: bool,
    /// I/O is held from PREPARE to the refresh, unless the proposal wishes otherwise.
    pub holds: bool,
    /// The global lock is taken before the VG's.
    pub needs_global: bool,
    /// PREPARE does something that ABANDON undoes.
    pub prepares: bool,
    /// COMMIT is followed by something on every concerned host.
    pub follows: bool,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Resize,
        Self::Refresh,
        Self::RenameLv,
        Self::RenameVg,
        Self::Activate,
        Self::Deactivate,
        Self::Tag,
        Self::PvAdd,
    ];

    /// Returns what is done for this kind, as long as the proposal has no wish about holding.
    pub fn terms(self) -> Terms {
        let [writes, holds, needs_global, prepares, follows] = match self {
            Self::Resize => [true, true, false, true, true],
            Self::Refresh => [false, false, false, false, true],
            Self::RenameLv => [true, false, false, false, true],
            Self::RenameVg => [true, false, true, true, true],
            Self::Activate | Self::Deactivate => [false, false, false, true, false],
            Self::Tag => [true, false, false, false, false],
            Self::PvAdd => [true, false, true, false, true],
        };
        Terms { writes, holds, needs_global, prepares, follows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_holds_also_prepares_and_is_followed_by_a_refresh() {
        for kind in Kind::ALL {
            let terms = kind.terms();
            assert!(!terms.holds || (terms.prepares && terms.follows && terms.writes), "{kind:?}");
        }
    }

    #[test]
    fn a_kind_that_writes_nothing_needs_no_global_lock() {
        for kind in Kind::ALL {
            let terms = kind.terms();
            assert!(terms.writes || !terms.needs_global, "{kind:?}");
        }
    }
}
