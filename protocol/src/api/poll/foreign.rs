//! Copies that the kernel makes and that no operation of the daemon polls.

use serde::{Deserialize, Serialize};

use super::CopyProgress;
use crate::ids::{LvName, Lvid, VgName};

/// Asks which copies of LVM's the kernel makes although no operation of the daemon polls them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Foreign {
    /// Where the page begins, as the one before has said; `None`: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// The copies that are not the daemon's. They are left alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ForeignReply {
    /// In the order of the names of VG and LV.
    pub copies: Vec<ForeignCopy>,
    /// Where the next page begins; `None`: this was the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_page: Option<String>,
}

/// A copy that was started by somebody else: an lvm command that polls by itself, or a raid.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ForeignCopy {
    /// The VG's name.
    pub vgname: VgName,
    /// The LV's name; a pvmove's is its temporary LV's, such as `pvmove0`.
    pub lvname: LvName,
    /// The LV for ever.
    pub lvid: Lvid,
    /// What is copied.
    pub kind: ForeignKind,
    /// How much is done, 0 to 100; `None` where the kernel does not tell.
    pub percent: Option<f64>,
    /// How far the kernel is; its rate is known from the second time on that it is asked for.
    pub copy: Option<CopyProgress>,
    /// How many sectors of a raid were found to differ by the latest check or repair; `None` for all else.
    pub mismatches: Option<u64>,
}

/// What the kernel copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ForeignKind {
    /// A pvmove whose lvm command polls by itself, or nobody.
    Pvmove,
    /// A mirror gets in sync: a conversion, or a new mirror.
    Mirror,
    /// A snapshot is merged.
    Merge,
    /// A raid makes its parts alike.
    Resync,
    /// A raid fills a part that was replaced.
    Recover,
    /// A raid looks for parts that differ: a scrub.
    Check,
    /// A raid looks for parts that differ, and makes them alike.
    Repair,
    /// A raid changes its shape.
    Reshape,
}

impl ForeignKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Pvmove,
        Self::Mirror,
        Self::Merge,
        Self::Resync,
        Self::Recover,
        Self::Check,
        Self::Repair,
        Self::Reshape,
    ];

    /// Returns the word for it, as it is sent; those of a raid are the kernel's own.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pvmove => "pvmove",
            Self::Mirror => "mirror",
            Self::Merge => "merge",
            Self::Resync => "resync",
            Self::Recover => "recover",
            Self::Check => "check",
            Self::Repair => "repair",
            Self::Reshape => "reshape",
        }
    }
}
