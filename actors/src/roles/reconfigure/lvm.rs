//! The lvm commands of changes: each run within a deadline, from the one place where processes are started.
//!
//! A report, a refresh, an activation are waited for here. The writing child is not: it may outlive the daemon, and is
//! followed by its change.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lvmwarden_protocol::ids::VgName;
use lvmwarden_supervisor::process::{
    Command, Finished, Process, ProcessExit, Processes, RunError, SpawnError, WhenFull, run,
};
use thiserror::Error;
use uuid::Uuid;

use super::commands::Words;
use super::picture::{self, Picture, PictureError};
use crate::foundation::error_chain::chain;
use crate::foundation::lvm_report;

/// How often a VG is read anew that somebody writes to.
const READS: u32 = 3;
/// The pause before that.
const PAUSE: Duration = Duration::from_millis(50);
/// How many of a command's last lines are told.
const LAST_LINES: usize = 3;
/// How much of that is told, in bytes.
pub const SAID_BYTES: usize = 1024;
/// Tells children which change they are part of.
pub const CHANGE_VARIABLE: &str = "LVMWARDEN_CHANGE";

/// What is needed to run lvm.
pub struct Lvm {
    /// The lvm binary.
    pub binary: PathBuf,
    /// Where what children write goes.
    pub output_dir: PathBuf,
    /// The environment that children inherit.
    pub inherited: BTreeMap<OsString, OsString>,
    /// Where children run; `None`: where the daemon does.
    pub directory: Option<PathBuf>,
    /// Starts and adopts children.
    pub processes: Arc<dyn Processes>,
    /// Numbers the pipes of commands that end soon.
    pub runs: AtomicU64,
}

/// Why a VG could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// lvm finds no VG of this name: it is not there, or its PVs are not to be seen just now.
    #[error("find VG {0}")]
    NoVg(VgName),
    /// lvm could not be run to its end.
    #[error("run lvm")]
    Run(#[source] RunError),
    /// What lvm has said instead.
    #[error("read VG {vg}: {said}")]
    Refused {
        /// Its name.
        vg: VgName,
        /// The last lines of lvm.
        said: String,
    },
}

/// Why a command has not done what it should.
#[derive(Debug, Error)]
pub enum CommandError {
    /// It could not be run to its end.
    #[error("run {command}")]
    Run {
        /// As people would type it.
        command: String,
        /// Why.
        #[source]
        source: RunError,
    },
    /// It has refused.
    #[error("run {command}: it ended with {exit}: {said}")]
    Refused {
        /// As people would type it.
        command: String,
        /// How it ended.
        exit: ProcessExit,
        /// Its last lines.
        said: String,
    },
}

impl Lvm {
    /// Reads a VG.
    ///
    /// # Errors
    /// [`ReadError`], each variant of which says its condition.
    pub async fn read(&self, vg: &VgName) -> Result<Picture, ReadError> {
        let mut last = PictureError::Torn;
        for read in 0..READS {
            if read > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let vgs = self.report(vg, picture::vg_words(vg)).await?;
            let lvs = self.report(vg, picture::lv_words(vg)).await?;
            match Picture::parse(&vgs, &lvs) {
                Ok(picture) => return Ok(picture),
                Err(PictureError::NoVg) => return Err(ReadError::NoVg(vg.clone())),
                Err(error) => last = error,
            }
        }
        Err(ReadError::Refused { vg: vg.clone(), said: chain(&last) })
    }

    async fn report(&self, vg: &VgName, words: Words) -> Result<Vec<u8>, ReadError> {
        let command = self.command(None, words, &self.name_of_run());
        let finished = run(&*self.processes, command, lvm_report::DEADLINE).await.map_err(ReadError::Run)?;
        match finished.exit {
            ProcessExit::Code(0) => Ok(finished.stdout),
            ProcessExit::Code(_) if says_no_vg(&finished.stderr, vg) => Err(ReadError::NoVg(vg.clone())),
            _refused => Err(ReadError::Refused { vg: vg.clone(), said: last_lines(&finished) }),
        }
    }

    /// Runs a command of a change to its end.
    ///
    /// # Errors
    /// [`CommandError`], each variant of which says its condition.
    pub async fn run(&self, change: Uuid, words: Words, deadline: Duration) -> Result<(), CommandError> {
        let in_words = super::commands::in_words(&words);
        let command = self.command(Some(change), words, &self.name_of_run());
        let finished = match run(&*self.processes, command, deadline).await {
            Ok(finished) => finished,
            Err(source) => return Err(CommandError::Run { command: in_words, source }),
        };
        match finished.exit {
            ProcessExit::Code(0) => Ok(()),
            exit => Err(CommandError::Refused { command: in_words, exit, said: last_lines(&finished) }),
        }
    }

