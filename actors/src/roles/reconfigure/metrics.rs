//! What is counted and measured of changes. No label comes from a client or from another host.

use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::api::reconfigure::{Kind, OutcomeKind, Phase};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;

use super::board::Numbers;
use crate::foundation::facts::metrics::{AddGauges, Counters, Histograms, Metrics, counted, timed};

/// Upper bounds for a phase, in seconds.
const PHASE_SECONDS: [f64; 9] = [0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0];

/// What is counted of changes; clones share it.
#[derive(Debug, Clone)]
pub struct ReconfigureMetrics {
    changes: Counters<2>,
    objections: Counters<1>,
    dropped: Counters<1>,
    phases: Histograms<1>,
}

impl ReconfigureMetrics {
    /// Starts to count, among `all` that is counted.
    pub fn new(all: &Arc<Metrics>) -> Self {
        all.register(|registry| Self {
            changes: counted(
                registry,
                "reconfigure_changes",
                "Changes that are over, by what became of them",
            ),
            objections: counted(registry, "reconfigure_objections", "Objections to changes, by their word"),
            dropped: counted(
                registry,
                "reconfigure_messages_dropped",
                "Messages of the group that were dropped",
            ),
            phases: timed(
                registry,
                "reconfigure_phase_duration",
                "How long each phase of a change took",
                || Histogram::new(PHASE_SECONDS),
            ),
        })
    }

    /// Counts a change that is over.
    pub(super) fn ended(&self, kind: Kind, outcome: OutcomeKind) {
        self.changes.get_or_create(&[("kind", kind.as_str()), ("outcome", outcome.as_str())]).inc();
    }

    /// Counts an objection.
    pub(super) fn objected(&self, code: &'static str) {
        self.objections.get_or_create(&[("code", code)]).inc();
    }

    /// Counts a message that was dropped.
    pub(super) fn dropped(&self, reason: &'static str) {
        self.dropped.get_or_create(&[("reason", reason)]).inc();
    }

    /// Measures a phase that is over.
    pub(super) fn phase(&self, phase: Phase, took: Duration) {
        self.phases.get_or_create(&[("phase", phase.as_str())]).observe(took.as_secs_f64());
    }
}

/// Returns what is measured at a scrape.
pub(super) fn gauges(numbers: Numbers, members: i64, is_quorate: bool, is_up: bool) -> AddGauges {
    Box::new(move |gauges| {
        let rows = [
            ("reconfigure_unfinished", "Changes that are under way", numbers.unfinished),
            (
                "reconfigure_in_doubt",
                "Changes of which nobody here knows what became of them",
                numbers.in_doubt,
            ),
            ("reconfigure_lagging", "Changes at which a host has not done its part", numbers.lagging),
            ("reconfigure_members", "Daemons in the group", members),
            (
                "reconfigure_quorate",
                "Whether this host is in the larger part of the cluster",
                is_quorate.into(),
            ),
            ("reconfigure_transport_up", "Whether this host is in its group", is_up.into()),
        ];
        for (name, help, value) in rows {
            gauges.register(name, help, ConstGauge::new(value));
        }
    })
}
