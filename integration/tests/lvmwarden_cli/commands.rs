//! Each command, in text and as JSON.

use lvmwarden_integration::fake_lvm::Step;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;
use serde_json::Value;

use crate::program::{Running, lvid, run, run_doctor, run_on_terminal, start};

/// Runs a command with `--json`; returns what it said on its only line.
#[track_caller]
fn json(site: &Site, arguments: &[&str]) -> Value {
    let said = run(site, &[arguments, &["--json"]].concat()).done();
    assert_eq!(said.lines().count(), 1, "{said}");
    serde_json::from_str(&said).unwrap()
}

#[test]
fn an_operation_is_started_shown_waited_for_and_remembered() {
    let site = Site::new();
    let _service = site.service().start();
    let operation = site.pvmove("pvmove0");
    let path = operation.path();
    let id = start(&site, &operation);
    let stub = site.lvm.await_start();
    let again = run(&site, &["poll", "start", "pvmove", &path, "--lvid", &lvid()]).done();
    assert_eq!(again, format!("{path} is already being polled: operation {id}\n"));

    let listed = run(&site, &["poll", "list"]).done();
    assert!(listed.contains(&path) && listed.contains(&id[..8]), "{listed}");
    let shown = run(&site, &["poll", "show", &path]).done();
    assert!(shown.contains(&id) && shown.contains(&format!("pid {}", stub.pid)), "{shown}");
    assert_eq!(json(&site, &["poll", "show", &id])["operation"]["id"], id.as_str());
    assert_eq!(json(&site, &["poll", "list"])["operations"].as_array().unwrap().len(), 1);

    run(&site, &["poll", "start", "merge", &path, "--lvid", &lvid()])
        .assert_failed(1, "another kind of operation");
    run(&site, &["poll", "wait", &path, "--timeout", "0.1"]).assert_failed(5, "the time is over");
    site.lvm.tell_exit(&stub, 0);
    let waited = run(&site, &["poll", "wait", &id]).done();
    assert!(waited.contains("done"), "{waited}");
    let told = run(&site, &["poll", "history"]).done();
    for step in ["asked for", "lvpoll started", "done"] {
        assert!(told.contains(step), "{step} is in {told}");
    }
    assert_eq!(json(&site, &["poll", "history", "--limit", "1"])["entries"].as_array().unwrap().len(), 1);
}

#[test]
fn an_operation_that_is_over_is_shown_by_its_story() {
    let site = Site::new();
    let _service = site.service().start();
    let operation = site.pvmove("pvmove0");
    let (path, mut lvm) = (operation.path(), site.client());
    lvm.ask(operation.start());
    let stub = site.lvm.await_start();
    let going_on = json(&site, &["poll", "show", &path]);
    let id = going_on["operation"]["id"].as_str().unwrap();
    assert_eq!((&going_on["story"]["id"], &going_on["story"]["is_over"]), (&id.into(), &false.into()));
    site.lvm.tell_exit(&stub, 5);
    lvm.await_end(&operation);
    let story = wait::until("the operation is forgotten", wait::SOON, || {
        let shown = json(&site, &["poll", "show", &path]);
        (shown["operation"].is_null() && shown["story"]["is_over"] == true).then(|| shown["story"].clone())
    });
    assert_eq!(story["id"], id);
    for name in [&path, id, &id[..18]] {
        let told = run(&site, &["poll", "show", name]).done();
        let started = format!("lvpoll {} started", stub.pid);
        for words in ["state     failed: lvpoll exited with 5", "asked for by ", &started] {
            assert!(told.contains(words), "{words} is in {told}");
        }
    }
}

#[test]
fn an_operation_that_fails_fails_those_who_wait_for_it() {
    let site = Site::new();
    let _service = site.service().start();
    let operation = site.pvmove("pvmove0");
    site.lvm.script(&operation.path(), &[&[Step::Exit(5)]]);
    start(&site, &operation);
    let run = run(&site, &["poll", "wait", &operation.path()]);
    assert_eq!(run.code, Some(1), "{run:#?}");
    assert!(run.stdout.contains("failed: lvpoll exited with 5"), "{run:#?}");
}

