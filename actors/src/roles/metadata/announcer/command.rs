//! The administrator's command for a VG that is complete.
//!
//! No shell: the program is run with the words of the configuration, then the VG's name and its UUID. A name is what LVM lets
//! a name be, so it is no option and no path.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use lvmwarden_protocol::ids::VgName;
use lvmwarden_protocol::metadata::{Vgid, Vgname};
use lvmwarden_supervisor::process::{Command, ProcessExit, Processes, WhenFull, run};
use slog::{Logger, info, warn};
use tokio::sync::Semaphore;

use crate::foundation::error_chain::chain;

/// How many run at the same time.
const AT_ONCE: usize = 4;
/// How many may wait for that.
const WAITING: usize = 1000;
/// How long one may take.
const DEADLINE: Duration = Duration::from_mins(1);

/// What is run for a VG that is complete.
pub struct CompleteCommand {
    /// The program, and its first words.
    pub words: Vec<String>,
    /// Starts it.
    pub processes: Arc<dyn Processes>,
    /// Where the pipes of its output are made.
    pub output_dir: PathBuf,
    /// The environment that it inherits.
    pub inherited: BTreeMap<OsString, OsString>,
    /// Room for those that run.
    turns: Semaphore,
    waiting: AtomicUsize,
    number: AtomicU64,
}

impl CompleteCommand {
    /// Makes it of a program, an absolute path, and its first words; `None` where there is none.
    pub fn new(
        words: Vec<String>,
        processes: Arc<dyn Processes>,
        output_dir: PathBuf,
        inherited: BTreeMap<OsString, OsString>,
    ) -> Option<Self> {
        let (turns, waiting, number) = (Semaphore::new(AT_ONCE), AtomicUsize::new(0), AtomicU64::new(0));
        (!words.is_empty()).then_some(Self {
            words,
            processes,
            output_dir,
            inherited,
            turns,
            waiting,
            number,
        })
    }

    /// Has it run for a VG; waits for nothing.
    pub(super) fn run(self: &Arc<Self>, vg: &Vgname, uuid: &Vgid, log: &Logger) {
        let Ok(vg) = VgName::try_from(vg.as_str()) else {
            warn!(log, "no command is run for a VG that is complete"; "vg" => %vg, "why" => "no VG can be called so");
            return;
        };
        if self.waiting.load(Ordering::Relaxed) >= WAITING {
            warn!(log, "no command is run for a VG that is complete"; "vg" => %vg, "why" => "too many wait for theirs");
            return;
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let (command, uuid, log) = (Arc::clone(self), uuid.clone(), log.clone());
        actix_rt::spawn(async move {
            if let Ok(_turn) = command.turns.acquire().await {
                command.run_now(&vg, &uuid, &log).await;
            }
            command.waiting.fetch_sub(1, Ordering::Relaxed);
        });
    }

    async fn run_now(&self, vg: &VgName, uuid: &Vgid, log: &Logger) {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let output = |suffix: &str| self.output_dir.join(format!("complete.{number}.{suffix}"));
        let (program, words) = self.words.split_first().expect("there is one, or it was not made");
        let told = [vg.to_string(), uuid.to_string()];
        let command = Command {
            program: program.into(),
            arguments: words.iter().chain(&told).map(OsString::from).collect(),
            environment: self.inherited.clone().into_iter().collect(),
            directory: Some("/".into()),
            stdout: output("out"),
            stderr: output("err"),
            when_full: WhenFull::Wait,
        };
        match run(&*self.processes, command, DEADLINE).await {
            Ok(finished) if finished.exit == ProcessExit::Code(0) => {
                info!(log, "the command for a complete VG has ended"; "vg" => %vg);
            }
            Ok(finished) => {
                let said = finished.stderr.lines().last().unwrap_or_default().to_owned();
                warn!(log, "the command for a complete VG has failed"; "vg" => %vg, "exit" => %finished.exit,
                      "said" => said, "next" => "it is run again when the VG is complete anew");
            }
            Err(error) => {
                warn!(log, "the command for a complete VG has failed"; "vg" => %vg, "error" => chain(&error),
                      "next" => "it is run again when the VG is complete anew");
            }
        }
    }
}
