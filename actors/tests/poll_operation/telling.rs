//! What is told of operations: events, the history, descriptions, and an end that is waited for.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::pin::pin;
use std::time::Duration;

use lvmwarden_actors::foundation::facts::occurrence::Occurrence;
use lvmwarden_actors::foundation::kernel::Verdict;
use lvmwarden_actors::foundation::kernel::copying::Situation;
use lvmwarden_actors::foundation::store::history::teller::Teller;
use lvmwarden_actors::foundation::wall_clock::elapsed;
use lvmwarden_actors::roles::poll::operation::outcome::Outcome;
use lvmwarden_actors::roles::poll::operation::state::{Mode, Progress, Stop};
use lvmwarden_protocol::api::events::Event;
use lvmwarden_protocol::api::poll::{HistoryEntry, HistoryStep, OperationState, OutcomeKind};
use lvmwarden_protocol::poll::StartRequest;
use lvmwarden_supervisor::process::ProcessExit;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::support::{Daemon, Host, OK, UID, eventually, pvmove, run};

/// What has been told about the operations of a daemon, in order.
fn told(daemon: &Daemon) -> Vec<Event> {
    daemon.environment.events.recent(None)
}

fn kinds(daemon: &Daemon) -> Vec<String> {
    told(daemon).into_iter().map(|event| event.kind).collect()
}

fn teller(daemon: &Daemon) -> Teller {
    Teller::new(daemon.root.registry())
}

async fn history(daemon: &Daemon) -> Vec<HistoryEntry> {
    history_of(daemon, usize::MAX).await
}

/// The latest so many steps.
async fn history_of(daemon: &Daemon, at_most: usize) -> Vec<HistoryEntry> {
    let steps = teller(daemon).latest(at_most, None).await.unwrap();
    steps.into_iter().map(HistoryEntry::from).collect()
}

/// What is in the history: which step, of which process.
async fn steps(daemon: &Daemon) -> Vec<(HistoryStep, Option<u32>)> {
    history(daemon).await.into_iter().map(|entry| (entry.step, entry.pid)).collect()
}

/// Lets the child of `op` say how far it is. Returns its pipe, of which a child has both ends: what it says stays there
/// until a daemon reads it.
fn say(daemon: &Daemon, op: Uuid, percent: &str) -> File {
    let output = daemon.environment.output_dir.join(format!("{op}.out"));
    let mut output = OpenOptions::new().read(true).write(true).open(output).unwrap();
    writeln!(output, "  vg/pvmove0: Moved: {percent}%").unwrap();
    output
}

/// In either mode: the kernel forgets it at the end of the segment.
#[test]
fn a_disk_that_cannot_be_read_is_told_at_once_and_in_the_outcome_after_a_restart_as_well() {
    for mode in [Mode::Classic, Mode::Events] {
        run(async {
            let mut host = Host::new();
            host.mode = mode;
            host.kernel.show_read_errors();
            let daemon = host.start(Stop::LeaveChild).await;
            let request = pvmove("A");
            daemon.start(&request).await;
            let child = host.child(1).await;
            daemon.follows(&request, child).await;
            eventually(true, async || kinds(&daemon).contains(&"poll.copy_errors".to_owned())).await;
            let errors = async || {
                let entries = history(&daemon).await.into_iter();
                let errors = entries.filter(|entry| entry.step == HistoryStep::CopyErrors);
                errors.map(|entry| entry.why.unwrap()).collect::<Vec<_>>()
            };
            let words = "/dev/sda could not be read everywhere (device-mapper: S)".to_owned();
            eventually(vec![words], errors).await;
            drop(daemon);

            host.kernel.show(Situation::Copying);
            host.kernel.verdicts.lock().unwrap().push_back(Verdict::Over);
            let next = host.start(Stop::LeaveChild).await;
            next.follows(&request, child).await;
            host.end(child, ProcessExit::Code(0));
            eventually(true, async || next.description(&request).await.unwrap().ending.is_some()).await;
            let ending = next.description(&request).await.unwrap().ending.unwrap();
            assert_eq!(ending.outcome, OK, "lvm is told what lvpoll said");
            assert_eq!(ending.conclusion().kind, OutcomeKind::DoneWithErrors);
            assert!(ending.conclusion().cause.unwrap().contains("/dev/sda"));
            next.stop().await;
        });
    }
}

