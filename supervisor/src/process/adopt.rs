//! Takes over a process of which only the identity is known.
//!
//! The order makes it safe: the pidfd is opened first and `/proc` is read second. When the start time found is the
//! one wanted, the wanted process had that pid before and after the pidfd was opened, so the pidfd is on it.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::process::{PidfdFlags, pidfd_open};
use thiserror::Error;

use super::identity::raw_pid;
use super::inspect::{InspectError, RootsProcess};
use super::{BootId, ProcessIdentity};

/// Why a process was not taken over.
#[derive(Debug, Error)]
pub enum AdoptError {
    /// It has ended and was reaped, or ran before the last boot; or its pid belongs to a process that is not root's.
    #[error("adopt {identity}: it is gone")]
    Gone {
        /// The process that was wanted.
        identity: ProcessIdentity,
    },
    /// It is gone as well: its pid belongs to another process now.
    #[error("adopt {wanted}: it is gone and its pid belongs to a process started at tick {}", found.start_time_ticks)]
    Stranger {
        /// The process that was wanted.
        wanted: ProcessIdentity,
        /// The process that has the pid now; it was not touched.
        found: ProcessIdentity,
    },
    /// It is this daemon itself or a kernel thread, which a journal of ours never names.
    #[error("adopt {identity}: it is this program itself or a thread of the kernel")]
    NotAChild {
        /// The process that was wanted.
        identity: ProcessIdentity,
    },
    /// The system would not say.
    #[error("adopt {identity}")]
    Io {
        /// The process that was wanted.
        identity: ProcessIdentity,
        /// The error of `pidfd_open(2)`, `/proc` or epoll(7).
        source: io::Error,
    },
}

/// Opens a pidfd that is certain to be on `wanted`. Blocking, though only for reads of `/proc`.
pub(super) fn open(wanted: &ProcessIdentity) -> Result<OwnedFd, AdoptError> {
    let gone = || AdoptError::Gone { identity: wanted.clone() };
    let failed = |source| AdoptError::Io { identity: wanted.clone(), source };

    let boot_id = BootId::current().map_err(failed)?;
    if wanted.boot_id != boot_id {
        return Err(gone());
    }
    let pidfd = match pidfd_open(raw_pid(wanted.pid).ok_or_else(gone)?, PidfdFlags::empty()) {
        Ok(pidfd) => pidfd,
        // The last two say that the number belongs to a thread now, on older and newer kernels.
        Err(Errno::SRCH | Errno::INVAL | Errno::NOENT) => return Err(gone()),
        Err(error) => return Err(failed(error.into())),
    };
    let looked = RootsProcess::open(wanted.pid).and_then(|process| Ok(process.stat()?));
    let stat = match looked {
        Ok(stat) => stat,
        // What we started is root's for ever: its pid is another's now.
        Err(InspectError::NotRoots) => return Err(gone()),
        Err(InspectError::Io(error)) if error.kind() == io::ErrorKind::NotFound => return Err(gone()),
        Err(InspectError::Io(error)) => return Err(failed(error)),
    };
    if stat.start_time_ticks != wanted.start_time_ticks {
        let found = ProcessIdentity { pid: wanted.pid, start_time_ticks: stat.start_time_ticks, boot_id };
        return Err(AdoptError::Stranger { wanted: wanted.clone(), found });
    }
    if stat.is_kernel_thread || wanted.pid == std::process::id() {
        return Err(AdoptError::NotAChild { identity: wanted.clone() });
    }
    Ok(pidfd)
}
