//! Two hosts on the same leases, with real daemons of sanlock: what becomes of locks when the lock service of one is killed.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;
use std::time::Duration;

use lvmwarden_integration::asker::Asker;
use lvmwarden_integration::lock_client::{LockClient, ask};
use lvmwarden_integration::sanlock::Sanlock;
use lvmwarden_integration::service::{Launch, Service};
use lvmwarden_integration::site::Site;
use lvmwarden_integration::{binaries, wait};
use serde_json::{Value, json};

/// More than a join takes: some I/O timeouts.
const PATIENCE: Duration = Duration::from_secs(40);
const VG: &str = "vg";
const ARGS: &str = "1.0.0:lvmlock";
const LV_ARGS: &str = "1.0.0:70254592";

/// A host: its sanlock, and where its service is.
struct Host {
    id: u32,
    site: Site,
    sanlock: Sanlock,
}

impl Host {
    fn launch(&self) -> Launch<'_> {
        self.launch_in(&self.site)
    }

    /// Prepares a service of this host elsewhere, which knows nothing of the other one.
    fn launch_in<'site>(&self, site: &'site Site) -> Launch<'site> {
        let path = |name: &str| format!("{:?}", site.path(name).to_str().unwrap());
        let launch = site
            .service()
            .set("service.roles", r#"["poll", "lock"]"#)
            .set("lock.socket", &path("lockd"))
            .set("lock.pid_file", &path("lockd.pid"))
            .set("lock.adopt_file", &path("lockd.adopt"))
            .set("lock.host_id", &self.id.to_string());
        self.sanlock.serves(launch)
    }

    fn start(&self) -> Service {
        self.launch().start()
    }

    fn client(&self) -> LockClient {
        LockClient::connect(&self.site.path("lockd"))
    }

    fn asker(&self) -> Asker {
        Asker::start(&self.site.path("lockd"))
    }

    fn start_vg(&self) {
        self.start_vg_in(&self.site);
    }

    fn start_vg_in(&self, site: &Site) {
        let mut client = LockClient::connect(&site.path("lockd"));
        let started = client.result(ask::start_vg_of_type(VG, "sanlock", ARGS, self.id, "wait"));
        assert_eq!(started, 0, "host {}", self.id);
    }

    /// Waits until this host gets a lock that the other one had, and gives it back.
    #[track_caller]
    fn gets(&self, lock: &str, unlock: &str) {
        let mut client = self.client();
        wait::until("the lock", PATIENCE, || (client.result(lock) == 0).then_some(()));
        assert_eq!(client.result(unlock), 0);
    }
}

/// Makes two hosts, and a VG with one LV on the leases that they share, started on both.
fn two_hosts() -> ([Host; 2], [Service; 2]) {
    let site = Site::new();
    let first = Sanlock::start(site.path("sanlock"));
    let second = first.beside();
    first.disk(VG);
    let hosts = [Host { id: 1, site, sanlock: first }, Host { id: 2, site: Site::new(), sanlock: second }];
    let services = [hosts[0].start(), hosts[1].start()];
    let mut client = hosts[0].client();
    let init = "vg_lock_type =\"sanlock\"\nvg_lock_args =\"lvmlock\"\nopts =\"none\"\n";
    assert_eq!(client.result(ask::of_vg("init_vg", VG, init)), 0);
    hosts.iter().for_each(Host::start_vg);
    let init =
        format!("lv_uuid =\"{}\"\nvg_lock_type =\"sanlock\"\nvg_lock_args =\"{ARGS}\"\n", ask::uuid("lv"));
    let made = client.ask(ask::of_vg("init_lv", VG, &init));
    assert_eq!((made.result(), made.field("lv_lock_args")), (0, Some(LV_ARGS)));
    (hosts, services)
}

fn lock_lv(mode: &str, opts: &str) -> String {
    let uuid = ask::uuid("lv");
    format!(
        "request=\"lock_lv\"\ncmd =\"lvchange\"\npid =1\nmode =\"{mode}\"\nopts =\"{opts}\"\nvg_name =\"{VG}\"\n\
         lv_name =\"lv\"\nlv_uuid =\"{uuid}\"\nvg_lock_type =\"sanlock\"\nvg_lock_args =\"{ARGS}\"\n\
         lv_lock_args =\"{LV_ARGS}\"\n"
    )
}

