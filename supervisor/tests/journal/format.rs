//! Format 1 as it was released. The fixture stays for ever: every later program opens it.

use std::fs;

use crate::ledger::{Note, erased, open, written};

const FORMAT_1: &[u8] = include_bytes!("../fixtures/journal-format-1/journal.1");

fn appended() -> [Note; 4] {
    [
        written("a", 1, "first"),
        written("b", u64::MAX, "two\nlines, \"quoted\", ä"),
        erased("a"),
        written("c", 0, ""),
    ]
}

#[test]
fn a_journal_of_format_1_opens() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("journal.1"), FORMAT_1).unwrap();
    let (journal, replayed) = open(directory.path());
    journal.close();
    assert_eq!((replayed.torn_bytes, replayed.rejected, replayed.set_aside.len()), (0, 0, 0));
    let notes: Vec<_> =
        replayed.ledger.0.iter().map(|(key, (version, text))| written(key, *version, text)).collect();
    assert_eq!(notes, [appended()[1].clone(), appended()[3].clone()]);
}

#[tokio::test]
async fn format_1_is_written_byte_for_byte() {
    let directory = tempfile::tempdir().unwrap();
    let (journal, _) = open(directory.path());
    for note in appended() {
        journal.append(note).await.unwrap();
    }
    journal.close();
    let bytes = fs::read(directory.path().join("journal.1")).unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), String::from_utf8(FORMAT_1.to_vec()).unwrap());
}
