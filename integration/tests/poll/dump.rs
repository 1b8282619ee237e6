//! P-23: the dump, byte for byte, and while very much is going on.

use lvmwarden_integration::both_daemons;
use lvmwarden_integration::client::OK;
use lvmwarden_integration::daemon::Flavour;
use lvmwarden_integration::fake_lvm::Step;
use lvmwarden_integration::request::Operation;
use lvmwarden_integration::site::Site;

both_daemons![
    p23_dump_while_very_many_operations_run,
    p23_dump_lists_both_stores,
    p23_dump_tells_running_from_finished,
    p23_dump_needs_no_hello_and_no_open_write_side,
];

/// The C daemon runs a thread for each operation and forks them one by one: a thousand take it too long for a test.
fn p23_dump_while_very_many_operations_run(flavour: Flavour) {
    let count = if flavour == Flavour::Ours { 1000 } else { 150 };
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    for number in 0..count {
        assert_eq!(client.ask(site.pvmove(&format!("pvmove{number}")).start()), OK);
    }
    assert_eq!(daemon.dump().len(), count, "as soon as the last was taken");
    let pids: Vec<_> = site.lvm.await_starts(count).iter().map(|start| start.pid).collect();
    let entries = daemon.await_pids(&pids);
    assert!(entries.iter().all(|entry| entry.state == "in_progress" && entry.init_requests_count == 1));
}

fn p23_dump_lists_both_stores(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let empty =
        "# Registered polling operations\n\npoll {\n}\n\n# Registered abort operations\n\nabort {\n}\n##\n";
    assert_eq!(client.ask("request=\"dump\"\n"), empty);

    let poll = site.pvmove("pvmove0").system_dir("/etc/lvm");
    client.ask(poll.start());
    let poll_pid = site.lvm.await_start().pid;
    client.ask(poll.clone().abort().start());
    let abort_pid = site.lvm.await_starts(2)[1].pid;
    let entry =
        |pid| format!("\t/etc/lvm{} {{\n{}\t}}\n", poll.lvid, running_entry(&poll, pid, "\"/etc/lvm\"", 1));
    daemon.await_pids(&[poll_pid, abort_pid]);
    let expected = format!(
        "# Registered polling operations\n\npoll {{\n{}}}\n\n# Registered abort operations\n\nabort {{\n{}}}\n##\n",
        entry(poll_pid),
        entry(abort_pid)
    );
    assert_eq!(client.ask("request=\"dump\"\n"), expected);
}

fn p23_dump_tells_running_from_finished(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let pvmove = site.pvmove("pvmove0");
    client.ask(pvmove.start());
    client.ask(pvmove.start());
    let start = site.lvm.await_start();
    daemon.await_pids(&[start.pid]);
    let running = running_entry(&pvmove, start.pid, "\"<undefined>\"", 2);
    let dump = client.ask("request=\"dump\"\n");
    assert!(dump.contains(&running), "{dump}");

    site.lvm.tell(&start, &[Step::Exit(5)]);
    daemon.await_state(&pvmove, "finished");
    let finished = running
        .replace("polling_finished=0", "polling_finished=1")
        .replace("state=\"in_progress\"\n", "state=\"finished\"\n\t\t\treason=\"retcode\"\n\t\t\tvalue=5\n");
    let dump = client.ask("request=\"dump\"\n");
    assert!(dump.contains(&finished), "{dump}\n{finished}");
}

fn p23_dump_needs_no_hello_and_no_open_write_side(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let pvmove = site.pvmove("pvmove0");
    daemon.client().ask(pvmove.start());
    let dump = daemon.client().ask_and_shut_down("request=\"dump\"");
    assert!(dump.contains(&format!("\t\tlvname=\"{}\"\n", pvmove.path())), "{dump}");
}

/// Returns the inner lines of an entry whose operation runs, as lvm2 2.03.16 words them.
fn running_entry(pvmove: &Operation, pid: i32, system_dir: &str, count: u32) -> String {
    let (lvid, lvname) = (&pvmove.lvid, pvmove.path());
    format!(
        "\t\tlvid=\"{lvid}\"\n\t\ttype=\"pvmove\"\n\t\tlvname=\"{lvname}\"\n\
         \t\tlvmpolld_internal_timeout=60\n\t\tlvm_command_interval=\"1\"\n\t\tLVM_SYSTEM_DIR={system_dir}\n\
         \t\tlvm_command_pid={pid}\n\t\tpolling_finished=0\n\t\terror_occured=0\n\t\tinit_requests_count={count}\n\
         \t\tlvm_command {{\n\t\t\tstate=\"in_progress\"\n\t\t}}\n"
    )
}