#[test]
fn a_pvmove_is_aborted_by_name_and_by_id_and_nothing_else_is() {
    let site = Site::new();
    let _service = site.service().start();
    let operation = site.pvmove("pvmove0");
    let id = start(&site, &operation);
    site.lvm.await_start();
    let said = run(&site, &["poll", "abort", &id]).done();
    assert!(said.starts_with(&format!("{} is being aborted: operation ", operation.path())), "{said}");
    let said = run(&site, &["poll", "abort", &operation.path()]).done();
    assert!(said.contains("is already being aborted"), "{said}");
    run(&site, &["poll", "abort", "no/such"]).assert_failed(1, "no operation no/such");
    run(&site, &["poll", "abort", "zzz"]).assert_failed(1, "no operation \"zzz\"");
    run(&site, &["poll", "show", "no/such"]).assert_failed(1, "lvmwarden poll history");

    let merge = site.pvmove("snap").kind("merge");
    let other_lvid = "w".repeat(64);
    run(&site, &["poll", "start", "merge", &merge.path(), "--lvid", &other_lvid]).done();
    run(&site, &["poll", "abort", &merge.path()]).assert_failed(1, "is not a pvmove");
}

#[test]
fn watch_follows_an_operation_to_its_end() {
    let site = Site::new();
    let _service = site.service().start();
    let operation = site.pvmove("pvmove0");
    site.lvm.script(&operation.path(), &[&[Step::Progress(50), Step::Exit(0)]]);
    start(&site, &operation);
    let said = run(&site, &["poll", "watch", &operation.path()]).done();
    assert!(said.contains(&format!("{} pvmove done\n", operation.path())), "{said}");
    assert!(said.contains("ID "), "a table at the end: {said}");
}

#[test]
fn the_overview_shows_what_goes_on() {
    let site = Site::new();
    let _service = site.service().start();
    let idle = run(&site, &[]).done();
    assert!(idle.starts_with(concat!("lvmwardend ", env!("CARGO_PKG_VERSION"), ", pid ")), "{idle}");
    assert!(idle.contains("Operations none") && idle.contains("Restarts none"), "{idle}");
    let operation = site.pvmove("pvmove0");
    site.lvm.script(&operation.path(), &[&[Step::Progress(1)]]);
    start(&site, &operation);
    let shown = wait::until("a bar", wait::SOON, || {
        Some(run(&site, &[]).done()).filter(|shown| shown.contains("███"))
    });
    assert!(shown.contains("poll.started") && !shown.contains("poll.progress"), "{shown}");
    let whole = json(&site, &[]);
    for part in ["service", "poll", "supervisor", "events"] {
        assert!(whole[part].is_object(), "{part} is in {whole}");
    }
}

#[test]
fn the_tree_is_shown_and_a_branch_restarted() {
    let site = Site::new();
    let _service = site.service().start();
    let tree = run(&site, &["tree"]).done();
    assert!(tree.starts_with("root  running\n") && tree.contains("journal  running"), "{tree}");
    let root = json(&site, &["tree"])["root"].take();
    let poll = root["children"]
        .as_array()
        .unwrap()
        .iter()
        .find(|node| node["name"].as_str().unwrap().ends_with("poll"));
    let name = poll.unwrap()["name"].as_str().unwrap();
    assert_eq!(run(&site, &["restart", name]).done(), format!("{name} is started anew\n"));
    run(&site, &["restart", "no/such"])
        .assert_failed(1, "nothing below the root of the tree is called no/such");
}

#[test]
fn events_are_read_from_a_cursor_on_and_end_with_the_latest() {
    let site = Site::new();
    let _service = site.service().start();
    let said = run(&site, &["events"]).done();
    let cursor = said.lines().last().unwrap().strip_prefix("-- cursor: ").unwrap().to_owned();
    assert!(said.contains("service.ready"), "{said}");
    assert_eq!(run(&site, &["events", "--since", &cursor]).done(), "", "nothing has happened since");
    run(&site, &["log-level", "debug"]).done();
    let said = run(&site, &["events", "--since", &cursor]).done();
    assert!(said.contains("log.level_changed") && said.contains("level=debug"), "{said}");
    let event = json(&site, &["events", "--since", &cursor, "--limit", "1"]);
    assert_eq!(event["event"]["kind"], "log.level_changed", "{event}");
    let gap = run(&site, &["events", "--since", "another:7", "--limit", "1"]).done();
    assert!(gap.starts_with("-- events may be missing here: the daemon was started anew\n"), "{gap}");
}

