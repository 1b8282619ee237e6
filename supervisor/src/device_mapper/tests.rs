//! Answers of the kernel, whole, cut off and senseless.

use std::io::ErrorKind;

use proptest::prelude::*;

use super::*;

/// The parts of an answer, written as the kernel does: each record at a multiple of 8 after the text before it.
struct AnswerOf<'a> {
    flags: u32,
    targets: &'a [(u64, u64, &'a str, &'a str)],
}

impl AnswerOf<'_> {
    fn write(&self) -> Vec<u8> {
        let mut buffer = vec![0; HEADER_SIZE as usize];
        write_u32(&mut buffer, DATA_START_AT, HEADER_SIZE);
        write_u32(&mut buffer, FLAGS_AT, self.flags);
        write_u32(&mut buffer, TARGET_COUNT_AT, u32::try_from(self.targets.len()).unwrap());
        for (start, length, kind, params) in self.targets {
            let here = buffer.len();
            buffer.extend(start.to_ne_bytes());
            buffer.extend(length.to_ne_bytes());
            buffer.resize(here + KIND_AT, 0);
            buffer.extend(kind.as_bytes());
            buffer.resize(here + SPEC_SIZE, 0);
            buffer.extend(params.as_bytes());
            buffer.push(0);
            buffer.resize(buffer.len().next_multiple_of(8), 0);
            let next = u32::try_from(buffer.len()).unwrap() - HEADER_SIZE;
            write_u32(&mut buffer, here + NEXT_AT, next);
        }
        let used = u32::try_from(buffer.len()).unwrap();
        write_u32(&mut buffer, DATA_SIZE_AT, used);
        buffer
    }
}

const PVMOVE: &[(u64, u64, &str, &str)] = &[
    (0, 16_384, "mirror", "2 254:1 254:2 13/16 1 AA 1 core"),
    (16_384, 8_192, "linear", ""),
    (24_576, 1, "snapshot-merge", "Invalid"),
];

#[track_caller]
fn status_of(buffer: &[u8]) -> DmStatus {
    match parse_status(buffer).unwrap() {
        Answer::Status(status) => status,
        Answer::BufferFull => panic!("the buffer is not full"),
    }
}

#[test]
fn every_target_is_read_in_order() {
    let status = status_of(&AnswerOf { flags: 0, targets: PVMOVE }.write());
    let targets: Vec<_> = status
        .targets
        .iter()
        .map(|target| (target.start_sector, target.length_sectors, &*target.kind, &*target.params))
        .collect();
    assert_eq!(targets, PVMOVE);
    assert!(!status.suspended);
}

#[test]
fn a_device_that_somebody_has_open_says_so() {
    for (open_count, is_open) in [(0_i32, false), (1, true), (7, true), (-1, false)] {
        let mut answer = AnswerOf { flags: 0, targets: PVMOVE }.write();
        write_u32(&mut answer, OPEN_COUNT_AT, open_count.cast_unsigned());
        assert_eq!(status_of(&answer).is_open, is_open, "{open_count}");
    }
}

#[test]
fn a_suspended_device_says_so_and_still_has_its_targets() {
    let status = status_of(&AnswerOf { flags: SUSPENDED, targets: PVMOVE }.write());
    assert!(status.suspended);
    assert_eq!(status.targets.len(), PVMOVE.len());
}

#[test]
fn a_device_without_a_table_has_no_targets() {
    assert_eq!(status_of(&AnswerOf { flags: 0, targets: &[] }.write()).targets, []);
}

#[test]
fn a_full_buffer_is_told_before_anything_in_it_is_read() {
    let mut buffer = AnswerOf { flags: BUFFER_FULL, targets: PVMOVE }.write();
    buffer.truncate(HEADER_SIZE as usize + 10);
    assert_eq!(parse_status(&buffer).unwrap(), Answer::BufferFull);
}

#[test]
fn an_answer_cut_at_any_byte_is_refused() {
    let targets = &PVMOVE[..2];
    let buffer = AnswerOf { flags: 0, targets }.write();
    // Only the padding behind the last text, which is empty and ends with a NUL, may be missing.
    let needed = buffer.len() - 7;
    for length in 0..needed {
        assert_eq!(
            parse_status(&buffer[..length]).unwrap_err().kind(),
            ErrorKind::InvalidData,
            "{length} bytes"
        );
    }
    assert_eq!(status_of(&buffer[..needed]).targets.len(), targets.len());
}

#[test]
fn a_record_that_does_not_lead_onward_is_refused() {
    for next in [0, 1, 39, u32::MAX] {
        let mut buffer = AnswerOf { flags: 0, targets: PVMOVE }.write();
        write_u32(&mut buffer, HEADER_SIZE as usize + NEXT_AT, next);
        assert!(parse_status(&buffer).is_err(), "next {next}");
    }
}

#[test]
fn a_request_names_the_device_and_never_flushes_it() {
    let uuid = "LVM-abcdefghijklmnopqrstuvwxyz012345ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";
    let buffer = write_status_request(uuid, Ask::Status, 4096).unwrap();
    let table = write_status_request(uuid, Ask::Table, 4096).unwrap();
    assert_eq!(read_u32(&table, FLAGS_AT), Some(NO_FLUSH | TABLE));
    assert_eq!(buffer.len(), 4096);
    assert_eq!(read_u32(&buffer, 0), Some(4));
    assert_eq!(read_u32(&buffer, DATA_SIZE_AT), Some(4096));
    assert_eq!(read_u32(&buffer, DATA_START_AT), Some(HEADER_SIZE));
    assert_eq!(read_u32(&buffer, FLAGS_AT), Some(NO_FLUSH));
    assert_eq!(read_text(&buffer[UUID_AT..UUID_AT + UUID_SIZE]).as_deref(), Some(uuid));
    assert_eq!(
        buffer.iter().filter(|byte| **byte != 0).count(),
        1 + 1 + 2 + 1 + uuid.len(),
        "all else is zero"
    );
}

#[test]
fn a_uuid_that_no_device_can_have_is_refused() {
    for uuid in ["", "LVM-\0", &"x".repeat(129)] {
        assert_eq!(
            write_status_request(uuid, Ask::Status, 4096).unwrap_err().kind(),
            ErrorKind::InvalidInput,
            "{uuid:?}"
        );
    }
    assert!(write_status_request(&"x".repeat(128), Ask::Status, 4096).is_ok());
}

proptest! {
    #[test]
    fn no_answer_makes_the_parser_panic(
        mut buffer in proptest::collection::vec(any::<u8>(), HEADER_SIZE as usize..600),
        start in 0u32..700,
        count in 0u32..5,
    ) {
        write_u32(&mut buffer, DATA_START_AT, start);
        write_u32(&mut buffer, TARGET_COUNT_AT, count);
        if let Ok(Answer::Status(status)) = parse_status(&buffer) {
            prop_assert_eq!(status.targets.len(), count as usize);
        }
    }
}
