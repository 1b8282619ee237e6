//! Waits for the end of processes and says how they ended.
//!
//! The runtime watches the pidfd, which becomes readable when the process has ended. Then, in this order:
//! 1. waitid(2) on the pidfd. It answers for every child of this daemon, whichever actor started it, and reaps it.
//! 2. It refuses (ECHILD): the process is not our child, or was reaped. Linux 6.15 and later keep the exit of a reaped
//!    process for those who hold a pidfd that was opened before: `PIDFD_GET_INFO`.
//! 3. That is not known either: [`ProcessExit::Unknown`].
//!
//! The exit can be taken from the kernel only once, so it is kept in the handle the moment it is read.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Signal, WaitId, WaitIdOptions, WaitIdStatus, pidfd_send_signal, waitid};
use thiserror::Error;
use tokio::time::sleep;

use super::identity::raw_pid;
use super::{Blocked, BoxFuture, OsProcessesOptions, Process, ProcessExit, ProcessIdentity};
use super::{asleep, blocked};
use crate::sys::{self, WatchedFd};

/// Why a signal was not sent.
#[derive(Debug, Error)]
pub enum SignalError {
    /// The process has ended and was reaped.
    #[error("signal {identity}: it is gone")]
    Gone {
        /// The process.
        identity: ProcessIdentity,
    },
    /// The kernel refused.
    #[error("signal {identity}")]
    Refused {
        /// The process.
        identity: ProcessIdentity,
        /// The error of `pidfd_send_signal(2)`.
        source: io::Error,
    },
}

/// A pidfd in the care of the runtime.
pub(super) struct OsProcess {
    identity: ProcessIdentity,
    watch: Arc<Watch>,
}

impl OsProcess {
    /// Puts `pidfd`, which must be on the process `identity`, in the care of the current runtime.
    pub(super) fn new(
        identity: ProcessIdentity,
        pidfd: OwnedFd,
        options: OsProcessesOptions,
    ) -> Result<Self, UnwatchedProcess> {
        match WatchedFd::new(pidfd) {
            Ok(pidfd) => {
                let watch = Watch { pidfd, options, exit: Mutex::new(None) };
                Ok(Self { identity, watch: Arc::new(watch) })
            }
            Err((pidfd, cause)) => Err(UnwatchedProcess { identity, pidfd, cause }),
        }
    }
}

impl Process for OsProcess {
    fn identity(&self) -> &ProcessIdentity {
        &self.identity
    }

    fn wait(&self) -> BoxFuture<'static, ProcessExit> {
        let watch = Arc::clone(&self.watch);
        Box::pin(async move { watch.wait().await })
    }

    fn ended(&self) -> BoxFuture<'static, ()> {
        let watch = Arc::clone(&self.watch);
        Box::pin(async move { watch.ended().await })
    }

    fn is_asleep(&self) -> bool {
        asleep::is_asleep(&self.identity)
    }

    fn blocked(&self) -> Option<Blocked> {
        blocked::blocked(&self.identity)
    }

    fn signal(&self, signal: Signal) -> Result<(), SignalError> {
        pidfd_send_signal(&self.watch.pidfd, signal).map_err(|error| {
            let identity = self.identity.clone();
            match error {
                Errno::SRCH => SignalError::Gone { identity },
                error => SignalError::Refused { identity, source: error.into() },
            }
        })
    }
}

/// A process that the runtime could not take in its care.
pub(super) struct UnwatchedProcess {
    pub(super) identity: ProcessIdentity,
    pidfd: OwnedFd,
    pub(super) cause: io::Error,
}

impl UnwatchedProcess {
    /// Ends a child that was just started, since nobody would learn of its end. Waits for nothing.
    pub(super) fn kill(&self) {
        // It can only fail when it is gone already.
        let _ = pidfd_send_signal(&self.pidfd, Signal::KILL);
        reap_when_ended(self.identity.pid);
    }
}

