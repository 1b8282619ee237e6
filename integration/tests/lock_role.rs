//! The service that holds locks and does nothing else: when it is ready, what it runs, and what it never needs a disk for.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use lvmwarden_integration::client::connect_within;
use lvmwarden_integration::lab::lock_packages;
use lvmwarden_integration::lock_client::{LockClient, ask};
use lvmwarden_integration::sanlock::{Sanlock, lock_lv};
use lvmwarden_integration::service::{Launch, Service};
use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;
use rustix::fs::inotify;
use rustix::process::Signal;
use serde_json::json;

fn quoted(path: &Path) -> String {
    format!("{:?}", path.to_str().unwrap())
}

/// A service with the lock role alone, whose programs and libraries are in its own folder.
fn launch(site: &Site) -> Launch<'_> {
    let (lib, run) = (site.path("lib"), site.path("sanlock"));
    for folder in [&lib, &run] {
        fs::create_dir(folder).unwrap();
    }
    let given = std::env::var_os("LVMWARDEN_SANLOCK_ROOT").map(PathBuf::from);
    let packages = given.unwrap_or_else(|| lock_packages::root().unwrap()).join("usr/lib/x86_64-linux-gnu");
    for library in ["libsanlock_client.so.1", "libdlm_lt.so.3", "libdlmcontrol.so.3"] {
        fs::copy(packages.join(library), lib.join(library)).unwrap();
    }
    site.service()
        .set("service.roles", r#"["lock"]"#)
        .set("lock.socket", &quoted(&site.path("lockd")))
        .set("lock.pid_file", &quoted(&site.path("lockd.pid")))
        .set("lock.adopt_file", &quoted(&site.path("lockd.adopt")))
        .environment("LD_LIBRARY_PATH", lib.to_str().unwrap())
        .environment("SANLOCK_RUN_DIR", run.to_str().unwrap())
        .environment("SANLOCK_PRIVILEGED", "0")
}

fn program(path: &Path, script: &str) {
    fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
}

