//! A daemon for one test, whose children, kernel and predecessors the test plays.

use std::collections::{BTreeMap, VecDeque};
use std::fs;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_rt::System;
use lvmwarden_actors::foundation::activity::Activity;
use lvmwarden_actors::foundation::door::DoorEnvironment;
use lvmwarden_actors::foundation::facts::events::Events;
use lvmwarden_actors::foundation::facts::metrics::Metrics;
use lvmwarden_actors::foundation::kernel::Kernel;
use lvmwarden_actors::foundation::kernel::Verdict;
use lvmwarden_actors::foundation::kernel::copying::{Copied, Due, Fault, Look, Situation, Subject};
use lvmwarden_actors::foundation::kernel::foreign::SeenCopy;
use lvmwarden_actors::foundation::kernel::watchlist::Watchlist;
use lvmwarden_actors::roles::poll::environment::{PollEnvironment, STARTS_AT_ONCE};
use lvmwarden_actors::roles::poll::operation::directory::Directory;
use lvmwarden_actors::roles::poll::operation::messages::Description;
use lvmwarden_actors::roles::poll::operation::orphans::Orphans;
use lvmwarden_actors::roles::poll::operation::outcome::Outcome;
use lvmwarden_actors::roles::poll::operation::state::{Mode, Progress, StartAnswer, Stop};
use lvmwarden_actors::roles::poll::operation::turns::TurnKeeper;
use lvmwarden_actors::roles::poll::session::Lvmpolld;
use lvmwarden_actors::tree;
use lvmwarden_protocol::ids::{LvName, Lvid, VgName};
use lvmwarden_protocol::poll::{PollOperation, StartRequest};
use lvmwarden_supervisor::process::{BoxFuture, FakeProcesses, ProcessExit, Spawned};
use lvmwarden_supervisor::{Root, StopReport, TreeNode, start_root};
use slog::{Discard, Logger, o};
use tempfile::TempDir;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

/// No test takes nearly as long, even on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// Who asks for everything.
pub(crate) const UID: Option<u32> = Some(1000);
pub(crate) const OK: Outcome = Outcome::Retcode(0);
pub(crate) const BINARY: &str = "/usr/sbin/lvm";

/// Runs a test on a runtime as the daemon's, with a deadline.
#[track_caller]
pub(crate) fn run(test: impl Future<Output = ()>) {
    let done = System::new().block_on(async { timeout(DEADLINE, test).await });
    done.expect("the test passed its deadline");
}

/// Waits until `look` sees `expected`, and says what it saw last if that does not come.
#[track_caller]
pub(crate) fn eventually<T: PartialEq + std::fmt::Debug>(
    expected: T,
    look: impl AsyncFn() -> T,
) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let give_up = Instant::now() + DEADLINE / 3;
        loop {
            let seen = look().await;
            if seen == expected {
                return;
            }
            assert!(Instant::now() < give_up, "{caller}: {seen:?} is not {expected:?}");
            sleep(Duration::from_millis(5)).await;
        }
    }
}

/// A request for the LV `lvid`.
pub(crate) fn pvmove(lvid: &str) -> StartRequest {
    StartRequest {
        kind: PollOperation::Pvmove,
        abort: false,
        handle_missing_pvs: false,
        lvid: lvid.try_into().unwrap(),
        vgname: "vg".try_into().unwrap(),
        lvname: "pvmove0".try_into().unwrap(),
        interval: "1".try_into().unwrap(),
        sysdir: None,
        devicesfile: None,
        cmdline: None,
    }
}

/// A device-mapper that says what it is told to; otherwise it cannot tell.
#[derive(Default)]
pub(crate) struct FakeKernel {
    pub(crate) verdicts: Mutex<VecDeque<Verdict>>,
    pub(crate) lvid: Mutex<Option<Lvid>>,
    pub(crate) look: Mutex<Option<Look>>,
    /// How often it was looked at.
    pub(crate) looks: AtomicUsize,
    /// It would say so if something happened.
    pub(crate) tells: AtomicBool,
}

