//! What the poll role is made of, whoever plays it: the service or the stand-in for lvmpolld.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};

use anyhow::{Context, anyhow, ensure};
use lvmwarden_actors::foundation::activity::Activity;
use lvmwarden_actors::foundation::facts::events::Events;
use lvmwarden_actors::foundation::kernel::DeviceMapper;
use lvmwarden_actors::foundation::kernel::watchlist::Watchlist;
use lvmwarden_actors::roles::poll::environment::PollEnvironment;
use lvmwarden_actors::roles::poll::operation::orphans::Orphans;
use lvmwarden_actors::roles::poll::operation::state::{Mode, Stop};
use lvmwarden_actors::roles::poll::operation::turns::{Rules, TurnKeeper};
use lvmwarden_supervisor::process::{OsProcesses, OsProcessesOptions};
use rustix::fs::{Access, access};
use tokio::sync::Semaphore;

use super::place::Place;

/// What systemd tells this process and is none of its children's business, and what would lead lvm astray.
const NOT_INHERITED: [&str; 8] = [
    "SD_ACTIVATION",
    "LISTEN_PID",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "LVM_SYSTEM_DIR",
];

/// What is up to whoever plays the role.
pub(super) struct PollRole {
    /// The lvm binary, as [`executable`] returned it.
    pub(super) binary: PathBuf,
    /// Where children run; `None`: where the daemon does.
    pub(super) directory: Option<PathBuf>,
    /// lvpoll is started with `-vvvv`.
    pub(super) verbose: bool,
    /// Who watches copies.
    pub(super) mode: Mode,
    /// What becomes of running children when the daemon ends in order.
    pub(super) on_stop: Stop,
    /// How many children are started at once.
    pub(super) starts_at_once: usize,
    /// How often lvpoll looks where a client does not say.
    pub(super) interval_seconds: u32,
    /// When copies may go on.
    pub(super) rules: Rules,
    /// Is told what happens.
    pub(super) events: Events,
}

impl PollRole {
    /// Returns what poll operations work with. Must be called within the runtime.
    pub(super) fn environment(self, place: &Place) -> PollEnvironment {
        PollEnvironment {
            binary: self.binary,
            instance: place.instance.clone(),
            output_dir: place.output.clone(),
            inherited: inherited_environment(),
            directory: self.directory,
            verbose: self.verbose,
            mode: self.mode,
            watchlist: Watchlist::default(),
            on_stop: Mutex::new(self.on_stop),
            processes: Arc::new(OsProcesses::new(process_options())),
            kernel: Arc::new(DeviceMapper::default()),
            starts: Semaphore::new(self.starts_at_once),
            orphans: Orphans::default(),
            activity: Activity::new(),
            turns: TurnKeeper::new(self.rules),
            events: self.events,
            default_interval_seconds: AtomicU32::new(self.interval_seconds),
            started: tokio::time::Instant::now(),
        }
    }
}

/// Returns the absolute path of the lvm binary: children may be started elsewhere.
///
/// # Errors
/// When it cannot be executed.
pub(super) fn executable(binary: &Path) -> anyhow::Result<PathBuf> {
    let binary = std::path::absolute(binary).context("cannot tell where the lvm binary is")?;
    may_be_run(&binary).map_err(|error| anyhow!("the lvm binary {error:#}"))?;
    Ok(binary)
}

/// Says why this cannot be run as a program.
///
/// # Errors
/// It is not there, or a directory, or may not be executed.
pub(super) fn may_be_run(program: &Path) -> anyhow::Result<()> {
    ensure!(!program.is_dir(), "{} is a directory", program.display());
    access(program, Access::EXEC_OK).with_context(|| format!("{} cannot be executed", program.display()))
}

/// `LVMWARDEN_READ_EXITS=0` makes a new kernel tell as little of other programs' children as an old one.
pub(super) fn process_options() -> OsProcessesOptions {
    let read_exit_of_strangers = std::env::var("LVMWARDEN_READ_EXITS").as_deref() != Ok("0");
    OsProcessesOptions { read_exit_of_strangers }
}

/// Returns what children inherit; their output is read, so it is in the C locale.
pub(super) fn inherited_environment() -> BTreeMap<OsString, OsString> {
    let mut environment: BTreeMap<_, _> = std::env::vars_os().collect();
    for name in NOT_INHERITED {
        environment.remove(std::ffi::OsStr::new(name));
    }
    environment.insert("LC_ALL".into(), "C".into());
    environment
}
