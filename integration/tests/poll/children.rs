//! P-11 to P-14 and P-31: what a child is started with, and how many of them there are.

use std::os::unix::fs::PermissionsExt;
use std::thread;

use lvmwarden_integration::client::{OK, finished};
use lvmwarden_integration::daemon::Flavour;
use lvmwarden_integration::site::Site;
use lvmwarden_integration::{both_daemons, wait};

both_daemons![
    p11_arguments_follow_the_request,
    p11_the_environment_is_the_daemons_own_but_for_the_system_dir,
    p11_a_child_reads_nothing_and_ignores_broken_pipes,
    p12_a_hundred_identical_requests_at_once_start_one_child,
    p13_poll_and_abort_of_one_lv_go_side_by_side,
    p14_two_system_dirs_are_two_operations,
    p31_a_binary_that_cannot_be_executed_ends_with_101,
];

/// Reports its stdin and its signal masks. It reads them by itself: a shell blocks signals while it starts a program.
const REPORTING_WRAPPER: &str = r#"#!/bin/sh
{
    readlink /proc/$$/fd/0
    while read -r line; do
        case $line in SigBlk*|SigIgn*) echo "$line" ;; esac
    done < /proc/$$/status
} > "$FACTS.new"
mv "$FACTS.new" "$FACTS"
"#;

fn p11_arguments_follow_the_request(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let plain = |kind| site.pvmove("lv").kind(kind);
    // Devices files came with lvm2 2.03.12.
    let cases = [
        (plain("pvmove"), "--polloperation pvmove VG/lv -An"),
        (plain("convert"), "--polloperation convert VG/lv -An"),
        (plain("merge"), "--polloperation merge VG/lv -An"),
        (plain("merge_thin"), "--polloperation merge_thin VG/lv -An"),
        (plain("pvmove").abort(), "--abort --polloperation pvmove VG/lv -An"),
        (plain("merge").with("handle_missing_pvs=1"), "--handlemissingpvs --polloperation merge VG/lv -An"),
        (
            plain("pvmove").abort().with("handle_missing_pvs=1"),
            "--abort --handlemissingpvs --polloperation pvmove VG/lv -An",
        ),
        (plain("pvmove").with("abort=0\nhandle_missing_pvs=0"), "--polloperation pvmove VG/lv -An"),
        (plain("pvmove").with("cmdline=\"pvmove -i1 /dev/x\""), "--polloperation pvmove VG/lv -An"),
    ];
    for (count, (mut operation, expected)) in cases.into_iter().enumerate() {
        operation.lvid = format!("lvid-{count}");
        assert_eq!(client.ask(operation.start()), OK);
        let start = site.lvm.await_starts(count + 1).pop().unwrap();
        assert_eq!(
            start.arguments[1..].join(" "),
            format!("lvpoll --interval 1 {expected}").replace("VG/lv", &operation.path())
        );
    }
}

fn p11_the_environment_is_the_daemons_own_but_for_the_system_dir(flavour: Flavour) {
    let site = Site::new();
    let daemon = site
        .daemon(flavour)
        .environment("LVM_SYSTEM_DIR", "/daemons-own")
        .environment("LANG", "de_DE.UTF-8")
        .environment("A_VARIABLE_OF_THE_TEST", "with = and \"quotes\"")
        .start();
    let mut client = daemon.client();
    client.ask(site.pvmove("plain").start());
    client.ask(site.pvmove("dir").system_dir("/clients").start());
    let mut starts = site.lvm.await_starts(2);
    starts.sort_by_key(|start| start.lv().is_some_and(|lv| lv.ends_with("/dir")));
    let system_dirs: Vec<_> =
        starts.iter().map(|start| start.environment.get("LVM_SYSTEM_DIR").cloned()).collect();
    assert_eq!(system_dirs, [None, Some("/clients".to_owned())]);
    for start in &starts {
        assert_eq!(start.environment["A_VARIABLE_OF_THE_TEST"], "with = and \"quotes\"");
        assert_eq!(start.environment["LANG"], "de_DE.UTF-8");
        assert_eq!(start.environment["LC_ALL"], "C", "its output is parsed");
        assert_eq!(start.environment.get("PATH"), std::env::var("PATH").ok().as_ref());
    }
}

