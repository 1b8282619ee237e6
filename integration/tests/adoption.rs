//! A daemon that was killed comes back and takes its children over: none is started twice, no end is lost or made up.
//!
//! The exit status of another's child can be read on Linux 6.15 and later. `LVMWARDEN_READ_EXITS=0` behaves as on earlier kernels: the exit is unknown
//! then, and unknown is answered by running lvpoll once more, never by calling it success.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lvmwarden_integration::client::{IN_PROGRESS, NOT_FOUND, OK, finished};
use lvmwarden_integration::daemon::{Daemon, Flavour};
use lvmwarden_integration::fake_lvm::{FOLDER_VARIABLE, FakeLvm, Start, Step};
use lvmwarden_integration::request::Operation;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::{binaries, wait};
use rustix::process::{Pid, Signal};

/// Starts our daemon, hands it a pvmove, waits for the child, and kills the daemon.
fn orphan(site: &Site, pvmove: &Operation) -> Start {
    let daemon = site.daemon(Flavour::Ours).start();
    assert_eq!(daemon.client().ask(pvmove.start()), OK);
    let start = site.lvm.await_start();
    daemon.await_pids(&[start.pid]);
    daemon.kill();
    assert!(start.is_alive(), "children outlive the daemon");
    start
}

/// Starts a daemon that cannot read the exits of processes it has not started.
fn start_unable_to_read_exits(site: &Site) -> Daemon {
    site.daemon(Flavour::Ours).environment("LVMWARDEN_READ_EXITS", "0").start()
}

#[test]
fn a_living_child_is_adopted_and_its_exit_code_is_told() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    let orphan = orphan(&site, &pvmove);
    let daemon = site.daemon(Flavour::Ours).start();
    let mut client = daemon.client();
    assert_eq!(client.ask(pvmove.progress()), IN_PROGRESS, "known from the first moment");
    assert_eq!(daemon.dump()[0].pid, orphan.pid);
    assert_eq!(client.ask(pvmove.start()), OK);
    site.lvm.tell_exit(&orphan, 5);
    assert_eq!(client.await_end(&pvmove), finished("retcode", 5));
    assert_eq!(client.ask(pvmove.progress()), NOT_FOUND);
    assert_eq!(site.lvm.starts().len(), 1);
}

#[test]
fn an_exit_that_cannot_be_read_is_answered_by_another_run() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    site.lvm.script(&pvmove.path(), &[&[], &[Step::Exit(0)]]);
    let orphan = orphan(&site, &pvmove);
    let daemon = start_unable_to_read_exits(&site);
    let mut client = daemon.client();
    assert_eq!(client.ask(pvmove.progress()), IN_PROGRESS);
    site.lvm.tell_exit(&orphan, 5);
    assert_eq!(client.await_end(&pvmove), finished("retcode", 0), "the end of the second run");
    assert_eq!(site.lvm.starts().len(), 2);
}

#[test]
fn a_child_that_ended_while_the_daemon_was_away_is_run_once_more() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    site.lvm.script(&pvmove.path(), &[&[], &[Step::Exit(0)]]);
    let orphan = orphan(&site, &pvmove);
    site.lvm.tell_exit(&orphan, 5);
    await_reaped(&orphan);
    let daemon = site.daemon(Flavour::Ours).start();
    assert_eq!(daemon.client().await_end(&pvmove), finished("retcode", 0));
    assert_eq!(site.lvm.starts().len(), 2);
}

#[test]
fn a_child_killed_while_the_daemon_was_away_is_run_once_more() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    let orphan = orphan(&site, &pvmove);
    kill(&orphan);
    let daemon = site.daemon(Flavour::Ours).start();
    let second = site.lvm.await_starts(2).swap_remove(1);
    assert_eq!(second.arguments, orphan.arguments);
    daemon.await_pids(&[second.pid]);
    site.lvm.tell_exit(&second, 3);
    assert_eq!(daemon.client().await_end(&pvmove), finished("retcode", 3));
}

#[test]
fn an_adopted_child_that_is_killed_is_run_once_more() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    let orphan = orphan(&site, &pvmove);
    let daemon = site.daemon(Flavour::Ours).start();
    daemon.await_pids(&[orphan.pid]);
    kill(&orphan);
    let second = site.lvm.await_starts(2).swap_remove(1);
    assert_eq!(daemon.client().ask(pvmove.progress()), IN_PROGRESS);
    site.lvm.tell_exit(&second, 0);
    assert_eq!(daemon.client().await_end(&pvmove), finished("retcode", 0));
}

