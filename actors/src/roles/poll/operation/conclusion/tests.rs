//! Every line of lvpoll, and what is concluded from it.

use std::slice;

use lvmwarden_protocol::poll::PollOperation;
use serde_json::json;

use super::*;

fn request(kind: PollOperation, lvname: &str, abort: bool) -> StartRequest {
    StartRequest {
        kind,
        abort,
        handle_missing_pvs: false,
        lvid: "A".try_into().unwrap(),
        vgname: "vg".try_into().unwrap(),
        lvname: lvname.try_into().unwrap(),
        interval: "15".try_into().unwrap(),
        sysdir: None,
        devicesfile: None,
        cmdline: None,
    }
}

fn pvmove() -> StartRequest {
    request(PollOperation::Pvmove, "pvmove0", false)
}

fn merge() -> StartRequest {
    request(PollOperation::Merge, "data", false)
}

fn lines(said: &[&str]) -> Vec<String> {
    said.iter().map(|line| (*line).to_owned()).collect()
}

/// What is known when lvpoll has said this and the kernel shows that.
fn evidence(said: &[&str], verdict: Verdict) -> Evidence {
    let mut evidence = Evidence::default();
    evidence.lvpoll_said(&lines(said));
    evidence.kernel_judged(verdict);
    evidence
}

/// Every line is as lvm2 2.03.16 writes it.
#[test]
fn an_exit_code_of_0_is_no_conclusion() {
    use OutcomeKind::{Aborted, Done, Interrupted, Lost, NothingToDo};
    use Verdict::{Over, Unknown};
    let moved = "  vg/pvmove0: Moved: 100.00%";
    let none = "  vg/pvmove0: No pvmove in progress - already finished or aborted.";
    for (request, said, verdict, is_aborted, expected) in [
        (pvmove(), &[moved][..], Over, false, Done),
        (pvmove(), &[moved, "  WARNING: This metadata update is NOT backed up."], Unknown, false, Done),
        // It was asked to abort, and came too late.
        (pvmove(), &[moved], Over, true, Done),
        (pvmove(), &[], Over, false, Done),
        (pvmove(), &[], Unknown, false, Lost),
        (pvmove(), &["  vg/pvmove0: Moved: 50.00%"], Unknown, false, Lost),
        (pvmove(), &[none], Over, false, NothingToDo),
        (pvmove(), &[none], Over, true, Aborted),
        (pvmove(), &["  vg/pvmove0: Interrupted: No longer active."], Over, false, Interrupted),
        (pvmove(), &["  Can't find VG vg. No longer active."], Over, false, Interrupted),
        (request(PollOperation::Pvmove, "pvmove0", true), &[], Over, false, Done),
        (request(PollOperation::Pvmove, "pvmove0", true), &[none], Over, false, NothingToDo),
        (
            request(PollOperation::Convert, "data", false),
            &["  vg/data: Converted: 100.00%", "  Logical volume vg/data converted."],
            Unknown,
            false,
            Done,
        ),
        (merge(), &["  Merge of snapshot into logical volume vg/data has finished."], Unknown, false, Done),
        (merge(), &["  vg/data: Merged: 100.00%"], Unknown, false, Lost),
        (
            merge(),
            &["  Logical volume vg/data is no longer merging origin, polling has finished."],
            Over,
            false,
            NothingToDo,
        ),
    ] {
        let mut evidence = evidence(said, verdict);
        if is_aborted {
            evidence.abort_asked();
        }
        let conclusion = evidence.conclude(&request, &Outcome::Retcode(0));
        assert_eq!(conclusion.kind, expected, "{said:?} {verdict:?} {is_aborted}");
        assert_eq!(conclusion.remedy.is_some(), !expected.is_well(), "{conclusion:?}");
        assert_eq!(conclusion.last_lines.is_empty(), expected.is_well() || said.is_empty());
    }
}