    /// Starts the writing child of a change, which goes on whatever becomes of the daemon.
    ///
    /// # Errors
    /// [`SpawnError`]; no process is left running.
    pub async fn spawn_writer(&self, change: Uuid, words: Words) -> Result<Box<dyn Process>, SpawnError> {
        let command = self.command(Some(change), words, &change.to_string());
        self.processes.spawn(command).await
    }

    /// Returns where the writing child of a change says why it fails.
    pub fn writer_stderr(&self, change: Uuid) -> PathBuf {
        self.output_dir.join(format!("{change}.err"))
    }

    /// Removes what a writing child has written.
    pub fn remove_output(&self, change: Uuid) {
        for suffix in ["out", "err"] {
            // What is not there is no error; what stays costs some bytes of tmpfs.
            let _ = std::fs::remove_file(self.output_dir.join(format!("{change}.{suffix}")));
        }
    }

    fn name_of_run(&self) -> String {
        format!("reconfigure-{}", self.runs.fetch_add(1, Ordering::Relaxed))
    }

    fn command(&self, change: Option<Uuid>, arguments: Words, output: &str) -> Command {
        let mut environment = self.inherited.clone();
        environment.insert("LC_ALL".into(), "C".into());
        if let Some(change) = change {
            environment.insert(CHANGE_VARIABLE.into(), change.to_string().into());
        }
        Command {
            program: self.binary.clone(),
            arguments,
            environment: environment.into_iter().collect(),
            directory: self.directory.clone(),
            stdout: self.output_dir.join(format!("{output}.out")),
            stderr: self.output_dir.join(format!("{output}.err")),
            // It never waits for a daemon that is gone.
            when_full: WhenFull::Lose,
        }
    }
}

fn last_lines(finished: &Finished) -> String {
    let said = if finished.stderr.trim().is_empty() {
        String::from_utf8_lossy(&finished.stdout).into_owned()
    } else {
        finished.stderr.clone()
    };
    shortened(&said)
}

/// Tells whether a line is lvm's for a VG that is not there, with at most one word before it: the command's name.
///
/// Source: lvm2 2.03.16, its words; lvm.conf(5), `log/prefix` and `log/command_names`.
fn says_no_vg(stderr: &str, vg: &VgName) -> bool {
    let words = format!("Volume group \"{vg}\" not found");
    let mut before = stderr.lines().filter_map(|line| line.trim_end().strip_suffix(&words));
    before.any(|before| before.split_whitespace().count() <= 1)
}

/// Returns the last lines of what a command has said, as one of at most [`SAID_BYTES`].
pub fn shortened(said: &str) -> String {
    let lines: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let lines = &lines[lines.len().saturating_sub(LAST_LINES)..];
    if lines.is_empty() {
        return "it has said nothing".to_owned();
    }
    let mut said = lines.join("; ");
    said.truncate(said.floor_char_boundary(SAID_BYTES));
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vg_is_not_there_only_where_lvm_says_just_that() {
        let vg: VgName = "vg0".try_into().expect("a name");
        for (stderr, expected) in [
            ("  Volume group \"vg0\" not found\n  Cannot process volume group vg0\n", true),
            ("  WARNING: a device is slow\n  vgs Volume group \"vg0\" not found\n", true),
            ("  Volume group \"vg1\" not found\n", false),
            ("  /etc/lvm/profile/x.profile: not found\n", false),
            ("  Device for PV b5 not found or rejected by a filter.\n", false),
            ("  Cannot lock: Volume group \"vg0\" not found\n", false),
            ("  Volume group \"vg0\" not found in the cache\n", false),
        ] {
            assert_eq!(says_no_vg(stderr, &vg), expected, "{stderr}");
        }
    }

    #[test]
    fn what_lvm_has_said_is_cut_by_lines_and_by_bytes() {
        assert_eq!(shortened(" \n"), "it has said nothing");
        assert_eq!(shortened("  a\n  b\n\n  c\n  d\n"), "b; c; d");
        let long = shortened(&format!("  x{}\n", "\u{e4}".repeat(SAID_BYTES)));
        assert_eq!((long.len(), long.starts_with("x\u{e4}")), (SAID_BYTES - 1, true));
    }
}
