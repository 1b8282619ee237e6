//! `metadata`: a VG of lvm2 2.03.16's, told by a client that speaks as lvm commands before 2.03 do.

use lvmwarden_integration::client::Client;
use lvmwarden_integration::service::Service;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;
use serde_json::{Value, json};

use crate::program::{Running, run};

/// What lvm has written: two PVs, plain and striped LVs, two snapshots.
const PLAIN: &str = include_str!("../../../protocol/tests/fixtures/lvm-2.03.16-vgs/plain.vg");
const PV0: &str = "ol9Qmi-Z419-1oit-nJ7c-v7lr-C6ec-5Vcwnt";
const PV1: &str = "tcfQoM-udgV-zcIJ-iUR7-HIyc-8R51-nr704y";

/// Starts a service that polls and remembers metadata.
fn start(site: &Site) -> Service {
    let socket = format!("{:?}", site.path("lvmetad").to_str().unwrap());
    site.service().set("service.roles", r#"["poll", "metadata"]"#).set("metadata.socket", &socket).start()
}

/// Tells the daemon of a PV of the VG.
#[track_caller]
fn found(site: &Site, pv: &str, device: u32) {
    let (_, body) = PLAIN.split_once("plain {").unwrap();
    let (body, _) = body.rsplit_once('}').unwrap();
    let request = format!(
        "request=pv_found token=skip pvmeta {{ id=\"{pv}\" device={device} mda0 {{ ignore=0 }} }} \
         vgname=\"plain\" metadata {{ {body} }}"
    );
    let reply = Client::connect(&site.path("lvmetad")).ask(request);
    assert!(reply.starts_with("response = \"OK\""), "{reply}");
}

fn api(service: &Service, method: &str, parameters: &Value) -> Value {
    service.call(&format!("org.lvmwarden.Metadata.{method}"), parameters)
}

#[test]
fn a_vg_is_told_partial_and_then_complete() {
    let site = Site::new();
    let service = start(&site);
    let nothing = run(&site, &["metadata", "vgs"]).done();
    assert!(nothing.starts_with("no VG is known yet, since "), "{nothing}");
    run(&site, &["metadata", "wait", "plain", "--timeout", "10ms"]).assert_failed(5, "is not known yet");

    found(&site, PV0, 0xfe00);
    let partial = run(&site, &["metadata", "vgs"]).done();
    assert!(partial.contains("wz-pn-  510.00m  394.00m"), "{partial}");
    run(&site, &["metadata", "wait", "plain", "--timeout", "10ms"]).assert_failed(5, PV1);
    let problems = run(&site, &["metadata", "problems"]).done();
    assert!(problems.starts_with("plain: a missing PV\n"), "{problems}");
    let pvs = run(&site, &["metadata", "pvs"]).done();
    assert!(pvs.contains("[unknown]") && pvs.contains("a-m"), "{pvs}");

    let waiting = Running::start(&site, &["metadata", "wait", "plain"]);
    let watching = Running::start(&site, &["metadata", "watch", "--json"]);
    watching.await_line(r#""change":"known""#);
    found(&site, PV1, 0xfe01);
    waiting.await_line("plain is complete: 2 PVs");
    assert_eq!(waiting.await_end(), Some(0));
    watching.await_line(r#""change":"completed""#);
    let vg = &api(&service, "Vgs", &json!({}))["vgs"][0];
    assert_eq!(
        (&vg["completeness"], &vg["seqno"], &vg["attr"]),
        (&json!("complete"), &json!(12), &json!("wz--n-"))
    );
    assert_eq!(vg["freshness"]["source"], "command");
}

#[test]
fn lists_and_a_drawing_have_what_lvm_shows_and_fit_60_columns() {
    let site = Site::new();
    let service = start(&site);
    found(&site, PV0, 0xfe00);
    found(&site, PV1, 0xfe01);
    let lvs = run(&site, &["metadata", "lvs", "plain"]).done();
    for row in ["snap     plain  swi---s---   8.00m  one", "striped  plain  -wi-------  16.00m"] {
        assert!(lvs.contains(row), "{row} is not in\n{lvs}");
    }
    let shown = run(&site, &["metadata", "show", "plain"]).done();
    for words in
        ["seqno 12, extents of 1.00m", "a one", "16.00m at 0: striped, stripes of 64.00k", "tags a+b, prod"]
    {
        assert!(shown.contains(words), "{words} is not in\n{shown}");
    }
    for line in lvs.lines().chain(shown.lines()) {
        assert!(line.chars().count() <= 60 || line.contains("there may be more"), "{line}");
    }
    let reply = api(&service, "Show", &json!({"vgname": "plain"}));
    assert_eq!(reply["pvs"][0]["pieces"].as_array().unwrap().len(), 9, "{reply}");
    assert_eq!(reply["lvs"].as_array().unwrap().len(), 8);
    let metrics = run(&site, &["metrics"]).done();
    assert!(metrics.contains("lvmwarden_vg_free_bytes{vg=\"plain\"} 413138944"), "{metrics}");
}

#[test]
fn what_is_typed_wrong_is_named_and_nothing_is_asked_in_vain() {
    let site = Site::new();
    let service = start(&site);
    found(&site, PV0, 0xfe00);
    run(&site, &["metadata", "show", "nope"]).assert_failed(1, "no VG nope is known yet");
    run(&site, &["metadata", "lvs", "nope"]).assert_failed(1, "no VG nope is known yet");
    run(&site, &["metadata", "show", "plain", "--uuid", "x"]).assert_failed(2, "expected a UUID");
    run(&site, &["metadata", "wait", "plain", "--timeout", "soon"])
        .assert_failed(2, "expected a time such as");
    run(&site, &["metadata", "vgs", "a/b"]).assert_failed(2, "may not have the character");
    run(&site, &["metadata", "rescan", "sda"]).assert_failed(2, "not an absolute path");
    let refusal = service.try_call("org.lvmwarden.Metadata.Lvs", &json!({"page": "x"}));
    assert_eq!(refusal["parameters"]["parameter"], "page", "{refusal}");
}

#[test]
fn an_operation_is_started_by_names_where_the_lv_is_known() {
    let site = Site::new();
    let service = start(&site);
    run(&site, &["poll", "start", "merge", "plain/one"]).assert_failed(1, "the daemon knows no LV plain/one");
    found(&site, PV0, 0xfe00);
    run(&site, &["poll", "start", "merge", "plain/one"]).done();
    let operations = wait::until("the operation is listed", wait::SOON, || {
        let list = service.call("org.lvmwarden.Poll.List", &json!({}));
        (!list["operations"].as_array().unwrap().is_empty()).then_some(list)
    });
    let lvid = "xKzQtsGiWlg2TPUP7iGUmJtIp8uD1pRkmZa9zA8sQ85du0uM9G6ftBuWtjfQKblM";
    assert_eq!(operations["operations"][0]["lvid"], lvid);
}

#[test]
fn without_the_role_it_is_said_how_to_turn_it_on() {
    let site = Site::new();
    let _service = site.service().start();
    run(&site, &["metadata", "vgs"]).assert_failed(1, "the daemon does not know VGs and LVs");
    run(&site, &["poll", "start", "merge", "vg0/lv"]).assert_failed(1, "its role metadata is turned off");
}
