//! The memory of a daemon that holds locks stays in memory.
//!
//! It goes on when the disk below its own program is lost: it is what tells lvm commands so. The libraries of the lock
//! managers are opened before, so that they are among what stays.

use std::fs;

use lvmwarden_supervisor::sys::dlm::{Dlm, DlmControl};
use lvmwarden_supervisor::sys::lock_memory;
use lvmwarden_supervisor::sys::sanlock::Sanlock;
use rustix::process::{Resource, getrlimit};
use slog::{Logger, info, warn};

/// The number of the capability with which memory may be locked without limit.
const CAP_IPC_LOCK: u32 = 14;

/// Opens the libraries that are there, and locks the memory of this program, where that may be done without limit.
///
/// Within a limit nothing is locked: what is beyond it could not be allocated.
pub(super) fn stay(log: &Logger) {
    // One that is absent is looked for again when it is needed.
    let absent = [
        Sanlock::load().err().map(|error| error.to_string()),
        Dlm::load().err().map(|error| error.to_string()),
        DlmControl::load().err().map(|error| error.to_string()),
    ];
    for reason in absent.into_iter().flatten() {
        info!(log, "the library of a lock manager is absent"; "reason" => reason, "next" => "look for it when it is needed");
    }
    let is_unlimited = getrlimit(Resource::Memlock).current.is_none();
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let locked = if is_unlimited || has_capability(&status, CAP_IPC_LOCK) {
        lock_memory().map_err(|error| error.to_string())
    } else {
        Err("neither CAP_IPC_LOCK nor LimitMEMLOCK=infinity is there".to_owned())
    };
    if let Err(error) = locked {
        warn!(log, "the memory is not locked"; "error" => error,
              "next" => "a disk that is lost may hold the daemon up, and with it all who ask for locks");
    }
}

/// Tells whether a capability is effective, by the text of `/proc/PID/status`.
fn has_capability(status: &str, number: u32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask >> number & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capability_is_found_by_its_bit() {
        let status = "Name:\tx\nCapPrm:\t000001ffffffffff\nCapEff:\t0000000000004000\n";
        assert!(has_capability(status, CAP_IPC_LOCK) && !has_capability(status, 13));
        assert!(!has_capability("", CAP_IPC_LOCK));
    }
}
