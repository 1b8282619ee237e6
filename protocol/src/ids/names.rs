//! Names.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Uuids;

/// The longest name of a VG, an LV or a devices file, in bytes.
const NAME_BYTES: usize = 127;
/// The longest path, in bytes: `PATH_MAX` of Linux without the zero at its end.
const PATH_BYTES: usize = 4095;
/// The longest text that is taken for an [`Lvid`], in bytes: twice what lvm sends.
const LVID_BYTES: usize = 128;

/// Why a text is not the name that it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// There is nothing.
    #[error("parse a name: it is empty")]
    Empty,
    /// It is longer than such a name may be.
    #[error("parse a name: it has more than {0} bytes")]
    TooLong(usize),
    /// It begins with a hyphen, as an option does.
    #[error("parse a name: it begins with a hyphen")]
    Hyphen,
    /// It is `.` or `..`.
    #[error("parse a name: it is one or two dots")]
    Dots,
    /// It does not begin with a slash.
    #[error("parse the name of a device: it is not an absolute path")]
    NotAbsolute,
    /// It has a character that such a name may not have.
    #[error("parse a name: it may not have the character {0:?}")]
    Character(char),
}

/// Returns whether LVM lets this be the name of a VG or an LV.
pub fn is_lvm_name(text: &str) -> bool {
    lvm_name(text).is_ok()
}

fn lvm_name(text: &str) -> Result<(), InvalidName> {
    let is_allowed = |char: char| char.is_ascii_alphanumeric() || matches!(char, '+' | '_' | '.' | '-');
    within(text, NAME_BYTES, is_allowed)?;
    match text {
        "." | ".." => Err(InvalidName::Dots),
        _ if text.starts_with('-') => Err(InvalidName::Hyphen),
        _ => Ok(()),
    }
}

fn path(text: &str) -> Result<(), InvalidName> {
    within(text, PATH_BYTES, |char| !char.is_control())
}

fn device(text: &str) -> Result<(), InvalidName> {
    path(text)?;
    if text.starts_with('/') { Ok(()) } else { Err(InvalidName::NotAbsolute) }
}

fn lvid(text: &str) -> Result<(), InvalidName> {
    within(text, LVID_BYTES, |char| !char.is_control())
}

fn within(text: &str, max_bytes: usize, is_allowed: impl Fn(char) -> bool) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty);
    }
    if text.len() > max_bytes {
        return Err(InvalidName::TooLong(max_bytes));
    }
    text.chars().find(|char| !is_allowed(*char)).map_or(Ok(()), |char| Err(InvalidName::Character(char)))
}

/// Declares a type for the texts that a rule lets pass.
macro_rules! name {
    ($(#[$docs:meta])* $name:ident by $rule:ident) => {
        $(#[$docs])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Returns the text; never empty.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidName;

            fn try_from(text: &str) -> Result<Self, InvalidName> {
                $rule(text).map(|()| Self(text.into()))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.as_str().try_into()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

name! {
    /// The name of a VG: up to 127 of `a-zA-Z0-9+_.-`, not beginning with a hyphen, neither `.` nor `..`.
    VgName by lvm_name
}

name! {
    /// The name of an LV, without its VG's: as a [`VgName`]. Hidden LVs have names that users may not give, such as
    /// `pvmove0`, so those are no reason to refuse one.
    LvName by lvm_name
}

name! {
    /// The name of a PV: the absolute path of its device, without control characters.
    PvName by device
}

name! {
    /// What lvm sends to name an LV for ever: VG UUID then LV UUID, 64 characters of `0-9a-zA-Z!#`, no dashes.
    ///
    /// lvmpolld takes any text, so any other is accepted as well if it has at most 128 bytes and no control
    /// characters, and is then just a name; see [`Lvid::uuids`]. Where lvm is not the one who asks, [`Uuids`] are.
    Lvid by lvid
}

name! {
    /// A client's `LVM_SYSTEM_DIR`: where its `lvm.conf` is. No control characters.
    SystemDir by path
}

name! {
    /// A client's `--devicesfile`: the name of a file in LVM's `devices` directory, by the rule for a [`VgName`].
    DevicesFile by lvm_name
}

impl Lvid {
    /// Returns the UUIDs in it, or `None` when this is not the form that lvm sends.
    pub fn uuids(&self) -> Option<Uuids> {
        self.as_str().try_into().ok()
    }

    /// Returns the UUID under which device-mapper knows the LV's top device.
    pub fn device_mapper_uuid(&self) -> String {
        format!("LVM-{self}")
    }
}

impl From<Uuids> for Lvid {
    fn from(uuids: Uuids) -> Self {
        Self(uuids.to_string().into())
    }
}
