//! Copies made slower by the kernel's own knobs, of which there is one for each of its modules.

use serde::{Deserialize, Serialize};

/// Asks that copies on this host take at most so much of the time, in percent, 0 to 100. `None` gives the old value back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Throttle {
    /// Of all mirrors that are brought in sync: pvmoves and conversions.
    pub mirror_percent: Option<u32>,
    /// Of all old-style snapshots: merges, and copies on write.
    pub snapshot_percent: Option<u32>,
}

/// Asks how the knobs stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Throttling {}

/// How the knobs stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ThrottlingReply {
    /// All of them.
    pub knobs: Vec<ThrottleKnob>,
}

/// A knob of the kernel, which holds for every copy of one of its modules on this host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ThrottleKnob {
    /// `mirror` or `snapshot`.
    pub name: String,
    /// For which copies it holds, for people.
    pub scope: String,
    /// Its file.
    pub path: String,
    /// What was asked for; `None`: nothing, the knob is nobody's.
    pub wanted_percent: Option<u32>,
    /// What is given back in the end.
    pub original_percent: Option<u32>,
    /// What it is; `None`: it cannot be read, because its module is not loaded.
    pub actual_percent: Option<u32>,
}
