//! What the kernel knows of the wall clock.

use std::{io, mem};

/// The largest error that the kernel tells, in microseconds: that of a clock which nobody keeps right.
///
/// Source: Linux 6.18, `include/linux/timex.h` (`NTP_PHASE_LIMIT`).
const UNBOUNDED_ERROR: libc::c_long = 16_000_000;

/// Returns whether somebody keeps the wall clock right. Asks only, and changes nothing.
///
/// The answer is no from the boot to the first synchronisation, once the clock was set by hand, and half a day after
/// the last synchronisation. `STA_UNSYNC` is not looked at: chrony keeps that set where it is not to touch the hardware
/// clock. `timedatectl` judges in the same way.
///
/// # Errors
/// The error of adjtimex(2): a filter of system calls forbids the question (`ProtectClock=` of systemd does).
///
/// Source: Linux 6.18, `kernel/time/ntp.c` (`ntp_clear`, `second_overflow`).
pub fn is_synchronised() -> io::Result<bool> {
    // SAFETY: the structure is numbers only, for which zero is a valid value; no mode is a question.
    let mut answer: libc::timex = unsafe { mem::zeroed() };
    // SAFETY: `answer` lives long enough to be written, and has the size that the C library expects.
    let asked = unsafe { libc::adjtimex(&raw mut answer) };
    if asked < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(is_bounded(answer.maxerror))
}

fn is_bounded(microseconds: libc::c_long) -> bool {
    microseconds < UNBOUNDED_ERROR
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_with_the_largest_error_is_not_synchronised() {
        assert_eq!([0, 15_999_999, 16_000_000].map(is_bounded), [true, true, false]);
    }

    #[test]
    fn the_kernel_answers_or_a_filter_forbids_the_question() {
        let asked = is_synchronised();
        assert!(
            asked.as_ref().err().is_none_or(|error| error.raw_os_error() == Some(libc::EPERM)),
            "{asked:?}"
        );
    }
}