fn p11_a_child_reads_nothing_and_ignores_broken_pipes(flavour: Flavour) {
    let site = Site::new();
    let facts = site.path("facts");
    let wrapper = site.path("wrapper");
    std::fs::write(&wrapper, REPORTING_WRAPPER).unwrap();
    std::fs::set_permissions(&wrapper, PermissionsExt::from_mode(0o700)).unwrap();
    let daemon = site.daemon(flavour).environment("FACTS", &facts).binary(wrapper).start();
    daemon.client().ask(site.pvmove("pvmove0").start());
    let facts = wait::until("the wrapper's report", wait::SOON, || std::fs::read_to_string(&facts).ok());
    let lines: Vec<_> = facts.lines().collect();
    assert_eq!(lines[0], "/dev/null");
    let mask = |line: &str| u64::from_str_radix(line.split_whitespace().last().unwrap(), 16).unwrap();
    assert_eq!(mask(lines[1]), 0, "no signal is blocked");
    let classic_signals = (1 << 31) - 1; // the C library may ignore one of its own above
    assert_eq!(mask(lines[2]) & classic_signals, 1 << (13 - 1), "SIGPIPE alone is ignored");
}

/// Writes down, one fact a line, everything that a program can notice of how it was started, but for what it is told.
///
/// It reads all by itself: what a shell starts has other signals and descriptors.
const SURROUNDINGS_WRAPPER: &str = r#"#!/bin/sh
{
    echo "directory: $(readlink /proc/$$/cwd)"
    echo "umask: $(umask)"
    for fd in /proc/$$/fd/*; do
        # Those of the shell itself: its script, and its own stdout, kept while this block writes elsewhere.
        [ "${fd##*/}" -ge 10 ] || echo "descriptor: ${fd##*/}"
    done
    echo "stdin: $(readlink /proc/$$/fd/0)"
    while read -r line; do echo "limit: $line"; done < /proc/$$/limits
    while read -r line; do
        case $line in
            Sig[BI]*) echo "signals: $line" ;;
            Uid*|Gid*|Groups*|Cap*|NoNewPrivs*|Seccomp:*|Cpus_allowed:*) echo "rights: $line" ;;
        esac
    done < /proc/$$/status
    read -r a b c d e session terminal f g h i j k l m n o priority nice rest < /proc/$$/stat
    echo "session: $session, terminal: $terminal, priority: $priority, nice: $nice"
    echo "memory: $(cat /proc/$$/oom_score_adj)"
    env | while read -r line; do echo "environment: $line"; done
} > "$FACTS.new"
mv "$FACTS.new" "$FACTS"
"#;

/// Marks by which our children are found again.
const MARKS: [&str; 3] = ["LVMWARDEN_OP=", "LVMWARDEN_LVID=", "LVMWARDEN_INSTANCE="];

/// Has a daemon start a child, and returns the child's surroundings, sorted, without what differs from test to test.
fn surroundings(flavour: Flavour, is_in_foreground: bool) -> Vec<String> {
    let site = Site::new();
    let (facts, wrapper, here) = (site.path("facts"), site.path("wrapper"), site.path("here"));
    std::fs::create_dir(&here).unwrap();
    std::fs::write(&wrapper, SURROUNDINGS_WRAPPER).unwrap();
    std::fs::set_permissions(&wrapper, PermissionsExt::from_mode(0o700)).unwrap();
    let launch = site.daemon(flavour).environment("FACTS", &facts).binary(wrapper).directory(here);
    let _foreground = if is_in_foreground {
        Some(launch.start())
    } else {
        assert!(launch.command().status().unwrap().success());
        None
    };
    site.client().ask(site.pvmove("pvmove0").start());
    let told = wait::until("the wrapper's report", wait::SOON, || std::fs::read_to_string(&facts).ok());
    if !is_in_foreground {
        let pid = std::fs::read_to_string(site.pid_file()).unwrap().trim().parse().unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        wait::until("the daemon's end", wait::SOON, || (!site.pid_file().exists()).then_some(()));
    }
    let own = |text: &str| {
        let text = text.replace(&*site.path("").to_string_lossy(), "SITE/");
        text.replace(&*site.run_dir().to_string_lossy(), "RUN_DIR")
    };
    let is_mark = |line: &str| MARKS.iter().any(|mark| line.starts_with(&format!("environment: {mark}")));
    let mut lines: Vec<_> = told.lines().filter(|line| !is_mark(line)).map(own).collect();
    lines.sort_unstable();
    lines
}

