//! Opening: a new directory, an orderly one, and each kind of damage.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use lvmwarden_supervisor::journal::OpenError;

use crate::ledger::{Notes, erased, names, open, reopen, try_open, written};

/// Makes `journal.1` with the notes a, b and c, and returns its bytes.
async fn three_notes(directory: &Path) -> Vec<u8> {
    let (journal, _) = open(directory);
    for key in ["a", "b", "c"] {
        journal.append(written(key, 1, "text")).await.unwrap();
    }
    journal.close();
    fs::read(directory.join("journal.1")).unwrap()
}

fn keys(notes: &Notes) -> String {
    notes.0.keys().map(String::as_str).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_missing_directory_is_created_for_its_owner_alone() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("state/journal");
    assert_eq!(reopen(&directory), Notes::default());
    assert_eq!(names(&directory), ["journal.1"]);
    assert_eq!(mode(&parent.path().join("state")), 0o700);
    assert_eq!(mode(&directory), 0o700);
    assert_eq!(mode(&directory.join("lock")), 0o600);
    assert_eq!(mode(&directory.join("journal.1")), 0o600);
}

#[test]
fn a_second_open_is_refused_until_the_first_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    let refused = try_open(directory.path());
    assert!(matches!(refused, Err(OpenError::Locked { path }) if path == directory.path()));
    journal.close();
    reopen(directory.path());
}

#[tokio::test]
async fn a_newer_version_is_refused_and_nothing_is_touched() {
    let directory = tempfile::tempdir().unwrap();
    three_notes(directory.path()).await;
    let newer =
        "00000042 aee9bb1c {\"magic\":\"lvmwarden-journal\",\"version\":2,\"generation\":2,\"more\":[]}\n\0";
    fs::write(directory.path().join("journal.2"), newer).unwrap();
    fs::write(directory.path().join("journal.tmp-x"), "unfinished").unwrap();

    let refused = try_open(directory.path());
    assert!(
        matches!(refused, Err(OpenError::NewerVersion { version: 2, path }) if path.ends_with("journal.2"))
    );
    assert_eq!(names(directory.path()), ["journal.1", "journal.2", "journal.tmp-x"]);
    assert_eq!(fs::read_to_string(directory.path().join("journal.2")).unwrap(), newer);
}

#[tokio::test]
async fn a_journal_cut_at_any_byte_opens_to_a_prefix_and_takes_the_next_append() {
    let original = tempfile::tempdir().unwrap();
    let bytes = three_notes(original.path()).await;
    let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::len).collect();

    for cut in 0..=bytes.len() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("journal.1"), &bytes[..cut]).unwrap();
        let (journal, replayed) = open(directory.path());

        let mut good = 0;
        let whole = lines.iter().take_while(|line| {
            good += **line;
            good <= cut
        });
        let whole_lines = whole.count();
        assert_eq!(keys(&replayed.ledger), "abc"[..whole_lines.saturating_sub(1)], "cut at {cut}");
        let headless = whole_lines == 0;
        assert_eq!(replayed.set_aside.len(), usize::from(headless), "cut at {cut}");
        let torn = cut - lines[..whole_lines].iter().sum::<usize>();
        assert_eq!(replayed.torn_bytes, if headless { 0 } else { torn as u64 }, "cut at {cut}");

        journal.append(written("z", 1, "after")).await.unwrap();
        journal.close();
        assert_eq!(keys(&reopen(directory.path())), keys(&replayed.ledger) + "z", "cut at {cut}");
    }
}

#[tokio::test]
async fn a_bad_frame_in_the_middle_keeps_what_is_before_it_and_sets_the_file_aside() {
    let directory = tempfile::tempdir().unwrap();
    let mut bytes = three_notes(directory.path()).await;
    let position = bytes.windows(9).position(|window| window == b"\"key\":\"b\"").unwrap();
    bytes[position + 7] = b'x';
    fs::write(directory.path().join("journal.1"), &bytes).unwrap();

    let (journal, replayed) = open(directory.path());
    assert_eq!(keys(&replayed.ledger), "a");
    assert_eq!(replayed.set_aside, [directory.path().join("journal.bad-1")]);
    assert_eq!((replayed.torn_bytes, replayed.rejected), (0, 0));
    assert_eq!(names(directory.path()), ["journal.2", "journal.bad-1"]);
    assert_eq!(fs::read(directory.path().join("journal.bad-1")).unwrap(), bytes);

    journal.append(erased("a")).await.unwrap();
    journal.close();
    assert_eq!(keys(&reopen(directory.path())), "");
}

#[tokio::test]
async fn records_that_the_ledger_rejects_are_skipped_and_their_file_is_set_aside() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = three_notes(directory.path()).await;
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    // A record of an unknown type, and one that is illegal where it stands.
    let unknown = "0000000c f0a148d5 {\"Moved\":{}}\n";
    let illegal = "00000019 e155d120 {\"Erased\":{\"key\":\"none\"}}\n";
    let content = [lines[0], lines[1], unknown, illegal, lines[2], lines[3]].concat();
    fs::write(directory.path().join("journal.1"), content).unwrap();

    let (journal, replayed) = open(directory.path());
    assert_eq!((keys(&replayed.ledger).as_str(), replayed.rejected), ("abc", 2));
    assert_eq!(names(directory.path()), ["journal.2", "journal.bad-1"]);
    journal.close();
    assert_eq!(keys(&reopen(directory.path())), "abc");
}

#[tokio::test]
async fn the_newest_complete_generation_wins_and_leftovers_go() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = three_notes(directory.path()).await;
    let newest = String::from_utf8(bytes).unwrap();
    let newest: Vec<_> = newest.split_inclusive('\n').collect();
    let header = "00000038 0f67865c {\"magic\":\"lvmwarden-journal\",\"version\":1,\"generation\":5}\n";
    fs::write(directory.path().join("journal.5"), [header, newest[2]].concat()).unwrap();
    fs::write(directory.path().join("journal.6"), "no header").unwrap();
    fs::write(directory.path().join("journal.tmp-x"), newest[0]).unwrap();
    fs::write(directory.path().join("journal.07"), "a stranger's").unwrap();
    fs::create_dir(directory.path().join("journal.8")).unwrap();

    let (journal, replayed) = open(directory.path());
    assert_eq!(keys(&replayed.ledger), "b");
    assert_eq!(names(directory.path()), ["journal.07", "journal.5", "journal.8", "journal.bad-6"]);
    journal.close();
}