#[test]
fn daemon_and_child_killed_together_are_both_back() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    let daemon = site.daemon(Flavour::Ours).start();
    daemon.client().ask(pvmove.start());
    let first = site.lvm.await_start();
    kill(&first);
    daemon.kill();
    let daemon = site.daemon(Flavour::Ours).start();
    // The first daemon may have been quick enough to start a second one itself.
    let alive = wait::until("one living child", wait::SOON, || {
        let mut alive: Vec<_> = site.lvm.starts().into_iter().filter(Start::is_alive).collect();
        (alive.len() == 1).then(|| alive.remove(0))
    });
    daemon.await_pids(&[alive.pid]);
    site.lvm.tell_exit(&alive, 0);
    assert_eq!(daemon.client().await_end(&pvmove), finished("retcode", 0));
}

#[test]
fn a_result_that_nobody_collected_is_still_there() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    site.lvm.script(&pvmove.path(), &[&[Step::Exit(5)]]);
    let daemon = site.daemon(Flavour::Ours).start();
    daemon.client().ask(pvmove.start());
    daemon.await_state(&pvmove, "finished");
    daemon.kill();
    let daemon = site.daemon(Flavour::Ours).start();
    assert_eq!(daemon.client().ask(pvmove.progress()), finished("retcode", 5));
    // That it was handed out is written down right behind the answer, not before it.
    std::thread::sleep(Duration::from_millis(50));
    daemon.kill();
    let daemon = site.daemon(Flavour::Ours).start();
    assert_eq!(daemon.client().ask(pvmove.progress()), NOT_FOUND, "collected once is collected for ever");
    assert_eq!(site.lvm.starts().len(), 1);
}

#[test]
fn everything_that_runs_is_adopted_again_and_again() {
    let site = Site::new();
    let operations = [
        site.pvmove("pvmove0"),
        site.pvmove("pvmove0").abort(),
        site.pvmove("pvmove0").system_dir("/etc/other"),
        site.pvmove("lv").kind("merge_thin").with("handle_missing_pvs=1"),
    ];
    let daemon = site.daemon(Flavour::Ours).start();
    let mut client = daemon.client();
    for operation in &operations {
        assert_eq!(client.ask(operation.start()), OK);
    }
    let pids: Vec<_> = site.lvm.await_starts(4).iter().map(|start| start.pid).collect();
    let mut before = daemon.await_pids(&pids);
    before.sort_by_key(|entry| entry.pid);
    daemon.kill();
    for _ in 0..3 {
        let daemon = site.daemon(Flavour::Ours).start();
        let mut after = daemon.dump();
        after.sort_by_key(|entry| entry.pid);
        assert_eq!(after, before);
        daemon.kill();
    }
    assert_eq!(site.lvm.starts().len(), 4);
}

#[test]
fn a_lost_run_directory_loses_no_child() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0").system_dir("/etc/other");
    let orphan = orphan(&site, &pvmove);
    for entry in fs::read_dir(site.run_dir()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
    let daemon = site.daemon(Flavour::Ours).start();
    let mut client = daemon.client();
    assert_eq!(client.ask(pvmove.start()), OK);
    daemon.await_pids(&[orphan.pid]);
    site.lvm.tell_exit(&orphan, 5);
    assert_eq!(client.await_end(&pvmove), finished("retcode", 5));
    assert_eq!(site.lvm.starts().len(), 1);
}

#[test]
fn a_child_of_a_killed_c_daemon_is_adopted() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    let stock = site.daemon(Flavour::Stock).start();
    stock.client().ask(pvmove.start());
    let orphan = site.lvm.await_start();
    stock.kill();
    let daemon = site.daemon(Flavour::Ours).start();
    let mut client = daemon.client();
    assert_eq!(client.ask(pvmove.start()), OK);
    daemon.await_pids(&[orphan.pid]);
    assert_eq!(client.ask(pvmove.progress()), IN_PROGRESS);
    site.lvm.tell_exit(&orphan, 5);
    assert_eq!(client.await_end(&pvmove), finished("retcode", 5));
    assert_eq!(site.lvm.starts().len(), 1, "the C daemon would have started a second one");
}

