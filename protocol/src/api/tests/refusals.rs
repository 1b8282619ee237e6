//! What can be told from a call alone.

use serde_json::{Value, json};

use super::super::varlink_service::Error as VarlinkError;
use super::super::{Call, CallError, InterfaceError, Reply, Request, poll};

fn call(message: &Value) -> Call {
    serde_json::from_value(message.clone()).expect("a call")
}

#[track_caller]
fn assert_refused(message: &Value, expected: &VarlinkError) {
    assert_eq!(Request::parse(&call(message)).as_ref(), Err(expected), "{message}");
}

#[test]
fn a_name_that_is_not_known_is_said_to_be_no_interface_or_no_method() {
    let no_interface = |interface: &str| VarlinkError::InterfaceNotFound { interface: interface.to_owned() };
    assert_refused(&json!({"method": ""}), &no_interface(""));
    assert_refused(&json!({"method": "List"}), &no_interface(""));
    assert_refused(&json!({"method": "org.lvmwarden.List"}), &no_interface("org.lvmwarden"));
    assert_refused(&json!({"method": "org.lvmwarden.Poll.List.X"}), &no_interface("org.lvmwarden.Poll.List"));
    for method in ["org.lvmwarden.Poll.list", "org.lvmwarden.Poll.", "org.varlink.service.Info"] {
        assert_refused(
            &json!({"method": method}),
            &VarlinkError::MethodNotFound { method: method.to_owned() },
        );
    }
}

#[test]
fn a_bad_parameter_is_named() {
    let id = "018f0000-0000-7000-8000-000000000001";
    let start = json!({"kind": "pvmove", "vgname": "vg0", "lvname": "pvmove0", "lvid": "v".repeat(64)});
    let start_with = |name: &str, value: Value| {
        let mut parameters = start.clone();
        parameters[name] = value;
        parameters
    };
    let table = [
        ("Poll.List", json!({"all": true}), "all"),
        ("Poll.Show", json!({}), "id"),
        ("Poll.Show", json!({"id": null}), "id"),
        ("Poll.Show", json!({"id": "7"}), "id"),
        ("Poll.Show", json!({"id": id, "verbose": true}), "verbose"),
        ("Poll.Start", json!({"kind": "pvmove"}), "vgname"),
        ("Poll.Start", start_with("kind", json!("cache")), "kind"),
        ("Poll.Start", start_with("lvname", json!("")), "lvname"),
        ("Poll.Start", start_with("lvname", json!(["a"])), "lvname"),
        ("Poll.Start", start_with("interval_seconds", json!(-1)), "interval_seconds"),
        ("Poll.Start", start_with("interval_seconds", json!(1.5)), "interval_seconds"),
        ("Poll.Start", start_with("sysdir", json!("")), "sysdir"),
        ("Poll.Start", start_with("vgname", json!("-x")), "vgname"),
        ("Poll.Start", start_with("vgname", json!("a/b")), "vgname"),
        ("Poll.Start", start_with("lvname", json!("--abort")), "lvname"),
        ("Poll.Start", start_with("lvname", json!("../x")), "lvname"),
        ("Poll.Start", start_with("lvid", json!("L")), "lvid"),
        ("Poll.Start", start_with("devicesfile", json!("../../x")), "devicesfile"),
        ("Poll.Start", start_with("sysdir", json!("/etc/lvm\n")), "sysdir"),
        ("Poll.Abort", json!({"vgname": "vg0", "lvname": "-x"}), "lvname"),
        ("Poll.Abort", json!({}), "id"),
        ("Poll.Abort", json!({"vgname": "vg0"}), "id"),
        ("Poll.Abort", json!({"id": id, "vgname": "vg0", "lvname": "pvmove0"}), "id"),
        ("Poll.Abort", json!({"vgname": "", "lvname": "pvmove0"}), "vgname"),
        ("Supervisor.SetLogLevel", json!({"level": 3}), "level"),
        ("Service.Stop", json!({}), "leave_children"),
        ("Events.Recent", json!({"limit": "all"}), "limit"),
    ];
    for (method, parameters, parameter) in table {
        let message = json!({"method": format!("org.lvmwarden.{method}"), "parameters": parameters});
        assert_refused(&message, &VarlinkError::InvalidParameter { parameter: parameter.to_owned() });
    }
    for cursor in
        ["", "7", "e:", ":7", "e:-1", "e:+1", "e:01", "e:7 ", "e f:7", "e:7:8", "e:18446744073709551616"]
    {
        let message = json!({
            "method": "org.lvmwarden.Events.Subscribe", "parameters": {"cursor": cursor}, "more": true,
        });
        assert_refused(&message, &VarlinkError::InvalidParameter { parameter: "cursor".to_owned() });
    }
}

#[test]
fn a_stream_must_be_asked_for_and_another_protocol_is_not_offered() {
    for method in ["org.lvmwarden.Poll.Watch", "org.lvmwarden.Events.Subscribe"] {
        assert_refused(&json!({"method": method}), &VarlinkError::ExpectedMore);
        assert!(Request::parse(&call(&json!({"method": method, "more": true}))).is_ok());
    }
    let method = "org.lvmwarden.Poll.List".to_owned();
    let upgrade = json!({"method": method, "upgrade": true});
    assert_refused(&upgrade, &VarlinkError::MethodNotImplemented { method });
}

#[test]
fn parameters_may_be_absent_or_null_and_keys_of_later_protocols_are_ignored() {
    let expected = Ok(Request::Poll(poll::Request::List(poll::List { page: None })));
    for message in [
        json!({"method": "org.lvmwarden.Poll.List"}),
        json!({"method": "org.lvmwarden.Poll.List", "parameters": null}),
        json!({"method": "org.lvmwarden.Poll.List", "parameters": {}, "more": true, "oneway": false, "trace": 1}),
    ] {
        assert_eq!(Request::parse(&call(&message)), expected);
    }
}

#[test]
fn an_error_is_typed_by_its_own_interface_only() {
    let refusal = |reply: Reply| reply.read::<poll::List>().expect_err("an error");
    let busy = refusal(Reply::error(&poll::Error::Busy));
    assert_eq!(poll::Error::from_refusal(&busy), Some(poll::Error::Busy));
    assert_eq!(VarlinkError::from_refusal(&busy), None);
    assert_eq!(busy.to_string(), "call a method: the service answered org.lvmwarden.Poll.Busy {}");

    let unknown =
        Reply { error: Some("org.lvmwarden.Poll.Tired".to_owned()), ..Reply::error(&poll::Error::Busy) };
    assert_eq!(poll::Error::from_refusal(&refusal(unknown)), None);
    let longer =
        Reply { error: Some("org.lvmwarden.Polling.Busy".to_owned()), ..Reply::error(&poll::Error::Busy) };
    assert_eq!(poll::Error::from_refusal(&refusal(longer)), None);
}

#[test]
fn a_reply_that_is_not_the_methods_is_unreadable() {
    let reply: Reply = serde_json::from_value(json!({"parameters": {"operations": 3}})).expect("a reply");
    let error = reply.read::<poll::List>().expect_err("not a list");
    assert!(matches!(error, CallError::Unreadable(_)), "{error}");
}
