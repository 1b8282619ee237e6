//! The supervision trees: one function builds each.
//!
//! ```text
//! root                      one_for_one; too many restarts end the daemon with exit code 70
//! ├─ journal                the only writer of the run directory's journal
//! ├─ history                                (the service only)
//! │  └─ chronicler          copies what happens to the disk; given up alone if it keeps failing
//! ├─ poll                   rest_for_one: new operations have to be recovered
//! │  ├─ operations          one OperationActor per (poll|abort, full LV id); a failing one is given up alone
//! │  ├─ recovery            at start: what the journal and the process table know; then clients are served
//! │  ├─ kernel              reads device-mapper for all operations that are watched
//! │  ├─ throttle            turns the kernel's knobs that slow copies down (the service only)
//! │  └─ reconcile           finds in LVM's metadata what nobody polls   (the service only, where it is configured)
//! ├─ lock                   rest_for_one: new lockspaces have to be recovered    (the service where it is configured, lvmlockd)
//! │  ├─ lockspaces          one LockspaceActor per started VG, and dlm's global one; a failing one is given up alone
//! │  └─ recovery            at start: takes over what an earlier life has left behind; then clients are served
//! ├─ metadata               one_for_one                        (the service where it is configured, lvmetad)
//! │  └─ cached_vgs          one CachedVgActor per cached VG; a failing one is given up alone
//! ├─ archive                one_for_one; a failing janitor is given up alone            (the service only)
//! │  └─ janitor             keeps /etc/lvm/archive within bounds, where that is turned on
//! └─ doors                  one_for_one; each is a listener, and a task for each client
//!    ├─ lvmpolld            the poll protocol
//!    ├─ lvmlockd            the lock protocol  (the service where it is configured)
//!    ├─ lvmetad             the metadata protocol  (the service where it is configured)
//!    ├─ api                 the JSON API       (the service only)
//!    └─ metrics             for Prometheus     (the service only, where it is configured)
//! ```
//!
//! Children are started from top to bottom and stopped from bottom to top: clients first, then operations, and the
//! journal when nobody writes any more.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_supervisor::journal::JournalActor;
use lvmwarden_supervisor::{ChildSpec, OnExceeded, RestartType, Shutdown, Strategy, SupervisorSpec};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::foundation::door::{Door, DoorEnvironment, Protocol};
use crate::foundation::kernel::reader::Reader;
use crate::foundation::store::history::chronicler::{Chronicler, HistorySite};
use crate::foundation::store::ledger::PollLedger;
use crate::roles::archive::ArchiveEnvironment;
use crate::roles::archive::actor::Janitor;
use crate::roles::lock::environment::LockEnvironment;
use crate::roles::lock::recovery::LockRecovery;
use crate::roles::lock::session::Lvmlockd;
use crate::roles::metadata::session::Lvmetad;
use crate::roles::poll::environment::PollEnvironment;
use crate::roles::poll::reconcile::{Reconciler, Reconciling};
use crate::roles::poll::recovery::Recovery;
use crate::roles::poll::session::Lvmpolld;
use crate::roles::poll::throttle::Throttler;
use crate::service::ServiceEnvironment;
use crate::service::api::Api;
use crate::service::http::MetricsPage;

/// How often the actor of one operation may crash within a minute before it is given up.
const OPERATION_RESTARTS: u32 = 5;
/// How often the actor of one lockspace may crash within a minute before it is given up.
const LOCKSPACE_RESTARTS: u32 = 5;
/// How often the actor of one cached VG may crash within a minute before it is given up.
const CACHED_VG_RESTARTS: u32 = 5;
/// How long all roles may take to recover before the API is served nevertheless; systemd waits 60 s for READY.
const RECOVERY_PATIENCE: Duration = Duration::from_secs(45);
/// How long the clients' sessions have to end.
const DOOR_DEADLINE: Duration = Duration::from_millis(500);

