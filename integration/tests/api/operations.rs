//! One poll operation after the other, from its start to its end, by the API alone and beside lvm's own clients.

use std::thread;
use std::time::Duration;

use lvmwarden_integration::client::{NOT_FOUND, OK, finished};
use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;
use serde_json::{Value, json};

use crate::support::{Client, say_percent, start_parameters, start_pvmove};

/// Progress is told once a second; what comes sooner is told with what comes next.
const PACE: Duration = Duration::from_millis(1100);

#[test]
fn an_operation_is_started_seen_and_waited_for() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    let pvmove = site.pvmove("pvmove0");
    let (id, child) = start_pvmove(&site, &mut client, &pvmove);
    say_percent(&site, &child, &pvmove, "12.50");
    let operation = wait::until("the percentage", wait::SOON, || {
        let shown = client.call("org.lvmwarden.Poll.Show", &json!({ "id": id }));
        Some(shown["operation"].clone()).filter(|shown| shown["percent"] == 12.5)
    });
    let listed = client.call("org.lvmwarden.Poll.List", &json!({}));
    assert_eq!(listed["operations"], json!([operation]));
    for (field, expected) in [
        ("id", json!(id)),
        ("kind", json!("pvmove")),
        ("abort", json!(false)),
        ("vgname", json!(pvmove.vg)),
        ("lvname", json!(pvmove.lv)),
        ("lvid", json!(pvmove.lvid)),
        ("state", json!("running")),
        ("pid", json!(child.pid)),
        ("attempt", json!(1)),
        ("init_requests", json!(1)),
        ("silent", json!(false)),
        ("outcome", Value::Null),
    ] {
        assert_eq!(operation[field], expected, "{field}");
    }
    let interval = child.arguments.iter().position(|argument| argument == "--interval").unwrap();
    assert_eq!(child.arguments[interval + 1], "1");

    let waiting = json!({ "id": id, "timeout_ms": 50 });
    let not_yet = client.call("org.lvmwarden.Poll.Wait", &waiting);
    assert_eq!(not_yet["operation"]["outcome"], Value::Null);
    thread::scope(|scope| {
        let waiter =
            scope.spawn(|| Client::connect(&site).call("org.lvmwarden.Poll.Wait", &json!({ "id": id })));
        site.lvm.tell_exit(&child, 5);
        let ended = waiter.join().unwrap();
        assert_eq!(ended["operation"]["outcome"]["retcode"], 5);
        assert_eq!(ended["operation"]["state"], "ended");
    });
    // The result is still there for the command that will ask for it.
    assert_eq!(client.call("org.lvmwarden.Poll.List", &json!({}))["operations"][0]["state"], "ended");
}

#[test]
fn starting_the_same_operation_again_says_so_and_gives_the_same_id() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    let pvmove = site.pvmove("pvmove0");
    let (id, _) = start_pvmove(&site, &mut client, &pvmove);
    let again = client.call("org.lvmwarden.Poll.Start", &start_parameters(&pvmove));
    assert_eq!(again, json!({"id": id, "already_running": true}));
    // lvm's own request is for the same operation.
    assert_eq!(site.client().ask(pvmove.start()), OK);
    let listed = client.call("org.lvmwarden.Poll.List", &json!({}));
    assert_eq!(
        (&listed["operations"][0]["id"], &listed["operations"][0]["init_requests"]),
        (&json!(id), &json!(3))
    );
    assert_eq!(site.lvm.start_count(), 1);
}

