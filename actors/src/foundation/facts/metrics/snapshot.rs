//! What is the case at the moment of a scrape.

use std::collections::HashMap;

use lvmwarden_protocol::api::poll::OperationState;
use lvmwarden_protocol::poll::PollOperation;
use lvmwarden_supervisor::Name;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};

use super::vgs::VgNumbers;
use super::{Labels, PREFIX};
use crate::foundation::names;
use crate::roles::archive::{LastPass, Seen};

/// What is the case at the moment of a scrape.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// How many operations there are, by kind and state.
    pub operations: HashMap<(PollOperation, OperationState), u32>,
    /// How many operations' children have written nothing for too long.
    pub silent: u32,
    /// How many requests wait for each actor's answer.
    pub pending_requests: Vec<(Name, usize)>,
    /// How many lines of the log had no room, since the daemon started.
    pub log_lines_dropped: u64,
    /// How full the archive of metadata was, if it was looked at.
    pub archive: Option<Seen>,
    /// The latest pass over the archive, if there was one.
    pub archive_pass: Option<LastPass>,
    /// Whether the history on disk cannot be written.
    pub history_stuck: bool,
    /// The VGs, with the role metadata.
    pub vgs: Option<VgNumbers>,
}

impl Snapshot {
    pub(super) fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        let operations = Family::<Labels<2>, Gauge>::default();
        // Zero where there is none: a series that comes and goes is hard to add up.
        for kind in PollOperation::ALL {
            for state in OperationState::ALL {
                let count = self.operations.get(&(kind, state)).copied().unwrap_or_default();
                let labels = [("kind", kind.as_str()), ("state", state.as_str())];
                operations.get_or_create(&labels).set(i64::from(count));
            }
        }
        registry.register("poll_operations", "Poll operations", operations);
        let silent = ConstGauge::new(i64::from(self.silent));
        registry.register("lvpoll_silent", "Children that have written nothing for too long", silent);
        let pending = Family::<[(&'static str, String); 1], Gauge>::default();
        for (name, count) in &self.pending_requests {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            pending.get_or_create(&[("actor", actor_label(name))]).inc_by(count);
        }
        registry.register("actor_pending_requests", "Requests that wait for an actor's answer", pending);
        let dropped = ConstCounter::new(self.log_lines_dropped);
        registry.register("log_lines_dropped", "Lines that had no room on their way to the log", dropped);
        self.register_archive(&mut registry);
        let stuck = ConstGauge::new(i64::from(self.history_stuck));
        registry.register("history_stuck", "Whether the history on disk cannot be written", stuck);
        if let Some(vgs) = &self.vgs {
            vgs.register(&mut registry);
        }
        registry
    }

    /// Nothing where there is no janitor at work: a zero would look like an empty archive.
    fn register_archive(&self, registry: &mut Registry) {
        if let Some(Seen { copies, unrecognised }) = self.archive {
            registry.register("archive_files", "Copies of metadata in the archive", gauge(copies.files));
            let help = "How long the copies of metadata in the archive are together";
            registry.register_with_unit("archive", help, Unit::Bytes, gauge(copies.bytes));
            let help = "Other names in the archive, which the janitor leaves alone";
            registry.register("archive_unrecognised_files", help, gauge(unrecognised));
        }
        if let Some(pass) = &self.archive_pass {
            let took = ConstGauge::new(pass.took.as_secs_f64());
            let help = "How long the latest pass over the archive took";
            registry.register_with_unit("archive_pass_duration", help, Unit::Seconds, took);
            let ended = ConstGauge::new(pass.ended_at.as_duration().as_secs_f64());
            let help = "When the latest pass over the archive ended, in Unix time";
            registry.register_with_unit("archive_pass_end_time", help, Unit::Seconds, ended);
            let help = "VGs whose copies the latest pass over the archive left over a bound";
            registry.register("archive_vgs_over", help, gauge(pass.vgs_over));
        }
    }
}

pub(super) fn gauge(number: u64) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Returns an actor's name for a label; all poll operations share one, for they come and go.
pub(super) fn actor_label(name: &Name) -> String {
    if name.is_below(&names::OPERATIONS) { format!("{}/*", *names::OPERATIONS) } else { name.to_string() }
}
