//! One `lvm pvs`, within a deadline.

use std::collections::BTreeMap;

use lvmwarden_supervisor::process::{Command, ProcessIdentity, RunError, WhenFull, run};

use super::device::DeviceNumber;
use super::settings::Lvm;
use super::survey;
use crate::foundation::lvm_report;

/// Why LVM has not said which devices it uses.
#[derive(Debug, thiserror::Error)]
pub(super) enum SurveyError {
    #[error("run lvm pvs")]
    Run(#[source] RunError),
    #[error("run lvm pvs: that of before, {process}, still hangs")]
    StillHangs { process: ProcessIdentity },
    #[error("run lvm pvs: it printed no report")]
    Report(#[source] serde_json::Error),
}

/// What comes of asking.
#[derive(Debug)]
pub(super) struct Surveyed {
    pub(super) result: Result<BTreeMap<DeviceNumber, Option<String>>, SurveyError>,
    /// One that could not be ended.
    pub(super) hanging: Option<ProcessIdentity>,
}

/// Asks LVM, unless one that hangs has not ended.
pub(super) async fn ask(lvm: Lvm, hanging: Option<ProcessIdentity>) -> Surveyed {
    if let Some(process) = hanging
        && lvm.processes.adopt(process.clone()).await.is_ok()
    {
        let result = Err(SurveyError::StillHangs { process: process.clone() });
        return Surveyed { result, hanging: Some(process) };
    }
    match run(&*lvm.processes, command(&lvm), lvm_report::DEADLINE).await {
        // One that complains but reports is believed: what it could not read is in nobody's report.
        Ok(finished) => {
            let result = survey::parse(&finished.stdout).map_err(SurveyError::Report);
            Surveyed { result, hanging: None }
        }
        Err(error) => {
            let hanging = match &error {
                RunError::Hangs { process } => Some(process.clone()),
                RunError::Spawn(_)
                | RunError::TooSlow { .. }
                | RunError::Signal(_)
                | RunError::Output { .. } => None,
            };
            Surveyed { result: Err(SurveyError::Run(error)), hanging }
        }
    }
}

fn command(lvm: &Lvm) -> Command {
    Command {
        program: lvm.binary.clone(),
        arguments: survey::arguments(),
        environment: lvm.inherited.clone().into_iter().collect(),
        directory: Some("/".into()),
        stdout: lvm.output_dir.join("pvs.out"),
        stderr: lvm.output_dir.join("pvs.err"),
        when_full: WhenFull::Wait,
    }
}
