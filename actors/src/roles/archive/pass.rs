//! One pass: the directory is listed, the plan is made, and what goes is removed.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use lvmwarden_protocol::api::archive::{Because, Bound, Limits, Unmet};
use lvmwarden_supervisor::{Registry, fault};
use thiserror::Error;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::files::{Archive, ArchiveError, Listing};
use super::memory::{LastPass, Seen};
use super::plan::{self, ArchivedCopy, Clock, Protected, Total, VgPlan, plan};
use super::{ArchiveEnvironment, DRY_RUNS, PASSES, files};
use crate::foundation::admission::{Asker, Excess, Place};
use crate::foundation::error_chain::chain;
use crate::foundation::facts::occurrence::Occurrence;
use crate::foundation::store::journal;
use crate::foundation::store::ledger::PollLedger;
use crate::roles::poll::operation::state::Life;

/// How long a pass may take: past it the disk is stuck, or too slow for this.
pub(super) const DEADLINE: Duration = Duration::from_mins(10);
/// How many of a VG's newest copies are read in search of good ones, beyond those wanted.
const LOOKED_AT: usize = 1000;

/// What a pass found and did; of a dry run, what it would have done.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Each VG that has copies, by name.
    pub vgs: Vec<VgReport>,
    /// How many names in the directory are no copies that lvm writes.
    pub unrecognised: u64,
    /// There are more copies, which the next pass will look at.
    pub is_cut_off: bool,
}

/// What becomes of the copies of one VG.
#[derive(Debug, Clone)]
pub struct VgReport {
    /// Its name.
    pub vgname: String,
    /// What there was.
    pub before: Total,
    /// What goes, and the bounds that are not kept even then.
    pub plan: VgPlan,
}

/// Why there was no pass, or not a whole one.
#[derive(Debug, Error)]
pub enum PassError {
    /// The janitor is turned off.
    #[error("clean the archive: the janitor is turned off")]
    Off,
    /// Another pass is under way, or stuck.
    #[error("begin a pass: another one is under way")]
    Busy,
    /// Nobody knows which operations are in progress.
    #[error("tell which operations are in progress: {0}")]
    Operations(String),
    /// The pass took longer than it may.
    #[error("{step} within {} s of the pass's begin: the disk is too slow, or stuck", DEADLINE.as_secs())]
    TimedOut {
        /// What it was at.
        step: &'static str,
    },
    /// The directory.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// Why there was no dry run, or not a whole one.
#[derive(Debug, Error)]
pub enum DryRunError {
    /// There are as many as there may be.
    #[error("begin a dry run: there are as many as there may be")]
    TooMany(Excess),
    /// As of a pass.
    #[error(transparent)]
    Pass(#[from] PassError),
}

impl VgReport {
    /// Returns what goes.
    pub fn removed(&self) -> Total {
        Total::of(self.plan.removals.iter().map(|removal| &removal.copy))
    }

    /// Returns whether a bound is not kept that should be: that the newest copies of a quiet VG grow old is meant.
    pub fn is_over(&self) -> bool {
        let is_meant = Unmet { bound: Bound::Age, because: Because::NewestCopies };
        self.plan.unmet.iter().any(|unmet| *unmet != is_meant)
    }

    /// Returns whether something would go for its age, and does not because the clock is not known to be synchronised.
    pub fn waits_for_the_clock(&self) -> bool {
        self.plan.unmet.iter().any(|unmet| unmet.because == Because::ClockNotSynchronised)
    }

    /// Returns the name of a copy's file.
    pub fn file_name(&self, copy: &ArchivedCopy) -> String {
        files::name_of(&self.vgname, copy)
    }
}

impl Report {
    /// Returns what there was, of all VGs together.
    pub fn before(&self) -> Total {
        self.vgs.iter().map(|vg| vg.before).sum()
    }

