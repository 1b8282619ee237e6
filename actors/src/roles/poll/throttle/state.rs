//! What is wanted of a knob, and what a daemon does that finds it somehow: pure.
//!
//! ```text
//!           set                          give back
//!  free ─────────▶ held ◀──┐ set ──────────────────────▶ ending ──────▶ free
//!                   │      │                                │
//!                   └──────┘                                └─ after a crash, from the start
//! ```
//!
//! A knob has one of four values, seen from here: the wanted one, the one that it replaces, the original one, or one
//! that somebody else has set. `replaced` is what tells a write that a crash has prevented from somebody else's.
//!
//! | found at the start | held | ending |
//! |---|---|---|
//! | the wanted value | as it should be | the original is written |
//! | the replaced value: the write did not happen | the wanted one is written | the original is written, unless it is there |
//! | the original value | left: somebody has given it back | over |
//! | any other | left: it is somebody else's | over: it is somebody else's |
//!
//! "Replaced" and "original" are the same as long as it was set once; then replaced is what counts.

use serde::{Deserialize, Serialize};

/// What a knob is held at; all in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What was asked for.
    pub wanted_percent: u32,
    /// What it was before anybody asked.
    pub original_percent: u32,
    /// What it was before it was set last.
    pub replaced_percent: u32,
    /// It is being given back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_ending: bool,
}

/// What is done to a knob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It is set to this.
    To(u32),
    /// It is as it should be.
    Nothing,
    /// Somebody else has set it: it is left at this.
    SomebodyElses(u32),
}

impl Held {
    /// Returns what is to be held when a client wants `wanted`, and the knob is at `actual`; to be recorded first.
    pub fn set(before: Option<&Self>, wanted: u32, actual: u32) -> Self {
        let original = match before {
            Some(held) if held.is_own(actual) => held.original_percent,
            // Nobody held it, or somebody else has set it since: to them it is given back.
            Some(_) | None => actual,
        };
        Self {
            wanted_percent: wanted,
            original_percent: original,
            replaced_percent: actual,
            is_ending: false,
        }
    }

    /// Returns what is to be done so that the knob is held, or given back.
    pub fn turn(&self, actual: u32) -> Turn {
        let target = if self.is_ending { self.original_percent } else { self.wanted_percent };
        if actual == target {
            Turn::Nothing
        } else if self.is_own(actual) {
            Turn::To(target)
        } else {
            Turn::SomebodyElses(actual)
        }
    }

    /// Returns the same, being given back; to be recorded first.
    #[must_use]
    pub fn ending(self) -> Self {
        Self { is_ending: true, ..self }
    }

    /// Returns whether the knob is where the daemon has put it, or where it was just before.
    fn is_own(&self, actual: u32) -> bool {
        actual == self.wanted_percent || actual == self.replaced_percent
    }
}

#[cfg(test)]
mod tests;
