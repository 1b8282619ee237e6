//! A service that is killed while the program waits for it.

use lvmwarden_integration::fake_lvm::Step;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::wait;

use crate::program::{Running, run, start};

const LOST: &str = "the connection to the daemon is lost; waiting for the next one";

#[test]
fn watch_and_wait_go_on_with_the_next_service() {
    let site = Site::new();
    let service = site.service().start();
    let operation = site.pvmove("pvmove0");
    // Where the exit of an adopted process cannot be learned, it is run once more.
    site.lvm.script(&operation.path(), &[&[], &[Step::Exit(0)]]);
    let id = start(&site, &operation);
    let stub = site.lvm.await_start();
    let watching = Running::start(&site, &["poll", "watch", &id]);
    watching.await_line("running");
    let waiting = Running::start(&site, &["poll", "wait", &id]);
    let all = Running::start(&site, &["poll", "watch"]);
    all.await_line("running");
    // Waiting is silent; the service counts it.
    let waits = "lvmwarden_requests_total{door=\"api\",request=\"org.lvmwarden.Poll.Wait\"} 1\n";
    wait::until("the service to be asked to wait", wait::SOON, || {
        run(&site, &["metrics"]).done().contains(waits).then_some(())
    });

    service.kill();
    watching.await_line(LOST);
    all.await_line(LOST);
    let _next = site.service().start();
    assert!(stub.is_alive(), "nothing happened to it");
    site.lvm.tell_exit(&stub, 0);
    for (program, name) in [(watching, "watch"), (waiting, "wait"), (all, "watch all")] {
        program.await_line("done");
        assert_eq!(program.await_end(), Some(0), "{name}");
    }
}

#[test]
fn events_are_followed_into_the_next_life_of_the_service() {
    let site = Site::new();
    let service = site.service().start();
    let following = Running::start(&site, &["events", "--follow"]);
    // It is subscribed once it tells of something.
    let mut levels = ["debug", "trace"].iter().cycle();
    wait::until("an event", wait::SOON, || {
        run(&site, &["log-level", levels.next()?]).done();
        following.try_line("log.level_changed")
    });
    service.kill();
    following.await_line(LOST);
    let _next = site.service().start();
    following.await_line("events may be missing here: the daemon was started anew");
    following.await_line("service.ready");
}

#[test]
fn without_a_service_nothing_is_reachable() {
    let site = Site::new();
    for command in [
        &[][..],
        &["poll", "list"],
        &["poll", "watch"],
        &["events", "--follow"],
        &["tree"],
        &["info"],
        &["stop"],
    ] {
        run(&site, command).assert_failed(3, "the daemon does not run");
    }
    site.service().start().kill();
    run(&site, &["info"]).assert_failed(3, "nobody listens on");
}
