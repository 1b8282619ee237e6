//! A service that finds in LVM's metadata what nobody polls: whom it has polled, when, and whom it leaves alone.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_rt::System;
use lvmwarden_actors::foundation::activity::Activity;
use lvmwarden_actors::foundation::facts::events::Events;
use lvmwarden_actors::foundation::facts::metrics::Metrics;
use lvmwarden_actors::foundation::kernel::Kernel;
use lvmwarden_actors::foundation::kernel::Verdict;
use lvmwarden_actors::foundation::kernel::copying::{Due, Look, Situation, Subject};
use lvmwarden_actors::foundation::kernel::foreign::SeenCopy;
use lvmwarden_actors::foundation::kernel::watchlist::Watchlist;
use lvmwarden_actors::foundation::names;
use lvmwarden_actors::roles::archive::{ArchiveEnvironment, Settings};
use lvmwarden_actors::roles::poll::environment::PollEnvironment;
use lvmwarden_actors::roles::poll::operation::orphans::Orphans;
use lvmwarden_actors::roles::poll::operation::state::{Mode, Stop};
use lvmwarden_actors::roles::poll::operation::turns::TurnKeeper;
use lvmwarden_actors::roles::poll::reconcile::plan::Policy;
use lvmwarden_actors::roles::poll::reconcile::{Reconcile, Reconciler, Reconciling};
use lvmwarden_actors::roles::poll::throttle::Knobs;
use lvmwarden_actors::roles::{archive, poll};
use lvmwarden_actors::service::access::Access;
use lvmwarden_actors::service::{BadLevel, Control, ServiceEnvironment, ServiceInfo};
use lvmwarden_actors::tree::{self, ServiceTree};
use lvmwarden_protocol::api::archive::Limits;
use lvmwarden_protocol::api::poll::{Standing, UnfinishedLv};
use lvmwarden_protocol::ids::{LvName, Lvid, VgName};
use lvmwarden_protocol::poll::PollOperation;
use lvmwarden_supervisor::process::{
    BoxFuture, FakeProcesses, FoundProcess, ProcessExit, ProcessIdentity, Spawned, Stdout,
};
use lvmwarden_supervisor::{Root, start_root};
use slog::{Discard, Logger, o};
use tempfile::TempDir;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout};

/// No test takes nearly as long, even on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);
const DONE: ProcessExit = ProcessExit::Code(0);
/// What lvs says: `pvmove0` is moved, `orig` is merged, `thin` is merged, `three` is converted; in this order.
const FOUR: &str = include_str!("fixtures/lvs-2.03.16/four-unfinished.json");
const NOTHING: &str = r#"{"report":[{"lv":[]}]}"#;

/// Shows what it is told to of the LVs that are looked at, and otherwise cannot tell.
#[derive(Default)]
struct FakeKernel {
    /// Those that have no device.
    inactive: Mutex<Vec<PollOperation>>,
}

impl Kernel for FakeKernel {
    fn judge(&self, _: PollOperation, _: Lvid) -> BoxFuture<'static, Verdict> {
        Box::pin(async { Verdict::Over })
    }

    fn look(&self, subjects: Vec<Subject>) -> BoxFuture<'static, Vec<Look>> {
        let inactive = self.inactive.lock().unwrap().clone();
        let look = move |subject: Subject| {
            let is_inactive = inactive.contains(&subject.operation);
            let situation = if is_inactive { Situation::Due(Due::Gone) } else { Situation::Copying };
            Look { situation, copied: None, devices: Vec::new(), faults: Vec::new() }
        };
        Box::pin(async { subjects.into_iter().map(look).collect() })
    }

    fn copies(&self) -> BoxFuture<'static, Option<Vec<SeenCopy>>> {
        Box::pin(async { None })
    }

    fn lvid_of(&self, _: VgName, _: LvName) -> BoxFuture<'static, Option<Lvid>> {
        Box::pin(async { None })
    }

    fn happening(&self) -> Option<BoxFuture<'static, ()>> {
        None
    }
}

struct NoControl;

