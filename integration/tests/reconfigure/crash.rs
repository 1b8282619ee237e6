//! kill -9 at each durable step, and a panic: what comes back. After each the change is made wholly or not at all, as the metadata say,
//! nothing is left to do, and the next change goes through.
#![cfg(debug_assertions)]

use lvmwarden_integration::service::Service;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;
use serde_json::{Value, json};

use crate::fake::{EXTENT, Lvm, change, end_of, method, propose, resize, service};

const ID: &str = "0b5c41d2-0000-4000-8000-000000000001";

/// Asks for a change of a daemon that is killed by a fault in the middle of it, and starts the next one.
fn killed_at(site: &Site, lvm: &Lvm, point: &str, goal: &Value) -> Service {
    let mut first = service(site, lvm).environment("LVMWARDEN_FAULT", &format!("kill@{point}")).start();
    // The daemon may be gone before it answers.
    let call = json!({"method": method("Propose"), "parameters": {"goal": goal, "id": ID}, "oneway": true});
    send(site, &call);
    first.await_end(wait::SOON);
    service(site, lvm).start()
}

fn send(site: &Site, call: &Value) {
    use std::io::Write as _;
    let mut stream = lvmwarden_integration::client::connect_within(&site.api_socket(), wait::SOON).unwrap();
    stream.write_all(format!("{call}\0").as_bytes()).unwrap();
    // Open until the daemon is gone or has read it.
    std::mem::forget(stream);
}

/// Asserts that what is told is what the metadata say, and that the next change goes through.
fn expect_all_or_nothing(service: &Service, lvm: &Lvm, told: &str) {
    let change = end_of(service, ID);
    assert_eq!(change["outcome"]["kind"], told, "{change}");
    let extents = if told == "committed" { 5 } else { 2 };
    assert_eq!(lvm.state("vg0", "BYTES"), (extents * EXTENT).to_string());
    assert_eq!(lvm.device_bytes("dm-0"), Some(extents * EXTENT));
    let listed = service.call(&method("List"), &json!({}));
    assert_eq!(listed["changes"].as_array().unwrap().len(), 1, "{listed}");
    let next = self::change(service, &resize("vg0", 6));
    assert_eq!(next["outcome"]["kind"], "committed", "{next}");
    assert_eq!(lvm.device_bytes("dm-0"), Some(6 * EXTENT));
}

macro_rules! a_resize_that_is_killed_at {
    ($($name:ident: $point:literal => $told:literal;)*) => {
        $(#[test] fn $name() {
            let site = Site::new();
            let lvm = Lvm::new(&site);
            let service = killed_at(&site, &lvm, $point, &resize("vg0", 5));
            expect_all_or_nothing(&service, &lvm, $told);
        })*
    };
}

a_resize_that_is_killed_at! {
    asked_is_abandoned: "reconfigure.asked_stored" => "abandoned";
    proposed_is_abandoned: "reconfigure.proposed_stored" => "abandoned";
    voted_is_abandoned: "reconfigure.voted_stored" => "abandoned";
    preparing_is_abandoned: "reconfigure.preparing_stored" => "abandoned";
    ready_is_abandoned: "reconfigure.ready_stored" => "abandoned";
    the_gate_without_a_writer_is_judged_and_abandoned: "reconfigure.gate_stored" => "abandoned";
    a_writer_that_nobody_wrote_down_is_found_and_judged: "reconfigure.writer_spawned" => "committed";
    a_writer_that_was_written_down_is_waited_for_and_judged: "reconfigure.writer_stored" => "committed";
    the_end_of_the_writer_is_judged: "reconfigure.writer_ended" => "committed";
    decided_is_committed: "reconfigure.decided_stored" => "committed";
    done_is_committed: "reconfigure.done_stored" => "committed";
    ended_is_committed: "reconfigure.ended_stored" => "committed";
    told_is_committed: "reconfigure.told_stored" => "committed";
}

#[test]
fn a_change_that_was_not_written_down_was_never_there() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    let service = killed_at(&site, &lvm, "journal.before_write", &resize("vg0", 5));
    assert_eq!(service.call(&method("List"), &json!({}))["changes"], json!([]));
    assert_eq!(change(&service, &resize("vg0", 5))["outcome"]["kind"], "committed");
}

#[test]
fn a_writer_goes_on_without_the_daemon_and_is_waited_for_by_the_next() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.hold("before-lvextend");
    let first = service(&site, &lvm).start();
    let id = propose(&first, &resize("vg0", 5))["id"].as_str().unwrap().to_owned();
    lvm.await_call("lvm lvextend");
    first.kill();
    let service = service(&site, &lvm).start();
    let change = service.call(&method("Show"), &json!({ "id": id }))["change"].take();
    assert_eq!(change["phase"], "judging", "{change}");
    let refused = service.try_call(&method("Propose"), &json!({"goal": resize("vg0", 6)}));
    assert_eq!(refused["error"], "org.lvmwarden.Reconfigure.AlreadyChanging", "{refused}");
    lvm.release();
    assert_eq!(end_of(&service, &id)["outcome"]["kind"], "committed");
    assert_eq!(lvm.calls(), ["lvm lvextend --extents 5 vg0/data"], "it was not started twice");
}