#[test]
fn metrics_info_and_log_level_say_what_the_service_says() {
    let site = Site::new();
    let service = site.service().start();
    let metrics = run(&site, &["metrics"]).done();
    assert!(metrics.contains("lvmwarden_build_info") && metrics.ends_with("# EOF\n"), "{metrics}");
    assert_eq!(json(&site, &["metrics"])["openmetrics"].as_str().unwrap().lines().last(), Some("# EOF"));
    let info = run(&site, &["info"]).done();
    assert!(info.contains(&format!("pid       {}\n", service.pid())), "{info}");
    assert_eq!(json(&site, &["info"])["pid"], service.pid());
    assert_eq!(run(&site, &["log-level", "error"]).done(), "the daemon logs error and what is more severe\n");
}

#[test]
fn stop_ends_the_service_and_its_children_only_when_asked() {
    for (options, is_left) in [(&["stop"][..], true), (&["stop", "--end-children"], false)] {
        let site = Site::new();
        let mut service = site.service().start();
        start(&site, &site.pvmove("pvmove0"));
        let stub = site.lvm.await_start();
        run(&site, options).done();
        assert!(service.await_end(wait::SOON).success());
        assert_eq!(stub.is_alive(), is_left, "{options:?}");
        run(&site, &["info"]).assert_failed(3, "the daemon does not run");
    }
}

#[test]
fn colours_are_used_on_demand_only() {
    let site = Site::new();
    let _service = site.service().start();
    assert!(!run(&site, &["tree"]).done().contains('\u{1b}'));
    assert!(run(&site, &["tree", "--color", "always"]).done().contains("\u{1b}[32mrunning"));
}

#[test]
fn watch_on_a_terminal_draws_a_bar_and_leaves_a_table() {
    let site = Site::new();
    let _service = site.service().start();
    let operation = site.pvmove("pvmove0");
    let said = Step::Say(format!("  {}: Moved: 62.50%", operation.path()));
    site.lvm.script(&operation.path(), &[&[said, Step::Sleep(4000), Step::Exit(0)]]);
    start(&site, &operation);
    let sent = run_on_terminal(&site, "poll watch");
    assert!(sent.contains("███░") && sent.contains("62.5 %  running"), "a bar is drawn: {sent:?}");
    let table = sent.rsplit("\u{1b}[1mID").next().unwrap();
    assert!(table.contains(&operation.path()) && table.contains("done") && !table.contains('█'), "{table:?}");
}

#[test]
fn the_end_is_seen_although_the_lvm_command_collects_the_result_at_once() {
    let site = Site::new();
    let _service = site.service().start();
    let operation = site.pvmove("pvmove0");
    let mut lvm = site.client();
    lvm.ask(operation.start());
    let stub = site.lvm.await_start();
    let watching = Running::start(&site, &["poll", "watch", &operation.path()]);
    watching.await_line("running");
    let all = Running::start(&site, &["poll", "watch"]);
    all.await_line("running");
    site.lvm.tell_exit(&stub, 0);
    lvm.await_end(&operation);
    for (program, name) in [(watching, "watch"), (all, "watch all")] {
        program.await_line("done");
        assert_eq!(program.await_end(), Some(0), "{name}");
    }
}

#[test]
fn doctor_finds_the_service_behind_both_sockets() {
    let site = Site::new();
    let service = site.service().start();
    let healthy = run_doctor(&site).done();
    for words in [
        format!("pid {} answers on {}", service.pid(), site.api_socket().display()),
        format!("lvmwardend (pid {}) listens on {}", service.pid(), site.socket().display()),
        "all is well".to_owned(),
    ] {
        assert!(healthy.contains(&words), "{words} is in {healthy}");
    }
}