fn locks(service: &Service) -> Vec<Value> {
    service.call("org.lvmwarden.Lock.Locks", &json!({}))["locks"].as_array().unwrap().clone()
}

#[test]
fn a_lock_is_kept_for_the_command_that_lives_and_given_back_when_it_has_ended() {
    let ([a, b], [service, _other]) = two_hosts();
    let (mut writer, mut extender) = (a.asker(), a.asker());
    assert_eq!(writer.result(ask::lock_vg(VG, "ex")), 0);
    assert_eq!(extender.result(lock_lv("ex", "none")), 0);
    service.kill();
    let service = a.start();
    wait::until("both locks", PATIENCE, || (locks(&service).len() == 2).then_some(()));
    let mut other = b.client();
    assert_eq!(other.result(ask::lock_vg(VG, "sh")), -11, "the metadata is being written");
    assert_eq!(other.result(lock_lv("ex", "none")), -11, "the LV is being extended");
    // Nobody of this host gets it either.
    let mut own = a.client();
    own.send(ask::lock_vg(VG, "sh"));
    own.hears_nothing_for(Duration::from_millis(500));
    drop(writer);
    assert_eq!(own.receive().result(), 0);
    assert_eq!(own.result(ask::lock_vg(VG, "un")), 0);
    drop(extender);
    b.gets(&lock_lv("ex", "none"), &lock_lv("un", "none"));
    b.gets(&ask::lock_vg(VG, "ex"), &ask::lock_vg(VG, "un"));
}

#[test]
fn what_a_command_has_given_back_before_the_kill_is_not_kept_for_it() {
    let ([a, b], [service, _other]) = two_hosts();
    let mut reader = a.asker();
    assert_eq!(reader.result(ask::lock_vg(VG, "sh")), 0);
    assert_eq!(reader.result(ask::lock_vg(VG, "un")), 0);
    service.kill();
    let _service = a.start();
    b.gets(&ask::lock_vg(VG, "ex"), &ask::lock_vg(VG, "un"));
}

#[test]
fn a_recovery_that_fails_forgets_nothing_and_is_tried_again() {
    let ([a, b], [service, _other]) = two_hosts();
    assert_eq!(a.client().result(lock_lv("ex", "persistent")), 0);
    service.kill();
    a.sanlock.hide_disk(VG);
    let service = a.start();
    let mut client = a.client();
    assert_ne!(client.result(ask::start_vg_of_type(VG, "sanlock", ARGS, 1, "wait")), 0, "there is no disk");
    service.kill();
    // Nothing is forgotten: neither by this start, which cannot reach sanlock, nor by the next one.
    let nowhere = a.site.path("nowhere");
    let service = a.launch().environment("SANLOCK_RUN_DIR", nowhere.to_str().unwrap()).start();
    service.kill();
    let service = a.start();
    assert_eq!(locks(&service), Vec::<Value>::new(), "the disk is not there");
    a.sanlock.show_disk(VG);
    wait::until("the lock of the LV", PATIENCE, || (locks(&service).len() == 1).then_some(()));
    assert_eq!(b.client().result(lock_lv("ex", "persistent")), -11);
    assert_eq!(a.client().result(lock_lv("un", "persistent")), 0);
    b.gets(&lock_lv("ex", "persistent"), &lock_lv("un", "persistent"));
}

#[test]
fn a_start_over_locks_that_nobody_remembers_takes_them_over() {
    let ([a, b], [service, _other]) = two_hosts();
    assert_eq!(a.client().result(lock_lv("ex", "persistent")), 0);
    let mut writer = a.asker();
    assert_eq!(writer.result(ask::lock_vg(VG, "ex")), 0);
    service.kill();
    // As if the host's memory of them was lost.
    let elsewhere = a.site.path("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let adopt_file = format!("{:?}", a.site.path("other.adopt").to_str().unwrap());
    let launch = a.launch().environment("LVMWARDEN_RUN_DIR", elsewhere.to_str().unwrap());
    let service = launch.set("lock.adopt_file", &adopt_file).start();
    a.start_vg();
    assert_eq!(locks(&service).len(), 1, "the LV's");
    assert_eq!(b.client().result(lock_lv("sh", "persistent")), -11);
    assert_eq!(b.client().result(ask::lock_vg(VG, "sh")), -11, "it stays while nobody knows whose it is");
    assert_eq!(a.client().result(ask::lock_vg(VG, "sh")), -222);
    assert_eq!(a.client().result(lock_lv("un", "persistent")), 0);
    b.gets(&lock_lv("ex", "persistent"), &lock_lv("un", "persistent"));
}

/// Leaves locks with sanlock of which this host's service knows nothing: those of another one, which is killed.
fn leave_behind(host: &Host, locks: &[String]) {
    let elsewhere = Site::new();
    let service = host.launch_in(&elsewhere).start();
    host.start_vg_in(&elsewhere);
    let mut asker = Asker::start(&elsewhere.path("lockd"));
    for lock in locks {
        assert_eq!(asker.result(lock), 0, "{lock}");
    }
    service.kill();
}

/// Runs `lvmwarden lock` at the service; returns its exit code and what it has said.
fn lvmwarden(site: &Site, arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(binaries::lvmwardend().with_file_name("lvmwarden"));
    command.arg("--socket").arg(site.api_socket()).arg("lock").args(arguments);
    let output = command.output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code(), said)
}

