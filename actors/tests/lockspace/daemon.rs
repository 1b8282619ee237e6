//! A lock daemon in this process.

use std::collections::BTreeSet;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use lvmwarden_actors::foundation::activity::Activity;
use lvmwarden_actors::foundation::door::DoorEnvironment;
use lvmwarden_actors::foundation::facts::events::Events;
use lvmwarden_actors::foundation::facts::metrics::Metrics;
use lvmwarden_actors::foundation::kernel::ActiveLvs;
use lvmwarden_actors::foundation::names;
use lvmwarden_actors::roles::lock::directory::{Directory, Question};
use lvmwarden_actors::roles::lock::environment::{
    Book, Clients, Connections, Global, KillProgram, LockEnvironment, Managers, Memory, Requests, Tickets,
    Unsettled,
};
use lvmwarden_actors::roles::lock::global::GlobalRules;
use lvmwarden_actors::roles::lock::host_id::HostId;
use lvmwarden_actors::roles::lock::lock_manager::test::TestManager;
use lvmwarden_actors::roles::lock::lock_manager::{LockManager, Resource};
use lvmwarden_actors::roles::lock::lockspace::ask::{Ask, Client, LockAsk, StartAsk};
use lvmwarden_actors::roles::lock::lockspace::event::Spec;
use lvmwarden_actors::roles::lock::metrics::LockMetrics;
use lvmwarden_actors::roles::lock::session::{Dumps, Lvmlockd};
use lvmwarden_actors::tree;
use lvmwarden_protocol::ids::Lvid;
use lvmwarden_protocol::lock::info::InfoFormat;
use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode};
use lvmwarden_supervisor::process::BoxFuture;
use lvmwarden_supervisor::{RestartChild, Root, Supervisor, start_root};
use slog::{Discard, Logger, o};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::timeout;

pub(crate) const SOON: Duration = Duration::from_secs(15);
pub(crate) const LV: &str = "yLXt7f-rD3N-8jLh-4UpG-kX3o-t0bA-Ze1r7q";

/// The LVs that are active; `None`: nobody can tell.
pub(crate) struct Lvs(pub(crate) Mutex<Option<BTreeSet<Lvid>>>);

impl ActiveLvs for Lvs {
    fn active_lvs(&self) -> BoxFuture<'static, Option<BTreeSet<Lvid>>> {
        let active = self.0.lock().unwrap().clone();
        Box::pin(async { active })
    }
}

struct NoDumps;

impl Dumps for NoDumps {
    fn log(&self) -> Bytes {
        Bytes::new()
    }

    fn format(&self) -> InfoFormat {
        InfoFormat::default()
    }

    fn send(&self, _dump: Bytes) {}
}

/// A lock daemon in this process.
pub(crate) struct Daemon {
    pub(crate) folder: TempDir,
    pub(crate) root: Root,
    pub(crate) environment: Arc<LockEnvironment>,
    pub(crate) directory: Directory,
    pub(crate) lvs: Arc<Lvs>,
}

impl Daemon {
    pub(crate) async fn start() -> Self {
        Self::with(Arc::new(TestManager::new(LockType::Dlm, "/nowhere")), true).await
    }

    pub(crate) async fn with(manager: Arc<dyn LockManager>, inline: bool) -> Self {
        Self::with_memory(manager, inline, Memory::default()).await
    }

    pub(crate) async fn with_memory(manager: Arc<dyn LockManager>, inline: bool, memory: Memory) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let metrics = Metrics::new();
        let lvs = Arc::new(Lvs(Mutex::new(Some(BTreeSet::new()))));
        let environment = Arc::new(LockEnvironment {
            managers: Managers::new([manager], inline),
            host_id: HostId::Number(0),
            local_wait: None,
            book: Book::default(),
            unsettled: Unsettled::default(),
            memory,
            connections: Connections::default(),
            global: Global::new(GlobalRules::new(Some(LockType::Dlm))),
            clients: Clients::default(),
            kill_program: KillProgram("/nowhere".into()),
            starter: None,
            requests: Requests::default(),
            devices: Arc::clone(&lvs) as _,
            activity: Activity::new(),
            events: Events::new(Arc::clone(&metrics), 100),
            started: tokio::time::Instant::now(),
            tickets: Tickets::default(),
        });
        let (gate, mut opened) = watch::channel(false);
        let protocol = Lvmlockd {
            lock: Arc::clone(&environment),
            dumps: Arc::new(NoDumps),
            quit: Arc::default(),
            metrics: LockMetrics::new(Arc::clone(&metrics)),
            wire: false,
        };
        let socket = UnixListener::bind(folder.path().join("socket")).unwrap();
        let door = DoorEnvironment::new(socket, gate.subscribe(), metrics, protocol);
        let spec = tree::lock_daemon(folder.path().join("journal"), &environment, &door, &gate);
        let root = start_root(spec, Logger::root(Discard, o!()));
        opened.wait_for(|open| *open).await.unwrap();
        let directory = Directory::new(root.registry(), Arc::clone(&environment));
        Self { folder, root, environment, directory, lvs }
    }

    pub(crate) fn client(&self) -> Arc<Client> {
        self.environment.clients.enter(1, None)
    }

    pub(crate) fn question(&self, client: &Arc<Client>) -> Question {
        let ticket = self.environment.tickets.next();
        Question { ticket, client: Arc::clone(client), lock_type: None }
    }

    pub(crate) async fn start_vg(&self, vg: &str) {
        self.start_vg_of(vg, LockType::Dlm).await;
    }

    pub(crate) async fn start_vg_of(&self, vg: &str, lock_type: LockType) {
        let spec = Spec {
            name: format!("lvm_{vg}").into(),
            vg: Some(vg.try_into().unwrap()),
            vg_uuid: None,
            args: "1.0.0:test".into(),
            lock_type,
            host_id: 1,
            local_wait: None,
        };
        let how = StartAsk { wait: true, ..StartAsk::default() };
        let reply = self.directory.start(spec, how, &self.question(&self.client())).await;
        assert_eq!(reply.code, ResultCode::OK);
    }

    pub(crate) async fn lock(
        &self,
        client: &Arc<Client>,
        vg: &str,
        resource: Resource,
        mode: LockMode,
    ) -> ResultCode {
        let persistent = matches!(resource, Resource::Lv(_));
        let ask = LockAsk { persistent, ..LockAsk::new(resource, Some(mode)) };
        let asked = self.question(client).with(Ask::Lock(ask));
        let name = format!("lvm_{vg}");
        timeout(SOON, self.directory.ask(&name, asked))
            .await
            .expect("an answer in time")
            .expect("the VG is started")
            .code
    }

    pub(crate) async fn mode_of(&self, vg: &str, resource: Resource) -> Option<LockMode> {
        let asked = self.question(&self.client()).with(Ask::Query(resource));
        self.directory.ask(&format!("lvm_{vg}"), asked).await.expect("the VG is started").mode
    }

    pub(crate) async fn restart(&self, vg: &str) {
        let restart = RestartChild(format!("lvm_{vg}"));
        let registry = self.root.registry();
        registry.ask::<Supervisor, _>(&names::LOCKSPACES, restart, SOON).await.unwrap().unwrap();
    }
}

pub(crate) fn run(test: impl Future<Output = ()>) {
    actix_rt::System::new().block_on(test);
}

pub(crate) fn lv() -> Resource {
    Resource::Lv(LV.try_into().unwrap())
}
