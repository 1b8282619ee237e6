//! Whether a process waits for nothing but time.

use std::fs;

use super::ProcessIdentity;
use super::inspect::RootsProcess;

/// Reads which system call the process is in; its number is the first word, or there is a word instead, as `running`.
///
/// Source: proc(5), `/proc/pid/syscall`; it wants the rights of ptrace, which root has.
pub(super) fn is_asleep(identity: &ProcessIdentity) -> bool {
    // This is asked fifty times a second for each child that starts, so one file is read. It may be another's by now: it
    // counts only if the process is found to be the same afterwards, and root's.
    let call = fs::read_to_string(format!("/proc/{}/syscall", identity.pid)).unwrap_or_default();
    is_sleep(&call) && RootsProcess::reopen(identity).is_some()
}

fn is_sleep(call: &str) -> bool {
    let number = call.split_ascii_whitespace().next().and_then(|word| word.parse().ok());
    number.is_some_and(|number: libc::c_long| {
        [libc::SYS_nanosleep, libc::SYS_clock_nanosleep].contains(&number)
    })
}

#[cfg(test)]
mod tests {
    use super::is_sleep;

    #[test]
    fn only_a_sleep_is_one() {
        let sleeping = format!("{} 0x0 0x0 0x7ffffcc26f70 0x7f8716f4a503\n", libc::SYS_clock_nanosleep);
        let reading = format!("{} 0x3 0x7f 0x7ffffcc26f70\n", libc::SYS_read);
        for (call, is) in [
            (&*sleeping, true),
            (&reading, false),
            ("running\n", false),
            ("-1 0x7f 0x0\n", false),
            ("", false),
        ] {
            assert_eq!(is_sleep(call), is, "{call}");
        }
    }
}
