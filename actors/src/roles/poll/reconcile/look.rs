//! One look at LVM's metadata: lvs, run within a deadline.

use std::path::PathBuf;

use lvmwarden_supervisor::process::{Command, ProcessExit, ProcessIdentity, RunError, WhenFull, run};
use slog::{Logger, warn};
use thiserror::Error;

use super::report::{self, ReportError, Unfinished};
use crate::foundation::lvm_report;
use crate::roles::poll::environment::PollEnvironment;

/// The beginning of the names of the files that lvs writes to, beside those of operations.
const OUTPUT: &str = "lvs";

/// Why nobody knows what is in the metadata.
#[derive(Debug, Error)]
pub(super) enum LookError {
    #[error("run lvs")]
    Run(#[source] RunError),
    #[error("run lvs: that of an earlier look, {process}, still hangs")]
    StillHangs { process: ProcessIdentity },
    #[error("run lvs: it ended with {exit}: {}", last_line(stderr))]
    Ended {
        exit: ProcessExit,
        stderr: String,
        #[source]
        report: ReportError,
    },
    #[error(transparent)]
    Report(ReportError),
}

/// What lvs found.
#[derive(Debug)]
pub(super) struct Metadata {
    pub(super) unfinished: Vec<Unfinished>,
    /// lvs could read all of it.
    pub(super) is_whole: bool,
}

/// Looks, one at a time.
#[derive(Debug, Default)]
pub(super) struct Looker {
    /// An lvs that could not be ended.
    hanging: Option<ProcessIdentity>,
}

impl Looker {
    /// Asks lvs.
    ///
    /// An lvs that complains but reports is believed: what it could not read is in nobody's report.
    pub(super) async fn look(&mut self, poll: &PollEnvironment, log: &Logger) -> Result<Metadata, LookError> {
        if let Some(process) = self.hanging.take()
            && poll.processes.adopt(process.clone()).await.is_ok()
        {
            self.hanging = Some(process.clone());
            return Err(LookError::StillHangs { process });
        }
        let finished = match run(&*poll.processes, command(poll), lvm_report::DEADLINE).await {
            Ok(finished) => finished,
            Err(error) => {
                if let RunError::Hangs { process } = &error {
                    self.hanging = Some(process.clone());
                }
                return Err(LookError::Run(error));
            }
        };
        let (exit, stderr) = (finished.exit, finished.stderr);
        let is_whole = exit == ProcessExit::Code(0);
        match report::parse(&finished.stdout) {
            Ok(unfinished) => {
                if !is_whole {
                    warn!(log, "lvs could not read all metadata"; "exit" => %exit, "said" => last_line(&stderr),
                          "next" => "go by what it could, and look again");
                }
                Ok(Metadata { unfinished, is_whole })
            }
            Err(report) if !is_whole => Err(LookError::Ended { exit, stderr, report }),
            Err(report) => Err(LookError::Report(report)),
        }
    }
}

fn command(poll: &PollEnvironment) -> Command {
    let output = |suffix: &str| -> PathBuf { poll.output_dir.join(format!("{OUTPUT}.{suffix}")) };
    Command {
        program: poll.binary.clone(),
        arguments: report::arguments(&[]),
        environment: poll.inherited.clone().into_iter().collect(),
        directory: poll.directory.clone(),
        stdout: output("out"),
        stderr: output("err"),
        when_full: WhenFull::Wait,
    }
}

fn last_line(text: &str) -> &str {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("nothing")
}
