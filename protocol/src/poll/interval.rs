//! How often lvpoll shall look at an operation, as a client words it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The longest text of an interval, in bytes; an argument of a command cannot have a zero in it either.
const TEXT_BYTES: usize = 64;

/// An interval that lvmpolld refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("parse an interval: it has a `-`, does not begin with a number, or is not a short text")]
pub struct InvalidInterval;

/// The text of an interval, which is handed to lvpoll as it is, and the seconds in it.
///
/// `15`; `+15` waits one interval before the first look. What stands behind the number is kept: `15abc`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Interval {
    text: Arc<str>,
    seconds: u32,
}

impl Interval {
    /// Returns the text as the client sent it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the time in it, in whole seconds as C's `%u` reads them; zero is possible.
    pub fn duration(&self) -> Duration {
        Duration::from_secs(self.seconds.into())
    }
}

impl TryFrom<&str> for Interval {
    type Error = InvalidInterval;

    fn try_from(text: &str) -> Result<Self, InvalidInterval> {
        // lvm sends a sign and up to ten digits.
        if text.contains('-') || text.contains('\0') || text.len() > TEXT_BYTES {
            return Err(InvalidInterval);
        }
        let seconds = scan_unsigned(text.as_bytes()).ok_or(InvalidInterval)?;
        Ok(Self { text: text.into(), seconds })
    }
}

impl TryFrom<String> for Interval {
    type Error = InvalidInterval;

    fn try_from(text: String) -> Result<Self, InvalidInterval> {
        text.as_str().try_into()
    }
}

impl From<Interval> for String {
    fn from(interval: Interval) -> String {
        interval.as_str().to_owned()
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Reads blanks, an optional `+` and digits, as glibc's `sscanf` with `%u`: the number is taken as 64 bits, or the
/// largest of them, and its low 32 bits are stored.
fn scan_unsigned(text: &[u8]) -> Option<u32> {
    const LOW_32_BITS: u64 = 0xffff_ffff;
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0b;
    let text = &text[text.iter().take_while(|byte| is_blank(byte)).count()..];
    let text = text.strip_prefix(b"+").unwrap_or(text);
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    let digits = text.iter().map_while(|&byte| char::from(byte).to_digit(10));
    let value = digits.fold(0_u64, |value, digit| value.saturating_mul(10).saturating_add(u64::from(digit)));
    u32::try_from(value & LOW_32_BITS).ok()
}
