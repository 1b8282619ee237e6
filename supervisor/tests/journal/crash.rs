//! `kill -9` at any moment: what was acknowledged is there after it.

use std::collections::BTreeMap;
use std::path::Path;

use tokio::task::JoinSet;

use crate::child::{self, Part};
use crate::ledger::{names, open, written};

const WRITERS: u64 = 8;

/// The child's part: appends without end from eight askers, each with a key of its own, and says what was
/// acknowledged. The texts are long, so that the journal is rewritten about every hundred appends.
async fn append_without_end(directory: &Path) {
    let (journal, replayed) = open(directory);
    let journal = std::sync::Arc::new(journal);
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let key = format!("key {writer}");
        let first = replayed.ledger.0.get(&key).map_or(0, |(version, _)| version + 1);
        let journal = std::sync::Arc::clone(&journal);
        writers.spawn(async move {
            for version in first.. {
                journal.append(written(&key, version, &"x".repeat(10_000))).await.unwrap();
                child::say(&format!("{version} {key}"));
            }
        });
    }
    writers.join_all().await;
}

/// Runs the child until it was killed, by itself or after `acknowledged_limit` lines; then everything that was
/// acknowledged must be in `directory`.
#[track_caller]
fn kill_and_compare(test: &str, directory: &Path, fault: &str, acknowledged_limit: usize) {
    let mut part = Part::start(test, directory, &[("LVMWARDEN_FAULT", fault)]);
    let mut acknowledged = BTreeMap::new();
    let mut count = 0;
    while let Some(line) = part.line() {
        let (version, key) = line.split_once(' ').unwrap();
        acknowledged.insert(key.to_owned(), version.parse::<u64>().unwrap());
        count += 1;
        if count == acknowledged_limit {
            part.kill();
        }
    }
    assert!(!part.succeeded(), "the child was killed");

    let (journal, replayed) = open(directory);
    for (key, version) in acknowledged {
        let known = replayed.ledger.0.get(&key).map(|(version, _)| *version);
        assert!(known >= Some(version), "{key}: version {version} was acknowledged, {known:?} is there");
    }
    assert_eq!((replayed.rejected, replayed.set_aside.len()), (0, 0));
    let left = names(directory);
    assert_eq!(left.len(), 1, "{left:?}");
    journal.close();
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_at_random_moments() {
    if let Some(directory) = child::directory() {
        return append_without_end(&directory).await;
    }
    let directory = tempfile::tempdir().unwrap();
    for acknowledged in [1, 7, 40, 95, 110, 130, 300, 301, 350, 600] {
        kill_and_compare(
            "crash::what_was_acknowledged_survives_kill_at_random_moments",
            directory.path(),
            "",
            acknowledged,
        );
    }
    assert_ne!(names(directory.path()), ["journal.1"], "it was rewritten on the way");
}

/// Fault points are there with debug assertions only.
#[cfg(debug_assertions)]
#[tokio::test]
async fn what_was_acknowledged_survives_kill_at_every_step() {
    if let Some(directory) = child::directory() {
        return append_without_end(&directory).await;
    }
    let steps = ["before_write", "written", "synced", "snapshot_written", "snapshot_renamed"];
    for step in steps {
        let directory = tempfile::tempdir().unwrap();
        // The first snapshot is the empty one of a new directory.
        for hit in 1..=3 {
            kill_and_compare(
                "crash::what_was_acknowledged_survives_kill_at_every_step",
                directory.path(),
                &format!("kill@journal.{step}:{hit}"),
                usize::MAX,
            );
        }
    }
}