#[test]
fn many_who_start_the_same_at_once_get_one_operation() {
    let site = Site::new();
    let _service = site.service().start();
    let pvmove = site.pvmove("pvmove0");
    let replies: Vec<Value> = thread::scope(|scope| {
        let starting = || Client::connect(&site).call("org.lvmwarden.Poll.Start", &start_parameters(&pvmove));
        let clients: Vec<_> = (0..20).map(|_| scope.spawn(starting)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert!(replies.iter().all(|reply| reply["id"] == replies[0]["id"]), "{replies:?}");
    let new = replies.iter().filter(|reply| reply["already_running"] == false).count();
    assert_eq!(new, 1, "{replies:?}");
    site.lvm.await_start();
    assert_eq!(site.lvm.start_count(), 1);
}

#[test]
fn another_kind_of_operation_on_the_lv_is_refused() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    let pvmove = site.pvmove("pvmove0");
    start_pvmove(&site, &mut client, &pvmove);
    let other = start_parameters(&pvmove.kind("convert"));
    let refused = client.try_call("org.lvmwarden.Poll.Start", &other);
    assert_eq!(refused, json!({"error": "org.lvmwarden.Poll.DifferentOperation", "parameters": {}}));
}

#[test]
fn who_watches_sees_each_change_and_the_end_also_where_lvm_collects_it_at_once() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    let pvmove = site.pvmove("pvmove0");
    let (id, child) = start_pvmove(&site, &mut client, &pvmove);
    let (mut one, mut all) = (Client::connect(&site), Client::connect(&site));
    one.stream("org.lvmwarden.Poll.Watch", &json!({ "id": id }));
    all.stream("org.lvmwarden.Poll.Watch", &json!({}));
    for percent in ["25.00", "50.00"] {
        say_percent(&site, &child, &pvmove, percent);
        let expected: f64 = percent.parse().unwrap();
        for watcher in [&mut one, &mut all] {
            watcher.await_in_stream(|told| told["operation"]["percent"] == expected);
        }
        thread::sleep(PACE);
    }
    let mut lvm = site.client();
    site.lvm.tell_exit(&child, 5);
    assert_eq!(lvm.await_end(&pvmove), finished("retcode", 5));
    assert_eq!(lvm.ask(pvmove.progress()), NOT_FOUND);
    let (last, continues) = loop {
        let (told, continues) = one.next_of_stream();
        if told["operation"]["outcome"] != Value::Null {
            break (told, continues);
        }
    };
    assert_eq!(last["operation"]["outcome"]["retcode"], 5);
    assert!(!continues, "{last}");
    let last = all.await_in_stream(|told| told["operation"]["state"] == "ended");
    assert_eq!(last["operation"]["id"], *id);
    // Nobody knows it now.
    for method in ["Show", "Wait"] {
        let gone = client.try_call(&format!("org.lvmwarden.Poll.{method}"), &json!({ "id": id }));
        assert_eq!(gone, json!({"error": "org.lvmwarden.Poll.NotFound", "parameters": {"id": id}}));
    }
    one.stream("org.lvmwarden.Poll.Watch", &json!({ "id": id }));
    assert_eq!(one.next().unwrap()["error"], "org.lvmwarden.Poll.NotFound");
}

/// Seventeen of them made a list too large to be told.
#[test]
fn of_a_command_line_of_900_kb_the_beginning_is_kept() {
    let site = Site::new();
    let service = site.service().set("log.level", "\"error\"").set("log.wire", "false").start();
    let (mut lvm, mut client) = (site.client(), Client::connect(&site));
    for number in 1..=20 {
        let long = format!("cmdline =\"{}\"", "x".repeat(900_000));
        assert_eq!(lvm.ask(site.pvmove(&format!("pvmove{number}")).with(&long).start()), OK);
    }
    let list = client.call("org.lvmwarden.Poll.List", &json!({}));
    assert_eq!(list["operations"].as_array().unwrap().len(), 20);
    assert!(list.to_string().len() < 20 * 6000);
    // Nor does anything else keep it: the journal, events, the history.
    let kept: u64 = walk(&site.run_dir()).iter().map(|path| std::fs::metadata(path).unwrap().len()).sum();
    assert!(kept < 1 << 20, "{kept} bytes in the run directory");
    let events = client.call("org.lvmwarden.Events.Recent", &json!({}));
    assert!(events.to_string().len() < 256 * 1024);
    assert!(service.resident_bytes() < 200 << 20);
}

/// Returns the files below a folder.
fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, mut files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.extend(folders.iter().flat_map(|folder| walk(folder)));
    files
}

/// Descriptions with command lines of this size soon fill what the kernel holds for a client that does not read.
#[test]
fn who_watches_all_and_falls_behind_is_told_of_the_end_of_what_was_collected_meanwhile() {
    let site = Site::new();
    let service = site.service().set("events.keep", "10").set("log.wire", "false").start();
    let mut client = Client::connect(&site);
    let pvmove = site.pvmove("pvmove0");
    let (id, child) = start_pvmove(&site, &mut client, &pvmove);
    let mut lvm = site.client();
    for number in 1..=60 {
        let long = format!("cmdline =\"{}\"", "x".repeat(4096));
        assert_eq!(lvm.ask(site.pvmove(&format!("pvmove{number}")).with(&long).start()), OK);
    }
    site.lvm.await_starts(61);
    let mut watcher = Client::connect(&site);
    watcher.stream("org.lvmwarden.Poll.Watch", &json!({}));
    watcher.await_in_stream(|told| told["operation"]["id"] == *id);
    site.lvm.tell_exit(&child, 5);
    assert_eq!(lvm.await_end(&pvmove), finished("retcode", 5));
    for number in 0..20 {
        let level = ["error", "info"][number % 2];
        service.call("org.lvmwarden.Supervisor.SetLogLevel", &json!({ "level": level }));
    }
    let end = watcher.await_in_stream(|told| told["operation"]["id"] == *id);
    assert_eq!(end["operation"]["outcome"]["retcode"], 5);
}

