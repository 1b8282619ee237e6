//! What is the case at the moment of a scrape.

use lvmwarden_supervisor::Name;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::Registry;

use super::PREFIX;
use crate::foundation::names;

/// Adds what a role measures at the moment of a scrape; called on another thread.
pub type AddGauges = Box<dyn FnOnce(&mut Registry) + Send>;

/// What is the case at the moment of a scrape.
#[derive(Default)]
pub struct Snapshot {
    /// How many requests wait for each actor's answer.
    pub pending_requests: Vec<(Name, usize)>,
    /// How many lines of the log had no room, since the daemon started.
    pub log_lines_dropped: u64,
    /// Whether the history on disk cannot be written.
    pub history_stuck: bool,
    /// What the roles measure.
    pub of_roles: Vec<AddGauges>,
}

impl Snapshot {
    pub(super) fn registry(self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        for add in self.of_roles {
            add(&mut registry);
        }
        let pending = Family::<[(&'static str, String); 1], Gauge>::default();
        for (name, count) in &self.pending_requests {
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            pending.get_or_create(&[("actor", actor_label(name))]).inc_by(count);
        }
        registry.register("actor_pending_requests", "Requests that wait for an actor's answer", pending);
        let dropped = ConstCounter::new(self.log_lines_dropped);
        registry.register("log_lines_dropped", "Lines that had no room on their way to the log", dropped);
        let stuck = ConstGauge::new(i64::from(self.history_stuck));
        registry.register("history_stuck", "Whether the history on disk cannot be written", stuck);
        registry
    }
}

/// Makes a gauge of a number as large as it can be.
pub(crate) fn gauge(number: u64) -> ConstGauge<i64> {
    ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Returns an actor's name for a label; all poll operations share one, for they come and go.
pub(super) fn actor_label(name: &Name) -> String {
    if name.is_below(&names::OPERATIONS) { format!("{}/*", *names::OPERATIONS) } else { name.to_string() }
}
