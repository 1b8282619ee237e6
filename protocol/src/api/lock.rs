//! `org.lvmwarden.Lock`: the locks of shared VGs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::interface::{Done, interface};
use crate::ids::VgName;
use crate::lock::{LockMode, LockType};

interface!("org.lvmwarden.Lock", "org.lvmwarden.Lock.varlink", {
    Lockspaces -> One(LockspacesReply),
    Locks -> One(LocksReply),
    Waiters -> One(WaitersReply),
    Start -> One(Done),
    Stop -> One(Done),
    Drop -> One(Done),
    Orphans -> One(OrphansReply),
    Adopt -> One(Done),
    Release -> One(Done),
    History -> One(HistoryReply),
    Explain -> One(ExplainReply),
    Watch -> Stream(WatchReply),
});

/// Declares a struct that is sent.
macro_rules! message {
    ($(#[$docs:meta])* $name:ident { $($(#[$field_docs:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$docs])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub struct $name { $($(#[$field_docs])* pub $field: $type,)* }
    };
}

/// Declares the parameters of a method.
macro_rules! call {
    ($(#[$docs:meta])* $name:ident { $($(#[$field_docs:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$docs])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(deny_unknown_fields)]
        pub struct $name { $($(#[$field_docs])* pub $field: $type,)* }
    };
}

call! {
    /// Asks for lockspaces.
    Lockspaces {
        /// Of this VG; `None`: all.
        vgname: Option<VgName>,
        /// Where the page begins, as the one before has said; `None`: the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<String>,
    }
}
call! {
    /// Asks for the locks that are held on this host.
    Locks {
        /// Of this VG; `None`: all.
        vgname: Option<VgName>,
        /// Where the page begins, as the one before has said; `None`: the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<String>,
    }
}
call! {
    /// Asks for the requests that wait on this host.
    Waiters {
        /// Of this VG; `None`: all.
        vgname: Option<VgName>,
        /// Where the page begins, as the one before has said; `None`: the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<String>,
    }
}
call! {
    /// Asks what has happened to lockspaces and their locks.
    History {
        /// Of this VG; `None`: of all.
        vgname: Option<VgName>,
        /// How many entries at most; `None`: all that are kept.
        limit: Option<u32>,
        /// Where the page begins, as the one before has said; `None`: the latest entries.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<String>,
    }
}
message! {
    /// What has happened to lockspaces and their locks.
    HistoryReply {
        /// Oldest first.
        entries: Vec<HistoryEntry>,
        /// Where the next page begins, which is of older ones; `None`: there are none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_page: Option<String>,
    }
}
message! {
    /// Something that happened to a lockspace, or to a lock in one.
    HistoryEntry {
        /// When, RFC 3339.
        time: String,
        /// To which lockspace.
        lockspace: String,
        /// Its VG; `None`: it is dlm's global one.
        vgname: Option<VgName>,
        /// What, such as `lock.lease_late`, as events call it. Later versions have more kinds.
        kind: String,
        /// What else there is to know, by name, as events tell it.
        fields: BTreeMap<String, String>,
    }
}
call! {
    /// Has lvm start the lockspace of a VG.
    Start {
        /// The VG's name.
        vgname: VgName,
    }
}
call! {
    /// Has the lockspace of a VG left, unless an LV of it is locked.
    Stop {
        /// The VG's name.
        vgname: VgName,
    }
}
call! {
    /// Has the lockspace of a VG left with all its locks.
    Drop {
        /// The VG's name.
        vgname: VgName,
    }
}
call! {
    /// Asks for the locks of an earlier daemon that nobody has taken over.
    Orphans {
        /// Of this VG; `None`: all.
        vgname: Option<VgName>,
    }
}
call! {
    /// Has locks of an earlier daemon taken over: of LVs, and held until somebody unlocks them.
    Adopt {
        /// The VG's name.
        vgname: VgName,
        /// An LV's UUID; `None`: those of all LVs.
        lock: Option<String>,
    }
}
call! {
    /// Has locks of an earlier daemon given back: other hosts get them from now on.
    Release {
        /// The VG's name.
        vgname: VgName,
        /// An LV's UUID, `VGLK` or `GLLK`; `None`: those of all LVs.
        lock: Option<String>,
        /// Although an LV of them is active, or a process lives that has asked for one.
        force: Option<bool>,
    }
}
call! {
    /// Asks in words why something waits.
    Explain {
        /// The VG's name.
        vgname: VgName,
        /// The name or the UUID of an LV; `None`: the whole VG.
        lv: Option<String>,
    }
}
call! {
    /// Asks for all that there is, whenever it has changed.
    Watch {}
}

message! {
    /// Lockspaces, by name.
    LockspacesReply {
        /// They.
        lockspaces: Vec<Lockspace>,
        /// Where the next page begins; `None`: this was the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_page: Option<String>,
    }
}
message! {
    /// Locks, by lockspace: the global lock, the VG's, then LVs by UUID.
    LocksReply {
        /// They.
        locks: Vec<Lock>,
        /// Where the next page begins; `None`: this was the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_page: Option<String>,
    }
}
message! {
    /// Requests, by lockspace and lock, the eldest first.
    WaitersReply {
        /// They.
        waiters: Vec<Waiter>,
        /// Where the next page begins; `None`: this was the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_page: Option<String>,
    }
}
message! {
    /// Locks of an earlier daemon, by lockspace.
    OrphansReply {
        /// They, as many as go into a reply.
        orphans: Vec<Orphan>,
        /// There are more.
        has_more: bool,
    }
}
message! {
    /// Why something waits.
    ExplainReply {
        /// Somebody waits.
        is_blocked: bool,
        /// The chain, a step a line.
        lines: Vec<String>,
    }
}
message! {
    /// All that there is, or a part of it.
    WatchReply {
        /// The lockspaces.
        lockspaces: Vec<Lockspace>,
        /// The locks that are held on this host.
        locks: Vec<Lock>,
        /// The requests that wait on this host.
        waiters: Vec<Waiter>,
        /// The rest follows in the next reply.
        is_partial: bool,
    }
}

message! {
    /// A lockspace.
    Lockspace {
        /// Its name, such as `lvm_vg0`.
        name: String,
        /// The VG's name; `None` for dlm's global lockspace.
        vgname: Option<VgName>,
        /// The VG's UUID, 38 characters with dashes; may be empty.
        vg_uuid: String,
        /// Its lock manager.
        lock_type: LockType,
        /// The VG's lock arguments.
        args: String,
        /// This host's id in it; 0 where there is none.
        host_id: u32,
        /// Which life of this host it is in it; 0 where the lock manager has none.
        generation: u32,
        /// How far it is.
        state: State,
        /// Its leases cannot be reached: nothing more is locked.
        is_killed: bool,
        /// The lease of the global lock in it.
        global_lock: GlobalLock,
        /// The lease on this host's life, where the lock manager has one.
        lease: Option<Lease>,
        /// How many locks are held.
        locks: u32,
        /// How many requests wait.
        waiters: u32,
        /// Why it could not be joined or left.
        problem: Option<String>,
    }
}
message! {
    /// The lease on this host's life in a lockspace.
    Lease {
        /// The time since it was renewed.
        age_ms: u64,
        /// The time until the lock manager has the VG killed.
        kill_in_ms: u64,
        /// The time until the watchdog resets the host.
        reset_in_ms: u64,
    }
}
message! {
    /// A lock as one holder has it.
    Lock {
        /// The lockspace's name.
        lockspace: String,
        /// The VG's name.
        vgname: Option<VgName>,
        /// What is locked.
        kind: Kind,
        /// The LV's name, where whoever locked it said it.
        lvname: Option<String>,
        /// The LV's UUID.
        lv_uuid: Option<String>,
        /// How.
        mode: LockMode,
        /// The version of what the lock protects.
        version: u32,
        /// It outlives the command.
        is_persistent: bool,
        /// The process that asked for it.
        pid: Option<u32>,
        /// Its command.
        command: Option<String>,
        /// For how long it is held in this mode.
        held_ms: Option<u64>,
        /// Why it is held by nobody: the lock manager does not take it back.
        problem: Option<String>,
    }
}
message! {
    /// A lock that the lock manager has for an earlier daemon of this host.
    Orphan {
        /// The lockspace's name.
        lockspace: String,
        /// The VG's name.
        vgname: Option<VgName>,
        /// What is locked.
        kind: Kind,
        /// The LV's UUID.
        lv_uuid: Option<String>,
        /// How; as it is remembered, where the lock manager was not asked.
        mode: LockMode,
        /// The process that had asked for it, where that is remembered.
        pid: Option<u32>,
        /// Its command.
        command: Option<String>,
        /// Why it was not taken over.
        problem: String,
    }
}
message! {
    /// A request that waits.
    Waiter {
        /// The lockspace's name.
        lockspace: String,
        /// The VG's name.
        vgname: Option<VgName>,
        /// What is to be locked.
        kind: Kind,
        /// The LV's UUID.
        lv_uuid: Option<String>,
        /// How.
        mode: LockMode,
        /// For a lock that outlives the command.
        is_persistent: bool,
        /// The process that asks.
        pid: Option<u32>,
        /// Its command.
        command: Option<String>,
        /// For how long it has waited.
        waited_ms: u64,
        /// For what.
        why: Why,
        /// The host that has the lock.
        host_id: Option<u32>,
        /// The name that it gave itself.
        host_name: Option<String>,
        /// How often it was tried.
        tries: Option<u32>,
        /// The time until it is tried again.
        retry_in_ms: Option<u64>,
    }
}

/// Declares an enum that is sent.
macro_rules! word {
    ($(#[$docs:meta])* $name:ident { $($(#[$variant_docs:meta])* $variant:ident,)* }) => {
        $(#[$docs])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$variant_docs])* $variant,)* }
    };
}

word! {
    /// How far a lockspace is.
    State {
        /// It is being joined, or locks of an earlier life are being adopted.
        Starting,
        /// Locks are served.
        Running,
        /// It is being left.
        Stopping,
        /// It could not be joined.
        Failed,
    }
}
word! {
    /// The lease of the global lock in a VG.
    GlobalLock {
        /// It may be used.
        Enabled,
        /// It may not.
        Disabled,
        /// There is none.
        Absent,
    }
}
word! {
    /// What is locked.
    Kind {
        /// The list of VGs.
        Global,
        /// A VG's metadata.
        Vg,
        /// An LV.
        Lv,
    }
}
word! {
    /// What a request waits for.
    Why {
        /// Others of this host have the lock.
        HeldHere,
        /// Others of this host wait for it since before.
        Behind,
        /// The lock manager is being asked.
        Asking,
        /// Another host has it; it is tried again.
        HeldElsewhere,
        /// The lock manager does not take it back from its last holder.
        NotGivenBack,
    }
}

/// Why a call of this interface fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "error", content = "parameters")]
pub enum Error {
    /// The service does not play the role.
    #[error("ask about locks: the service does not hold any, see service.roles in lvmwarden.toml(5)")]
    NotServed,
    /// The VG has no lockspace here.
    #[error("find a lockspace of {vgname}: it is not started on this host")]
    NotStarted {
        /// The VG's name.
        vgname: VgName,
    },
    /// It could not be done.
    #[error("change the lockspace of {vgname}: {reason} ({code})")]
    Refused {
        /// The VG's name.
        vgname: VgName,
        /// What lvm would be told.
        code: i32,
        /// Why.
        reason: String,
    },
    /// The actors concerned did not answer in time; the call may be repeated.
    #[error("get an answer in time: the daemon is busy")]
    Busy,
}
