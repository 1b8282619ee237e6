//! `lvmwarden reconfigure`, as people type it.

use std::process::{Command, Stdio};

use lvmwarden_integration::site::Site;
use lvmwarden_integration::{binaries, wait};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::fake::{EXTENT, Lvm, end_of, method, service};

fn command(site: &Site, arguments: &[&str]) -> Command {
    let mut command = Command::new(binaries::lvmwardend().with_file_name("lvmwarden"));
    command.env("TZ", "UTC").env("NO_COLOR", "1").arg("--socket").arg(site.api_socket()).arg("reconfigure");
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Returns the exit code, what was said, and what was said beside.
fn run(site: &Site, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = command(site, arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_resize_tells_its_phases_and_its_end() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.hook("before-lvextend", "sleep 0.3\n");
    let _service = service(&site, &lvm).start();
    let (code, plan, _) = run(&site, &["resize", "vg0/data", "--size", "+12m", "--plan"]);
    assert_eq!(code, Some(0), "{plan}");
    assert!(plan.contains("lvm lvextend --extents 5 vg0/data"), "{plan}");
    let (code, text, beside) = run(&site, &["resize", "vg0/data", "--size", "+12m"]);
    assert_eq!((code, beside.as_str()), (Some(0), ""), "{text}");
    assert!(
        text.starts_with("Change ") && text.contains("resize vg0/data 0.01 GiB to 0.02 GiB (5 extents)"),
        "{text}"
    );
    assert!(text.contains("\n  applying "), "{text}");
    assert!(text.ends_with("Committed on 1 host.\n"), "{text}");
    assert_eq!(lvm.device_bytes("dm-0"), Some(5 * EXTENT));
    let (code, text, _) = run(&site, &["resize", "vg0/data", "--size", "20m"]);
    assert!(code == Some(0) && text.ends_with("Nothing to do: it is so already.\n"), "{text}");
    let (_, list, _) = run(&site, &["list"]);
    assert_eq!(list.lines().count(), 3, "{list}");
    let (_, members, _) = run(&site, &["members"]);
    assert!(
        members.starts_with("Transport local, ring 1.1, quorate\n") && members.contains("this host"),
        "{members}"
    );
}

#[test]
fn what_is_refused_or_objected_to_is_told_with_exit_code_1() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.put_device("vg0", "data", EXTENT, "dm-0");
    let _service = service(&site, &lvm).start();
    let (code, _, beside) = run(&site, &["resize", "vg0/nope", "--size", "+1g"]);
    assert!(code == Some(1) && beside.contains("lvnames: there is no LV vg0/nope"), "{beside}");
    let (code, text, _) = run(&site, &["resize", "vg0/data", "--size", "+1g"]);
    assert!(code == Some(1) && text.contains("abandoned while voting.\nNothing was changed.\n"), "{text}");
    assert!(text.contains("  no  not_as_described\n"), "{text}");
    let (code, json, _) = run(&site, &["resize", "vg0/data", "--size", "+1g", "--json"]);
    let told: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &told["change"]["outcome"]["code"]), (Some(1), &json!("not_as_described")));
    let (code, _, beside) = run(&site, &["activate", "vg0/a", "vg1/b"]);
    assert_eq!(code, Some(2), "{beside}");
    let (code, _, beside) = run(&site, &["show", "abcd"]);
    assert!(code == Some(1) && beside.contains("there is no change abcd"), "{beside}");
}

/// Starts a command, presses Ctrl-C when lvm is at work, and returns how it has ended.
fn interrupted(site: &Site, lvm: &Lvm, arguments: &[&str], call: &str) -> (Option<i32>, String) {
    let running = command(site, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    lvm.await_call(call);
    kill_process(Pid::from_child(&running), Signal::INT).unwrap();
    if call.contains("lvchange") {
        wait::until("the change to be abandoned", wait::SOON, || {
            let log = std::fs::read_to_string(site.log()).unwrap();
            log.contains("a change is abandoned").then_some(())
        });
        lvm.release();
    }
    let output = running.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn ctrl_c_abandons_before_the_write_and_says_after_it_that_it_goes_on() {
    let site = Site::new();
    let lvm = Lvm::new(&site);
    lvm.hold("before-lvchange");
    lvm.hold("before-lvextend");
    let service = service(&site, &lvm).start();
    let (code, beside) = interrupted(&site, &lvm, &["deactivate", "vg0/data"], "lvm lvchange -an");
    assert!(code == Some(1) && beside.contains("the change is being abandoned"), "{code:?} {beside}");
    std::fs::remove_file(site.path("vgs/go")).unwrap();
    let (code, beside) = interrupted(&site, &lvm, &["resize", "vg0/data", "--size", "+4m"], "lvm lvextend");
    assert!(code == Some(5) && beside.contains("the change goes on"), "{code:?} {beside}");
    lvm.release();
    let listed = service.call(&method("List"), &json!({}));
    let id = listed["changes"][1]["id"].as_str().unwrap();
    assert_eq!(end_of(&service, id)["outcome"]["kind"], "committed");
}