impl Control for NoControl {
    fn set_log_level(&self, _: &str) -> Result<(), BadLevel> {
        Ok(())
    }

    fn stop(&self, _: bool) {}

    fn log_lines_dropped(&self) -> u64 {
        0
    }
}

/// What outlives a service.
struct Host {
    directory: TempDir,
    processes: FakeProcesses,
    kernel: Arc<FakeKernel>,
}

/// A running service; dropping it is a `kill -9`.
struct Service {
    root: Root,
    environment: Arc<ServiceEnvironment>,
    reconcile: Arc<Reconciling>,
}

impl Host {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory, processes: FakeProcesses::new(), kernel: Arc::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Starts a service, and returns when it serves clients.
    async fn start(&self, policy: Policy) -> Service {
        fs::create_dir_all(self.path("output")).unwrap();
        let _ = fs::remove_file(self.path("api"));
        let (metrics, (gate, mut opened)) = (Metrics::new(), watch::channel(false));
        let events = Events::new(Arc::clone(&metrics), 100);
        let info = ServiceInfo {
            version: "0.1.0".to_owned(),
            started_at: "2026-11-21T10:00:00Z".parse().unwrap(),
            instance: "/run/x".to_owned(),
            roles: vec!["poll".to_owned()],
        };
        let limits = Limits { files_per_vg: 1, bytes_per_vg: 1, age_days: 1, keep_newest: 1 };
        let (directory, period) = (self.path("archive"), Duration::from_hours(1));
        let janitor = Settings { enabled: false, directory, limits, period };
        let reconcile = Arc::new(Reconciling::new(policy));
        let _ = fs::remove_file(self.path("socket"));
        let poll = poll::role::Served {
            environment: Arc::new(self.poll(events.clone())),
            knobs: Knobs::new(self.path("sys")),
            reconcile: Some(Arc::clone(&reconcile)),
            socket: UnixListener::bind(self.path("socket")).unwrap(),
            wire: false,
        };
        let archive =
            ArchiveEnvironment::new(janitor, Arc::<FakeKernel>::clone(&self.kernel), || true, events.clone());
        let environment = Arc::new(ServiceEnvironment {
            info,
            control: Arc::new(NoControl),
            events,
            metrics,
            access: Access { group: None },
            roles: vec![
                Arc::new(poll::role::Poll { served: Some(poll) }),
                Arc::new(archive::role::Archive { environment: Arc::new(archive) }),
            ],
            history: None,
        });
        let tree = ServiceTree {
            journal_dir: self.path("journal"),
            gate,
            environment: Arc::clone(&environment),
            api: UnixListener::bind(self.path("api")).unwrap(),
            metrics: None,
        };
        let root = start_root(tree::service(tree).unwrap(), Logger::root(Discard, o!()));
        opened.wait_for(|open| *open).await.unwrap();
        Service { root, environment, reconcile }
    }

    fn poll(&self, events: Events) -> PollEnvironment {
        PollEnvironment {
            binary: "/usr/sbin/lvm".into(),
            instance: self.path("socket"),
            output_dir: self.path("output"),
            inherited: BTreeMap::new(),
            directory: None,
            verbose: false,
            mode: Mode::Classic,
            watchlist: Watchlist::default(),
            on_stop: Mutex::new(Stop::LeaveChild),
            processes: Arc::new(self.processes.clone()),
            kernel: Arc::<FakeKernel>::clone(&self.kernel),
            starts: Semaphore::new(4),
            turns: TurnKeeper::default(),
            orphans: Orphans::default(),
            activity: Activity::new(),
            events,
            default_interval_seconds: AtomicU32::new(7),
            started: Instant::now(),
        }
    }

    /// Waits for the `count`th process of all.
    async fn process(&self, count: usize) -> Spawned {
        self.processes.spawned_at_least(count).await.swap_remove(count - 1)
    }

