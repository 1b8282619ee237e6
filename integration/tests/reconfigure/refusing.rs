//! Changes that are refused, objected to, abandoned, or fail: who says why, and that nothing was changed.

use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;
use serde_json::json;

use crate::fake::{EXTENT, Lvm, change, end_of, events, method, propose, refusal, resize, service};

#[test]
fn a_goal_that_cannot_be_is_refused_with_its_field_and_leaves_no_change() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    let service = service(&site, &lvm).start();
    let rows = [
        (resize("nope", 5), "vgname"),
        (resize("a/b", 5), "vgname"),
        (resize("vg0", 1), "size_bytes"),
        (json!({"kind": "resize", "vgname": "vg0", "lvnames": ["nope"], "grow_bytes": 1}), "lvnames"),
        (json!({"kind": "rename_lv", "vgname": "vg0", "lvnames": ["data"], "new_name": "a b"}), "new_name"),
        (json!({"kind": "rename_vg", "vgname": "vg0", "new_name": "vg1"}), "kind"),
    ];
    for (goal, field) in rows {
        for name in ["Propose", "Plan"] {
            let (error, parameters) = refusal(&service, name, &json!({ "goal": goal }));
            assert_eq!((error.as_str(), &parameters["field"]), ("BadGoal", &json!(field)), "{goal}");
        }
    }
    let bad_id = refusal(&service, "Propose", &json!({"goal": resize("vg0", 5), "id": "x"}));
    assert_eq!((bad_id.0.as_str(), &bad_id.1["field"]), ("BadGoal", &json!("id")));
    assert_eq!(service.call(&method("List"), &json!({}))["changes"], json!([]));
    assert_eq!(refusal(&service, "Show", &json!({"id": "abcd"})).0, "NotFound");
    assert_eq!(lvm.calls(), [""; 0]);
}

#[test]
fn a_shared_vg_is_refused_while_there_is_no_way_to_other_hosts() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.add_vg("shared", "sanlock", "dm-1");
    let service = service(&site, &lvm).start();
    let (error, parameters) = refusal(&service, "Propose", &json!({"goal": resize("shared", 5)}));
    assert_eq!(error, "NoTransport");
    assert!(
        parameters["reason"].as_str().unwrap().contains("shared by sanlock")
            || parameters["reason"].as_str().unwrap().contains("sanlock")
    );
    assert_eq!(lvm.calls(), [""; 0]);
}

#[test]
fn the_host_that_objects_is_named_with_its_reason_and_nothing_is_written() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.put_device("vg0", "data", EXTENT, "dm-0");
    lvm.add_vg("vg1", "none", "dm-1");
    lvm.put_holder("dm-1", "dm-9");
    let service = service(&site, &lvm).start();
    let deactivate = json!({"kind": "deactivate", "vgname": "vg1", "lvnames": ["data"]});
    for (goal, code) in [(resize("vg0", 5), "not_as_described"), (deactivate, "holders")] {
        let plan = service.call(&method("Plan"), &json!({ "goal": goal }));
        assert_eq!((&plan["would"], &plan["hosts"][0]["code"]), (&json!(false), &json!(code)));
        let change = change(&service, &goal);
        let (outcome, host) = (&change["outcome"], &change["hosts"][0]);
        assert_eq!((&outcome["kind"], &outcome["code"]), (&json!("abandoned"), &json!(code)), "{change}");
        assert_eq!((&host["vote"], &host["code"]), (&json!("no"), &json!(code)), "{change}");
        assert_eq!((&outcome["node"], &outcome["phase"]), (&host["name"], &json!("voting")));
    }
    assert_eq!(lvm.calls(), [""; 0]);
    assert!(events(&service).contains("objected abandoned ended"), "{}", events(&service));
}

#[test]
fn a_kind_that_this_host_does_not_accept_is_objected_to() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    let service = service(&site, &lvm).set("reconfigure.accept", r#"["tag"]"#).start();
    let change = change(&service, &resize("vg0", 5));
    assert_eq!(change["outcome"]["code"], "not_accepted", "{change}");
}

#[test]
fn a_writer_that_fails_is_judged_and_lvms_words_are_told() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.hook("before-lvextend", "echo '  Insufficient free space: 3 extents needed' >&2; exit 5\n");
    let service = service(&site, &lvm).start();
    let change = change(&service, &resize("vg0", 5));
    let outcome = &change["outcome"];
    assert_eq!(
        (&outcome["kind"], &outcome["code"]),
        (&json!("abandoned"), &json!("refused_by_lvm")),
        "{change}"
    );
    assert_eq!(outcome["reason"], "Insufficient free space: 3 extents needed");
    assert_eq!(lvm.state("vg0", "SEQNO"), "7");
}

#[test]
fn a_writer_that_fails_after_its_write_has_committed() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.hook("after-lvextend", "echo 1 >\"$SYS/block/$DEVICE/size\"; kill -9 $$\n");
    let service = service(&site, &lvm).start();
    let change = change(&service, &resize("vg0", 5));
    assert_eq!(change["outcome"]["kind"], "committed", "{change}");
    assert_eq!(lvm.device_bytes("dm-0"), Some(5 * EXTENT), "it was refreshed");
}

