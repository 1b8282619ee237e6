//! The machines over real corosyncs, with one host that dies, by kill -9, at each step of a change, or whose corosync does.

use std::fs;
use std::time::Instant;

use crate::cluster::{Cluster, settle, wait_for};
use crate::host_process::GO_ON;
use crate::member::Member;

/// Where the coordinator dies, and what becomes of a change that writes.
const OF_A_COORDINATOR: [(&str, &str); 18] = [
    ("send propose", "abandoned"),
    ("sent propose", "abandoned"),
    ("record voted", "abandoned"),
    ("sent vote", "abandoned"),
    ("send prepare", "abandoned"),
    ("sent prepare", "abandoned"),
    ("record preparing", "abandoned"),
    ("sent ready", "abandoned"),
    ("record gate", "abandoned"),
    ("gate", "abandoned"),
    ("written", "committed"),
    ("record decided", "committed"),
    ("send commit", "committed"),
    ("sent commit", "committed"),
    ("record done", "committed"),
    ("sent done", "committed"),
    ("send end", "committed"),
    ("sent end", "committed"),
];

/// Where another host dies.
const OF_A_PARTICIPANT: [(&str, &str); 9] = [
    ("record voted", "abandoned"),
    ("send vote", "abandoned"),
    ("record preparing", "abandoned"),
    ("send ready", "abandoned"),
    ("record decided", "committed"),
    ("record done", "committed"),
    ("sent done", "committed"),
    ("record ended", "committed"),
    ("nowhere", "committed"),
];

pub(crate) fn survivors_agree_wherever_the_coordinator_dies() {
    let mut hosts = Hosts::new();
    for (step, (place, outcome)) in (1..).zip(OF_A_COORDINATOR) {
        hosts.round(2 * step, 0, place, Some(outcome));
    }
    // What writes nothing has no gate, and its word is the decision.
    for (step, (place, _)) in (1..).zip(OF_A_COORDINATOR) {
        let outcome = match place {
            "record gate" | "gate" | "written" => continue,
            // The survivors say abandoned unless they have heard COMMIT, and its own next life goes by its journal.
            "record decided" | "send commit" | "sent commit" => None,
            "record done" | "sent done" | "send end" | "sent end" => Some("committed"),
            _ => Some("abandoned"),
        };
        hosts.round(2 * step + 1, 0, place, outcome);
    }
}

pub(crate) fn survivors_agree_wherever_a_participant_dies() {
    let mut hosts = Hosts::new();
    for (step, (place, outcome)) in (1..).zip(OF_A_PARTICIPANT) {
        hosts.round(2 * step, 1, place, Some(outcome));
    }
}

pub(crate) fn all_agree_when_a_corosync_is_killed_or_paused_in_the_middle() {
    let mut hosts = Hosts::new();
    for (step, (at, place, fault, outcome)) in (1..).zip(FAULTS) {
        hosts.round_with_fault(2 * step, at, place, fault, outcome);
    }
}

/// What is done to a corosync.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Kill,
    Pause,
}

/// Of whose corosync, while its host is where, what is done; and what becomes of the change.
const FAULTS: [(usize, &str, Fault, &str); 4] = [
    (0, "sent prepare", Fault::Kill, "abandoned"),
    (0, "gate", Fault::Kill, "committed"),
    (0, "gate", Fault::Pause, "committed"),
    (1, "send ready", Fault::Pause, "abandoned"),
];

struct Hosts {
    cluster: Cluster,
    processes: Vec<Member>,
}

impl Hosts {
    fn new() -> Self {
        let cluster = Cluster::new();
        let processes: Vec<_> = cluster.nodes.iter().map(Member::start_host).collect();
        settle(&processes);
        Self { cluster, processes }
    }

