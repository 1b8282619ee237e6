//! What happens in the daemon, as it is told to the readers of events and counted for metrics.
//!
//! An occurrence is made by whoever sees it first, once, and handed to [`Events::publish`](crate::foundation::facts::events::Events).
//! What it is called for readers ([`Occurrence::kind`], [`Occurrence::subject`], [`Occurrence::fields`]) is worked out
//! only when one reads. The words are a promise: names may be added, and none is changed.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::ids::{LvName, Lvid, VgName};
use lvmwarden_protocol::poll::{PollOperation, StartRequest};
use lvmwarden_supervisor::process::ProcessExit;
use uuid::Uuid;

use crate::foundation::kernel::copying::Fault;
use crate::foundation::store::ledger::history::Renewal;
use crate::roles::archive::plan::Total;
use crate::roles::poll::operation::conclusion::Ending;
use crate::roles::poll::operation::segments::SegmentDone;
use crate::roles::poll::operation::stuck::Stuck;
use crate::roles::poll::operation::turns::Hold;
use crate::roles::poll::reconcile::report::Unfinished;
use crate::roles::poll::throttle::Knob;

/// Which poll operation; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollRef {
    /// Its name.
    pub op: Uuid,
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
}

impl PollRef {
    /// Returns the operation `op` that does what `request` asks for.
    pub fn new(op: Uuid, request: &StartRequest) -> Self {
        Self {
            op,
            kind: request.kind,
            abort: request.abort,
            vgname: request.vgname.clone(),
            lvname: request.lvname.clone(),
            lvid: request.lvid.clone(),
        }
    }
}

/// What has become of a VG, as the metadata role knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VgChange {
    /// All its PVs are there.
    Complete,
    /// Some are there, and some are not.
    Partial,
    /// Its metadata are others than before.
    Changed,
    /// It was removed, or none of its PVs is there.
    Gone,
}

/// Who has asked for a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockAsker {
    /// The process; 0 where it is not known.
    pub pid: u32,
    /// The command, such as `lvcreate`; empty where it did not say.
    pub command: Arc<str>,
}

