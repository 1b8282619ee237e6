//! What a shell is to do for a change.

use crate::member::Member;
use crate::record::Record;
use crate::word::{Cause, Decision, Word};

/// What is waited for, each with a limit of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timer {
    /// The locks, and the HELLOs, before the proposal.
    Lock,
    /// All votes of a round; at a participant: its own checks.
    Vote,
    /// More objections, after the first: 500 ms.
    Objections,
    /// All READY; at a participant: its own preparation.
    Prepare,
    /// As long as the shortest hold lasts, less what the write takes, from the sending of PREPARE.
    Reserve,
    /// The writer.
    Apply,
    /// All DONE.
    Commit,
    /// The end of a doubt.
    Doubt,
    /// The next try to get the lock for a look, or to look.
    LookAgain,
    /// The next try to refresh or to undo.
    RefreshAgain,
}

impl Timer {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Lock,
        Self::Vote,
        Self::Objections,
        Self::Prepare,
        Self::Reserve,
        Self::Apply,
        Self::Commit,
        Self::Doubt,
        Self::LookAgain,
        Self::RefreshAgain,
    ];
}

/// How a change has ended on a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It is decided; with the nodes that lag, as far as this host knows.
    Decided(Decision, Vec<u32>),
    /// It was never proposed.
    Refused(Cause),
    /// Nobody could tell within the limit: a judge may, later.
    Unknown,
}

/// One thing to do. A shell does them in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Write this to the journal, and go on when it is on disk. Where that fails, see [`Record::is_essential`].
    Record(Record),
    /// Send this to the group.
    Send(Word),
    /// Start this timer, anew where it runs.
    Arm(Timer),

    /// Coordinator: take the global lock where the kind needs it, then the VG's, exclusively.
    TakeLocks,
    /// Coordinator: read the VG, make the goal absolute, see who is covered.
    ReadVg,
    /// Coordinator: start the writing child, which then waits at its gate.
    StartWriter,
    /// Coordinator: give the writing child its lock.
    OpenGate,
    /// Coordinator: refuse the writing child its lock, now and for ever.
    ShutGate,
    /// Coordinator: end the writing child, with SIGTERM, then SIGKILL.
    EndWriter,
    /// A new life: the writing child of the earlier one is waited for.
    AwaitWriter,
    /// Coordinator, judge: read whether the goal is reached. The lock is held.
    Look,
    /// Coordinator: give the VG's lock and the global one back, or take back that they were asked for.
    GiveBackLocks,

    /// Participant: see whether the change can be made here.
    Check,
    /// Participant: hold, or do what can be undone.
    Prepare,
    /// Participant: start the child that refreshes, which then waits at its gate.
    StartRefresher,
    /// Participant: the metadata are written: a table that a writer has loaded is the committed one.
    TellGuard,
    /// Participant: do what follows a commit, and release what is held.
    Refresh,
    /// Participant: release what is held, with its old table.
    Release,
    /// Participant: release what is held, and undo what was prepared.
    Undo,

    /// Judge: ask for the VG's lock, shared.
    TakeLookLock,
    /// Judge: give that back, or take back that it was asked for.
    GiveBackLookLock,

    /// Somebody says the opposite of what is decided here. Nothing changes.
    Conflict(Member),
    /// The change has ended on this host; where nobody knows how, it may become known later.
    Ended(Outcome),
}