#[test]
fn every_step_of_an_operation_is_an_event_and_those_that_count_are_kept() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::LeaveChild).await;
        let request = StartRequest { cmdline: Some("pvmove -b /dev/sda".into()), ..pvmove("A") };
        let op = daemon.begin(&request).await;
        let child = host.child(1).await;
        daemon.follows(&request, child).await;
        let _output = say(&daemon, op, "31.25");
        host.end(child, ProcessExit::Code(5));
        assert_eq!(daemon.result(&request).await, Outcome::Retcode(5));
        let expected = [
            "poll.intended",
            "poll.started",
            "poll.progress",
            "poll.child_ended",
            "poll.ended",
            "poll.forgotten",
        ];
        eventually(expected.map(str::to_owned).to_vec(), async || kinds(&daemon)).await;
        for event in told(&daemon) {
            assert_eq!((event.subject.as_str(), &event.fields["op"]), ("vg/pvmove0", &op.to_string()));
        }
        let [intended, started, progress, _, ended, _] = &told(&daemon)[..] else { panic!() };
        assert_eq!(intended.fields["asked_by"], "pvmove -b /dev/sda");
        assert_eq!(intended.fields["uid"], "1000");
        assert_eq!(started.fields["pid"], child.to_string());
        assert_eq!(progress.fields["percent"], "31.25");
        assert_eq!(ended.fields["outcome"], "failed");
        assert_eq!(ended.fields["lvpoll"], "exit code 5");

        // A kill -9 later it is still known.
        drop(daemon);
        let daemon = host.start(Stop::LeaveChild).await;
        let expected = [
            (HistoryStep::Intended, None),
            (HistoryStep::Started, Some(child)),
            (HistoryStep::Ended, None),
            (HistoryStep::Forgotten, None),
        ];
        assert_eq!(steps(&daemon).await, expected);
        assert!(history(&daemon).await.iter().all(|entry| entry.id == op));
        assert_eq!(history_of(&daemon, 1).await, history(&daemon).await[3..]);
        daemon.stop().await;
    });
}

#[test]
fn an_adoption_and_a_retry_are_told() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::LeaveChild).await;
        let op = daemon.begin(&pvmove("A")).await;
        let first = host.child(1).await;
        daemon.follows(&pvmove("A"), first).await;
        drop(daemon);

        let daemon = host.start(Stop::LeaveChild).await;
        let _output = say(&daemon, op, "50.00");
        daemon.follows(&pvmove("A"), first).await;
        host.end(first, ProcessExit::Signal(9));
        let second = host.child(2).await;
        daemon.follows(&pvmove("A"), second).await;
        let expected = ["poll.adopted", "poll.progress", "poll.child_ended", "poll.retried", "poll.started"];
        eventually(expected.map(str::to_owned).to_vec(), async || kinds(&daemon)).await;
        assert_eq!(told(&daemon)[3].fields["why"], "killed");
        let expected = vec![
            (HistoryStep::Intended, None),
            (HistoryStep::Started, Some(first)),
            (HistoryStep::Recovered, None),
            (HistoryStep::Adopted, Some(first)),
            (HistoryStep::Retried, Some(first)),
            (HistoryStep::Started, Some(second)),
        ];
        eventually(expected, async || steps(&daemon).await).await;
        daemon.stop().await;
    });
}

#[test]
fn a_result_that_gives_way_to_a_new_operation_is_forgotten_for_everybody() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let first = daemon.begin(&pvmove("A")).await;
        host.end(host.child(1).await, ProcessExit::Code(5));
        daemon.directory.wait(first, None).await.unwrap();
        let second = daemon.begin(&pvmove("A")).await;
        assert_ne!(first, second);
        let forgotten: Vec<String> = told(&daemon)
            .into_iter()
            .filter(|event| event.kind == "poll.forgotten")
            .map(|event| event.fields["op"].clone())
            .collect();
        assert_eq!(forgotten, [first.to_string()]);
        assert_eq!(daemon.directory.find(first).await.unwrap(), None);
        daemon.stop().await;
    });
}

