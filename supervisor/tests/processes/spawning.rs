//! What a started process inherits, and how its end is told.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use lvmwarden_supervisor::process::{
    ProcessExit, ProcessIdentity, Processes, Signal, SignalError, SpawnError, WhenFull,
    raise_open_files_limit,
};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::{Site, eventually, processes, run};

/// Runs one command to its end and returns its output.
async fn output_of(site: &Site, program: &str, arguments: &[&str]) -> String {
    let process = processes().spawn(site.command(program, arguments)).await.unwrap();
    assert_eq!(process.wait().await, ProcessExit::Code(0));
    site.stdout()
}

#[test]
fn the_exit_is_the_code_or_the_signal() {
    run(async {
        for (script, exit) in [
            ("exit 0", ProcessExit::Code(0)),
            ("exit 7", ProcessExit::Code(7)),
            ("exit 255", ProcessExit::Code(255)),
            ("kill -TERM $$", ProcessExit::Signal(15)),
            ("kill -KILL $$", ProcessExit::Signal(9)),
        ] {
            assert_eq!(Site::new().start(script).await.wait().await, exit, "{script}");
        }
    });
}

#[test]
fn every_wait_gives_the_same_exit() {
    run(async {
        let process = Site::new().start("exit 7").await;
        let (first, second) = tokio::join!(process.wait(), process.wait());
        assert_eq!([first, second, process.wait().await], [ProcessExit::Code(7); 3]);
    });
}

#[test]
fn a_wait_that_was_given_up_loses_nothing() {
    run(async {
        let site = Site::new();
        let process = site.start("sleep 0.3; exit 7").await;
        let given_up = tokio::time::timeout(std::time::Duration::from_millis(20), process.wait()).await;
        assert!(given_up.is_err(), "the process is still running");
        assert_eq!(process.wait().await, ProcessExit::Code(7));
    });
}

#[test]
fn a_wait_outlives_its_handle() {
    run(async {
        let process = Site::new().start("exit 7").await;
        let wait = process.wait();
        drop(process);
        assert_eq!(wait.await, ProcessExit::Code(7));
    });
}

#[test]
fn the_identity_is_that_of_the_running_process() {
    run(async {
        let process = Site::new().start("sleep 20").await;
        let identity = process.identity().clone();
        assert_eq!(ProcessIdentity::of(identity.pid).unwrap(), identity);
        assert!(identity.is_still().unwrap());
        process.signal(Signal::KILL).unwrap();
        process.wait().await;
        assert!(!identity.is_still().unwrap());
    });
}

#[test]
fn an_ended_process_takes_no_signal() {
    run(async {
        let process = Site::new().start("exit 0").await;
        process.wait().await;
        let error = process.signal(Signal::KILL).unwrap_err();
        assert!(matches!(error, SignalError::Gone { .. }), "{error:?}");
    });
}

#[test]
fn a_program_that_cannot_be_executed_is_an_error_of_exec() {
    run(async {
        let site = Site::new();
        fs::write(site.path("text"), "not a program").unwrap();
        let text = site.path("text").display().to_string();
        for (program, kind) in [
            ("/nowhere/lvm", ErrorKind::NotFound),
            (&text, ErrorKind::PermissionDenied),
            ("/", ErrorKind::PermissionDenied),
        ] {
            let error = processes().spawn(site.command(program, &[])).await.err().unwrap();
            let SpawnError::Exec { source, .. } = &error else { panic!("{error:?}") };
            assert_eq!(source.kind(), kind, "{program}");
        }
    });
}

#[test]
fn output_that_cannot_be_opened_starts_nothing() {
    run(async {
        let site = Site::new();
        let mut command = site.command("/bin/sh", &["-c", "echo started"]);
        command.stderr = site.path("missing/stderr");
        let error = processes().spawn(command).await.err().unwrap();
        assert!(
            matches!(&error, SpawnError::Output { path, .. } if path.ends_with("missing/stderr")),
            "{error:?}"
        );
        assert_eq!(site.stdout(), "");
    });
}

#[test]
fn output_goes_to_private_pipes() {
    run(async {
        let site = Site::new();
        for word in ["one", "two"] {
            site.start(&format!("echo {word}; echo err-{word} >&2")).await.wait().await;
        }
        assert_eq!(site.stdout(), "one\ntwo\n");
        assert_eq!(site.stderr(), "err-one\nerr-two\n");
        assert_eq!(fs::metadata(site.path("stdout")).unwrap().permissions().mode() & 0o777, 0o600);
    });
}

#[test]
fn both_outputs_may_be_one_pipe() {
    run(async {
        let site = Site::new();
        let mut command = site.command("/bin/sh", &["-c", "echo out; echo err >&2; echo out"]);
        command.stderr.clone_from(&command.stdout);
        processes().spawn(command).await.unwrap().wait().await;
        assert_eq!(site.stdout(), "out\nerr\nout\n");
    });
}

