//! What is done about each LV that is in the middle of something: pure.
//!
//! The first of these that holds, for each LV in the report's order:
//!
//! 1. An operation of the daemon works on it: it is polled.
//! 2. A process that is not the daemon's polls it, or may: it is left alone until that has ended.
//! 3. Its device is not there, or does something else: there is nothing to poll on this host.
//! 4. It was started here in this life of the daemon, and has ended: it is not tried over and over.
//! 5. Nobody polls it. It is polled, as long as fewer than so many of these are in progress at once; otherwise it
//!    waits for one of them to end. Where the daemon only reports, it is told of.

use std::collections::HashSet;

use lvmwarden_protocol::ids::Lvid;
use uuid::Uuid;

use super::foreign::Stranger;
use super::report::Unfinished;

/// What the administrator wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// What nobody polls is polled; otherwise it is only told of.
    pub resume: bool,
    /// So many of what was found here are in progress at most.
    pub at_once: usize,
}

/// An operation of the daemon that is in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InProgress {
    /// Its name.
    pub op: Uuid,
    /// The LV that it works on.
    pub lvid: Lvid,
    /// It was started because it was found in LVM's metadata.
    pub was_found: bool,
}

/// What is known at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What the metadata says, and whether the LV's device is at it.
    pub unfinished: &'a [(Unfinished, bool)],
    /// What the daemon does.
    pub in_progress: &'a [InProgress],
    /// Who else may poll.
    pub strangers: &'a [Stranger],
    /// What was started here in this life of the daemon.
    pub tried: &'a HashSet<Lvid>,
}

/// How it stands with an LV, and so what is done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// An operation of the daemon works on it.
    Polled {
        /// The operation.
        op: Uuid,
    },
    /// Another process polls it, or may: it is left alone.
    Foreign(Stranger),
    /// Nothing happens to it on this host.
    Inactive,
    /// It was tried already.
    Tried,
    /// Nobody polls it: it is to be polled now.
    Resume,
    /// Nobody polls it: it is polled as soon as there is room.
    Waits,
    /// Nobody polls it, and that is told.
    Reported,
}

impl Standing {
    /// Returns what is done next about an LV that nobody polls, although somebody should; `None` for others.
    pub fn if_found(&self) -> Option<&'static str> {
        match self {
            Self::Resume => Some("poll it"),
            Self::Waits => Some("poll it when there is room"),
            Self::Reported => Some("only tell"),
            Self::Polled { .. } | Self::Foreign(_) | Self::Inactive | Self::Tried => None,
        }
    }
}

/// Decides how it stands with each LV of `seen.unfinished`, in the same order.
pub fn plan(seen: Seen<'_>, policy: Policy) -> Vec<Standing> {
    let under_way = seen.in_progress.iter().filter(|operation| operation.was_found).count();
    let mut room = policy.at_once.saturating_sub(under_way);
    let mut decide = |(unfinished, is_active): &(Unfinished, bool)| {
        if let Some(known) = seen.in_progress.iter().find(|known| known.lvid == unfinished.lvid) {
            return Standing::Polled { op: known.op };
        }
        if let Some(stranger) = seen.strangers.iter().find(|stranger| stranger.may_poll(unfinished)) {
            return Standing::Foreign(stranger.clone());
        }
        if !is_active {
            return Standing::Inactive;
        }
        if seen.tried.contains(&unfinished.lvid) {
            return Standing::Tried;
        }
        if !policy.resume {
            return Standing::Reported;
        }
        if room == 0 {
            return Standing::Waits;
        }
        room -= 1;
        Standing::Resume
    };
    seen.unfinished.iter().map(&mut decide).collect()
}

#[cfg(test)]
mod tests;
