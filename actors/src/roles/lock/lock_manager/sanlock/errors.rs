//! What sanlock's refusals mean to a client of the lock daemon.
//!
//! sanlock's own numbers overlap with the lock daemon's result codes and mean something else there: none leaves this
//! place but as [`Fault::raw`].
//!
//! Source: lvm2 2.03.39, `lvmlockd-sanlock.c`; what sanlock 3.8.5 answers.

use std::borrow::Cow;

use lvmwarden_protocol::lock::{LockMode, ResultCode};
use lvmwarden_supervisor::sys::sanlock::{LibraryError, Refusal};

use crate::roles::lock::lock_manager::{Adopt, Fault, Resource};

// Those of sanlock's refusals that are an errno.
const EPERM: Refusal = Refusal(-1);
pub(super) const ENOENT: Refusal = Refusal(-2);
const EIO: Refusal = Refusal(-5);
pub(super) const EAGAIN: Refusal = Refusal(-11);
const EACCES: Refusal = Refusal(-13);
pub(super) const EBUSY: Refusal = Refusal(-16);
pub(super) const EINPROGRESS: Refusal = Refusal(-115);
pub(super) const EEXIST: Refusal = Refusal(-17);
const ENOSPC: Refusal = Refusal(-28);
const EPIPE: Refusal = Refusal(-32);
pub(super) const EMSGSIZE: Refusal = Refusal(-90);
const ECONNREFUSED: Refusal = Refusal(-111);
const EUCLEAN: Refusal = Refusal(-117);

/// What was wanted when a lock was refused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) resource: &'a Resource,
    pub(super) mode: LockMode,
    pub(super) adopt: Adopt,
}

/// Returns the fault of a call that needs sanlock's library.
pub(super) fn no_library(error: &LibraryError) -> Fault {
    Fault::new(ResultCode::MANAGER, error.to_string())
}

/// Returns the fault of a lock that was refused; who holds it is for others to find out.
pub(super) fn acquire_fault(refusal: Refusal, wanted: Wanted<'_>) -> Fault {
    let is_shared = wanted.mode == LockMode::Shared;
    let (code, is_transient) = match refusal {
        EAGAIN
        | Refusal::ID_LIVE
        | Refusal::OWNED
        | Refusal::OTHER
        | Refusal::SHARED_RETRY
        | Refusal::CAW_MISCOMPARE => (ResultCode::AGAIN, is_shared),
        Refusal::OWNED_RETRY | Refusal::OWNED_NO_TIMEOUT | Refusal::DBLOCK_LVER | Refusal::DBLOCK_MBAL => {
            (ResultCode::AGAIN, false)
        }
        Refusal::AIO_TIMEOUT => (ResultCode::IO_TIMEOUT, false),
        EMSGSIZE if matches!(wanted.resource, Resource::Lv(_)) => (ResultCode::NO_ROOM, false),
        EUCLEAN if wanted.adopt == Adopt::No => (ResultCode::ORPHAN, false),
        EUCLEAN => (ResultCode::ADOPT_RETRY, false),
        ENOENT if wanted.adopt == Adopt::Only => (ResultCode::ADOPT_NONE, false),
        // A connection gets EBUSY from when sanlock wants its program to end, because the lockspace is lost; and ENOSPC
        // when it is gone.
        EIO | EBUSY | ENOSPC => (ResultCode::LOCK_IO, false),
        other if is_io(other) => (ResultCode::LOCK_IO, false),
        other if is_corrupt(other) => (ResultCode::REPAIR, false),
        _ => (ResultCode::LOCK_MANAGER, false),
    };
    fault(code, refusal, &format!("acquire {} {}", wanted.mode, wanted.resource)).transient(is_transient)
}

/// Returns the fault of a lock whose mode was not changed.
pub(super) fn convert_fault(refusal: Refusal, resource: &Resource, mode: LockMode) -> Fault {
    let code = match refusal {
        EAGAIN
        | Refusal::ID_LIVE
        | Refusal::OWNED
        | Refusal::OTHER
        | Refusal::SHARED_RETRY
        | Refusal::OWNED_RETRY
        | Refusal::OWNED_NO_TIMEOUT
        | Refusal::CAW_MISCOMPARE
        | Refusal::DBLOCK_LVER
        | Refusal::DBLOCK_MBAL
        | Refusal::AIO_TIMEOUT => ResultCode::AGAIN,
        _ => ResultCode::LOCK_MANAGER,
    };
    fault(code, refusal, &format!("convert {resource} to {mode}"))
}

/// Returns the fault of a lockspace that was not joined.
pub(super) fn join_fault(refusal: Refusal, lockspace: &str) -> Fault {
    let code = match refusal {
        EEXIST => ResultCode::EXISTS,
        // It is being left.
        EAGAIN => ResultCode::AGAIN,
        EINPROGRESS => ResultCode::STARTING,
        Refusal::HOST_ID_RANGE => ResultCode::BAD_HOST_ID,
        other => io_code(other),
    };
    fault(code, refusal, &format!("join lockspace {lockspace}"))
}

