//! The supervision tree: one function builds it.
//!
//! ```text
//! root                      one_for_one; too many restarts end the daemon with exit code 70
//! ├─ journal                the only writer of the run directory's journal
//! ├─ poll                   rest_for_one: new operations have to be recovered
//! │  ├─ operations          one OperationActor per (poll|abort, full LV id); a failing one is given up alone
//! │  └─ recovery            at start: what the journal and the process table know; then clients are served
//! └─ doors                  one_for_one
//!    └─ lvmpolld            the listener; a task for each client
//! ```
//!
//! Children are started from top to bottom and stopped from bottom to top: clients first, then operations, and the
//! journal when nobody writes any more.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_supervisor::journal::JournalActor;
use lvmwarden_supervisor::{ChildSpec, OnExceeded, RestartType, Shutdown, Strategy, SupervisorSpec};
use tokio::sync::watch;

use crate::door::{Door, DoorEnvironment};
use crate::environment::PollEnvironment;
use crate::ledger::PollLedger;
use crate::recovery::Recovery;

/// How often the actor of one operation may crash within a minute before it is given up.
const OPERATION_RESTARTS: u32 = 5;
/// How long the clients' sessions have to end.
const DOOR_DEADLINE: Duration = Duration::from_millis(500);

/// Describes the whole tree of a daemon that serves the poll protocol.
///
/// `gate` turns true when clients are served; `journal_dir` is where the journal is kept.
pub fn poll_daemon(
    journal_dir: PathBuf,
    poll: &Arc<PollEnvironment>,
    door: &Arc<DoorEnvironment>,
    gate: &watch::Sender<bool>,
) -> SupervisorSpec {
    let journal =
        ChildSpec::worker("journal", move |link| JournalActor::<PollLedger>::new(journal_dir.clone(), link));

    // One operation that keeps crashing must not be felt by another: it is given up alone, and its clients are told.
    let operations = SupervisorSpec::new(Strategy::OneForOne)
        .intensity(OPERATION_RESTARTS, Duration::from_mins(1))
        .on_exceeded(OnExceeded::GiveUpChild);
    let recovery = ChildSpec::worker("recovery", {
        let (poll, gate) = (Arc::clone(poll), gate.clone());
        move |link| Recovery::new(Arc::clone(&poll), gate.clone(), link)
    })
    .restart(RestartType::Transient);
    // A supervisor that is made anew knows none of its operations: recovery finds them in the journal.
    let poll = SupervisorSpec::new(Strategy::RestForOne)
        .child(ChildSpec::supervisor("operations", operations))
        .child(recovery);

    let lvmpolld = ChildSpec::worker("lvmpolld", {
        let door = Arc::clone(door);
        move |link| Door::new(Arc::clone(&door), link)
    })
    .shutdown(Shutdown::Deadline(DOOR_DEADLINE));
    let doors = SupervisorSpec::new(Strategy::OneForOne).child(lvmpolld);

    SupervisorSpec::new(Strategy::OneForOne)
        .child(journal)
        .child(ChildSpec::supervisor("poll", poll))
        .child(ChildSpec::supervisor("doors", doors))
}
