//! What numbers and line say of lockspaces.

use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::lock::{LockType, ResultCode};

use super::*;
use crate::foundation::facts::metrics::{Metrics, Snapshot};
use crate::roles::lock::lock_manager::{Fault, GlobalLease, Renewal, Resource};
use crate::roles::lock::lockspace::ask::Client;
use crate::roles::lock::lockspace::event::Spec;
use crate::roles::lock::lockspace::picture::{HolderPicture, ResourcePicture, WaiterPicture, Why};

fn seconds(count: u64) -> Moment {
    Duration::from_secs(count)
}

fn picture(vg: &str) -> LockspacePicture {
    LockspacePicture {
        spec: Spec {
            name: Arc::from(format!("lvm_{vg}")),
            vg: Some(vg.try_into().unwrap()),
            vg_uuid: None,
            args: Arc::from(""),
            lock_type: LockType::Sanlock,
            host_id: 1,
            local_wait: None,
        },
        stage: Stage::Running,
        generation: 1,
        killed: false,
        global: GlobalLease::Absent,
        renewal: Some((lease(4), seconds(100))),
        fault: None,
        waiting: 0,
        resources: Vec::new(),
    }
}

fn lease(age: u64) -> Renewal {
    Renewal { age: seconds(age), kill_after: seconds(80), reset_after: seconds(140) }
}

fn lock() -> ResourcePicture {
    ResourcePicture {
        resource: Resource::Vg,
        mode: LockMode::Shared,
        version: 0,
        holders: Vec::new(),
        waiters: Vec::new(),
        is_busy: false,
        unadopted: None,
        unreleased: None,
    }
}

fn holder(mode: LockMode) -> HolderPicture {
    let client = Arc::new(Client::of_this_daemon("vgs"));
    let nothing: Arc<str> = Arc::from("");
    let (since, lv_name, lv_args) = (seconds(1), Arc::clone(&nothing), nothing);
    HolderPicture { client, mode, version: 0, persistent: false, since, lv_name, lv_args }
}

fn waiter(since: u64) -> WaiterPicture {
    let client = Arc::new(Client::of_this_daemon("vgs"));
    let (mode, since, why) = (LockMode::Exclusive, seconds(since), Why::Held);
    WaiterPicture { client, mode, persistent: false, since, why }
}

fn fault() -> Fault {
    Fault::new(ResultCode::LOCK_IO, "no disk".to_owned())
}

fn scraped(counts: LockCounts) -> String {
    let add = move |registry: &mut Registry| counts.register(registry);
    Metrics::new().encode(Snapshot { of_roles: vec![Box::new(add)], ..Snapshot::default() })
}

#[track_caller]
fn assert_lines(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(text.lines().any(|there| there == *line), "{line} is not in\n{text}");
    }
}

#[test]
fn holders_and_waiters_are_counted_by_mode_and_what_is_wrong_by_kind() {
    let busy = ResourcePicture {
        holders: vec![holder(LockMode::Shared), holder(LockMode::Shared)],
        waiters: vec![waiter(90), waiter(70)],
        ..lock()
    };
    let left = ResourcePicture { unadopted: Some(fault()), ..lock() };
    let stuck = ResourcePicture { unreleased: Some((seconds(1), fault())), ..lock() };
    let picture = LockspacePicture { resources: vec![busy, left, stuck], ..picture("vg0") };
    let lockspaces = vec![LockspaceCount::of(&picture, seconds(100))];
    let text = scraped(LockCounts { lockspaces, not_answering: 2, left_behind: 3 });
    assert_lines(
        &text,
        &[
            "lvmwarden_lockspaces{state=\"running\"} 1",
            "lvmwarden_lockspaces{state=\"killed\"} 0",
            "lvmwarden_lockspaces{state=\"not_answering\"} 2",
            "lvmwarden_lockspaces_left_behind 3",
            "lvmwarden_locks_held{mode=\"sh\"} 2",
            "lvmwarden_locks_held{mode=\"ex\"} 0",
            "lvmwarden_locks_waiting{mode=\"ex\"} 2",
            "lvmwarden_lock_longest_wait_seconds 30.0",
            "lvmwarden_lock_orphans 1",
            "lvmwarden_locks_not_given_back 1",
        ],
    );
}

#[test]
fn the_worst_lease_is_told_with_its_age_since_it_was_seen_and_no_vg_is_a_label() {
    let good = LockspaceCount::of(&picture("vg0"), seconds(110));
    let late = LockspacePicture { renewal: Some((lease(35), seconds(100))), ..picture("vg1") };
    let late = LockspaceCount::of(&late, seconds(110));
    let text = scraped(LockCounts { lockspaces: vec![good, late], ..LockCounts::default() });
    assert_lines(
        &text,
        &[
            "lvmwarden_lock_leases_late 1",
            "lvmwarden_lock_lease_age_seconds 45.0",
            "lvmwarden_lock_kill_countdown_seconds 35.0",
            "lvmwarden_lock_reset_countdown_seconds 95.0",
        ],
    );
    assert!(!text.contains("vg1"), "{text}");
}

#[test]
fn without_a_lease_there_is_no_countdown() {
    let dlm = LockspacePicture { renewal: None, ..picture("vg0") };
    let lockspaces = vec![LockspaceCount::of(&dlm, seconds(100))];
    let text = scraped(LockCounts { lockspaces, ..LockCounts::default() });
    assert!(!text.contains("countdown") && text.contains("lvmwarden_lock_leases_late 0"), "{text}");
}

#[test]
fn the_line_names_lost_leases_first_and_at_most_three_of_them() {
    let at = |picture: &LockspacePicture| LockspaceCount::of(picture, seconds(100));
    assert_eq!(LockCounts::default().in_words(), "no shared VG");
    let waited =
        ResourcePicture { holders: vec![holder(LockMode::Shared)], waiters: vec![waiter(1)], ..lock() };
    let waited = LockspacePicture { resources: vec![waited], ..picture("vg0") };
    let mut counts = LockCounts { lockspaces: vec![at(&waited)], ..LockCounts::default() };
    assert_eq!(counts.in_words(), "1 shared VG, 1 lock held, 1 waits");
    let late = |vg| LockspacePicture { renewal: Some((lease(92), seconds(100))), ..picture(vg) };
    counts.lockspaces.push(at(&late("vg1")));
    counts.lockspaces.push(at(&LockspacePicture { killed: true, renewal: None, ..picture("vg2") }));
    assert_eq!(
        counts.in_words(),
        "LEASES LOST: vg1 (host reset in 48 s), vg2; 3 shared VGs, 1 lock held, 1 waits"
    );
    counts.lockspaces.extend(["vg3", "vg4"].map(|vg| at(&late(vg))));
    counts.left_behind = 1;
    assert_eq!(
        counts.in_words(),
        "LEASES LOST: vg1 (host reset in 48 s), vg2, vg3 (host reset in 48 s), and 1 more; 5 shared VGs, \
         1 lock held, 1 waits, 1 not taken over"
    );
}
