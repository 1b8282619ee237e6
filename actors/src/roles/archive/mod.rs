//! The archive janitor: keeps the copies of metadata in `/etc/lvm/archive` within bounds.
//!
//! lvm writes a copy before each change of a VG, removes those that are older than `backup/retain_days`, and bounds
//! neither their number nor their size. Each change reads the whole directory: once there are 100,000 files, every
//! command that changes something takes seconds.
//!
//! A pass, in order of events:
//!
//! ```text
//!  actor          every period, or for a client            one pass at a time, also across restarts of the actor; dry runs
//!                                                          have a bound of their own
//!    ├─ archive   lists the directory                      on a thread for blocking calls, with a deadline
//!    ├─ journal   which VGs have an operation in progress,
//!    ├─ kernel    and in which it copies for somebody else
//!    ├─ clock     whether ages can be believed
//!    ├─ whole     which of the newest copies are good      for VGs that are over a bound
//!    ├─ plan      what goes, and why
//!    └─ archive   removes it                               unless it is a dry run
//! ```
//!
//! Both are asked after the listing: an operation that begins later writes copies that are not on the list, and
//! what is not on the list is not removed. A pass that is killed has removed some of what it would have removed; the next
//! one removes the rest. There is no other state.
//!
//! The directory may lie on a disk that hangs. Then one thread waits there for the pass, and one for each dry run that there
//! may be ([`DRY_RUNS`]); further ones are refused, and nothing else of the daemon notices. A dry run never holds up a pass.
//!
//! | file | is |
//! |---|---|
//! | `file_name.rs` | which names are copies (pure) |
//! | `whole.rs` | which copies are good (pure) |
//! | `plan.rs` | what goes (pure) |
//! | `clock.rs` | whether the wall clock can be believed |
//! | `archive.rs` | the directory |
//! | `pass.rs` | one pass |
//! | `memory.rs` | what is remembered of passes, for whoever asks |
//! | `actor.rs` | when there is a pass |

pub mod actor;
pub mod api;
pub mod clock;
mod file_name;
mod files;
mod memory;
mod pass;
pub mod plan;
pub mod role;
mod whole;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::api::archive::Limits;

use crate::foundation::admission::{Quota, Shares};
use crate::foundation::facts::events::Events;
use crate::foundation::kernel::Kernel;
use memory::Memory;

pub use memory::{LastPass, Seen};
pub use pass::{DryRunError, PassError, Report, VgReport};

/// How many dry runs there may be at once: each holds a thread while the disk does not answer. One of each user, and one
/// more of root.
pub const DRY_RUNS: Shares = Shares { all: 3 };
/// There is one pass at a time, and only the daemon itself and root begin one.
const PASSES: Shares = Shares { all: 1 };

/// What the janitor is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// It removes something; otherwise it only tells what it would remove.
    pub enabled: bool,
    /// The directory of the archive.
    pub directory: PathBuf,
    /// What is kept.
    pub limits: Limits,
    /// The time from the end of one pass to the next.
    pub period: Duration,
}

/// What every instance of the janitor shares, and its clients.
pub struct ArchiveEnvironment {
    /// What it is to do.
    pub settings: Settings,
    /// Tells what is being copied, whoever asked for it.
    pub kernel: Arc<dyn Kernel>,
    /// Tells whether the wall clock can be believed; never waits.
    pub is_clock_synchronised: fn() -> bool,
    /// Is told what it did.
    pub events: Events,
    /// What is remembered of its passes.
    pub memory: Memory,
    /// Has room for one pass.
    lane: Quota,
    /// Has room for dry runs, which hold no pass up.
    dry_runs: Quota,
}

impl ArchiveEnvironment {
    /// Makes it before the first pass; `is_clock_synchronised` is [`clock::is_synchronised`], or what a test says.
    pub fn new(
        settings: Settings,
        kernel: Arc<dyn Kernel>,
        is_clock_synchronised: fn() -> bool,
        events: Events,
    ) -> Self {
        let (memory, lane, dry_runs) = (Memory::default(), Quota::default(), Quota::default());
        Self { settings, kernel, is_clock_synchronised, events, memory, lane, dry_runs }
    }

    /// Returns whether a pass is under way.
    pub fn is_at_work(&self) -> bool {
        self.lane.all() > 0
    }
}
