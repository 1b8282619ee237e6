//! What each occurrence is called: a promise to readers.

use super::*;
use crate::roles::poll::operation::outcome::Outcome;

fn op() -> PollRef {
    PollRef {
        op: Uuid::from_u128(7),
        kind: PollOperation::Pvmove,
        abort: false,
        vgname: "vg".try_into().unwrap(),
        lvname: "pvmove0".try_into().unwrap(),
        lvid: "VGALVA".try_into().unwrap(),
    }
}

/// `fields` is `name=value`, one a word.
#[track_caller]
fn assert_reads(occurrence: &Occurrence, kind: &str, subject: &str, fields: &str) {
    let read: Vec<String> =
        occurrence.fields().iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!((occurrence.kind(), occurrence.subject().as_str()), (kind, subject));
    assert_eq!(read.join(" "), fields, "{kind}");
}

/// Every operation's occurrence names the operation, and says what else there is to know.
#[track_caller]
fn assert_poll_reads(occurrence: &Occurrence, kind: &str, others: &[(&str, &str)]) {
    let mut expected: BTreeMap<&str, &str> = others.iter().copied().collect();
    expected.extend([
        ("abort", "false"),
        ("kind", "pvmove"),
        ("lvid", "VGALVA"),
        ("op", "00000000-0000-0000-0000-000000000007"),
    ]);
    let expected: Vec<String> = expected.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_reads(occurrence, kind, "vg/pvmove0", &expected.join(" "));
}

#[test]
fn what_happens_to_operations_has_its_words() {
    use Occurrence as O;

    let child = [("pid", "4242"), ("attempt", "2")];
    for (occurrence, kind, others) in [
        (O::PollIntended { op: op(), asked_by: None, uid: None }, "poll.intended", &[][..]),
        (
            O::PollIntended { op: op(), asked_by: Some("pvmove".to_owned()), uid: Some(0) },
            "poll.intended",
            &[("asked_by", "pvmove"), ("uid", "0")],
        ),
        (O::PollStarted { op: op(), pid: 4242, attempt: 2 }, "poll.started", &child),
        (O::PollAdopted { op: op(), pid: 4242, attempt: 2 }, "poll.adopted", &child),
        (
            O::PollChildEnded { op: op(), pid: 4242, exit: ProcessExit::Signal(9), was_relieved: false },
            "poll.child_ended",
            &[("pid", "4242"), ("exit", "signal 9"), ("was_relieved", "false")],
        ),
        (O::PollFellBack { op: op(), why: "odd" }, "poll.fell_back", &[("why", "odd")]),
        (
            O::PollRetried { op: op(), delay: Duration::from_millis(200), why: "killed" },
            "poll.retried",
            &[("delay_ms", "200"), ("why", "killed")],
        ),
        (O::PollProgress { op: op(), percent: 12.5 }, "poll.progress", &[("percent", "12.5")]),
        (
            O::PollSilent { op: op(), silence: Duration::from_mins(1) },
            "poll.silent",
            &[("silence_seconds", "60")],
        ),
        (
            O::PollSegment {
                op: op(),
                done: SegmentDone { number: 2, count: 3, bytes: Some(9), took_ms: None },
            },
            "poll.segment",
            &[("segment", "2"), ("segments", "3"), ("bytes", "9")],
        ),
        (O::PollSpokeAgain { op: op() }, "poll.spoke_again", &[]),
        (
            O::PollEnded { op: op(), ending: Outcome::Retcode(5).into(), took: Some(Duration::from_secs(2)) },
            "poll.ended",
            &[
                ("outcome", "failed"),
                ("cause", "lvpoll exited with 5"),
                ("lvpoll", "exit code 5"),
                ("took_ms", "2000"),
            ],
        ),
        (
            // The clock was set back meanwhile.
            O::PollEnded { op: op(), ending: Outcome::Retcode(5).into(), took: None },
            "poll.ended",
            &[("outcome", "failed"), ("cause", "lvpoll exited with 5"), ("lvpoll", "exit code 5")],
        ),
        (O::PollForgotten { op: op() }, "poll.forgotten", &[]),
    ] {
        assert_poll_reads(&occurrence, kind, others);
    }
}