#[test]
fn doctor_finds_that_there_is_no_service() {
    let site = Site::new();
    let run = run_doctor(&site);
    assert_eq!(run.code, Some(1), "{run:#?}");
    for words in
        ["the daemon does not run", "systemctl enable --now lvmwardend.socket", "2 things are to be mended"]
    {
        assert!(run.stdout.contains(words), "{words} is in {run:#?}");
    }
}

#[test]
fn what_the_metadata_shows_is_told() {
    let site = Site::new();
    let _service = site.service().start();
    let told = run(&site, &["poll", "reconcile"]).done();
    assert_eq!(told, "LVM's metadata shows nothing that is under way\n");
    assert_eq!(json(&site, &["poll", "reconcile", "--dry-run"])["unfinished"], serde_json::json!([]));

    site.lvm.script_lvs(&[&[Step::Complain("  Cannot.".to_owned()), Step::Exit(5)]]);
    run(&site, &["poll", "reconcile"]).assert_failed(1, "run lvs: it ended with exit code 5: Cannot.");
}

#[test]
fn where_reconciling_is_off_nobody_looks() {
    let site = Site::new();
    let _service = site.service().set("poll.reconcile", "\"off\"").start();
    run(&site, &["poll", "reconcile"]).assert_failed(1, "poll.reconcile is \"off\" in the configuration");
    assert!(site.lvm.lvs_starts().is_empty());
}

#[test]
fn the_archive_is_shown_planned_and_cleaned() {
    let site = Site::new();
    let copy = "# Generated by LVM2\n\ncontents = \"Text Format Volume Group\"\nversion = 1\n\nvg {\n}\n";
    std::fs::create_dir(site.archive()).unwrap();
    for index in 0..30 {
        std::fs::write(site.archive().join(format!("vg0_{index:05}-7.vg")), copy).unwrap();
    }
    let janitor = || site.service().set("archive_janitor.files_per_vg", "12");
    let service = janitor().start();
    let status = run(&site, &["archive", "status"]).done();
    assert!(status.contains("off: nothing is removed") && status.contains("not looked at yet"), "{status}");
    run(&site, &["archive", "clean"]).assert_failed(1, "the archive janitor is turned off");
    let planned = run(&site, &["archive", "plan"]).done();
    assert!(planned.contains("WOULD GO") && planned.contains("vg0_000"), "{planned}");
    assert_eq!(json(&site, &["archive", "plan"])["report"]["removed_files"], 18);
    service.kill();

    let _service = janitor().set("archive_janitor.enabled", "true").start();
    let cleaned = run(&site, &["archive", "clean"]).done();
    assert!(cleaned.contains("REMOVED") && cleaned.contains("vg0_000"), "{cleaned}");
    let status = run(&site, &["archive", "status"]).done();
    assert!(status.contains("seen       12 copies") && status.contains("18 copies, "), "{status}");
    assert_eq!(json(&site, &["archive", "status"])["last_pass"]["removed_files"], 18);
    assert_eq!(std::fs::read_dir(site.archive()).unwrap().count(), 12);
}

#[test]
fn locks_of_an_earlier_daemon_are_asked_for_where_the_service_holds_locks() {
    let site = Site::new();
    let path = |name: &str| format!("{:?}", site.path(name).to_str().unwrap());
    let launch = site.service().set("service.roles", r#"["poll", "lock"]"#);
    let launch = launch.set("lock.socket", &path("lockd")).set("lock.pid_file", &path("lockd.pid"));
    let service = launch.set("lock.adopt_file", &path("lockd.adopt")).start();
    assert_eq!(run(&site, &["lock", "orphans"]).done(), "no lock of an earlier daemon is left\n");
    assert_eq!(json(&site, &["lock", "orphans", "vg0"])["orphans"], serde_json::json!([]));
    for arguments in [&["adopt", "vg0"][..], &["release", "vg0", "VGLK"], &["release", "vg0", "--force"]] {
        run(&site, &[&["lock"], arguments].concat()).assert_failed(1, "VG vg0 has no lockspace on this host");
    }
    run(&site, &["lock", "release"]).assert_failed(2, "<VG>");
    drop(service);
    let _service = site.service().start();
    run(&site, &["lock", "orphans"]).assert_failed(1, "the daemon does not hold locks");
}