#[test]
fn what_goes_wrong_has_its_cause_its_remedy_and_the_last_words() {
    use OutcomeKind::{Failed, Interrupted, Invalid, Lost};
    let lost = Outcome::Lost { reason: "cannot execute".to_owned() };
    for (request, said, outcome, kind, cause, remedy) in [
        (
            merge(),
            "  vg/data: Merging snapshot invalidated. Aborting merge.",
            Outcome::Retcode(5),
            Invalid,
            "device-mapper: Invalid",
            "lvremove vg/SNAPSHOT",
        ),
        (
            merge(),
            "  vg/data: Merge failed. Retry merge or inspect manually.",
            Outcome::Retcode(5),
            Invalid,
            "device-mapper: Merge failed",
            "activate vg/data",
        ),
        (merge(), "  LV vg/data is not merged.", Outcome::Retcode(5), Failed, "in use", "activate vg/data"),
        (pvmove(), "  Interrupted...", Outcome::Retcode(5), Interrupted, "asked to end", "--poll y vg"),
        (
            pvmove(),
            "  ABORTING: Polling interrupted for vg/pvmove0.",
            Outcome::Retcode(5),
            Interrupted,
            "asked to end",
            "--poll y vg",
        ),
        (pvmove(), "  Can't lock VG", Outcome::Retcode(5), Failed, "exited with 5", "--poll y vg"),
        (pvmove(), "  odd", Outcome::Retcode(EXEC_FAILED), Failed, "could not be started", "--poll y vg"),
        (pvmove(), "  odd", Outcome::Signal(9), Failed, "signal 9", "--poll y vg"),
        (pvmove(), "  odd", lost, Lost, "cannot execute", "--poll y vg"),
    ] {
        let conclusion = evidence(&[said], Verdict::Unknown).conclude(&request, &outcome);
        assert_eq!(conclusion.kind, kind, "{said}");
        let (told_cause, told_remedy) = (conclusion.cause.unwrap(), conclusion.remedy.unwrap());
        assert!(told_cause.contains(cause), "{told_cause}");
        assert!(told_remedy.contains(remedy), "{told_remedy}");
        assert_eq!(conclusion.last_lines, [said.trim()]);
    }
}

/// Every line is as lvm2 2.03.16 writes it: lvm.conf refuses all disks, and that with `silent=1`; an LV has another name.
#[test]
fn an_lvpoll_that_looks_in_the_wrong_place_is_not_believed() {
    use Verdict::{NotOver, OutOfSight, Over, Unknown};
    let loud = &["  Can't find VG vg/pvmove0. No longer active.", "  Volume group \"vg\" not found"][..];
    let silent = &["  Volume group \"vg\" not found"][..];
    let no_lv = &["  Can't find LV in vg for vg/data."][..];
    let moving = &["  vg/pvmove0: Moved: 50.00%"][..];
    for (said, kernel, verdict) in [
        (loud, NotOver, OutOfSight),
        (loud, Unknown, OutOfSight),
        (loud, Over, Over),
        (silent, NotOver, OutOfSight),
        (silent, Unknown, OutOfSight),
        (no_lv, NotOver, OutOfSight),
        (no_lv, Unknown, Unknown),
        (&[], NotOver, OutOfSight),
        (&[], Unknown, Unknown),
        (moving, NotOver, NotOver),
    ] {
        let mut evidence = Evidence::default();
        evidence.lvpoll_said(&lines(said));
        assert_eq!(evidence.kernel_judged(kernel), verdict, "{said:?} {kernel:?}");
        if verdict == Over {
            continue;
        }
        let conclusion = evidence.conclude(&pvmove(), &Outcome::Retcode(5));
        assert_eq!((conclusion.kind, conclusion.last_lines.len()), (OutcomeKind::Failed, said.len()));
    }
}

#[test]
fn what_a_command_was_told_and_lvpoll_was_not_is_named() {
    let sysdir = Some("/etc/other".try_into().unwrap());
    let elsewhere = StartRequest { sysdir, devicesfile: Some("some".try_into().unwrap()), ..pvmove() };
    let configured = StartRequest {
        cmdline: Some("pvmove --config devices{filter=[]} --devices=/dev/sda --devicesfile x -i1".into()),
        ..pvmove()
    };
    let unseen = &["  Can't find VG vg/pvmove0. No longer active."][..];
    let partial = &["  Cannot change VG vg while PVs are missing."][..];
    for (request, said, verdict, words) in [
        (
            pvmove(),
            unseen,
            Verdict::NotOver,
            "does not find vg/pvmove0, which is not over: it goes by /etc/lvm/lvm.conf",
        ),
        (elsewhere, unseen, Verdict::NotOver, "/etc/other/lvm.conf and the devices file some"),
        (
            configured.clone(),
            unseen,
            Verdict::NotOver,
            "given --config and --devices, which LVM does not pass on",
        ),
        (
            configured,
            partial,
            Verdict::Unknown,
            "not see all disks of the VG vg: it goes by /etc/lvm/lvm.conf; the command",
        ),
    ] {
        let conclusion = evidence(said, verdict).conclude(&request, &Outcome::Retcode(5));
        let cause = conclusion.cause.unwrap();
        assert!(cause.contains(words), "{cause}");
        assert!(conclusion.remedy.unwrap().contains("`vgchange --poll y vg`"));
    }
}

#[test]
fn what_the_kernel_contradicts_again_and_again_has_failed() {
    let moved = "  vg/pvmove0: Moved: 100.00%";
    let conclusion = evidence(&[moved], Verdict::NotOver).conclude(&pvmove(), &Outcome::Retcode(5));
    assert_eq!(conclusion.kind, OutcomeKind::Failed);
    assert!(conclusion.cause.unwrap().contains("0 again and again"));
}

