//! Appending: order, refusals, group commit, and rewriting what has grown.

use lvmwarden_supervisor::journal::{AppendError, Ledger, MAX_PAYLOAD_BYTES};
use tokio::task::JoinSet;

use crate::ledger::{IllegalNote, Note, erased, names, open, reopen, written};

#[tokio::test]
async fn an_illegal_record_is_refused_and_not_written() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let first = journal.append(written("a", 2, "kept"));
    let older = journal.append(written("a", 1, "older"));
    first.await.unwrap();
    let AppendError::Illegal(reason) = older.await.unwrap_err() else { panic!("it is illegal") };
    let expected = IllegalNote::Older { key: "a".to_owned(), version: 1, known: 2 };
    assert_eq!(reason.downcast_ref::<IllegalNote>(), Some(&expected));
    journal.close();
    assert_eq!(reopen(directory.path()).0["a"], (2, "kept".to_owned()));
}

#[tokio::test]
async fn a_record_that_is_too_long_is_refused_and_the_ledger_does_not_know_it() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let refused = journal.append(written("a", 1, &"x".repeat(MAX_PAYLOAD_BYTES))).await;
    assert!(matches!(refused, Err(AppendError::TooLong { bytes }) if bytes > MAX_PAYLOAD_BYTES));
    assert_eq!(journal.read(Ledger::records).await.unwrap(), []);
    journal.append(written("b", 1, "next")).await.unwrap();
    assert_eq!(journal.read(Ledger::records).await.unwrap(), [written("b", 1, "next")]);
    journal.close();
    assert_eq!(reopen(directory.path()).0.len(), 1);
}

#[tokio::test]
async fn a_thousand_concurrent_appends_are_all_durable_and_share_syncs() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let mut appends = JoinSet::new();
    for number in 0..1000 {
        appends.spawn(journal.append(written(&format!("key {number}"), 1, "text")));
    }
    for outcome in appends.join_all().await {
        outcome.unwrap();
    }
    let syncs = journal.sync_count();
    assert!((1..=500).contains(&syncs), "{syncs} syncs for 1000 appends");
    journal.close();
    assert_eq!(reopen(directory.path()).0.len(), 1000);
}

#[tokio::test]
async fn appends_keep_the_order_of_the_calls_and_survive_their_asker() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let first = journal.append(written("a", 1, "text"));
    drop(journal.append(written("a", 2, "text")));
    let last = journal.append(erased("a"));
    last.await.unwrap();
    first.await.unwrap();
    journal.close();
    assert_eq!(reopen(directory.path()).0.len(), 0);
}

#[tokio::test]
async fn a_grown_journal_is_rewritten_to_the_same_ledger() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let text = "x".repeat(10_000);
    for version in 0..500 {
        journal.append(written(&format!("key {}", version % 7), version, &text)).await.unwrap();
    }
    journal.append(erased("key 3")).await.unwrap();
    let before = journal.read(Ledger::records).await.unwrap();
    journal.close();

    let generations = names(directory.path());
    let [only] = generations.as_slice() else { panic!("one generation, not {generations:?}") };
    assert!(only.as_str() > "journal.1", "{only}");
    let bytes = std::fs::metadata(directory.path().join(only)).unwrap().len();
    assert!(bytes < 2_000_000, "{bytes} bytes after 5,000,000 appended");
    let after = reopen(directory.path());
    assert_eq!(before.len(), 6);
    let after: Vec<Note> =
        after.0.iter().map(|(key, (version, text))| written(key, *version, text)).collect();
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_journal_that_is_mostly_alive_is_not_rewritten() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let text = "x".repeat(100_000);
    for number in 0..25 {
        journal.append(written(&format!("key {number}"), 1, &text)).await.unwrap();
    }
    journal.close();
    assert_eq!(names(directory.path()), ["journal.1"]);
}

#[tokio::test]
async fn a_journal_that_cannot_be_rewritten_takes_appends_as_before() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    // The next generation cannot get its name while a directory has it.
    let obstacle = directory.path().join("journal.2");
    std::fs::create_dir(&obstacle).unwrap();
    let text = "x".repeat(100_000);
    for version in 0..15 {
        journal.append(written("a", version, &text)).await.unwrap();
    }
    assert_eq!(names(directory.path()), ["journal.1", "journal.2"], "no unfinished file stays");
    std::fs::remove_dir(&obstacle).unwrap();
    for version in 15..25 {
        journal.append(written("a", version, &text)).await.unwrap();
    }
    journal.close();
    assert_eq!(names(directory.path()), ["journal.2"]);
    assert_eq!(reopen(directory.path()).0["a"].0, 24);
}
