//! `org.lvmwarden.Metadata`: the VGs, PVs and LVs of the host.

mod things;

use serde::{Deserialize, Serialize};

pub use things::{
    Area, Change, Completeness, Coverage, Freshness, Kernel, Lv, Piece, Problem, ProblemKind, Pv, Reading,
    Segment, Source, Vg,
};

use super::interface::{Done, interface};
use crate::ids::{PvName, VgName, VgUuid};

interface!("org.lvmwarden.Metadata", "org.lvmwarden.Metadata.varlink", {
    Vgs -> One(VgsReply),
    Pvs -> One(PvsReply),
    Lvs -> One(LvsReply),
    Show -> One(ShowReply),
    Wait -> One(WaitReply),
    Watch -> Stream(WatchReply),
    Rescan -> One(Done),
    Problems -> One(ProblemsReply),
});

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

/// Declares a reply.
macro_rules! message {
    ($(#[$docs:meta])* $name:ident { $($(#[$field_docs:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$docs])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub struct $name { $($(#[$field_docs])* pub $field: $type,)* }
    };
}

call! {
    /// Asks for VGs.
    Vgs {
        /// Of this name; `None`: all.
        vgname: Option<VgName>,
        /// What is told was on the disks at most so long ago; `None`: whenever.
        max_age_ms: Option<u64>,
        /// Where the page begins, as the one before has said; `None`: the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<String>,
    }
}
call! {
    /// Asks for PVs.
    Pvs {
        /// Of this VG; `None`: all.
        vgname: Option<VgName>,
        /// As of [`Vgs`].
        max_age_ms: Option<u64>,
        /// Where the page begins, as the one before has said; `None`: the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<String>,
    }
}
call! {
    /// Asks for LVs.
    Lvs {
        /// Of this VG; `None`: all.
        vgname: Option<VgName>,
        /// Those included that are parts of others.
        all: Option<bool>,
        /// As of [`Vgs`].
        max_age_ms: Option<u64>,
        /// Where the page begins, as the one before has said; `None`: the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<String>,
    }
}
call! {
    /// Asks for one VG with all that there is of it.
    Show {
        /// The VG.
        vgname: VgName,
        /// Which of several with the same name; `None`: there is one.
        uuid: Option<VgUuid>,
        /// As of [`Vgs`].
        max_age_ms: Option<u64>,
        /// Where the page begins, as the one before has said; `None`: the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<String>,
    }
}
call! {
    /// Waits until a VG is complete.
    Wait {
        /// The VG, which need not be known yet.
        vgname: VgName,
        /// At most so long; `None`: for ever.
        timeout_ms: Option<u64>,
    }
}
call! {
    /// Asks to be told of VGs, now and whenever they change.
    Watch {
        /// Of this name; `None`: all.
        vgname: Option<VgName>,
    }
}
call! {
    /// Has a device read again.
    Rescan {
        /// Its path.
        device: PvName,
    }
}
call! {
    /// Asks for what is not as it should be.
    Problems {
        /// Where the page begins, as the one before has said; `None`: the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        page: Option<String>,
    }
}

message! {
    /// VGs, by name.
    VgsReply {
        /// How far they go.
        coverage: Coverage,
        /// They.
        vgs: Vec<Vg>,
        /// Where the next page begins; `None`: this was the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_page: Option<String>,
    }
}
message! {
    /// PVs, by VG.
    PvsReply {
        /// How far they go.
        coverage: Coverage,
        /// They.
        pvs: Vec<Pv>,
        /// Where the next page begins; `None`: this was the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_page: Option<String>,
    }
}
message! {
    /// LVs, by VG and name.
    LvsReply {
        /// How far they go.
        coverage: Coverage,
        /// They.
        lvs: Vec<Lv>,
        /// Where the next page begins; `None`: this was the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_page: Option<String>,
    }
}
message! {
    /// One VG.
    ShowReply {
        /// How far it goes.
        coverage: Coverage,
        /// The VG.
        vg: Vg,
        /// Its PVs, with what lies on them.
        pvs: Vec<Pv>,
        /// Its LVs, with their segments; those included that are parts of others.
        lvs: Vec<Lv>,
        /// Where the next page begins; `None`: this was the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_page: Option<String>,
    }
}
message! {
    /// How far a VG is that was waited for.
    WaitReply {
        /// How far the answer goes.
        coverage: Coverage,
        /// How far the VG is.
        completeness: Completeness,
        /// The VG, where it is known.
        vg: Option<Vg>,
        /// Those of its PVs that are not there.
        missing_pv_uuids: Vec<String>,
    }
}
message! {
    /// What has become of a VG.
    WatchReply {
        /// How far the answer goes.
        coverage: Coverage,
        /// What.
        change: Change,
        /// Its name.
        vgname: String,
        /// Its UUID.
        uuid: String,
        /// As it is now; `None`: it is gone.
        vg: Option<Vg>,
    }
}
message! {
    /// What is not as it should be.
    ProblemsReply {
        /// How far it goes.
        coverage: Coverage,
        /// By kind and VG.
        problems: Vec<Problem>,
        /// Where the next page begins; `None`: this was the last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_page: Option<String>,
    }
}

/// Why a call of this interface fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "error", content = "parameters")]
pub enum Error {
    /// The service does not play the role.
    #[error("ask about VGs: the service does not know them, see service.roles in lvmwarden.toml(5)")]
    NotServed,
    /// There is no such VG.
    #[error("find the VG {vgname}: it is not known")]
    NotFound {
        /// Its name.
        vgname: VgName,
        /// Whether all PVs were looked at.
        coverage: Coverage,
    },
    /// Several VGs have this name.
    #[error("find the VG {vgname}: there are several")]
    Ambiguous {
        /// The name.
        vgname: VgName,
        /// Their UUIDs.
        uuids: Vec<String>,
    },
    /// The device could not be read.
    #[error("read {device}: {reason}")]
    CannotRescan {
        /// The device.
        device: PvName,
        /// Why.
        reason: String,
    },
    /// It was not done in time.
    #[error("get an answer in time: the daemon is busy")]
    Busy,
}