#[test]
fn a_device_that_a_writer_left_suspended_before_its_write_is_brought_back() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.hook("before-lvextend", "echo 1 >\"$SYS/block/$DEVICE/dm/suspended\"; kill -9 $$\n");
    lvm.hook("before-lvchange", "echo '  no table' >&2; exit 5\n");
    let service = service(&site, &lvm).start();
    let change = propose(&service, &resize("vg0", 5));
    let id = change["id"].as_str().unwrap();
    let show = || service.call(&method("Show"), &json!({ "id": id }))["change"].take();
    let lagging = wait::until("the host to lag", wait::SOON, || {
        let change = show();
        (change["hosts"][0]["lagging"] == true).then_some(change)
    });
    assert_eq!(lagging["outcome"]["kind"], "abandoned", "{lagging}");
    assert!(lvm.is_suspended("dm-0"));
    lvm.unhook("before-lvchange");
    wait::until("the host to do its part", wait::SOON, || {
        (show()["hosts"][0]["state"] == "done").then_some(())
    });
    assert!(!lvm.is_suspended("dm-0"));
    assert_eq!(lvm.calls().last().unwrap(), "lvm lvchange --refresh vg0/data");
    assert_eq!((lvm.state("vg0", "SEQNO"), lvm.device_bytes("dm-0")), ("7".to_owned(), Some(2 * EXTENT)));
}

#[test]
fn a_writer_that_hangs_is_ended_at_its_limit() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.hold("before-lvextend");
    let service = service(&site, &lvm).set("reconfigure.apply_limit_ms", "1000").start();
    let change = change(&service, &resize("vg0", 5));
    assert_eq!(change["outcome"]["kind"], "abandoned", "{change}");
    assert_eq!(lvm.state("vg0", "SEQNO"), "7");
}

#[test]
fn a_second_change_of_the_vg_is_refused_and_one_of_another_vg_is_not() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.add_vg("vg1", "none", "dm-1");
    lvm.hold("before-lvextend");
    let service = service(&site, &lvm).start();
    let first = propose(&service, &resize("vg0", 5));
    let (error, parameters) = refusal(&service, "Propose", &json!({"goal": resize("vg0", 6)}));
    assert_eq!((error.as_str(), &parameters["id"]), ("AlreadyChanging", &first["id"]));
    let tag = json!({"kind": "tag", "vgname": "vg1", "add_tags": ["a"]});
    assert_eq!(change(&service, &tag)["outcome"]["kind"], "committed");
    lvm.release();
    let ended = end_of(&service, first["id"].as_str().unwrap());
    assert_eq!(ended["outcome"]["kind"], "committed");
}

#[test]
fn a_change_is_abandoned_before_its_gate_and_not_after_it() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.hold("before-lvchange");
    lvm.hold("before-lvextend");
    let service = service(&site, &lvm).start();
    let deactivate = json!({"kind": "deactivate", "vgname": "vg0", "lvnames": ["data"]});
    let id = propose(&service, &deactivate)["id"].as_str().unwrap().to_owned();
    lvm.await_call("lvm lvchange -an");
    service.call(&method("Abandon"), &json!({ "id": id }));
    lvm.release();
    let change = end_of(&service, &id);
    assert_eq!(
        (&change["outcome"]["kind"], &change["outcome"]["code"]),
        (&json!("abandoned"), &json!("asked_to"))
    );
    assert_eq!(lvm.calls(), ["lvm lvchange -an vg0/data", "lvm lvchange -asy vg0/data"], "it was undone");
    assert_eq!(lvm.device_bytes("dm-0"), Some(2 * EXTENT));

    std::fs::remove_file(site.path("vgs/go")).unwrap();
    let id = propose(&service, &resize("vg0", 5))["id"].as_str().unwrap().to_owned();
    lvm.await_call("lvm lvextend");
    let (error, parameters) = refusal(&service, "Abandon", &json!({ "id": id }));
    assert_eq!((error.as_str(), &parameters["phase"]), ("TooLate", &json!("applying")));
    lvm.release();
    assert_eq!(end_of(&service, &id)["outcome"]["kind"], "committed");
    assert_eq!(refusal(&service, "Abandon", &json!({ "id": id })).1["phase"], "ended");
}

#[test]
fn a_host_that_cannot_refresh_lags_and_goes_on_trying() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.hook("after-lvextend", "echo 1 >\"$SYS/block/$DEVICE/size\"\n");
    lvm.hook("before-lvchange", "echo '  no table' >&2; exit 5\n");
    let service = service(&site, &lvm).set("reconfigure.commit_limit_ms", "1000").start();
    let change = propose(&service, &resize("vg0", 5));
    let id = change["id"].as_str().unwrap();
    let lagging = wait::until("the host to lag", wait::SOON, || {
        let change = service.call(&method("Show"), &json!({ "id": id }))["change"].take();
        (change["hosts"][0]["lagging"] == true).then_some(change)
    });
    assert_eq!(
        (&lagging["outcome"]["kind"], &lagging["phase"]),
        (&json!("committed"), &json!("ended")),
        "{lagging}"
    );
    lvm.unhook("before-lvchange");
    wait::until("the host to do its part", wait::SOON, || {
        let change = service.call(&method("Show"), &json!({ "id": id }))["change"].take();
        let host = &change["hosts"][0];
        (host["lagging"] == false && host["state"] == "done").then_some(())
    });
    assert_eq!(lvm.device_bytes("dm-0"), Some(5 * EXTENT));
}

#[test]
fn without_the_role_every_method_says_so() {
    let site = Site::new();
    let service = site.service().start();
    assert_eq!(refusal(&service, "List", &json!({})).0, "NotServed");
    assert_eq!(refusal(&service, "Propose", &json!({"goal": resize("vg0", 5)})).0, "NotServed");
}
