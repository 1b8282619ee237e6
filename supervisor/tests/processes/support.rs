//! A directory for one test, shells to run in it, and waits with a deadline.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lvmwarden_supervisor::process::{
    Command, OsProcesses, OsProcessesOptions, Process, ProcessExit, ProcessIdentity, Processes, WhenFull,
};
use rustix::fs::{CWD, FileType, Mode, OFlags};
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

/// A directory with the output pipes of one test.
pub(crate) struct Site {
    directory: TempDir,
    /// What was read of either.
    output: RefCell<[Output; 2]>,
}

struct Output {
    reader: File,
    read: String,
}

impl Output {
    fn make(path: &Path) -> Self {
        rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let reader = File::options().read(true).write(true).custom_flags(flags).open(path).unwrap();
        Self { reader, read: String::new() }
    }

    fn read(&mut self) -> String {
        let mut bytes = Vec::new();
        // It ends with the error that there is nothing more just now.
        self.reader.read_to_end(&mut bytes).unwrap_err();
        self.read.push_str(std::str::from_utf8(&bytes).unwrap());
        self.read.clone()
    }
}

impl Site {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let output = ["stdout", "stderr"].map(|name| Output::make(&directory.path().join(name)));
        Self { directory, output: RefCell::new(output) }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Returns a command whose output goes to the pipes of this site.
    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        Command {
            program: program.into(),
            arguments: arguments.iter().map(Into::into).collect(),
            environment: vec![("PATH".into(), "/usr/bin:/bin".into())],
            directory: None,
            stdout: self.path("stdout"),
            stderr: self.path("stderr"),
            when_full: WhenFull::Lose,
        }
    }

    pub(crate) async fn start(&self, script: &str) -> Box<dyn Process> {
        processes().spawn(self.command("/bin/sh", &["-c", script])).await.unwrap()
    }

    pub(crate) fn stdout(&self) -> String {
        self.output.borrow_mut()[0].read()
    }

    pub(crate) fn stderr(&self) -> String {
        self.output.borrow_mut()[1].read()
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
