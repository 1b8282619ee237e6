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
//! │  ├─ cached_vgs          one CachedVgActor per cached VG; a failing one is given up alone
//! │  ├─ announcer           tells what becomes of VGs                    (the service; given up alone if it keeps failing)
//! │  └─ filler              reads the disks    (the service, where it is configured; given up alone if it keeps failing)
//! ├─ archive                one_for_one; a failing janitor is given up alone            (the service only)
//! │  └─ janitor             keeps /etc/lvm/archive within bounds, where that is turned on
//! ├─ reconfigure            rest_for_one: new changes have to be recovered               (the service where it is configured)
//! │  ├─ changes             one ChangeActor per change; a failing one is given up alone
//! │  ├─ group               hears the other members
//! │  └─ recovery            at start: what the journal knows; then clients are served
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

use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_supervisor::journal::JournalActor;
use lvmwarden_supervisor::{ChildSpec, OnExceeded, Strategy, SupervisorSpec};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::foundation::door::{DoorEnvironment, door};
use crate::foundation::store::history::chronicler::{Chronicler, HistorySite};
use crate::foundation::store::ledger::PollLedger;
use crate::roles::lock::environment::LockEnvironment;
use crate::roles::lock::session::Lvmlockd;
use crate::roles::metadata::session::Lvmetad;
use crate::roles::poll::environment::PollEnvironment;
use crate::roles::poll::session::Lvmpolld;
use crate::roles::{lock, metadata, poll};
use crate::service::ServiceEnvironment;
use crate::service::api::Api;
use crate::service::http::MetricsPage;

/// How long all roles may take to recover before the API is served nevertheless; systemd waits 60 s for READY.
const RECOVERY_PATIENCE: Duration = Duration::from_secs(45);

/// Describes the whole tree of a daemon that serves the poll protocol and nothing else.
///
/// `gate` turns true when clients are served; `journal_dir` is where the journal is kept.
pub fn poll_daemon(
    journal_dir: PathBuf,
    poll: &Arc<PollEnvironment>,
    socket: &Arc<DoorEnvironment<Lvmpolld>>,
    gate: &watch::Sender<bool>,
) -> SupervisorSpec {
    let doors = SupervisorSpec::new(Strategy::OneForOne).child(door(socket));
    SupervisorSpec::new(Strategy::OneForOne)
        .child(journal(journal_dir))
        .child(ChildSpec::supervisor("poll", poll::role::branch(poll, gate)))
        .child(ChildSpec::supervisor("doors", doors))
}

/// Describes the whole tree of a daemon that serves the lock protocol and nothing else.
///
/// `gate` turns true when clients are served; `journal_dir` is where the journal is kept.
pub fn lock_daemon(
    journal_dir: PathBuf,
    lock: &Arc<LockEnvironment>,
    socket: &Arc<DoorEnvironment<Lvmlockd>>,
    gate: &watch::Sender<bool>,
) -> SupervisorSpec {
    let doors = SupervisorSpec::new(Strategy::OneForOne).child(door(socket));
    SupervisorSpec::new(Strategy::OneForOne)
        .child(journal(journal_dir))
        .child(ChildSpec::supervisor("lock", lock::role::branch(lock, gate)))
        .child(ChildSpec::supervisor("doors", doors))
}

/// Describes the whole tree of a daemon that serves the metadata protocol and nothing else; it remembers nothing.
pub fn metadata_daemon(socket: &Arc<DoorEnvironment<Lvmetad>>) -> SupervisorSpec {
    let doors = SupervisorSpec::new(Strategy::OneForOne).child(door(socket));
    SupervisorSpec::new(Strategy::OneForOne)
        .child(ChildSpec::supervisor("metadata", metadata::role::branch()))
        .child(ChildSpec::supervisor("doors", doors))
}

/// What the tree of a service is made of.
pub struct ServiceTree {
    /// Where the journal is kept.
    pub journal_dir: PathBuf,
    /// Turns true when all roles have recovered: then the API is served.
    pub gate: watch::Sender<bool>,
    /// What the sessions share; its roles are served where they are turned on.
    pub environment: Arc<ServiceEnvironment>,
    /// Where the JSON API is served.
    pub api: UnixListener,
    /// Where Prometheus is served.
    pub metrics: Option<TcpListener>,
}

/// Describes the whole tree of the service.
///
/// # Errors
/// When there are no descriptors left for the sockets.
pub fn service(tree: ServiceTree) -> io::Result<SupervisorSpec> {
    let ServiceTree { journal_dir, gate, environment, api, metrics } = tree;
    let counted = || Arc::clone(&environment.metrics);
    let mut root = SupervisorSpec::new(Strategy::OneForOne).child(journal(journal_dir));
    let mut doors = SupervisorSpec::new(Strategy::OneForOne);
    if let Some(site) = &environment.history {
        root = root.child(history(site));
    }
    let mut recovered = Vec::new();
    for role in &environment.roles {
        let Some(branch) = role.branch(&environment.metrics)? else { continue };
        root = root.child(ChildSpec::supervisor(role.name(), branch.supervisor));
        doors = branch.doors.into_iter().fold(doors, SupervisorSpec::child);
        recovered.push(branch.recovered);
    }
    let protocol = Api { environment: Arc::clone(&environment) };
    doors = doors.child(door(&DoorEnvironment::new(api, gate.subscribe(), counted(), protocol)));
    if let Some(socket) = metrics {
        let protocol = MetricsPage { environment: Arc::clone(&environment) };
        doors = doors.child(door(&DoorEnvironment::new(socket, gate.subscribe(), counted(), protocol)));
    }
    actix_rt::spawn(open_when_recovered(gate, recovered));
    Ok(root.child(ChildSpec::supervisor("doors", doors)))
}

/// Opens the gate of what concerns all roles: when all of them have recovered, or when that takes too long.
async fn open_when_recovered(gate: watch::Sender<bool>, recovered: Vec<watch::Receiver<bool>>) {
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
