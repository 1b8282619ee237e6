//! Throttling by knobs that are plain files here: set, kept over crashes, and given back.

use std::fs;

use lvmwarden_integration::service::Service;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Client, start_pvmove};

const MIRROR: &str = "module/dm_mirror/parameters/raid1_resync_throttle";

/// Makes a site with the knob of mirrors; that of snapshots is not there, as before its module is loaded.
fn site() -> Site {
    let site = Site::new();
    let path = site.sys_dir().join(MIRROR);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    turn(&site, 100);
    site
}

fn turn(site: &Site, percent: u32) {
    fs::write(site.sys_dir().join(MIRROR), format!("{percent}\n")).unwrap();
}

fn knob(site: &Site) -> u32 {
    read(site).expect("the knob is not being turned")
}

/// A file, other than a knob of the kernel, is empty for a moment while it is written.
fn read(site: &Site) -> Option<u32> {
    fs::read_to_string(site.sys_dir().join(MIRROR)).unwrap().trim().parse().ok()
}

#[track_caller]
fn await_knob(site: &Site, percent: u32) {
    wait::until(&format!("the knob at {percent}"), wait::SOON, || {
        (read(site) == Some(percent)).then_some(())
    });
}

fn throttle(service: &Service, mirror_percent: Option<u32>) -> Value {
    service.call("org.lvmwarden.Poll.Throttle", &json!({ "mirror_percent": mirror_percent }))
}

/// Returns wanted, original and actual percent of the knob of mirrors.
fn shown(service: &Service) -> [Value; 3] {
    let mut reply = service.call("org.lvmwarden.Poll.Throttling", &json!({}));
    let knob = &mut reply["knobs"][0];
    assert_eq!(knob["name"], "mirror");
    ["wanted_percent", "original_percent", "actual_percent"].map(|name| knob[name].take())
}

/// Returns why the service gave knobs back, oldest first.
fn why_given_back(service: &Service) -> Vec<String> {
    let recent = service.call("org.lvmwarden.Events.Recent", &json!({}));
    let events = recent["events"].as_array().unwrap().iter();
    let given = events.filter(|event| event["kind"] == "poll.unthrottled");
    given.map(|event| event["fields"]["why"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_knob_is_held_and_given_back_on_request() {
    let site = site();
    let service = site.service().start();
    let reply = throttle(&service, Some(5));
    assert_eq!(reply["knobs"][0]["wanted_percent"], 5);
    assert!(reply["knobs"][0]["scope"].as_str().unwrap().contains("dm_mirror on this host"), "{reply}");
    assert_eq!((knob(&site), shown(&service)), (5, [json!(5), json!(100), json!(5)]));
    throttle(&service, Some(7));
    assert_eq!((knob(&site), shown(&service)), (7, [json!(7), json!(100), json!(7)]));
    throttle(&service, None);
    assert_eq!((knob(&site), shown(&service)), (100, [Value::Null, Value::Null, json!(100)]));
    throttle(&service, None);
    assert_eq!(why_given_back(&service), ["asked for"]);
}

#[test]
fn what_cannot_be_done_changes_nothing() {
    let site = site();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    for (parameters, reason) in [
        (json!({ "mirror_percent": 101 }), "at most 100 percent"),
        (json!({ "snapshot_percent": 5 }), "is the module dm_snapshot loaded?"),
    ] {
        let refused = client.try_call("org.lvmwarden.Poll.Throttle", &parameters);
        assert_eq!(refused["error"], "org.lvmwarden.Poll.Failed");
        assert!(refused["parameters"]["reason"].as_str().unwrap().contains(reason), "{refused}");
    }
    assert_eq!(knob(&site), 100);
}

#[test]
fn what_somebody_else_has_set_is_theirs() {
    let site = site();
    let service = site.service().start();
    throttle(&service, Some(5));
    turn(&site, 33);
    assert_eq!(shown(&service), [json!(5), json!(100), json!(33)]);
    throttle(&service, None);
    assert_eq!((knob(&site), shown(&service)), (33, [Value::Null, Value::Null, json!(33)]));
}

#[test]
fn an_orderly_end_gives_it_back() {
    let site = site();
    let mut service = site.service().start();
    let _child = start_pvmove(&site, &mut Client::connect(&site), &site.pvmove("pvmove0"));
    throttle(&service, Some(5));
    service.signal(Signal::TERM);
    service.await_end(wait::SOON);
    assert_eq!(knob(&site), 100);
}

#[test]
fn the_end_of_the_last_operation_gives_it_back() {
    let site = site();
    let service = site.service().start();
    let mut client = Client::connect(&site);
    let operation = |number: char| {
        let mut pvmove = site.pvmove(&format!("pvmove{number}"));
        pvmove.lvid = number.to_string().repeat(64);
        pvmove
    };
    let (_, first) = start_pvmove(&site, &mut client, &operation('1'));
    let (id, second) = start_pvmove(&site, &mut client, &operation('2'));
    throttle(&service, Some(5));
    site.lvm.tell_exit(&second, 5);
    client.call("org.lvmwarden.Poll.Wait", &json!({ "id": id }));
    assert_eq!(knob(&site), 5);
    site.lvm.tell_exit(&first, 5);
    await_knob(&site, 100);
    assert_eq!(why_given_back(&service), ["no operation is in progress"]);
}

#[test]
fn a_crash_with_nothing_in_progress_gives_it_back() {
    let site = site();
    let service = site.service().start();
    throttle(&service, Some(5));
    service.kill();
    assert_eq!(knob(&site), 5);
    let service = site.service().start();
    await_knob(&site, 100);
    wait::until("the event", wait::SOON, || (!why_given_back(&service).is_empty()).then_some(()));
}

/// Kills the service at a point while a pvmove is in progress, after `wishes`; returns the next one when it has settled.
#[cfg(debug_assertions)]
fn killed_at(site: &Site, point: &str, wishes: &[Option<u32>]) -> Service {
    let mut service =
        site.service().environment("LVMWARDEN_FAULT", &format!("kill@throttle.{point}")).start();
    let _child = start_pvmove(site, &mut Client::connect(site), &site.pvmove("pvmove0"));
    for wish in wishes {
        let mut client = Client::connect(site);
        let call =
            json!({ "method": "org.lvmwarden.Poll.Throttle", "parameters": { "mirror_percent": wish } });
        client.send(format!("{call}\0").as_bytes());
        // The last one is not answered any more.
        client.next();
    }
    service.await_end(wait::SOON);
    site.service().start()
}

#[test]
#[cfg(debug_assertions)]
fn a_crash_while_it_is_set_keeps_the_wish_or_knows_nothing_of_it() {
    for (point, wanted) in [("wanted", None), ("recorded", Some(5)), ("turned", Some(5))] {
        let site = site();
        let service = killed_at(&site, point, &[Some(5)]);
        await_knob(&site, wanted.unwrap_or(100));
        let original = wanted.map(|_| 100);
        let expected = [json!(wanted), json!(original), json!(wanted.unwrap_or(100))];
        assert_eq!(shown(&service), expected, "{point}");
        throttle(&service, None);
        assert_eq!(knob(&site), 100, "{point}");
    }
}

#[test]
#[cfg(debug_assertions)]
fn a_crash_while_it_is_given_back_gives_it_back() {
    for point in ["ending", "turned_back"] {
        let site = site();
        let service = killed_at(&site, point, &[Some(5), None]);
        await_knob(&site, 100);
        assert_eq!(shown(&service), [Value::Null, Value::Null, json!(100)], "{point}");
    }
}