#[test]
fn an_operation_is_found_by_its_name_and_described() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::LeaveChild).await;
        assert_eq!(daemon.directory.find(Uuid::from_u128(7)).await.unwrap(), None);
        let op = daemon.begin(&pvmove("A")).await;
        let child = host.child(1).await;
        daemon.follows(&pvmove("A"), child).await;
        daemon.begin(&pvmove("B")).await;

        drop(daemon);
        let daemon = host.start(Stop::LeaveChild).await;
        let _output = say(&daemon, op, "12.50");
        eventually(Some(12.5), async || daemon.directory.find(op).await.unwrap()?.percent).await;
        let found = daemon.directory.find(op).await.unwrap().unwrap();
        assert_eq!((found.op, &found.request, found.uid), (op, &pvmove("A"), UID));
        assert_eq!((found.state, found.pid, found.attempt), (OperationState::Running, Some(child), 1));
        assert_eq!((found.silent, found.ending), (false, None));
        let age = elapsed(found.started_at, jiff::Timestamp::now());
        assert!(age.is_some_and(|age| age.as_secs() < 60), "{age:?}");

        host.end(child, ProcessExit::Code(0));
        daemon.directory.wait(op, None).await.unwrap();
        let ended = daemon.directory.find(op).await.unwrap().unwrap();
        assert_eq!(
            (ended.state, ended.ending.map(|ending| ending.outcome)),
            (OperationState::Ended, Some(OK))
        );
        assert_eq!(daemon.result(&pvmove("A")).await, OK);
        eventually(None, async || daemon.directory.find(op).await.unwrap()).await;
        daemon.stop().await;
    });
}

#[test]
fn whoever_waits_sees_the_end_although_another_client_takes_the_result() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let op = daemon.begin(&pvmove("A")).await;
        let directory = daemon.directory.clone();
        let waiting = spawn_local(async move { directory.wait(op, None).await.unwrap() });
        // It has to know the operation before the result is taken; that shows nowhere else.
        sleep(Duration::from_millis(200)).await;
        host.end(host.child(1).await, ProcessExit::Code(5));
        assert_eq!(daemon.result(&pvmove("A")).await, Outcome::Retcode(5));
        let ended = waiting.await.unwrap().unwrap();
        assert_eq!((ended.op, ended.state), (op, OperationState::Ended));
        assert_eq!(ended.ending.map(|ending| ending.outcome), Some(Outcome::Retcode(5)));
        assert_eq!(daemon.directory.wait(Uuid::from_u128(7), None).await.unwrap(), None);
        daemon.stop().await;
    });
}

#[test]
fn whoever_waits_and_is_late_sees_the_end_in_the_history() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let op = daemon.begin(&pvmove("A")).await;
        let directory = daemon.directory.clone();
        let mut waiting = pin!(directory.wait(op, None));
        // It gets to know the operation, and has no turn from then on.
        timeout(Duration::from_millis(200), waiting.as_mut()).await.unwrap_err();
        host.end(host.child(1).await, ProcessExit::Code(5));
        assert_eq!(daemon.result(&pvmove("A")).await, Outcome::Retcode(5));
        eventually(None, async || daemon.directory.find(op).await.unwrap()).await;
        // Only the latest 100 events are kept.
        (0..200).for_each(|uid| daemon.environment.events.publish(&Occurrence::ClientRefused { uid }));
        let ended = waiting.await.unwrap().unwrap();
        assert_eq!((ended.op, ended.ending.map(|ending| ending.outcome)), (op, Some(Outcome::Retcode(5))));
        daemon.stop().await;
    });
}

#[test]
fn whoever_waits_is_answered_when_the_time_has_come_and_takes_nothing_away() {
    run(async {
        let host = Host::new();
        let daemon = host.start(Stop::EndChild).await;
        let op = daemon.begin(&pvmove("A")).await;
        let begun = Instant::now();
        let deadline = begun + Duration::from_millis(50);
        let waited = daemon.directory.wait(op, Some(deadline)).await.unwrap().unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(50));
        assert_eq!(waited.ending, None);
        host.end(host.child(1).await, ProcessExit::Code(0));
        assert_eq!(
            daemon.directory.wait(op, None).await.unwrap().unwrap().ending.map(|ending| ending.outcome),
            Some(OK)
        );
        assert_eq!(daemon.collect(&pvmove("A")).await, Progress::Ended(OK));
        daemon.stop().await;
    });
}
