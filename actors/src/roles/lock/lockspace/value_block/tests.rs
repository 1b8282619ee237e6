//! The table of versions, row by row, and that nothing lower is ever written.

use lvmwarden_protocol::lock::LockType;
use proptest::prelude::*;

use super::{FORMAT, Known, REMOVED, Reading, next_version, read, removed, written};
use crate::roles::lock::lock_manager::{Resource, ValueBlock};
use crate::roles::lock::lockspace::testing::lv;

fn block(r_version: u32) -> ValueBlock {
    ValueBlock { version: FORMAT, flags: 0, r_version }
}

fn known(version: u32, zero_is_valid: bool) -> Known {
    Known { version, zero_is_valid }
}

#[track_caller]
fn row(before: Known, value: u32, after: Known, says: Reading) {
    assert_eq!(read(before, block(value)), (after, says), "own {before:?}, value {value}");
}

#[test]
fn every_row_of_the_table_of_versions() {
    row(known(7, false), 7, known(7, false), Reading::Current);
    row(known(7, true), 7, known(7, true), Reading::Current);
    row(known(7, false), 9, known(9, false), Reading::Outdated(9));
    row(known(7, true), 9, known(9, false), Reading::Outdated(9));
    row(known(0, true), 0, known(0, true), Reading::Current);
    row(known(7, true), 0, known(7, true), Reading::Current);
    row(known(7, true), 5, known(5, false), Reading::Outdated(0));
    row(known(0, true), 5, known(5, false), Reading::Outdated(5));
    row(known(0, false), 5, known(5, false), Reading::Outdated(5));
    row(known(0, false), 0, known(0, true), Reading::Outdated(0));
    row(known(7, false), 0, known(7, true), Reading::Outdated(0));
    row(known(7, false), 5, known(5, false), Reading::Outdated(0));
}

#[test]
fn a_format_that_is_not_understood_comes_before_everything() {
    let strange = ValueBlock { version: 0x0200, flags: REMOVED, r_version: 7 };
    assert_eq!(read(known(7, false), strange), (known(7, false), Reading::Invalid));
    let minor = ValueBlock { version: 0x01ff, ..block(7) };
    assert_eq!(read(known(7, false), minor).1, Reading::Current);
}

#[test]
fn a_removed_vg_is_told_only_by_a_block_that_was_written() {
    assert_eq!(read(known(7, false), ValueBlock { flags: REMOVED, ..block(7) }).1, Reading::Removed);
    assert_eq!(read(known(7, false), ValueBlock { flags: REMOVED, ..block(0) }).1, Reading::Outdated(0));
    let empty = ValueBlock { version: 0, flags: REMOVED, r_version: 7 };
    assert_eq!(read(known(7, false), empty).1, Reading::Current);
    assert_eq!(read(known(0, false), removed(0)).1, Reading::Removed);
}

#[test]
fn the_global_lock_counts_and_the_vg_lock_has_what_was_announced() {
    assert_eq!(next_version(&Resource::Global, known(4, false), 0), Some(5));
    assert_eq!(next_version(&Resource::Vg, known(4, false), 9), Some(9));
    assert_eq!(next_version(&Resource::Vg, known(4, false), 4), None);
    assert_eq!(next_version(&lv("uuid"), known(4, false), 9), None);
}

#[test]
fn nothing_is_written_over_a_block_that_was_not_read() {
    assert_eq!(written(LockType::Dlm, None, Some(5)), None);
    assert_eq!(written(LockType::Dlm, Some(ValueBlock::default()), None), Some(block(0)));
    assert_eq!(written(LockType::Sanlock, Some(ValueBlock::default()), None), None);
    assert_eq!(written(LockType::Dlm, Some(block(4)), None), None);
    assert_eq!(written(LockType::Sanlock, Some(block(4)), Some(5)), Some(block(5)));
}

proptest! {
    #[test]
    fn what_is_written_after_a_reading_is_never_lower_than_what_was_read(
        own in 0..20_u32, zero in any::<bool>(), value in 0..20_u32, announced in 0..40_u32, global in any::<bool>(),
    ) {
        let resource = if global { Resource::Global } else { Resource::Vg };
        let (after, _) = read(known(own, zero), block(value));
        let next = next_version(&resource, after, announced);
        if let Some(new) = written(LockType::Dlm, Some(block(value)), next) {
            prop_assert!(new.r_version >= value);
        }
    }
}
