//! The configuration of the service: what `lvmwarden.toml` may say, and what holds where it says nothing.
//!
//! A file is read into checked types once, by a pure function, and refused as a whole if anything in it is wrong: each
//! problem is told with its line, its column and what would be permitted. Nothing else of the program parses a setting.
//!
//! | file | is |
//! |---|---|
//! | `keys.rs` | the list of keys: what each is for, its default, its kind, when a new value is in force |
//! | `kinds.rs` | the kinds of values: what is permitted, how it is read and written |
//! | `document.rs` | TOML to sections and keys; unknown ones |
//! | `mod.rs` | a text or a file read: [`parse`], [`Source`] |
//! | `changes.rs` | two configurations compared: for a daemon that runs, and with the defaults |
//! | `default_file.rs` | the commented file that packages install |
//! | `possible.rs` | what cannot be on this host |

mod changes;
mod default_file;
mod document;
mod keys;
mod kinds;
mod possible;

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub(crate) use changes::{Change, changes, differences, take_on};
pub(crate) use default_file::default_file;
use document::Document;
pub(crate) use document::Problem;
pub(crate) use keys::Config;
use keys::{Key, Visitor, keys};
pub(crate) use kinds::{Group, LEVELS, level_called};
pub(crate) use possible::{impossible, not_yet_possible};

/// Where the file is unless the command line says otherwise.
pub(crate) const DEFAULT_PATH: &str = "/etc/lvmwarden/lvmwarden.toml";

/// What the daemon does for LVM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It polls pvmoves, conversions and merges: lvmpolld's job.
    Poll,
    /// It holds the locks of shared VGs: lvmlockd's job.
    Lock,
    /// It remembers the metadata of every VG: lvmetad's job.
    Metadata,
    /// It makes changes that all hosts of a VG make together.
    Reconfigure,
}

impl Role {
    /// Returns its name in the configuration.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Lock => "lock",
            Self::Metadata => "metadata",
            Self::Reconfigure => "reconfigure",
        }
    }
}

/// How the members of the group of changes hear one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// As this release can.
    Auto,
    /// Not at all: this host is by itself.
    Local,
}

/// Who fills the metadata role's cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The daemon, from the disks.
    Disks,
    /// LVM commands before 2.03.
    Commands,
}

/// What is done about an operation that is found in LVM's metadata, and that nobody polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reconcile {
    /// It is polled.
    Resume,
    /// It is told of.
    Report,
    /// Nobody looks for any.
    Off,
}

impl Config {
    /// Returns whether the service plays `role`.
    pub(crate) fn plays(&self, role: Role) -> bool {
        self.service.roles.contains(&role)
    }

    /// Returns the socket by whose path the service is known: two of them never share what they remember.
    pub(crate) fn instance(&self) -> &Path {
        if self.plays(Role::Poll) { &self.poll.socket } else { &self.api.socket }
    }
}

/// Reads the text of a configuration; what it does not say has its default.
///
/// # Errors
/// Everything that is wrong with it, in the order of the text.
pub(crate) fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    let mut reader = Reader { document: Document::parse(text)?, config: Config::default() };
    keys(&mut reader);
    let Reader { document, config } = reader;
    document.finish().map(|()| config)
}

/// Takes each key out of a file.
struct Reader<'text> {
    document: Document<'text>,
    config: Config,
}

impl Visitor for Reader<'_> {
    fn section(&mut self, name: &'static str) {
        self.document.section(name);
    }

    fn key<T: PartialEq + Clone>(&mut self, key: Key<T>) {
        if let Some(value) = self.document.take(key.name, &key.kind) {
            *(key.get_mut)(&mut self.config) = value;
        }
    }
}

/// Which file is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// This one, which must be there.
    Named(PathBuf),
    /// The one at [`DEFAULT_PATH`], if it is there.
    Default,
}

impl Source {
    /// Returns the path of the file.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Default => Path::new(DEFAULT_PATH),
        }
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// See [`ConfigError`]. An absent file is one only if it was named.
    pub(crate) fn load(&self) -> Result<Config, ConfigError> {
        let path = self.path();
        match std::fs::read_to_string(path) {
            Ok(text) => {
                parse(&text).map_err(|problems| ConfigError::Wrong { path: path.to_owned(), problems })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && *self == Self::Default => {
                Ok(Config::default())
            }
            Err(source) => Err(ConfigError::Unreadable { path: path.to_owned(), source }),
        }
    }
}

/// Why there is no configuration.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read, or is no text.
    #[error("{path}: cannot be read", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// What it says makes no sense. A line for each problem: `PATH:LINE:COLUMN: what`.
    #[error("{}", problems.iter().map(|problem| format!("{}:{problem}", path.display())).collect::<Vec<_>>().join("\n"))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// At least one.
        problems: Vec<Problem>,
    },
}

#[cfg(test)]
mod tests;
