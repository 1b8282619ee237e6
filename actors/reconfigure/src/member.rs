//! Members of the group.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One daemon in the group, as corosync names it.
///
/// A host that was paused comes back with the same node id and pid, and is nevertheless new to every change that ran when
/// it left: see [`crate::roll::Roll::leave`]. Ordered by node id, then pid: the lowest is a successor.
///
/// Source: seen with corosync 3.1.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Member {
    /// The node id, from corosync.conf; not 0.
    pub node: u32,
    /// The daemon's process id.
    pub pid: u32,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.node, self.pid)
    }
}

/// Which configuration of the group, as the member says that formed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ring {
    /// The node that formed it.
    pub node: u32,
    /// Its number; it rises.
    pub sequence: u64,
}
