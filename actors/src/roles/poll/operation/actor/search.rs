//! The search for an LV that lvpoll does not find: by its UUIDs, in LVM's metadata, which has its names.

use actix::prelude::*;
use lvmwarden_protocol::poll::StartRequest;
use lvmwarden_supervisor::process::{Command, WhenFull, run};
use slog::warn;
use uuid::Uuid;

use super::OperationActor;
use super::records::lv_of;
use crate::foundation::error_chain::chain;
use crate::foundation::lvm_report::DEADLINE;
use crate::roles::poll::environment::PollEnvironment;
use crate::roles::poll::operation::lvpoll;
use crate::roles::poll::operation::state::{Event, Names};
use crate::roles::poll::reconcile::report;

impl OperationActor {
    /// Runs lvs with the configuration that lvpoll has, and reports what it says.
    pub(super) fn seek(&mut self, ctx: &mut Context<Self>) {
        let Some(job) = self.operation.job() else { return };
        let (op, request) = (job.op, job.request.clone());
        let (environment, log) = (self.environment.clone(), self.link.log.clone());
        let sought = async move {
            let found = look_up(&environment, op, &request).await;
            found.unwrap_or_else(|reason| {
                warn!(log, "cannot search LVM's metadata for an LV"; "lv" => lv_of(&request), "error" => reason,
                      "next" => "go by the names that are known");
                None
            })
        };
        ctx.spawn(sought.into_actor(self).map(|found, actor, ctx| actor.apply(&Event::Sought(found), ctx)));
    }
}

async fn look_up(
    environment: &PollEnvironment,
    op: Uuid,
    request: &StartRequest,
) -> Result<Option<Names>, String> {
    let finished = run(&*environment.processes, command(environment, op, request), DEADLINE).await;
    let printed = finished.map_err(|error| chain(&error))?.stdout;
    report::names_of(&printed, &request.lvid).map_err(|error| chain(&error))
}

fn command(environment: &PollEnvironment, op: Uuid, request: &StartRequest) -> Command {
    let devices = request.devicesfile.as_ref().map(|file| ["--devicesfile", file.as_str()]);
    let output = |suffix: &str| environment.output_dir.join(format!("{op}.lvs.{suffix}"));
    Command {
        program: environment.binary.clone(),
        arguments: report::arguments(devices.as_ref().map_or(&[], |devices| &devices[..])),
        environment: lvpoll::configuration(request, &environment.inherited).into_iter().collect(),
        directory: environment.directory.clone(),
        stdout: output("out"),
        stderr: output("err"),
        when_full: WhenFull::Wait,
    }
}
