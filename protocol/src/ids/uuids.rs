//! UUIDs.
//!
//! ```text
//!   QkKrkV-Ds14-R3ZO-jqL0-8cEo-4Gw4-uLXHc3      38 characters: for people, in requests for locks, the name of a lock
//!   QkKrkVDs14R3ZOjqL08cEo4Gw4uLXHc3            32 characters: in an lvid and in device-mapper's UUIDs
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

const PLAIN_BYTES: usize = 32;
const DASHED_BYTES: usize = 38;
/// Where the dashes are.
const DASHES: [usize; 6] = [6, 11, 16, 21, 26, 31];

/// A text that is no UUID of LVM's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "parse a UUID: expected 32 characters of 0-9a-zA-Z!#, with dashes as in 6-4-4-4-4-4-6 or without any"
)]
pub struct InvalidUuid;

/// Parses either form to the one with dashes.
fn parse(text: &str) -> Result<[u8; DASHED_BYTES], InvalidUuid> {
    let is_dashed = text.len() == DASHED_BYTES && DASHES.iter().all(|at| text.as_bytes()[*at] == b'-');
    if !is_dashed && text.len() != PLAIN_BYTES {
        return Err(InvalidUuid);
    }
    let mut dashed = [b'-'; DASHED_BYTES];
    let places = dashed.iter_mut().enumerate().filter(|(at, _)| !DASHES.contains(at));
    let bytes = text.bytes().enumerate().filter(|(at, _)| !is_dashed || !DASHES.contains(at));
    for ((_, place), (_, byte)) in places.zip(bytes) {
        if !byte.is_ascii_alphanumeric() && !matches!(byte, b'!' | b'#') {
            return Err(InvalidUuid);
        }
        *place = byte;
    }
    Ok(dashed)
}

/// Declares the UUID of one kind of thing.
macro_rules! uuid {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(#[cfg_attr(test, schemars(with = "String"))] [u8; DASHED_BYTES]);

        impl $name {
            /// Returns the form with dashes, 38 characters.
            pub fn as_str(&self) -> &str {
                std::str::from_utf8(&self.0).expect("a UUID is ASCII")
            }

            /// Returns the form without dashes, 32 characters.
            pub fn plain(&self) -> String {
                self.as_str().replace('-', "")
            }
        }

        impl TryFrom<&str> for $name {
            type Error = InvalidUuid;

            fn try_from(text: &str) -> Result<Self, InvalidUuid> {
                parse(text).map(Self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidUuid;

            fn try_from(text: String) -> Result<Self, InvalidUuid> {
                text.as_str().try_into()
            }
        }

        impl From<$name> for String {
            fn from(uuid: $name) -> String {
                uuid.as_str().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }
    };
}

uuid! {
    /// The UUID of a VG, parsed from either form and shown with dashes.
    VgUuid
}

uuid! {
    /// The UUID of an LV, parsed from either form and shown with dashes, which is the name of its lock.
    LvUuid
}

uuid! {
    /// The UUID of a PV, parsed from either form and shown with dashes.
    PvUuid
}

/// What names an LV for ever: its VG's UUID and its own, 64 characters without dashes, as lvm writes an lvid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Uuids {
    /// The VG's.
    pub vg: VgUuid,
    /// The LV's.
    pub lv: LvUuid,
}

impl TryFrom<&str> for Uuids {
    type Error = InvalidUuid;

    fn try_from(text: &str) -> Result<Self, InvalidUuid> {
        let (vg, lv) = text.split_at_checked(PLAIN_BYTES).ok_or(InvalidUuid)?;
        if lv.len() == PLAIN_BYTES {
            Ok(Self { vg: vg.try_into()?, lv: lv.try_into()? })
        } else {
            Err(InvalidUuid)
        }
    }
}

impl TryFrom<String> for Uuids {
    type Error = InvalidUuid;

    fn try_from(text: String) -> Result<Self, InvalidUuid> {
        text.as_str().try_into()
    }
}

impl From<Uuids> for String {
    fn from(uuids: Uuids) -> String {
        uuids.to_string()
    }
}

impl fmt::Display for Uuids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.vg.plain(), self.lv.plain())
    }
}

#[cfg(test)]
impl schemars::JsonSchema for Uuids {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        String::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}
