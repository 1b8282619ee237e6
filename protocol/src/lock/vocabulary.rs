//! The words that requests, replies, the adopt file and the lists of locks have in common.

use std::fmt;
use std::ops::BitOr;

use serde::{Deserialize, Serialize};

/// Which lock manager a shared VG uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LockType {
    /// The kernel's distributed lock manager, under corosync.
    Dlm,
    /// Leases on a shared disk.
    Sanlock,
    /// Mutexes in the drives; refused here, as by a lvmlockd that was built without it.
    Idm,
}

/// How a lock is held, or wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum LockMode {
    /// Not at all.
    Unlocked,
    /// By name only: dlm's null mode. Clients may not ask for it.
    Null,
    /// Together with other readers.
    Shared,
    /// Alone.
    Exclusive,
}

/// The result of a request: 0 and above for done, an error below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResultCode(pub i32);

/// What a reply says beside its result; displayed as the field `result_flags`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ResultFlags(u8);

impl LockType {
    /// All of them, in the order in which lvmlockd looks for a running one.
    pub const ALL: [Self; 3] = [Self::Dlm, Self::Sanlock, Self::Idm];

    /// Returns the word for it in requests and metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dlm => "dlm",
            Self::Sanlock => "sanlock",
            Self::Idm => "idm",
        }
    }

    /// Returns the type that `word` stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Returns the positive result by which `running_lm` names it.
    pub fn number(self) -> i32 {
        match self {
            Self::Dlm => 2,
            Self::Sanlock => 3,
            Self::Idm => 4,
        }
    }
}

impl fmt::Display for LockType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl LockMode {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Unlocked, Self::Null, Self::Shared, Self::Exclusive];

    /// Returns the word for it in requests and lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unlocked => "un",
            Self::Null => "nl",
            Self::Shared => "sh",
            Self::Exclusive => "ex",
        }
    }

    /// Returns the mode that `word` stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }
}

impl fmt::Display for LockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ResultCode {
    /// Done.
    pub const OK: Self = Self(0);
    /// The lock manager failed in a way that has no code of its own; or lock arguments that make no sense.
    pub const FAILED: Self = Self(-1);
    /// There is nothing to be unlocked or updated.
    pub const NOT_FOUND: Self = Self(-2);
    /// Another host holds a lock in the way; lvm asks again.
    pub const AGAIN: Self = Self(-11);
    /// LV locks, other hosts or lockspaces are in the way.
    pub const BUSY: Self = Self(-16);
    /// It is there already, or is held in an incompatible mode.
    pub const EXISTS: Self = Self(-17);
    /// The device of the leases is not there, under its VG's new name.
    pub const NO_DEVICE: Self = Self(-19);
    /// The request makes no sense for this mode or lock type.
    pub const INVALID: Self = Self(-22);
    /// No lock manager runs.
    pub const NO_MANAGER_RUNS: Self = Self(-37);
    /// LV locks are held.
    pub const NOT_EMPTY: Self = Self(-39);
    /// More than one lock manager runs.
    pub const MANY_MANAGERS_RUN: Self = Self(-54);
    /// The lock manager's device has no room.
    pub const NO_ROOM: Self = Self(-90);
    /// This lock type is not served here.
    pub const NOT_SUPPORTED: Self = Self(-93);
    /// dlm is not there.
    pub const REFUSED: Self = Self(-111);
    /// The same lock is held already.
    pub const ALREADY: Self = Self(-114);
    /// The lockspace is stopping.
    pub const STOPPING: Self = Self(-116);
    /// The request was cancelled.
    pub const CANCELED: Self = Self(-125);
    /// There is no such lockspace.
    pub const NO_LOCKSPACE: Self = Self(-210);
    /// The lockspace is starting.
    pub const STARTING: Self = Self(-211);
    /// Lock arguments or the device path cannot be used.
    pub const BAD_ARGS: Self = Self(-212);
    /// The host id is missing or out of range.
    pub const BAD_HOST_ID: Self = Self(-213);
    /// The lock manager does not run, or refused.
    pub const MANAGER: Self = Self(-214);
    /// The VG was killed: its lease storage is lost.
    pub const VG_KILLED: Self = Self(-217);
    /// A lease cannot be read or written.
    pub const LOCK_IO: Self = Self(-218);
    /// Another host has removed the VG (dlm).
    pub const REMOVED: Self = Self(-219);
    /// The device of the leases may not be opened.
    pub const DEVICE_OPEN: Self = Self(-220);
    /// Another error of the lock manager.
    pub const LOCK_MANAGER: Self = Self(-221);
    /// The lock is an orphan of an earlier life.
    pub const ORPHAN: Self = Self(-222);
    /// There is no orphan to be adopted.
    pub const ADOPT_NONE: Self = Self(-223);
    /// There is an orphan, in the other mode.
    pub const ADOPT_RETRY: Self = Self(-224);
    /// A lease did not answer in time.
    pub const IO_TIMEOUT: Self = Self(-225);
    /// A lease is corrupt.
    pub const REPAIR: Self = Self(-226);