/// Describes the whole tree of a daemon that serves the poll protocol and nothing else.
///
/// `gate` turns true when clients are served; `journal_dir` is where the journal is kept.
pub fn poll_daemon(
    journal_dir: PathBuf,
    poll: &Arc<PollEnvironment>,
    door: &Arc<DoorEnvironment<Lvmpolld>>,
    gate: &watch::Sender<bool>,
) -> SupervisorSpec {
    let doors = SupervisorSpec::new(Strategy::OneForOne).child(door_spec(door));
    SupervisorSpec::new(Strategy::OneForOne)
        .child(journal(journal_dir))
        .child(ChildSpec::supervisor("poll", poll_branch(poll, gate)))
        .child(ChildSpec::supervisor("doors", doors))
}

/// Describes the whole tree of a daemon that serves the lock protocol and nothing else.
///
/// `gate` turns true when clients are served; `journal_dir` is where the journal is kept.
pub fn lock_daemon(
    journal_dir: PathBuf,
    lock: &Arc<LockEnvironment>,
    door: &Arc<DoorEnvironment<Lvmlockd>>,
    gate: &watch::Sender<bool>,
) -> SupervisorSpec {
    let doors = SupervisorSpec::new(Strategy::OneForOne).child(door_spec(door));
    SupervisorSpec::new(Strategy::OneForOne)
        .child(journal(journal_dir))
        .child(ChildSpec::supervisor("lock", lock_branch(lock, gate)))
        .child(ChildSpec::supervisor("doors", doors))
}

/// Describes the whole tree of a daemon that serves the metadata protocol and nothing else; it remembers nothing.
pub fn metadata_daemon(door: &Arc<DoorEnvironment<Lvmetad>>) -> SupervisorSpec {
    let doors = SupervisorSpec::new(Strategy::OneForOne).child(door_spec(door));
    SupervisorSpec::new(Strategy::OneForOne)
        .child(ChildSpec::supervisor("metadata", metadata_branch()))
        .child(ChildSpec::supervisor("doors", doors))
}

/// What the tree of a service is made of.
pub struct ServiceTree {
    /// Where the journal is kept.
    pub journal_dir: PathBuf,
    /// Turns true when all roles have recovered: then the API is served.
    pub gate: watch::Sender<bool>,
    /// What the sessions share; its poll role is served where it is turned on.
    pub environment: Arc<ServiceEnvironment>,
    /// Where lvm's clients are served; only with the poll role.
    pub lvmpolld: Option<UnixListener>,
    /// Where lvm's clients are given locks, and how; only with the lock role.
    pub lvmlockd: Option<(UnixListener, Lvmlockd)>,
    /// Where lvm's clients are told metadata; only with the metadata role.
    pub lvmetad: Option<UnixListener>,
    /// Every message of lvm's clients is logged.
    pub wire: bool,
    /// Where the JSON API is served.
    pub api: UnixListener,
    /// Where Prometheus is served.
    pub metrics: Option<TcpListener>,
}

