//! `org.lvmwarden.Reconfigure`: changes that all hosts of a VG make together, or none of them.

use serde::{Deserialize, Serialize};

use super::interface::{Done, interface};

interface!("org.lvmwarden.Reconfigure", "org.lvmwarden.Reconfigure.varlink", {
    Plan -> One(PlanReply),
    Propose -> One(ChangeReply),
    List -> One(ListReply),
    Show -> One(ChangeReply),
    Wait -> One(ChangeReply),
    Watch -> Stream(ChangeReply),
    Abandon -> One(Done),
    Judge -> One(ChangeReply),
    Members -> One(MembersReply),
    ReleaseHolds -> One(ReleaseHoldsReply),
});

macro_rules! words {
    ($(#[doc = $doc:literal])+ $Name:ident { $($(#[doc = $of:literal])+ $Variant:ident = $word:literal,)+ }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $Name {
            $($(#[doc = $of])+ $Variant,)+
        }

        impl $Name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$Variant,)+];

            /// Returns its word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Variant => $word,)+
                }
            }
        }
    };
}

words! {
    /// What sort of change.
    Kind {
        /// An LV grows.
        Resize = "resize",
        /// Devices are brought to what the metadata say.
        Refresh = "refresh",
        /// An LV has another name.
        RenameLv = "rename_lv",
        /// A VG has another name.
        RenameVg = "rename_vg",
        /// LVs are activated on every host.
        Activate = "activate",
        /// LVs are deactivated on every host.
        Deactivate = "deactivate",
        /// Tags come and go.
        Tag = "tag",
        /// Devices become PVs of the VG.
        PvAdd = "pv_add",
    }
}

words! {
    /// Whether I/O is held.
    HoldWish {
        /// Where the kind needs it.
        Auto = "auto",
        /// In any case.
        Always = "always",
        /// In no case.
        Never = "never",
    }
}

words! {
    /// How far a change is.
    Phase {
        /// The locks are waited for, and the VG is read.
        Locking = "locking",
        /// It is about to be proposed.
        Proposing = "proposing",
        /// Votes are waited for.
        Voting = "voting",
        /// Hosts hold I/O, or do what can be undone.
        Preparing = "preparing",
        /// The metadata are being written.
        Applying = "applying",
        /// It is read whether they are written.
        Judging = "judging",
        /// It is committed; hosts do their part.
        Committing = "committing",
        /// It is abandoned; hosts undo.
        Abandoning = "abandoning",
        /// Nobody here knows whether the metadata are written.
        Doubt = "doubt",
        /// It is over.
        Ended = "ended",
    }
}

words! {
    /// What has become of a change.
    OutcomeKind {
        /// It is made.
        Committed = "committed",
        /// It is not, and nothing was changed.
        Abandoned = "abandoned",
        /// It was never proposed.
        Refused = "refused",
        /// Others have written since nobody knew.
        Superseded = "superseded",
        /// Nobody could tell in time.
        Unknown = "unknown",
    }
}

words! {
    /// What a change is to a host.
    Concern {
        /// Nothing.
        None = "none",
        /// Its VG is started there.
        Vg = "vg",
        /// An LV of it is active there.
        Lv = "lv",
    }
}

words! {
    /// How a host votes.
    Answer {
        /// It can be made there.
        Yes = "yes",
        /// It cannot.
        No = "no",
    }
}

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// What sort of change.
    pub kind: Kind,
    /// The VG's name.
    pub vgname: String,
    /// The LVs' names; none: all with `refresh`, the VG itself with `tag`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lvnames: Vec<String>,
    /// The size wanted, in bytes.
    #[serde(default)]
    pub size_bytes: Option<u64>,
    /// How many bytes more than now are wanted.
    #[serde(default)]
    pub grow_bytes: Option<u64>,
    /// The PVs on which new extents may lie; none: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pvs: Vec<String>,
    /// The new name.
    #[serde(default)]
    pub new_name: Option<String>,
    /// The tags to be added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add_tags: Vec<String>,
    /// The tags to be removed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove_tags: Vec<String>,
    /// WWIDs or serials of devices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub device_ids: Vec<String>,
    /// Whether I/O is held; `None`: where the kind needs it.
    #[serde(default)]
    pub hold: Option<HoldWish>,
}

