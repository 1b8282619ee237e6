//! What each method answers that needs no actors.

use super::*;

#[tokio::test]
async fn the_service_says_who_it_is_and_what_it_speaks() {
    let (served, ()) = Fixture::new(9)
        .talk(ROOT, async |mut client| {
            let info = client.call("org.varlink.service.GetInfo", json!({})).await;
            assert_eq!(info["parameters"]["product"], "lvmwarden");
            assert_eq!(info["parameters"]["interfaces"], json!(INTERFACES.map(|(name, _)| name)));
            let info = client.call("org.lvmwarden.Service.Info", json!({})).await;
            assert_eq!(info["parameters"]["pid"], std::process::id());
            assert_eq!(info["parameters"]["started_at"], "2026-11-21T10:00:00Z");
        })
        .await;
    served.unwrap();
}

#[tokio::test]
async fn each_interface_is_described_by_its_text() {
    let (served, ()) = Fixture::new(9)
        .talk(MEMBER, async |mut client| {
            for (name, text) in INTERFACES {
                let asked = json!({"interface": name});
                let told = client.call("org.varlink.service.GetInterfaceDescription", asked).await;
                assert_eq!(told["parameters"]["description"], text);
            }
            let asked = json!({"interface": "org.example"});
            assert_eq!(
                client.call("org.varlink.service.GetInterfaceDescription", asked).await,
                json!({"error": "org.varlink.service.InterfaceNotFound", "parameters": {"interface": "org.example"}})
            );
        })
        .await;
    served.unwrap();
}

#[tokio::test]
async fn a_call_that_makes_no_sense_is_answered_with_what_is_wrong() {
    let (served, ()) = Fixture::new(9)
        .talk(ROOT, async |mut client| {
            for (method, parameters, error, told) in [
                (
                    "org.lvmwarden.Poll.Listen",
                    json!({}),
                    "MethodNotFound",
                    json!({"method": "org.lvmwarden.Poll.Listen"}),
                ),
                ("org.example.X", json!({}), "InterfaceNotFound", json!({"interface": "org.example"})),
                ("Nothing", json!({}), "InterfaceNotFound", json!({"interface": ""})),
                ("org.lvmwarden.Poll.Show", json!({"id": 7}), "InvalidParameter", json!({"parameter": "id"})),
                ("org.lvmwarden.Poll.Show", json!({}), "InvalidParameter", json!({"parameter": "id"})),
                ("org.lvmwarden.Poll.List", json!({"x": 1}), "InvalidParameter", json!({"parameter": "x"})),
                ("org.lvmwarden.Poll.Watch", json!({}), "ExpectedMore", json!({})),
            ] {
                assert_eq!(
                    client.call(method, parameters).await,
                    json!({"error": format!("org.varlink.service.{error}"), "parameters": told}),
                );
            }
        })
        .await;
    served.unwrap();
}

#[tokio::test]
async fn without_the_poll_role_operations_are_refused_with_the_reason() {
    let (served, reply) = Fixture::new(9)
        .talk(ROOT, async |mut client| client.call("org.lvmwarden.Poll.List", json!({})).await)
        .await;
    served.unwrap();
    assert_eq!(
        reply,
        json!({"error": "org.lvmwarden.Poll.Failed", "parameters": {"reason": "the poll role is turned off"}})
    );
}

#[tokio::test]
async fn the_log_level_is_set_or_the_levels_are_named() {
    let fixture = Fixture::new(9);
    let (served, ()) = fixture
        .talk(ROOT, async |mut client| {
            let method = "org.lvmwarden.Supervisor.SetLogLevel";
            assert_eq!(client.call(method, json!({"level": "debug"})).await, json!({"parameters": {}}));
            let refused = client.call(method, json!({"level": "loud"})).await;
            assert_eq!(refused["error"], "org.lvmwarden.Supervisor.BadLevel");
            assert_eq!(refused["parameters"], json!({"level": "loud", "permitted": ["info", "debug"]}));
        })
        .await;
    served.unwrap();
    assert_eq!(fixture.told(), ["log debug"]);
}

