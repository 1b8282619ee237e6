//! Whether the wall clock can be believed when it says how old a copy is.

use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use lvmwarden_supervisor::sys;

/// What systemd-timesyncd touches each time that it has set the clock, on a tmpfs.
///
/// Source: systemd 252, systemd-timesyncd.service(8).
const MARK_OF_TIMESYNCD: &str = "/run/systemd/timesync/synchronized";
/// How long a touch says that the clock is right; by default there is one in half an hour. After a jump the mark is older, or
/// of the future.
const GOOD_FOR: Duration = Duration::from_hours(12);

/// Returns whether the wall clock is known to be right; where nobody can tell, it is not known.
pub fn is_synchronised() -> bool {
    judge(sys::clock::is_synchronised(), Path::new(MARK_OF_TIMESYNCD), SystemTime::now())
}

/// Judges by what the kernel answers, and by the mark where a filter of system calls lets nobody ask the kernel.
fn judge(kernel: io::Result<bool>, mark: &Path, now: SystemTime) -> bool {
    kernel.unwrap_or_else(|_| {
        let touched = fs::metadata(mark).and_then(|mark| mark.modified());
        touched.is_ok_and(|touched| now.duration_since(touched).is_ok_and(|age| age <= GOOD_FOR))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_of_which_nobody_can_tell_is_not_believed() {
        let mark = tempfile::NamedTempFile::new().unwrap();
        let touched = mark.as_file().metadata().unwrap().modified().unwrap();
        let (there, missing) = (mark.path(), mark.path().join("missing"));
        let forbidden = || Err(io::Error::from(io::ErrorKind::PermissionDenied));
        assert!(!judge(forbidden(), &missing, touched));
        assert!(judge(forbidden(), there, touched + GOOD_FOR), "timesyncd has set it");
        let moment = Duration::from_secs(1);
        assert!(
            !judge(forbidden(), there, touched + GOOD_FOR + moment),
            "the clock has jumped forward since"
        );
        assert!(!judge(forbidden(), there, touched - moment), "the clock was set back since");
    }

    #[test]
    fn the_kernel_is_believed_before_the_mark() {
        let mark = tempfile::NamedTempFile::new().unwrap();
        let touched = mark.as_file().metadata().unwrap().modified().unwrap();
        assert!(!judge(Ok(false), mark.path(), touched), "it was set by hand since");
        assert!(judge(Ok(true), Path::new("/nonexistent"), touched));
    }
}