#[test]
fn the_kernels_own_word_is_told() {
    let mut evidence =
        evidence(&["  vg/data: Merging snapshot invalidated. Aborting merge."], Verdict::Unknown);
    let failed = Situation::Due(Due::Failed { words: "Overflow".to_owned() });
    assert_eq!(evidence.kernel_showed(&Look::of(failed, None)), []);
    let conclusion = evidence.conclude(&merge(), &Outcome::Retcode(5));
    assert!(conclusion.cause.unwrap().contains("device-mapper: Overflow"));
}

#[test]
fn a_pvmove_off_a_disk_with_unreadable_sectors_is_done_with_errors() {
    let fault = |device: &str, is_source, letter| Fault { device: device.to_owned(), is_source, letter };
    let (read, written) = (fault("/dev/sda", true, 'S'), fault("/dev/sdb", false, 'S'));
    let failed = |faults: &[Fault]| {
        let situation = Situation::Due(Due::Failed { words: "SA".to_owned() });
        Look { faults: faults.to_vec(), ..Look::of(situation, None) }
    };
    let mut evidence = evidence(&["  vg/pvmove0: Moved: 100.00%"], Verdict::Over);
    assert_eq!(evidence.kernel_showed(&failed(slice::from_ref(&read))), slice::from_ref(&read));
    assert_eq!(evidence.kernel_showed(&failed(&[read.clone(), written.clone()])), [written], "told once");
    // The kernel forgets it at the end of the segment.
    assert_eq!(evidence.kernel_showed(&Look::of(Situation::Copying, None)), []);
    let conclusion = evidence.conclude(&pvmove(), &Outcome::Retcode(0));
    assert_eq!(conclusion.kind, OutcomeKind::DoneWithErrors);
    let cause = conclusion.cause.unwrap();
    assert!(cause.contains("/dev/sda could not be read everywhere (device-mapper: S)"), "{cause}");
    assert!(cause.contains("/dev/sdb could not be written everywhere"), "{cause}");
    assert!(conclusion.remedy.unwrap().contains("neither wipe nor reuse /dev/sda and /dev/sdb"));

    let mut after_a_restart = Evidence::of_earlier_life(false, vec![read]);
    after_a_restart.lvpoll_begins();
    after_a_restart.kernel_judged(Verdict::Over);
    assert_eq!(after_a_restart.conclude(&pvmove(), &Outcome::Retcode(0)).kind, OutcomeKind::DoneWithErrors);
    // What was not done at all is told as it was.
    assert_eq!(after_a_restart.conclude(&pvmove(), &Outcome::Retcode(5)).kind, OutcomeKind::Failed);
}

#[test]
fn a_few_last_lines_are_kept_and_of_progress_the_last() {
    let mut evidence = Evidence::default();
    for number in 0..20 {
        evidence.lvpoll_said(&[format!("  vg/pvmove0: Moved: {number}.00%")]);
        evidence.lvpoll_said(&lines(&["", &format!("  line {number}")]));
    }
    evidence.lvpoll_said(&["x".repeat(10_000)]);
    let said = evidence.conclude(&pvmove(), &Outcome::Retcode(5)).last_lines;
    assert_eq!(said[..4], ["line 17", "line 18", "vg/pvmove0: Moved: 19.00%", "line 19"]);
    assert_eq!(said[4].len(), LINE_BYTES);
    assert_eq!(said.len(), LINES_KEPT);
}

#[test]
fn what_an_lvpoll_has_said_says_nothing_of_the_next() {
    let mut evidence = evidence(&["  vg/pvmove0: Moved: 100.00%"], Verdict::Over);
    evidence.abort_asked();
    evidence.lvpoll_begins();
    assert_eq!(evidence.last_line(), None);
    assert_eq!(evidence.conclude(&pvmove(), &Outcome::Retcode(0)).kind, OutcomeKind::Lost);
    evidence.lvpoll_said(&lines(&["  vg/pvmove0: No pvmove in progress - already finished or aborted."]));
    assert_eq!(evidence.conclude(&pvmove(), &Outcome::Retcode(0)).kind, OutcomeKind::Aborted);
}

#[test]
fn an_end_that_an_earlier_release_has_written_is_read() {
    for (written, kind, cause) in [
        (json!({"outcome": {"retcode": 0}}), OutcomeKind::Done, None),
        (json!({"outcome": {"retcode": 5}}), OutcomeKind::Failed, Some("lvpoll exited with 5")),
        (json!({"outcome": {"signal": 9}}), OutcomeKind::Failed, Some("lvpoll was ended by signal 9")),
        (json!({"outcome": {"lost": {"reason": "gone"}}}), OutcomeKind::Lost, Some("gone")),
    ] {
        let ending: Ending = serde_json::from_value(written).unwrap();
        let conclusion = ending.conclusion();
        assert_eq!((conclusion.kind, conclusion.cause.as_deref()), (kind, cause));
    }
}