#[test]
fn locks_of_an_earlier_daemon_are_listed_and_adopted_or_given_back_as_the_administrator_says() {
    let ([a, b], [service, _other]) = two_hosts();
    let uuid = ask::uuid("lv");
    let orphans = || service.call("org.lvmwarden.Lock.Orphans", &json!({ "vgname": VG }))["orphans"].clone();
    assert_eq!(orphans(), json!([]));
    assert_eq!(lvmwarden(&a.site, &["orphans"]), (Some(0), "no lock of an earlier daemon is left\n".into()));
    leave_behind(&a, &[lock_lv("ex", "persistent"), ask::lock_vg(VG, "ex")]);
    let listed = orphans();
    let of_kind = |kind: &str| listed.as_array().unwrap().iter().find(|one| one["kind"] == kind).cloned();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    assert_eq!(of_kind("lv").unwrap()["lv_uuid"], uuid.as_str());
    assert_eq!(of_kind("vg").unwrap()["mode"], "exclusive");
    let (code, told) = lvmwarden(&a.site, &["orphans", VG]);
    assert!(code == Some(0) && told.contains(&uuid) && told.contains("nobody knows who"), "{told}");

    let refused = |method: &str, lock: &str| {
        let reply =
            service.try_call(&format!("org.lvmwarden.Lock.{method}"), &json!({ "vgname": VG, "lock": lock }));
        assert_eq!(reply["error"], "org.lvmwarden.Lock.Refused", "{method} {lock}: {reply}");
        reply["parameters"]["code"].clone()
    };
    assert_eq!(refused("Adopt", "VGLK"), -22, "nobody could give it back");
    for method in ["Adopt", "Release"] {
        assert_eq!((refused(method, "no lock"), refused(method, &ask::uuid("b"))), (json!(-2), json!(-2)));
    }
    assert_eq!(orphans(), listed, "a refusal has changed nothing");
    assert_eq!(b.client().result(ask::lock_vg(VG, "sh")), -11);

    // Taken over: it is a lock as any other, which anybody unlocks.
    assert_eq!(lvmwarden(&a.site, &["adopt", VG, &uuid]), (Some(0), String::new()));
    wait::until("the lock of the LV", PATIENCE, || (locks(&service).len() == 1).then_some(()));
    assert_eq!(orphans().as_array().map(Vec::len), Some(1), "the VG's is left");
    assert_eq!(b.client().result(lock_lv("sh", "persistent")), -11);
    assert_eq!(a.client().result(lock_lv("un", "persistent")), 0);
    b.gets(&lock_lv("ex", "persistent"), &lock_lv("un", "persistent"));

    // Given back: other hosts get it.
    assert_eq!(lvmwarden(&a.site, &["release", VG, "VGLK"]), (Some(0), String::new()));
    b.gets(&ask::lock_vg(VG, "ex"), &ask::lock_vg(VG, "un"));
    leave_behind(&a, &[lock_lv("ex", "persistent")]);
    assert_eq!(b.client().result(lock_lv("sh", "persistent")), -11);
    service.call("org.lvmwarden.Lock.Release", &json!({ "vgname": VG }));
    b.gets(&lock_lv("ex", "persistent"), &lock_lv("un", "persistent"));
    assert_eq!((orphans(), locks(&service).len()), (json!([]), 0));
}

