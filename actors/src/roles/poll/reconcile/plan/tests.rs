//! Who is polled, who is left alone, and who waits.

use lvmwarden_protocol::poll::PollOperation;
use lvmwarden_supervisor::process::{BootId, ProcessIdentity};

use super::super::foreign::WorksOn;
use super::*;

const RESUME: Policy = Policy { resume: true, at_once: 2 };
const REPORT: Policy = Policy { resume: false, at_once: 2 };

fn lvid(name: char) -> Lvid {
    name.to_string().repeat(64).try_into().unwrap()
}

/// The pvmoves of the LVs with these letters; a small one has no device.
fn pvmoves(names: &str) -> Vec<(Unfinished, bool)> {
    let unfinished = |name: char| Unfinished {
        kind: PollOperation::Pvmove,
        vgname: "vg".try_into().unwrap(),
        lvname: name.to_string().try_into().unwrap(),
        lvid: lvid(name),
    };
    names.chars().map(|name| (unfinished(name), name.is_ascii_uppercase())).collect()
}

fn operation(name: char, was_found: bool) -> InProgress {
    InProgress { op: Uuid::from_u128(name as u128), lvid: lvid(name), was_found }
}

fn stranger(works_on: WorksOn) -> Stranger {
    let process = ProcessIdentity { pid: 7, start_time_ticks: 5, boot_id: BootId::of_a_test("boot") };
    Stranger { process, command_line: "lvm".into(), works_on }
}

/// Returns a letter for each LV: Polled, Foreign, Inactive, Tried, Resume, Waits, reported as `!`.
fn letters(
    names: &str,
    in_progress: &[InProgress],
    strangers: &[Stranger],
    tried: &str,
    policy: Policy,
) -> String {
    let (unfinished, tried) = (pvmoves(names), tried.chars().map(lvid).collect());
    let seen = Seen { unfinished: &unfinished, in_progress, strangers, tried: &tried };
    let letter = |standing| match standing {
        Standing::Polled { .. } => 'P',
        Standing::Foreign(_) => 'F',
        Standing::Inactive => 'I',
        Standing::Tried => 'T',
        Standing::Resume => 'R',
        Standing::Waits => 'W',
        Standing::Reported => '!',
    };
    plan(seen, policy).into_iter().map(letter).collect()
}

#[test]
fn the_first_that_holds_decides() {
    let ours = &[operation('A', false)][..];
    let all = &[stranger(WorksOn::Any(&PollOperation::ALL))][..];
    let one = &[stranger(WorksOn::Lv("vg".try_into().unwrap(), "B".try_into().unwrap()))][..];
    let others = &[stranger(WorksOn::Any(&[PollOperation::Merge]))][..];
    for (names, in_progress, strangers, tried, policy, expected) in [
        ("", &[][..], &[][..], "", RESUME, ""),
        ("A", &[], &[], "", RESUME, "R"),
        ("A", &[], &[], "", REPORT, "!"),
        ("A", ours, &[], "", RESUME, "P"),
        ("AB", ours, all, "AB", RESUME, "PF"),
        ("AB", &[], one, "", RESUME, "RF"),
        ("AB", &[], others, "", RESUME, "RR"),
        ("a", &[], &[], "", RESUME, "I"),
        ("a", &[], all, "", RESUME, "F"),
        ("aB", &[], &[], "aB", RESUME, "IT"),
        ("aBC", &[], &[], "B", REPORT, "IT!"),
    ] {
        assert_eq!(letters(names, in_progress, strangers, tried, policy), expected, "{names} {tried}");
    }
}

#[test]
fn only_so_many_are_in_progress_at_once_and_the_rest_wait_in_order() {
    let found = |names: &str| names.chars().map(|name| operation(name, true)).collect::<Vec<_>>();
    assert_eq!(letters("ABCD", &[], &[], "", RESUME), "RRWW");
    assert_eq!(letters("ABCD", &found("AB"), &[], "AB", RESUME), "PPWW");
    // The first has ended.
    assert_eq!(letters("ABCD", &found("B"), &[], "AB", RESUME), "TPRW");
    // Those that clients asked for take nobody's place.
    assert_eq!(letters("ABCD", &[operation('C', false)], &[], "", RESUME), "RRPW");
    // More than now permitted are in progress: the daemon was configured anew.
    assert_eq!(letters("ABCD", &found("ABC"), &[], "", RESUME), "PPPW");
    // What has no device takes no place.
    assert_eq!(letters("abCD", &[], &[], "", RESUME), "IIRR");
}

#[test]
fn what_nobody_polls_is_told_with_what_comes_next() {
    let found = [
        (Standing::Resume, Some("poll it")),
        (Standing::Waits, Some("poll it when there is room")),
        (Standing::Reported, Some("only tell")),
        (Standing::Tried, None),
        (Standing::Inactive, None),
        (Standing::Polled { op: Uuid::nil() }, None),
    ];
    for (standing, expected) in found {
        assert_eq!(standing.if_found(), expected, "{standing:?}");
    }
}