impl FakeKernel {
    /// Shows that the first of two segments is copied.
    pub(crate) fn show_end_of_segment(&self) {
        let copied = Copied { left_bytes: 512, total_bytes: Some(1024), segment: 1, segments: 2 };
        let situation = Situation::Due(Due::Copied);
        *self.look.lock().unwrap() =
            Some(Look { situation, copied: Some(copied), devices: vec!["8:0".to_owned()], faults: vec![] });
    }

    /// Shows this of everything, from now on.
    pub(crate) fn show(&self, situation: Situation) {
        *self.look.lock().unwrap() = Some(Look { situation, copied: None, devices: vec![], faults: vec![] });
    }

    /// Shows a copy whose disk `/dev/sda` could not be read everywhere.
    pub(crate) fn show_read_errors(&self) {
        let situation = Situation::Due(Due::Failed { words: "SA".to_owned() });
        let fault = Fault { device: "/dev/sda".to_owned(), is_source: true, letter: 'S' };
        *self.look.lock().unwrap() =
            Some(Look { situation, copied: None, devices: vec![], faults: vec![fault] });
    }
}

impl Kernel for FakeKernel {
    fn judge(&self, _: PollOperation, _: Lvid) -> BoxFuture<'static, Verdict> {
        let verdict = self.verdicts.lock().unwrap().pop_front();
        Box::pin(async move { verdict.unwrap_or(Verdict::Unknown) })
    }

    fn look(&self, subjects: Vec<Subject>) -> BoxFuture<'static, Vec<Look>> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        let look = self.look.lock().unwrap().clone().unwrap_or_else(|| Look::unclear("nothing is shown"));
        Box::pin(async move { vec![look; subjects.len()] })
    }

    fn happening(&self) -> Option<BoxFuture<'static, ()>> {
        self.tells.load(Ordering::Relaxed).then(|| Box::pin(std::future::pending()) as BoxFuture<_>)
    }

    fn copies(&self) -> BoxFuture<'static, Option<Vec<SeenCopy>>> {
        Box::pin(async { None })
    }

    fn lvid_of(&self, _: VgName, _: LvName) -> BoxFuture<'static, Option<Lvid>> {
        let lvid = self.lvid.lock().unwrap().clone();
        Box::pin(async move { lvid })
    }
}

/// What outlives a daemon: its run directory, its children and the kernel.
pub(crate) struct Host {
    directory: TempDir,
    pub(crate) processes: FakeProcesses,
    pub(crate) kernel: Arc<FakeKernel>,
    pub(crate) mode: Mode,
    pub(crate) turns: TurnKeeper,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            processes: FakeProcesses::new(),
            kernel: Arc::default(),
            mode: Mode::Classic,
            turns: TurnKeeper::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The socket, which is the daemon's name for its children.
    pub(crate) fn instance(&self) -> PathBuf {
        self.path("socket")
    }

    /// Starts a daemon, and returns when it would serve clients.
    pub(crate) async fn start(&self, on_stop: Stop) -> Daemon {
        let _ = fs::remove_file(self.instance());
        fs::create_dir_all(self.path("output")).unwrap();
        let (gate, mut opened) = watch::channel(false);
        let environment = Arc::new(self.environment(on_stop));
        let metrics = Metrics::new();
        let protocol =
            Lvmpolld { poll: Arc::clone(&environment), metrics: Arc::clone(&metrics), wire: false };
        let socket = UnixListener::bind(self.instance()).unwrap();
        let door = DoorEnvironment::new(socket, gate.subscribe(), metrics, protocol);
        let spec = tree::poll_daemon(self.path("journal"), &environment, &door, &gate);
        let root = start_root(spec, Logger::root(Discard, o!()));
        opened.wait_for(|open| *open).await.unwrap();
        let directory = Directory::new(root.registry(), Arc::clone(&environment));
        Daemon { root, directory, environment }
    }

