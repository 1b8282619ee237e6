//! What a lockspace is told, and what it wants done.

use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::ids::{LvUuid, VgName, VgUuid};
use lvmwarden_protocol::lock::{LockMode, LockType};

use super::ask::{Asked, ClientId, Reply, Ticket};
use super::record::LockRecord;
use crate::foundation::moment::Moment;
use crate::roles::lock::lock_manager::{
    Acquire, Adopt, Fault, GlobalLease, InitLv, Leave, Leftover, OtherHosts, Prepared, Renewal, Resource,
    ValueBlock,
};

/// One call of the lock manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A client asks for something.
    Asked(Asked),
    /// A connection was closed.
    ClientGone(ClientId),
    /// A reply could not be delivered.
    NotDelivered(Ticket),
    /// The lock manager has answered a call.
    Answered(CallId, Answer),
    /// A call has passed its deadline; its answer may still come.
    Overdue(CallId),
    /// The time of the last [`Effect::WakeAt`] has come.
    TimeHasCome,
    /// How the lease on our host's life is doing; `None` where the lock manager has none.
    Renewal(Option<Renewal>),
    /// Whether more than one VG has an enabled global lock (sanlock).
    DuplicateGlobals(bool),
    /// Whether an LV is active, as was asked by [`Effect::AskForUse`].
    Used(Resource, bool),
}

/// What is to be done, in this order, by whoever holds the lockspace.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// To be remembered before the next effect is carried out; how durably, `Remembered::writing` says.
    Record(LockRecord),
    /// The lock manager is called; what it says comes back as [`Event::Answered`] with this id.
    Call(CallId, Call),
    /// A client is answered.
    Reply(Ticket, Reply),
    /// [`Event::TimeHasCome`] is wanted at this moment, and at no other one any more.
    WakeAt(Moment),
    /// Something that events and log tell.
    Tell(Notice),
    /// Whether this LV is active is wanted as [`Event::Used`], as soon as it is known.
    AskForUse(Resource),
    /// What is known about the lease of the global lock in this VG has changed (sanlock); `Absent` once it is left.
    Global(GlobalLease),
    /// The lockspace is over: no event changes it any more. It is taken off the directory before the next effect, as
    /// the replies behind it say so.
    Gone(End),
}

/// How a lockspace is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// We are not in it: nothing is to be remembered of it.
    NotIn,
    /// One of an earlier life could not be taken over: what is remembered of it stays true.
    LeftAsItIs,
}

/// A call of a [`Connection`](crate::roles::lock::lock_manager::Connection).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    /// Looks whether the lockspace can be joined.
    Prepare {
        /// A corrupt lease of our host is written anew.
        repair: bool,
    },
    /// Joins it.
    Join {
        /// Whether one of an earlier life is taken over.
        adopt: Adopt,
        /// Without waiting for the leases of dead hosts.
        nodelay: bool,
    },
    /// Leaves it.
    Leave(Leave),
    /// Acquires a lock.
    Acquire(Resource, LockMode, Acquire),
    /// Changes the mode of a lock.
    Convert(Resource, LockMode, Option<ValueBlock>),
    /// Gives a lock back.
    Release {
        /// Which.
        resource: Resource,
        /// What is written into its value block before.
        write: Option<ValueBlock>,
        /// For ever, as its VG is removed.
        free: bool,
    },
    /// Counts the other hosts.
    OtherHosts,
    /// Lists the locks of an earlier life that nobody has taken over.
    Orphans,
    /// Gives them all back.
    DropOrphans,
    /// Finds room for a lease.
    FindFreeLock {
        /// The size of the LV of leases in bytes; 0 where it is not known.
        size_bytes: u64,
    },
    /// Makes a lease.
    InitLv(Box<InitLv>),
    /// Gives a lease back.
    FreeLv {
        /// The LV's UUID.
        uuid: LvUuid,
        /// Its lock arguments.
        args: Arc<str>,
    },
    /// Looks what the global lock's lease is called.
    ReadGlobal,
    /// Renames it.
    WriteGlobal {
        /// To the name by which it is used, or the other one.
        enabled: bool,
    },
}

/// What came of a call.
pub type Answer = Result<Outcome, Fault>;