/// Describes the whole tree of the service.
pub fn service(tree: ServiceTree) -> SupervisorSpec {
    let ServiceTree { journal_dir, gate, environment, lvmpolld, lvmlockd, lvmetad, wire, api, metrics } =
        tree;
    let counted = || Arc::clone(&environment.metrics);
    let mut root = SupervisorSpec::new(Strategy::OneForOne).child(journal(journal_dir));
    let mut doors = SupervisorSpec::new(Strategy::OneForOne);
    if let Some(site) = &environment.history {
        root = root.child(history(site));
    }
    let [poll_gate, lock_gate] = [environment.poll.is_none(), environment.lock.is_none()]
        .map(|has_nothing_to_recover| watch::channel(has_nothing_to_recover).0);
    if let Some(poll) = &environment.poll {
        let mut branch = poll_branch(poll, &poll_gate).child(throttle(&environment, &poll_gate));
        if let Some(settings) = &environment.reconcile {
            branch = branch.child(reconcile(&environment, poll, settings, &poll_gate));
        }
        root = root.child(ChildSpec::supervisor("poll", branch));
        if let Some(socket) = lvmpolld {
            let protocol = Lvmpolld { poll: Arc::clone(poll), metrics: counted(), wire };
            doors = doors.child(door_spec(&DoorEnvironment::new(
                socket,
                poll_gate.subscribe(),
                counted(),
                protocol,
            )));
        }
    }
    if let (Some(lock), Some((socket, protocol))) = (&environment.lock, lvmlockd) {
        root = root.child(ChildSpec::supervisor("lock", lock_branch(lock, &lock_gate)));
        doors =
            doors.child(door_spec(&DoorEnvironment::new(socket, lock_gate.subscribe(), counted(), protocol)));
    }
    if let (Some(metadata), Some(socket)) = (&environment.metadata, lvmetad) {
        let protocol = Lvmetad { metadata: Arc::clone(metadata), metrics: counted(), wire };
        root = root.child(ChildSpec::supervisor("metadata", metadata_branch()));
        doors = doors.child(door_spec(&DoorEnvironment::new(socket, always_open(), counted(), protocol)));
    }
    let protocol = Api { environment: Arc::clone(&environment) };
    doors = doors.child(door_spec(&DoorEnvironment::new(api, gate.subscribe(), counted(), protocol)));
    if let Some(socket) = metrics {
        let protocol = MetricsPage { environment: Arc::clone(&environment) };
        doors = doors.child(door_spec(&DoorEnvironment::new(socket, gate.subscribe(), counted(), protocol)));
    }
    actix_rt::spawn(open_when_recovered(gate, [poll_gate.subscribe(), lock_gate.subscribe()]));
    root.child(archive_branch(&environment.archive)).child(ChildSpec::supervisor("doors", doors))
}

/// Opens the gate of what concerns all roles: when all of them have recovered, or when that takes too long.
async fn open_when_recovered(gate: watch::Sender<bool>, recovered: [watch::Receiver<bool>; 2]) {
    let all = async {
        for mut role in recovered {
            // The other end lives as long as the role's branch of the tree.
            let _ = role.wait_for(|is_recovered| *is_recovered).await;
        }
    };
    // Past it the API is what tells people what is the matter.
    let _ = timeout(RECOVERY_PATIENCE, all).await;
    gate.send_replace(true);
    gate.closed().await;
}

fn journal(directory: PathBuf) -> ChildSpec {
    ChildSpec::worker("journal", move |link| JournalActor::<PollLedger>::new(directory.clone(), link))
}

/// Nothing else may be felt to depend on a disk.
fn history(site: &Arc<HistorySite>) -> ChildSpec {
    let site = Arc::clone(site);
    let chronicler = ChildSpec::worker("chronicler", move |link| Chronicler::new(Arc::clone(&site), link));
    let history = SupervisorSpec::new(Strategy::OneForOne).on_exceeded(OnExceeded::GiveUpChild);
    ChildSpec::supervisor("history", history.child(chronicler))
}

fn poll_branch(poll: &Arc<PollEnvironment>, gate: &watch::Sender<bool>) -> SupervisorSpec {
    // One operation that keeps crashing must not be felt by another: it is given up alone, and its clients are told.
    let operations = SupervisorSpec::new(Strategy::OneForOne)
        .intensity(OPERATION_RESTARTS, Duration::from_mins(1))
        .on_exceeded(OnExceeded::GiveUpChild);
    let recovery = ChildSpec::worker("recovery", {
        let (poll, gate) = (Arc::clone(poll), gate.clone());
        move |link| Recovery::new(Arc::clone(&poll), gate.clone(), link)
    })
    .restart(RestartType::Transient);
    let kernel = ChildSpec::worker("kernel", {
        let poll = Arc::clone(poll);
        move |link| Reader::new(Arc::clone(&poll.kernel), poll.watchlist.clone(), link)
    });
    // A supervisor that is made anew knows none of its operations: recovery finds them in the journal.
    SupervisorSpec::new(Strategy::RestForOne)
        .child(ChildSpec::supervisor("operations", operations))
        .child(recovery)
        .child(kernel)
}