    /// Host 0 is asked for a change, and host `dying` dies at this place. The others agree; where it is known what they have to
    /// come to, so does its next life.
    fn round(&mut self, number: u32, dying: usize, place: &str, expected: Option<&str>) {
        let start = Instant::now();
        if place != "nowhere" {
            assert_eq!(self.processes[dying].call(&format!("dies {place}")), "done");
        }
        self.processes[0].ask(&format!("ask {number}"));
        if dying != 0 || place == "nowhere" {
            assert_eq!(self.processes[0].answer(), "asked");
        }
        if place != "nowhere" {
            wait_for(place, || self.processes[dying].has_died());
        }
        let died = Instant::now();
        let survivors: Vec<_> = (0..3).filter(|at| *at != dying || place == "nowhere").collect();
        self.wait_until_idle(&survivors, place);
        let took = died.elapsed();
        let outcomes = self.outcomes(number, &survivors);
        if place != "nowhere" {
            self.processes[dying] = Member::start_host(&self.cluster.nodes[dying]);
        }
        settle(&self.processes);
        self.wait_until_idle(&[0, 1, 2], place);
        let at_last = self.outcomes(number, &[0, 1, 2]);
        println!(
            "measured: {number}, {place}: {outcomes:?} after {took:?}, at last {at_last:?} after {:?}",
            start.elapsed()
        );
        let next_life = expected.map(|_| at_last[dying].clone());
        let mut said: Vec<_> =
            outcomes.into_iter().chain(next_life).filter(|said| said != "unheard").collect();
        said.dedup();
        assert_eq!(said.len(), 1, "{place}: {said:?}");
        assert!(expected.is_none_or(|expected| said[0] == expected), "{place}: {said:?}");
        self.check(number, place, &said[0]);
    }

    /// Host 0 is asked for a change; while host `at` is at this place, something is done to its corosync, and undone when the others
    /// have come to an end.
    fn round_with_fault(&mut self, number: u32, at: usize, place: &str, fault: Fault, expected: &str) {
        let start = Instant::now();
        let counts: Vec<_> = self.processes.iter().map(Member::count).collect();
        assert_eq!(self.processes[at].call(&format!("waits {place}")), "done");
        self.processes[0].ask(&format!("ask {number}"));
        self.processes[at].wait(counts[at], &format!("waits {place}"));
        match fault {
            Fault::Kill => self.cluster.nodes[at].kill_corosync(),
            Fault::Pause => self.cluster.nodes[at].pause_corosync(true),
        }
        fs::write(self.cluster.nodes[at].path(GO_ON), "").unwrap();
        let others: Vec<_> = (0..3).filter(|other| *other != at).collect();
        let gone = format!("view -{}", self.processes[at].name());
        for other in &others {
            self.processes[*other].wait(counts[*other], &gone);
        }
        assert_eq!(self.processes[0].answer(), "asked");
        self.wait_until_idle(&others, place);
        let outcomes = self.outcomes(number, &others);
        let took = start.elapsed();
        match fault {
            Fault::Kill => self.cluster.nodes[at].start_corosync(),
            Fault::Pause => self.cluster.nodes[at].pause_corosync(false),
        }
        assert_eq!(self.processes[at].call("waits nowhere"), "done");
        settle(&self.processes);
        self.wait_until_idle(&[0, 1, 2], place);
        let at_last = self.outcomes(number, &[0, 1, 2]);
        println!("measured: {fault:?} at {place}: {outcomes:?} after {took:?}, at last {at_last:?}");
        assert_eq!(at_last, [expected; 3], "{place}: {outcomes:?}");
        self.check(number, place, expected);
    }

    fn wait_until_idle(&mut self, which: &[usize], place: &str) {
        for at in which {
            let host = &mut self.processes[*at];
            wait_for(&format!("the end at host {at}, {place}"), || host.call("state") == "idle");
        }
    }

    /// What a change that writes has written is what is said of it, and nobody has heard two words of it.
    fn check(&self, number: u32, place: &str, said: &str) {
        if number.is_multiple_of(2) {
            let metadata = fs::read_to_string(self.cluster.disk().join("metadata")).unwrap_or_default();
            assert_eq!(metadata == number.to_string(), said == "committed", "{place}: {metadata}");
        }
        for process in &self.processes {
            assert_eq!(process.texts(0, "conflict"), [""; 0]);
        }
    }

    fn outcomes(&mut self, number: u32, which: &[usize]) -> Vec<String> {
        which.iter().map(|at| self.processes[*at].call(&format!("outcome {number}"))).collect()
    }
}
