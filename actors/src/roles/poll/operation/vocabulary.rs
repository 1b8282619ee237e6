//! The words of a poll operation's life: what happens to it, and what it has done about it.
//!
//! [`state`](super::state) maps the ones to the others.

use std::time::Duration;

use lvmwarden_protocol::ids::{DevicesFile, LvName, VgName};
use lvmwarden_protocol::poll::StartRequest;
use lvmwarden_supervisor::process::{ProcessExit, ProcessIdentity};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use super::conclusion::Ending;
use super::outcome::Outcome;
use super::turns::Hold;
use crate::foundation::kernel::Verdict;
use crate::foundation::kernel::copying::Look;

/// How the daemon ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Children are left running, to be adopted.
    LeaveChild,
    /// Children are asked to end, and their operations forgotten.
    EndChild,
}

/// Who watches a copy while the kernel makes it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// lvpoll, which sleeps between its looks.
    #[default]
    Classic,
    /// The daemon, which reads device-mapper and starts lvpoll only when there is something to do.
    Events,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The journal answered.
    Journal(JournalEvent),
    /// Something became of the child.
    Child(ChildEvent),
    /// The kernel was asked whether the operation is over, and lvpoll's words were weighed with its answer.
    Judged(Verdict),
    /// LVM's metadata was searched for the LV: what VG and LV are called there, if they were found.
    Sought(Option<Names>),
    /// Device-mapper was looked at.
    Looked {
        /// What it shows.
        look: Look,
        /// lvpoll runs, and only waits for time to pass.
        is_child_asleep: bool,
        /// Why it is not the operation's turn to go on to the next segment, if it is not.
        hold: Option<Hold>,
    },
    /// Time passed: [`Operation::next_wake`](super::state::Operation::next_wake) has come.
    Tick,
    /// The daemon ends.
    Stop(Stop),
}

/// What the journal answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalEvent {
    /// It has the intent.
    IntentStored,
    /// It could not take the intent.
    IntentNotStored {
        /// Why, for the client.
        reason: String,
    },
    /// It has the end.
    EndStored,
    /// It could not take the end.
    EndNotStored,
    /// It has the collection, or could not take it: the result was handed out either way.
    CollectStored,
}

/// What became of the child.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChildEvent {
    /// lvpoll was started, or the recorded child lives and is ours again.
    Runs {
        /// Its process.
        pid: u32,
    },
    /// lvpoll could not be started; this is how it counts.
    NotSpawned {
        /// Code 101 for a program that cannot be executed, lost for everything else.
        outcome: Outcome,
    },
    /// lvpoll could not be started now, but may be soon: the system lacks something.
    CannotSpawnNow {
        /// What, for the log.
        reason: String,
    },
    /// It wrote something.
    Output,
    /// It has ended; also said of a recorded child that is not there any more.
    Exited(ProcessExit),
}

/// What the actor has to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Write down that the operation is intended; report `IntentStored` or `IntentNotStored`.
    StoreIntent,
    /// Tell every client that waits for the intent: the operation's name, or why it could not be written down.
    AnswerStarters(Result<Uuid, String>),
    /// Start lvpoll; report `Runs` or `NotSpawned`.
    Spawn,
    /// Find the child again; report `Runs` or `Exited`.
    Adopt(ProcessIdentity),
    /// Write down which process the child is. Nothing waits for it.
    StoreStarted,
    /// Ask the kernel; report `Judged`.
    Judge,
    /// Search LVM's metadata for the LV by its UUIDs; report `Sought`.
    Seek,
    /// Write down and tell that the metadata calls VG or LV otherwise than lvpoll was told. Nothing waits for it.
    StoreRenamed,
    /// Ask the child to end, at once and for good.
    EndChild,
    /// Ask the child, which sleeps, to end; report `Exited`.
    RelieveChild,
    /// Write down how it ended; report `EndStored` or `EndNotStored`.
    StoreEnd(Outcome),
    /// Write down that the result was handed out, once its client can have read it; report `CollectStored`.
    StoreCollected {
        /// Whose result it was.
        op: Uuid,
    },
    /// Say it in the log.
    Note(Note),
    /// End the actor, after writing down that the operation is forgotten where `forget` names one.
    Leave {
        /// The operation to forget.
        forget: Option<Uuid>,
    },
}