fn lock_branch(lock: &Arc<LockEnvironment>, gate: &watch::Sender<bool>) -> SupervisorSpec {
    // One VG whose lockspace keeps crashing must not be felt in another: it is given up alone.
    let lockspaces = SupervisorSpec::new(Strategy::OneForOne)
        .intensity(LOCKSPACE_RESTARTS, Duration::from_mins(1))
        .on_exceeded(OnExceeded::GiveUpChild);
    let recovery = ChildSpec::worker("recovery", {
        let (lock, gate) = (Arc::clone(lock), gate.clone());
        move |link| LockRecovery::new(Arc::clone(&lock), gate.clone(), link)
    })
    .restart(RestartType::Transient);
    // A supervisor that is made anew knows none of its lockspaces: recovery finds them by their connections.
    SupervisorSpec::new(Strategy::RestForOne)
        .child(ChildSpec::supervisor("lockspaces", lockspaces))
        .child(recovery)
}

fn metadata_branch() -> SupervisorSpec {
    // One VG whose actor keeps crashing must not be felt in another: it is given up alone, and read from its disks.
    let cached_vgs = SupervisorSpec::new(Strategy::OneForOne)
        .intensity(CACHED_VG_RESTARTS, Duration::from_mins(1))
        .on_exceeded(OnExceeded::GiveUpChild);
    SupervisorSpec::new(Strategy::OneForOne).child(ChildSpec::supervisor("cached_vgs", cached_vgs))
}

/// The gate of a door behind which nothing has to be recovered.
pub fn always_open() -> watch::Receiver<bool> {
    watch::channel(true).1
}

fn throttle(environment: &Arc<ServiceEnvironment>, gate: &watch::Sender<bool>) -> ChildSpec {
    let (knobs, events, gate) = (environment.knobs.clone(), environment.events.clone(), gate.subscribe());
    ChildSpec::worker("throttle", move |link| {
        Throttler::new(knobs.clone(), events.clone(), gate.clone(), &link)
    })
}

fn reconcile(
    environment: &Arc<ServiceEnvironment>,
    poll: &Arc<PollEnvironment>,
    settings: &Arc<Reconciling>,
    gate: &watch::Sender<bool>,
) -> ChildSpec {
    let (environment, poll, settings) = (Arc::clone(environment), Arc::clone(poll), Arc::clone(settings));
    let gate = gate.subscribe();
    ChildSpec::worker("reconcile", move |link| {
        let (environment, poll, settings) =
            (Arc::clone(&environment), Arc::clone(&poll), Arc::clone(&settings));
        Reconciler::new(environment, poll, settings, gate.clone(), link)
    })
}

fn archive_branch(archive: &Arc<ArchiveEnvironment>) -> ChildSpec {
    // Nobody needs a tidy archive as much as polls that go on: a janitor that keeps crashing stays away.
    let archive = Arc::clone(archive);
    let janitor = ChildSpec::worker("janitor", move |link| Janitor::new(Arc::clone(&archive), link));
    let branch = SupervisorSpec::new(Strategy::OneForOne).on_exceeded(OnExceeded::GiveUpChild).child(janitor);
    ChildSpec::supervisor("archive", branch)
}

fn door_spec<P: Protocol>(door: &Arc<DoorEnvironment<P>>) -> ChildSpec {
    let door = Arc::clone(door);
    ChildSpec::worker(P::NAME, move |link| Door::new(Arc::clone(&door), link))
        .shutdown(Shutdown::Deadline(DOOR_DEADLINE))
}