#[test]
fn who_watches_all_is_told_of_operations_that_begin_later() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    let mut watcher = Client::connect(&site);
    watcher.stream("org.lvmwarden.Poll.Watch", &json!({}));
    for lv in ["pvmove0", "pvmove1"] {
        let (id, _) = start_pvmove(&site, &mut client, &site.pvmove(lv));
        let told = watcher.await_in_stream(|told| told["operation"]["state"] == "running");
        assert_eq!(told["operation"]["id"], *id);
    }
}

#[test]
fn an_abort_is_an_operation_of_its_own() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    let pvmove = site.pvmove("pvmove0");
    let (id, child) = start_pvmove(&site, &mut client, &pvmove);
    let abort = client.call("org.lvmwarden.Poll.Abort", &json!({ "id": id }));
    assert_eq!(abort["already_running"], false);
    assert_ne!(abort["id"], *id);
    let starts = site.lvm.await_starts(2);
    assert!(starts[1].arguments.iter().any(|argument| argument == "--abort"), "{:?}", starts[1].arguments);
    // Again, in each way to name it.
    for named in [
        json!({ "id": id }),
        json!({ "id": abort["id"] }),
        json!({ "vgname": pvmove.vg, "lvname": pvmove.lv }),
    ] {
        let again = client.call("org.lvmwarden.Poll.Abort", &named);
        assert_eq!(again, json!({"id": abort["id"], "already_running": true}), "{named}");
    }
    site.lvm.tell_exit(&starts[1], 5);
    site.lvm.tell_exit(&child, 5);
    client.call("org.lvmwarden.Poll.Wait", &json!({ "id": id }));
    let ended = client.try_call("org.lvmwarden.Poll.Abort", &json!({ "id": id }));
    assert_eq!(ended["error"], "org.lvmwarden.Poll.Failed");
}

#[test]
fn an_abort_by_name_is_of_the_pvmove_in_progress_and_not_of_one_that_has_ended() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    let pvmove = site.pvmove("pvmove0");
    let named = json!({ "vgname": pvmove.vg, "lvname": pvmove.lv });
    let (_, child) = start_pvmove(&site, &mut client, &pvmove);
    let first = client.call("org.lvmwarden.Poll.Abort", &named);
    let aborting = site.lvm.await_starts(2).swap_remove(1);
    site.lvm.tell_exit(&child, 5);
    site.lvm.tell_exit(&aborting, 5);
    client.call("org.lvmwarden.Poll.Wait", &json!({ "id": first["id"] }));
    let ended = client.try_call("org.lvmwarden.Poll.Abort", &named);
    assert_eq!(ended["error"], "org.lvmwarden.Poll.Failed");
    client.call("org.lvmwarden.Poll.Start", &start_parameters(&pvmove));
    let second = client.call("org.lvmwarden.Poll.Abort", &named);
    assert_eq!(second["already_running"], false);
    assert_ne!(second["id"], first["id"]);
}

#[test]
fn only_a_pvmove_that_is_polled_can_be_aborted() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    let merge = site.pvmove("merging").kind("merge");
    let started = client.call("org.lvmwarden.Poll.Start", &start_parameters(&merge));
    let refused = client.try_call("org.lvmwarden.Poll.Abort", &json!({ "id": started["id"] }));
    assert_eq!(refused, json!({"error": "org.lvmwarden.Poll.NotPvmove", "parameters": {}}));
    let named = json!({ "vgname": merge.vg, "lvname": "pvmove9" });
    let unknown = client.try_call("org.lvmwarden.Poll.Abort", &named);
    let id = format!("{}/pvmove9", merge.vg);
    assert_eq!(unknown, json!({"error": "org.lvmwarden.Poll.NotFound", "parameters": {"id": id}}));
    for ambiguous in [json!({}), json!({ "vgname": merge.vg }), json!({ "id": started["id"], "vgname": "x" })]
    {
        let reply = client.try_call("org.lvmwarden.Poll.Abort", &ambiguous);
        assert_eq!(reply["error"], "org.varlink.service.InvalidParameter", "{ambiguous}");
    }
}

/// Returns the steps of an operation in the history, each as `step pid attempt`.
fn steps(client: &mut Client, id: &str) -> Vec<String> {
    let history = client.call("org.lvmwarden.Poll.History", &json!({}));
    let entries = history["entries"].as_array().unwrap().iter().filter(|entry| entry["id"] == *id);
    entries
        .map(|entry| format!("{} {} {}", entry["step"].as_str().unwrap(), entry["pid"], entry["attempt"]))
        .collect()
}