/// Returns the fault of a lockspace that was not left.
pub(super) fn leave_fault(refusal: Refusal, lockspace: &str) -> Fault {
    let code = if refusal == EBUSY { ResultCode::BUSY } else { io_code(refusal) };
    fault(code, refusal, &format!("leave lockspace {lockspace}"))
}

/// Returns the fault of sanlock's refusing what every client needs: it does not run, or there is nothing of ours.
pub(super) fn manager_fault(refusal: Refusal, what: &str) -> Fault {
    fault(ResultCode::MANAGER, refusal, what)
}

/// Returns the fault of reading or writing leases.
pub(super) fn disk_fault(refusal: Refusal, what: &str) -> Fault {
    fault(io_code(refusal), refusal, what)
}

/// Returns whether there is nothing at a place because the disk is smaller.
pub(super) fn is_end_of_disk(refusal: Refusal) -> bool {
    matches!(refusal, EMSGSIZE | ENOSPC)
}

/// Returns whether a lease cannot be used as it is, and could if it were written anew.
pub(super) fn is_corrupt(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::LEADER_MAGIC
            | Refusal::LEADER_VERSION
            | Refusal::LEADER_DIFF
            | Refusal::LEADER_LOCKSPACE
            | Refusal::LEADER_RESOURCE
            | Refusal::LEADER_CHECKSUM
            | Refusal::DBLOCK_CHECKSUM
            | Refusal::LEADER_CORRUPT
    )
}

/// Returns whether a lease that was given back is no longer known to be held by us.
///
/// -1 is sanlock's word for it in [`release`](lvmwarden_supervisor::sys::sanlock::Registration::release).
pub(super) fn was_not_held(refusal: Refusal) -> bool {
    matches!(refusal, EPERM | ENOENT)
}

fn is_io(refusal: Refusal) -> bool {
    matches!(
        refusal,
        Refusal::LEADER_READ | Refusal::LEADER_WRITE | Refusal::DBLOCK_READ | Refusal::DBLOCK_WRITE
    )
}

fn io_code(refusal: Refusal) -> ResultCode {
    match refusal {
        EACCES => ResultCode::DEVICE_OPEN,
        EMSGSIZE | ENOSPC => ResultCode::NO_ROOM,
        EIO => ResultCode::LOCK_IO,
        Refusal::AIO_TIMEOUT => ResultCode::IO_TIMEOUT,
        ECONNREFUSED | EPIPE => ResultCode::MANAGER,
        other if is_io(other) => ResultCode::LOCK_IO,
        other if is_corrupt(other) => ResultCode::REPAIR,
        _ => ResultCode::LOCK_MANAGER,
    }
}

fn fault(code: ResultCode, refusal: Refusal, what: &str) -> Fault {
    Fault { raw: refusal.0, ..Fault::new(code, format!("{what}: {}", reason(refusal))) }
}

/// Says why, for people.
fn reason(refusal: Refusal) -> Cow<'static, str> {
    let text = match refusal {
        Refusal::AIO_TIMEOUT => "the disk did not answer in time",
        Refusal::LEADER_READ | Refusal::DBLOCK_READ => "the lease cannot be read",
        Refusal::LEADER_WRITE | Refusal::DBLOCK_WRITE => "the lease cannot be written",
        Refusal::LEADER_MAGIC => "there is no lease on the disk",
        Refusal::LEADER_LOCKSPACE => "the lease is of another lockspace",
        Refusal::LEADER_RESOURCE => "the lease has another name",
        other if is_corrupt(other) => "the lease is corrupt",
        Refusal::HOST_ID_RANGE => "the host id is too large for these leases",
        Refusal::HOST_ID_BUSY => "another host uses the same host id",
        EAGAIN | Refusal::ID_LIVE | Refusal::OWNED | Refusal::OTHER => "another host holds it",
        Refusal::OWNED_RETRY => "a host that may be dead holds it",
        Refusal::SHARED_RETRY => "too many hosts want it at once",
        EUCLEAN => "it is held by an earlier life of the lock daemon",
        EBUSY => "sanlock waits for the end of what uses the lockspace",
        ENOSPC => "the lockspace is gone, or the disk is full",
        EMSGSIZE => "it is beyond the end of the disk",
        EPERM | EPIPE | ECONNREFUSED => "sanlock does not answer",
        other => return Cow::Owned(other.to_string()),
    };
    Cow::Borrowed(text)
}

impl Fault {
    fn transient(self, is_transient: bool) -> Self {
        Self { is_transient, ..self }
    }
}

#[cfg(test)]
mod tests;
