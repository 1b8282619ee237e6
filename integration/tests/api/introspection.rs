//! What the service says of itself is what stands in the repository.

use std::fs;
use std::path::Path;

use lvmwarden_integration::site::Site;
use serde_json::json;

use crate::support::{Client, all_methods};

#[test]
fn each_interface_is_described_by_the_file_in_the_repository() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/src/api");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".varlink")?.to_owned()))
        .collect();
    names.sort();
    let info = client.call("org.varlink.service.GetInfo", &json!({}));
    let mut told: Vec<_> =
        info["interfaces"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    told.sort_unstable();
    assert_eq!(told, names);
    for name in names {
        let asked = json!({ "interface": name });
        let described = client.call("org.varlink.service.GetInterfaceDescription", &asked);
        let expected = fs::read_to_string(folder.join(format!("{name}.varlink"))).unwrap();
        assert_eq!(described["description"], expected, "{name}");
    }
}

#[test]
fn each_method_that_is_described_exists() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    let methods = all_methods(&mut client);
    assert!(methods.len() > 15, "{methods:?}");
    for method in methods {
        // A parameter that none of them has keeps each from being carried out.
        let reply = client.try_call(&method, &json!({ "no such parameter": 1 }));
        let error = reply["error"].as_str().unwrap_or_else(|| panic!("{method}: {reply}"));
        let expected = ["org.varlink.service.InvalidParameter", "org.varlink.service.ExpectedMore"];
        assert!(expected.contains(&error), "{method}: {reply}");
    }
}

#[test]
fn what_cannot_be_called_is_said_with_its_name() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    for (method, parameters, error, told) in [
        (
            "org.lvmwarden.Poll.Listen",
            json!({}),
            "MethodNotFound",
            json!({"method": "org.lvmwarden.Poll.Listen"}),
        ),
        ("org.example.List", json!({}), "InterfaceNotFound", json!({"interface": "org.example"})),
        ("org.lvmwarden.Poll.Show", json!({"id": 7}), "InvalidParameter", json!({"parameter": "id"})),
        (
            "org.lvmwarden.Poll.Start",
            json!({"kind": "move", "vgname": "v", "lvname": "l", "lvid": "x"}),
            "InvalidParameter",
            json!({"parameter": "kind"}),
        ),
        ("org.lvmwarden.Events.Subscribe", json!({}), "ExpectedMore", json!({})),
        (
            "org.lvmwarden.Events.Recent",
            json!({"limit": "ten"}),
            "InvalidParameter",
            json!({"parameter": "limit"}),
        ),
    ] {
        let expected = json!({"error": format!("org.varlink.service.{error}"), "parameters": told});
        assert_eq!(client.try_call(method, &parameters), expected);
    }
    // The connection is as good as before.
    assert_eq!(client.call("org.lvmwarden.Poll.List", &json!({})), json!({"operations": []}));
}
