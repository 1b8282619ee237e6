//! The journal as a worker of a supervision tree.

use std::fs;
use std::path::Path;
use std::time::Duration;

use lvmwarden_supervisor::journal::{Append, AppendError, Journal, JournalActor, Ledger, Read};
use lvmwarden_supervisor::{
    ChildSpec, ExitReason, Name, RestartChild, Root, Strategy, Supervisor, SupervisorSpec, start_root,
};
use slog::{Discard, Logger, o};
use tokio::task::JoinSet;

use crate::ledger::{IllegalNote, Note, Notes, open, reopen, written};

const DEADLINE: Duration = Duration::from_secs(10);

/// Notes whose fold has a bug: it panics on one text.
#[derive(Default)]
struct Fragile(Notes);

impl Ledger for Fragile {
    type Record = Note;
    type Illegal = IllegalNote;

    fn apply(&mut self, record: &Note) -> Result<(), IllegalNote> {
        assert!(
            !matches!(record, Note::Written { text, .. } if text == "panic"),
            "a bug that a test planted"
        );
        self.0.apply(record)
    }

    fn records(&self) -> Vec<Note> {
        self.0.records()
    }
}

fn name() -> Name {
    Name::root().child("journal")
}

fn start<L: Ledger>(directory: &Path, restarts: u32) -> Root {
    let directory = directory.to_owned();
    let journal = ChildSpec::worker("journal", move |link| JournalActor::<L>::new(directory.clone(), link));
    let spec = SupervisorSpec::new(Strategy::OneForOne).intensity(restarts, DEADLINE).child(journal);
    start_root(spec, Logger::root(Discard, o!()))
}

async fn append<L: Ledger>(root: &Root, record: L::Record) -> Result<(), AppendError> {
    let message = Append::<L>(record);
    root.registry().ask::<JournalActor<L>, _>(&name(), message, DEADLINE).await.unwrap()
}

async fn records<L: Ledger>(root: &Root) -> Vec<L::Record> {
    let message = Read::new(L::records);
    root.registry().ask::<JournalActor<L>, _>(&name(), message, DEADLINE).await.unwrap().unwrap()
}

#[actix::test]
async fn a_restarted_worker_knows_what_was_appended_before() {
    let directory = tempfile::tempdir().unwrap();
    let root = start::<Notes>(directory.path(), 1);
    append::<Notes>(&root, written("a", 1, "before")).await.unwrap();
    let restart = RestartChild("journal".to_owned());
    root.registry().ask::<Supervisor, _>(&Name::root(), restart, DEADLINE).await.unwrap().unwrap();
    append::<Notes>(&root, written("b", 1, "after")).await.unwrap();
    assert_eq!(records::<Notes>(&root).await, [written("a", 1, "before"), written("b", 1, "after")]);
    assert_eq!(root.stop(DEADLINE).await.killed, []);
    assert_eq!(reopen(directory.path()).0.len(), 2);
}

#[actix::test]
async fn appends_under_way_are_answered_when_the_worker_is_stopped() {
    let directory = tempfile::tempdir().unwrap();
    let root = start::<Notes>(directory.path(), 0);
    assert_eq!(records::<Notes>(&root).await, []);
    let mut asked = JoinSet::new();
    for number in 0..10 {
        let registry = root.registry();
        asked.spawn_local(async move {
            let message = Append::<Notes>(written(&format!("key {number}"), 1, "text"));
            registry.ask::<JournalActor<Notes>, _>(&name(), message, DEADLINE).await.unwrap().unwrap();
        });
    }
    tokio::task::yield_now().await;
    assert_eq!(root.stop(DEADLINE).await.reason, ExitReason::Shutdown);
    asked.join_all().await;
    assert_eq!(reopen(directory.path()).0.len(), 10);
}

#[actix::test]
async fn a_panic_of_the_ledger_costs_one_append() {
    let directory = tempfile::tempdir().unwrap();
    let root = start::<Fragile>(directory.path(), 1);
    append::<Fragile>(&root, written("a", 1, "before")).await.unwrap();
    let lost = append::<Fragile>(&root, written("a", 2, "panic")).await;
    assert!(matches!(lost, Err(AppendError::Closed)), "{lost:?}");
    append::<Fragile>(&root, written("b", 1, "after")).await.unwrap();
    assert_eq!(records::<Fragile>(&root).await, [written("a", 1, "before"), written("b", 1, "after")]);
    root.stop(DEADLINE).await;
}

#[actix::test]
async fn a_directory_that_is_locked_for_a_moment_is_waited_for() {
    let directory = tempfile::tempdir().unwrap();
    let (predecessor, _): (Journal<Notes>, _) = open(directory.path());
    let root = start::<Notes>(directory.path(), 0);
    tokio::time::sleep(Duration::from_millis(100)).await;
    predecessor.close();
    append::<Notes>(&root, written("a", 1, "text")).await.unwrap();
    root.stop(DEADLINE).await;
}

#[actix::test]
async fn a_journal_that_cannot_be_opened_fails_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    reopen(directory.path());
    let newer = "00000038 8d1b0cc6 {\"magic\":\"lvmwarden-journal\",\"version\":9,\"generation\":1}\n";
    fs::write(directory.path().join("journal.1"), newer).unwrap();
    let root = start::<Notes>(directory.path(), 0);
    let ExitReason::Failed(reason) = root.ended().await else { panic!("it fails") };
    assert!(reason.contains("its format version 9 is newer than 1"), "{reason}");
}