    /// Lets the `count`th process, which must be lvs, print this and end.
    async fn lvs_prints(&self, count: usize, report: &str, exit: ProcessExit) {
        let Spawned { identity, command } = self.process(count).await;
        assert_eq!(command.arguments[0], "lvs");
        fs::write(command.stdout, report).unwrap();
        fs::write(command.stderr, "  a complaint\n").unwrap();
        self.processes.end(identity.pid, exit);
    }

    /// Waits for the `count`th process, which must be lvpoll, and returns its pid and what it polls.
    async fn lvpoll(&self, count: usize) -> (u32, String) {
        let Spawned { identity, command } = self.process(count).await;
        let words: Vec<_> = command.arguments.iter().map(|word| word.to_str().unwrap()).collect();
        (identity.pid, words.join(" "))
    }
}

impl Service {
    async fn reconcile(&self, dry_run: bool) -> Result<Vec<UnfinishedLv>, String> {
        let question = Reconcile { dry_run };
        let answer = self.root.registry().ask::<Reconciler, _>(&names::RECONCILE, question, DEADLINE).await;
        answer.unwrap()
    }

    /// Returns subject and next step of each LV that was told to be found.
    fn found(&self) -> Vec<(String, String)> {
        let events = self.environment.events.recent(None).into_iter();
        let found = events.filter(|event| event.kind == "poll.found");
        found.map(|event| (event.subject, event.fields["next"].clone())).collect()
    }
}

fn resume(at_once: usize) -> Policy {
    Policy { resume: true, at_once }
}

fn lvpoll(operation: &str, lv: &str) -> String {
    format!("lvpoll --interval 7 --handlemissingpvs --polloperation {operation} vg/{lv} -An")
}

fn standings(found: &[UnfinishedLv]) -> Vec<Standing> {
    found.iter().map(|lv| lv.standing).collect()
}

#[track_caller]
fn run(test: impl Future<Output = ()>) {
    let done = System::new().block_on(async { timeout(DEADLINE, test).await });
    done.expect("the test passed its deadline");
}

#[test]
fn what_nobody_polls_is_polled_a_few_at_a_time() {
    run(async {
        let host = Host::new();
        let service = host.start(resume(2)).await;
        host.lvs_prints(1, FOUR, DONE).await;

        let (first, second) = (host.lvpoll(2).await, host.lvpoll(3).await);
        let mut both = [first.1, second.1];
        both.sort();
        assert_eq!(both, [lvpoll("merge", "orig"), lvpoll("pvmove", "pvmove0")]);
        let told = service.found();
        let next: Vec<_> = told.iter().map(|(_, next)| next.as_str()).collect();
        let waits = "poll it when there is room";
        assert_eq!(next, ["poll it", "poll it", waits, waits]);
        assert_eq!(host.processes.spawned().len(), 3);

        // The end of each makes room for one.
        host.processes.end(first.0, DONE);
        assert_eq!(host.lvpoll(4).await.1, lvpoll("merge_thin", "thin"));
        host.processes.end(second.0, DONE);
        assert_eq!(host.lvpoll(5).await.1, lvpoll("convert", "three"));
        assert_eq!(service.found(), told, "each is told once");
    });
}

#[test]
fn a_daemon_that_comes_back_counts_what_the_one_before_it_had_found() {
    run(async {
        let host = Host::new();
        let service = host.start(resume(2)).await;
        host.lvs_prints(1, FOUR, DONE).await;
        host.lvpoll(3).await;
        drop(service);

        let service = host.start(resume(2)).await;
        host.lvs_prints(4, FOUR, DONE).await;
        let asked = service.reconcile(true);
        let (found, ()) = tokio::join!(asked, host.lvs_prints(5, FOUR, DONE));
        let expected = [Standing::Polled, Standing::Polled, Standing::Reported, Standing::Reported];
        assert_eq!(standings(&found.unwrap()), expected);
        assert_eq!(host.processes.spawned().len(), 5, "nothing but lvs");
    });
}

