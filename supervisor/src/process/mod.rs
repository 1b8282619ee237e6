//! Child processes that outlive the daemon: started, found again, waited for and ended.
//!
//! What it is for: the actors above see two traits, [`Processes`] and [`Process`]. [`OsProcesses`] is the real
//! thing; `FakeProcesses` (feature `testing`) is the scripted one, which runs on a paused clock.
//!
//! What it owns: one pidfd per [`Process`] handle and nothing else. A handle is not the process: dropping it never
//! signals, ends or reaps anything.
//!
//! What it must never do: signal a pid (only a pidfd whose identity was checked), read or take over a process that is not
//! root's (`inspect`), take an unknown exit for a success, or block the runtime thread (fork, exec and walks through
//! `/proc` run on a small blocking pool).
//!
//! ```text
//!  Command ──spawn──┐
//!                   ├──> Process { identity, pidfd } ──wait──> ProcessExit
//!  identity ─adopt──┘            │                      Code(n) | Signal(n) | Unknown
//!     ▲                          └──signal / terminate
//!     └─scan: what earlier lives of the daemon, or other programs, left behind
//! ```
//!
//! The life of one process, and what a crash of the daemon leaves at each step:
//! 1. `spawn` forks and executes. A crash now leaves a process nobody wrote down: `scan` finds it by its environment.
//! 2. The caller stores the [`ProcessIdentity`]. A crash now: `adopt` takes the process over again.
//! 3. The process ends. Its exit waits in the kernel until someone waits: a new actor of the same daemon reads it as
//!    if it had been there all along; a new daemon reads it where the kernel allows (see [`ProcessExit::Unknown`]).
//!
//! Where to look next: `command` says what a child inherits, `identity` what makes a process the same process,
//! `reap` where exits come from, `run` how a program is run that ends soon.

mod adopt;
mod asleep;
mod blocked;
mod command;
mod exit;
#[cfg(any(test, feature = "testing"))]
mod fake;
mod identity;
mod inspect;
mod os;
mod output;
mod peer;
mod reap;
mod run;
mod scan;
mod spawn;
mod terminate;

use std::pin::Pin;

pub use adopt::AdoptError;
pub use blocked::Blocked;
pub use command::Command;
pub use exit::ProcessExit;
#[cfg(any(test, feature = "testing"))]
pub use fake::{FakeProcesses, Spawned};
pub use identity::{BootId, ProcessIdentity};
pub use os::{OsProcesses, OsProcessesOptions};
pub use output::{OutputReader, WhenFull};
pub use peer::{PeerWatch, peer_identity};
pub use reap::SignalError;
pub use run::{Finished, RunError, run};
pub use rustix::process::Signal;
pub use scan::{FoundProcess, ScanError, ScanFilter, Stdout};
pub use spawn::{SpawnError, open_files_limit, raise_open_files_limit};
pub use terminate::{Termination, terminate};

/// A future on the heap that may be sent to another thread.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The ways to get hold of a process.
///
/// Nothing happens before the returned future is polled. All futures need a tokio runtime with I/O enabled.
pub trait Processes: Send + Sync + 'static {
    /// Starts `command` as a child of this daemon.
    ///
    /// # Errors
    /// [`SpawnError`]; no process is left running in any of its cases.
    ///
    /// # Cancel safety
    /// Not cancel-safe: when the future is dropped the process may have been started, or be started later. It is
    /// then found by [`Processes::scan`], like one that an earlier life of the daemon left behind.
    fn spawn(&self, command: Command) -> BoxFuture<'static, Result<Box<dyn Process>, SpawnError>>;

    /// Takes over the process that `identity` names, whoever started it.
    ///
    /// A child of this daemon that has ended but was never waited for is still there, and its exit with it.
    ///
    /// # Errors
    /// [`AdoptError::Gone`] when the process has ended and was reaped, or belongs to an earlier boot;
    /// [`AdoptError::Stranger`] when its pid belongs to another process now; [`AdoptError::Io`] otherwise.
    ///
    /// # Cancel safety
    /// Cancel-safe: adopting changes nothing about the process.
    fn adopt(&self, identity: ProcessIdentity) -> BoxFuture<'static, Result<Box<dyn Process>, AdoptError>>;

    /// Finds the running processes whose command line `wanted` accepts, ordered by pid.
    ///
    /// Kernel threads, zombies and this daemon itself are never found, nor is any process that is not root's: of those
    /// nothing but their user ids is read.
    ///
    /// # Errors
    /// [`ScanError`] when the process table cannot be read at all. A process that ends during the scan is no error.
    ///
    /// # Cancel safety
    /// Cancel-safe: scanning only looks.
    fn scan(&self, wanted: ScanFilter) -> BoxFuture<'static, Result<Vec<FoundProcess>, ScanError>>;
}

/// A handle on one process, which stays on that process even when its pid is used again.
///
/// Dropping the handle leaves the process alone. A child of this daemon that ends without anybody waiting stays a
/// zombie, on purpose: the exit is kept for the one who adopts it next.
pub trait Process: Send + Sync {
    /// Returns which process this is.
    fn identity(&self) -> &ProcessIdentity;

    /// Waits for the end of the process and returns how it ended.
    ///
    /// May be called again, also at the same time: every call gives the same answer. The first call that sees the
    /// end of a child reaps it; from then on only this handle knows the exit.
    ///
    /// # Cancel safety
    /// Cancel-safe: an exit that was read is kept in the handle before the future is ready.
    fn wait(&self) -> BoxFuture<'static, ProcessExit>;

    /// Waits for the end of the process, however it ended.
    ///
    /// Sooner than [`Process::wait`] where its exit is told only when its own parent has reaped it.
    ///
    /// # Cancel safety
    /// Cancel-safe.
    fn ended(&self) -> BoxFuture<'static, ()>;

    /// Tells whether the process only waits for time to pass just now, in nanosleep(2) or `clock_nanosleep(2)`.
    ///
    /// `false` also where that cannot be told. Neither waits for the process nor stops it.
    fn is_asleep(&self) -> bool;

    /// Returns what the process waits for, if it waits in the kernel and cannot be interrupted just now.
    ///
    /// `None` also where that cannot be told. Neither waits for the process nor stops it.
    fn blocked(&self) -> Option<Blocked>;

    /// Sends a signal. `Ok` means sent: an ended process that was not reaped yet takes any signal without effect.
    ///
    /// # Errors
    /// [`SignalError::Gone`] when the process has ended and was reaped; [`SignalError::Refused`] when the kernel
    /// refuses the signal.
    fn signal(&self, signal: Signal) -> Result<(), SignalError>;
}
