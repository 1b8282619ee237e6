//! A place in the stream of events.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A text that is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("parse a cursor: it is not of the form epoch:number")]
pub struct InvalidCursor;

/// A place in the stream of events: `EPOCH:NUMBER`, opaque to clients.
///
/// Within an epoch numbers grow by one from event to event. The epoch, 1 to 64 of `0-9a-zA-Z-`, tells whose numbers
/// they are: another one means that the stream began anew.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct Cursor {
    epoch: Arc<str>,
    number: u64,
}

impl Cursor {
    /// The longest epoch, in bytes.
    const MAX_EPOCH_LEN: usize = 64;

    /// Returns the cursor of an event.
    ///
    /// # Errors
    /// [`InvalidCursor`] when `epoch` is not one.
    pub fn new(epoch: &str, number: u64) -> Result<Self, InvalidCursor> {
        let is_epoch = (1..=Self::MAX_EPOCH_LEN).contains(&epoch.len())
            && epoch.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if is_epoch { Ok(Self { epoch: epoch.into(), number }) } else { Err(InvalidCursor) }
    }

    /// Returns whose numbers they are.
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// Returns the place within the epoch.
    pub fn number(&self) -> u64 {
        self.number
    }
}

impl TryFrom<&str> for Cursor {
    type Error = InvalidCursor;

    fn try_from(text: &str) -> Result<Self, InvalidCursor> {
        let (epoch, digits) = text.split_once(':').ok_or(InvalidCursor)?;
        let number = digits.parse().map_err(|_| InvalidCursor)?;
        let cursor = Self::new(epoch, number)?;
        // One place has one text: no sign, no leading zeros.
        if cursor.to_string() == text { Ok(cursor) } else { Err(InvalidCursor) }
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        text.try_into()
    }
}

impl TryFrom<String> for Cursor {
    type Error = InvalidCursor;

    fn try_from(text: String) -> Result<Self, InvalidCursor> {
        text.as_str().try_into()
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> String {
        cursor.to_string()
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch, self.number)
    }
}
