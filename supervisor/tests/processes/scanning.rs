//! Finding processes that nobody wrote down.

use std::ffi::OsString;
use std::sync::Arc;

use lvmwarden_supervisor::process::{FoundProcess, Process, Processes, ScanFilter, Signal, Stdout};
use uuid::Uuid;

use crate::support::{Site, becomes_zombie, processes, run};

/// Accepts the command lines whose last word is `word`.
fn ending_in(word: &str) -> ScanFilter {
    let word = OsString::from(word);
    Arc::new(move |words| words.last() == Some(&word))
}

async fn scan(wanted: ScanFilter) -> Vec<FoundProcess> {
    processes().scan(wanted).await.unwrap()
}

async fn end(process: Box<dyn Process>) {
    process.signal(Signal::KILL).unwrap();
    process.wait().await;
}

#[test]
fn a_process_is_found_with_all_that_tells_what_it_does() {
    run(async {
        let site = Site::new();
        let marker = Uuid::now_v7().to_string();
        let mut command = site.command("/bin/sh", &["-c", "kill -STOP $$", &marker]);
        command.environment = vec![("A".into(), "b=c".into()), ("MARKER".into(), marker.clone().into())];
        let process = processes().spawn(command.clone()).await.unwrap();

        let expected = FoundProcess {
            identity: process.identity().clone(),
            parent: std::process::id(),
            command_line: [OsString::from("/bin/sh")].into_iter().chain(command.arguments).collect(),
            environment: command.environment,
            stdout: Stdout::Other,
        };
        assert_eq!(scan(ending_in(&marker)).await, [expected]);
        end(process).await;
    });
}

#[test]
fn an_ended_process_is_not_found() {
    run(async {
        let marker = Uuid::now_v7().to_string();
        let site = Site::new();
        let process = processes().spawn(site.command("/bin/sh", &["-c", "exit 0", &marker])).await.unwrap();
        becomes_zombie(process.identity()).await;
        assert_eq!(scan(ending_in(&marker)).await, []);
        process.wait().await;
    });
}

#[test]
fn neither_this_program_nor_the_kernel_is_ever_found() {
    run(async {
        let found = scan(Arc::new(|_| true)).await;
        assert!(!found.is_empty(), "at least the program that started this one");
        assert!(found.iter().all(|process| process.identity.pid != std::process::id()));
        assert!(found.iter().all(|process| !process.command_line.is_empty()));
        assert!(found.is_sorted_by_key(|process| process.identity.pid));
    });
}

#[test]
fn a_pipe_tells_whether_its_reader_is_gone() {
    run(async {
        // One process writes into a pipe that another one reads, each with a word of its own to be found by.
        let (writer, reader) = (Uuid::now_v7().to_string(), Uuid::now_v7().to_string());
        let site = Site::new();
        let parent =
            site.start(&format!("sh -c 'kill -STOP $$' {writer} | sh -c 'kill -STOP $$' {reader}")).await;
        let found = find(&writer).await;
        assert_eq!(found.stdout, Stdout::Pipe { has_reader: true });
        assert_eq!(found.parent, parent.identity().pid);

        end(processes().adopt(find(&reader).await.identity).await.unwrap()).await;
        let found = find(&writer).await;
        assert_eq!(found.stdout, Stdout::Pipe { has_reader: false });

        end(processes().adopt(found.identity).await.unwrap()).await;
        parent.wait().await;
    });
}

/// Returns the process whose last word is `word`, as soon as there is one.
async fn find(word: &str) -> FoundProcess {
    loop {
        if let [found] = &scan(ending_in(word)).await[..] {
            return found.clone();
        }
    }
}

#[test]
fn processes_that_come_and_go_do_not_disturb_a_scan() {
    run(async {
        let site = Site::new();
        let churn = site.start("while :; do /bin/true & /bin/true; done").await;
        for _ in 0..20 {
            scan(Arc::new(|_| true)).await;
        }
        end(churn).await;
    });
}
