//! The words of the field `opts`: a set, found by looking for each word anywhere in the text.
//!
//! lvm joins them with commas, with a comma behind the last, or with nothing (`adopt_onlyrepair`), so the text is not
//! split at anything.
//!
//! Source: lvm2 2.03.16 and 2.03.39, lvmlockd.

use std::ops::BitOr;

/// A set of options; the bits are those that lists of locks show as `flags`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Options(u32);

impl Options {
    /// None.
    pub const NONE: Self = Self(0);
    /// The lock belongs to nobody: it stays when its client leaves.
    pub const PERSISTENT: Self = Self(0x1);
    /// An unlock that finds nothing cancels a waiting request instead.
    pub const UNLOCK_CANCEL: Self = Self(0x4);
    /// The VG's version rises by one.
    pub const NEXT_VERSION: Self = Self(0x8);
    /// The reply comes when the work is done.
    pub const WAIT: Self = Self(0x10);
    /// Locks that are held do not matter.
    pub const FORCE: Self = Self(0x20);
    /// The global lock is taken before it is disabled.
    pub const EX_DISABLE: Self = Self(0x40);
    /// The global lock of a new VG is to be used.
    pub const ENABLE: Self = Self(0x80);
    /// The global lock of a new VG is not to be used.
    pub const DISABLE: Self = Self(0x100);
    /// A lock of an earlier life is taken over where there is one.
    pub const ADOPT: Self = Self(0x1_0000);
    /// A lock of an earlier life is taken over, and nothing else will do.
    pub const ADOPT_ONLY: Self = Self(0x20_0000);
    /// A host that was here a moment ago does not wait until its lease has expired.
    pub const NODELAY: Self = Self(0x40_0000);
    /// A corrupt lease is written anew.
    pub const REPAIR: Self = Self(0x80_0000);
    /// Said by lvm up to 2.03.24 when it starts a lockspace that it has just made; means nothing.
    pub const START_INIT: Self = Self(0x8000_0000);

    /// Each option's word, in the order in which they are written.
    const WORDS: [(Self, &'static str); 13] = [
        (Self::PERSISTENT, "persistent"),
        (Self::UNLOCK_CANCEL, "unlock_cancel"),
        (Self::NEXT_VERSION, "next_version"),
        (Self::WAIT, "wait"),
        (Self::FORCE, "force"),
        (Self::EX_DISABLE, "ex_disable"),
        (Self::ENABLE, "enable"),
        (Self::DISABLE, "disable"),
        (Self::ADOPT_ONLY, "adopt_only"),
        (Self::ADOPT, "adopt"),
        (Self::NODELAY, "nodelay"),
        (Self::REPAIR, "repair"),
        (Self::START_INIT, "start_init"),
    ];

    /// Returns the options in `text`.
    ///
    /// `ex_disable` is `disable` as well, as in C; `adopt_only` is not `adopt`.
    pub fn parse(text: &str) -> Self {
        match text {
            // What nearly every request says.
            "" | "none" => return Self::NONE,
            "persistent" => return Self::PERSISTENT,
            _ => {}
        }
        let found = Self::WORDS.into_iter().filter(|(_, word)| text.contains(word));
        let all = found.fold(Self::NONE, |all, (option, _)| all | option);
        if all.contains(Self::ADOPT_ONLY) { Self(all.0 & !Self::ADOPT.0) } else { all }
    }

    /// Returns the words for them, in a fixed order.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        let is_said = move |option: Self| {
            // Said by the longer word already.
            let is_implied = option == Self::DISABLE && self.contains(Self::EX_DISABLE);
            self.contains(option) && !is_implied
        };
        Self::WORDS.into_iter().filter(move |&(option, _)| is_said(option)).map(|(_, word)| word)
    }

    /// Returns whether all of `other` are among these.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns what lists of locks show as `flags`.
    pub fn bits(self) -> u32 {
        self.0 & !Self::START_INIT.0
    }
}

impl BitOr for Options {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