#[test]
fn an_activation_that_was_prepared_is_undone_by_the_next_daemon() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    let deactivate = json!({"kind": "deactivate", "vgname": "vg0", "lvnames": ["data"]});
    let service = killed_at(&site, &lvm, "reconfigure.ready_stored", &deactivate);
    let change = end_of(&service, ID);
    assert_eq!(change["outcome"]["kind"], "abandoned", "{change}");
    assert_eq!(lvm.calls(), ["lvm lvchange -an vg0/data", "lvm lvchange -asy vg0/data"]);
    assert_eq!(lvm.device_bytes("dm-0"), Some(2 * EXTENT));
}

#[test]
fn what_cannot_be_read_is_read_again_until_it_can() {
    // The last: its device is there, so the VG is.
    let words = ["cannot read", "Device for PV b5 not found", "Volume group \\\"vg0\\\" not found"];
    for words in words {
        let site = Site::new();
        let lvm = Lvm::new(&site);
        lvm.hook("after-lvextend", &format!("echo \"  {words}\" >\"$FOLDER/broken\"; exit 5\n"));
        let service = service(&site, &lvm).start();
        let id = propose(&service, &resize("vg0", 5))["id"].as_str().unwrap().to_owned();
        lvm.await_failed_report();
        wait::until("the judging", wait::SOON, || {
            let change = service.call(&method("Show"), &json!({ "id": id }))["change"].take();
            assert_ne!(change["phase"], "ended", "{words}: {change}");
            (change["phase"] == "judging").then_some(())
        });
        lvm.mend();
        assert_eq!(end_of(&service, &id)["outcome"]["kind"], "committed", "{words}");
    }
}

#[test]
fn a_refresh_that_finds_no_vg_beside_its_device_is_tried_again() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.hook("after-lvextend", "echo 1 >\"$SYS/block/$DEVICE/size\"\n");
    let words = "echo \"  Volume group \\\"vg0\\\" not found\" >\"$FOLDER/broken\"";
    lvm.hook("before-lvchange", &format!("{words}; rm \"$FOLDER/before-lvchange\"; exit 5\n"));
    let service = service(&site, &lvm).start();
    let id = propose(&service, &resize("vg0", 5))["id"].as_str().unwrap().to_owned();
    lvm.await_failed_report();
    lvm.mend();
    let change = end_of(&service, &id);
    assert_eq!(change["hosts"][0]["state"], "done", "{change}");
    assert_eq!(lvm.device_bytes("dm-0"), Some(5 * EXTENT));
}

#[test]
fn a_vg_that_is_gone_with_its_devices_is_not_waited_for() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.hook("before-lvextend", "rm -r \"$SYS/block/$DEVICE\" \"$FOLDER/$vg\"; exit 5\n");
    let service = service(&site, &lvm).start();
    let change = change(&service, &resize("vg0", 5));
    assert_eq!(change["outcome"]["kind"], "abandoned", "{change}");
}

#[test]
fn a_panic_in_one_change_is_not_felt_by_another_and_it_goes_on_from_the_journal() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.add_vg("other", "none", "dm-1");
    lvm.hold("before-lvextend");
    let fault = "panic@reconfigure.voted_stored=vg0";
    let service = service(&site, &lvm).environment("LVMWARDEN_FAULT", fault).start();
    let other = propose(&service, &resize("other", 5));
    lvm.await_call("lvm lvextend");
    let crashed = change(&service, &resize("vg0", 5));
    assert_eq!(crashed["outcome"]["kind"], "abandoned", "{crashed}");
    lvm.release();
    assert_eq!(end_of(&service, other["id"].as_str().unwrap())["outcome"]["kind"], "committed");
    assert_eq!(change(&service, &resize("vg0", 5))["outcome"]["kind"], "committed");
}

#[test]
fn an_orderly_end_leaves_a_writer_to_the_next_daemon() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.hold("before-lvextend");
    let mut first = service(&site, &lvm).start();
    let id = propose(&first, &resize("vg0", 5))["id"].as_str().unwrap().to_owned();
    lvm.await_call("lvm lvextend");
    first.call("org.lvmwarden.Service.Stop", &json!({"leave_children": true}));
    first.await_end(wait::SOON);
    let service = service(&site, &lvm).start();
    lvm.release();
    assert_eq!(end_of(&service, &id)["outcome"]["kind"], "committed");
}
