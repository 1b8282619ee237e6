//! The supervision tree as clients see and change it.

use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;
use serde_json::{Value, json};

use crate::support::{Client, start_pvmove};

/// Returns the node of this name, if it is in the tree.
fn find<'t>(node: &'t Value, name: &str) -> Option<&'t Value> {
    if node["name"] == *name {
        return Some(node);
    }
    node["children"].as_array()?.iter().find_map(|child| find(child, name))
}

fn tree(client: &mut Client) -> Value {
    client.call("org.lvmwarden.Supervisor.Tree", &json!({}))["root"].clone()
}

#[test]
fn the_tree_shows_every_actor() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    let pvmove = site.pvmove("pvmove0");
    start_pvmove(&site, &mut client, &pvmove);
    let root = tree(&mut client);
    for (name, kind) in [
        ("root", "supervisor"),
        ("root/journal", "worker"),
        ("root/poll/operations", "supervisor"),
        (&format!("root/poll/operations/poll:{}", pvmove.lvid), "worker"),
        ("root/archive/janitor", "worker"),
        ("root/doors/lvmpolld", "worker"),
        ("root/doors/api", "worker"),
    ] {
        let node = find(&root, name).unwrap_or_else(|| panic!("no {name} in {root:#}"));
        assert_eq!(
            (&node["kind"], &node["state"], &node["restarts"]),
            (&json!(kind), &json!("running"), &json!(0))
        );
    }
}

#[test]
fn whatever_is_restarted_the_child_is_the_same_and_its_end_is_told() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    let pvmove = site.pvmove("pvmove0");
    let (id, child) = start_pvmove(&site, &mut client, &pvmove);
    let operation = format!("root/poll/operations/poll:{}", pvmove.lvid);
    for name in [&operation, "root/poll/operations", "root/poll", "root/journal", "root/doors/lvmpolld"] {
        client.call("org.lvmwarden.Supervisor.Restart", &json!({ "name": name }));
        wait::until(&format!("the operation, after {name} was restarted"), wait::SOON, || {
            let shown = client.try_call("org.lvmwarden.Poll.Show", &json!({ "id": id }));
            let shown = &shown["parameters"]["operation"];
            (shown["state"] == "running" && shown["pid"] == child.pid).then_some(())
        });
    }
    assert_eq!(site.lvm.start_count(), 1);
    assert!(find(&tree(&mut client), "root/journal").unwrap()["restarts"].as_u64().unwrap() > 0);
    site.lvm.tell_exit(&child, 5);
    let ended = client.call("org.lvmwarden.Poll.Wait", &json!({ "id": id, "timeout_ms": 10_000 }));
    assert_eq!(ended["operation"]["state"], "ended", "{ended}");
}

#[test]
fn the_door_that_is_asked_can_itself_be_restarted() {
    let site = Site::new();
    let _service = site.service().start();
    for _ in 0..3 {
        let mut client = Client::connect(&site);
        client.call("org.lvmwarden.Supervisor.Restart", &json!({ "name": "root/doors/api" }));
        assert_eq!(client.next(), None, "the session ends with its door");
    }
    assert_eq!(find(&tree(&mut Client::connect(&site)), "root/doors/api").unwrap()["restarts"], 3);
}

#[test]
fn what_is_not_below_the_root_cannot_be_restarted() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    for name in
        ["root", "", "root/", "journal", "root/nobody", "root/journal/x", "root/poll/operations/poll:nobody"]
    {
        let reply = client.try_call("org.lvmwarden.Supervisor.Restart", &json!({ "name": name }));
        assert_eq!(
            reply,
            json!({"error": "org.lvmwarden.Supervisor.UnknownName", "parameters": {"name": name}})
        );
    }
}

/// The points are compiled into builds with debug assertions only.
#[cfg(debug_assertions)]
#[test]
fn a_panic_is_an_event_and_a_number() {
    let site = Site::new();
    let service =
        site.service().environment("LVMWARDEN_FAULT", "panic@poll_operation.running_stored").start();
    let mut client = Client::connect(&site);
    start_pvmove(&site, &mut client, &site.pvmove("pvmove0"));
    let kinds = |client: &mut Client| -> Vec<String> {
        let recent = client.call("org.lvmwarden.Events.Recent", &json!({}));
        let events = recent["events"].as_array().unwrap();
        events.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
    };
    wait::until("the restart", wait::SOON, || {
        kinds(&mut client).contains(&"actor.restarted".to_owned()).then_some(())
    });
    assert!(kinds(&mut client).contains(&"actor.ended".to_owned()));
    let got = service.call("org.lvmwarden.Metrics.Get", &json!({}));
    for line in [
        "actor_panics_total{actor=\"root/poll/operations/*\"} 1\n",
        "actor_restarts_total{actor=\"root/poll/operations/*\"} 1\n",
    ] {
        assert!(got["openmetrics"].as_str().unwrap().contains(line), "{line}{got}");
    }
}
