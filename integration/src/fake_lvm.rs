//! The stub `lvm` as the tests see it: what it was started with, what it shall do.
//!
//! A daemon under test starts `fake-lvm lvpoll …` instead of `lvm lvpoll …`, and `fake-lvm lvs …` likewise. Both sides meet in one folder,
//! which the stub learns from the environment variable `FAKE_LVM_DIR`:
//!
//! | file | written by | holds |
//! |---|---|---|
//! | `starts.jsonl` | every stub of lvpoll, one line at its start | [`Start`] |
//! | `lvs.jsonl` | every stub of lvs, likewise | [`Start`] |
//! | `script.VG.LV`, `script.lvs` | the test, beforehand | a script (JSON list of [`Step`]) for each start; the last one repeats |
//! | `control.PID` | the test, to one running stub (a FIFO) | lines, each a script |
//!
//! A stub without a script, or at the end of one, waits silently to be told: it never ends by itself before [`LIFETIME`]. But lvs without a
//! script reports at once that there are no LVs.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use serde::{Deserialize, Serialize};

use crate::wait;

/// Tells the stub its folder.
pub const FOLDER_VARIABLE: &str = "FAKE_LVM_DIR";

/// What lvs is called, also in place of an LV.
pub const LVS: &str = "lvs";

/// A forgotten stub ends after this long, so that no test run leaves any behind.
pub const LIFETIME: Duration = Duration::from_mins(5);

/// One thing a stub does.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Step {
    /// Prints a line on stdout.
    Say(String),
    /// Prints a line on stderr.
    Complain(String),
    /// Prints progress lines such as `  vg/pvmove0: Moved: 12.50%`, from 0 to 100 in steps of 12.5, this many milliseconds apart.
    Progress(u64),
    /// Prints 6 MB a second of lines on stdout for this many milliseconds, as lvm does: whether they can be written or not.
    Flood(u64),
    /// Sleeps this many milliseconds.
    Sleep(u64),
    /// Ignores SIGTERM from now on.
    IgnoreTerminate,
    /// Ends with this exit code.
    Exit(i32),
    /// Sends itself this signal.
    Die(i32),
}

/// One start of a stub, as it recorded it itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Start {
    /// Its process.
    pub pid: i32,
    /// Arguments, the program itself first.
    pub arguments: Vec<String>,
    /// The whole environment.
    pub environment: BTreeMap<String, String>,
}

impl Start {
    /// Returns the `VG/LV` that this start polls, if it was asked to.
    pub fn lv(&self) -> Option<&str> {
        self.arguments
            .iter()
            .find(|argument| argument.contains('/') && !argument.starts_with('/'))
            .map(String::as_str)
    }

    /// Was it started as lvs?
    pub fn is_lvs(&self) -> bool {
        self.arguments.get(1).is_some_and(|argument| argument == LVS)
    }

    /// Has it ended, and its parent taken note?
    pub fn is_reaped(&self) -> bool {
        !Path::new(&format!("/proc/{}", self.pid)).exists()
    }

    /// Is this process there, and not a zombie?
    pub fn is_alive(&self) -> bool {
        fs::read_to_string(format!("/proc/{}/stat", self.pid)).is_ok_and(|stat| {
            stat.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with(['Z', 'X']))
        })
    }
}

/// The stubs of one test.
#[derive(Debug)]
pub struct FakeLvm {
    folder: PathBuf,
}

impl FakeLvm {
    /// Returns the stubs that meet in `folder`, an existing one.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Returns the folder for [`FOLDER_VARIABLE`].
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Lays down what the stubs of `lv` (as `VG/LV`) will do: the first start plays the first script; the last script repeats.
    pub fn script(&self, lv: &str, scripts: &[&[Step]]) {
        let text = serde_json::to_string(scripts).expect("a script is plain data");
        fs::write(script_path(&self.folder, lv), text).expect("the test owns this folder");
    }

    /// Lays down what the stubs of lvs will do, likewise.
    pub fn script_lvs(&self, scripts: &[&[Step]]) {
        self.script(LVS, scripts);
    }

    /// Returns every start of lvs so far, oldest first.
    pub fn lvs_starts(&self) -> Vec<Start> {
        read_lvs_starts(&self.folder)
    }

    /// Returns every start of lvpoll so far, oldest first.
    pub fn starts(&self) -> Vec<Start> {
        read_starts(&self.folder)
    }