/// Something that happened, told once.
#[derive(Debug, Clone, PartialEq)]
pub enum Occurrence {
    /// A poll operation was asked for, and that is durable.
    PollIntended {
        /// The operation.
        op: PollRef,
        /// The command line that asked, if it said.
        asked_by: Option<String>,
        /// The user who asked, where the connection tells.
        uid: Option<u32>,
    },
    /// Its lvpoll was started.
    PollStarted {
        /// The operation.
        op: PollRef,
        /// The process.
        pid: u32,
        /// The how-manieth start it was, from 1.
        attempt: u32,
    },
    /// An lvpoll that ran already was taken over.
    PollAdopted {
        /// The operation.
        op: PollRef,
        /// The process.
        pid: u32,
        /// The how-manieth start it was, from 1.
        attempt: u32,
    },
    /// Its lvpoll ended, which need not be the end of the operation.
    PollChildEnded {
        /// The operation.
        op: PollRef,
        /// The process.
        pid: u32,
        /// How.
        exit: ProcessExit,
        /// It was asked to, because the kernel needs nobody meanwhile.
        was_relieved: bool,
    },
    /// lvpoll watches the copy by itself from now on.
    PollFellBack {
        /// The operation.
        op: PollRef,
        /// Why the daemon does not, in a few words that are always the same.
        why: &'static str,
    },
    /// lvpoll is told to look elsewhere from now on: under the names of this operation, or by another devices file.
    PollRenewed {
        /// The operation.
        op: PollRef,
        /// What the VG was called before.
        vg_before: VgName,
        /// What the LV was called before.
        lv_before: LvName,
        /// Why.
        why: Renewal,
    },
    /// A device of its copy could not be read or written everywhere.
    PollCopyErrors {
        /// The operation.
        op: PollRef,
        /// Which, and how.
        fault: Fault,
    },
    /// Its lvpoll waits in the kernel, has for long, and cannot be interrupted.
    PollBlocked {
        /// The operation.
        op: PollRef,
        /// The process.
        pid: u32,
        /// For what, and since when.
        stuck: Stuck,
    },
    /// Such an lvpoll waits no more.
    PollUnblocked {
        /// The operation.
        op: PollRef,
        /// The process.
        pid: u32,
    },
    /// It is to wait at the end of a segment, and that is durable.
    PollPaused {
        /// The operation.
        op: PollRef,
    },
    /// It needs not wait any more, and that is durable.
    PollResumed {
        /// The operation.
        op: PollRef,
    },
    /// A segment is copied, and the next one waits.
    PollHeld {
        /// The operation.
        op: PollRef,
        /// For what.
        hold: Hold,
    },
    /// lvpoll is to be started again.
    PollRetried {
        /// The operation.
        op: PollRef,
        /// After this time.
        delay: Duration,
        /// Why, in a few words that are always the same.
        why: &'static str,
    },
    /// More is done than before.
    PollProgress {
        /// The operation.
        op: PollRef,
        /// How much, 0 to 100.
        percent: f64,
    },
    /// A segment is copied, or the whole of what has no segments.
    PollSegment {
        /// The operation.
        op: PollRef,
        /// Which.
        done: SegmentDone,
    },
    /// lvpoll has written nothing for longer than it should take.
    PollSilent {
        /// The operation.
        op: PollRef,
        /// Since its last output.
        silence: Duration,
    },
    /// A silent lvpoll wrote again.
    PollSpokeAgain {
        /// The operation.
        op: PollRef,
    },
    /// The operation ended, and that is durable.
    PollEnded {
        /// The operation.
        op: PollRef,
        /// How.
        ending: Ending,
        /// Since it was asked for; `None` if the clock was set back since.
        took: Option<Duration>,
    },
    /// Its result was handed out, has expired, or is of no interest any more.
    PollForgotten {
        /// The operation.
        op: PollRef,
    },
    /// LVM's metadata shows an LV in the middle of something that nobody polls.
    PollFound {
        /// The LV, and what it is in the middle of.
        lv: Unfinished,
        /// What is done about it, in a few words that are always the same.
        next: &'static str,
    },
    /// Copies of one of the kernel's modules are slowed down, on this whole host.
    PollThrottled {
        /// Which.
        knob: Knob,
        /// How much of the time they may take.
        percent: u32,
        /// What is given back in the end.
        original: u32,
    },
    /// They are not any more.
    PollUnthrottled {
        /// Which.
        knob: Knob,
        /// How much of the time they may take now, where that can be told.
        percent: Option<u32>,
        /// Why, in a few words that are always the same.
        why: &'static str,
    },
    /// An actor ended otherwise than in order.
    ActorEnded {
        /// Its name in the supervision tree.
        name: String,
        /// How.
        reason: String,
        /// Whether it panicked.
        is_panic: bool,
        /// What its supervisor does about it, in a few words that are always the same.
        next: &'static str,
    },
    /// An actor was started again.
    ActorRestarted {
        /// Its name in the supervision tree.
        name: String,
        /// How often by now.
        restarts: u64,
    },
    /// This life of the daemon began.
    ServiceStarted {
        /// The program's version.
        version: &'static str,
    },
    /// Clients are served.
    ServiceReady,
    /// The daemon is about to end.
    ServiceStopping {
        /// Why.
        why: String,
    },
    /// The daemon was asked to end, and does not.
    ServiceStopRefused {
        /// Why, and what has to be done first.
        why: String,
    },
    /// More or less is logged from now on.
    LogLevelChanged {
        /// The least severe level that is still written.
        level: String,
    },
    /// The configuration was read again.
    ConfigurationReloaded {
        /// The keys whose new values hold.
        applied: Vec<String>,
        /// The keys whose new values hold after a restart.
        needs_restart: Vec<String>,
    },
    /// The archive janitor has removed copies.
    ArchiveCleaned {
        /// How many, and how long they were together.
        removed: Total,
        /// How long the pass took.
        took: Duration,
    },
    /// A pass of the archive janitor was not finished.
    ArchiveFailed {
        /// Why.
        reason: String,
    },
    /// A lockspace was joined.
    LockspaceStarted {
        /// Whose.
        lockspace: Arc<str>,
    },
    /// A lockspace was left.
    LockspaceStopped {
        /// Whose.
        lockspace: Arc<str>,
    },
    /// A lockspace could not be joined, or not left.
    LockspaceFailed {
        /// Whose.
        lockspace: Arc<str>,
        /// Why.
        why: String,
    },
    /// The lease storage of a VG is lost: nothing more is locked in it.
    LockspaceKilled {
        /// Whose.
        lockspace: Arc<str>,
    },
    /// The lease on this host's life is not renewed.
    LockLeaseLate {
        /// In which lockspace.
        lockspace: Arc<str>,
        /// The time until the lock manager has the VG killed.
        kill_in: Duration,
        /// The time until the watchdog resets the host.
        reset_in: Duration,
    },
    /// It is renewed again.
    LockLeaseRenewed {
        /// In which lockspace.
        lockspace: Arc<str>,
    },
    /// The locks of an earlier life were looked at.
    LocksAdopted {
        /// In which lockspace.
        lockspace: Arc<str>,
        /// How many are held again.
        held: usize,
        /// How many were given back.
        released: usize,
        /// How many of active LVs could not be adopted.
        failed: usize,
    },
    /// A lock is in doubt: it was lost, not adopted, not given back, or the lock manager does not answer.
    LockTrouble {
        /// In which lockspace.
        lockspace: Arc<str>,
        /// Which.
        lock: String,
        /// What it is, in a few words that are always the same.
        what: &'static str,
        /// Why.
        why: String,
    },
    /// A VG is another than before.
    VgChanged {
        /// Its name.
        vg: Arc<str>,
        /// Its UUID.
        uuid: Arc<str>,
        /// What it is now.
        change: VgChange,
        /// The version of its metadata.
        seqno: i64,
        /// How many of its PVs are not there.
        missing_pvs: usize,
    },
    /// A request for a lock has waited long.
    LockWaited {
        /// In which lockspace.
        lockspace: Arc<str>,
        /// For which lock.
        lock: String,
        /// In which mode, such as `ex`.
        mode: &'static str,
        /// Who asked.
        by: LockAsker,
        /// For how long.
        took: Duration,
        /// What came of it, in a word.
        result: &'static str,
    },
    /// A request for a lock was refused.
    LockRefused {
        /// In which lockspace.
        lockspace: Arc<str>,
        /// Which lock.
        lock: String,
        /// In which mode, such as `ex`.
        mode: &'static str,
        /// Who asked.
        by: LockAsker,
        /// Why, in a word.
        result: &'static str,
        /// How many requests for this lock were refused for this reason since that was told last.
        times: u32,
    },
    /// Somebody has decided what becomes of locks of an earlier daemon.
    LockSettled {
        /// In which lockspace.
        lockspace: Arc<str>,
        /// Which; `None`: those of all LVs.
        lock: Option<String>,
        /// What becomes of them, in a few words that are always the same.
        how: &'static str,
        /// Who.
        uid: u32,
    },
    /// Something has become of a change that hosts make together.
    Reconfigured {
        /// `VG` or `VG/LV`.
        subject: Arc<str>,
        /// What, in a word such as `reconfigure.voted`.
        what: &'static str,
        /// What else there is to know, by name.
        more: Vec<(&'static str, String)>,
    },
    /// A client was refused what it may not do.
    ClientRefused {
        /// Whose.
        uid: u32,
    },
    /// The history on disk cannot be written.
    HistoryStuck {
        /// Why.
        why: String,
    },
    /// It is written again, and nothing is left to be written.
    HistoryCaughtUp,
    /// Steps were lost before it could be written.
    HistoryGap,
    /// The log could not be written as fast as it came.
    LogLinesDropped {
        /// How many lines are missing.
        count: u64,
    },
}

impl Occurrence {
    /// Returns what happened, in a word such as `poll.started`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::PollIntended { .. } => "poll.intended",
            Self::PollStarted { .. } => "poll.started",
            Self::PollAdopted { .. } => "poll.adopted",
            Self::PollChildEnded { .. } => "poll.child_ended",
            Self::PollFellBack { .. } => "poll.fell_back",
            Self::PollRenewed { .. } => "poll.renewed",
            Self::PollCopyErrors { .. } => "poll.copy_errors",
            Self::PollBlocked { .. } => "poll.blocked",
            Self::PollUnblocked { .. } => "poll.unblocked",
            Self::PollPaused { .. } => "poll.paused",
            Self::PollResumed { .. } => "poll.resumed",
            Self::PollHeld { .. } => "poll.held",
            Self::PollRetried { .. } => "poll.retried",
            Self::PollProgress { .. } => "poll.progress",
            Self::PollSegment { .. } => "poll.segment",
            Self::PollSilent { .. } => "poll.silent",
            Self::PollSpokeAgain { .. } => "poll.spoke_again",
            Self::PollEnded { .. } => "poll.ended",
            Self::PollForgotten { .. } => "poll.forgotten",
            Self::PollFound { .. } => "poll.found",
            Self::PollThrottled { .. } => "poll.throttled",
            Self::PollUnthrottled { .. } => "poll.unthrottled",
            Self::ActorEnded { .. } => "actor.ended",
            Self::ActorRestarted { .. } => "actor.restarted",
            Self::ServiceStarted { .. } => "service.started",
            Self::ServiceReady => "service.ready",
            Self::ServiceStopping { .. } => "service.stopping",
            Self::ServiceStopRefused { .. } => "service.stop_refused",
            Self::LogLevelChanged { .. } => "log.level_changed",
            Self::ConfigurationReloaded { .. } => "service.configuration_reloaded",
            Self::ArchiveCleaned { .. } => "archive.cleaned",
            Self::ArchiveFailed { .. } => "archive.failed",
            Self::LockspaceStarted { .. } => "lock.started",
            Self::LockspaceStopped { .. } => "lock.stopped",
            Self::LockspaceFailed { .. } => "lock.failed",
            Self::LockspaceKilled { .. } => "lock.killed",
            Self::LockLeaseLate { .. } => "lock.lease_late",
            Self::LockLeaseRenewed { .. } => "lock.lease_renewed",
            Self::LocksAdopted { .. } => "lock.adopted",
            Self::LockTrouble { .. } => "lock.trouble",
            Self::VgChanged { change: VgChange::Complete, .. } => "metadata.vg_complete",
            Self::VgChanged { change: VgChange::Partial, .. } => "metadata.vg_partial",
            Self::VgChanged { change: VgChange::Changed, .. } => "metadata.vg_changed",
            Self::VgChanged { change: VgChange::Gone, .. } => "metadata.vg_gone",
            Self::LockWaited { .. } => "lock.waited",
            Self::LockRefused { .. } => "lock.refused",
            Self::LockSettled { .. } => "lock.settled",
            Self::Reconfigured { what, .. } => what,
            Self::ClientRefused { .. } => "client.refused",
            Self::HistoryStuck { .. } => "history.stuck",
            Self::HistoryCaughtUp => "history.caught_up",
            Self::HistoryGap => "history.gap",
            Self::LogLinesDropped { .. } => "log.lines_dropped",
        }
    }

    /// Returns the poll operation that it happened to, if it is one.
    pub fn poll_ref(&self) -> Option<&PollRef> {
        match self {
            Self::PollIntended { op, .. }
            | Self::PollStarted { op, .. }
            | Self::PollAdopted { op, .. }
            | Self::PollChildEnded { op, .. }
            | Self::PollFellBack { op, .. }
            | Self::PollRenewed { op, .. }
            | Self::PollCopyErrors { op, .. }
            | Self::PollBlocked { op, .. }
            | Self::PollUnblocked { op, .. }
            | Self::PollPaused { op }
            | Self::PollResumed { op }
            | Self::PollHeld { op, .. }
            | Self::PollRetried { op, .. }
            | Self::PollProgress { op, .. }
            | Self::PollSegment { op, .. }
            | Self::PollSilent { op, .. }
            | Self::PollSpokeAgain { op }
            | Self::PollEnded { op, .. }
            | Self::PollForgotten { op } => Some(op),
            Self::PollFound { .. }
            | Self::PollThrottled { .. }
            | Self::PollUnthrottled { .. }
            | Self::ActorEnded { .. }
            | Self::ActorRestarted { .. }
            | Self::ServiceStarted { .. }
            | Self::ServiceReady
            | Self::ServiceStopping { .. }
            | Self::ServiceStopRefused { .. }
            | Self::LogLevelChanged { .. }
            | Self::ConfigurationReloaded { .. }
            | Self::ArchiveCleaned { .. }
            | Self::ArchiveFailed { .. }
            | Self::LockspaceStarted { .. }
            | Self::LockspaceStopped { .. }
            | Self::LockspaceFailed { .. }
            | Self::LockspaceKilled { .. }
            | Self::LockLeaseLate { .. }
            | Self::LockLeaseRenewed { .. }
            | Self::LocksAdopted { .. }
            | Self::LockTrouble { .. }
            | Self::VgChanged { .. }
            | Self::LockWaited { .. }
            | Self::LockRefused { .. }
            | Self::LockSettled { .. }
            | Self::Reconfigured { .. }
            | Self::ClientRefused { .. }
            | Self::HistoryStuck { .. }
            | Self::HistoryCaughtUp
            | Self::HistoryGap
            | Self::LogLinesDropped { .. } => None,
        }
    }

    /// Returns the lockspace that it happened to, or to a lock of which, if it is that.
    pub fn lockspace(&self) -> Option<&Arc<str>> {
        match self {
            Self::LockspaceStarted { lockspace }
            | Self::LockspaceStopped { lockspace }
            | Self::LockspaceFailed { lockspace, .. }
            | Self::LockspaceKilled { lockspace }
            | Self::LockLeaseLate { lockspace, .. }
            | Self::LockLeaseRenewed { lockspace }
            | Self::LocksAdopted { lockspace, .. }
            | Self::LockTrouble { lockspace, .. }
            | Self::LockWaited { lockspace, .. }
            | Self::LockRefused { lockspace, .. }
            | Self::LockSettled { lockspace, .. } => Some(lockspace),
            _of_no_lockspace => None,
        }
    }

    /// Returns to whom it happened: `vg/lv`, a VG, a lockspace, an actor's name, `archive`, or `service`.
    pub fn subject(&self) -> String {
        match (self, self.poll_ref()) {
            (_, Some(op)) => format!("{}/{}", op.vgname, op.lvname),
            (Self::PollThrottled { knob, .. } | Self::PollUnthrottled { knob, .. }, None) => {
                knob.module().to_owned()
            }
            (Self::PollFound { lv, .. }, None) => format!("{}/{}", lv.vgname, lv.lvname),
            (Self::ActorEnded { name, .. } | Self::ActorRestarted { name, .. }, None) => name.clone(),
            (Self::ArchiveCleaned { .. } | Self::ArchiveFailed { .. }, None) => "archive".to_owned(),
            (Self::VgChanged { vg, .. }, None) => vg.to_string(),
            (Self::Reconfigured { subject, .. }, None) => subject.to_string(),
            (other, None) => other.lockspace().map_or_else(|| "service".to_owned(), ToString::to_string),
        }
    }

    /// Returns what else there is to know, by name; numbers are decimal, with their unit in the name.
    pub fn fields(&self) -> BTreeMap<String, String> {
        let mut fields = Fields::default();
        if let Some(op) = self.poll_ref() {
            fields.put("op", &op.op).put("kind", &op.kind).put("abort", &op.abort).put("lvid", &op.lvid);
        }
        match self {
            Self::PollIntended { asked_by, uid, .. } => {
                fields.put_some("asked_by", asked_by.as_ref()).put_some("uid", uid.as_ref())
            }
            Self::PollStarted { pid, attempt, .. } | Self::PollAdopted { pid, attempt, .. } => {
                fields.put("pid", pid).put("attempt", attempt)
            }
            Self::PollChildEnded { pid, exit, was_relieved, .. } => {
                fields.put("pid", pid).put("exit", exit).put("was_relieved", was_relieved)
            }
            Self::PollFellBack { why, .. } => fields.put("why", why),
            Self::PollRenewed { vg_before, lv_before, why, .. } => {
                fields.put("vg_before", vg_before).put("lv_before", lv_before).put("why", &why.as_str())
            }
            Self::PollCopyErrors { fault, .. } => fields.put("device", &fault.device).put("why", fault),
            Self::PollHeld { hold, .. } => fields.put("why", hold),
            Self::PollBlocked { pid, stuck, .. } => fields
                .put("pid", pid)
                .put("since", &stuck.since)
                .put_some("wait_point", stuck.blocked.wait_point.as_ref())
                .put_some("device", stuck.blocked.device.as_ref().map(|path| path.display()).as_ref()),
            Self::PollUnblocked { pid, .. } => fields.put("pid", pid),
            Self::PollRetried { delay, why, .. } => {
                fields.put("delay_ms", &delay.as_millis()).put("why", why)
            }
            Self::PollProgress { percent, .. } => fields.put("percent", percent),
            Self::PollSegment { done, .. } => fields
                .put("segment", &done.number)
                .put("segments", &done.count)
                .put_some("bytes", done.bytes.as_ref())
                .put_some("took_ms", done.took_ms.as_ref()),
            Self::PollSilent { silence, .. } => fields.put("silence_seconds", &silence.as_secs()),
            Self::PollEnded { ending, took, .. } => {
                let conclusion = ending.conclusion();
                fields
                    .put("outcome", &conclusion.kind.as_str())
                    .put("lvpoll", &ending.outcome)
                    .put_some("took_ms", took.map(|took| took.as_millis()).as_ref())
                    .put_some("cause", conclusion.cause.as_ref())
                    .put_some("remedy", conclusion.remedy.as_ref())
            }
            Self::PollFound { lv, next } => {
                fields.put("kind", &lv.kind).put("lvid", &lv.lvid).put("next", next)
            }
            Self::PollThrottled { knob, percent, original } => {
                fields.put("knob", knob).put("percent", percent).put("original_percent", original)
            }
            Self::PollUnthrottled { knob, percent, why } => {
                fields.put("knob", knob).put_some("percent", percent.as_ref()).put("why", why)
            }
            Self::ActorEnded { reason, is_panic, next, .. } => {
                fields.put("reason", reason).put("is_panic", is_panic).put("next", next)
            }
            Self::ActorRestarted { restarts, .. } => fields.put("restarts", restarts),
            Self::ServiceStarted { version } => fields.put("version", version),
            Self::ServiceStopping { why }
            | Self::ServiceStopRefused { why }
            | Self::HistoryStuck { why }
            | Self::LockspaceFailed { why, .. } => fields.put("why", why),
            Self::LockLeaseLate { .. }
            | Self::LocksAdopted { .. }
            | Self::LockTrouble { .. }
            | Self::LockWaited { .. }
            | Self::LockRefused { .. }
            | Self::LockSettled { .. } => self.put_lock_fields(&mut fields),
            Self::LogLevelChanged { level } => fields.put("level", level),
            Self::ConfigurationReloaded { applied, needs_restart } => {
                fields.put("applied", &applied.join(" ")).put("needs_restart", &needs_restart.join(" "))
            }
            Self::ArchiveCleaned { removed, took } => fields
                .put("removed_files", &removed.files)
                .put("removed_bytes", &removed.bytes)
                .put("took_ms", &took.as_millis()),
            Self::ArchiveFailed { reason } => fields.put("reason", reason),
            Self::VgChanged { uuid, seqno, missing_pvs, .. } => {
                fields.put("vg_uuid", uuid).put("seqno", seqno).put("missing_pvs", missing_pvs)
            }
            Self::Reconfigured { more, .. } => fields.put_all(more),
            Self::ClientRefused { uid } => fields.put("uid", uid),
            Self::LogLinesDropped { count } => fields.put("count", count),
            Self::HistoryCaughtUp
            | Self::HistoryGap
            | Self::PollPaused { .. }
            | Self::PollResumed { .. }
            | Self::PollSpokeAgain { .. }
            | Self::PollForgotten { .. }
            | Self::LockspaceStarted { .. }
            | Self::LockspaceStopped { .. }
            | Self::LockspaceKilled { .. }
            | Self::LockLeaseRenewed { .. }
            | Self::ServiceReady => &mut fields,
        };
        fields.0
    }

    fn put_lock_fields<'f>(&self, fields: &'f mut Fields) -> &'f mut Fields {
        match self {
            Self::LockLeaseLate { kill_in, reset_in, .. } => {
                fields.put("kill_in_seconds", &kill_in.as_secs()).put("reset_in_seconds", &reset_in.as_secs())
            }
            Self::LocksAdopted { held, released, failed, .. } => {
                fields.put("held", held).put("released", released).put("failed", failed)
            }
            Self::LockTrouble { lock, what, why, .. } => {
                fields.put("lock", lock).put("what", what).put("why", why)
            }
            Self::LockWaited { lock, mode, by, took, result, .. } => fields
                .put("lock", lock)
                .put("mode", mode)
                .put_asker(by)
                .put("took_ms", &took.as_millis())
                .put("result", result),
            Self::LockRefused { lock, mode, by, result, times, .. } => fields
                .put("lock", lock)
                .put("mode", mode)
                .put_asker(by)
                .put("result", result)
                .put("times", times),
            Self::LockSettled { lock, how, uid, .. } => {
                fields.put_some("lock", lock.as_ref()).put("how", how).put("uid", uid)
            }
            _not_of_locks => fields,
        }
    }
}

#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Fields {
    fn put_asker(&mut self, LockAsker { pid, command }: &LockAsker) -> &mut Self {
        let command = Some(command).filter(|command| !command.is_empty());
        self.put_some("pid", Some(*pid).filter(|pid| *pid != 0).as_ref()).put_some("command", command)
    }

    fn put(&mut self, name: &str, value: &dyn Display) -> &mut Self {
        self.0.insert(name.to_owned(), value.to_string());
        self
    }

    fn put_all(&mut self, all: &[(&'static str, String)]) -> &mut Self {
        self.0.extend(all.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        self
    }

    fn put_some(&mut self, name: &str, value: Option<&impl Display>) -> &mut Self {
        if let Some(value) = value {
            self.put(name, value);
        }
        self
    }
}

#[cfg(test)]
mod tests;
