//! Numbers for Prometheus and its like, as `OpenMetrics` text.
//!
//! What happens is counted as it happens ([`Metrics::count`], and the doors' own calls); what is the case at the moment
//! is looked up for each scrape, and given as a [`Snapshot`]. No label comes from a client: the number of series is
//! bounded by the program's own words; but for the names of VGs and LVs, of which so many are told.

mod snapshot;
mod vgs;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use crate::foundation::facts::occurrence::Occurrence;
use lvmwarden_supervisor::Name;
use lvmwarden_supervisor::process::ProcessExit;

pub(crate) use snapshot::gauge;
pub use snapshot::{AddGauges, Snapshot};
pub use vgs::{Fullness, OneVg, VgNumbers};

/// What every metric's name begins with.
const PREFIX: &str = "lvmwarden";
/// Upper bounds for the time that an answer takes, in seconds.
const REQUEST_SECONDS: [f64; 11] = [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 2.0, 30.0];
/// Upper bounds for the life of an operation, in seconds: up to a week.
const OPERATION_SECONDS: [f64; 9] =
    [1.0, 10.0, 60.0, 300.0, 1800.0, 3600.0, 6.0 * 3600.0, 24.0 * 3600.0, 7.0 * 24.0 * 3600.0];

/// Label names, each with one of the program's own words.
pub(crate) type Labels<const N: usize> = [(&'static str, &'static str); N];
pub(crate) type Counters<const N: usize> = Family<Labels<N>, Counter>;
type ActorCounters = Family<[(&'static str, String); 1], Counter>;
pub(crate) type Histograms<const N: usize> = Family<Labels<N>, Histogram, fn() -> Histogram>;

/// All that is counted in the life of one daemon.
#[derive(Debug)]
pub struct Metrics {
    registry: Mutex<Registry>,
    connections: Family<Labels<1>, Gauge>,
    connections_refused: Counters<2>,
    requests: Counters<2>,
    request_duration: Histograms<2>,
    events: Counters<1>,
    operation_duration: Histograms<2>,
    lvpoll_starts: Counters<1>,
    lvpoll_exits: Counters<1>,
    lvpoll_adoptions: Counter,
    actor_restarts: ActorCounters,
    actor_panics: ActorCounters,
    archive_removed_files: Counter,
    archive_removed_bytes: Counter,
}

/// A client's connection; it is counted until this is dropped.
#[derive(Debug)]
pub struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// Starts to count, at zero.
    pub fn new() -> Arc<Self> {
        let mut registry = Registry::with_prefix(PREFIX);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The version of the daemon", build);
        let started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let help = "When the daemon started, in Unix time";
        registry.register_with_unit("start_time", help, Unit::Seconds, ConstGauge::new(started));
        Arc::new(Self {
            connections: counted(&mut registry, "connections", "Clients that are connected"),
            connections_refused: counted(
                &mut registry,
                "connections_refused",
                "Clients that were turned away, by door and reason",
            ),
            requests: counted(&mut registry, "requests", "Requests that clients have made"),
            request_duration: timed(
                &mut registry,
                "request_duration",
                "From the arrival of a request to its answer",
                || Histogram::new(REQUEST_SECONDS),
            ),
            events: counted(&mut registry, "events", "What has happened, by kind of event"),
            operation_duration: timed(
                &mut registry,
                "poll_operation_duration",
                "From the first request for a poll operation to its end",
                || Histogram::new(OPERATION_SECONDS),
            ),
            lvpoll_starts: counted(&mut registry, "lvpoll_starts", "Children that were started"),
            lvpoll_exits: counted(&mut registry, "lvpoll_exits", "Children that have ended"),
            lvpoll_adoptions: counted(
                &mut registry,
                "lvpoll_adoptions",
                "Children of an earlier life that were taken over",
            ),
            actor_restarts: counted(&mut registry, "actor_restarts", "Actors that were started again"),
            actor_panics: counted(&mut registry, "actor_panics", "Actors that have panicked"),
            archive_removed_files: counted(
                &mut registry,
                "archive_removed_files",
                "Copies of metadata that the archive janitor has removed",
            ),
            archive_removed_bytes: counted(
                &mut registry,
                "archive_removed_bytes",
                "How long these were together",
            ),
            registry: Mutex::new(registry),
        })
    }

    /// Lets a part of the daemon register what it counts itself; at its start, for nothing is taken off again.
    pub(crate) fn register<T>(&self, register: impl FnOnce(&mut Registry) -> T) -> T {
        register(&mut self.registry())
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        // A registration that panics leaves one metric less.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts something that happened.
    pub fn count(&self, occurrence: &Occurrence) {
        self.events.get_or_create(&[("kind", occurrence.kind())]).inc();
        match occurrence {
            Occurrence::PollStarted { op, .. } => {
                self.lvpoll_starts.get_or_create(&[("kind", op.kind.as_str())]).inc();
            }
            Occurrence::PollAdopted { .. } => {
                self.lvpoll_adoptions.inc();
            }
            Occurrence::PollChildEnded { exit, was_relieved, .. } => {
                let exit = if *was_relieved { "relieved" } else { exit_label(*exit) };
                self.lvpoll_exits.get_or_create(&[("exit", exit)]).inc();
            }
            Occurrence::PollEnded { op, ending, took } => {
                let labels = [("kind", op.kind.as_str()), ("outcome", ending.conclusion().kind.as_str())];
                if let Some(took) = took {
                    self.operation_duration.get_or_create(&labels).observe(took.as_secs_f64());
                }
            }
            Occurrence::ActorEnded { name, is_panic: true, .. } => {
                self.actor_panics.get_or_create(&actor(name)).inc();
            }
            Occurrence::ActorRestarted { name, .. } => {
                self.actor_restarts.get_or_create(&actor(name)).inc();
            }
            Occurrence::ArchiveCleaned { removed, .. } => {
                self.archive_removed_files.inc_by(removed.files);
                self.archive_removed_bytes.inc_by(removed.bytes);
            }
            Occurrence::PollIntended { .. }
            | Occurrence::PollFellBack { .. }
            | Occurrence::PollRenewed { .. }
            | Occurrence::PollCopyErrors { .. }
            | Occurrence::PollBlocked { .. }
            | Occurrence::PollUnblocked { .. }
            | Occurrence::PollPaused { .. }
            | Occurrence::PollResumed { .. }
            | Occurrence::PollHeld { .. }
            | Occurrence::PollRetried { .. }
            | Occurrence::PollProgress { .. }
            | Occurrence::PollSegment { .. }
            | Occurrence::PollSilent { .. }
            | Occurrence::PollSpokeAgain { .. }
            | Occurrence::PollForgotten { .. }
            | Occurrence::PollFound { .. }
            | Occurrence::PollThrottled { .. }
            | Occurrence::PollUnthrottled { .. }
            | Occurrence::ActorEnded { is_panic: false, .. }
            | Occurrence::ServiceStarted { .. }
            | Occurrence::ServiceReady
            | Occurrence::ServiceStopping { .. }
            | Occurrence::ServiceStopRefused { .. }
            | Occurrence::LogLevelChanged { .. }
            | Occurrence::ConfigurationReloaded { .. }
            | Occurrence::ArchiveFailed { .. }
            | Occurrence::LockspaceStarted { .. }
            | Occurrence::LockspaceStopped { .. }
            | Occurrence::LockspaceFailed { .. }
            | Occurrence::LockspaceKilled { .. }
            | Occurrence::LockLeaseLate { .. }
            | Occurrence::LockLeaseRenewed { .. }
            | Occurrence::LocksAdopted { .. }
            | Occurrence::LockTrouble { .. }
            | Occurrence::VgChanged { .. }
            | Occurrence::LockWaited { .. }
            | Occurrence::LockRefused { .. }
            | Occurrence::LockSettled { .. }
            | Occurrence::Reconfigured { .. }
            | Occurrence::ClientRefused { .. }
            | Occurrence::HistoryStuck { .. }
            | Occurrence::HistoryCaughtUp
            | Occurrence::HistoryGap
            | Occurrence::LogLinesDropped { .. } => {}
        }
    }

    /// Counts a connection at `door` for as long as what is returned lives.
    #[must_use]
    pub fn connection(&self, door: &'static str) -> Connected {
        let gauge = self.connections.get_or_create_owned(&[("door", door)]);
        gauge.inc();
        Connected(gauge)
    }

    /// Counts a client that was turned away from `door`.
    pub fn turned_away(&self, door: &'static str, why: &'static str) {
        self.connections_refused.get_or_create(&[("door", door), ("why", why)]).inc();
    }

    /// Counts a request that was answered, and the time that it took.
    pub fn answered(&self, door: &'static str, request: &'static str, took: Duration) {
        let labels = [("door", door), ("request", request)];
        self.requests.get_or_create(&labels).inc();
        self.request_duration.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Counts a request that is answered by a stream, which takes as long as its client wants.
    pub fn streamed(&self, door: &'static str, request: &'static str) {
        self.requests.get_or_create(&[("door", door), ("request", request)]).inc();
    }

    /// Returns everything as `OpenMetrics` 1.0 text, ended by `# EOF`.
    pub fn encode(&self, now: Snapshot) -> String {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry())
            .and_then(|()| encode_registry(&mut text, &now.registry()))
            .and_then(|()| encode_eof(&mut text))
            .expect("a String takes any text");
        text
    }
}

/// Registers what is counted, at zero.
pub(crate) fn counted<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

/// Registers what is measured in seconds, which its name will say.
pub(crate) fn timed<const N: usize>(
    registry: &mut Registry,
    name: &str,
    help: &str,
    histogram: fn() -> Histogram,
) -> Histograms<N>
where
    Labels<N>: EncodeLabelSet + Clone + std::fmt::Debug + Send + Sync + Eq + std::hash::Hash + 'static,
{
    let metric = Family::new_with_constructor(histogram);
    registry.register_with_unit(name, help, Unit::Seconds, metric.clone());
    metric
}

fn exit_label(exit: ProcessExit) -> &'static str {
    match exit {
        ProcessExit::Code(0) => "ok",
        ProcessExit::Code(_) => "failed",
        ProcessExit::Signal(_) => "signal",
        ProcessExit::Unknown => "unknown",
    }
}

fn actor(name: &str) -> [(&'static str, String); 1] {
    [("actor", snapshot::actor_label(&Name::from(name)))]
}

#[cfg(test)]
mod tests;
