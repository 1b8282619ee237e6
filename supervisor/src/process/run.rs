//! Runs a short program to its end, and returns what it wrote.
//!
//! What it writes is read as it writes it, and kept in memory. Nothing here waits without bound, not even for a program that hangs in the kernel, on a disk that does not
//! answer: it is left behind, and reaped whenever it ends. Nor is one forgotten whose caller has gone.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use thiserror::Error;
use tokio::time::timeout;

use super::output::Collector;
use super::{
    BoxFuture, Command, Process, ProcessExit, ProcessIdentity, Processes, SignalError, SpawnError, WhenFull,
    terminate,
};

/// A program that is being started.
type Started = BoxFuture<'static, Result<Box<dyn Process>, SpawnError>>;

/// How long a program has to end after it was asked to, and again after it was killed.
const GRACE: Duration = Duration::from_secs(2);
/// The most that is read of what a program wrote.
const OUTPUT_BYTES: usize = 64 * 1024 * 1024;

/// What a program that has ended left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub exit: ProcessExit,
    /// All it wrote to standard output.
    pub stdout: Vec<u8>,
    /// All it wrote to standard error, as text.
    pub stderr: String,
}

/// Why there is nothing to be had of a program.
#[derive(Debug, Error)]
pub enum RunError {
    /// It could not be started.
    #[error("start it")]
    Spawn(#[from] SpawnError),
    /// It took too long, and was ended.
    #[error("wait for it: it took longer than {deadline:?}, and was ended")]
    TooSlow {
        /// The time that it had.
        deadline: Duration,
    },
    /// It took too long, and cannot be ended.
    #[error("end it: {process} hangs in the kernel")]
    Hangs {
        /// The process, which may end some day.
        process: ProcessIdentity,
    },
    /// It took too long, and may not be signalled.
    #[error("end it")]
    Signal(#[from] SignalError),
    /// The pipe for what it writes cannot be made.
    #[error("make {}", path.display())]
    Output {
        /// The pipe.
        path: PathBuf,
        /// The error of mknod(2) or open(2).
        source: io::Error,
    },
}

/// Runs `command` within `deadline`. The two pipes of its output, which must differ, are removed before and after; it waits
/// while they are full, whatever the command says.
///
/// # Errors
/// [`RunError`]; it is not running any more but in the cases [`RunError::Hangs`] and [`RunError::Signal`].
///
/// # Cancel safety
/// When the future is dropped, the program is run to its end all the same: its deadline holds, it is reaped, its pipes are
/// removed. What it wrote is lost.
///
/// # Panics
/// Outside a tokio runtime with I/O and time enabled.
pub async fn run(
    processes: &dyn Processes,
    command: Command,
    deadline: Duration,
) -> Result<Finished, RunError> {
    let (stdout, stderr) = (collect(&command.stdout)?, collect(&command.stderr)?);
    let started = processes.spawn(Command { when_full: WhenFull::Wait, ..command });
    // A task of its own: nobody's patience is the program's.
    match tokio::spawn(finish(started, stdout, stderr, deadline)).await {
        Ok(finished) => finished,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is going down and takes this future with it.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}

async fn finish(
    started: Started,
    mut stdout: Collector,
    mut stderr: Collector,
    deadline: Duration,
) -> Result<Finished, RunError> {
    // The arms that collect never end; what they have read stays with them.
    let exit = tokio::select! {
        exit = run_to_end(started, deadline) => exit?,
        () = stdout.collect() => unreachable!("it collects for ever"),
        () = stderr.collect() => unreachable!("it collects for ever"),
    };
    let stderr = String::from_utf8_lossy(&stderr.finish()).into_owned();
    Ok(Finished { exit, stdout: stdout.finish(), stderr })
}

fn collect(path: &Path) -> Result<Collector, RunError> {
    let made = Collector::make(path, OUTPUT_BYTES);
    made.map_err(|source| RunError::Output { path: path.to_owned(), source })
}

async fn run_to_end(started: Started, deadline: Duration) -> Result<ProcessExit, RunError> {
    let process = started.await?;
    if let Ok(exit) = timeout(deadline, process.wait()).await {
        return Ok(exit);
    }
    match timeout(GRACE * 2, terminate(&*process, GRACE)).await {
        Ok(ended) => ended.map_err(RunError::from).and(Err(RunError::TooSlow { deadline })),
        Err(_hangs) => {
            tokio::spawn(process.wait());
            Err(RunError::Hangs { process: process.identity().clone() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{AdoptError, FakeProcesses, OsProcesses, OsProcessesOptions, Signal};

    const DEADLINE: Duration = Duration::from_secs(30);

    fn shell(folder: &Path, script: &str) -> Command {
        Command {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: Vec::new(),
            directory: None,
            stdout: folder.join("out"),
            stderr: folder.join("err"),
            when_full: WhenFull::Wait,
        }
    }

    #[tokio::test]
    async fn what_it_wrote_is_told_and_nothing_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let processes = OsProcesses::new(OsProcessesOptions::default());
        std::fs::write(folder.path().join("out"), "of another run").unwrap();
        let command = shell(folder.path(), "echo wanted; echo odd >&2; exit 5");

        let finished = run(&processes, command, DEADLINE).await.unwrap();

        let (exit, stdout, stderr) = (ProcessExit::Code(5), b"wanted\n".to_vec(), "odd\n".to_owned());
        assert_eq!(finished, Finished { exit, stdout, stderr });
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[tokio::test]
    async fn all_of_a_long_output_is_read_while_the_program_writes() {
        let folder = tempfile::tempdir().unwrap();
        let processes = OsProcesses::new(OsProcessesOptions::default());
        let command = shell(
            folder.path(),
            "/usr/bin/head -c 3000000 /dev/zero; /usr/bin/head -c 3000000 /dev/zero >&2",
        );
        let finished = run(&processes, command, DEADLINE).await.unwrap();
        assert_eq!((finished.exit, finished.stdout.len()), (ProcessExit::Code(0), 3_000_000));
        assert_eq!(finished.stderr.len(), 3_000_000);
    }

    #[tokio::test]
    async fn a_program_that_cannot_be_started_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let processes = OsProcesses::new(OsProcessesOptions::default());
        let command = Command { program: "/no/such/program".into(), ..shell(folder.path(), "") };
        let error = run(&processes, command, DEADLINE).await.unwrap_err();
        assert!(matches!(error, RunError::Spawn(SpawnError::Exec { .. })), "{error:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_takes_too_long_is_asked_to_end() {
        let (folder, processes) = (tempfile::tempdir().unwrap(), FakeProcesses::new());
        let error = run(&processes, shell(folder.path(), ""), DEADLINE).await.unwrap_err();
        assert!(matches!(error, RunError::TooSlow { deadline: DEADLINE }), "{error:?}");
        let pid = processes.spawned()[0].identity.pid;
        assert_eq!(processes.signals(pid), [Signal::TERM, Signal::CONT]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_does_not_is_killed() {
        let (folder, processes) = (tempfile::tempdir().unwrap(), FakeProcesses::new());
        processes.on_terminate(None);
        let error = run(&processes, shell(folder.path(), ""), DEADLINE).await.unwrap_err();
        assert!(matches!(error, RunError::TooSlow { .. }), "{error:?}");
        assert_eq!(processes.running(), [0; 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_goes_away_takes_no_deadline_with_it() {
        let (folder, processes) = (tempfile::tempdir().unwrap(), FakeProcesses::new());
        let called = run(&processes, shell(folder.path(), ""), DEADLINE);
        timeout(Duration::from_secs(1), called).await.unwrap_err();
        let identity = processes.spawned()[0].identity.clone();
        assert_eq!(processes.running(), [identity.pid]);

        tokio::time::sleep(DEADLINE).await;

        assert_eq!(processes.running(), [0; 0]);
        assert_eq!(processes.signals(identity.pid), [Signal::TERM, Signal::CONT]);
        let left = processes.adopt(identity).await.err();
        assert!(matches!(left, Some(AdoptError::Gone { .. })), "it was reaped: {left:?}");
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
    }

    #[tokio::test]
    async fn one_that_ends_leaves_the_pipes_of_the_next_alone() {
        let folder = tempfile::tempdir().unwrap();
        let processes = OsProcesses::new(OsProcessesOptions::default());
        let script =
            format!("while [ ! -e {0} ]; do /bin/sleep 0.02; done", folder.path().join("go").display());
        let called = run(&processes, shell(folder.path(), &script), DEADLINE);
        timeout(Duration::from_millis(100), called).await.unwrap_err();
        let command = shell(folder.path(), "echo next");
        let made = collect(&command.stdout).unwrap();

        std::fs::write(folder.path().join("go"), "").unwrap();
        while folder.path().join("err").exists() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }

        assert!(command.stdout.exists());
        drop(made);
        assert!(!command.stdout.exists());
    }
}
