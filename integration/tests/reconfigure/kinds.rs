//! Each kind from the question to its end.

use lvmwarden_integration::site::Site;
use serde_json::{Value, json};

use crate::fake::{EXTENT, Lvm, change, end_of, events, method, propose, resize, service};

#[test]
fn an_lv_is_resized_and_its_table_is_seen_to_be_as_large() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    let service = service(&site, &lvm).start();
    let change = change(&service, &resize("vg0", 5));
    assert_eq!(change["outcome"]["kind"], "committed", "{change}");
    assert_eq!(change["goal_text"], "resize vg0/data 0.01 GiB to 0.02 GiB (5 extents)");
    let [host] = &change["hosts"].as_array().unwrap()[..] else { panic!("one host is in {change}") };
    assert_eq!(
        (&host["vote"], &host["concern"], &host["state"]),
        (&json!("yes"), &json!("lv"), &json!("done"))
    );
    assert_eq!(
        lvm.calls(),
        ["lvm lvextend --extents 5 vg0/data"],
        "the table was refreshed by lvextend itself"
    );
    assert_eq!(lvm.device_bytes("dm-0"), Some(5 * EXTENT));
    let told = events(&service);
    assert_eq!(
        told, "member_joined asked proposed voted prepared gate_opened committed refreshed ended ",
        "{told}"
    );
    let listed = service.call(&method("List"), &json!({}));
    assert_eq!(listed["changes"], json!([change]));
}

#[test]
fn a_device_that_the_writer_left_behind_is_refreshed() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.hook("after-lvextend", "echo 1 >\"$SYS/block/$DEVICE/size\"\n");
    let service = service(&site, &lvm).start();
    let change = change(&service, &resize("vg0", 5));
    assert_eq!(change["outcome"]["kind"], "committed", "{change}");
    assert_eq!(lvm.calls().last().unwrap(), "lvm lvchange --refresh vg0/data");
    assert_eq!(lvm.device_bytes("dm-0"), Some(5 * EXTENT));
}

#[test]
fn the_size_that_it_has_is_committed_and_nothing_is_done() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    let service = service(&site, &lvm).start();
    let change = propose(&service, &resize("vg0", 2));
    assert_eq!((&change["outcome"]["kind"], &change["phase"]), (&json!("committed"), &json!("ended")));
    assert_eq!(lvm.calls(), [""; 0]);
}

#[test]
fn tags_names_and_activation_are_changed_by_lvms_own_commands() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    let service = service(&site, &lvm).start();
    let goals = [
        (json!({"kind": "tag", "vgname": "vg0", "add_tags": ["a"]}), "lvm vgchange --addtag a vg0"),
        (
            json!({"kind": "tag", "vgname": "vg0", "lvnames": ["data"], "remove_tags": ["a"]}),
            "lvm lvchange --deltag a vg0/data",
        ),
        (
            json!({"kind": "rename_lv", "vgname": "vg0", "lvnames": ["data"], "new_name": "new"}),
            "lvm lvrename vg0 data new",
        ),
        (json!({"kind": "deactivate", "vgname": "vg0", "lvnames": ["new"]}), "lvm lvchange -an vg0/new"),
        (json!({"kind": "activate", "vgname": "vg0", "lvnames": ["new"]}), "lvm lvchange -asy vg0/new"),
        (json!({"kind": "refresh", "vgname": "vg0"}), "lvm lvchange --refresh vg0/new"),
    ];
    for (goal, command) in goals {
        let change = change(&service, &goal);
        assert_eq!(change["outcome"]["kind"], "committed", "{change}");
        assert_eq!(lvm.calls().last().unwrap(), command);
    }
    assert_eq!(lvm.calls().len(), 6);
}

#[test]
fn the_same_id_is_the_same_change_also_after_its_end() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    let service = service(&site, &lvm).start();
    let id = "0b5c41d2-0000-4000-8000-000000000001";
    let asked = json!({"goal": resize("vg0", 3), "id": id});
    let first = service.call(&method("Propose"), &asked)["change"].take();
    assert_eq!(first["id"], id);
    let ended = end_of(&service, "0b5c41d2");
    let again = service.call(&method("Propose"), &asked)["change"].take();
    assert_eq!(again, ended);
    assert_eq!(lvm.calls().len(), 1);
}

#[test]
fn a_plan_tells_what_would_be_done_and_does_nothing() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    let service = service(&site, &lvm).start();
    let plan = service.call(&method("Plan"), &json!({"goal": resize("vg0", 50)}));
    assert_eq!(plan["would"], true);
    assert_eq!(plan["steps"][0]["command"], "lvm lvextend --extents 50 vg0/data");
    assert_eq!(plan["hosts"][0]["notes"], json!(["48 extents are wanted, 10 are free in vg0"]));
    assert_eq!(lvm.calls(), [""; 0]);
    assert_eq!(service.call(&method("List"), &json!({}))["changes"], json!([]));
    let members = service.call(&method("Members"), &json!({}));
    assert_eq!((&members["transport"], &members["quorate"]), (&json!("local"), &json!(true)));
    assert_eq!(members["members"][0]["is_self"], true);
    assert_eq!(members["problem"], Value::Null);
}