impl Goal {
    /// Returns the goal of this kind that names nothing but its VG.
    pub fn of(kind: Kind, vgname: impl Into<String>) -> Self {
        Self {
            kind,
            vgname: vgname.into(),
            lvnames: Vec::new(),
            size_bytes: None,
            grow_bytes: None,
            pvs: Vec::new(),
            new_name: None,
            add_tags: Vec::new(),
            remove_tags: Vec::new(),
            device_ids: Vec::new(),
            hold: None,
        }
    }
}

/// One host's part in a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Host {
    /// Its node id.
    pub node: u32,
    /// What it is called in the cluster.
    pub name: String,
    /// What the change is to it.
    pub concern: Concern,
    /// How it has voted; `None` until it has.
    pub vote: Option<Answer>,
    /// Its objection, in a word that is always the same.
    pub code: Option<String>,
    /// Its objection, for people.
    pub reason: Option<String>,
    /// What else there is to know of it.
    pub notes: Vec<String>,
    /// How far its part is, in a word.
    pub state: String,
    /// How long I/O was held there.
    pub held_ms: Option<u64>,
    /// It has not done its part yet, and goes on trying.
    pub lagging: bool,
    /// It has left.
    pub gone: bool,
}

/// What a host would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Step {
    /// Which host.
    pub host: String,
    /// In which phase.
    pub phase: Phase,
    /// The command that it would run.
    pub command: Option<String>,
    /// What there is to know of it.
    pub note: Option<String>,
}

/// What has become of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Outcome {
    /// In a word.
    pub kind: OutcomeKind,
    /// The host that the reason comes from.
    pub node: Option<String>,
    /// In which phase it was decided.
    pub phase: Option<Phase>,
    /// Why, in a word that is always the same.
    pub code: Option<String>,
    /// Why, for people.
    pub reason: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
    /// No hold has ended before its refresh.
    pub simultaneous: bool,
    /// The hosts whose part is not done.
    pub lagging: Vec<String>,
}

/// A change, as far as this host knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Change {
    /// A UUID.
    pub id: String,
    /// What is wanted.
    pub goal: Goal,
    /// The same in words.
    pub goal_text: String,
    /// The host that was asked.
    pub coordinator: String,
    /// How far it is.
    pub phase: Phase,
    /// The how-manieth vote it is, from 1.
    pub round: u32,
    /// When it was asked for, RFC 3339.
    pub since: String,
    /// How long it has taken so far, or in all.
    pub took_ms: u64,
    /// How much is left of the phase, where it has a limit.
    pub deadline_ms: Option<u64>,
    /// Who has asked, in words.
    pub asked_by: Option<String>,
    /// The hosts that take part.
    pub hosts: Vec<Host>,
    /// What has become of it; `None` until that is known.
    pub outcome: Option<Outcome>,
}

/// A daemon in the group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Member {
    /// Its node id.
    pub node: u32,
    /// What its host is called in the cluster.
    pub name: String,
    /// Its process id.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// It is the one that answers.
    pub is_self: bool,
    /// The kinds of changes that it takes part in.
    pub accepts: Vec<Kind>,
    /// The VGs that it has started.
    pub vgs: Vec<String>,
    /// It has been heard, and takes part.
    pub is_ready: bool,
}

/// Asks what all hosts would say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What is wanted.
    pub goal: Goal,
}

/// Tells what all hosts would say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlanReply {
    /// Nobody objects.
    pub would: bool,
    /// The goal in words.
    pub goal_text: String,
    /// What each host would say.
    pub hosts: Vec<Host>,
    /// What each would do, in order.
    pub steps: Vec<Step>,
    /// How long I/O would be held, as far as one can tell.
    pub expected_hold_ms: u64,
}

