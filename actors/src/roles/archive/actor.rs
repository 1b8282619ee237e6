//! The janitor: has a pass done every period, and for clients.

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use lvmwarden_protocol::api::archive::Because;
use lvmwarden_supervisor::{ChildLink, Registry, Stop};
use slog::{Logger, debug, info, warn};
use tokio::time::sleep;

use super::ArchiveEnvironment;
use super::pass::{self, DryRunError, PassError, Report};
use crate::foundation::admission::Asker;
use crate::foundation::error_chain::chain;
use crate::foundation::store::journal;

/// The longest that a pass takes to answer.
pub const DEADLINE: Duration = pass::DEADLINE.saturating_add(journal::DEADLINE);
/// The wait before the first pass: a host that boots has other things to do.
const FIRST_DELAY: Duration = Duration::from_mins(1);

/// Asks what a pass would do now.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<Report, DryRunError>")]
pub struct DryRun {
    /// Who asks: each user has its share of those that run at once.
    pub asker: Asker,
}

/// Asks for a pass now, whatever the period.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Result<Report, PassError>")]
pub struct Clean;

/// The actor.
pub struct Janitor {
    environment: Arc<ArchiveEnvironment>,
    link: ChildLink,
}

impl Janitor {
    /// Makes the actor.
    pub fn new(environment: Arc<ArchiveEnvironment>, link: ChildLink) -> Self {
        Self { environment, link }
    }
}

impl Actor for Janitor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        if self.environment.settings.enabled {
            let (environment, registry) = (Arc::clone(&self.environment), self.link.registry.clone());
            ctx.spawn(tidy(environment, registry, self.link.log.clone()).into_actor(self));
        }
    }
}

impl Handler<Stop> for Janitor {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        ctx.stop();
    }
}

impl Handler<DryRun> for Janitor {
    type Result = ResponseActFuture<Self, Result<Report, DryRunError>>;

    fn handle(&mut self, asked: DryRun, _: &mut Context<Self>) -> Self::Result {
        let (environment, registry) = (Arc::clone(&self.environment), self.link.registry.clone());
        Box::pin(async move { pass::dry_run(&environment, &registry, asked.asker).await }.into_actor(self))
    }
}

impl Handler<Clean> for Janitor {
    type Result = ResponseActFuture<Self, Result<Report, PassError>>;

    fn handle(&mut self, _: Clean, _: &mut Context<Self>) -> Self::Result {
        let (environment, registry) = (Arc::clone(&self.environment), self.link.registry.clone());
        let log = self.link.log.clone();
        Box::pin(async move { clean(&environment, &registry, &log).await }.into_actor(self))
    }
}

async fn tidy(environment: Arc<ArchiveEnvironment>, registry: Registry, log: Logger) {
    sleep(FIRST_DELAY.min(environment.settings.period)).await;
    loop {
        // Whatever went wrong is told, and tried again.
        let _ = clean(&environment, &registry, &log).await;
        sleep(environment.settings.period).await;
    }
}

/// Does a pass, and logs how it went.
async fn clean(
    environment: &ArchiveEnvironment,
    registry: &Registry,
    log: &Logger,
) -> Result<Report, PassError> {
    let result = pass::clean(environment, registry).await;
    match &result {
        Ok(report) => tell(report, log),
        Err(error @ (PassError::Off | PassError::Busy)) => {
            debug!(log, "no pass over the archive"; "why" => chain(error));
        }
        Err(error) => {
            warn!(log, "a pass over the archive failed"; "error" => chain(error),
                  "next" => "the next one goes on where it stopped");
        }
    }
    result
}

fn tell(report: &Report, log: &Logger) {
    let removed = report.removed();
    if removed.files > 0 {
        info!(log, "copies were removed from the archive"; "files" => removed.files, "bytes" => removed.bytes);
    }
    // One clock is one line, not one for each VG.
    let waiting = report.vgs.iter().filter(|vg| vg.waits_for_the_clock()).count();
    if waiting > 0 {
        warn!(log, "no copy was removed from the archive for its age: the clock is not known to be synchronised";
              "vgs" => waiting, "next" => "number and size are bounded; see timedatectl or chronyc tracking");
    }
    for vg in report.vgs.iter().filter(|vg| vg.is_over()) {
        for unmet in vg.plan.unmet.iter().filter(|unmet| unmet.because != Because::ClockNotSynchronised) {
            let next = match unmet.because {
                Because::NewestCopySeemsOld => "check the date; if it is right, remove old copies by hand",
                Because::ClockNotSynchronised
                | Because::OperationInProgress
                | Because::NewestCopies
                | Because::NoGoodCopies => "try again at the next pass",
            };
            warn!(log, "the archive of a VG stays over a bound"; "vg" => &vg.vgname,
                  "bound" => unmet.bound.as_str(), "because" => unmet.because.as_str(), "next" => next);
        }
    }
}

#[cfg(test)]
mod tests {
    use lvmwarden_protocol::api::archive::Limits;
    use slog::{Discard, o};
    use tokio::time::timeout;

    use super::super::Settings;
    use super::*;
    use crate::foundation::facts::events::Events;
    use crate::foundation::facts::metrics::Metrics;
    use crate::foundation::kernel::DeviceMapper;

    #[tokio::test(start_paused = true)]
    async fn there_is_a_pass_after_a_minute_and_then_after_each_period_also_when_it_failed() {
        let limits = Limits { files_per_vg: 1, bytes_per_vg: 1, age_days: 1, keep_newest: 1 };
        let period = Duration::from_hours(1);
        let settings = Settings { enabled: true, directory: "/does/not/exist".into(), limits, period };
        let environment = Arc::new(ArchiveEnvironment::new(
            settings,
            Arc::new(DeviceMapper::default()),
            || true,
            Events::new(Metrics::new(), 10),
        ));
        let events = environment.events.clone();
        let tidying = tidy(environment, Registry::default(), Logger::root(Discard, o!()));
        tokio::pin!(tidying);
        let mut passes_after = async |time| {
            timeout(time, &mut tidying).await.expect_err("it goes on");
            events.recent(None).iter().filter(|event| event.kind == "archive.failed").count()
        };
        let moment = Duration::from_secs(1);
        assert_eq!(passes_after(FIRST_DELAY.saturating_sub(moment)).await, 0);
        assert_eq!(passes_after(2 * moment).await, 1);
        assert_eq!(passes_after(period.saturating_sub(5 * moment)).await, 1);
        assert_eq!(passes_after(10 * moment).await, 2);
    }
}
