//! A disk that is full for a while, played by a limit on the length of files: the kernel writes up to the limit, then
//! says EFBIG.

use std::path::Path;

use lvmwarden_supervisor::journal::{AppendError, Journal, Ledger};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::child::{self, Part};
use crate::ledger::{Notes, erased, names, open, reopen, written};

fn limit_files_to(bytes: Option<u64>) {
    let maximum = getrlimit(Resource::Fsize).maximum;
    setrlimit(Resource::Fsize, Rlimit { current: bytes.or(maximum), maximum }).unwrap();
}

async fn refuse(journal: &Journal<Notes>, text: &str) {
    let refused = journal.append(written("b", 1, text)).await;
    assert!(matches!(refused, Err(AppendError::Write { .. })), "{refused:?}");
}

/// The child's part.
async fn append_around_a_full_disk(directory: &Path) {
    let path = directory.join("journal.1");
    let (journal, _) = open(directory);
    journal.append(written("a", 1, "before")).await.unwrap();
    let before = std::fs::read(&path).unwrap();

    limit_files_to(Some(before.len() as u64 + 30));
    refuse(&journal, "too much").await;
    assert_eq!(std::fs::read(&path).unwrap(), before, "the partial frame is cut off");
    assert_eq!(journal.read(Ledger::records).await.unwrap(), [written("a", 1, "before")]);
    refuse(&journal, "again too much").await;

    limit_files_to(None);
    let unknown = journal.append(erased("b")).await;
    assert!(matches!(unknown, Err(AppendError::Illegal(_))), "{unknown:?}");
    journal.append(written("b", 1, "after")).await.unwrap();

    journal.close();
    child::say("done");
}

#[tokio::test]
async fn a_full_disk_refuses_appends_and_loses_nothing() {
    if let Some(directory) = child::directory() {
        return append_around_a_full_disk(&directory).await;
    }
    let directory = tempfile::tempdir().unwrap();
    let part = Part::start("full_disk::a_full_disk_refuses_appends_and_loses_nothing", directory.path(), &[]);
    assert_eq!(part.line().as_deref(), Some("done"));
    assert_eq!(part.line(), None);
    assert!(part.succeeded());
    let notes = reopen(directory.path());
    assert_eq!(notes.0["a"], (1, "before".to_owned()));
    assert_eq!(notes.0["b"], (1, "after".to_owned()));
    assert_eq!(names(directory.path()), ["journal.1"]);
}