#[test]
fn a_global_lock_that_is_switched_off_while_its_vg_runs_is_off_for_all_until_it_is_on_again() {
    let ([a, b], [service, _other]) = two_hosts();
    let lines = |host: &Host| host.client().info().iter().filter(|line| line.value("name") == "GLLK").count();
    let switch = |keyword: &str| a.client().result(ask::of_vg(keyword, VG, ""));
    a.gets(&ask::lock_gl("ex"), &ask::lock_gl("un"));
    b.gets(&ask::lock_gl("ex"), &ask::lock_gl("un"));
    assert_eq!((lines(&a), switch("disable_gl"), lines(&a)), (1, 0, 0));
    let answer = a.client().ask(ask::lock_gl("ex"));
    assert_eq!((answer.result(), answer.flags()), (-210, "NO_GL_LS,"));
    assert_ne!(b.client().result(ask::lock_gl("ex")), 0, "its lease has another name now");
    assert_eq!(a.client().result(ask::lock_vg(VG, "sh")), 0, "the VG itself runs on");
    service.kill();
    let _service = a.start();
    wait::until("the lockspace", PATIENCE, || (a.client().result(ask::lock_vg(VG, "sh")) == 0).then_some(()));
    assert_eq!((lines(&a), a.client().result(ask::lock_gl("ex"))), (0, -210), "it was read from the disk");
    assert_eq!((switch("enable_gl"), lines(&a)), (0, 1));
    a.gets(&ask::lock_gl("ex"), &ask::lock_gl("un"));
    b.gets(&ask::lock_gl("ex"), &ask::lock_gl("un"));
}

#[test]
fn a_rename_whose_last_step_fails_is_told_by_the_next_start_and_can_be_done_again() {
    let ([a, b], [_service, other]) = two_hosts();
    assert_eq!(b.client().result(ask::of_vg("stop_vg", VG, "")), 0);
    drop(other);
    let mut client = a.client();
    let of_sanlock = format!("vg_lock_type =\"sanlock\"\nvg_lock_args =\"{ARGS}\"\n");
    assert_eq!(client.result(lock_lv("ex", "persistent")), 0);
    wait::until("the other host has left", PATIENCE, || {
        (client.result(ask::of_vg("busy_vg", VG, "")) == 0).then_some(())
    });
    assert_eq!(client.result(ask::of_vg("rename_vg_before", VG, &of_sanlock)), -16, "an LV is locked");
    assert_eq!(client.result(ask::lock_vg(VG, "ex")), 0, "it runs on");
    assert_eq!(client.result(lock_lv("un", "persistent")), 0);
    assert_eq!(client.result(ask::of_vg("rename_vg_before", VG, &of_sanlock)), 0);
    a.sanlock.hide_disk(VG);
    let last = ask::of_vg("rename_vg_final", "renamed", &of_sanlock);
    assert_eq!(client.result(&last), -19, "there is no device of that name");
    a.sanlock.show_disk_as(VG, "renamed");
    let start = ask::start_vg_of_type("renamed", "sanlock", ARGS, 1, "wait");
    assert_eq!(client.result(&start), -212, "its leases have the old name");
    assert_eq!((client.result(&last), client.result(&start)), (0, 0));
    assert_eq!(client.result(ask::lock_vg("renamed", "ex")), 0);
}

#[test]
fn a_removal_of_a_vg_that_is_refused_has_changed_nothing() {
    let ([a, b], [_service, other]) = two_hosts();
    assert_eq!(b.client().result(ask::of_vg("stop_vg", VG, "")), 0);
    drop(other);
    let mut client = a.client();
    assert_eq!(client.result(ask::lock_vg(VG, "ex")), 0);
    assert_eq!(client.result(lock_lv("ex", "persistent")), 0);
    let of_sanlock = format!("vg_lock_type =\"sanlock\"\nvg_lock_args =\"{ARGS}\"\n");
    assert_eq!(client.result(ask::of_vg("free_vg", VG, &of_sanlock)), -16);
    assert_eq!(client.result(ask::lock_vg(VG, "un")), 0);
    assert_eq!(client.result(ask::lock_vg(VG, "ex")), 0, "its lease has its name still");
    assert_eq!(client.result(lock_lv("un", "persistent")), 0);
    wait::until("the VG is removed", PATIENCE, || {
        (client.result(ask::of_vg("free_vg", VG, &of_sanlock)) == 0).then_some(())
    });
    assert_ne!(client.result(ask::start_vg_of_type(VG, "sanlock", ARGS, 1, "wait")), 0, "nothing is there");
}
