//! The life of the service: configuration, sockets, what systemd is told, and what a restart leaves alone.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::process::Output;
use std::time::Duration;

use lvmwarden_integration::client::{HELLO_REPLY, IN_PROGRESS, OK, finished};
use lvmwarden_integration::daemon::{Daemon, Flavour};
use lvmwarden_integration::fake_lvm::{Start, Step};
use lvmwarden_integration::request::Operation;
use lvmwarden_integration::service::Service;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;
use rustix::process::Signal;
use serde_json::{Value, json};

const HELLO: &str = "request=\"hello\"\n";

/// Runs the service with this text as its configuration, until it ends by itself.
fn run(site: &Site, configuration: &str, options: &[&str]) -> Output {
    fs::write(site.configuration(), configuration).unwrap();
    let launch = options.iter().fold(site.service(), |launch, option| launch.option(option));
    launch.command().output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_configuration_that_makes_no_sense_is_refused_with_the_place_and_what_is_permitted() {
    let site = Site::new();
    for (configuration, problems) in [
        ("[log]\nlevels = \"info\"\n", &["2:1: there is no key log.levels; did you mean log.level?"][..]),
        ("[log]\ncolour = true\n", &["2:1: there is no key log.colour; [log] has level, format, wire"]),
        ("[logs]\n", &["1:2: there is no section [logs]; did you mean [log]?"]),
        (
            "[log]\nlevel = \"loud\"\n",
            &[
                r#"2:9: log.level cannot be "loud"; permitted: "critical", "error", "warning", "info", "debug", "trace""#,
            ],
        ),
        (
            "[metrics]\nlisten = \"0.0.0.0:9836\"\n",
            &[
                r#"2:10: metrics.listen cannot be "0.0.0.0:9836"; permitted: an address of this host itself with a port, in quotes, such as "127.0.0.1:9836" or "[::1]:9836""#,
            ],
        ),
        (
            "[poll]\nsocket = 7\ninterval_seconds = 0\n",
            &[
                "2:10: poll.socket cannot be 7; permitted: an absolute path in quotes",
                "3:20: poll.interval_seconds cannot be 0; permitted: a whole number from 1 to 86400",
            ],
        ),
    ] {
        let lines = problems.iter().map(|problem| format!("{}:{problem}\n", site.configuration().display()));
        let expected: String = lines.collect();
        for options in [&["--check-config"][..], &[]] {
            let output = run(&site, configuration, options);
            assert_eq!(text(&output.stderr), expected);
            assert_eq!((text(&output.stdout), output.status.code()), ("", Some(2)));
        }
    }
    assert!(!site.socket().exists() && !site.api_socket().exists());
}

#[test]
fn a_configuration_that_makes_sense_is_said_to() {
    let site = Site::new();
    let output = run(&site, "[log]\nlevel = \"debug\"\n", &["--check-config"]);
    let told: Vec<_> = text(&output.stdout).lines().collect();
    assert_eq!(told[0], format!("{}: ok", site.configuration().display()));
    assert!(told.contains(&"  log.level = \"debug\" (by default \"info\")"), "{told:?}");
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(0)));
}

