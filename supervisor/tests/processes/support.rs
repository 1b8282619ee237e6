//! A directory for one test, shells to run in it, and waits with a deadline.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use lvmwarden_supervisor::process::{
    Command, OsProcesses, OsProcessesOptions, Process, ProcessExit, ProcessIdentity, Processes,
};
use tempfile::TempDir;
use tokio::runtime;
use tokio::time::{sleep, timeout};

/// No test takes nearly as long, even on a busy machine.
const DEADLINE: Duration = Duration::from_mins(1);

/// Runs a test on a runtime as the daemon's, with a deadline.
#[track_caller]
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(DEADLINE, test).await }).expect("the test passed its deadline")
}

/// Returns the first answer of `look`; `what` is awaited until the deadline of the test.
pub(crate) async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(answer) = look() {
                return answer;
            }
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(DEADLINE / 2, looking).await.unwrap_or_else(|_| panic!("never saw: {what}"))
}

pub(crate) fn processes() -> OsProcesses {
    OsProcesses::new(OsProcessesOptions::default())
}

/// Behaves as on a kernel before 6.15.
pub(crate) fn processes_of_an_older_kernel() -> OsProcesses {
    OsProcesses::new(OsProcessesOptions { read_exit_of_strangers: false })
}

/// What the kernel of this machine can say about a stranger that ended with `exit`.
pub(crate) fn told_of_stranger(exit: ProcessExit) -> ProcessExit {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut numbers = release.split(['.', '-']).map(|number| number.parse::<u32>().unwrap_or_default());
    let version = (numbers.next().unwrap(), numbers.next().unwrap());
    if version >= (6, 15) { exit } else { ProcessExit::Unknown }
}

/// A directory with the output files of one test.
pub(crate) struct Site {
    directory: TempDir,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Returns a command whose output goes to the files of this site.
    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        Command {
            program: program.into(),
            arguments: arguments.iter().map(Into::into).collect(),
            environment: vec![("PATH".into(), "/usr/bin:/bin".into())],
            stdout: self.path("stdout"),
            stderr: self.path("stderr"),
        }
    }

    pub(crate) async fn start(&self, script: &str) -> Box<dyn Process> {
        processes().spawn(self.command("/bin/sh", &["-c", script])).await.unwrap()
    }

    pub(crate) fn stdout(&self) -> String {
        fs::read_to_string(self.path("stdout")).unwrap()
    }

    /// Returns the first line that a process prints, without its newline.
    pub(crate) async fn first_line(&self) -> String {
        eventually("a line of output", || Some(self.stdout().split_once('\n')?.0.to_owned())).await
    }

    /// Returns the process whose pid is the first line of the output.
    pub(crate) async fn printed_process(&self) -> ProcessIdentity {
        ProcessIdentity::of(self.first_line().await.parse().unwrap()).unwrap()
    }
}

/// Waits until the process has ended and is a zombie.
pub(crate) async fn becomes_zombie(identity: &ProcessIdentity) {
    let stat = format!("/proc/{}/stat", identity.pid);
    eventually("a zombie", || fs::read_to_string(&stat).unwrap().contains(") Z ").then_some(())).await;
}
