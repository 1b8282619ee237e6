//! What the lock role is made of, whoever plays it: the service or the stand-in for lvmlockd.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use lvmwarden_actors::foundation::activity::Activity;
use lvmwarden_actors::foundation::facts::events::Events;
use lvmwarden_actors::foundation::kernel::DeviceMapper;
use lvmwarden_actors::roles::lock::environment::{
    Book, Clients, Connections, Global, KillProgram, LockEnvironment, Managers, Memory, Requests, Starter,
    Tickets, Unsettled,
};
use lvmwarden_actors::roles::lock::global::GlobalRules;
use lvmwarden_actors::roles::lock::host_id::HostId;
use lvmwarden_actors::roles::lock::lock_manager::LockManager;
use lvmwarden_actors::roles::lock::lock_manager::dlm::{Cluster, DlmManager};
use lvmwarden_actors::roles::lock::lock_manager::sanlock::{SanlockManager, Settings};
use lvmwarden_actors::roles::lock::lock_manager::test::TestManager;
use lvmwarden_actors::roles::lock::session::Dumps;
use lvmwarden_protocol::lock::LockType;
use lvmwarden_protocol::lock::info::InfoFormat;
use slog::{Logger, warn};

use super::lock_dumps::LockDumps;

/// What is up to whoever plays the role.
pub(super) struct LockRole {
    /// No lock manager is asked.
    pub(super) test: bool,
    /// Which lock manager has the global lock, where that is said.
    pub(super) gl_type: Option<LockType>,
    /// This host's id in the lockspaces of sanlock, where a client says none.
    pub(super) host_id: HostId,
    /// How long a read or write of a lease may take, in seconds; 0: as long as sanlock thinks.
    pub(super) io_timeout_seconds: u32,
    /// What sanlock runs when the leases of a VG are lost.
    pub(super) kill_program: PathBuf,
    /// How long a request waits for clients of the same host; `None`: for ever.
    pub(super) local_wait: Option<Duration>,
    /// Where locks are remembered beyond the daemon's life.
    pub(super) memory: Memory,
    /// How lvm is run to start a lockspace, where clients can ask for that.
    pub(super) starter: Option<Starter>,
    /// Is told what happens.
    pub(super) events: Events,
}

impl LockRole {
    /// Returns what lockspaces work with. Must be called within the runtime.
    pub(super) fn environment(self) -> LockEnvironment {
        LockEnvironment {
            managers: managers(self.test, self.io_timeout_seconds, &self.kill_program),
            host_id: self.host_id,
            local_wait: self.local_wait,
            book: Book::default(),
            unsettled: Unsettled::default(),
            memory: self.memory,
            connections: Connections::default(),
            global: Global::new(GlobalRules::new(self.gl_type)),
            clients: Clients::default(),
            kill_program: KillProgram(self.kill_program),
            starter: self.starter,
            requests: Requests::default(),
            devices: Arc::new(DeviceMapper::default()),
            activity: Activity::new(),
            events: self.events,
            started: tokio::time::Instant::now(),
            tickets: Tickets::default(),
        }
    }
}

fn managers(test: bool, io_timeout_seconds: u32, kill_program: &Path) -> Managers {
    let device_folder = device_folder();
    if test {
        let pretend = |kind| Arc::new(TestManager::new(kind, &device_folder)) as Arc<dyn LockManager>;
        return Managers::new([LockType::Dlm, LockType::Sanlock].map(pretend), true);
    }
    let kill_program = kill_program.to_string_lossy().into_owned();
    let sanlock = Settings { device_folder, io_timeout_seconds, kill_program, ..Settings::default() };
    let all: [Arc<dyn LockManager>; 2] =
        [Arc::new(DlmManager::new(Cluster::default())), Arc::new(SanlockManager::new(sanlock))];
    Managers::new(all, false)
}

/// Returns where the nodes of device-mapper's devices are: `LVMWARDEN_DEVICE_FOLDER` gives a test other ones than the
/// host's.
fn device_folder() -> PathBuf {
    let folder = std::env::var_os("LVMWARDEN_DEVICE_FOLDER").filter(|folder| !folder.is_empty());
    folder.map_or_else(|| "/dev/mapper".into(), PathBuf::from)
}

/// Says what would go wrong if the leases of a VG were lost.
pub(super) async fn check(environment: &LockEnvironment, log: &Logger) {
    if let Some(problem) = environment.kill_program.problem().await {
        warn!(log, "nobody would deactivate a VG whose leases are lost"; "why" => problem,
              "next" => "locks are served; without it the watchdog resets the host: install lvm2-lockd, or set lock.kill_program");
    }
}

/// Returns where the adopt file is, as it is used.
pub(super) fn memory(adopt_file: Option<PathBuf>, journal: bool) -> Memory {
    let adopts = journal || adopt_file.is_some();
    let adopt_file = adopt_file.map(lvmwarden_actors::roles::lock::adopt_file::AdoptFile::at);
    Memory { journal, adopts, adopt_file }
}

impl Dumps for LockDumps {
    fn log(&self) -> Bytes {
        LockDumps::log(self)
    }

    fn format(&self) -> InfoFormat {
        self.format
    }

    fn send(&self, dump: Bytes) {
        LockDumps::send(self, dump);
    }
}
