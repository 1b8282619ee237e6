//! Taking over processes by their identity: our own, those of others, and those that are gone.

use lvmwarden_supervisor::process::{
    AdoptError, OsProcesses, Process, ProcessExit, ProcessIdentity, Processes, Signal,
};

use crate::support::{
    Site, becomes_zombie, eventually, processes, processes_of_an_older_kernel, run, told_of_stranger,
};

#[test]
fn a_child_whose_handle_was_lost_is_adopted_with_its_exit() {
    run(async {
        let identity = Site::new().start("sleep 0.2; exit 7").await.identity().clone();
        let adopted = processes_of_an_older_kernel().adopt(identity.clone()).await.unwrap();
        assert_eq!(*adopted.identity(), identity);
        assert_eq!(adopted.wait().await, ProcessExit::Code(7));
    });
}

#[test]
fn a_child_that_ended_unwatched_keeps_its_exit() {
    run(async {
        let identity = Site::new().start("exit 7").await.identity().clone();
        becomes_zombie(&identity).await;
        let adopted = processes_of_an_older_kernel().adopt(identity).await.unwrap();
        assert_eq!(adopted.wait().await, ProcessExit::Code(7));
    });
}

#[test]
fn an_adopted_process_takes_signals() {
    run(async {
        let identity = Site::new().start("sleep 20").await.identity().clone();
        let adopted = processes().adopt(identity).await.unwrap();
        adopted.signal(Signal::TERM).unwrap();
        assert_eq!(adopted.wait().await, ProcessExit::Signal(15));
    });
}

#[test]
fn a_child_that_was_waited_for_is_gone() {
    run(async {
        let process = Site::new().start("exit 0").await;
        process.wait().await;
        let error = processes().adopt(process.identity().clone()).await.err().unwrap();
        assert!(matches!(error, AdoptError::Gone { .. }), "{error:?}");
    });
}

/// Starts a process whose parent ends at once, adopts it, and returns its exit.
async fn exit_of_orphan(processes: OsProcesses, script: &str) -> ProcessExit {
    let site = Site::new();
    let parent = site.start(&format!("(sleep 0.3; {script}) & echo $!")).await;
    let orphan = site.printed_process().await;
    parent.wait().await;
    processes.adopt(orphan).await.unwrap().wait().await
}

#[test]
fn the_exit_of_an_orphan_is_told_by_newer_kernels() {
    run(async {
        let exit = ProcessExit::Code(7);
        assert_eq!(exit_of_orphan(processes(), "exit 7").await, told_of_stranger(exit));
    });
}

#[test]
fn an_orphan_killed_by_a_signal_is_told_by_newer_kernels() {
    run(async {
        let exit = ProcessExit::Signal(9);
        assert_eq!(exit_of_orphan(processes(), "exec sh -c 'kill -9 $$'").await, told_of_stranger(exit));
    });
}

#[test]
fn the_exit_of_an_orphan_is_unknown_to_older_kernels() {
    run(async {
        assert_eq!(exit_of_orphan(processes_of_an_older_kernel(), "exit 0").await, ProcessExit::Unknown);
    });
}

/// Starts a process that ends, whose parent lives on for `seconds` and does not reap it.
async fn unreaped_stranger(site: &Site, seconds: &str) -> (Box<dyn Process>, ProcessIdentity) {
    let parent = site.start(&format!("(sleep 0.2; exit 7) & echo $!; exec sleep {seconds}")).await;
    let stranger = site.printed_process().await;
    becomes_zombie(&stranger).await;
    (parent, stranger)
}

#[test]
fn a_stranger_whose_parent_reaps_it_late_is_awaited() {
    run(async {
        let site = Site::new();
        let (_parent, stranger) = unreaped_stranger(&site, "0.5").await;
        let exit = processes().adopt(stranger).await.unwrap().wait().await;
        assert_eq!(exit, told_of_stranger(ProcessExit::Code(7)));
    });
}

#[test]
fn a_stranger_whose_parent_never_reaps_it_has_ended_nonetheless() {
    run(async {
        let site = Site::new();
        let (parent, stranger) = unreaped_stranger(&site, "20").await;
        let adopted = processes().adopt(stranger.clone()).await.unwrap();
        adopted.ended().await;
        // From here on no time passes: the process is ended already, and all that is left is patience with its parent.
        tokio::time::pause();
        assert_eq!(adopted.wait().await, ProcessExit::Unknown);
        tokio::time::resume();
        assert!(stranger.is_still().unwrap(), "it was reaped after all");
        parent.signal(Signal::KILL).unwrap();
        parent.wait().await;
    });
}

#[test]
fn a_process_with_another_start_time_is_a_stranger_and_stays_untouched() {
    run(async {
        let process = Site::new().start("sleep 20").await;
        let identity = process.identity().clone();
        let predecessor =
            ProcessIdentity { start_time_ticks: identity.start_time_ticks - 1, ..identity.clone() };
        let error = processes().adopt(predecessor).await.err().unwrap();
        assert!(matches!(&error, AdoptError::Stranger { found, .. } if *found == identity), "{error:?}");
        assert!(identity.is_still().unwrap());
        process.signal(Signal::KILL).unwrap();
        process.wait().await;
    });
}

#[test]
fn a_process_of_another_boot_is_gone_whatever_its_pid_is_now() {
    run(async {
        let running = ProcessIdentity::of(std::process::id()).unwrap();
        let json = serde_json::to_string(&running).unwrap();
        let other_boot = json.replace(&running.boot_id.to_string(), "00000000-0000-4000-8000-000000000000");
        let error = processes().adopt(serde_json::from_str(&other_boot).unwrap()).await.err().unwrap();
        assert!(matches!(error, AdoptError::Gone { .. }), "{error:?}");
    });
}

#[test]
fn a_pid_that_no_process_can_have_is_gone() {
    run(async {
        for pid in [0, u32::MAX] {
            let identity = ProcessIdentity { pid, ..ProcessIdentity::of(std::process::id()).unwrap() };
            let error = processes().adopt(identity).await.err().unwrap();
            assert!(matches!(error, AdoptError::Gone { .. }), "{error:?}");
        }
    });
}

#[test]
fn a_pid_that_is_a_thread_now_is_gone() {
    run(async {
        // The runtime's thread is not the main thread of the test program.
        let link = std::fs::read_link("/proc/thread-self").unwrap();
        let thread = link.file_name().unwrap().to_str().unwrap().parse().unwrap();
        assert_ne!(thread, std::process::id());
        let error = processes().adopt(ProcessIdentity::of(thread).unwrap()).await.err().unwrap();
        assert!(matches!(error, AdoptError::Gone { .. }), "{error:?}");
    });
}

#[test]
fn this_program_does_not_adopt_itself() {
    run(async {
        let error = processes().adopt(ProcessIdentity::of(std::process::id()).unwrap()).await.err().unwrap();
        assert!(matches!(error, AdoptError::NotAChild { .. }), "{error:?}");
    });
}

#[test]
fn a_stopped_process_has_not_ended() {
    run(async {
        let process = Site::new().start("sleep 20").await;
        process.signal(Signal::STOP).unwrap();
        let stat = format!("/proc/{}/stat", process.identity().pid);
        eventually("a stopped process", || {
            std::fs::read_to_string(&stat).unwrap().contains(") T ").then_some(())
        })
        .await;
        let waited = tokio::time::timeout(std::time::Duration::from_millis(100), process.wait()).await;
        assert!(waited.is_err(), "{waited:?}");
        process.signal(Signal::KILL).unwrap();
        assert_eq!(process.wait().await, ProcessExit::Signal(9));
    });
}
