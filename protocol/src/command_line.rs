//! Command lines that others give, for people: of bounded length, because they are kept for as long as what they began.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A command line, or its beginning where it is longer than [`CommandLine::MAX_BYTES`]; then it ends in `…`.
///
/// However it is made, be it read from a journal of an earlier release: it is never longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct CommandLine(Arc<str>);

impl CommandLine {
    /// How much is kept; the longest of lvm's own is some hundred bytes, unless a pvmove names many extents.
    pub const MAX_BYTES: usize = 4096;
    const CUT: &str = "…";

    /// Takes bytes in any encoding; what is not UTF-8 becomes U+FFFD.
    pub fn lossy(bytes: &[u8]) -> Self {
        // A byte that is no text takes three; what is beyond is cut off anyway.
        String::from_utf8_lossy(&bytes[..bytes.len().min(2 * Self::MAX_BYTES)]).as_ref().into()
    }

    /// Returns whether a process may have been started with it, which has `whole` as its command line with the program in
    /// front: a path, perhaps.
    pub fn is_of(&self, whole: &str) -> bool {
        match self.0.strip_suffix(Self::CUT) {
            Some(beginning) if self.0.len() + 4 > Self::MAX_BYTES => whole.contains(beginning),
            _whole => !self.0.is_empty() && whole.ends_with(&*self.0),
        }
    }
}

impl From<&str> for CommandLine {
    fn from(text: &str) -> Self {
        if text.len() <= Self::MAX_BYTES {
            return Self(text.into());
        }
        let end = text.floor_char_boundary(Self::MAX_BYTES - Self::CUT.len());
        Self([&text[..end], Self::CUT].concat().into())
    }
}

impl From<String> for CommandLine {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Cow<'_, str>> for CommandLine {
    fn from(text: Cow<'_, str>) -> Self {
        text.as_ref().into()
    }
}

impl From<CommandLine> for String {
    fn from(line: CommandLine) -> Self {
        line.0.as_ref().to_owned()
    }
}

impl Deref for CommandLine {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_between_two_characters_and_says_so() {
        let fits = "x".repeat(CommandLine::MAX_BYTES);
        assert_eq!(&*CommandLine::from(fits.as_str()), fits);
        for long in ["x".repeat(900_000), "ä".repeat(900_000), format!("x{}", "€".repeat(900_000))] {
            let kept = CommandLine::from(long.as_str());
            assert!((CommandLine::MAX_BYTES - 3..=CommandLine::MAX_BYTES).contains(&kept.len()));
            assert!(long.starts_with(kept.strip_suffix('…').expect("it says so")));
            let json = serde_json::to_string(&long).expect("a text");
            assert_eq!(
                serde_json::from_str::<CommandLine>(&json).expect("a text"),
                kept,
                "of an old journal"
            );
            assert_eq!(CommandLine::lossy(long.as_bytes()), kept);
        }
        assert!(CommandLine::lossy(&vec![0xff; 900_000]).len() <= CommandLine::MAX_BYTES);
    }

    #[test]
    fn a_process_is_known_by_its_command_line_also_where_that_was_cut() {
        assert!(CommandLine::from("pvmove -b /dev/sda").is_of("/usr/sbin/lvm pvmove -b /dev/sda"));
        assert!(!CommandLine::from("pvmove -b /dev/sda").is_of("/usr/sbin/lvm pvmove -b /dev/sdb"));
        assert!(!CommandLine::from("").is_of("pvmove"));
        let long = format!("pvmove /dev/sda{}", ":1-2".repeat(4000));
        assert!(CommandLine::from(long.as_str()).is_of(&format!("/usr/sbin/lvm {long}")));
        assert!(!CommandLine::from(long.as_str()).is_of("/usr/sbin/lvm pvmove /dev/sda:1-2"));
    }
}
