//! Requests: from a message to what is asked, and back to the message that lvm would send.

mod parse;
mod write;

use std::borrow::Cow;

use super::{PvText, VgText};
use crate::metadata::{Pvid, Vgid, Vgname};

/// A request to lvmetad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is asked.
    pub operation: Operation,
    /// Who asks, and under which token.
    pub common: Common,
}

/// The fields that every request may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Common {
    /// The token under which the client knows the cache; absent: [`NONE`](super::NONE).
    pub token: Option<String>,
    /// For how long an update is protected, in seconds. Only lvm commands say it, in every request.
    pub update_timeout: Option<i64>,
    /// The client's pid, as it says.
    pub pid: Option<i64>,
    /// The client's command, such as `pvs`.
    pub cmd: Option<String>,
}

/// What a request asks for, with the fields that only it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// The greeting, the first thing every client says.
    Hello,
    /// Begin, or end, to fill the cache: the token says which.
    TokenUpdate,
    /// Tell the token, and whether the cache may be used.
    GetGlobalInfo,
    /// Mark the whole cache; what is `None` stays as it is.
    SetGlobalInfo {
        /// Another host has changed something.
        invalid: Option<bool>,
        /// Commands shall not use the cache.
        disable: Option<bool>,
        /// Why not.
        reasons: DisableReasons,
    },
    /// Forget all PVs and VGs.
    PvClearAll,
    /// A PV is there.
    PvFound(Result<FoundPv, Refusal>),
    /// A PV is gone.
    PvGone(PvKey),
    /// Show a PV.
    PvLookup(PvKey),
    /// Show all PVs.
    PvList,
    /// Show all VGs.
    VgList,
    /// Show a VG, by its UUID, its name, or both.
    VgLookup {
        /// The VG's UUID.
        uuid: Option<Vgid>,
        /// The VG's name.
        name: Option<Vgname>,
    },
    /// A VG was changed on disk; `None`: the request says nothing.
    VgUpdate(Result<Option<UpdatedVg>, Refusal>),
    /// A VG was removed.
    VgRemove(Option<Vgid>),
    /// What was outdated is dealt with.
    VgClearOutdatedPvs(Option<Vgid>),
    /// A VG is about to be changed, or was changed by another host.
    SetVgInfo {
        /// The seqno that it will have; 0: unknown.
        version: Option<i64>,
        /// The VG's UUID.
        uuid: Option<Vgid>,
        /// The VG's name, for one that has no such UUID.
        name: Option<Vgname>,
    },
    /// Show everything.
    Dump,
    /// What is not understood, also a text that does not parse.
    Unknown(String),
}

/// A PV that was found, and the metadata that was read from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPv {
    /// The PV.
    pub pv: PvText,
    /// What it says about its VG, and the VG's name.
    pub metadata: Option<UpdatedVg>,
}

/// A VG as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdatedVg {
    /// Its name.
    pub name: Vgname,
    /// All else.
    pub text: VgText,
}

/// How a PV is named; the UUID counts where both are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PvKey {
    /// Its UUID.
    pub uuid: Option<Pvid>,
    /// The number of its device, never 0.
    pub device: Option<i64>,
}

/// Why commands shall not use the cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DisableReasons(u8);

/// The reasons in the order in which they are told.
const REASONS: [&str; 4] = ["DIRECT", "REPAIR", "DUPLICATES", "VGRESTORE"];

impl DisableReasons {
    /// Two devices have the same PV.
    pub const DUPLICATES: Self = Self(1 << 2);

    /// Returns the reasons that `text` contains.
    pub fn from_text(text: &str) -> Self {
        let named = |(at, reason): (usize, &&str)| if text.contains(*reason) { 1 << at } else { 0 };
        Self(REASONS.iter().enumerate().map(named).sum())
    }

    /// Returns these and those.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns their words, in a fixed order.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        REASONS.into_iter().enumerate().filter(move |(at, _)| self.0 & (1 << at) != 0).map(|(_, word)| word)
    }
}

/// Why a request makes no sense, in the C daemon's words (which it does not send where it ends instead).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// `pv_found` without the section `pvmeta`.
    #[error("Ignore PV without PV metadata")]
    NoPvMeta,
    /// `pvmeta` without a UUID, or no section.
    #[error("Ignore PV without PV UUID")]
    NoPvUuid,
    /// `pvmeta` without a device.
    #[error("Ignore PV without device")]
    NoDevice,
    /// `pv_found` with metadata and no `vgname`.
    #[error("Ignore VG metadata from PV without VG name")]
    PvWithoutVgName,
    /// `pv_found` with metadata that has no UUID.
    #[error("Ignore VG metadata from PV without VG vgid")]
    PvWithoutVgUuid,
    /// `pv_found` with metadata that has no version.
    #[error("Ignore VG metadata from PV without VG seqno")]
    PvWithoutSeqno,
    /// `vg_update` with metadata that has no UUID, or is no section.
    #[error("vg_update: need VG UUID")]
    UpdateWithoutUuid,
    /// `vg_update` without `vgname`.
    #[error("vg_update: need VG name")]
    UpdateWithoutName,
    /// `vg_update` with metadata that has no version.
    #[error("vg_update: need VG seqno")]
    UpdateWithoutSeqno,
    /// `vg_update` with version 0.
    #[error("vg_update: failed metadata update")]
    UpdateWithSeqnoZero,
}

impl Operation {
    /// Returns the word in the field `request`.
    pub fn keyword(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::Unknown(word) => return Cow::Borrowed(word),
            known => known.known_keyword().expect("only an unknown one has none"),
        })
    }

    /// Returns the word in the field `request`, unless it is one that nobody knows.
    pub fn known_keyword(&self) -> Option<&'static str> {
        Some(match self {
            Self::Hello => "hello",
            Self::TokenUpdate => "token_update",
            Self::GetGlobalInfo => "get_global_info",
            Self::SetGlobalInfo { .. } => "set_global_info",
            Self::PvClearAll => "pv_clear_all",
            Self::PvFound(_) => "pv_found",
            Self::PvGone(_) => "pv_gone",
            Self::PvLookup(_) => "pv_lookup",
            Self::PvList => "pv_list",
            Self::VgList => "vg_list",
            Self::VgLookup { .. } => "vg_lookup",
            Self::VgUpdate(_) => "vg_update",
            Self::VgRemove(_) => "vg_remove",
            Self::VgClearOutdatedPvs(_) => "vg_clear_outdated_pvs",
            Self::SetVgInfo { .. } => "set_vg_info",
            Self::Dump => "dump",
            Self::Unknown(_) => return None,
        })
    }
}
