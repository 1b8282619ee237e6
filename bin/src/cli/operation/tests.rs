//! Words for operations.

use lvmwarden_protocol::api::poll::{Blocked, CopyProgress};

use super::*;
use crate::cli::samples::{clock, ended, id, pvmove};

fn because(kind: OutcomeKind, cause: &str) -> Outcome {
    Outcome { cause: Some(cause.to_owned()), ..Outcome::of(kind) }
}

#[test]
fn each_end_has_its_words_and_exit_code() {
    for (outcome, words, code) in [
        (Outcome::of(OutcomeKind::Done), "done", Exit::Done),
        (Outcome::of(OutcomeKind::DoneWithErrors), "done, with errors", Exit::Failed),
        (Outcome::of(OutcomeKind::Aborted), "aborted", Exit::Done),
        (Outcome::of(OutcomeKind::NothingToDo), "nothing to do", Exit::Done),
        (because(OutcomeKind::Failed, "lvpoll exited with 5"), "failed: lvpoll exited with 5", Exit::Failed),
        (because(OutcomeKind::Invalid, "it ran full"), "invalid: it ran full", Exit::Failed),
        (Outcome::of(OutcomeKind::Interrupted), "interrupted", Exit::Failed),
        (because(OutcomeKind::Lost, "the disk is gone"), "lost: the disk is gone", Exit::Failed),
    ] {
        let operation = ended(pvmove(1, "vg", Some(1.0)), outcome);
        assert_eq!(state(&operation).0, words);
        assert_eq!(exit([&operation]), code, "{words}");
    }
}

#[test]
fn an_operation_that_has_not_ended_has_not_ended_well() {
    assert_eq!(exit([&pvmove(1, "vg", Some(100.0))]), Exit::Failed);
}

#[test]
fn a_silent_lvpoll_is_called_so() {
    assert_eq!(state(&Operation { silent: true, ..pvmove(1, "vg", None) }).0, "silent");
    assert_eq!(state(&pvmove(1, "vg", None)).0, "running");
}

#[test]
fn bars_are_full_at_a_hundred_only_and_absent_when_nothing_is_known() {
    let bar = |percent| bar(&pvmove(1, "vg", percent));
    assert_eq!(bar(None), "");
    assert_eq!(bar(Some(0.0)), "░".repeat(20));
    assert_eq!(bar(Some(50.0)), "█".repeat(10) + &"░".repeat(10));
    assert_eq!(bar(Some(99.9)), "█".repeat(19) + "░");
    assert_eq!(bar(Some(100.0)), "█".repeat(20));
}

#[test]
fn short_ids_are_just_long_enough() {
    let common = 0x0123_4567_89ab_0000_0000_0000_0000_0000;
    let ids = [id(1), Uuid::from_u128(common), Uuid::from_u128(common | 0x1 << 64)];
    assert_eq!(id_length(&ids[..2]), 8);
    let length = id_length(&ids);
    assert_eq!(short_id(ids[1], length), "01234567-89ab-0000");
    assert_eq!(short_id(ids[2], length), "01234567-89ab-0001");
    assert_eq!(id_length(&[id(1), id(1)]), 8);
    assert_eq!(id_length(&[]), 8);
}

#[test]
fn the_speed_of_a_copy_is_told_as_far_as_it_is_known() {
    let copy = |bytes_per_second, left_seconds| CopyProgress {
        done_bytes: 3 << 30,
        total_bytes: 10 << 30,
        segment: 2,
        segments: 5,
        bytes_per_second,
        left_seconds,
    };
    let copying = |copy| Operation { copy: Some(copy), ..pvmove(1, "vg", Some(30.0)) };
    let known = copying(copy(Some(100 << 20), Some(71)));
    assert_eq!(copy_speed(&known).as_deref(), Some("100.00 MiB/s, 1 min 11 s left"));
    assert_eq!(copied(&known), "3.00 GiB of 10.00 GiB, in segment 2 of 5");
    assert_eq!(copy_speed(&copying(copy(Some(0), None))).as_deref(), Some("0 B/s"));
    assert_eq!(copy_speed(&copying(copy(None, None))), None);
    assert_eq!(copy_speed(&ended(known, Outcome::of(OutcomeKind::Done))), None);
    assert_eq!((copy_speed(&pvmove(1, "vg", None)), copied(&pvmove(1, "vg", None))), (None, String::new()));
}

#[test]
fn what_lvpoll_waits_for_in_the_kernel_is_told() {
    let waiting = |wait_point: Option<&str>, device: Option<&str>| {
        let since = "2026-11-21T11:50:00Z".to_owned();
        let wait =
            Blocked { since, wait_point: wait_point.map(str::to_owned), device: device.map(str::to_owned) };
        Operation { blocked: Some(wait), ..pvmove(1, "vg", None) }
    };
    let known = waiting(Some("io_schedule"), Some("/dev/sda"));
    assert_eq!(short_state(&known).0, "blocked");
    assert_eq!(blocked(&known, &clock()), "lvpoll waits in io_schedule for /dev/sda since 11:50:00");
    assert_eq!(blocked(&waiting(None, None), &clock()), "lvpoll waits in the kernel since 11:50:00");
    assert_eq!(blocked(&pvmove(1, "vg", None), &clock()), "");
}