/// What a call that has not failed has brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done (leave, convert, release, find free lock, free LV, write global).
    Done,
    /// Prepare.
    Prepared(Prepared),
    /// Join: the generation of this life of our host; 0 where there is none.
    Joined(u32),
    /// Acquire: the lock's value block, where it has one.
    Acquired(Option<ValueBlock>),
    /// Other hosts.
    Hosts(OtherHosts),
    /// Orphans; `None` where the lock manager does not tell.
    Orphans(Option<Vec<Leftover>>),
    /// Init LV: the LV's lock arguments.
    Args(String),
    /// Read global.
    Global(GlobalLease),
}

/// Something that events and log tell.
#[derive(Debug, Clone, PartialEq)]
pub enum Notice {
    /// The lockspace was joined.
    Started,
    /// It could not be prepared or joined.
    StartFailed(Fault),
    /// It could not be left, and goes on.
    LeaveFailed(Fault),
    /// It was left.
    Stopped,
    /// No locks from now on: the leases cannot be reached.
    Killed,
    /// Another host holds a lock in the way; it is tried again.
    Conflict {
        /// Which lock.
        resource: Resource,
        /// In which mode it was wanted.
        mode: LockMode,
        /// Which try it was, from 1.
        tries: u32,
        /// What the lock manager said.
        fault: Fault,
    },
    /// A lock could not be given back; that is tried again.
    ReleaseFailed {
        /// Which.
        resource: Resource,
        /// What the lock manager said.
        fault: Fault,
    },
    /// A lock that could not be given back before has been.
    ReleasedAtLast(Resource),
    /// A call has passed its deadline.
    Overdue {
        /// Which.
        call: CallId,
        /// The lock it is about, where it is about one.
        resource: Option<Resource>,
    },
    /// A call that had passed its deadline was answered.
    Late {
        /// Which.
        call: CallId,
        /// What came of it; `None`: it is done.
        fault: Option<Fault>,
    },
    /// A lock of an earlier life is ours again.
    Adopted {
        /// Which.
        resource: Resource,
        /// In which mode.
        mode: LockMode,
        /// It was given back at once: its client is gone, or its LV is not active any more.
        released: bool,
    },
    /// A lock of an earlier life could not be adopted.
    NotAdopted {
        /// Which.
        resource: Resource,
        /// What the lock manager said.
        fault: Fault,
        /// Somebody of this host may rely on it.
        needed: bool,
    },
    /// The lock manager has a lock of an earlier life of which nobody knows who may rely on it: it stays as it is.
    InDoubt {
        /// Which.
        resource: Resource,
        /// In which mode.
        mode: LockMode,
    },
    /// The lock manager does not tell which locks of an earlier life it has: nobody takes that for none.
    NotListed(Option<Fault>),
    /// All locks of an earlier life were looked at.
    AdoptionOver {
        /// How many are held again.
        held: usize,
        /// How many were given back.
        released: usize,
        /// How many of active LVs could not be adopted.
        failed: usize,
    },
    /// A lock was lost that clients believe to hold: it was given back for a stop that then failed, and is another
    /// host's now.
    Lost {
        /// Which.
        resource: Resource,
        /// What the lock manager said.
        fault: Fault,
    },
    /// A value block makes no sense or says that the VG is gone; the lock was given back.
    BadValueBlock {
        /// Whose.
        resource: Resource,
        /// What it says.
        block: ValueBlock,
    },
    /// Another host has changed what the lock protects.
    Outdated {
        /// Which lock.
        resource: Resource,
        /// The version that is valid; 0 where it is not known.
        version: u32,
    },
    /// A version was announced that is not above the known one.
    VersionNotNewer {
        /// The known one.
        known: u32,
        /// The announced one.
        announced: u32,
    },
    /// The lease on our host's life is not renewed: the times left.
    LeaseLate {
        /// Until the lock manager ends the lockspace's users.
        kill_in: Duration,
        /// Until the watchdog resets the host.
        reset_in: Duration,
    },
    /// The lease is renewed again.
    LeaseRenewed,
}

/// What a lockspace is, before it is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// Its name, such as `lvm_vg0`.
    pub name: Arc<str>,
    /// The VG's name; `None` for dlm's global lockspace.
    pub vg: Option<VgName>,
    /// The VG's UUID, where it is known.
    pub vg_uuid: Option<VgUuid>,
    /// The VG's lock arguments.
    pub args: Arc<str>,
    /// Its lock manager.
    pub lock_type: LockType,
    /// Our host id in it; 0 where there is none.
    pub host_id: u32,
    /// How long a request waits for clients of the same host before it is answered -11; `None`: for ever, as with the
    /// C daemon.
    pub local_wait: Option<Duration>,
}