#[test]
fn what_cannot_start_is_refused_by_the_check() {
    let site = Site::new();
    let link = site.path("link");
    std::os::unix::fs::symlink(site.path(""), &link).unwrap();
    fs::write(site.path("notes"), "no archive").unwrap();
    let quoted = |path: std::path::PathBuf| format!("{path:?}");
    let same = quoted(link.join("org.lvmwarden"));
    let missing = quoted(site.path("no-such-lvm"));
    let dotted = quoted(site.path("state/../lvmpolld.socket"));
    let folder = quoted(site.path(""));
    // Each key with what is wrong, and whether a start is refused as well, without another try.
    for (key, value, word, at_once) in [
        ("poll.binary", &*missing, "poll.binary: ", false),
        ("poll.binary", "\"/etc\"", "is a directory", false),
        ("poll.binary", "\"/etc/passwd\"", "cannot be executed", false),
        ("poll.socket", &*same, "poll.socket and api.socket are the same", true),
        ("api.socket", &*dotted, "poll.socket and api.socket are the same", true),
        ("archive_janitor.directory", "\"/\"", "is not an archive", true),
        ("archive_janitor.directory", "\"/etc/lvm/backup\"", "is not an archive", true),
        ("archive_janitor.directory", "\"/etc/lvm/archive/../backup/\"", "is not an archive", true),
        ("archive_janitor.directory", &*folder, "is not an archive", false),
    ] {
        let launch = site.service().set("archive_janitor.enabled", "true").set(key, value);
        let checked = launch.option("--check-config").configure().command().output().unwrap();
        assert!(text(&checked.stderr).contains(word), "{key} = {value}: {}", text(&checked.stderr));
        assert_eq!((text(&checked.stdout), checked.status.code()), ("", Some(2)), "{key} = {value}");
        if at_once {
            let started = site.service().set(key, value).configure().command().output().unwrap();
            assert_eq!(started.status.code(), Some(2), "{key} = {value}: {}", text(&started.stderr));
        }
    }
}

