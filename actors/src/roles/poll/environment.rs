//! What every poll operation of a daemon shares.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, PoisonError};

use lvmwarden_supervisor::process::Processes;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::foundation::activity::Activity;
use crate::foundation::facts::events::Events;
use crate::foundation::kernel::Kernel;
use crate::foundation::kernel::watchlist::Watchlist;
use crate::foundation::moment::Moment;
use crate::roles::poll::operation::orphans::Orphans;
use crate::roles::poll::operation::state::{Mode, Stop};
use crate::roles::poll::operation::turns::TurnKeeper;

/// What every poll operation of a daemon shares.
pub struct PollEnvironment {
    /// The lvm binary that is started as `lvpoll`.
    pub binary: PathBuf,
    /// Which daemon this is, for its children's environment: the path of the socket that it serves.
    pub instance: PathBuf,
    /// Where the children's output goes, two files an operation.
    pub output_dir: PathBuf,
    /// The environment that children inherit.
    pub inherited: BTreeMap<OsString, OsString>,
    /// Where children run; `None`: where the daemon does.
    pub directory: Option<PathBuf>,
    /// lvpoll is started with `-vvvv`.
    pub verbose: bool,
    /// Who watches copies: lvpoll, or the daemon.
    pub mode: Mode,
    /// Whose copies the daemon watches.
    pub watchlist: Watchlist,
    /// What becomes of running children when the daemon ends in order; it may be said anew until then.
    pub on_stop: Mutex<Stop>,
    /// Starts and adopts children.
    pub processes: Arc<dyn Processes>,
    /// Looks at device-mapper.
    pub kernel: Arc<dyn Kernel>,
    /// Lets so many children be started at once.
    pub starts: Semaphore,
    /// Children of an earlier C daemon that nobody has asked about yet.
    pub orphans: Orphans,
    /// Who needs the daemon.
    pub activity: Activity,
    /// Whose turn it is to go on to the next segment.
    pub turns: TurnKeeper,
    /// Is told what happens to operations.
    pub events: Events,
    /// How often lvpoll looks where a client does not say; it may be changed at any time.
    pub default_interval_seconds: AtomicU32,
    /// When the daemon started: the origin of every [`Moment`].
    pub started: Instant,
}

impl PollEnvironment {
    /// Returns the time since the daemon started.
    pub fn now(&self) -> Moment {
        self.started.elapsed()
    }

    /// Returns what becomes of running children now that the daemon ends.
    pub fn on_stop(&self) -> Stop {
        *self.on_stop.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says anew what becomes of running children when the daemon ends.
    pub fn set_on_stop(&self, on_stop: Stop) {
        *self.on_stop.lock().unwrap_or_else(PoisonError::into_inner) = on_stop;
    }

    /// Returns the instant of a moment.
    pub fn instant(&self, moment: Moment) -> Instant {
        self.started + moment
    }
}

/// How many children are started at once.
pub const STARTS_AT_ONCE: usize = 4;
