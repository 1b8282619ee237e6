//! Ends a process: asks, waits a grace, kills.

use std::time::Duration;

use tokio::time::timeout;

use super::{Process, ProcessExit, Signal, SignalError};

/// What it took to end a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Termination {
    /// It ended within the grace, by itself or because it was asked.
    Asked(ProcessExit),
    /// It did not, and was killed. The exit may still be another one, when it ended in that very moment.
    Killed(ProcessExit),
}

impl Termination {
    /// Returns how the process ended.
    pub fn exit(self) -> ProcessExit {
        match self {
            Self::Asked(exit) | Self::Killed(exit) => exit,
        }
    }
}

/// Ends `process`: SIGTERM, SIGKILL after `grace`, and waits for the end.
///
/// SIGCONT follows SIGTERM: a stopped process would not see the request before somebody continues it, and would be
/// killed without having been able to end in order. Only the process itself is signalled, not its children.
///
/// Waits without bound for a killed process that hangs in the kernel (a disk that does not answer). A process
/// that had ended before is no error.
///
/// # Errors
/// [`SignalError::Refused`] when the kernel refuses a signal; the process may be running.
///
/// # Cancel safety
/// Can be dropped and called again, which asks again and starts a new grace.
pub async fn terminate(process: &dyn Process, grace: Duration) -> Result<Termination, SignalError> {
    send(process, Signal::TERM)?;
    send(process, Signal::CONT)?;
    if let Ok(exit) = timeout(grace, process.wait()).await {
        return Ok(Termination::Asked(exit));
    }
    send(process, Signal::KILL)?;
    Ok(Termination::Killed(process.wait().await))
}

fn send(process: &dyn Process, signal: Signal) -> Result<(), SignalError> {
    match process.signal(signal) {
        Err(SignalError::Gone { .. }) | Ok(()) => Ok(()),
        Err(error) => Err(error),
    }
}