    /// Returns whether the request was done.
    pub fn is_ok(self) -> bool {
        self.0 >= 0
    }

    /// Returns a word for it, of a bounded set; `other` for a code that is none of these.
    pub fn as_str(self) -> &'static str {
        match self {
            done if done.is_ok() => "ok",
            Self::FAILED => "failed",
            Self::NOT_FOUND => "not_found",
            Self::AGAIN => "again",
            Self::BUSY => "busy",
            Self::EXISTS => "exists",
            Self::NO_DEVICE => "no_device",
            Self::INVALID => "invalid",
            Self::NO_MANAGER_RUNS => "no_manager_runs",
            Self::NOT_EMPTY => "not_empty",
            Self::MANY_MANAGERS_RUN => "many_managers_run",
            Self::NO_ROOM => "no_room",
            Self::NOT_SUPPORTED => "not_supported",
            Self::REFUSED => "refused",
            Self::ALREADY => "already",
            Self::STOPPING => "stopping",
            Self::CANCELED => "canceled",
            Self::NO_LOCKSPACE => "no_lockspace",
            Self::STARTING => "starting",
            Self::BAD_ARGS => "bad_args",
            Self::BAD_HOST_ID => "bad_host_id",
            Self::MANAGER => "manager",
            Self::VG_KILLED => "vg_killed",
            Self::LOCK_IO => "lock_io",
            Self::REMOVED => "removed",
            Self::DEVICE_OPEN => "device_open",
            Self::LOCK_MANAGER => "lock_manager",
            Self::ORPHAN => "orphan",
            Self::ADOPT_NONE => "adopt_none",
            Self::ADOPT_RETRY => "adopt_retry",
            Self::IO_TIMEOUT => "io_timeout",
            Self::REPAIR => "repair",
            _unknown => "other",
        }
    }
}

impl fmt::Display for ResultCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ResultFlags {
    /// None.
    pub const NONE: Self = Self(0);
    /// The daemon has no lockspace at all.
    pub const NO_LOCKSPACES: Self = Self(1);
    /// No lockspace with the global lock is known.
    pub const NO_GL_LS: Self = Self(1 << 1);
    /// No lock manager runs.
    pub const NO_LM: Self = Self(1 << 2);
    /// More than one VG has an enabled global lock.
    pub const DUP_GL_LS: Self = Self(1 << 3);
    /// The VG with the global lock was removed.
    pub const WARN_GL_REMOVED: Self = Self(1 << 4);
    /// A persistent shared lock is in the way of a transient exclusive one.
    pub const SH_EXISTS: Self = Self(1 << 5);
    /// The lock manager does not know yet which other hosts live.
    pub const HOSTS_UNKNOWN: Self = Self(1 << 6);
    /// No type of global lock is chosen yet: [`Self::NO_GL_LS`], as the last word, then has no comma behind it.
    pub const NO_GL_TYPE: Self = Self(1 << 7);

    /// Each flag's word, in the order in which they are written.
    const WORDS: [(Self, &'static str); 7] = [
        (Self::NO_LOCKSPACES, "NO_LOCKSPACES"),
        (Self::NO_GL_LS, "NO_GL_LS"),
        (Self::NO_LM, "NO_LM"),
        (Self::DUP_GL_LS, "DUP_GL_LS"),
        (Self::WARN_GL_REMOVED, "WARN_GL_REMOVED"),
        (Self::SH_EXISTS, "SH_EXISTS"),
        (Self::HOSTS_UNKNOWN, "HOSTS_UNKNOWN"),
    ];

    /// Reads the field `result_flags`, as clients do: each word is looked for anywhere in the text.
    pub fn parse(text: &str) -> Self {
        let found = Self::WORDS.into_iter().filter(|(_, word)| text.contains(word));
        let all = found.fold(Self::NONE, |all, (flag, _)| all | flag);
        if text.ends_with("NO_GL_LS") { all | Self::NO_GL_TYPE } else { all }
    }

    /// Returns whether all of `other` are among these.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Writes the words with a comma behind each; `none` for none.
///
/// lvmlockd leaves out the comma behind `NO_LM`, and behind `NO_GL_LS` as [`ResultFlags::NO_GL_TYPE`] says. It does so
/// also when another word follows; here a comma is between any two.
impl fmt::Display for ResultFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Self::WORDS.into_iter().filter(|&(flag, _)| self.contains(flag)).peekable();
        if words.peek().is_none() {
            return f.write_str("none");
        }
        while let Some((flag, word)) = words.next() {
            f.write_str(word)?;
            let is_bare = flag == Self::NO_LM || flag == Self::NO_GL_LS && self.contains(Self::NO_GL_TYPE);
            if words.peek().is_some() || !is_bare {
                f.write_str(",")?;
            }
        }
        Ok(())
    }
}

impl BitOr for ResultFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
