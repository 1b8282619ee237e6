//! Takes a daemon through every step of one round.

use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use crate::client::connect_within;
use crate::daemon::{Daemon, Flavour};
use crate::load::operations::Cost;
use crate::load::report::{Report, Subject, rate};
use crate::load::{closed_loop, operations, storm};
use crate::site::Site;

/// How many connections a closed loop has.
const CONNECTION_COUNTS: [usize; 3] = [1, 8, 500];

/// How many operations are started at once.
const OPERATION_COUNT: usize = 1000;

/// Somebody who waits longer for a connection is never served.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is measured, and how long.
#[derive(Debug)]
pub struct Plan {
    /// Our daemon.
    pub ours: PathBuf,
    /// The C daemon.
    pub theirs: PathBuf,
    /// How long each closed loop runs.
    pub loop_period: Duration,
    /// How long each storm lasts.
    pub storm_period: Duration,
}

impl Plan {
    /// Measures one daemon once.
    pub fn run_round(&self, subject: Subject, report: &mut Report) {
        self.measure_requests(subject, report);
        self.measure_storm(subject, report);
        self.measure_idle_connections(subject, report);
        self.measure_operations(subject, report);
    }

    fn start(&self, site: &Site, subject: Subject) -> Daemon {
        let (flavour, program) = match subject {
            Subject::Ours => (Flavour::Ours, &self.ours),
            Subject::Theirs => (Flavour::Stock, &self.theirs),
        };
        site.daemon(flavour).program(program).quiet().start()
    }

    fn measure_requests(&self, subject: Subject, report: &mut Report) {
        let site = Site::new();
        let daemon = self.start(&site, subject);
        let pvmove = site.pvmove("pvmove0");
        let mut starter = daemon.client();
        starter.ask(pvmove.start());
        let requests = [
            ("hello", "request=\"hello\"\n".to_owned()),
            ("start again", pvmove.start()),
            ("progress", pvmove.progress()),
        ];
        let most = CONNECTION_COUNTS.into_iter().max().unwrap_or_default();
        // The same for every step: the C daemon can hang when many clients leave at once. None: it does.
        let mut connections = connect(&site, most).ok();
        for (name, request) in requests {
            let message = request + "\n##\n";
            for count in CONNECTION_COUNTS {
                let measured = connections.as_mut().and_then(|connections| {
                    closed_loop::run(&mut connections[..count], message.as_bytes(), self.loop_period).ok()?
                });
                if measured.is_none() {
                    connections = None;
                }
                let plural = if count == 1 { "" } else { "s" };
                report.add_latencies(subject, &format!("{name}, {count} connection{plural}"), measured);
            }
        }
    }

    fn measure_storm(&self, subject: Subject, report: &mut Report) {
        let site = Site::new();
        let _daemon = self.start(&site, subject);
        let storm = storm::run(&site.socket(), self.storm_period);
        let served = (!storm.hung).then(|| rate(storm.served, storm.took));
        report.add(subject, "storm of 4 clients, connections/s", served);
        let slowest = storm.witness.iter().max().map(Duration::as_secs_f64).map(|seconds| seconds * 1e6);
        report.add(subject, "storm, slowest answer to a witness, µs", slowest.filter(|_| !storm.hung));
    }

    fn measure_idle_connections(&self, subject: Subject, report: &mut Report) {
        let site = Site::new();
        let daemon = self.start(&site, subject);
        add_cost(report, subject, "just started", Some(&daemon));
        let idle = connect(&site, 500);
        add_cost(report, subject, "500 idle connections", idle.is_ok().then_some(&daemon));
    }

    fn measure_operations(&self, subject: Subject, report: &mut Report) {
        let site = Site::new();
        let daemon = self.start(&site, subject);
        let (taken, running) = operations::start(&site, &mut daemon.client(), OPERATION_COUNT);
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
        report.add(subject, "1000 operations, until all are taken, ms", Some(milliseconds(taken)));
        report.add(subject, "1000 operations, until all run, ms", running.map(milliseconds));
        add_cost(report, subject, "1000 operations", running.map(|_| &daemon));
    }
}

fn connect(site: &Site, count: usize) -> io::Result<Vec<UnixStream>> {
    (0..count).map(|_| connect_within(&site.socket(), PATIENCE)).collect()
}

fn add_cost(report: &mut Report, subject: Subject, when: &str, daemon: Option<&Daemon>) {
    let cost = daemon.and_then(|daemon| Cost::of(daemon.pid()));
    report.add(subject, &format!("{when}, resident KiB"), cost.as_ref().map(|cost| cost.resident_kib));
    report.add(
        subject,
        &format!("{when}, proportional KiB"),
        cost.as_ref().map(|cost| cost.proportional_kib),
    );
    report.add(subject, &format!("{when}, threads"), cost.as_ref().map(|cost| cost.threads));
}
