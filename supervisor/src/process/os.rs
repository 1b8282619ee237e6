//! The real processes of this host.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::reap::OsProcess;
use super::{
    AdoptError, BoxFuture, Command, FoundProcess, Process, ProcessIdentity, Processes, ScanError, ScanFilter,
    SpawnError, adopt, scan, spawn,
};
use crate::sys;

/// How many blocking calls run at once; a thousand processes started at once wait in line, not in a thousand threads.
/// As many calls that hang, on a disk that does not answer, hold up the rest.
const BLOCKING_CALLS_AT_ONCE: usize = 4;

/// How to use the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OsProcessesOptions {
    /// Whether to ask the kernel for the exit of processes that are not our children (Linux 6.15 and later).
    ///
    /// `false` makes any kernel behave as an earlier one: such exits are unknown. True by default.
    pub read_exit_of_strangers: bool,
}

impl Default for OsProcessesOptions {
    fn default() -> Self {
        Self { read_exit_of_strangers: true }
    }
}

/// The real processes of this host.
#[derive(Debug, Clone)]
pub struct OsProcesses {
    options: OsProcessesOptions,
    blocking_calls: Arc<Semaphore>,
}

impl OsProcesses {
    /// Prepares this program for being a parent: an ignored SIGCHLD, which a daemon can inherit and which would make
    /// the kernel throw exits away, is set back to its default.
    pub fn new(options: OsProcessesOptions) -> Self {
        sys::keep_exits_of_children();
        Self { options, blocking_calls: Arc::new(Semaphore::new(BLOCKING_CALLS_AT_ONCE)) }
    }

    /// Runs `call` on the blocking pool, when it is its turn.
    async fn blocking<T: Send + 'static>(self, call: impl FnOnce() -> T + Send + 'static) -> T {
        let turn = self.blocking_calls.acquire_owned().await.expect("the semaphore is never closed");
        let result = spawn_blocking(move || {
            // The turn ends with the call, not with the future, which may be dropped earlier.
            let _turn = turn;
            call()
        });
        match result.await {
            Ok(value) => value,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The runtime is going down and takes this future with it.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Processes for OsProcesses {
    fn spawn(&self, command: Command) -> BoxFuture<'static, Result<Box<dyn Process>, SpawnError>> {
        let this = self.clone();
        Box::pin(async move {
            let options = this.options;
            let (identity, pidfd) = this.blocking(move || spawn::spawn(&command)).await?;
            let process = OsProcess::new(identity, pidfd, options).map_err(|unwatched| {
                unwatched.kill();
                SpawnError::Identity { pid: unwatched.identity.pid, source: unwatched.cause }
            })?;
            Ok(Box::new(process) as Box<dyn Process>)
        })
    }

    fn adopt(&self, identity: ProcessIdentity) -> BoxFuture<'static, Result<Box<dyn Process>, AdoptError>> {
        let this = self.clone();
        Box::pin(async move {
            let options = this.options;
            let wanted = identity.clone();
            let pidfd = this.blocking(move || adopt::open(&wanted)).await?;
            let process = OsProcess::new(identity, pidfd, options).map_err(|unwatched| AdoptError::Io {
                identity: unwatched.identity,
                source: unwatched.cause,
            })?;
            Ok(Box::new(process) as Box<dyn Process>)
        })
    }

    fn scan(&self, wanted: ScanFilter) -> BoxFuture<'static, Result<Vec<FoundProcess>, ScanError>> {
        Box::pin(self.clone().blocking(move || scan::scan(&wanted)))
    }
}