/// What is said in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// lvpoll was killed and is started again.
    CrashedRunsAgain {
        /// The signal.
        signal: i32,
        /// After this time.
        delay: Duration,
    },
    /// lvpoll was killed too often.
    CrashedTooOften {
        /// The last signal.
        signal: i32,
    },
    /// Nobody knows how the child ended; lvpoll is run once more to find out.
    ExitUnknownRunsAgain,
    /// Nobody knows how the child ended; the kernel is looked at.
    ExitUnknownLooks,
    /// From now on lvpoll watches by itself, as in [`Mode::Classic`].
    FellBack {
        /// Why.
        why: &'static str,
    },
    /// A segment is copied, and the next one has to wait.
    Held {
        /// For what.
        hold: Hold,
    },
    /// lvpoll ended with 0 but the operation is still there; it is run again.
    UnfinishedRunsAgain {
        /// After this time.
        delay: Duration,
    },
    /// lvpoll ended with 0 again and again while the operation is still there; a failure is reported.
    UnfinishedReported,
    /// lvpoll did not find the LV that it is about; it is run again.
    OutOfSightRunsAgain {
        /// After this time.
        delay: Duration,
    },
    /// lvpoll did not find it again; a failure is reported.
    OutOfSightReported,
    /// lvpoll ended, and was told something else than it would be told now; it is run again.
    RenewedRunsAgain,
    /// lvpoll could not be started for lack of something, again and again; that is reported.
    CannotSpawnReported {
        /// Of what.
        reason: String,
    },
    /// lvpoll cannot be started for lack of something; it is tried again.
    CannotSpawnNow {
        /// Of what.
        reason: String,
        /// After this time.
        delay: Duration,
    },
    /// The child wrote nothing for this long; it is left running.
    Silent {
        /// Since its last output.
        silence: Duration,
    },
    /// A silent child wrote again.
    SpokeAgain,
    /// The end could not be written and will be again.
    EndNotStored,
    /// Nobody collected the result.
    ResultExpired,
}

/// Where lvpoll finds an LV: what another request, or LVM's metadata, may say otherwise than the first request did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// What VG and LV are called.
    pub names: Names,
    /// The client's `--devicesfile`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub devicesfile: Option<DevicesFile>,
}

/// What a VG and an LV of it are called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The VG's name.
    pub vgname: VgName,
    /// The LV's name.
    pub lvname: LvName,
}

impl Target {
    /// Returns where a request has lvpoll look.
    pub fn of(request: &StartRequest) -> Self {
        let names = Names { vgname: request.vgname.clone(), lvname: request.lvname.clone() };
        Self { names, devicesfile: request.devicesfile.clone() }
    }

    /// Has a request's lvpoll look there.
    pub fn apply_to(self, request: &mut StartRequest) {
        (request.vgname, request.lvname) = (self.names.vgname, self.names.lvname);
        request.devicesfile = self.devicesfile;
    }
}

/// The answer to a client that asked for an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartAnswer {
    /// The operation is in progress, and durable.
    Ok {
        /// Its name.
        op: Uuid,
        /// It was there before this request.
        already_running: bool,
    },
    /// The LV is being polled for another operation.
    DifferentOperation,
    /// This actor is about to end: another one may take the request.
    Leaving,
    /// It cannot be done now.
    Failed {
        /// Why.
        reason: String,
    },
}

impl StartAnswer {
    /// Returns the answer to a request that has brought the name `brought`: the operation `op` is in progress.
    pub(super) fn ok(op: Uuid, brought: Uuid) -> Self {
        Self::Ok { op, already_running: op != brought }
    }
}

/// Why an operation cannot be paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CannotPause {
    /// It is over.
    #[error("it has ended")]
    Ended,
    /// It is copied in one piece.
    #[error("only a pvmove is copied in segments, between which it can pause")]
    InOnePiece,
    /// lvpoll begins each segment by itself.
    #[error(
        "lvpoll watches it and begins each segment by itself; poll.mode = \"events\" lets the daemon do that"
    )]
    LvpollWatches,
}

/// The answer to a client that asks how far an operation is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// There is no such operation.
    NotFound,
    /// lvpoll runs, or will.
    InProgress,
    /// It is over.
    Ended(Outcome),
}

/// An answer that can be given at once, or one that waits for the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer<T> {
    /// To be given now.
    Now(T),
    /// Given by a later effect.
    WhenStored,
}

/// What the journal tells about an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Its name.
    pub op: Uuid,
    /// What was asked.
    pub request: StartRequest,
    /// The user who asked, where the connection told.
    pub uid: Option<u32>,
    /// What else was asked of it meanwhile.
    pub wishes: Wishes,
    /// How far it had come.
    pub life: Life,
}

/// What is asked of an operation in progress, and holds until it is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wishes {
    /// That it pauses at the end of a segment.
    #[serde(default)]
    pub is_paused: bool,
    /// That it be aborted, which an operation of its own does.
    #[serde(default)]
    pub is_aborted: bool,
}

/// The durable part of an operation's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    /// Intended; no child is known.
    Intended,
    /// A child was started.
    Started {
        /// Which process it is.
        process: ProcessIdentity,
        /// The how-manieth start of lvpoll it was.
        attempt: u32,
    },
    /// It ended.
    Ended(Ending),
}
