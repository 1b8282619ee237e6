//! An lvpoll that does not find its LV: because the VG has another name by now, or because its configuration hides the disks.

use std::fs;
use std::time::Duration;

use lvmwarden_actors::foundation::kernel::Verdict;
use lvmwarden_actors::roles::poll::operation::outcome::Outcome;
use lvmwarden_actors::roles::poll::operation::state::{Progress, Stop};
use lvmwarden_protocol::poll::StartRequest;
use lvmwarden_supervisor::process::ProcessExit;
use tokio::time::Instant;

use crate::support::{Host, OK, eventually, pvmove, run};

/// As lvm sends it.
const LVID: &str = "rsoh3B0Uc31PlAwItiuHnOYUuKtt1nEdStSuVJklTWs1rTjr3k7Kz18yQYN31MNm";
const NOT_FOUND: &str = "  Can't find VG vg/pvmove0. No longer active.";
const MOVING: &str = "  vg/pvmove0: Moved: 12.50%";
const FAILED: Outcome = Outcome::Retcode(5);
const NOTHING: &str = r#"{"report":[{"lv":[]}]}"#;

/// Has the `count`th child end as an lvpoll that has not found its LV, while the kernel shows it.
async fn lvpoll_does_not_find_it(host: &Host, count: usize) {
    host.kernel.verdicts.lock().unwrap().push_back(Verdict::NotOver);
    let child = host.child(count).await;
    assert_eq!(word(host, count), "lvpoll");
    host.writes(child, NOT_FOUND);
    host.end(child, ProcessExit::Code(0));
}

/// Has the `count`th child, an lvs, print this and end.
async fn lvs_prints(host: &Host, count: usize, report: &str) {
    let child = host.child(count).await;
    assert_eq!(word(host, count), "lvs");
    host.writes(child, report);
    fs::write(&host.processes.spawned()[count - 1].command.stderr, "").unwrap();
    host.end(child, ProcessExit::Code(0));
}

/// Returns the first argument of the `count`th child.
fn word(host: &Host, count: usize) -> String {
    arguments(host, count).swap_remove(0)
}

fn arguments(host: &Host, count: usize) -> Vec<String> {
    let words = &host.processes.spawned()[count - 1].command.arguments;
    words.iter().map(|word| word.to_string_lossy().into_owned()).collect()
}

fn metadata(vg: &str) -> String {
    let uuids = r#""vg_uuid":"rsoh3B-0Uc3-1PlA-wIti-uHnO-YUuK-tt1nEd","lv_uuid":"StSuVJ-klTW-s1rT-jr3k-7Kz1-8yQY-N31MNm""#;
    format!(r#"{{"report":[{{"lv":[{{"vg_name":"{vg}","lv_name":"[pvmove0]",{uuids}}}]}}]}}"#)
}

#[test]
fn what_lvpoll_cannot_see_has_failed_after_two_tries_with_its_words_and_a_remedy() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let cmdline = Some("pvmove --config devices{} /dev/sda".into());
        let request = StartRequest { cmdline, ..pvmove(LVID) };
        daemon.start(&request).await;
        let begun = Instant::now();
        for (lvpoll, lvs) in [(1, 2), (3, 4)] {
            lvpoll_does_not_find_it(&host, lvpoll).await;
            lvs_prints(&host, lvs, NOTHING).await;
        }
        eventually(true, async || daemon.description(&request).await.unwrap().ending.is_some()).await;
        let conclusion = daemon.description(&request).await.unwrap().ending.unwrap().conclusion();
        assert_eq!(conclusion.kind.as_str(), "failed");
        assert!(conclusion.cause.unwrap().contains("was given --config"));
        assert!(conclusion.remedy.unwrap().contains("vgchange --poll y vg"));
        assert_eq!(conclusion.last_lines, [NOT_FOUND.trim()]);
        assert_eq!(daemon.result(&request).await, FAILED);
        assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
        assert_eq!(host.processes.spawned().len(), 4);
        daemon.stop().await;
    });
}

#[test]
fn a_vg_that_was_renamed_is_found_by_its_uuid_and_that_outlives_the_daemon() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::LeaveChild).await;
        let request = pvmove(LVID);
        daemon.start(&request).await;
        lvpoll_does_not_find_it(&host, 1).await;
        lvs_prints(&host, 2, &metadata("new")).await;
        let third = host.child(3).await;
        assert!(arguments(&host, 3).contains(&"new/pvmove0".to_owned()));
        daemon.follows(&request, third).await;
        drop(daemon);
        host.end(third, ProcessExit::Unknown);

        let next = host.start(Stop::EndChild).await;
        let fourth = host.child(4).await;
        assert!(arguments(&host, 4).contains(&"new/pvmove0".to_owned()), "the name was forgotten");
        assert_eq!(next.description(&request).await.unwrap().request.vgname.as_str(), "new");
        host.end(fourth, ProcessExit::Code(0));
        assert_eq!(next.result(&request).await, OK);
        next.stop().await;
    });
}

#[test]
fn a_request_that_joins_an_operation_in_back_off_starts_lvpoll_at_once() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let request = pvmove(LVID);
        daemon.start(&request).await;
        // After so many the back-off is long.
        for count in 1..=4 {
            host.kernel.verdicts.lock().unwrap().push_back(Verdict::NotOver);
            let child = host.child(count).await;
            host.writes(child, MOVING);
            host.end(child, ProcessExit::Code(0));
            eventually(true, async || host.processes.running().is_empty()).await;
            if count < 4 {
                host.child(count + 1).await;
            }
        }
        let asked = Instant::now();
        let elsewhere = StartRequest { devicesfile: Some("some".try_into().unwrap()), ..pvmove(LVID) };
        daemon.begin(&elsewhere).await;
        host.child(5).await;
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        assert!(arguments(&host, 5).ends_with(&["--devicesfile".to_owned(), "some".to_owned()]));
        assert_eq!(daemon.collect(&request).await, Progress::InProgress);
        daemon.stop().await;
    });
}

#[test]
fn the_newest_request_names_the_vg_for_the_next_lvpoll() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let renamed = StartRequest { vgname: "new".try_into().unwrap(), ..pvmove(LVID) };
        let op = daemon.begin(&pvmove(LVID)).await;
        host.child(1).await;
        assert_eq!(daemon.begin(&renamed).await, op, "it is another operation");
        // It says nothing of the operation, as far as anybody asked last.
        host.end(host.child(1).await, ProcessExit::Code(5));
        let second = host.child(2).await;
        assert!(arguments(&host, 2).contains(&"new/pvmove0".to_owned()));
        host.end(second, ProcessExit::Code(0));
        assert_eq!(daemon.result(&renamed).await, OK);
        daemon.stop().await;
    });
}