    /// Returns how many starts there were so far, without reading them.
    pub fn start_count(&self) -> usize {
        fs::read_to_string(starts_path(&self.folder)).unwrap_or_default().matches('\n').count()
    }

    /// Waits for the `count`th start and returns all.
    #[track_caller]
    pub fn await_starts(&self, count: usize) -> Vec<Start> {
        wait::until(&format!("start {count} of the stub"), wait::SOON, || {
            (self.start_count() >= count).then(|| self.starts())
        })
    }

    /// Waits for the first start and returns it.
    #[track_caller]
    pub fn await_start(&self) -> Start {
        self.await_starts(1).swap_remove(0)
    }

    /// Tells one running stub what to do next.
    #[track_caller]
    pub fn tell(&self, start: &Start, steps: &[Step]) {
        let path = control_path(&self.folder, start.pid);
        let line = serde_json::to_string(steps).expect("a script is plain data") + "\n";
        // Without O_NONBLOCK this would hang when the stub is gone; with it, that is an error.
        fs::OpenOptions::new()
            .write(true)
            .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
            .open(path)
            .and_then(|mut control| control.write_all(line.as_bytes()))
            .unwrap_or_else(|error| panic!("stub {} cannot be told {steps:?}: {error}", start.pid));
    }

    /// Tells one running stub to exit with `code` and waits until it is no longer running.
    #[track_caller]
    pub fn tell_exit(&self, start: &Start, code: i32) {
        self.tell(start, &[Step::Exit(code)]);
        wait::until("the stub to end", wait::SOON, || (!start.is_alive()).then_some(()));
    }

    /// Kills every stub of this test that still runs, each checked to be one by its command line.
    pub fn kill_all(&self) {
        for start in self.starts().into_iter().chain(self.lvs_starts()) {
            if is_stub_of(&start, &self.folder)
                && let Some(pid) = Pid::from_raw(start.pid)
            {
                // It may have ended by itself in this moment.
                rustix::process::kill_process(pid, Signal::KILL).ok();
            }
        }
    }
}

/// Reads `starts.jsonl`; a line that is still being written is left out.
pub fn read_starts(folder: &Path) -> Vec<Start> {
    read_records(&starts_path(folder))
}

/// Reads `lvs.jsonl`, likewise.
pub fn read_lvs_starts(folder: &Path) -> Vec<Start> {
    read_records(&lvs_starts_path(folder))
}

fn read_records(path: &Path) -> Vec<Start> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let complete = text.rfind('\n').map_or("", |end| &text[..end]);
    complete.lines().map(|line| serde_json::from_str(line).expect("stubs write whole records")).collect()
}

/// Appends one record to `starts.jsonl` or `lvs.jsonl`.
///
/// # Errors
/// When the folder is gone or not writable.
pub fn record_start(folder: &Path, start: &Start) -> io::Result<()> {
    let line = serde_json::to_string(start)? + "\n";
    let path = if start.is_lvs() { lvs_starts_path(folder) } else { starts_path(folder) };
    fs::OpenOptions::new().create(true).append(true).open(path)?.write_all(line.as_bytes())
}

/// Returns the path of the FIFO through which the stub `pid` is told what to do.
pub fn control_path(folder: &Path, pid: i32) -> PathBuf {
    folder.join(format!("control.{pid}"))
}

/// Returns the path of the scripts for `lv`.
pub fn script_path(folder: &Path, lv: &str) -> PathBuf {
    folder.join(format!("script.{}", lv.replace('/', ".")))
}

fn starts_path(folder: &Path) -> PathBuf {
    folder.join("starts.jsonl")
}

fn lvs_starts_path(folder: &Path) -> PathBuf {
    folder.join("lvs.jsonl")
}

/// Its pid may have gone to a stranger since: only a process with the very same arguments and folder is ours to kill.
fn is_stub_of(start: &Start, folder: &Path) -> bool {
    let read = |file: &str| fs::read(format!("/proc/{}/{file}", start.pid)).unwrap_or_default();
    let variable = format!("{FOLDER_VARIABLE}={}", folder.display());
    read("environ").split(|&byte| byte == 0).any(|entry| entry == variable.as_bytes())
        && start.arguments.last().is_some_and(|last| {
            read("cmdline").split(|&byte| byte == 0).any(|argument| argument == last.as_bytes())
        })
}
