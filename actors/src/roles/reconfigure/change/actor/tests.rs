//! A change whose first record cannot be stored: there is no journal at all.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use lvmwarden_protocol::api::reconfigure::Phase;
use lvmwarden_reconfigure::member::Member;
use lvmwarden_supervisor::process::FakeProcesses;
use lvmwarden_supervisor::{Root, Strategy, SupervisorSpec, start_root};
use slog::{Discard, Logger, o};
use tokio::time::timeout;

use super::*;
use crate::foundation::facts::events::Events;
use crate::foundation::facts::metrics::Metrics;
use crate::roles::reconfigure::board::tests::change;
use crate::roles::reconfigure::board::{Board, Refused};
use crate::roles::reconfigure::described::Description;
use crate::roles::reconfigure::described::tests::picture;
use crate::roles::reconfigure::directory::{DEADLINE, Directory};
use crate::roles::reconfigure::environment::{Limits, Settings};
use crate::roles::reconfigure::goal::Wanted;
use crate::roles::reconfigure::locks::LocalLocks;
use crate::roles::reconfigure::lvm::Lvm;
use crate::roles::reconfigure::metrics::ReconfigureMetrics;
use crate::roles::reconfigure::transport::single::Single;

const PAUSE: Duration = Duration::from_millis(5);

fn environment() -> Arc<ReconfigureEnvironment> {
    let limit = Duration::from_secs(10);
    let limits = Limits {
        lock: limit,
        send: limit,
        vote: limit,
        prepare: limit,
        hold: limit,
        apply_reserve: limit,
        apply: limit,
        commit: limit,
        doubt: limit,
        rounds: 1,
    };
    let lvm = Lvm {
        binary: "/no/such/lvm".into(),
        output_dir: "/no/such/folder".into(),
        inherited: BTreeMap::new(),
        directory: None,
        processes: Arc::new(FakeProcesses::new()),
        runs: AtomicU64::default(),
    };
    let settings = Settings { accepts: Vec::new(), limits, sys: "/no/such/folder".into() };
    let (events, metrics) = (Events::new(Metrics::new(), 10), ReconfigureMetrics::new(&Metrics::new()));
    let open = Box::new(|| Single::open("here".to_owned()));
    Arc::new(ReconfigureEnvironment::new(settings, lvm, Arc::new(LocalLocks), open, events, metrics))
}

fn known() -> Known {
    let mut goal = change("", "vg0", Phase::Locking).goal;
    goal.add_tags = vec!["new".to_owned()];
    let wanted = Wanted::parse(&goal).expect("it is a goal");
    Known {
        id: Uuid::new_v4(),
        goal,
        asked_by: None,
        at: Timestamp::now(),
        coordinator: Member { node: 1, pid: 1 },
        described: Description::of(&wanted, &picture()).expect("it can be"),
        machine: lvmwarden_reconfigure::record::Memory::default(),
        undo: Vec::new(),
        writer: None,
        told: None,
    }
}

fn tree() -> Root {
    let one_for_one = || SupervisorSpec::new(Strategy::OneForOne);
    let role = one_for_one().child(ChildSpec::supervisor("changes", one_for_one()));
    let spec = one_for_one().child(ChildSpec::supervisor("reconfigure", role));
    start_root(spec, Logger::root(Discard, o!()))
}

/// Takes a place on the board, when the one before is given up.
async fn place(board: &Board, known: &Known) -> Result<(), Refused> {
    loop {
        match board.begin(&known.id.to_string(), &known.goal.vgname) {
            Err(Refused::Beginning) => sleep(PAUSE).await,
            other => return other,
        }
    }
}

/// Has a change begin, when the actor of the one before has ended; returns why it does not.
async fn begin(directory: &Directory, known: &Known) -> Result<(), String> {
    loop {
        let (begun, is_begun) = oneshot::channel();
        let beginning = Beginning { known: known.clone(), begun };
        if directory.start(known.id, Some(beginning)).await.is_ok() {
            return is_begun.await.expect("its actor tells");
        }
        sleep(PAUSE).await;
    }
}

#[test]
fn it_was_never_there_and_may_be_asked_for_again() {
    System::new().block_on(async {
        let (root, environment, known) = (tree(), environment(), known());
        let log = Logger::root(Discard, o!());
        let directory = Directory::new(root.registry(), Arc::clone(&environment), log);
        let asked = async {
            for _ in 0..2 {
                assert_eq!(place(&environment.board, &known).await, Ok(()));
                begin(&directory, &known).await.expect_err("it cannot be written down");
                assert_eq!(environment.board.find(&known.id.to_string()), None);
            }
            assert_eq!(place(&environment.board, &known).await, Ok(()));
            assert_eq!(environment.board.all(), []);
        };
        timeout(DEADLINE, asked).await.expect("in time");
    });
}