/// Reaps a child that was killed, when it has ended: it may hang in the kernel, on a disk that does not answer.
///
/// # Panics
/// Outside a tokio runtime.
pub(super) fn reap_when_ended(pid: u32) {
    let child = WaitId::Pid(raw_pid(pid).expect("a child has a valid pid"));
    let has_ended =
        move || !matches!(waitid(child.clone(), WaitIdOptions::EXITED | WaitIdOptions::NOHANG), Ok(None));
    tokio::spawn(async move {
        while !has_ended() {
            sleep(LOOK_AGAIN_AFTER).await;
        }
    });
}

/// How often to look again at a process that has ended while somebody else holds its exit.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(10);

/// How often to look at a process whose own parent does not reap it: five seconds altogether. There are programs at
/// pid 1, in containers and small machines, that reap orphans only every second or two.
const LOOKS_AT_UNREAPED_STRANGER: u32 = 500;

struct Watch {
    pidfd: WatchedFd,
    options: OsProcessesOptions,
    exit: Mutex<Option<ProcessExit>>,
}

enum Look {
    Exit(ProcessExit),
    /// Our child, which a debugger holds: the kernel hands it to us when the debugger has let go.
    HeldByTracer,
    /// Not our child, and its own parent has yet to reap it. Only then does the kernel tell the exit.
    HeldByParent,
}

impl Watch {
    async fn ended(&self) {
        if self.pidfd.readable().await.is_err() {
            // The runtime is going down and takes this future with it.
            std::future::pending::<()>().await;
        }
    }

    async fn wait(&self) -> ProcessExit {
        self.ended().await;
        let mut looks_left = LOOKS_AT_UNREAPED_STRANGER;
        loop {
            match self.look() {
                Look::Exit(exit) => return exit,
                Look::HeldByParent if looks_left == 0 => return ProcessExit::Unknown,
                Look::HeldByParent => looks_left -= 1,
                Look::HeldByTracer => {}
            }
            sleep(LOOK_AGAIN_AFTER).await;
        }
    }

    /// Reads the exit of a process that has ended, once; the lock keeps a second reader from finding it taken.
    fn look(&self) -> Look {
        let mut known = self.exit.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(exit) = *known {
            return Look::Exit(exit);
        }
        let look = self.look_into_kernel();
        if let Look::Exit(exit) = look {
            *known = Some(exit);
        }
        look
    }

    fn look_into_kernel(&self) -> Look {
        let pidfd = self.pidfd.as_fd();
        match waitid(WaitId::PidFd(pidfd), WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
            Ok(Some(status)) => return Look::Exit(exit_of(&status)),
            Ok(None) => return Look::HeldByTracer,
            Err(_) if !self.options.read_exit_of_strangers => return Look::Exit(ProcessExit::Unknown),
            Err(_) => {}
        }
        match sys::exit_of_reaped_process(pidfd) {
            Ok(Some(status)) => Look::Exit(ProcessExit::from_wait_status(status)),
            Ok(None) => Look::HeldByParent,
            Err(_) => Look::Exit(ProcessExit::Unknown),
        }
    }
}

fn exit_of(status: &WaitIdStatus) -> ProcessExit {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => ProcessExit::Code(code),
        (None, Some(signal)) => ProcessExit::Signal(signal),
        (None, None) => ProcessExit::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, WhenFull, spawn};
    use super::*;

    #[tokio::test]
    async fn a_child_that_cannot_be_watched_is_killed_and_the_runtime_does_not_wait_for_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let command = Command {
            program: "/bin/sleep".into(),
            arguments: vec!["30".into()],
            environment: Vec::new(),
            directory: None,
            stdout: folder.path().join("out"),
            stderr: folder.path().join("err"),
            when_full: WhenFull::Lose,
        };
        let (identity, pidfd) = spawn::spawn(&command).unwrap();
        let unwatched = UnwatchedProcess { identity, pidfd, cause: io::ErrorKind::OutOfMemory.into() };
        unwatched.kill();
        // Nothing else has had its turn on this thread.
        assert!(unwatched.identity.is_still().unwrap(), "it was reaped, so it was waited for");
        tokio::time::timeout(Duration::from_secs(30), async {
            while unwatched.identity.is_still().unwrap() {
                sleep(LOOK_AGAIN_AFTER).await;
            }
        })
        .await
        .expect("it is killed and reaped soon");
    }
}
