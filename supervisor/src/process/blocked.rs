//! Whether a process waits in the kernel and cannot be interrupted, mostly for a disk.

use std::path::{Path, PathBuf};

use super::ProcessIdentity;
use super::inspect::RootsProcess;

/// What a process waits for that cannot be interrupted, not even by a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The function of the kernel in which it waits, such as `dm_wait_for_completion`; `None` where that is not told.
    pub wait_point: Option<String>,
    /// The device file that its system call is about, where it is about one.
    pub device: Option<PathBuf>,
}

/// Returns what the process waits for, if it is in state D.
///
/// Source: proc(5), `/proc/pid/stat`, `wchan`, `syscall`, `fd`; the last three want the rights of ptrace, which root has.
pub(super) fn blocked(identity: &ProcessIdentity) -> Option<Blocked> {
    let process = RootsProcess::reopen(identity)?;
    let text = |name: &str| {
        process.read(name).map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
    };
    if state(&text("stat")) != Some('D') {
        return None;
    }
    let wait_point = Some(text("wchan")).filter(|point| !matches!(point.as_str(), "" | "0"));
    let device = descriptor(&text("syscall")).and_then(|fd| process.path_of_descriptor(&fd).ok());
    Some(Blocked { wait_point, device: device.filter(|path| path.starts_with(Path::new("/dev"))) })
}

/// The state is the word behind the command's name, which stands in parentheses and may contain some.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

/// Returns the first argument of a system call as the name of a descriptor: most calls that wait for a disk have one there.
fn descriptor(call: &str) -> Option<String> {
    let argument = call.split_ascii_whitespace().nth(1)?.strip_prefix("0x")?;
    u32::from_str_radix(argument, 16).ok().map(|number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_stands_behind_the_name() {
        assert_eq!(state("12 (lvm) D 1 12 12 0"), Some('D'));
        assert_eq!(state("12 (a) D (b)) S 1 12"), Some('S'));
        assert_eq!(state(""), None);
    }

    #[test]
    fn the_first_argument_may_be_a_descriptor() {
        assert_eq!(descriptor("17 0x1f 0x7ffc 0x1000"), Some("31".to_owned()));
        assert_eq!(descriptor("58 0x7fd451d2ef7a 0x1"), None);
        assert_eq!(descriptor("running"), None);
    }

    #[test]
    fn a_process_that_runs_is_not_blocked() {
        assert_eq!(blocked(&ProcessIdentity::of(std::process::id()).unwrap()), None);
    }
}
