//! Names that outlive a message: parsed once, valid ever after, cheap to clone.
//!
//! lvmpolld takes any text for a name, so the one rule that holds for all of them is that they are not empty (an empty
//! field counts as absent on the wire). They serialize as plain strings.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A name of no text at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("parse a name: it is empty")]
pub struct EmptyName;

/// Declares a type for one kind of non-empty text.
macro_rules! name {
    ($(#[$docs:meta])* $name:ident) => {
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
            type Error = EmptyName;

            fn try_from(text: &str) -> Result<Self, EmptyName> {
                if text.is_empty() { Err(EmptyName) } else { Ok(Self(text.into())) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = EmptyName;

            fn try_from(text: String) -> Result<Self, EmptyName> {
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
    /// What lvm sends to name an LV for ever: VG UUID then LV UUID, 64 characters of `0-9a-zA-Z!#`, no dashes.
    ///
    /// Any other text is accepted as well, and is then just a name; see [`Lvid::uuids`].
    Lvid
}

name! {
    /// The name of a VG.
    VgName
}

name! {
    /// A VG's UUID: 32 characters of `0-9a-zA-Z!#` with six dashes, as LVM's metadata has it; any text is accepted.
    VgUuid
}

name! {
    /// A PV's UUID, in the form of a [`VgUuid`].
    PvUuid
}

name! {
    /// The name of an LV, without its VG's; a running pvmove's is its temporary LV's, such as `pvmove0`.
    LvName
}

name! {
    /// A client's `LVM_SYSTEM_DIR`: where its `lvm.conf` is.
    SystemDir
}

name! {
    /// A client's `--devicesfile`: the name of a file in LVM's `devices` directory.
    DevicesFile
}

/// The two halves of an [`Lvid`], 32 characters each, no dashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uuids<'a> {
    /// The VG's UUID.
    pub vg: &'a str,
    /// The LV's UUID.
    pub lv: &'a str,
}

impl Lvid {
    /// Returns the UUIDs in it, or `None` when this is not the form that lvm sends.
    pub fn uuids(&self) -> Option<Uuids<'_>> {
        const UUID_LEN: usize = 32;
        let is_uuid_text = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'#');
        let is_usual = self.0.len() == 2 * UUID_LEN && self.0.bytes().all(is_uuid_text);
        is_usual.then(|| Uuids { vg: &self.0[..UUID_LEN], lv: &self.0[UUID_LEN..] })
    }

    /// Returns the UUID under which device-mapper knows the LV's top device.
    pub fn device_mapper_uuid(&self) -> String {
        format!("LVM-{self}")
    }
}

/// Which of lvmpolld's two independent collections an operation is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Store {
    /// Everything but the next.
    Poll,
    /// `pvmove --abort`.
    Abort,
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Poll => "poll",
            Self::Abort => "abort",
        })
    }
}

/// What makes two requests mean the same operation: the store, and the client's system directory (if it gave one)
/// immediately followed by the lvid.
///
/// The same id may be in both stores at once, and one lvid under two system directories is two operations.
/// Displayed as `poll:TEXT` or `abort:TEXT`.
///
/// Source: lvm2 2.03.16, lvmpolld.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OperationId {
    store: Store,
    text: Arc<str>,
}

impl OperationId {
    /// Returns the id of an operation.
    pub fn new(store: Store, sysdir: Option<&SystemDir>, lvid: &Lvid) -> Self {
        let text = match sysdir {
            Some(sysdir) => format!("{sysdir}{lvid}").into(),
            None => Arc::clone(&lvid.0),
        };
        Self { store, text }
    }

    /// Returns the store it is in.
    pub fn store(&self) -> Store {
        self.store
    }

    /// Returns the text that names it within its store, as the dump shows it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.store, self.text)
    }
}

#[cfg(test)]
mod tests;