    fn environment(&self, on_stop: Stop) -> PollEnvironment {
        PollEnvironment {
            binary: Path::new(BINARY).to_owned(),
            instance: self.instance(),
            output_dir: self.path("output"),
            inherited: BTreeMap::new(),
            directory: None,
            verbose: false,
            mode: self.mode,
            watchlist: Watchlist::default(),
            on_stop: Mutex::new(on_stop),
            processes: Arc::new(self.processes.clone()),
            kernel: Arc::<FakeKernel>::clone(&self.kernel),
            starts: Semaphore::new(STARTS_AT_ONCE),
            turns: self.turns.clone(),
            orphans: Orphans::default(),
            activity: Activity::new(),
            events: Events::new(Metrics::new(), 100),
            default_interval_seconds: AtomicU32::new(15),
            started: Instant::now(),
        }
    }

    /// Waits for the `count`th child and returns its pid.
    pub(crate) async fn child(&self, count: usize) -> u32 {
        self.processes.spawned_at_least(count).await[count - 1].identity.pid
    }

    /// Returns how many children were started for the LV `lvid`.
    pub(crate) fn children_of(&self, lvid: &str) -> usize {
        let is_for = |spawned: &&Spawned| {
            spawned.command.environment.iter().any(|(name, value)| name == "LVMWARDEN_LVID" && value == lvid)
        };
        self.processes.spawned().iter().filter(is_for).count()
    }

    /// Has a child write a line to its stdout.
    pub(crate) fn writes(&self, pid: u32, line: &str) {
        let spawned = self.processes.spawned();
        let child = spawned.iter().find(|spawned| spawned.identity.pid == pid).expect("it was started");
        fs::write(&child.command.stdout, format!("{line}\n")).unwrap();
    }

    pub(crate) fn end(&self, pid: u32, exit: ProcessExit) {
        self.processes.end(pid, exit);
    }
}

/// A running daemon. Dropping it is a `kill -9`.
pub(crate) struct Daemon {
    pub(crate) root: Root,
    pub(crate) directory: Directory,
    pub(crate) environment: Arc<PollEnvironment>,
}

impl Daemon {
    pub(crate) async fn start(&self, request: &StartRequest) -> StartAnswer {
        self.directory.start(request.clone(), UID).await
    }

    /// Starts an operation, or asks for one that goes on, and returns its name.
    pub(crate) async fn begin(&self, request: &StartRequest) -> Uuid {
        match self.start(request).await {
            StartAnswer::Ok { op, .. } => op,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn collect(&self, request: &StartRequest) -> Progress {
        self.directory.collect(&request.id()).await.unwrap()
    }

    /// Waits for the result and collects it.
    pub(crate) async fn result(&self, request: &StartRequest) -> Outcome {
        loop {
            match self.collect(request).await {
                Progress::InProgress => sleep(Duration::from_millis(5)).await,
                Progress::Ended(outcome) => return outcome,
                Progress::NotFound => panic!("nobody knows of {}", request.id()),
            }
        }
    }

    /// Waits until the child `pid` is the recorded one.
    pub(crate) async fn follows(&self, request: &StartRequest, pid: u32) {
        eventually(Some(pid), async || self.description(request).await?.pid).await;
    }

    pub(crate) async fn description(&self, request: &StartRequest) -> Option<Description> {
        let id = request.id();
        self.directory.describe().await.into_iter().find(|description| description.id == id)
    }

    /// Returns what the supervisor of the operations knows of the actor of `request`.
    pub(crate) async fn actor(&self, request: &StartRequest) -> Option<TreeNode> {
        let mut node = self.root.tree(DEADLINE).await.unwrap();
        for id in ["poll", "operations", &request.id().to_string()] {
            node = node.children.into_iter().find(|child| child.name.last() == id)?;
        }
        Some(node)
    }

    pub(crate) async fn stop(self) -> StopReport {
        self.root.stop(DEADLINE).await
    }
}
