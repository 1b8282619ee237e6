//! What the archive role hands over.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use lvmwarden_supervisor::{ChildSpec, OnExceeded, Registry, Strategy, SupervisorSpec};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;

use super::actor::Janitor;
use super::api::ArchiveApi;
use super::{ArchiveEnvironment, LastPass, Seen};
use crate::foundation::api::{ApiContext, ApiPart};
use crate::foundation::door::always_open;
use crate::foundation::facts::metrics::{AddGauges, Metrics, gauge};
use crate::foundation::role::{Branch, Later, Role};

/// The archive role: always there, and turned off by its settings.
pub struct Archive {
    /// What the janitor and its clients share.
    pub environment: Arc<ArchiveEnvironment>,
}

impl Role for Archive {
    fn name(&self) -> &'static str {
        "archive"
    }

    fn branch(&self, _: &Arc<Metrics>) -> io::Result<Option<Branch>> {
        // Nobody needs a tidy archive as much as polls that go on: a janitor that keeps crashing stays away.
        let archive = Arc::clone(&self.environment);
        let janitor = ChildSpec::worker("janitor", move |link| Janitor::new(Arc::clone(&archive), link));
        let supervisor =
            SupervisorSpec::new(Strategy::OneForOne).on_exceeded(OnExceeded::GiveUpChild).child(janitor);
        Ok(Some(Branch { supervisor, doors: Vec::new(), recovered: always_open() }))
    }

    fn api(&self, context: &Rc<ApiContext>) -> Option<ApiPart> {
        let archive = Arc::clone(&self.environment);
        Some(ApiPart::new(ArchiveApi { archive, context: Rc::clone(context) }))
    }

    fn gauges<'a>(&'a self, _: &'a Registry) -> Later<'a, Option<AddGauges>> {
        let memory = &self.environment.memory;
        let gauges = add_gauges(memory.seen(), memory.last_pass());
        Box::pin(async { Some(gauges) })
    }
}

/// Nothing where there is no janitor at work: a zero would look like an empty archive.
pub(crate) fn add_gauges(seen: Option<Seen>, last_pass: Option<LastPass>) -> AddGauges {
    Box::new(move |gauges| {
        if let Some(Seen { copies, unrecognised }) = seen {
            gauges.register("archive_files", "Copies of metadata in the archive", gauge(copies.files));
            let help = "How long the copies of metadata in the archive are together";
            gauges.register_with_unit("archive", help, Unit::Bytes, gauge(copies.bytes));
            let help = "Other names in the archive, which the janitor leaves alone";
            gauges.register("archive_unrecognised_files", help, gauge(unrecognised));
        }
        if let Some(pass) = &last_pass {
            let took = ConstGauge::new(pass.took.as_secs_f64());
            let help = "How long the latest pass over the archive took";
            gauges.register_with_unit("archive_pass_duration", help, Unit::Seconds, took);
            let ended = ConstGauge::new(pass.ended_at.as_duration().as_secs_f64());
            let help = "When the latest pass over the archive ended, in Unix time";
            gauges.register_with_unit("archive_pass_end_time", help, Unit::Seconds, ended);
            let help = "VGs whose copies the latest pass over the archive left over a bound";
            gauges.register("archive_vgs_over", help, gauge(pass.vgs_over));
        }
    })
}
