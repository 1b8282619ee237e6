//! `org.lvmwarden.Archive`: the archive janitor.

use serde::{Deserialize, Serialize};

use super::interface::interface;

interface!("org.lvmwarden.Archive", "org.lvmwarden.Archive.varlink", {
    Status -> One(StatusReply),
    Plan -> One(PlanReply),
    Clean -> One(CleanReply),
});

/// Asks what the janitor is to do, and how it went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Status {}

/// Tells what the janitor is to do, and how it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StatusReply {
    /// Whether it is turned on, and at work.
    pub state: JanitorState,
    /// Whose copies it looks after.
    pub directory: String,
    /// The time from the end of one pass to the next.
    pub period_minutes: u32,
    /// How much is kept.
    pub limits: Limits,
    /// The wall clock is known to be right; while it is not, nothing goes for its age.
    pub is_clock_synchronised: bool,
    /// How full the directory was when it was last seen.
    pub seen: Option<Seen>,
    /// The latest pass that was to remove something.
    pub last_pass: Option<Pass>,
}

/// Whether the janitor is turned on, and at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum JanitorState {
    /// It never removes anything.
    Off,
    /// It waits for its next pass.
    Waiting,
    /// A pass is under way.
    Working,
}

/// How much is kept for each VG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Limits {
    /// How many copies at most.
    pub files_per_vg: u32,
    /// How long they may be together.
    pub bytes_per_vg: u64,
    /// How old one may become.
    pub age_days: u32,
    /// How many of the newest good ones are kept, whatever the other bounds say.
    pub keep_newest: u32,
}

/// How full the directory was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Seen {
    /// The copies in it.
    pub files: u64,
    /// Their lengths added up.
    pub bytes: u64,
    /// How many other names there were.
    pub unrecognised: u64,
}

/// A pass that was to remove something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pass {
    /// RFC 3339.
    pub ended_at: String,
    /// How long it took.
    pub took_ms: u64,
    /// How many copies it removed.
    pub removed_files: u64,
    /// How long these were together.
    pub removed_bytes: u64,
    /// How many VGs are over a bound nevertheless, other than by the age of their newest copies.
    pub vgs_over: u64,
    /// Why it was not finished.
    pub problem: Option<String>,
}

/// Asks what a pass would do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Plan {}

/// Tells what a pass would do now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PlanReply {
    /// What goes, if nothing changes meanwhile.
    pub report: Report,
}

/// Asks for a pass now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Clean {}

/// Tells what a pass did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CleanReply {
    /// What is gone.
    pub report: Report,
}

/// What a pass does, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// How many copies there were.
    pub files: u64,
    /// How long these were together.
    pub bytes: u64,
    /// How many go.
    pub removed_files: u64,
    /// How long these are together.
    pub removed_bytes: u64,
    /// How many names in the directory are none that lvm writes; they are never removed.
    pub unrecognised: u64,
    /// The directory holds more than a pass looks at: the next one goes on.
    pub is_cut_off: bool,
    /// The VGs of which most goes, at most 1000, by name.
    pub vgs: Vec<Vg>,
    /// How many more VGs there are.
    pub vgs_left_out: u64,
    /// What goes of these, at most 1000 copies.
    pub removals: Vec<Removal>,
    /// How many more copies go.
    pub removals_left_out: u64,
}

/// What becomes of the copies of one VG.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Vg {
    /// Its name.
    pub vgname: String,
    /// How many copies there were.
    pub files: u64,
    /// How long these were together.
    pub bytes: u64,
    /// How many go.
    pub removed_files: u64,
    /// How long these are together.
    pub removed_bytes: u64,
    /// The bounds that are not kept even then.
    pub unmet: Vec<Unmet>,
}

/// A copy that goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Removal {
    /// Its name in the directory.
    pub file_name: String,
    /// Its length.
    pub bytes: u64,
    /// When it was written, RFC 3339.
    pub modified_at: String,
    /// For which bound it goes.
    pub bound: Bound,
}

/// A bound that is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Unmet {
    /// Which.
    pub bound: Bound,
    /// Why.
    pub because: Because,
}

/// Which bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// [`Limits::age_days`].
    Age,
    /// [`Limits::files_per_vg`].
    Files,
    /// [`Limits::bytes_per_vg`].
    Bytes,
}

/// Why something is kept although a bound asks for it to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// A poll operation of the VG is in progress, or the kernel copies there for somebody else.
    OperationInProgress,
    /// They are the newest good copies, or the newest of all.
    NewestCopies,
    /// Too few of the newest copies are good to be sure which ones to keep.
    NoGoodCopies,
    /// The wall clock is not known to be synchronised: ages cannot be believed.
    ClockNotSynchronised,
    /// The newest copy seems over a year old: the clock may be wrong.
    NewestCopySeemsOld,
}

/// Why a call of this interface fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "error", content = "parameters")]
pub enum Error {
    /// The janitor is turned off.
    #[error("clean the archive: the janitor is turned off")]
    Off,
    /// Another pass is under way, or the daemon did not get to it in time; the call may be repeated. A dry run holds no pass
    /// up.
    #[error("begin a pass: another one is under way")]
    Busy,
    /// The pass was not finished.
    #[error("finish a pass over the archive: {reason}")]
    Failed {
        /// Why.
        reason: String,
    },
}

impl Bound {
    /// Returns its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Age => "age",
            Self::Files => "files",
            Self::Bytes => "bytes",
        }
    }
}

impl Because {
    /// Returns its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OperationInProgress => "operation_in_progress",
            Self::NewestCopies => "newest_copies",
            Self::NoGoodCopies => "no_good_copies",
            Self::ClockNotSynchronised => "clock_not_synchronised",
            Self::NewestCopySeemsOld => "newest_copy_seems_old",
        }
    }
}