fn locked_kib(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

/// Tells of each part of a process's memory that holds its program: size and what is there, in KiB, and whether it is locked.
fn program_in_memory(service: &Service) -> Vec<(u64, u64, bool)> {
    let smaps = fs::read_to_string(format!("/proc/{}/smaps", service.pid())).unwrap();
    let mut parts: Vec<(u64, u64, bool)> = Vec::new();
    let mut is_program = false;
    for line in smaps.lines() {
        let kib = |name: &str| line.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse().ok();
        if line.split(' ').next().is_some_and(|word| word.contains('-')) {
            is_program = line.contains("lvmwardend") && line.contains(" r-xp ");
            parts.extend(is_program.then_some((0, 0, false)));
        }
        let Some(part) = parts.last_mut().filter(|_| is_program) else { continue };
        part.0 = kib("Size:").unwrap_or(part.0);
        part.1 = kib("Rss:").unwrap_or(part.1);
        part.2 |= line.strip_prefix("VmFlags:").is_some_and(|flags| flags.contains(" lo"));
    }
    parts
}

#[test]
fn the_api_and_ready_wait_until_locks_are_recovered() {
    let site = Site::new();
    let launch = launch(&site);
    // A sanlock that lets clients connect and says nothing.
    let silent = UnixListener::bind(site.path("sanlock").join("sanlock.sock")).unwrap();
    let mut service = launch.start_unready();
    wait::until("the socket of the API", wait::SOON, || site.api_socket().exists().then_some(()));
    wait::until("the question what is left in sanlock", wait::SOON, || {
        silent.set_nonblocking(true).unwrap();
        silent.accept().ok().map(|(stream, _)| std::mem::forget(stream))
    });
    thread::sleep(Duration::from_secs(1));
    let asked = connect_within(&site.api_socket(), wait::SOON).unwrap();
    asked.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    std::io::Write::write_all(&mut &asked, b"{\"method\":\"org.lvmwarden.Service.Info\"}\0").unwrap();
    let answered = std::io::Read::read(&mut &asked, &mut [0; 10]);
    assert!(answered.is_err(), "the API is served while it is not known which locks are held: {answered:?}");
    assert!(!service.was_told("READY=1"), "it says that it is ready while nothing is recovered");
}

#[test]
fn a_lockspace_is_started_without_the_poll_role_by_a_child_with_nothing_of_the_daemon() {
    let site = Site::new();
    let (lvm, seen) = (site.path("lvm"), site.path("seen"));
    let script = format!(
        "echo \"$*\" > {0}\ngrep VmLck /proc/self/status >> {0}\nls /proc/self/fd | wc -l >> {0}",
        seen.display()
    );
    program(&lvm, &script);
    let service = launch(&site).set("lock.binary", &quoted(&lvm)).start();
    let parts = program_in_memory(&service);
    let all_is_there = |(size, there, is_locked): &(u64, u64, bool)| size == there && *is_locked;
    assert!(
        !parts.is_empty() && parts.iter().all(all_is_there),
        "not all of the program is locked: {parts:?}"
    );
    service.call("org.lvmwarden.Lock.Start", &json!({ "vgname": "vg0" }));
    let seen = fs::read_to_string(&seen).unwrap();
    let lines: Vec<_> = seen.lines().collect();
    let [arguments, status, descriptors] = lines[..] else { panic!("{seen}") };
    assert_eq!(arguments, "vgchange --lock-start -- vg0");
    assert_eq!(locked_kib(status), 0, "a child has no locked memory");
    // Those of every program, and the folder that ls reads.
    assert_eq!(descriptors.trim(), "4", "a child has no descriptor of the daemon's");
    let polled = service.try_call("org.lvmwarden.Poll.List", &json!({}));
    assert!(polled["error"].is_string(), "nobody polls here: {polled}");
}

#[test]
fn a_kill_program_that_is_not_there_is_told_at_the_start_and_when_asked() {
    let site = Site::new();
    let missing = site.path("missing");
    let service = launch(&site).set("lock.kill_program", &quoted(&missing)).start();
    let told = service.call("org.lvmwarden.Service.Info", &json!({}))["lock_problem"].take();
    assert!(told.as_str().unwrap().contains("missing cannot be executed"), "{told}");
    // The log is written by a thread of its own.
    wait::until("the warning in the log", wait::SOON, || {
        let log = fs::read_to_string(site.log()).unwrap();
        log.contains("nobody would deactivate a VG whose leases are lost").then_some(())
    });
    program(&missing, "true");
    let told = service.call("org.lvmwarden.Service.Info", &json!({}))["lock_problem"].take();
    assert!(told.is_null(), "{told}");
}

/// The time zone of one hour east of Greenwich, as tzfile(5) has it.
fn zone_file() -> Vec<u8> {
    let mut block = b"TZif2".to_vec();
    block.extend([0; 15]);
    for count in [0_u32, 0, 0, 0, 1, 4] {
        block.extend(count.to_be_bytes());
    }
    block.extend(3600_u32.to_be_bytes());
    block.extend(*b"\0\0XYZ\0");
    [&block[..], &block[..], b"\nXYZ-1\n"].concat()
}

#[test]
fn nothing_is_read_from_a_disk_for_an_answer_about_locks() {
    let site = Site::new();
    let zones = site.path("zones");
    fs::create_dir_all(zones.join("Our")).unwrap();
    fs::write(zones.join("Our/Zone"), zone_file()).unwrap();
    let launch = launch(&site).environment("TZDIR", zones.to_str().unwrap()).environment("TZ", "Our/Zone");
    let watcher = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
    for folder in [zones.clone(), zones.join("Our"), site.path("lib")] {
        inotify::add_watch(&watcher, &folder, inotify::WatchFlags::OPEN | inotify::WatchFlags::ACCESS)
            .unwrap();
    }
    let reads = || {
        let mut buffer = [std::mem::MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&watcher, &mut buffer);
        std::iter::from_fn(|| {
            let event = reader.next().ok()?;
            Some(event.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
        })
        .collect::<Vec<_>>()
    };
    let sanlock = Sanlock::start(site.path("real-sanlock"));
    let lib = site.path("lib");
    let service = sanlock.serves(launch).environment("LD_LIBRARY_PATH", lib.to_str().unwrap()).start();
    assert!(
        reads().iter().any(|name| name == "libsanlock_client.so.1"),
        "the watch sees what is read at the start"
    );
    let mut client = LockClient::connect(&site.path("lockd"));
    sanlock.locked_lv(&mut client, "vg0");
    for mode in ["ex", "un"] {
        assert_eq!(client.result(ask::lock_vg("vg0", mode)), 0);
    }
    assert_eq!(client.result(lock_lv("vg0", "un")), 0);
    assert_eq!(client.result(ask::of_vg("stop_vg", "vg0", "")), 0);
    client.dump("info");
    client.dump("dump");
    service.call("org.lvmwarden.Lock.Lockspaces", &json!({}));
    assert_eq!(reads(), Vec::<String>::new(), "read on the way of an answer");
}

#[test]
fn the_lock_role_is_played_where_systemd_hands_its_socket_over_whatever_the_file_says() {
    let site = Site::new();
    let lockd = site.path("lockd");
    let launch = launch(&site).set("service.roles", r#"["poll"]"#).hand_over("lvmlockd", lockd.clone());
    let mut service = launch.start();
    let roles = service.call("org.lvmwarden.Service.Info", &json!({}))["roles"].take();
    assert_eq!(roles, json!(["poll", "lock"]));
    assert!(!LockClient::connect(&lockd).dump("info").is_empty(), "locks are served there");
    service.await_notice("STATUS=nothing to poll; no shared VG");
    service.signal(Signal::HUP);
    service.await_notice("RELOADING=1");
    service.await_notice("READY=1");
    let log = fs::read_to_string(site.log()).unwrap();
    assert!(!log.contains("a changed key needs a restart"), "{log}");
}