#[tokio::test]
async fn a_stop_is_answered_before_it_begins() {
    let fixture = Fixture::new(9);
    let (served, ()) = fixture
        .talk(ROOT, async |mut client| {
            let reply = client.call("org.lvmwarden.Service.Stop", json!({"leave_children": true})).await;
            assert_eq!(reply, json!({"parameters": {}}));
        })
        .await;
    served.unwrap();
    assert_eq!(fixture.told(), ["stop, leave_children: true"]);
}

#[tokio::test]
async fn the_metrics_count_the_calls_before() {
    let (served, text) = Fixture::new(9)
        .talk(ROOT, async |mut client| {
            client.call("org.lvmwarden.Service.Info", json!({})).await;
            let reply = client.call("org.lvmwarden.Metrics.Get", json!({})).await;
            reply["parameters"]["openmetrics"].as_str().unwrap().to_owned()
        })
        .await;
    served.unwrap();
    for line in [
        "lvmwarden_requests_total{door=\"api\",request=\"org.lvmwarden.Service.Info\"} 1\n",
        "lvmwarden_log_lines_dropped_total 7\n",
        "lvmwarden_poll_operations{kind=\"pvmove\",state=\"running\"} 0\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}

#[tokio::test]
async fn a_stranger_is_denied_every_method_and_its_coming_is_told_once() {
    let fixture = Fixture::new(9);
    let (served, ()) = fixture
        .talk(STRANGER, async |mut client| {
            for method in all_methods().iter().map(String::as_str).chain(["org.example.Nothing", ""]) {
                let expected = json!({"error": "org.varlink.service.PermissionDenied", "parameters": {}});
                assert_eq!(client.call(method, json!({})).await, expected, "{method}");
            }
        })
        .await;
    served.unwrap();
    let kinds: Vec<_> = fixture.events.recent(None).into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds, ["client.refused"]);
    assert_eq!(fixture.told(), [""; 0]);
}

#[tokio::test]
async fn a_member_is_denied_what_changes_something_whatever_its_parameters() {
    let fixture = Fixture::new(9);
    let (served, ()) = fixture
        .talk(MEMBER, async |mut client| {
            for method in [
                "org.lvmwarden.Poll.Start",
                "org.lvmwarden.Poll.Abort",
                "org.lvmwarden.Supervisor.Restart",
                "org.lvmwarden.Supervisor.SetLogLevel",
                "org.lvmwarden.Service.Stop",
            ] {
                for parameters in [json!({}), json!({"leave_children": true}), json!({"level": "debug"})] {
                    let reply = client.call(method, parameters).await;
                    assert_eq!(reply["error"], "org.varlink.service.PermissionDenied", "{method}");
                }
            }
            let reply = client.call("org.lvmwarden.Poll.Typo", json!({})).await;
            assert_eq!(reply["error"], "org.varlink.service.MethodNotFound");
        })
        .await;
    served.unwrap();
    assert_eq!(fixture.told(), [""; 0]);
}

#[tokio::test]
async fn page_by_page_each_event_is_told_once_however_many_there_are() {
    let fixture = Fixture::new(5000);
    fixture.publish(0..5000);
    let (served, ()) = fixture
        .talk(MEMBER, async |mut client| {
            let (mut told, mut parameters) = (Vec::new(), json!({}));
            loop {
                let reply = client.call("org.lvmwarden.Events.Recent", parameters).await;
                assert!(reply.to_string().len() < outgoing::PAGE_BYTES + 1024);
                let mut page = reply["parameters"]["events"].as_array().unwrap().clone();
                page.append(&mut told);
                told = page;
                let next = &reply["parameters"]["next_page"];
                if next.is_null() {
                    break;
                }
                // What happens meanwhile is on no later page.
                fixture.publish(9000..9001);
                parameters = json!({"page": next});
            }
            let uids: Vec<u32> =
                told.iter().map(|event| event["fields"]["uid"].as_str().unwrap().parse().unwrap()).collect();
            // The first of them expired meanwhile.
            let expired = uids[0];
            assert!((1..20).contains(&expired));
            assert_eq!(uids, (expired..5000).collect::<Vec<_>>());
            for page in ["nonsense", "", "x:"] {
                let reply = client.call("org.lvmwarden.Events.Recent", json!({"page": page})).await;
                assert_eq!(reply["parameters"]["parameter"], "page", "{reply}");
            }
        })
        .await;
    served.unwrap();
}