    /// Returns what goes, of all VGs together.
    pub fn removed(&self) -> Total {
        self.vgs.iter().map(VgReport::removed).sum()
    }
}

/// Tells what a pass would do now.
pub(super) async fn dry_run(
    environment: &ArchiveEnvironment,
    registry: &Registry,
    asker: Asker,
) -> Result<Report, DryRunError> {
    let worker = Worker::holding(environment.dry_runs.take(DRY_RUNS, asker).map_err(DryRunError::TooMany)?);
    let (_worker, _archive, report) = worker.look(environment, registry).await?;
    if !environment.is_at_work() {
        // What a pass has seen is newer.
        environment.memory.see(Seen { copies: report.before(), unrecognised: report.unrecognised });
    }
    Ok(report)
}

/// Does a pass, remembers it, and tells of it.
///
/// # Cancel safety
/// What is under way when it is dropped ends with the copy that it is at.
pub(super) async fn clean(
    environment: &ArchiveEnvironment,
    registry: &Registry,
) -> Result<Report, PassError> {
    if !environment.settings.enabled {
        return Err(PassError::Off);
    }
    let begin = Instant::now();
    let worker = Worker::begin(environment)?;
    let mut removed = Total::default();
    let result = worker.clean(environment, registry, &mut removed).await;
    let took = begin.elapsed();
    let (vgs_over, problem) = match &result {
        Ok(report) => (report.vgs.iter().filter(|vg| vg.is_over()).count(), None),
        Err(error) => (0, Some(chain(error))),
    };
    let pass = LastPass {
        ended_at: Timestamp::now(),
        took,
        removed,
        vgs_over: vgs_over as u64,
        problem: problem.clone(),
    };
    environment.memory.end_pass(pass);
    if removed.files > 0 {
        environment.events.publish(&Occurrence::ArchiveCleaned { removed, took });
    }
    if let Some(reason) = problem {
        environment.events.publish(&Occurrence::ArchiveFailed { reason });
    }
    result
}

/// Does what blocks: whoever has it has a place, until the last blocking call has returned.
struct Worker {
    deadline: Instant,
    _place: Place,
}

impl Worker {
    /// Begins a pass: the only one.
    fn begin(environment: &ArchiveEnvironment) -> Result<Self, PassError> {
        let place = environment.lane.take(PASSES, Asker::Root).map_err(|_| PassError::Busy)?;
        Ok(Self::holding(place))
    }

    fn holding(place: Place) -> Self {
        Self { deadline: Instant::now() + DEADLINE, _place: place }
    }

    /// Looks at the directory, and plans.
    async fn look(
        self,
        environment: &ArchiveEnvironment,
        registry: &Registry,
    ) -> Result<(Self, Archive, Report), PassError> {
        let path = environment.settings.directory.clone();
        let list = move |stop: &CancellationToken| {
            let archive = Archive::open(&path)?;
            let listing = archive.list(stop)?;
            fault::point("archive_janitor.listed", &path.to_string_lossy());
            Ok::<_, ArchiveError>((archive, listing))
        };
        let (worker, listed) = self.block("list the archive", list).await?;
        let (archive, listing) = listed?;
        let in_progress = vgs_in_progress(environment, registry).await?;
        let limits = environment.settings.limits;
        let clock = Clock { now: Timestamp::now(), is_synchronised: (environment.is_clock_synchronised)() };
        let plan = move |stop: &CancellationToken| {
            let report = plan_all(&archive, listing, &in_progress, &limits, clock, stop);
            Ok::<_, ArchiveError>((archive, report))
        };
        let (worker, planned) = worker.block("read the newest copies", plan).await?;
        let (archive, report) = planned?;
        Ok((worker, archive, report))
    }

    /// Looks, plans and removes; counts in `removed` what is gone, also when it fails.
    async fn clean(
        self,
        environment: &ArchiveEnvironment,
        registry: &Registry,
        removed: &mut Total,
    ) -> Result<Report, PassError> {
        let (mut worker, mut archive, report) = self.look(environment, registry).await?;
        let mut seen = Seen { copies: report.before(), unrecognised: report.unrecognised };
        environment.memory.see(seen);
        for vg in report.vgs.iter().filter(|vg| !vg.plan.removals.is_empty()) {
            let (vgname, removals) = (vg.vgname.clone(), vg.plan.removals.clone());
            let remove = move |stop: &CancellationToken| {
                let copies = removals.iter().map(|removal| &removal.copy);
                let (gone, error) = archive.remove(&vgname, copies, stop);
                (archive, gone, error)
            };
            let (next, (same, gone, error)) = worker.block("remove copies", remove).await?;
            (worker, archive) = (next, same);
            *removed = [*removed, gone].into_iter().sum();
            seen.copies.files -= gone.files;
            seen.copies.bytes -= gone.bytes;
            environment.memory.see(seen);
            if let Some(error) = error {
                return Err(error.into());
            }
        }
        Ok(report)
    }

