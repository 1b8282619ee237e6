//! What a scrape shows after things have happened.

use lvmwarden_protocol::ids::{LvName, Lvid, VgName};
use lvmwarden_protocol::poll::PollOperation;
use uuid::Uuid;

use super::*;
use crate::foundation::facts::occurrence::PollRef;
use crate::foundation::names;
use crate::roles::archive::plan::Total;
use crate::roles::archive::role::add_gauges;
use crate::roles::archive::{LastPass, Seen};
use crate::roles::poll::operation::conclusion::Ending;
use crate::roles::poll::operation::outcome::Outcome;

fn a_pvmove() -> PollRef {
    PollRef {
        op: Uuid::nil(),
        kind: PollOperation::Pvmove,
        abort: false,
        vgname: VgName::try_from("vg0").unwrap(),
        lvname: LvName::try_from("pvmove0").unwrap(),
        lvid: Lvid::try_from("x".repeat(64)).unwrap(),
    }
}

/// Returns the lines of `text` that are samples and begin with `name`.
fn samples<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    text.lines().filter(|line| line.starts_with(name)).collect()
}

#[test]
fn a_scrape_ends_with_the_mark_of_openmetrics_and_names_the_version() {
    let text = Metrics::new().encode(Snapshot::default());
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert_eq!(
        samples(&text, "lvmwarden_build_info"),
        [concat!("lvmwarden_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1")]
    );
    assert_eq!(samples(&text, "lvmwarden_start_time_seconds").len(), 1, "{text}");
}

#[test]
fn a_connection_is_counted_as_long_as_it_lives() {
    let metrics = Metrics::new();
    let (one, other) = (metrics.connection("api"), metrics.connection("api"));
    drop(one);
    let during = metrics.encode(Snapshot::default());
    assert_eq!(samples(&during, "lvmwarden_connections"), ["lvmwarden_connections{door=\"api\"} 1"]);
    drop(other);
    let after = metrics.encode(Snapshot::default());
    assert_eq!(samples(&after, "lvmwarden_connections"), ["lvmwarden_connections{door=\"api\"} 0"]);
}

#[test]
fn an_answer_is_counted_with_its_time_and_a_stream_without() {
    let metrics = Metrics::new();
    metrics.answered("lvmpolld", "hello", Duration::from_millis(3));
    metrics.streamed("api", "org.lvmwarden.Poll.Watch");
    let text = metrics.encode(Snapshot::default());
    assert_eq!(samples(&text, "lvmwarden_requests_total").len(), 2, "{text}");
    assert_eq!(
        samples(&text, "lvmwarden_request_duration_seconds_count"),
        ["lvmwarden_request_duration_seconds_count{door=\"lvmpolld\",request=\"hello\"} 1"]
    );
    let up_to_five_ms =
        "lvmwarden_request_duration_seconds_bucket{le=\"0.005\",door=\"lvmpolld\",request=\"hello\"} 1";
    assert_eq!(samples(&text, up_to_five_ms).len(), 1, "{text}");
}

#[test]
fn operations_share_one_label_however_many_there_are() {
    let operations = (0..100).map(|number| (names::OPERATIONS.child(&format!("poll:{number}")), 2));
    let others = [(names::JOURNAL.clone(), 1)];
    let now = Snapshot { pending_requests: operations.chain(others).collect(), ..Snapshot::default() };
    let text = Metrics::new().encode(now);
    let mut pending = samples(&text, "lvmwarden_actor_pending_requests{");
    pending.sort_unstable();
    assert_eq!(
        pending,
        [
            "lvmwarden_actor_pending_requests{actor=\"root/journal\"} 1",
            "lvmwarden_actor_pending_requests{actor=\"root/poll/operations/*\"} 200",
        ]
    );
}

#[test]
fn the_archive_is_measured_once_it_was_looked_at() {
    let metrics = Metrics::new();
    assert_eq!(samples(&metrics.encode(Snapshot::default()), "lvmwarden_archive_files"), [""; 0]);
    let removed = Total { files: 3, bytes: 300 };
    metrics.count(&Occurrence::ArchiveCleaned { removed, took: Duration::from_secs(2) });
    let now = Snapshot {
        of_roles: vec![add_gauges(
            Some(Seen { copies: Total { files: 5, bytes: 500 }, unrecognised: 1 }),
            Some(LastPass {
                ended_at: "2026-11-21T12:00:00Z".parse().unwrap(),
                took: Duration::from_secs(2),
                removed,
                vgs_over: 1,
                problem: None,
            }),
        )],
        ..Snapshot::default()
    };
    let text = metrics.encode(now);
    for line in [
        "lvmwarden_archive_files 5",
        "lvmwarden_archive_bytes 500",
        "lvmwarden_archive_unrecognised_files 1",
        "lvmwarden_archive_pass_duration_seconds 2.0",
        "lvmwarden_archive_pass_end_time_seconds 1795262400.0",
        "lvmwarden_archive_vgs_over 1",
        "lvmwarden_archive_removed_files_total 3",
        "lvmwarden_archive_removed_bytes_total 300",
    ] {
        assert_eq!(samples(&text, line), [line], "{text}");
    }
}

#[test]
fn what_happens_to_operations_is_counted_by_kind_and_end() {
    let (metrics, op) = (Metrics::new(), a_pvmove());
    let (ending, took): (Ending, _) =
        (Outcome::Lost { reason: "gone".to_owned() }.into(), Some(Duration::from_secs(90)));
    for occurrence in [
        Occurrence::PollStarted { op: op.clone(), pid: 1, attempt: 1 },
        Occurrence::PollAdopted { op: op.clone(), pid: 1, attempt: 1 },
        Occurrence::PollChildEnded {
            op: op.clone(),
            pid: 1,
            exit: ProcessExit::Code(5),
            was_relieved: false,
        },
        Occurrence::PollEnded { op: op.clone(), ending: ending.clone(), took },
        // How long this one took is unknown: it is no duration of 0.
        Occurrence::PollEnded { op, ending, took: None },
    ] {
        metrics.count(&occurrence);
    }
    let text = metrics.encode(Snapshot::default());
    for line in [
        "lvmwarden_lvpoll_starts_total{kind=\"pvmove\"} 1",
        "lvmwarden_lvpoll_adoptions_total 1",
        "lvmwarden_lvpoll_exits_total{exit=\"failed\"} 1",
        "lvmwarden_poll_operation_duration_seconds_sum{kind=\"pvmove\",outcome=\"lost\"} 90.0",
        "lvmwarden_events_total{kind=\"poll.ended\"} 2",
    ] {
        assert_eq!(samples(&text, line), [line], "{text}");
    }
}

#[test]
fn a_panic_and_the_restart_after_it_are_counted_for_the_static_part_of_the_name() {
    let metrics = Metrics::new();
    for lv in ["poll:A", "poll:B"] {
        let name = names::OPERATIONS.child(lv).to_string();
        let (reason, next) = ("panicked: x".to_owned(), "restarted");
        metrics.count(&Occurrence::ActorEnded { name: name.clone(), reason, is_panic: true, next });
        metrics.count(&Occurrence::ActorRestarted { name, restarts: 1 });
    }
    let text = metrics.encode(Snapshot::default());
    for line in [
        "lvmwarden_actor_panics_total{actor=\"root/poll/operations/*\"} 2",
        "lvmwarden_actor_restarts_total{actor=\"root/poll/operations/*\"} 2",
    ] {
        assert_eq!(samples(&text, line), [line], "{text}");
    }
}
