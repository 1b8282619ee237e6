//! Operations that nobody polls, found in LVM's own metadata and taken up.
//!
//! A pvmove, a conversion or a merge is in the metadata before anybody polls it, and stays there when all who did are
//! gone: after a crash of the host, a lost run directory, or an activation that did not ask for polling.
//!
//! ```text
//!                     lvs, once           process table, device-mapper, journal
//!  start, after boot,    │                              │
//!  SIGHUP, a client ──▶ look ──▶ report (pure) ──▶ plan (pure) ──▶ Directory::start, so many at once
//!                        ▲                              ▲
//!                        │ another process has ended    │ one of them has ended: room for the next
//! ```
//!
//! 1. `look` runs lvs within a deadline, through the supervisor's one place that starts processes.
//! 2. `report` reads what it prints: which LVs are in the middle of something, named as lvm names them to lvmpolld.
//! 3. `survey` adds what else there is to know, of which `foreign` tells which processes of the host poll without the
//!    daemon; `plan` decides about each LV.
//! 4. `work` has it done, and waits for the next occasion; `schedule` says when that comes by itself.
//!
//! Clients are served meanwhile: nobody waits for this actor but who asks it. It keeps nothing that must survive it: a
//! fresh one looks again, and knows from the journal which of the operations in progress were found by one before it.

mod actor;
mod foreign;
mod look;
pub mod plan;
pub mod report;
pub mod schedule;
mod survey;
mod work;

use tokio::sync::Notify;

pub use actor::{DEADLINE, Reconcile, Reconciler};
pub use foreign::{Stranger, WorksOn};

use plan::Policy;

/// What is said to have asked for an operation that was found in LVM's metadata.
pub const ASKED_BY: &str = "lvmwardend (found in LVM's metadata)";

/// How the service reconciles.
#[derive(Debug)]
pub struct Reconciling {
    /// What the administrator wants.
    pub policy: Policy,
    wanted: Notify,
}

impl Reconciling {
    /// Makes it; nothing is wanted yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self { policy, wanted: Notify::new() }
    }

    /// Has the metadata looked at again soon; waits for nothing.
    pub fn look_again(&self) {
        self.wanted.notify_one();
    }
}
