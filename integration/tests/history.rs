//! The history on disk: it outlives the daemon and its run directory, whenever the daemon dies, and nobody waits for it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use lvmwarden_integration::client::{IN_PROGRESS, OK, finished};
use lvmwarden_integration::fake_lvm::Step;
use lvmwarden_integration::request::Operation;
use lvmwarden_integration::service::Service;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};

/// Where the history of the site's service is kept.
fn directory(site: &Site) -> PathBuf {
    let instance = site.socket().to_str().unwrap().replace('%', "%25").replace('/', "%2F");
    site.state_dir().join(instance).join("history")
}

/// Returns the steps of the only operation there is or was, each a word.
fn steps(service: &Service) -> Vec<String> {
    let entries = service.call("org.lvmwarden.Poll.History", &json!({}))["entries"].take();
    let word = |entry: &Value| entry["step"].as_str().unwrap().to_owned();
    entries.as_array().unwrap().iter().map(word).collect()
}

fn story(service: &Service, id: &Value) -> Value {
    service.call("org.lvmwarden.Poll.Story", &json!({ "id": id }))["story"].take()
}

fn words(story: &Value) -> Vec<&str> {
    story["steps"].as_array().unwrap().iter().map(|entry| entry["step"].as_str().unwrap()).collect()
}

fn id_of_the_only_operation(service: &Service) -> Value {
    service.call("org.lvmwarden.Poll.History", &json!({}))["entries"][0]["id"].take()
}

/// Waits until these steps of the only operation are on the disk, and nothing else is known of it.
#[track_caller]
fn await_on_disk(site: &Site, expected: &[&str]) {
    wait::until("the steps on disk", wait::SOON, || {
        let written = fs::read_dir(directory(site)).ok()?;
        let journals = written.flatten().map(|entry| entry.path()).filter(|path| !path.ends_with("lock"));
        let text: String = journals.filter_map(|path| fs::read_to_string(path).ok()).collect();
        expected.iter().all(|step| text.contains(&format!("\"{step}\""))).then_some(())
    });
}

/// Hands a pvmove over, whose lvpoll ends at once; waits until its result is collected.
#[track_caller]
fn whole_operation(site: &Site, service: &Service, pvmove: &Operation) {
    site.lvm.script(&pvmove.path(), &[&[Step::Exit(0)]]);
    let mut client = service.client();
    assert_eq!(client.ask(pvmove.start()), OK);
    assert_eq!(client.await_end(pvmove), finished("retcode", 0));
}

/// What is left of a host's memory after a restart: nothing.
fn lose_run_dir(site: &Site) {
    for entry in fs::read_dir(site.run_dir()).unwrap() {
        fs::remove_dir_all(entry.unwrap().path()).unwrap();
    }
}

/// A roll-back of the package: operations are polled as ever, and the history of the newer release is what it was.
#[test]
fn the_history_of_a_newer_release_is_left_as_it_is_and_holds_nobody_up() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    let service = site.service().start();
    whole_operation(&site, &service, &pvmove);
    await_on_disk(&site, &["forgotten"]);
    service.kill();
    lose_run_dir(&site);
    let journal = directory(&site).join("journal.9999");
    // The header's frame is the same in every version for ever.
    let newer = b"0000003a 2aa0e994 {\"magic\":\"lvmwarden-journal\",\"version\":999,\"generation\":7}\n";
    fs::write(&journal, newer).unwrap();
    let before = contents(&directory(&site));

    let service = site.service().start();
    whole_operation(&site, &service, &pvmove);
    let problem = wait::until("the reason", wait::SOON, || {
        let info = service.call("org.lvmwarden.Service.Info", &json!({}));
        info["history_problem"].as_str().map(ToOwned::to_owned)
    });
    assert!(problem.contains("999 is newer than"), "{problem}");
    assert_eq!(contents(&directory(&site)), before);
}

/// Returns the files of a directory with what is in them.
fn contents(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn a_story_outlives_the_daemon_and_its_run_directory() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    let service = site.service().start();
    whole_operation(&site, &service, &pvmove);
    await_on_disk(&site, &["intended", "started", "ended", "forgotten"]);
    service.kill();
    lose_run_dir(&site);

    let service = site.service().start();

    let all = ["intended", "started", "ended", "forgotten"];
    wait::until("the history on disk", wait::SOON, || (steps(&service) == all).then_some(()));
    let id = id_of_the_only_operation(&service);
    let story = story(&service, &id);
    assert_eq!(words(&story), all);
    assert_eq!((&story["is_over"], &story["vgname"]), (&json!(true), &json!(pvmove.vg)));
    assert_eq!(story["uid"], rustix::process::getuid().as_raw());
}

#[test]
fn an_operation_whose_journal_is_lost_has_an_end_that_says_so() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    let service = site.service().start();
    assert_eq!(service.client().ask(pvmove.start()), OK);
    let child = site.lvm.await_start();
    await_on_disk(&site, &["intended", "started"]);
    service.kill();
    site.lvm.kill_all();
    wait::until("the end of the child", wait::SOON, || (!child.is_alive()).then_some(()));
    lose_run_dir(&site);

    for _life in 0..2 {
        let service = site.service().start();
        let expected = ["intended", "started", "journal_lost"];
        wait::until("the end of the story", wait::SOON, || (steps(&service) == expected).then_some(()));
        service.kill();
    }
}