#[test]
fn the_history_tells_the_story_across_a_killed_daemon() {
    let site = Site::new();
    let service = site.service().start();
    let pvmove = site.pvmove("pvmove0");
    let (id, child) = start_pvmove(&site, &mut Client::connect(&site), &pvmove);
    let pid = child.pid;
    let running = json!({ "id": id });
    wait::until("the child's record", wait::SOON, || {
        let shown = Client::connect(&site).call("org.lvmwarden.Poll.Show", &running);
        (shown["operation"]["state"] == "running").then_some(())
    });
    service.kill();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    let expected = [
        "intended null null",
        &format!("started {pid} 1"),
        "recovered null null",
        &format!("adopted {pid} 1"),
    ];
    wait::until("the adoption", wait::SOON, || (steps(&mut client, &id) == expected).then_some(()));
    assert_eq!(client.call("org.lvmwarden.Poll.Show", &running)["operation"]["pid"], pid);
    let mut lvm = site.client();
    site.lvm.tell_exit(&child, 5);
    lvm.await_end(&pvmove);
    wait::until("the whole story", wait::SOON, || {
        let steps = steps(&mut client, &id);
        let words: Vec<_> = steps.iter().map(|step| step.split(' ').next().unwrap()).collect();
        (words.first() == Some(&"intended")
            && words.contains(&"adopted")
            && words.ends_with(&["ended", "forgotten"]))
        .then_some(())
    });
    let latest = client.call("org.lvmwarden.Poll.History", &json!({ "limit": 1 }));
    assert_eq!(latest["entries"].as_array().unwrap().len(), 1);
    assert_eq!(latest["entries"][0]["step"], "forgotten");
}

#[test]
fn the_metrics_tell_of_operations_and_requests() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    let pvmove = site.pvmove("pvmove0");
    let (id, child) = start_pvmove(&site, &mut client, &pvmove);
    let scrape = |client: &mut Client| {
        let got = client.call("org.lvmwarden.Metrics.Get", &json!({}));
        got["openmetrics"].as_str().unwrap().to_owned()
    };
    let running = "lvmwarden_poll_operations{kind=\"pvmove\",state=\"running\"} 1\n";
    wait::until(running, wait::SOON, || scrape(&mut client).contains(running).then_some(()));
    site.lvm.tell_exit(&child, 5);
    client.call("org.lvmwarden.Poll.Wait", &json!({ "id": id }));
    let starts_before = site.lvm.start_count();
    // The journal may still have a record of the operation's end to write.
    let idle = "lvmwarden_actor_pending_requests{actor=\"root/journal\"} 0\n";
    let text = wait::until(idle, wait::SOON, || Some(scrape(&mut client)).filter(|text| text.contains(idle)));
    for line in [
        "lvmwarden_poll_operations{kind=\"pvmove\",state=\"ended\"} 1\n",
        "lvmwarden_lvpoll_starts_total{kind=\"pvmove\"} 1\n",
        "lvmwarden_lvpoll_exits_total{exit=\"failed\"} 1\n",
        "lvmwarden_poll_operation_duration_seconds_count{kind=\"pvmove\",outcome=\"failed\"} 1\n",
        "lvmwarden_requests_total{door=\"api\",request=\"org.lvmwarden.Poll.Start\"} 1\n",
        "lvmwarden_connections{door=\"api\"} 1\n",
        "lvmwarden_log_lines_dropped_total 0\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
    assert!(text.ends_with("# EOF\n"));
    assert_eq!(site.lvm.start_count(), starts_before);
}

#[test]
fn a_wait_whose_client_goes_away_is_given_up() {
    let site = Site::new();
    let _service = site.service().start();
    let mut client = Client::connect(&site);
    let (id, _) = start_pvmove(&site, &mut client, &site.pvmove("pvmove0"));
    let mut waiter = Client::connect(&site);
    waiter.send(
        format!("{}\0", json!({"method": "org.lvmwarden.Poll.Wait", "parameters": {"id": id}})).as_bytes(),
    );
    let connections = |client: &mut Client, count: u32| {
        let got = client.call("org.lvmwarden.Metrics.Get", &json!({}));
        let line = format!("lvmwarden_connections{{door=\"api\"}} {count}\n");
        got["openmetrics"].as_str().unwrap().contains(&line).then_some(())
    };
    wait::until("both connections", wait::SOON, || connections(&mut client, 2));
    thread::sleep(Duration::from_millis(100));
    drop(waiter);
    wait::until("one connection", wait::SOON, || connections(&mut client, 1));
}