#[test]
fn what_the_roles_need_is_looked_for_by_the_check() {
    let site = Site::new();
    let quoted = |path: std::path::PathBuf| format!("{path:?}");
    let missing = quoted(site.path("no-such-program"));
    let command = format!("[{missing}, \"now\"]");
    let socket = quoted(site.path("lvmlockd.socket"));
    for (roles, key, value, word) in [
        (r#"["lock"]"#, "lock.binary", &*missing, "lock.binary: the lvm binary"),
        (r#"["lock"]"#, "lock.kill_program", &missing, "lock.kill_program: "),
        (r#"["metadata"]"#, "metadata.on_complete", &command, "metadata.on_complete: "),
        (
            r#"["lock", "metadata"]"#,
            "metadata.socket",
            &socket,
            "lock.socket and metadata.socket are the same",
        ),
    ] {
        let check = |roles: &str| {
            let launch =
                site.service().set("service.roles", roles).set("lock.socket", &socket).set(key, value);
            launch.option("--check-config").configure().command().output().unwrap()
        };
        let checked = check(roles);
        assert!(text(&checked.stderr).contains(word), "{key} = {value}: {}", text(&checked.stderr));
        assert_eq!(checked.status.code(), Some(2), "{key} = {value}");
        // Who does not play the role does not need it.
        let checked = check(r#"["poll"]"#);
        assert_eq!(checked.status.code(), Some(0), "{key} = {value}: {}", text(&checked.stderr));
    }
}

/// A roll-back of the package: nothing is lost, and the unit does not start it again and again.
#[test]
fn the_journal_of_a_newer_release_is_refused_and_left_as_it_is() {
    let site = Site::new();
    site.service().start().kill();
    let mut places = fs::read_dir(site.run_dir()).unwrap().map(|entry| entry.unwrap().path().join("journal"));
    let journal = places.find(|path| path.is_dir()).expect("a journal");
    // The header's frame is the same in every version for ever.
    let newer = b"0000003a 2aa0e994 {\"magic\":\"lvmwarden-journal\",\"version\":999,\"generation\":7}\n";
    fs::write(journal.join("journal.7"), newer).unwrap();
    let output = site.service().configure().command().output().unwrap();
    assert_eq!(output.status.code(), Some(65), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("newer release"), "{}", text(&output.stderr));
    assert_eq!(fs::read(journal.join("journal.7")).unwrap(), newer);
    let unit = include_str!("../../packaging/systemd/lvmwardend.service");
    assert!(unit.contains("RestartPreventExitStatus=2 65\n"));
}

#[test]
fn a_configuration_that_is_named_must_be_there() {
    let site = Site::new();
    let output = site.service().command().output().unwrap();
    let expected = format!(
        "{}: cannot be read: No such file or directory (os error 2)\n",
        site.configuration().display()
    );
    assert_eq!((text(&output.stderr), output.status.code()), (&*expected, Some(2)));
}

#[test]
fn a_wrong_option_ends_with_2() {
    let site = Site::new();
    for options in [&["--nonsense"][..], &["--log-level", "loud"], &["lvmpolld"]] {
        let output = run(&site, "", options);
        assert_eq!(output.status.code(), Some(2), "{options:?}");
        assert!(!output.stderr.is_empty(), "{options:?}");
    }
}

#[test]
fn the_lvm_binary_must_be_executable() {
    let site = Site::new();
    let output = site.service().set("poll.binary", "\"/etc/passwd\"").configure().command().output().unwrap();
    let expected =
        "lvmwardend: the lvm binary /etc/passwd cannot be executed: Permission denied (os error 13)";
    assert!(text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn once_it_says_that_it_is_ready_its_sockets_answer() {
    let site = Site::new();
    let service = site.service().start();
    let mut client = site.try_client().expect("it accepts without being waited for");
    assert_eq!(client.ask(HELLO), HELLO_REPLY);
    let info = service.call("org.lvmwarden.Service.Info", &json!({}));
    assert_eq!(info["pid"], service.pid());
    assert_eq!(info["instance"], site.socket().to_str().unwrap());
    assert_eq!(info["roles"], json!(["poll"]));
}

#[test]
fn without_a_role_there_is_the_api_alone() {
    let site = Site::new();
    let service = site.service().set("service.roles", "[]").start();
    assert!(!site.socket().exists());
    let info = service.call("org.lvmwarden.Service.Info", &json!({}));
    assert_eq!(info["roles"], json!([]));
}

#[test]
fn sockets_are_made_for_those_who_may_use_them() {
    let site = Site::new();
    let service = site.service().set("api.group", "\"4321\"").set("api.mode", "\"0620\"").start();
    let attributes = |path| {
        let metadata = fs::symlink_metadata(path).unwrap();
        (metadata.file_type().is_socket(), metadata.permissions().mode() & 0o7777, metadata.gid())
    };
    assert_eq!(attributes(site.socket()), (true, 0o600, 0));
    assert_eq!(attributes(site.api_socket()), (true, 0o620, 4321));
    service.kill();
    // What a killed one leaves behind is replaced, also by another mode.
    let service = site.service().start();
    assert_eq!(attributes(site.api_socket()), (true, 0o660, 0));
    service.kill();
    let _service = site.service().set("api.mode", "\"0600\"").start();
    assert_eq!(attributes(site.api_socket()), (true, 0o600, 0));
}

#[test]
fn a_socket_that_another_daemon_serves_is_left_alone() {
    let site = Site::new();
    let first = site.service().start();
    let output = site.service().configure().command().output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = format!("lvmwardend: the socket {} is in use by another daemon\n", site.socket().display());
    assert!(text(&output.stderr).ends_with(&message), "{}", text(&output.stderr));
    assert_eq!(first.client().ask(HELLO), HELLO_REPLY);
}

#[test]
fn named_sockets_are_taken_over_in_any_order() {
    for names in [["lvmpolld", "api"], ["api", "lvmpolld"]] {
        let site = Site::new();
        let path = |name| if name == "api" { site.api_socket() } else { site.socket() };
        let launch = names.iter().fold(site.service(), |launch, name| launch.hand_over(name, path(*name)));
        let mut early = site.client();
        let mut service = launch.start();
        assert_eq!(early.ask(HELLO), HELLO_REPLY, "who came before the service is served");
        service.call("org.lvmwarden.Service.Info", &json!({}));
        service.signal(Signal::TERM);
        assert!(service.await_end(wait::SOON).success());
        assert!(site.socket().exists() && site.api_socket().exists(), "they belong to systemd");
    }
}

#[test]
fn a_socket_of_a_unit_with_another_name_is_known_by_its_path() {
    let site = Site::new();
    let service = site.service().hand_over("lvm2-lvmpolld.socket", site.socket()).start();
    assert_eq!(service.client().ask(HELLO), HELLO_REPLY);
}

#[test]
fn a_socket_at_another_path_than_the_configured_one_is_refused() {
    let site = Site::new();
    let elsewhere = site.path("elsewhere");
    let mut service = site.service().hand_over("lvmpolld", elsewhere.clone()).start_unready();
    assert_eq!(service.await_end(wait::SOON).code(), Some(1));
    let message = format!(
        "lvmwardend: what systemd passes as lvmpolld is a socket at {}, not a listening socket at {}\n",
        elsewhere.display(),
        site.socket().display()
    );
    let log = fs::read_to_string(site.log()).unwrap();
    assert!(log.ends_with(&message), "{log}");
}

#[test]
fn systemd_is_told_what_runs() {
    let site = Site::new();
    let mut service = site.service().start();
    service.await_notice("STATUS=nothing to poll");
    let pvmove = site.pvmove("pvmove0");
    let start = start_child(&site, &service, &pvmove);
    service.await_notice(&format!("STATUS=polling pvmove {}", pvmove.path()));
    site.lvm.tell(&start, &[Step::Say(format!("  {}: Moved: 12.50%", pvmove.path()))]);
    service.await_notice(&format!("STATUS=polling pvmove {} 12%", pvmove.path()));
    site.lvm.tell_exit(&start, 0);
    service.await_notice("STATUS=nothing to poll");
}

#[test]
fn the_watchdog_is_fed_in_time() {
    let period = Duration::from_secs(4);
    let site = Site::new();
    let mut service = site.service().watched(period).start();
    let signs: Vec<_> = (0..3).map(|_| service.await_sign_of_life()).collect();
    assert!(signs.windows(2).all(|pair| pair[1] - pair[0] < period), "{signs:?}");
}

/// The operation's actor holds the one thread on which all actors run, as a call does that never returns.
#[test]
#[cfg(debug_assertions)]
fn the_watchdog_is_not_fed_when_the_tree_does_not_answer() {
    let period = Duration::from_secs(1);
    let site = Site::new();
    let launch = site.service().watched(period);
    let mut service = launch.environment("LVMWARDEN_FAULT", "stall@poll_operation.intent_stored").start();
    service.await_sign_of_life();
    service.client().send(site.pvmove("pvmove0").start());
    wait::until("a period without a sign of life", wait::SOON, || {
        let last = service.last_sign_of_life();
        (last.elapsed() > 2 * period).then_some(())
    });
    assert!(!service.has_ended());
}

#[test]
fn a_hangup_takes_on_what_can_be_taken_on_and_names_the_rest() {
    let site = Site::new();
    let mut service = site.service().set("log.level", "\"info\"").start();
    let changed = site.service().set("log.level", "\"debug\"").set("poll.interval_seconds", "7");
    let _ = changed.set("events.keep", "7").configure();
    service.signal(Signal::HUP);
    service.await_notice("RELOADING=1");
    service.await_notice("MONOTONIC_USEC=");
    service.await_notice("READY=1");
    let log = await_log(&site, "the configuration was read again");
    assert!(log.contains("the log level has changed"), "{log}");
    assert!(log.contains("a changed key needs a restart") && log.contains("key: events.keep"), "{log}");
    assert!(!log.contains("key: log.level"), "{log}");
    let events = service.call("org.lvmwarden.Events.Recent", &json!({}));
    assert!(events.to_string().contains("events.keep"), "{events}");
    let lvid = "a".repeat(64);
    let start =
        json!({ "kind": "pvmove", "vgname": site.pvmove("pvmove0").vg, "lvname": "pvmove0", "lvid": lvid });
    service.call("org.lvmwarden.Poll.Start", &start);
    let arguments = site.lvm.await_start().arguments;
    assert!(arguments.windows(2).any(|pair| pair == ["--interval", "7"]), "{arguments:?}");
}

#[test]
fn a_hangup_with_a_wrong_configuration_changes_nothing() {
    let site = Site::new();
    let mut service = site.service().start();
    fs::write(site.configuration(), "[log]\nlevel = \"loud\"\n[poll]\nsokcet = 1\n").unwrap();
    service.signal(Signal::HUP);
    service.await_notice("RELOADING=1");
    service.await_notice("READY=1");
    let log = await_log(&site, "did you mean poll.socket?");
    assert!(log.contains(&format!("{}:2:9: log.level cannot be", site.configuration().display())), "{log}");
    assert_eq!(service.client().ask(HELLO), HELLO_REPLY);
    assert!(!log.contains("the log level has changed"), "{log}");
}

#[test]
fn the_log_level_can_be_changed_while_it_runs() {
    let site = Site::new();
    let service =
        site.service().set("log.level", "\"critical\"").option("--log-level").option("error").start();
    assert_eq!(
        fs::read_to_string(site.log()).unwrap(),
        "",
        "the command line beats the file, and there is no error"
    );
    service.call("org.lvmwarden.Supervisor.SetLogLevel", &json!({ "level": "trace" }));
    service.client().ask(HELLO);
    let log = await_log(&site, "direction: <-");
    assert!(log.contains("the log level has changed, before: error, level: trace"), "{log}");
}

#[test]
fn metrics_are_served_where_that_is_configured() {
    let site = Site::new();
    // Somebody else may take it in between; hardly anybody does.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let _service = site.service().set("metrics.listen", &format!("\"{free}\"")).start();
    let mut stream = TcpStream::connect_timeout(&free, wait::SOON).unwrap();
    stream.set_read_timeout(Some(wait::SOON)).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("lvmwarden_build_info"), "{page}");
}

#[test]
fn the_log_can_be_json() {
    let site = Site::new();
    let mut service = site.service().set("log.format", "\"json\"").start();
    service.signal(Signal::TERM);
    assert!(service.await_end(wait::SOON).success());
    let log = fs::read_to_string(site.log()).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let first = &lines[0];
    assert_eq!((&first["msg"], &first["level"]), (&"lvmwardend starts".into(), &"INFO".into()));
    assert!(first["ts"].as_str().is_some_and(|time| time.ends_with('Z')), "{first}");
}

#[test]
fn an_orderly_end_leaves_the_child_running_and_the_next_life_adopts_it() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    let mut service = site.service().start();
    let child = start_child(&site, &service, &pvmove);
    end_in_order(&mut service);
    assert!(!site.socket().exists() && !site.api_socket().exists());
    expect_adoption(&site, &site.service().start(), &pvmove, &child);
}

#[test]
fn a_killed_service_leaves_the_child_running_and_the_next_life_adopts_it() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    let service = site.service().start();
    let child = start_child(&site, &service, &pvmove);
    service.kill();
    expect_adoption(&site, &site.service().start(), &pvmove, &child);
}

#[test]
fn service_and_stand_in_take_over_from_one_another_in_the_middle() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    let stand_in = site.daemon(Flavour::Ours).start();
    assert_eq!(stand_in.client().ask(pvmove.start()), OK);
    let child = site.lvm.await_start();
    stand_in.await_pids(&[child.pid]);
    stand_in.kill();
    let mut service = site.service().start();
    assert_eq!(service.client().ask(pvmove.progress()), IN_PROGRESS, "known from the first moment");
    service.await_pids(&[child.pid]);
    end_in_order(&mut service);
    expect_adoption(&site, &site.daemon(Flavour::Ours).start(), &pvmove, &child);
}

#[test]
fn whoever_may_end_the_service_may_have_the_children_ended_as_well() {
    for leave_children in [true, false] {
        let site = Site::new();
        let mut service = site.service().start();
        let child = start_child(&site, &service, &site.pvmove("pvmove0"));
        service.call("org.lvmwarden.Service.Stop", &json!({ "leave_children": leave_children }));
        assert!(service.await_end(wait::SOON).success());
        assert_eq!(child.is_alive(), leave_children);
    }
}

/// Hands the service a pvmove and returns its child, which runs.
#[track_caller]
fn start_child(site: &Site, service: &Service, pvmove: &Operation) -> Start {
    assert_eq!(service.client().ask(pvmove.start()), OK);
    let child = site.lvm.await_start();
    service.await_pids(&[child.pid]);
    child
}

#[track_caller]
fn end_in_order(service: &mut Service) {
    service.signal(Signal::TERM);
    assert!(service.await_end(wait::SOON).success());
    service.await_notice("STOPPING=1");
    service.await_notice("EXTEND_TIMEOUT_USEC=");
}

/// Expects that `daemon` looks after the living `child` until its end, and tells that.
#[track_caller]
fn expect_adoption(site: &Site, daemon: &Daemon, pvmove: &Operation, child: &Start) {
    assert!(child.is_alive());
    let mut client = daemon.client();
    assert_eq!(client.ask(pvmove.progress()), IN_PROGRESS, "known from the first moment");
    daemon.await_pids(&[child.pid]);
    site.lvm.tell_exit(child, 5);
    assert_eq!(client.await_end(pvmove), finished("retcode", 5));
    assert_eq!(site.lvm.starts().len(), 1, "nothing was started twice");
}

/// Waits until the log has `words`, and returns it.
#[track_caller]
fn await_log(site: &Site, words: &str) -> String {
    wait::until(&format!("{words} in the log"), wait::SOON, || {
        fs::read_to_string(site.log()).ok().filter(|log| log.contains(words))
    })
}

/// What lvs prints of a pvmove in the VG `vg`.
fn report_of_a_pvmove(vg: &str) -> String {
    let (vg_uuid, lv_uuid) = ("V".repeat(32), "L".repeat(32));
    format!(
        r#"{{"report":[{{"lv":[{{"vg_name":"{vg}","lv_name":"[pvmove0]","vg_uuid":"{vg_uuid}","lv_uuid":"{lv_uuid}","move_pv":"/dev/sda"}}]}}]}}"#
    )
}

#[test]
fn the_metadata_is_searched_at_the_start_on_sighup_and_on_demand() {
    let site = Site::new();
    let report = report_of_a_pvmove("of-this-test");
    site.lvm.script_lvs(&[&[Step::Say(report), Step::Exit(0)]]);
    let service = site.service().set("poll.reconcile", "\"report\"").start();
    let looked =
        |times| wait::until("lvs", wait::SOON, || (site.lvm.lvs_starts().len() >= times).then_some(()));
    looked(1);
    let found = service.call("org.lvmwarden.Poll.Reconcile", &json!({}));
    let lv = &found["unfinished"][0];
    assert_eq!(
        (&lv["vgname"], &lv["lvname"], &lv["kind"]),
        (&json!("of-this-test"), &json!("pvmove0"), &json!("pvmove"))
    );
    assert_eq!(lv["lvid"], format!("{}{}", "V".repeat(32), "L".repeat(32)));
    looked(2);
    service.signal(Signal::HUP);
    looked(3);
    let start = site.lvm.lvs_starts().remove(0);
    assert!(start.arguments.contains(&"--readonly".to_owned()), "{:?}", start.arguments);
    assert_eq!(site.lvm.starts().len(), 0, "it only reports");
}

#[test]
fn an_lvs_that_hangs_or_is_of_no_use_keeps_nobody_waiting() {
    for script in [
        &[Step::IgnoreTerminate][..],
        &[Step::Say("  garbage".to_owned()), Step::Exit(0)],
        &[Step::Complain("  Failed.".to_owned()), Step::Exit(5)],
    ] {
        let site = Site::new();
        site.lvm.script_lvs(&[script]);
        let service = site.service().start();
        wait::until("lvs", wait::SOON, || (!site.lvm.lvs_starts().is_empty()).then_some(()));
        let pvmove = site.pvmove("pvmove0");
        assert_eq!(site.client().ask(pvmove.start()), OK);
        site.lvm.await_start();
        assert_eq!(service.call("org.lvmwarden.Poll.List", &json!({}))["operations"][0]["vgname"], pvmove.vg);
    }
}