/// The disk takes nothing at first: the operation goes on, and is told from memory; later the disk has all of it.
#[test]
fn nobody_waits_for_a_disk_that_does_not_answer() {
    let site = Site::new();
    fs::create_dir_all(directory(&site)).unwrap();
    let lock = directory(&site).join("lock");
    // To open it for writing hangs until somebody opens it for reading.
    mknodat(CWD, &lock, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let service = site.service().start();
    let pvmove = site.pvmove("pvmove0");
    whole_operation(&site, &service, &pvmove);
    let all = ["intended", "started", "ended", "forgotten"];
    wait::until("the history in memory", wait::SOON, || (steps(&service) == all).then_some(()));
    let id = id_of_the_only_operation(&service);
    assert_eq!(words(&story(&service, &id)), all);
    await_problem(&service, |problem| problem == "the disk does not answer");

    let _reader = OpenOptions::new().read(true).open(&lock).unwrap();

    await_problem(&service, Value::is_null);
    await_on_disk(&site, &all);
    assert_eq!(words(&story(&service, &id)), all);
    assert_eq!(kinds(&service, "history."), ["history.stuck", "history.caught_up"]);
}

#[test]
fn a_disk_that_refuses_is_said_once_and_tried_again() {
    let site = Site::new();
    fs::remove_dir(site.state_dir()).unwrap();
    File::create(site.state_dir()).unwrap();
    let service = site.service().start();
    let pvmove = site.pvmove("pvmove0");
    whole_operation(&site, &service, &pvmove);
    await_problem(&service, |problem| {
        problem.as_str().is_some_and(|problem| problem.contains("open the journal directory"))
    });
    let metrics = service.call("org.lvmwarden.Metrics.Get", &json!({}));
    assert!(metrics["openmetrics"].as_str().unwrap().contains("lvmwarden_history_stuck 1"));

    fs::remove_file(site.state_dir()).unwrap();

    await_problem(&service, Value::is_null);
    await_on_disk(&site, &["intended", "started", "ended", "forgotten"]);
    assert_eq!(kinds(&service, "history."), ["history.stuck", "history.caught_up"]);
}

#[track_caller]
fn await_problem(service: &Service, is_it: impl Fn(&Value) -> bool) {
    wait::until("the history's problem, or its end", wait::SOON * 4, || {
        let info = service.call("org.lvmwarden.Service.Info", &json!({}));
        is_it(&info["history_problem"]).then_some(())
    });
}

/// Returns the kinds of all events that begin so.
fn kinds(service: &Service, beginning: &str) -> Vec<String> {
    let recent = service.call("org.lvmwarden.Events.Recent", &json!({}));
    let all =
        recent["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap().to_owned());
    all.filter(|kind| kind.starts_with(beginning)).collect()
}

/// The daemon dies at `point`; the next one, of another host's memory, tells each step once.
#[cfg(debug_assertions)]
#[track_caller]
fn killed_at(fault: &str) {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    let mut service = site.service().environment("LVMWARDEN_FAULT", fault).start();
    assert_eq!(service.client().ask(pvmove.start()), OK);
    let child = site.lvm.await_start();
    service.await_end(wait::SOON);

    let service = site.service().start();
    let mut client = service.client();
    assert_eq!(client.ask(pvmove.progress()), IN_PROGRESS);
    site.lvm.tell_exit(&child, 5);
    client.await_end(&pvmove);
    await_on_disk(&site, &["recovered", "adopted", "ended", "forgotten"]);
    service.kill();
    lose_run_dir(&site);

    let service = site.service().start();
    wait::until("the history on disk", wait::SOON, || (!steps(&service).is_empty()).then_some(()));
    let story = story(&service, &id_of_the_only_operation(&service));
    let mut told = words(&story);
    // The exit of a child that is not the daemon's own may be unknown: then lvpoll runs once more.
    told.dedup();
    let (begin, end) = told.split_at(4);
    assert_eq!(begin, ["intended", "started", "recovered", "adopted"], "{story}");
    assert!(end.ends_with(&["ended", "forgotten"]), "{story}");
    assert!(end.iter().filter(|step| **step == "ended").count() == 1, "{story}");
}

#[cfg(debug_assertions)]
#[test]
fn killed_before_steps_are_written_to_the_disk() {
    killed_at("kill@history.before_append");
}

#[cfg(debug_assertions)]
#[test]
fn killed_after_steps_were_written_to_the_disk() {
    killed_at("kill@history.appended");
}

#[cfg(debug_assertions)]
#[test]
fn a_panic_of_its_writer_is_felt_by_nobody() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    let service = site.service().environment("LVMWARDEN_FAULT", "panic@history.before_append").start();
    whole_operation(&site, &service, &pvmove);
    let all = ["intended", "started", "ended", "forgotten"];
    await_on_disk(&site, &all);
    assert_eq!(steps(&service), all);
}