    /// Runs `work` where it may block.
    ///
    /// When it takes too long, or nobody waits for it any more, it is told to stop; it keeps its place until it has.
    async fn block<T: Send + 'static>(
        self,
        doing: &'static str,
        work: impl FnOnce(&CancellationToken) -> T + Send + 'static,
    ) -> Result<(Self, T), PassError> {
        let stop = CancellationToken::new();
        let _told_when_dropped = stop.clone().drop_guard();
        let deadline = self.deadline;
        let working = spawn_blocking(move || (work(&stop), self));
        let ended = timeout_at(deadline, working).await.map_err(|_| PassError::TimedOut { step: doing })?;
        let (result, worker) = ended.expect("what works on the archive does not panic");
        Ok((worker, result))
    }
}

fn plan_all(
    archive: &Archive,
    listing: Listing,
    in_progress: &BTreeSet<String>,
    limits: &Limits,
    clock: Clock,
    stop: &CancellationToken,
) -> Report {
    let Listing { vgs, unrecognised, is_cut_off } = listing;
    let mut report = Report { vgs: Vec::with_capacity(vgs.len()), unrecognised, is_cut_off };
    for (vgname, copies) in vgs {
        let mut plan_of_vg = VgPlan::default();
        if plan::is_over(&copies, limits, clock.now) && !stop.is_cancelled() {
            let protected = if in_progress.contains(&vgname) {
                Protected::Everything(Because::OperationInProgress)
            } else {
                // What cannot be read is this VG's trouble alone: nothing of it goes.
                newest_good(archive, &vgname, &copies, limits)
                    .unwrap_or(Protected::Everything(Because::NoGoodCopies))
            };
            plan_of_vg = plan(&copies, limits, &protected, clock);
        }
        report.vgs.push(VgReport { vgname, before: Total::of(&copies), plan: plan_of_vg });
    }
    report
}

/// Finds the newest good copies, as many as are kept.
///
/// Where a thousand others come before enough of them, something is wrong with this VG's copies, and none goes.
fn newest_good(
    archive: &Archive,
    vgname: &str,
    copies: &[ArchivedCopy],
    limits: &Limits,
) -> Result<Protected, ArchiveError> {
    let wanted = limits.keep_newest.max(1) as usize;
    let mut good = BTreeSet::new();
    for (place, copy) in copies.iter().enumerate().take(wanted.saturating_add(LOOKED_AT)) {
        if archive.is_good(vgname, copy)? {
            good.insert(place);
        }
        if good.len() == wanted {
            return Ok(Protected::Newest(good));
        }
    }
    let has_seen_all = copies.len() <= wanted.saturating_add(LOOKED_AT);
    // Without a single good one, those that are no good are all that there is.
    Ok(if has_seen_all && !good.is_empty() {
        Protected::Newest(good)
    } else {
        Protected::Everything(Because::NoGoodCopies)
    })
}

/// Returns the VGs of which a poll operation has not ended, or in which the kernel copies, whoever asked for that.
async fn vgs_in_progress(
    environment: &ArchiveEnvironment,
    registry: &Registry,
) -> Result<BTreeSet<String>, PassError> {
    let in_progress = |ledger: &PollLedger| {
        let going_on = ledger.operations().filter(|known| !matches!(known.life, Life::Ended(_)));
        going_on.map(|known| known.request.vgname.as_str().to_owned()).collect()
    };
    let mut vgs: BTreeSet<_> = journal::read(registry, in_progress).await.map_err(PassError::Operations)?;
    let copies = environment.kernel.copies().await;
    let copies = copies.ok_or_else(|| PassError::Operations("device-mapper does not answer".to_owned()))?;
    vgs.extend(copies.into_iter().map(|copy| copy.vgname.into()));
    Ok(vgs)
}

#[cfg(test)]
mod tests;
