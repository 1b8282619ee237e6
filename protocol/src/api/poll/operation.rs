//! An operation as clients see it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{LvName, Lvid, SystemDir, VgName};
use crate::poll::PollOperation;

/// One poll operation at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Operation {
    /// Its name, for ever.
    pub id: Uuid,
    /// What is polled.
    pub kind: PollOperation,
    /// Whether a pvmove is being aborted.
    pub abort: bool,
    /// The VG's name.
    pub vgname: VgName,
    /// The LV's name.
    pub lvname: LvName,
    /// The LV for ever.
    pub lvid: Lvid,
    /// The `LVM_SYSTEM_DIR` of lvpoll.
    pub sysdir: Option<SystemDir>,
    /// How far it is.
    pub state: OperationState,
    /// The latest lvpoll; it may have ended.
    pub pid: Option<u32>,
    /// How many times lvpoll was started, the running one included.
    pub attempt: u32,
    /// How many requests asked for it, the first included.
    pub init_requests: u32,
    /// When it was asked for first, RFC 3339.
    pub started_at: String,
    /// How much is done, 0 to 100: as the kernel shows it, or as lvpoll said last; `None` before either.
    pub percent: Option<f64>,
    /// How far the kernel is; `None` where it is not looked at.
    pub copy: Option<CopyProgress>,
    /// What its lvpoll waits for in the kernel, if it has for long.
    pub blocked: Option<Blocked>,
    /// Whether it is to wait at the end of a segment.
    pub paused: bool,
    /// Why it waits at the end of a segment, if it does.
    pub hold: Option<Hold>,
    /// Whether lvpoll has written nothing for longer than it should take.
    pub silent: bool,
    /// How it ended; `None` while it goes on.
    pub outcome: Option<Outcome>,
    /// The command line that asked for it first, if it said.
    pub asked_by: Option<String>,
}

/// How far the kernel is with a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CopyProgress {
    /// What is copied.
    pub done_bytes: u64,
    /// All that is to be copied; for a merge, what was left when the daemon looked first.
    pub total_bytes: u64,
    /// The segment that is being copied, from 1.
    pub segment: u32,
    /// How many segments there are.
    pub segments: u32,
    /// How much is copied in a second, smoothed; `None` in the first second.
    pub bytes_per_second: Option<u64>,
    /// How long it will take at this rate; `None` when nothing is copied.
    pub left_seconds: Option<u64>,
}

/// What an lvpoll waits for that cannot be interrupted, not even by a signal: mostly a disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Blocked {
    /// Since when, as far as was seen, RFC 3339.
    pub since: String,
    /// The function of the kernel in which it waits; `None` where that is not told.
    pub wait_point: Option<String>,
    /// The device file that its system call is about, where it is about one.
    pub device: Option<String>,
}

/// Why a copy does not go on to its next segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Hold {
    /// In a word.
    pub kind: HoldKind,
    /// When the window opens, `HH:MM` in the daemon's time zone; with [`HoldKind::Window`] only.
    pub until: Option<String>,
}

/// Why a copy does not go on to its next segment, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HoldKind {
    /// Somebody has paused it.
    Paused,
    /// As many others in its VG go on as may.
    VgLimit,
    /// As many others on one of its PVs go on as may.
    PvLimit,
    /// It is not the time of the day.
    Window,
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// It is being written to the journal.
    Intended,
    /// lvpoll is being started.
    Starting,
    /// The lvpoll of an earlier life of the daemon is being looked for.
    Adopting,
    /// lvpoll runs.
    Running,
    /// The kernel copies, and is looked at; lvpoll does not run, for it has nothing to do.
    Copying,
    /// A segment is copied, and the next one has to wait.
    Held,
    /// lvpoll ended well; the kernel is asked whether the operation is over.
    Judging,
    /// lvpoll is started again after a pause.
    BackingOff,
    /// The end is being written to the journal.
    Storing,
    /// lvpoll was asked to end because the daemon ends.
    Terminating,
    /// It is over.
    Ended,
}

impl OperationState {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Intended,
        Self::Starting,
        Self::Adopting,
        Self::Running,
        Self::Copying,
        Self::Held,
        Self::Judging,
        Self::BackingOff,
        Self::Storing,
        Self::Terminating,
        Self::Ended,
    ];

    /// Returns the word for it, as it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Starting => "starting",
            Self::Adopting => "adopting",
            Self::Running => "running",
            Self::Copying => "copying",
            Self::Held => "held",
            Self::Judging => "judging",
            Self::BackingOff => "backing_off",
            Self::Storing => "storing",
            Self::Terminating => "terminating",
            Self::Ended => "ended",
        }
    }
}

/// How an operation ended.
///
/// It is worked out from lvpoll's exit, from what it said, and from what the kernel shows: an exit code is no outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outcome {
    /// What became of it.
    pub kind: OutcomeKind,
    /// Why, for people; `None` where the kind says it all.
    pub cause: Option<String>,
    /// What to do about it, for people.
    pub remedy: Option<String>,
    /// The last lines that lvpoll wrote, oldest first, where it did not end well.
    pub last_lines: Vec<String>,
    /// lvpoll's exit code, where it ended by itself.
    pub retcode: Option<i32>,
    /// The signal that ended lvpoll, more often than it is worth starting it again.
    pub signal: Option<i32>,
}

impl Outcome {
    /// Returns the outcome of this kind of which nothing else is known.
    pub fn of(kind: OutcomeKind) -> Self {
        Self { kind, cause: None, remedy: None, last_lines: Vec::new(), retcode: None, signal: None }
    }
}

/// What became of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// The work is done.
    Done,
    /// The work is done, but a disk could not be read or written everywhere.
    DoneWithErrors,
    /// Somebody aborted it: everything is where it was.
    Aborted,
    /// There was nothing to do any more.
    NothingToDo,
    /// The kernel cannot go on with it: a merge whose snapshot is invalid.
    Invalid,
    /// It stopped in the middle, and can go on: the LV was deactivated, or lvpoll was asked to end.
    Interrupted,
    /// lvpoll could not do it.
    Failed,
    /// Nobody knows.
    Lost,
}

impl OutcomeKind {
    /// Returns the word for it, as it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::DoneWithErrors => "done_with_errors",
            Self::Aborted => "aborted",
            Self::NothingToDo => "nothing_to_do",
            Self::Invalid => "invalid",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }

    /// Returns whether nobody has to do anything about it.
    pub fn is_well(self) -> bool {
        matches!(self, Self::Done | Self::Aborted | Self::NothingToDo)
    }
}
