//! Lock arguments: what LVM's metadata says of how a VG or an LV is locked.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// The longest, in bytes. Source: lvm2 2.03.39, `MAX_ARGS`.
const MAX_BYTES: usize = 64;

/// The lock arguments of a VG, such as `1.0.0:lvmlock`, or of an LV, such as `1.0.0:70254592` or `dlm`.
///
/// They are a word of at most 64 bytes, which only their lock manager understands; empty where there are none. They end
/// up in lines of words: the adopt file, lists of locks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct LockArgs(Arc<str>);

/// A text that is no word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("parse lock arguments: they are longer than {MAX_BYTES} bytes, or more than a word")]
pub struct InvalidLockArgs;

impl TryFrom<&str> for LockArgs {
    type Error = InvalidLockArgs;

    fn try_from(text: &str) -> Result<Self, InvalidLockArgs> {
        let is_word = text.len() <= MAX_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_word { Ok(Self(text.into())) } else { Err(InvalidLockArgs) }
    }
}

impl Deref for LockArgs {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<LockArgs> for Arc<str> {
    fn from(args: LockArgs) -> Self {
        args.0
    }
}

impl fmt::Display for LockArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}
