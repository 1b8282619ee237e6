//! Chains of waiters and holders, in words.

use std::sync::Arc;

use lvmwarden_protocol::lock::{LockType, ResultCode};

use super::*;
use crate::roles::lock::lock_manager::{Fault, GlobalLease, Renewal};
use crate::roles::lock::lockspace::event::Spec;
use crate::roles::lock::lockspace::picture::HolderPicture;
use crate::roles::lock::lockspace::testing::{id, lv};

const NOW: Moment = Duration::from_secs(100);
const LV: &str = "yLXt7f-rD3N-8jLh-4UpG-kX3o-t0bA-Ze1r7q";

fn client(id: u32, name: &str) -> Arc<Client> {
    Arc::new(Client { id: ClientId(id), pid: 1000 + id, process: None, name: Arc::from(name) })
}

fn holder(id: u32, name: &str, mode: LockMode, since: u64) -> HolderPicture {
    HolderPicture {
        client: client(id, name),
        mode,
        version: 0,
        persistent: false,
        since: Duration::from_secs(since),
        lv_name: Arc::from(""),
        lv_args: Arc::from(""),
    }
}

fn waiter(id: u32, name: &str, mode: LockMode, since: u64, why: Why) -> WaiterPicture {
    WaiterPicture {
        client: client(id, name),
        mode,
        persistent: false,
        since: Duration::from_secs(since),
        why,
    }
}

fn lock(resource: Resource, holders: Vec<HolderPicture>, waiters: Vec<WaiterPicture>) -> ResourcePicture {
    let mode = holders.first().map_or(LockMode::Unlocked, |holder| holder.mode);
    ResourcePicture {
        resource,
        mode,
        version: 0,
        holders,
        waiters,
        is_busy: false,
        unadopted: None,
        unreleased: None,
    }
}

fn lockspace(resources: Vec<ResourcePicture>) -> LockspacePicture {
    LockspacePicture {
        spec: Spec {
            name: Arc::from("lvm_vg0"),
            vg: Some(id("vg0")),
            vg_uuid: None,
            args: Arc::from("1.0.0:lvmlock"),
            lock_type: LockType::Sanlock,
            host_id: 2,
            local_wait: None,
        },
        stage: Stage::Running,
        generation: 1,
        killed: false,
        global: GlobalLease::Absent,
        renewal: None,
        fault: None,
        waiting: 0,
        resources,
    }
}

#[test]
fn a_chain_is_followed_to_its_end() {
    let (ex, sh) = (LockMode::Exclusive, LockMode::Shared);
    let owner =
        Owner { host_id: 1, generation: 3, timestamp: 0, state: "LIVE".to_owned(), name: "a".to_owned() };
    let fault = Fault { owner: Some(owner), ..Fault::new(ResultCode::AGAIN, "it is held") };
    let again = NOW + Duration::from_millis(400);
    let conflict = Why::Conflict { fault, tries: 3, again };
    let vg = lock(
        Resource::Vg,
        vec![holder(1, "lvextend", ex, 88)],
        vec![waiter(2, "vgs", sh, 90, Why::Held), waiter(3, "lvs", sh, 99, Why::Behind)],
    );
    let lv = lock(Resource::Lv(id(LV)), vec![], vec![waiter(1, "lvextend", ex, 96, conflict)]);
    let told = explain(&[lockspace(vec![vg, lv])], &id("vg0"), None, NOW).expect("it is started");
    assert!(told.is_blocked);
    let chain = [
        "VG vg0 is locked with sanlock".to_owned(),
        "vgs (pid 1002) has waited 10 s for the lock of VG vg0, shared".to_owned(),
        "  lvextend (pid 1001) holds it exclusively for 12 s".to_owned(),
        format!("    lvextend (pid 1001) has waited 4.0 s for the lock of LV vg0/{LV}, exclusively"),
        "      host 1 (a), which is LIVE, holds it; tried 3 times, again in 0.4 s".to_owned(),
        "lvs (pid 1003) has waited 1.0 s for the lock of VG vg0, shared".to_owned(),
        "  others of this host asked before".to_owned(),
    ];
    assert_eq!(told.lines[..chain.len()], chain);
}

#[test]
fn two_that_wait_for_each_other_are_told_once() {
    let ex = LockMode::Exclusive;
    let one = lock(lv("a"), vec![holder(1, "x", ex, 1)], vec![waiter(2, "y", ex, 2, Why::Held)]);
    let two = lock(lv("b"), vec![holder(2, "y", ex, 1)], vec![waiter(1, "x", ex, 2, Why::Held)]);
    let told = explain(&[lockspace(vec![one, two])], &id("vg0"), None, NOW).expect("it is started");
    assert!(told.lines.len() < 12, "{:?}", told.lines);
}

#[test]
fn an_lv_by_name_is_told_with_who_has_it() {
    let held = HolderPicture {
        persistent: true,
        lv_name: Arc::from("home"),
        ..holder(1, "lvchange", LockMode::Shared, 70)
    };
    let lockspaces = [lockspace(vec![lock(Resource::Lv(id(LV)), vec![held], vec![])])];
    for lv in ["home", LV] {
        let told = explain(&lockspaces, &id("vg0"), Some(lv), NOW).expect("it is started");
        assert!(!told.is_blocked);
        assert_eq!(
            told.lines[1],
            "the lock of LV vg0/home is held shared by lvchange (pid 1001) for 30 s, until the LV is deactivated; nobody here waits for it"
        );
    }
    let told = explain(&lockspaces, &id("vg0"), Some("swap"), NOW).expect("it is started");
    assert_eq!(told.lines[1], "LV swap is locked by nobody on this host, and nobody here waits for it");
    assert_eq!(explain(&lockspaces, &id("vg1"), None, NOW), None);
}

#[test]
fn a_lease_that_is_not_renewed_is_told_with_the_times_left() {
    let seconds = Duration::from_secs;
    let renewal = Renewal { age: seconds(45), kill_after: seconds(80), reset_after: seconds(140) };
    let late = LockspacePicture { renewal: Some((renewal, seconds(90))), ..lockspace(vec![]) };
    let told = explain(&[late], &id("vg0"), None, NOW).expect("it is started");
    assert_eq!(
        told.lines[1],
        "  its lease on this host's life was not renewed for 55 s: killed in 25 s, the host is reset in 85 s"
    );
}