#[test]
fn what_happens_to_the_daemon_has_its_words() {
    use Occurrence as O;

    let name = "root/doors/api".to_owned();
    let PollRef { kind, vgname, lvname, lvid, .. } = op();
    let unfinished = Unfinished { kind, vgname, lvname, lvid };
    for (occurrence, kind, subject, fields) in [
        (
            O::ActorEnded {
                name: name.clone(),
                reason: "killed".to_owned(),
                is_panic: false,
                next: "restarted",
            },
            "actor.ended",
            "root/doors/api",
            "is_panic=false next=restarted reason=killed",
        ),
        (O::ActorRestarted { name, restarts: 3 }, "actor.restarted", "root/doors/api", "restarts=3"),
        (O::ServiceStarted { version: "0.1.0" }, "service.started", "service", "version=0.1.0"),
        (O::ServiceReady, "service.ready", "service", ""),
        (
            O::VgChanged {
                vg: "vg0".into(),
                uuid: "u".into(),
                change: VgChange::Partial,
                seqno: 3,
                missing_pvs: 1,
            },
            "metadata.vg_partial",
            "vg0",
            "missing_pvs=1 seqno=3 vg_uuid=u",
        ),
        (O::ServiceStopping { why: "SIGTERM".to_owned() }, "service.stopping", "service", "why=SIGTERM"),
        (O::ServiceStopRefused { why: "leases".to_owned() }, "service.stop_refused", "service", "why=leases"),
        (O::LogLevelChanged { level: "debug".to_owned() }, "log.level_changed", "service", "level=debug"),
        (
            O::ConfigurationReloaded {
                applied: vec!["log.level".to_owned()],
                needs_restart: vec!["poll.socket".to_owned(), "api.mode".to_owned()],
            },
            "service.configuration_reloaded",
            "service",
            "applied=log.level needs_restart=poll.socket api.mode",
        ),
        (
            O::PollThrottled { knob: Knob::Mirror, percent: 5, original: 100 },
            "poll.throttled",
            "dm_mirror",
            "knob=mirror original_percent=100 percent=5",
        ),
        (
            O::PollUnthrottled { knob: Knob::Snapshot, percent: None, why: "asked for" },
            "poll.unthrottled",
            "dm_snapshot",
            "knob=snapshot why=asked for",
        ),
        (
            O::PollFound { lv: unfinished, next: "poll it" },
            "poll.found",
            "vg/pvmove0",
            "kind=pvmove lvid=VGALVA next=poll it",
        ),
        (
            O::ArchiveCleaned { removed: Total { files: 3, bytes: 4096 }, took: Duration::from_millis(12) },
            "archive.cleaned",
            "archive",
            "removed_bytes=4096 removed_files=3 took_ms=12",
        ),
        (O::ArchiveFailed { reason: "x".to_owned() }, "archive.failed", "archive", "reason=x"),
        (O::ClientRefused { uid: 1000 }, "client.refused", "service", "uid=1000"),
        (O::HistoryStuck { why: "full".to_owned() }, "history.stuck", "service", "why=full"),
        (O::HistoryCaughtUp, "history.caught_up", "service", ""),
        (O::HistoryGap, "history.gap", "service", ""),
        (O::LogLinesDropped { count: 12 }, "log.lines_dropped", "service", "count=12"),
    ] {
        assert_reads(&occurrence, kind, subject, fields);
    }
}

#[test]
fn what_happens_to_locks_has_its_words() {
    let (lockspace, by) = (Arc::from("lvm_vg0"), LockAsker { pid: 7, command: Arc::from("lvcreate") });
    let (lock, mode, took) = ("VGLK".to_owned(), "ex", Duration::from_secs(12));
    let occurrence = Occurrence::LockWaited {
        lockspace: Arc::clone(&lockspace),
        lock: lock.clone(),
        mode,
        by,
        took,
        result: "ok",
    };
    let words = "command=lvcreate lock=VGLK mode=ex pid=7 result=ok took_ms=12000";
    assert_reads(&occurrence, "lock.waited", "lvm_vg0", words);
    let nobody = LockAsker { pid: 0, command: Arc::from("") };
    let occurrence = Occurrence::LockRefused {
        lockspace: Arc::clone(&lockspace),
        lock,
        mode,
        by: nobody,
        result: "again",
        times: 3,
    };
    assert_reads(&occurrence, "lock.refused", "lvm_vg0", "lock=VGLK mode=ex result=again times=3");
    let occurrence = Occurrence::LockSettled { lockspace, lock: None, how: "given back by force", uid: 0 };
    assert_reads(&occurrence, "lock.settled", "lvm_vg0", "how=given back by force uid=0");
}