#[test]
fn a_daemon_that_only_reports_polls_nothing() {
    run(async {
        let host = Host::new();
        let service = host.start(Policy { resume: false, at_once: 2 }).await;
        host.lvs_prints(1, NOTHING, DONE).await;
        let (found, ()) = tokio::join!(service.reconcile(false), host.lvs_prints(2, FOUR, DONE));
        assert_eq!(standings(&found.unwrap()), [Standing::Reported; 4]);
        let subjects: Vec<_> = service.found().into_iter().map(|(subject, _)| subject).collect();
        assert_eq!(subjects, ["vg/pvmove0", "vg/orig", "vg/thin", "vg/three"]);
        assert_eq!(host.processes.spawned().len(), 2, "nothing but lvs");
    });
}

#[test]
fn what_another_process_polls_is_left_alone_until_it_has_ended() {
    run(async {
        let host = Host::new();
        let service = host.start(resume(9)).await;
        host.lvs_prints(1, NOTHING, DONE).await;
        let stranger: ProcessIdentity = host.processes.unused_identity();
        let command_line = ["(lvm2)", "-b"].map(Into::into).to_vec();
        host.processes.add_stranger(FoundProcess::of_a_test(stranger.clone(), command_line, Stdout::Other));
        let (found, ()) = tokio::join!(service.reconcile(false), host.lvs_prints(2, FOUR, DONE));
        let found = found.unwrap();
        assert_eq!(standings(&found), [Standing::Foreign; 4]);
        assert_eq!((found[0].pid, found[0].detail.as_deref()), (Some(stranger.pid), Some("(lvm2) -b")));

        host.processes.end(stranger.pid, DONE);
        let (found, ()) = tokio::join!(service.reconcile(false), host.lvs_prints(3, FOUR, DONE));
        assert_eq!(standings(&found.unwrap()), [Standing::Resumed; 4]);
    });
}

#[test]
fn what_has_no_device_on_this_host_is_left_alone() {
    run(async {
        let host = Host::new();
        *host.kernel.inactive.lock().unwrap() = PollOperation::ALL.to_vec();
        let service = host.start(resume(9)).await;
        host.lvs_prints(1, FOUR, DONE).await;
        let (found, ()) = tokio::join!(service.reconcile(false), host.lvs_prints(2, FOUR, DONE));
        assert_eq!(standings(&found.unwrap()), [Standing::Inactive; 4]);
        assert_eq!((service.found().len(), host.processes.spawned().len()), (0, 2));
    });
}

#[test]
fn what_ended_without_being_over_is_tried_again_only_when_somebody_asks() {
    run(async {
        let host = Host::new();
        let service = host.start(resume(1)).await;
        host.lvs_prints(1, FOUR, DONE).await;
        // Each fails at once: a merge that became invalid, as it were.
        for count in 2..=5 {
            let (pid, _) = host.lvpoll(count).await;
            host.processes.end(pid, ProcessExit::Code(5));
        }
        service.reconcile.look_again();
        host.lvs_prints(6, FOUR, DONE).await;
        // On SIGHUP they are tried once more.
        let (pid, words) = host.lvpoll(7).await;
        assert_eq!(words, lvpoll("pvmove", "pvmove0"));
        host.processes.end(pid, ProcessExit::Code(5));
    });
}

#[test]
fn why_there_is_no_answer_is_told() {
    run(async {
        let host = Host::new();
        let service = host.start(resume(1)).await;
        host.lvs_prints(1, NOTHING, DONE).await;
        for (count, report, exit, reason) in [
            (2, "  garbage", DONE, "understand the report of lvs"),
            (3, "", ProcessExit::Code(5), "run lvs: it ended with exit code 5: a complaint"),
            (4, "", ProcessExit::Signal(11), "run lvs: it ended with signal 11: a complaint"),
        ] {
            let (answer, ()) = tokio::join!(service.reconcile(false), host.lvs_prints(count, report, exit));
            let told = answer.unwrap_err();
            assert!(told.starts_with(reason), "{told}");
        }
        // What it could read although it complains is believed.
        let (answer, ()) =
            tokio::join!(service.reconcile(true), host.lvs_prints(5, FOUR, ProcessExit::Code(5)));
        assert_eq!(standings(&answer.unwrap()), [Standing::Reported; 4]);
    });
}
