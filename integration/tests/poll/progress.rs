//! P-15 to P-22, P-30 and P-32: what a client learns about an operation, and when it is told for the last time.

use std::time::Duration;

use lvmwarden_integration::both_daemons;
use lvmwarden_integration::client::{IN_PROGRESS, NOT_FOUND, OK, finished, refusal};
use lvmwarden_integration::daemon::Flavour;
use lvmwarden_integration::fake_lvm::Step;
use lvmwarden_integration::site::Site;

both_daemons![
    p15_progress_needs_an_lvid,
    p16_an_unknown_operation_is_not_found,
    p17_a_running_operation_is_in_progress,
    p18_an_exit_code_is_handed_on,
    p19_a_signal_is_handed_on,
    p20_what_cannot_be_started_for_want_of_descriptors_has_failed,
    p21_a_result_is_handed_out_once,
    p22_a_result_nobody_collected_is_dropped_for_a_new_request,
    p30_an_end_between_two_requests_is_seen,
    p32_a_child_killed_by_signal_9_is_reported_as_such,
];

fn p15_progress_needs_an_lvid(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    assert_eq!(client.ask("request=\"progress_info\"\n"), refusal("failed", "request requires lvid set"));
}

fn p16_an_unknown_operation_is_not_found(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let pvmove = site.pvmove("pvmove0");
    assert_eq!(client.ask(pvmove.progress()), NOT_FOUND);
    client.ask(pvmove.start());
    assert_eq!(client.ask(pvmove.clone().abort().progress()), NOT_FOUND, "it is in the other store");
    assert_eq!(client.ask(pvmove.system_dir("/x").progress()), NOT_FOUND, "it has another system dir");
}

fn p17_a_running_operation_is_in_progress(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let pvmove = site.pvmove("pvmove0");
    site.lvm.script(&pvmove.path(), &[&[Step::Progress(20), Step::Complain("  WARNING: something".into())]]);
    client.ask(pvmove.start());
    assert_eq!(client.ask(pvmove.progress()), IN_PROGRESS, "at once");
    let start = site.lvm.await_start();
    assert_eq!(client.ask(pvmove.progress()), IN_PROGRESS, "while it prints");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(client.ask(pvmove.progress()), IN_PROGRESS, "100% is not the end");
    site.lvm.tell_exit(&start, 0);
    assert_eq!(client.await_end(&pvmove), finished("retcode", 0));
}

fn p18_an_exit_code_is_handed_on(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    for code in [0, 2, 3, 5] {
        let pvmove = site.pvmove(&format!("pvmove{code}"));
        site.lvm.script(&pvmove.path(), &[&[Step::Exit(code)]]);
        client.ask(pvmove.start());
        assert_eq!(client.await_end(&pvmove), finished("retcode", code));
    }
}

/// Ours may try again a few times first: lvpoll is safe to repeat, and a kill says nothing about the operation.
fn p19_a_signal_is_handed_on(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let pvmove = site.pvmove("pvmove0");
    site.lvm.script(&pvmove.path(), &[&[Step::Die(15)]]);
    client.ask(pvmove.start());
    assert_eq!(client.await_end(&pvmove), finished("signal", 15));
}

fn p20_what_cannot_be_started_for_want_of_descriptors_has_failed(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let pvmove = site.pvmove("pvmove0");
    assert_eq!(client.ask(pvmove.progress()), NOT_FOUND);
    daemon.limit_descriptors_to_those_open();
    assert_eq!(client.ask(pvmove.start()), OK);
    assert_eq!(client.await_end(&pvmove), refusal("failed", "polling of lvm command failed"));
    assert_eq!(client.ask(pvmove.progress()), NOT_FOUND, "a failure is handed out once as well");
}

fn p21_a_result_is_handed_out_once(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let (mut first, mut second) = (daemon.client(), daemon.client());
    let pvmove = site.pvmove("pvmove0");
    site.lvm.script(&pvmove.path(), &[&[Step::Exit(0)]]);
    first.ask(pvmove.start());
    assert_eq!(first.await_end(&pvmove), finished("retcode", 0));
    assert_eq!(second.ask(pvmove.progress()), NOT_FOUND);
    assert_eq!(first.ask(pvmove.progress()), NOT_FOUND);
    assert_eq!(daemon.dump(), []);
}

fn p22_a_result_nobody_collected_is_dropped_for_a_new_request(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let pvmove = site.pvmove("pvmove0");
    site.lvm.script(&pvmove.path(), &[&[Step::Exit(5)], &[]]);
    client.ask(pvmove.start());
    daemon.await_state(&pvmove, "finished");
    assert_eq!(client.ask(pvmove.start()), OK);
    assert_eq!(client.ask(pvmove.progress()), IN_PROGRESS, "the old 5 is gone");
    let second = site.lvm.await_starts(2).swap_remove(1);
    site.lvm.tell_exit(&second, 0);
    assert_eq!(client.await_end(&pvmove), finished("retcode", 0));
}

fn p30_an_end_between_two_requests_is_seen(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let pvmove = site.pvmove("pvmove0");
    client.ask(pvmove.start());
    assert_eq!(client.ask(pvmove.progress()), IN_PROGRESS);
    site.lvm.tell_exit(&site.lvm.await_start(), 3);
    daemon.await_state(&pvmove, "finished");
    assert_eq!(client.ask(pvmove.progress()), finished("retcode", 3), "by the first request after it");
}

fn p32_a_child_killed_by_signal_9_is_reported_as_such(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let pvmove = site.pvmove("pvmove0");
    site.lvm.script(&pvmove.path(), &[&[Step::Die(9)]]);
    client.ask(pvmove.start());
    assert_eq!(client.await_end(&pvmove), finished("signal", 9));
    if flavour == Flavour::Ours {
        assert!(site.lvm.starts().len() > 1, "a killed poller is started again before it is given up");
    }
}
