//! The `varlink` package of Python, which knows the API from introspection alone.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lvmwarden_integration::lab::cache::Cache;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;
use serde_json::{Value, json};

use crate::support::{Client, say_percent};

const VERSION: &str = "31.0.0";

/// Returns the folder of the package: our own copy in the lab's cache, made when it is missing.
fn package() -> PathBuf {
    let install = |folder: &Path| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--target"]).arg(folder);
        let installed = pip.arg(format!("varlink=={VERSION}")).status()?;
        anyhow::ensure!(installed.success(), "pip cannot install varlink {VERSION}");
        Ok(())
    };
    Cache::open().unwrap().entry(&format!("python-varlink-{VERSION}"), install).unwrap()
}

#[test]
fn pythons_varlink_lists_starts_watches_and_waits_for_an_operation() {
    let site = Site::new();
    let _service = site.service().start();
    let pvmove = site.pvmove("pvmove0");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api/client.py");
    let mut python = Command::new("timeout");
    python.args(["60", "python3"]).arg(script).arg(format!("unix:{}", site.api_socket().display()));
    python.args([&pvmove.vg, &pvmove.lv, &pvmove.lvid]).env("PYTHONPATH", package());
    let python = python.stdout(Stdio::piped()).spawn().unwrap();
    let child = site.lvm.await_start();
    // It watches, and sees a change.
    let mut other = Client::connect(&site);
    say_percent(&site, &child, &pvmove, "25.00");
    wait::until("somebody who watches", wait::SOON, || {
        let got = other.call("org.lvmwarden.Metrics.Get", &json!({}));
        let line = "lvmwarden_requests_total{door=\"api\",request=\"org.lvmwarden.Poll.Watch\"} 1\n";
        got["openmetrics"].as_str()?.contains(line).then_some(())
    });
    site.lvm.tell_exit(&child, 5);
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (name, expected) in [
        ("product", json!("lvmwarden")),
        ("before", json!(0)),
        ("again", json!([true, true])),
        ("listed", json!([pvmove.lv])),
        ("last", json!("failed")),
        ("waited", json!("ended")),
        ("unknown", json!(["org.lvmwarden.Poll.NotFound", {"id": "00000000-0000-0000-0000-000000000000"}])),
        ("wrong", json!(["org.varlink.service.InvalidParameter", {"parameter": "id"}])),
        ("steps", json!(["intended", "started", "ended"])),
        ("tree", json!("root")),
        ("eof", json!(true)),
    ] {
        assert_eq!(told[name], expected, "{name} in {told:#}");
    }
    assert!(told["events"].as_u64() > Some(3), "{told:#}");
}
