//! Who asks too often, twice, or while lvm cannot be run.

use std::io::Write as _;
use std::os::unix::net::UnixStream;

use lvmwarden_integration::client::connect_within;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;
use serde_json::{Value, json};

use crate::fake::{Lvm, change, end_of, method, refusal, resize, service};

const ID: &str = "0b5c41d2-0000-4000-8000-000000000001";

/// How many plans may be made at once.
const PLANS: usize = 3;

/// Calls a method, and waits for no reply.
fn call(site: &Site, name: &str, parameters: &Value) -> UnixStream {
    let mut stream = connect_within(&site.api_socket(), wait::SOON).unwrap();
    let call = json!({ "method": method(name), "parameters": parameters });
    stream.write_all(format!("{call}\0").as_bytes()).unwrap();
    stream
}

/// Has every report wait until the lvm is released, and leave a mark.
fn hold_reports(lvm: &Lvm) {
    let wait = "while [ ! -e \"$FOLDER/go\" ]; do sleep 0.02; done";
    lvm.hook("before-report", &format!("echo \"report $vg\" >>\"$FOLDER/calls\"; {wait}\n"));
}

#[track_caller]
fn await_reports(lvm: &Lvm, count: usize) {
    wait::until("the reports", wait::SOON, || (lvm.calls().len() >= count).then_some(()));
}

#[test]
fn plans_of_clients_that_have_gone_count_until_lvm_has_ended() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    let service = service(&site, &lvm).start();
    hold_reports(&lvm);
    let goal = json!({ "goal": resize("vg0", 5) });
    let clients: Vec<_> = (0..PLANS).map(|_| call(&site, "Plan", &goal)).collect();
    await_reports(&lvm, PLANS);
    drop(clients);
    for _ in 0..20 {
        let refused = service.try_call(&method("Plan"), &goal);
        assert_eq!(refused["error"], "org.lvmwarden.Service.TooMany", "{refused}");
        assert_eq!(refused["parameters"], json!({"what": "dry_runs", "uid": null, "limit": PLANS}));
    }
    assert_eq!(lvm.calls().len(), PLANS, "no lvm was started for them");
    lvm.release();
    let plan = wait::until("room", wait::SOON, || {
        let plan = service.try_call(&method("Plan"), &goal);
        plan.get("error").is_none().then_some(plan)
    });
    assert_eq!(plan["parameters"]["would"], true, "{plan}");
}

#[test]
fn an_id_that_is_about_to_begin_is_busy_and_one_of_another_goal_is_wrong() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    let service = service(&site, &lvm).start();
    hold_reports(&lvm);
    let asked = json!({"goal": resize("vg0", 5), "id": ID});
    let first = call(&site, "Propose", &asked);
    await_reports(&lvm, 1);
    assert_eq!(refusal(&service, "Propose", &asked).0, "Busy");
    assert_eq!(refusal(&service, "Show", &json!({ "id": ID })).0, "NotFound", "it is not written down yet");
    lvm.release();
    wait::until("the first", wait::SOON, || {
        let again = service.try_call(&method("Propose"), &asked);
        (again["parameters"]["change"]["id"] == ID).then_some(())
    });
    drop(first);
    end_of(&service, ID);
    let (error, parameters) = refusal(&service, "Propose", &json!({"goal": resize("vg0", 6), "id": ID}));
    assert_eq!((error.as_str(), &parameters["field"]), ("BadGoal", &json!("id")));
    let reason = parameters["reason"].as_str().unwrap();
    assert!(reason.contains("resize vg0/data") && reason.contains("(5 extents)"), "{reason}");
}

#[test]
fn an_lvm_that_cannot_be_run_makes_no_goal_bad() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    let service = service(&site, &lvm).start();
    let moved = site.path("moved");
    std::fs::rename(lvm.program(), &moved).unwrap();
    for name in ["Plan", "Propose"] {
        assert_eq!(refusal(&service, name, &json!({ "goal": resize("vg0", 5) })).0, "Busy");
    }
    let log = std::fs::read_to_string(site.log()).unwrap();
    assert!(log.contains("run lvm: start it"), "{log}");
    std::fs::rename(moved, lvm.program()).unwrap();
    assert_eq!(change(&service, &resize("vg0", 5))["outcome"]["kind"], "committed");
}
