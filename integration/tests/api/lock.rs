//! The lock role of the service: where it is turned on, and what it says where nothing is started.
//!
//! No lockspace is started here: a lock manager that happened to run on this machine would be asked. What lockspaces do is
//! tested with the stand-in in test mode, and in the lab.

use lvmwarden_integration::lock_client::{LockClient, ask};
use lvmwarden_integration::service::Service;
use lvmwarden_integration::site::Site;
use serde_json::{Value, json};

use crate::support::Client;

/// Starts a service that polls and locks.
fn start(site: &Site) -> Service {
    let path = |name: &str| format!("{:?}", site.path(name).to_str().unwrap());
    site.service()
        .set("service.roles", r#"["poll", "lock"]"#)
        .set("lock.socket", &path("lockd"))
        .set("lock.pid_file", &path("lockd.pid"))
        .set("lock.adopt_file", &path("lockd.adopt"))
        .start()
}

fn error_of(reply: &Value) -> &str {
    reply["error"].as_str().unwrap_or_default()
}

#[test]
fn without_the_role_nothing_is_told_of_locks() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    for (method, parameters) in [
        ("Lockspaces", json!({})),
        ("Locks", json!({})),
        ("Waiters", json!({})),
        ("Orphans", json!({})),
        ("Explain", json!({ "vgname": "vg0" })),
        ("Drop", json!({ "vgname": "vg0" })),
    ] {
        let reply = client.try_call(&format!("org.lvmwarden.Lock.{method}"), &parameters);
        assert_eq!(error_of(&reply), "org.lvmwarden.Lock.NotServed", "{method}");
    }
}

#[test]
fn a_service_with_the_role_serves_lvm_and_the_api() {
    let site = Site::new();
    let service = start(&site);
    let pid = std::fs::read_to_string(site.path("lockd.pid")).unwrap();
    assert_eq!(pid.trim(), service.pid().to_string());
    let mut client = LockClient::connect(&site.path("lockd"));
    let answer = client.ask(ask::lock_vg("vg0", "ex"));
    assert_eq!((answer.result(), answer.flags().contains("NO_LOCKSPACES")), (-210, true));
    let call =
        |method: &str, parameters: Value| service.call(&format!("org.lvmwarden.Lock.{method}"), &parameters);
    assert_eq!(call("Lockspaces", json!({})), json!({"lockspaces": []}));
    assert_eq!(call("Locks", json!({ "vgname": "vg0" })), json!({"locks": []}));
    assert_eq!(call("Waiters", json!({})), json!({"waiters": []}));
    assert_eq!(call("Orphans", json!({})), json!({"has_more": false, "orphans": []}));
    for method in ["Explain", "Stop", "Drop", "Adopt", "Release"] {
        let reply = Client::connect(&site)
            .try_call(&format!("org.lvmwarden.Lock.{method}"), &json!({ "vgname": "vg0" }));
        assert_eq!(error_of(&reply), "org.lvmwarden.Lock.NotStarted", "{method}");
        assert_eq!(reply["parameters"]["vgname"], "vg0");
    }
    for (method, lock) in [("Adopt", "no lock"), ("Release", "VGLK"), ("Release", "GLLK")] {
        let parameters = json!({ "vgname": "no-vg", "lock": lock });
        let reply = Client::connect(&site).try_call(&format!("org.lvmwarden.Lock.{method}"), &parameters);
        assert_eq!(error_of(&reply), "org.lvmwarden.Lock.NotStarted", "{method} {lock}");
    }
    let tree = service.call("org.lvmwarden.Supervisor.Tree", &json!({})).to_string();
    for name in ["root/lock/lockspaces", "root/lock/recovery", "root/doors/lvmlockd"] {
        assert!(tree.contains(name), "{name} is not in {tree}");
    }
}

#[test]
fn a_second_daemon_with_the_same_pid_file_does_not_start() {
    let site = Site::new();
    let _service = start(&site);
    let path = |name: &str| format!("{:?}", site.path(name).to_str().unwrap());
    let second = Site::new();
    let mut refused = second
        .service()
        .set("service.roles", r#"["lock"]"#)
        .set("lock.socket", &path("other"))
        .set("lock.pid_file", &path("lockd.pid"))
        .start_unready();
    assert!(!refused.await_end(lvmwarden_integration::wait::SOON).success());
}