/// An lvm command without any daemon polls by itself: such a process looks like a child, but has a parent of its own.
#[test]
fn a_stranger_that_polls_the_same_lv_is_left_alone() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    let ours = orphan(&site, &pvmove);
    site.lvm.tell_exit(&ours, 0);
    await_reaped(&ours);
    let strangers_folder = site.path("stranger");
    fs::create_dir(&strangers_folder).unwrap();
    let strangers = FakeLvm::new(strangers_folder);
    let _process = stranger(&strangers, &ours.arguments[1..]);
    let stranger = strangers.await_start();

    let mut daemon = site.daemon(Flavour::Ours).start();
    let second = site.lvm.await_starts(2).swap_remove(1);
    let pids: Vec<_> = daemon.await_pids(&[second.pid]).iter().map(|entry| entry.pid).collect();
    assert!(!pids.contains(&stranger.pid));
    daemon.signal(Signal::TERM);
    daemon.await_end(wait::SOON);
    assert!(stranger.is_alive(), "it was not ours to end");
}

/// Everything that a child of ours says of itself, said by a shell, which waits.
fn look_alike(site: &Site, pvmove: &Operation, uid: u32) -> Waiting {
    let words = ["-c", "kill -STOP $$; :", "lvpoll", "--interval", "1", "--polloperation", "pvmove"];
    let mut command = Command::new("/bin/sh");
    command.args(words).args([&pvmove.path(), "-An"]).uid(uid).stdin(Stdio::null()).stdout(Stdio::null());
    command
        .env("LVMWARDEN_OP", "01890000-0000-7000-8000-000000000001")
        .env("LVMWARDEN_LVID", &pvmove.lvid)
        .env("LVMWARDEN_INSTANCE", site.socket())
        .env("LVM_SYSTEM_DIR", "/home/user/lvm");
    Waiting(command.spawn().unwrap())
}

#[test]
fn nobody_but_the_daemon_makes_a_process_that_is_adopted() {
    for uid in [65534, 0] {
        let site = Site::new();
        let pvmove = site.pvmove("pvmove0");
        let _look_alike = look_alike(&site, &pvmove, uid);
        let daemon = site.daemon(Flavour::Ours).start();
        assert!(daemon.dump().is_empty(), "uid {uid}: {:?}", daemon.dump());
        let same = pvmove.clone().system_dir("/home/user/lvm");
        for (count, operation) in [(1, &pvmove), (2, &same)] {
            assert_eq!(daemon.client().ask(operation.start()), OK);
            let started = site.lvm.await_starts(count).swap_remove(count - 1);
            site.lvm.tell_exit(&started, 0);
            assert_eq!(daemon.client().await_end(operation), finished("retcode", 0), "uid {uid}");
        }
    }
}

#[test]
fn a_run_directory_in_which_others_can_write_is_refused() {
    let site = Site::new();
    fs::set_permissions(site.run_dir(), fs::Permissions::from_mode(0o770)).unwrap();
    let mut daemon = site.daemon(Flavour::Ours).start_unready();
    assert_eq!(daemon.await_end(wait::SOON).code(), Some(1));
    let log = fs::read_to_string(site.log()).unwrap();
    assert!(log.contains("only root may be able to write in it"), "{log}");
}

#[test]
fn the_end_of_an_adopted_child_counts_as_activity_for_the_idle_timeout() {
    let site = Site::new();
    let pvmove = site.pvmove("pvmove0");
    let orphan = orphan(&site, &pvmove);
    let mut daemon = site.daemon(Flavour::Ours).option("-t").option("1").start();
    std::thread::sleep(Duration::from_millis(2500));
    assert!(!daemon.has_ended(), "it stays while an adopted child polls");
    site.lvm.tell_exit(&orphan, 0);
    assert!(daemon.await_end(wait::SOON).success());
}

/// Until init has reaped it, its exit can still be read by anybody.
fn await_reaped(start: &Start) {
    wait::until("init to reap the child", wait::SOON, || start.is_reaped().then_some(()));
}

fn kill(start: &Start) {
    rustix::process::kill_process(Pid::from_raw(start.pid).unwrap(), Signal::KILL).unwrap();
    wait::until("the child's end", wait::SOON, || (!start.is_alive()).then_some(()));
}

/// A stub that the test itself is the parent of.
fn stranger(strangers: &FakeLvm, arguments: &[String]) -> Waiting {
    let mut command = Command::new(binaries::fake_lvm());
    command.args(arguments).env(FOLDER_VARIABLE, strangers.folder());
    Waiting(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap())
}

/// A process that ends with the test.
struct Waiting(Child);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