/// Asks for a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Propose {
    /// What is wanted.
    pub goal: Goal,
    /// A UUID of the caller's choice.
    #[serde(default)]
    pub id: Option<String>,
}

/// Tells one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ChangeReply {
    /// The change.
    pub change: Change,
}

/// Asks for all changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The latest so many only.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Tells all changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ListReply {
    /// In the order in which they were asked for.
    pub changes: Vec<Change>,
}

/// Asks for one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// Its id, or a beginning of it.
    pub id: String,
}

/// Waits for the end of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Wait {
    /// Its id, or a beginning of it.
    pub id: String,
    /// How long at most; `None`: until it has ended.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
}

/// Follows changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// Only this one, to its end; `None`: all, for ever.
    #[serde(default)]
    pub id: Option<String>,
}

/// Has a change abandoned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Abandon {
    /// Its id, or a beginning of it.
    pub id: String,
}

/// Has a change in doubt decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Judge {
    /// Its id, or a beginning of it.
    pub id: String,
}

/// Asks who is in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Members {}

/// Tells who is in the group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MembersReply {
    /// How its members hear one another: `local`, `corosync`.
    pub transport: String,
    /// This host is in the larger part of the cluster.
    pub quorate: bool,
    /// The group's configuration, such as `1.1f`; empty while there is none.
    pub ring: String,
    /// The members, by node.
    pub members: Vec<Member>,
    /// Why this host is not in its group.
    pub problem: Option<String>,
}

/// Has what is held on this host let go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ReleaseHolds {}

/// Tells what was let go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ReleaseHoldsReply {
    /// The devices.
    pub released: Vec<String>,
}

/// Why a call of this interface fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "error", content = "parameters")]
pub enum Error {
    /// The service does not play the role `reconfigure`.
    #[error("reach the changes: the service does not play the role reconfigure")]
    NotServed,
    /// The group cannot be reached, or the VG needs one that this host has not.
    #[error("reach the other hosts: {reason}")]
    NoTransport {
        /// Why.
        reason: String,
    },
    /// This host is not in the larger part of the cluster.
    #[error("propose a change: {reason}")]
    NoQuorum {
        /// Why.
        reason: String,
    },
    /// The VG is not shared.
    #[error("propose a change: VG {vgname} is not shared")]
    NotShared {
        /// Its name.
        vgname: String,
    },
    /// The VG is started on hosts without this daemon.
    #[error("propose a change: VG {vgname} is started on hosts without this daemon: {}", hosts.join(", "))]
    NotCovered {
        /// Its name.
        vgname: String,
        /// The hosts.
        hosts: Vec<String>,
    },
    /// The goal cannot be.
    #[error("take the goal: {field}: {reason}")]
    BadGoal {
        /// The part of it that is wrong.
        field: String,
        /// Why.
        reason: String,
    },
    /// Another change of the VG is under way.
    #[error("begin a change of VG {vgname}: {id} is under way")]
    AlreadyChanging {
        /// The VG's name.
        vgname: String,
        /// The other change.
        id: String,
    },
    /// The VG's lock is held elsewhere.
    #[error("lock VG {vgname}: it is held by {}", holder.as_deref().unwrap_or("somebody"))]
    LockHeld {
        /// The VG's name.
        vgname: String,
        /// By whom, where that is known.
        holder: Option<String>,
    },
    /// The change has come to its write, or is over.
    #[error("abandon change {id}: it is {}", phase.as_str())]
    TooLate {
        /// Which change.
        id: String,
        /// How far it is.
        phase: Phase,
    },
    /// There is no such change, or not any more, or several begin so.
    #[error("find change {id}")]
    NotFound {
        /// What was asked for.
        id: String,
    },
    /// Too many changes are under way, or the daemon did not get to it in time.
    #[error("get to it in time: the daemon is busy")]
    Busy,
}