#[track_caller]
fn assert_same(ours: &[String], stock: &[String]) {
    let lacking = |all: &[String], from: &[String]| -> Vec<String> {
        from.iter().filter(|line| !all.contains(line)).cloned().collect()
    };
    assert_eq!(lacking(stock, ours), lacking(ours, stock), "ours, and the C daemon's, where they differ");
    assert_eq!(ours.len(), stock.len());
}

#[test]
fn p33_a_child_cannot_tell_from_its_surroundings_which_daemon_started_it() {
    let stock = surroundings(Flavour::Stock, true);
    assert_same(&surroundings(Flavour::Ours, true), &stock);
    assert!(stock.contains(&"directory: SITE/here".to_owned()), "{stock:#?}");
    let facts = [
        "descriptor: 2",
        "stdin: /dev/null",
        "limit: Max open files",
        "signals: SigIgn",
        "environment: PATH",
    ];
    for fact in facts {
        assert!(stock.iter().any(|line| line.starts_with(fact)), "{fact}: {stock:#?}");
    }
}

#[test]
fn p33_nor_can_a_child_of_a_daemon_in_the_background() {
    let without_session = |flavour| {
        let mut lines = surroundings(flavour, false);
        // Each daemon leads a session of its own.
        let at = lines.iter().position(|line| line.starts_with("session: ")).unwrap();
        let session = lines.remove(at);
        assert!(session.contains("terminal: 0,"), "{session}");
        lines
    };
    let stock = without_session(Flavour::Stock);
    assert_same(&without_session(Flavour::Ours), &stock);
    assert!(stock.contains(&"directory: /".to_owned()), "{stock:#?}");
}

fn p12_a_hundred_identical_requests_at_once_start_one_child(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let request = site.pvmove("pvmove0").start();
    // All stay connected to the end: the C daemon can hang when many clients leave at once.
    let mut clients: Vec<_> = (0..100).map(|_| daemon.client()).collect();
    thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(|| assert_eq!(client.ask(&request), OK));
        }
    });
    site.lvm.await_start();
    let entries = daemon.dump();
    assert_eq!((entries.len(), entries[0].init_requests_count), (1, 100));
    assert_eq!(site.lvm.starts().len(), 1);
}

fn p13_poll_and_abort_of_one_lv_go_side_by_side(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let poll = site.pvmove("pvmove0");
    let abort = poll.clone().abort();
    assert_eq!(client.ask(poll.start()), OK);
    assert_eq!(client.ask(abort.start()), OK);
    let starts = site.lvm.await_starts(2);
    let aborting = starts.iter().find(|start| start.arguments.contains(&"--abort".to_owned())).unwrap();
    let stores: Vec<_> = daemon.dump().into_iter().map(|entry| entry.store).collect();
    assert_eq!(stores, ["poll", "abort"]);
    site.lvm.tell_exit(aborting, 0);
    assert_eq!(client.await_end(&abort), finished("retcode", 0));
}

fn p14_two_system_dirs_are_two_operations(flavour: Flavour) {
    let site = Site::new();
    let daemon = site.daemon(flavour).start();
    let mut client = daemon.client();
    let (one, other) = (site.pvmove("pvmove0"), site.pvmove("pvmove0").system_dir("/etc/lvm-other"));
    assert_eq!(client.ask(one.start()), OK);
    assert_eq!(client.ask(other.start()), OK);
    let starts = site.lvm.await_starts(2);
    let for_other = starts.iter().find(|start| start.environment.contains_key("LVM_SYSTEM_DIR")).unwrap();
    site.lvm.tell_exit(for_other, 5);
    assert_eq!(client.await_end(&other), finished("retcode", 5));
    assert_eq!(daemon.dump().len(), 1, "the one without system dir still runs");
}

fn p31_a_binary_that_cannot_be_executed_ends_with_101(flavour: Flavour) {
    let site = Site::new();
    let stub = site.private_stub();
    let daemon = site.daemon(flavour).binary(stub.clone()).start();
    let mut client = daemon.client();
    std::fs::remove_file(stub).unwrap();
    let pvmove = site.pvmove("pvmove0");
    assert_eq!(client.ask(pvmove.start()), OK);
    assert_eq!(client.await_end(&pvmove), finished("retcode", 101));
}
