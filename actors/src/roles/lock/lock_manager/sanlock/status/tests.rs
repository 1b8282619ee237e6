//! Against recorded answers of the real daemon.

use super::record::records;
use super::*;

/// What 3.8.5 answers: one lockspace with host ids 1 and 2, orphans VGLK (shared) and lv1 (exclusive), GLLK held.
const STATUS_ANSWER: &[u8] = include_bytes!("../../../../../../tests/fixtures/sanlock-3.8.5/status.bin");
const HOSTS_ANSWER: &[u8] = include_bytes!("../../../../../../tests/fixtures/sanlock-3.8.5/host_status.bin");

fn status(answer: &[u8]) -> io::Result<Status> {
    Status::from_records(&records(answer)?)
}

#[test]
fn the_daemon_tells_its_lockspaces_and_orphans() {
    let orphan = |resource: &str, is_shared, offset| OrphanStatus {
        lockspace: "lvm_vg".into(),
        resource: resource.into(),
        is_shared,
        offset,
    };
    let lockspace = LockspaceStatus {
        name: "lvm_vg".into(),
        host_id: 1,
        generation: 1,
        io_timeout: 2,
        renewed_at: 38_075,
    };
    let expected = Status {
        watchdog_seconds: 60,
        lockspaces: vec![lockspace],
        orphans: vec![orphan("lv1", false, 70_254_592), orphan("VGLK", true, 69_206_016)],
    };
    assert_eq!(status(STATUS_ANSWER).unwrap(), expected);
}

#[test]
fn the_daemon_tells_what_hosts_are_called() {
    let names: Vec<_> = records(HOSTS_ANSWER)
        .unwrap()
        .into_iter()
        .map(|record| match record {
            Record::Host { id, words } => (id, words.get("owner_name").unwrap().to_owned()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(names, [(1, "alpha".to_owned()), (2, "beta".to_owned())]);
}

#[test]
fn an_answer_that_is_cut_off_anywhere_is_an_error_or_shorter_and_never_a_panic() {
    let whole = records(STATUS_ANSWER).unwrap().len();
    for length in 0..STATUS_ANSWER.len() {
        assert!(records(&STATUS_ANSWER[..length]).map_or(0, |records| records.len()) < whole, "{length}");
    }
}

#[test]
fn another_program_at_the_socket_is_not_understood() {
    let mut answer = STATUS_ANSWER.to_vec();
    answer[0] ^= 1;
    assert_eq!(status(&answer).unwrap_err().kind(), io::ErrorKind::InvalidData);
}
