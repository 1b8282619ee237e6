//! The archive janitor: how it is, what it would do, and what it does now.

use std::cmp::Reverse;
use std::rc::Rc;
use std::sync::Arc;

use lvmwarden_protocol::api::archive::{
    Clean, CleanReply, Error, JanitorState, Pass, Plan, PlanReply, Removal, Report, Request, Seen, Status,
    StatusReply, Vg,
};
use lvmwarden_protocol::api::service::Bounded;
use lvmwarden_protocol::api::{CodecError, Method, Reply};
use slog::info;

use crate::foundation::admission::Asker;
use crate::foundation::api::replies::{Last, Replies};
use crate::foundation::api::{ApiContext, Part, Patience, reply, too_many};
use crate::foundation::error_chain::chain;
use crate::foundation::names;
use crate::roles::archive::actor::{Clean as CleanNow, DEADLINE, DryRun, Janitor};
use crate::roles::archive::{self, ArchiveEnvironment, DRY_RUNS, DryRunError, PassError, VgReport};

/// How many VGs, and how many removals, are told at most.
const TOLD: usize = 1000;

/// `org.lvmwarden.Archive`.
pub struct ArchiveApi {
    pub(super) archive: Arc<ArchiveEnvironment>,
    pub(super) context: Rc<ApiContext>,
}

impl Part for ArchiveApi {
    type Request = Request;

    const WATCHING: &'static [&'static str] = &[Status::NAME, Plan::NAME];

    fn patience(request: &Request) -> Patience {
        match request {
            Request::Status(_) => Patience::Brief,
            Request::Plan(_) | Request::Clean(_) => Patience::Long,
        }
    }

    async fn answer(
        &self,
        uid: u32,
        request: Request,
        replies: &mut Replies<'_, '_>,
    ) -> Result<Last<'_>, CodecError> {
        // A pass takes long: nobody else is to wait for its share.
        match request {
            Request::Status(Status {}) => Ok(reply::<Status, Error>(Ok(self.archive_status())).into()),
            Request::Plan(Plan {}) => {
                let dry_run = DryRun { asker: Asker::of(uid) };
                let asked =
                    self.context.registry.ask::<Janitor, _>(&names::ARCHIVE_JANITOR, dry_run, DEADLINE);
                let report = match asked.await {
                    Ok(Ok(report)) => Ok(report),
                    Ok(Err(DryRunError::TooMany(excess))) => {
                        return Ok(Reply::error(&too_many(Bounded::DryRuns, DRY_RUNS, excess)).into());
                    }
                    Ok(Err(DryRunError::Pass(failed))) => Err(refusal(&failed)),
                    Err(unanswered) => Err(Error::Failed { reason: chain(&unanswered) }),
                };
                let look = async { report.map(|report| || PlanReply { report: told(report) }) };
                self.context.large::<Plan, _>(uid, replies, Error::Busy, look).await
            }
            Request::Clean(Clean {}) => {
                info!(self.context.log, "a client has the archive cleaned"; "uid" => uid);
                let asked =
                    self.context.registry.ask::<Janitor, _>(&names::ARCHIVE_JANITOR, CleanNow, DEADLINE);
                let report = match asked.await {
                    Ok(Ok(report)) => Ok(report),
                    Ok(Err(failed)) => Err(refusal(&failed)),
                    Err(unanswered) => Err(Error::Failed { reason: chain(&unanswered) }),
                };
                let look = async { report.map(|report| || CleanReply { report: told(report) }) };
                self.context.large::<Clean, _>(uid, replies, Error::Busy, look).await
            }
        }
    }
}

impl ArchiveApi {
    fn archive_status(&self) -> StatusReply {
        let archive = &self.archive;
        let settings = &archive.settings;
        StatusReply {
            state: match (settings.enabled, archive.is_at_work()) {
                (false, _) => JanitorState::Off,
                (true, false) => JanitorState::Waiting,
                (true, true) => JanitorState::Working,
            },
            directory: settings.directory.to_string_lossy().into_owned(),
            period_minutes: u32::try_from(settings.period.as_secs() / 60).unwrap_or(u32::MAX),
            limits: settings.limits,
            is_clock_synchronised: (archive.is_clock_synchronised)(),
            seen: archive.memory.seen().map(|seen| Seen {
                files: seen.copies.files,
                bytes: seen.copies.bytes,
                unrecognised: seen.unrecognised,
            }),
            last_pass: archive.memory.last_pass().map(|pass| Pass {
                ended_at: pass.ended_at.to_string(),
                took_ms: u64::try_from(pass.took.as_millis()).unwrap_or(u64::MAX),
                removed_files: pass.removed.files,
                removed_bytes: pass.removed.bytes,
                vgs_over: pass.vgs_over,
                problem: pass.problem,
            }),
        }
    }
}

fn refusal(error: &PassError) -> Error {
    match error {
        PassError::Off => Error::Off,
        PassError::Busy => Error::Busy,
        PassError::Operations(_) | PassError::TimedOut { .. } | PassError::Archive(_) => {
            Error::Failed { reason: chain(error) }
        }
    }
}

/// Cuts a report down to what is told of it.
fn told(report: archive::Report) -> Report {
    let (before, removed) = (report.before(), report.removed());
    let mut vgs = report.vgs;
    vgs.sort_by_key(|vg| Reverse(vg.plan.removals.len()));
    let vgs_left_out = vgs.len().saturating_sub(TOLD) as u64;
    vgs.truncate(TOLD);
    vgs.sort_by(|one, other| one.vgname.cmp(&other.vgname));
    let removals: Vec<_> = vgs.iter().flat_map(removals).take(TOLD).collect();
    Report {
        files: before.files,
        bytes: before.bytes,
        removed_files: removed.files,
        removed_bytes: removed.bytes,
        unrecognised: report.unrecognised,
        is_cut_off: report.is_cut_off,
        removals_left_out: removed.files - removals.len() as u64,
        removals,
        vgs: vgs.into_iter().map(vg).collect(),
        vgs_left_out,
    }
}

fn removals(vg: &VgReport) -> impl Iterator<Item = Removal> {
    vg.plan.removals.iter().map(|removal| Removal {
        file_name: vg.file_name(&removal.copy),
        bytes: removal.copy.bytes,
        modified_at: removal.copy.modified_at.to_string(),
        bound: removal.bound,
    })
}

fn vg(vg: VgReport) -> Vg {
    let removed = vg.removed();
    Vg {
        vgname: vg.vgname,
        files: vg.before.files,
        bytes: vg.before.bytes,
        removed_files: removed.files,
        removed_bytes: removed.bytes,
        unmet: vg.plan.unmet,
    }
}
