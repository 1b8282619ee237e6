//! corosync's own numbers of failures.
//!
//! Source: corosync 3.1.7, `corotypes.h`.

use std::fmt;

use super::raw::Status;

/// What corosync or its library has answered instead of doing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure(pub u32);

/// The number for "it was done".
const OK: Status = 1;

impl Failure {
    /// The connection is broken, or there is no corosync.
    pub const LIBRARY: Self = Self(2);
    /// It took too long.
    pub const TIMEOUT: Self = Self(5);
    /// Not now.
    pub const TRY_AGAIN: Self = Self(6);
    /// An argument makes no sense.
    pub const INVALID_PARAM: Self = Self(7);
    /// There is no memory.
    pub const NO_MEMORY: Self = Self(8);
    /// There is no such connection.
    pub const BAD_HANDLE: Self = Self(9);
    /// Another call is under way.
    pub const BUSY: Self = Self(10);
    /// This program may not.
    pub const ACCESS: Self = Self(11);
    /// It is not there.
    pub const NOT_EXIST: Self = Self(12);
    /// A name is too long.
    pub const NAME_TOO_LONG: Self = Self(13);
    /// It is there already.
    pub const EXIST: Self = Self(14);
    /// It is not supported.
    pub const NOT_SUPPORTED: Self = Self(19);
    /// A message is too long.
    pub const TOO_BIG: Self = Self(26);
    /// This program may not.
    pub const SECURITY: Self = Self(100);

    /// Returns what corosync calls it.
    fn word(self) -> &'static str {
        match self {
            Self::LIBRARY => "no connection to corosync",
            Self::TIMEOUT => "it took too long",
            Self::TRY_AGAIN => "try again",
            Self::INVALID_PARAM => "invalid parameter",
            Self::NO_MEMORY => "no memory",
            Self::BAD_HANDLE => "bad handle",
            Self::BUSY => "busy",
            Self::ACCESS | Self::SECURITY => "not allowed",
            Self::NOT_EXIST => "it does not exist",
            Self::NAME_TOO_LONG => "the name is too long",
            Self::EXIST => "it exists already",
            Self::NOT_SUPPORTED => "not supported",
            Self::TOO_BIG => "too big",
            Self(_) => "failed",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (corosync's error {})", self.word(), self.0)
    }
}

impl std::error::Error for Failure {}

/// Returns what an answer means.
pub(super) fn check(status: Status) -> Result<(), Failure> {
    if status == OK { Ok(()) } else { Err(Failure(status)) }
}

/// What this module believes about the numbers, in the words of C.
pub(in super::super) const LAYOUT: &[(&str, u64)] = &[
    ("CS_OK", OK as u64),
    ("CS_ERR_LIBRARY", Failure::LIBRARY.0 as u64),
    ("CS_ERR_TIMEOUT", Failure::TIMEOUT.0 as u64),
    ("CS_ERR_TRY_AGAIN", Failure::TRY_AGAIN.0 as u64),
    ("CS_ERR_INVALID_PARAM", Failure::INVALID_PARAM.0 as u64),
    ("CS_ERR_NO_MEMORY", Failure::NO_MEMORY.0 as u64),
    ("CS_ERR_BAD_HANDLE", Failure::BAD_HANDLE.0 as u64),
    ("CS_ERR_BUSY", Failure::BUSY.0 as u64),
    ("CS_ERR_ACCESS", Failure::ACCESS.0 as u64),
    ("CS_ERR_NOT_EXIST", Failure::NOT_EXIST.0 as u64),
    ("CS_ERR_NAME_TOO_LONG", Failure::NAME_TOO_LONG.0 as u64),
    ("CS_ERR_EXIST", Failure::EXIST.0 as u64),
    ("CS_ERR_NOT_SUPPORTED", Failure::NOT_SUPPORTED.0 as u64),
    ("CS_ERR_TOO_BIG", Failure::TOO_BIG.0 as u64),
    ("CS_ERR_SECURITY", Failure::SECURITY.0 as u64),
];
