//! Which process a pid meant when it was written down, and whether it still means that one.
//!
//! A pid alone is used again; with its start time it is unique within one boot (the kernel would have to go round
//! all pids within one clock tick of 10 ms), and with the boot id it is unique on one host.
//! The start time is field 22 of `/proc/PID/stat`, in clock ticks since boot.
//!
//! Looking at `/proc` proves nothing about the next moment. Who wants to act on a process opens a pidfd first, looks
//! second, and acts through the pidfd: see `adopt`.

use std::fmt;
use std::fs;
use std::io;
use std::sync::OnceLock;

use rustix::process::Pid;
use serde::{Deserialize, Serialize};

/// The kernel's random id of one boot: 36 characters, a lower-case UUID with dashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BootId(String);

impl BootId {
    /// Returns the id of the running boot, which is read once.
    ///
    /// # Errors
    /// The error of reading `/proc/sys/kernel/random/boot_id`, as when `/proc` is not mounted.
    pub fn current() -> io::Result<Self> {
        static CURRENT: OnceLock<BootId> = OnceLock::new();
        if let Some(current) = CURRENT.get() {
            return Ok(current.clone());
        }
        let read = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        Ok(CURRENT.get_or_init(|| Self(read.trim_end().to_owned())).clone())
    }

    /// Returns the id of a boot that never was.
    #[cfg(any(test, feature = "testing"))]
    pub fn of_a_test(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for BootId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One process among all that ever ran on this host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// The process id.
    pub pid: u32,
    /// When it started, in clock ticks since boot.
    pub start_time_ticks: u64,
    /// The boot in which it started.
    pub boot_id: BootId,
}

impl ProcessIdentity {
    /// Returns the identity of the process that has `pid` now, be it running or a zombie.
    ///
    /// # Errors
    /// `NotFound` when no process has that pid; otherwise the error of reading `/proc`.
    pub fn of(pid: u32) -> io::Result<Self> {
        Ok(Self { pid, start_time_ticks: Stat::of(pid)?.start_time_ticks, boot_id: BootId::current()? })
    }

    /// Returns whether this very process still exists, be it running or a zombie.
    ///
    /// # Errors
    /// The error of reading `/proc`; that the process is gone is no error.
    pub fn is_still(&self) -> io::Result<bool> {
        match Self::of(self.pid) {
            Ok(found) => Ok(found == *self),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl fmt::Display for ProcessIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {} started at tick {} of boot {}", self.pid, self.start_time_ticks, self.boot_id)
    }
}

/// What is needed of `/proc/PID/stat`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) parent: u32,
    pub(super) is_kernel_thread: bool,
    pub(super) start_time_ticks: u64,
}

/// The flag of a thread that belongs to the kernel. Source: Linux 6.18, `include/linux/sched.h`, `PF_KTHREAD`.
const KERNEL_THREAD: u32 = 0x0020_0000;

impl Stat {
    fn of(pid: u32) -> io::Result<Self> {
        let text = read_proc(pid, "stat")?;
        Self::parse(&text)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/PID/stat has another form"))
    }

    /// Parses the one line of the file. `None` when it does not have that form.
    ///
    /// Field 2 is the program's name in parentheses, in which any byte may occur, `)` and newline as well; no later
    /// field has a `)`, so the last one ends it.
    ///
    /// Source: `proc_pid_stat(5)`; fields count from 1.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let end_of_name = text.iter().rposition(|byte| *byte == b')')?;
        let after_name = std::str::from_utf8(&text[end_of_name + 1..]).ok()?;
        let mut fields = after_name.split_ascii_whitespace().skip(1); // Field 3, the state.
        let parent = fields.next()?.parse().ok()?; // Field 4.
        let flags: u32 = fields.nth(4)?.parse().ok()?; // Field 9.
        let start_time_ticks = fields.nth(12)?.parse().ok()?; // Field 22.
        Some(Self { parent, is_kernel_thread: flags & KERNEL_THREAD != 0, start_time_ticks })
    }
}

/// Returns `pid` as the kernel takes it; `None` for 0 and for numbers that no pid can have.
pub(super) fn raw_pid(pid: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(pid).ok()?)
}

/// Reads a file of `/proc/PID`. A process that is gone is `NotFound`, at whatever point it went.
fn read_proc(pid: u32, file: &str) -> io::Result<Vec<u8>> {
    fs::read(format!("/proc/{pid}/{file}")).map_err(|error| match error.raw_os_error() {
        // A process that goes between open and read.
        Some(libc::ESRCH) => io::ErrorKind::NotFound.into(),
        _ => error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS_AFTER_NAME: &str =
        "S 1 70 70 0 -1 4194560 95 0 0 0 0 0 0 0 20 0 1 0 123456 4096 1 18446744073709551615 0";

    #[test]
    fn the_start_time_is_found_behind_any_name() {
        for name in ["sh", "a b", "a) S 7 (b", ")", "", "new\nline", "\u{1f427}"] {
            let line = format!("71 ({name}) {FIELDS_AFTER_NAME}\n");
            let stat = Stat { parent: 1, is_kernel_thread: false, start_time_ticks: 123_456 };
            assert_eq!(Stat::parse(line.as_bytes()), Some(stat), "name {name:?}");
        }
    }

    #[test]
    fn a_thread_of_the_kernel_is_told_by_its_flags() {
        let line = b"2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 6 0 0 20 0 1 0 9 0 0 18446744073709551615 0";
        assert!(Stat::parse(line).unwrap().is_kernel_thread);
    }

    #[test]
    fn a_name_need_not_be_text() {
        let line = [b"71 (\xff\xfe) ".as_slice(), FIELDS_AFTER_NAME.as_bytes()].concat();
        assert_eq!(Stat::parse(&line).map(|stat| stat.start_time_ticks), Some(123_456));
    }

    #[test]
    fn a_line_of_another_form_is_refused() {
        for line in
            ["", "71", "71 (sh", "71 (sh) S 1", "71 (sh) S one 70 70", "71 (sh) S 1 2 3 4 5 6 7 8 9 0 1 2"]
        {
            assert_eq!(Stat::parse(line.as_bytes()), None, "line {line:?}");
        }
    }

    #[test]
    fn this_process_is_still_itself() {
        let identity = ProcessIdentity::of(std::process::id()).unwrap();
        assert!(identity.is_still().unwrap());
        assert_eq!(identity.boot_id.to_string().len(), 36);
    }

    #[test]
    fn another_start_time_or_boot_is_another_process() {
        let identity = ProcessIdentity::of(std::process::id()).unwrap();
        let later = ProcessIdentity { start_time_ticks: identity.start_time_ticks + 1, ..identity.clone() };
        let other_boot = ProcessIdentity { boot_id: BootId::of_a_test("of last week"), ..identity };
        assert!(!later.is_still().unwrap());
        assert!(!other_boot.is_still().unwrap());
    }

    #[test]
    fn a_pid_out_of_range_is_no_process() {
        let error = ProcessIdentity::of(u32::MAX).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn identities_keep_their_spelling_in_json() {
        let json = r#"{"pid":71,"start_time_ticks":123456,"boot_id":"b"}"#;
        let identity: ProcessIdentity = serde_json::from_str(json).unwrap();
        assert_eq!(serde_json::to_string(&identity).unwrap(), json);
    }
}
