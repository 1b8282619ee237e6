//! Who waits for changes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::api::metadata::{Change, Completeness};
use lvmwarden_protocol::metadata::Request;
use tokio::time::{Instant, timeout};

use crate::roles::metadata::api::Teller;
use crate::roles::metadata::api::watching::{Step, Told, Watcher};
use crate::roles::metadata::pv_index::Source;
use crate::roles::metadata::settings::MetadataEnvironment;
use crate::roles::metadata::tests::support::vg;

/// Changes the cache as the directory does.
fn tell(environment: &MetadataEnvironment, message: &str) {
    let request = Request::parse(format!("request={message} token=skip").as_bytes());
    let now = environment.now(Source::Command);
    let mut cache = environment.cache();
    let decision = cache.question(&request, now).and_then(|(uuid, event)| cache.decide(&uuid, event));
    cache.answer(request, decision, now);
    drop(cache);
    environment.knowledge.changed();
}

fn found(pv: &str, device: u32, metadata: &str) -> String {
    format!("pv_found pvmeta {{ id=\"{pv}\" device={device} mda0 {{ ignore=0 }} }} {metadata}")
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_when_the_last_pv_has_come_or_the_time_is_over() {
    let environment = Arc::new(MetadataEnvironment::default());
    let teller = Teller::new(Arc::clone(&environment));
    let (name, limit) = ("v".try_into().unwrap(), Duration::from_secs(30));
    let metadata = vg("v", "V", 1, &["A", "B"], "extent_size=1");

    let begin = Instant::now();
    let reply = teller.wait(&name, Some(limit)).await;
    assert_eq!((reply.completeness, reply.vg), (Completeness::Missing, None));
    assert_eq!(begin.elapsed(), limit);

    tell(&environment, &found("A", 1, &metadata));
    let reply = teller.wait(&name, Some(limit)).await;
    assert_eq!((reply.completeness, reply.missing_pv_uuids), (Completeness::Partial, vec!["B".to_owned()]));

    let last = async {
        tokio::time::sleep(Duration::from_secs(7)).await;
        tell(&environment, &found("B", 2, &metadata));
    };
    let begin = Instant::now();
    let (reply, ()) = tokio::join!(teller.wait(&name, None), last);
    assert_eq!((reply.completeness, reply.missing_pv_uuids), (Completeness::Complete, vec![]));
    assert!(begin.elapsed() < Duration::from_secs(8), "{:?}", begin.elapsed());
    assert_eq!(teller.wait(&name, Some(Duration::ZERO)).await.completeness, Completeness::Complete);
}

#[tokio::test(start_paused = true)]
async fn a_watch_tells_all_at_first_and_then_what_changes() {
    let environment = Arc::new(MetadataEnvironment::default());
    let teller = Teller::new(Arc::clone(&environment));
    let metadata = |seqno| vg("v", "V", seqno, &["A", "B"], "extent_size=1");
    tell(&environment, &found("A", 1, &metadata(1)));
    let mut watch = teller.watch(None);
    let mut next = async || {
        let (_, steps) = timeout(Duration::from_secs(1), watch.next()).await.ok()?;
        Some(steps.into_iter().map(|step| step.change).collect::<Vec<_>>())
    };
    assert_eq!(next().await, Some(vec![Change::Known]));
    assert_eq!(next().await, None, "nothing has changed");
    tell(&environment, &found("B", 2, &metadata(1)));
    assert_eq!(next().await, Some(vec![Change::Completed]));
    tell(&environment, &format!("vg_update {}", metadata(2)));
    assert_eq!(next().await, Some(vec![Change::Changed]));
    tell(&environment, "pv_gone uuid=A");
    assert_eq!(next().await, Some(vec![Change::Degraded]));
    tell(&environment, "vg_remove uuid=V");
    assert_eq!(next().await, Some(vec![Change::Gone]));
}

#[test]
fn each_step_of_a_vg_has_its_word() {
    let told = |seqno, is_complete| Told { vgname: "v".to_owned(), seqno, is_complete };
    let now = |vg: Option<Told>| -> BTreeMap<String, Told> {
        vg.map(|vg| ("V".to_owned(), vg)).into_iter().collect()
    };
    for (before, after, expected) in [
        (None, None, None),
        (None, Some(told(1, true)), Some(Change::Appeared)),
        (Some(told(1, true)), Some(told(1, true)), None),
        (Some(told(1, true)), Some(told(2, true)), Some(Change::Changed)),
        (Some(told(1, false)), Some(told(2, false)), Some(Change::Changed)),
        (Some(told(1, false)), Some(told(2, true)), Some(Change::Completed)),
        (Some(told(2, true)), Some(told(2, false)), Some(Change::Degraded)),
        (Some(told(2, true)), None, Some(Change::Gone)),
    ] {
        let mut watcher = Watcher::default();
        watcher.look(now(before.clone()));
        let steps = watcher.look(now(after.clone()));
        let step = |change| Step { change, uuid: "V".to_owned(), vgname: "v".to_owned() };
        assert_eq!(steps, expected.map(step).into_iter().collect::<Vec<_>>(), "{before:?} {after:?}");
    }
}