#[test]
fn the_environment_is_exactly_the_given_one() {
    run(async {
        let site = Site::new();
        let mut command = site.command("/usr/bin/env", &[]);
        command.environment =
            vec![("LC_ALL".into(), "C".into()), ("EMPTY".into(), "".into()), ("TWO".into(), "a b=c".into())];
        processes().spawn(command).await.unwrap().wait().await;
        let output = site.stdout();
        let mut lines: Vec<_> = output.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines, ["EMPTY=", "LC_ALL=C", "TWO=a b=c"]);
    });
}

#[test]
fn it_leads_a_process_group_of_its_own() {
    run(async {
        let site = Site::new();
        let output = output_of(&site, "/usr/bin/cut", &["-d ", "-f1,5", "/proc/self/stat"]).await;
        let (pid, group) = output.trim_end().split_once(' ').unwrap();
        assert_eq!(pid, group);
    });
}

#[test]
fn it_ignores_sigpipe_and_blocks_no_signal() {
    run(async {
        let status = output_of(&Site::new(), "/bin/cat", &["/proc/self/status"]).await;
        let mask = |name| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
        let sigpipe = 1u64 << (Signal::PIPE.as_raw() - 1);
        assert_ne!(u64::from_str_radix(mask("SigIgn:"), 16).unwrap() & sigpipe, 0);
        assert_eq!(u64::from_str_radix(mask("SigBlk:"), 16).unwrap(), 0);
    });
}

#[test]
fn it_runs_where_it_is_told_or_else_where_the_daemon_does_without_input() {
    run(async {
        let here = std::env::current_dir().unwrap();
        for (directory, expected) in [(None, here), (Some("/usr".into()), "/usr".into())] {
            let site = Site::new();
            let mut command = site.command("/bin/readlink", &["/proc/self/cwd", "/proc/self/fd/0"]);
            command.directory = directory;
            processes().spawn(command).await.unwrap().wait().await;
            assert_eq!(site.stdout(), format!("{}\n/dev/null\n", expected.display()));
        }
    });
}

/// Writes megabytes, and never ends because of it.
const FLOOD: &str = "count=0; while [ $count -lt 20000 ]; do echo \"$count of a line that is quite long, as they come, and then \
some more, and more, and more, to be a hundred characters and some more\"; count=$((count+1)); done 2>/dev/null";

#[test]
fn a_flood_that_nobody_reads_stays_small_and_ends_nothing() {
    run(async {
        let site = Site::new();
        let process = site.start(&format!("{FLOOD}; exit 7")).await;
        assert_eq!(process.wait().await, ProcessExit::Code(7));
        assert_eq!(fs::metadata(site.path("stdout")).unwrap().blocks(), 0, "nothing is on the disk");
        let kept = site.stdout();
        assert!(kept.len() <= 64 * 1024, "{}", kept.len());
        assert!(kept.starts_with("0 of a line"), "{}", &kept[..50]);
        assert!(kept.lines().all(|line| line.ends_with("some more")), "whole lines only");
    });
}

#[test]
fn a_process_that_may_wait_loses_nothing() {
    run(async {
        let site = Site::new();
        let mut command = site.command("/bin/sh", &["-c", FLOOD]);
        command.when_full = WhenFull::Wait;
        let process = processes().spawn(command).await.unwrap();
        let exit = process.wait();
        eventually("the last line", || site.stdout().contains("\n19999 of a line").then_some(())).await;
        assert_eq!(exit.await, ProcessExit::Code(0));
        assert_eq!(site.stdout().lines().count(), 20_000);
    });
}

#[test]
fn no_descriptor_leaks_into_it() {
    run(async {
        let inheritable = rustix::io::dup(fs::File::open("/dev/null").unwrap()).unwrap();
        // The fourth is the directory itself, which ls reads.
        assert_eq!(output_of(&Site::new(), "/bin/ls", &["/proc/self/fd"]).await, "0\n1\n2\n3\n");
        drop(inheritable);
    });
}

#[test]
fn it_has_the_limit_of_open_files_that_the_daemon_was_started_with() {
    // One less than the hard limit: a difference that the other tests of this program do not notice.
    let hard = getrlimit(Resource::Nofile).maximum.unwrap();
    setrlimit(Resource::Nofile, Rlimit { current: Some(hard - 1), maximum: Some(hard) }).unwrap();
    raise_open_files_limit().unwrap();
    assert_eq!(getrlimit(Resource::Nofile).current, Some(hard));
    run(async {
        let limits = output_of(&Site::new(), "/bin/cat", &["/proc/self/limits"]).await;
        let open_files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
        let numbers: Vec<_> = open_files.split_whitespace().take(2).collect();
        assert_eq!(numbers, [(hard - 1).to_string(), hard.to_string()]);
    });
}
