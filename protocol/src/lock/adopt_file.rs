//! The adopt file: which LVs were locked when a daemon died, for the next one.
//!
//! ```text
//! lvmlockd adopt_version 1.0 pid 277 updates 2 Fri Nov 20 23:28:16 2026
//! VG: <VG UUID> <VG name> <lock type> <lock arguments>
//! LV: <VG UUID> <LV UUID> <lock arguments> <mode> <version>
//! ```
//!
//! It is written as lvm2 2.03.16 writes it, so that either daemon takes over from the other. Reading is not as strict as
//! there: a line that makes no sense is told of, and all others are used.

use std::fmt::Write as _;

use bytes::Bytes;

use super::{LockArgs, LockMode, LockType};
use crate::ids::{LvUuid, VgName, VgUuid};

/// What the file begins with, up to the version.
const HEAD: &str = "lvmlockd adopt_version ";
/// The version that is written.
const FORMAT: &str = "1.0";
/// Files of this major version can be read.
const MAJOR: &str = "1.";

/// The locks that a daemon held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdoptFile {
    /// The pid of the daemon.
    pub pid: u32,
    /// How often it had written the file, this time included.
    pub updates: u64,
    /// When, as `ctime` says it, such as `Fri Nov 20 23:28:16 2026`.
    pub time: String,
    /// The lockspaces.
    pub vgs: Vec<AdoptVg>,
    /// The locks of LVs, in an order of their VGs.
    pub lvs: Vec<AdoptLv>,
}

/// A lockspace that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptVg {
    /// The VG's UUID.
    pub uuid: VgUuid,
    /// Its name.
    pub name: VgName,
    /// Its lock type.
    pub lock_type: LockType,
    /// Its lock arguments; not empty.
    pub args: LockArgs,
}

/// A lock of an LV.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AdoptLv {
    /// The VG's UUID.
    pub vg_uuid: VgUuid,
    /// The LV's.
    pub uuid: LvUuid,
    /// The LV's lock arguments; not empty.
    pub args: LockArgs,
    /// The mode, [`LockMode::Shared`] or [`LockMode::Exclusive`].
    pub mode: LockMode,
    /// The lock's version.
    pub version: u32,
}

/// A line that was left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read line {number} of the adopt file, {text:?}: {problem}")]
pub struct OddLine {
    /// Its number, from 1.
    pub number: usize,
    /// What it says.
    pub text: String,
    /// Why it makes no sense.
    pub problem: &'static str,
}

/// A file that cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdoptFileError {
    /// Its first line is not that of an adopt file.
    #[error("read the adopt file: it begins with {line:?}")]
    Foreign {
        /// The line, empty for an empty file.
        line: String,
    },
    /// It has a format that is not known here.
    #[error("read the adopt file: its format is {version:?}, not {MAJOR}x")]
    Version {
        /// The version it names.
        version: String,
    },
}

impl AdoptFile {
    /// Writes the file, byte for byte as lvmlockd 2.03.16.
    pub fn to_bytes(&self) -> Bytes {
        let Self { pid, updates, time, .. } = self;
        let mut out = format!("{HEAD}{FORMAT} pid {pid} updates {updates} {time}\n");
        for AdoptVg { uuid, name, lock_type, args } in &self.vgs {
            writeln!(out, "VG: {uuid} {name} {lock_type} {args}").expect("a string takes any text");
        }
        for AdoptLv { vg_uuid, uuid, args, mode, version } in &self.lvs {
            writeln!(out, "LV: {vg_uuid} {uuid} {args} {mode} {version}").expect("a string takes any text");
        }
        out.into()
    }

    /// Reads a file, and tells which of its lines were left out. Lines that begin with `#`, and empty ones, say nothing.
    ///
    /// # Errors
    /// [`AdoptFileError`] when it is not an adopt file, or one of another format.
    pub fn parse(bytes: &[u8]) -> Result<(Self, Vec<OddLine>), AdoptFileError> {
        let text = String::from_utf8_lossy(bytes);
        let says_something = |(_, line): &(usize, &str)| !line.starts_with('#') && !line.trim().is_empty();
        let mut lines = text.lines().enumerate().filter(says_something);
        let mut file = Self::from_head(lines.next().map_or("", |(_, line)| line))?;
        let mut odd = Vec::new();
        for (index, line) in lines {
            if let Err(problem) = file.read(line) {
                odd.push(OddLine { number: index + 1, text: line.to_owned(), problem });
            }
        }
        Ok((file, odd))
    }

    fn from_head(line: &str) -> Result<Self, AdoptFileError> {
        let head =
            line.strip_prefix(HEAD).ok_or_else(|| AdoptFileError::Foreign { line: line.to_owned() })?;
        let (version, rest) = head.split_once(' ').unwrap_or((head, ""));
        if !version.starts_with(MAJOR) {
            return Err(AdoptFileError::Version { version: version.to_owned() });
        }
        // Who wrote it, and when, is for people.
        let mut words = rest.splitn(5, ' ');
        let mut number_after = |word| (words.next() == Some(word)).then(|| words.next()).flatten();
        let pid = number_after("pid").and_then(|pid| pid.parse().ok()).unwrap_or_default();
        let updates = number_after("updates").and_then(|updates| updates.parse().ok()).unwrap_or_default();
        let time = words.next().unwrap_or_default().to_owned();
        Ok(Self { pid, updates, time, ..Self::default() })
    }

    fn read(&mut self, line: &str) -> Result<(), &'static str> {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words[..] {
            ["VG:", uuid, name, lock_type, args] => {
                let lock_type = LockType::from_word(lock_type).ok_or("it names no lock type")?;
                let (uuid, name) =
                    (uuid_of(uuid)?, name.try_into().map_err(|_| "its VG cannot have that name")?);
                self.vgs.push(AdoptVg { uuid, name, lock_type, args: args_of(args)? });
            }
            ["LV:", vg_uuid, uuid, args, mode, version] => {
                let mode = LockMode::from_word(mode)
                    .filter(|mode| matches!(mode, LockMode::Shared | LockMode::Exclusive));
                let mode = mode.ok_or("its mode is neither sh nor ex")?;
                let version = version.parse().map_err(|_| "its version is no number")?;
                let (vg_uuid, uuid, args) = (uuid_of(vg_uuid)?, uuid_of(uuid)?, args_of(args)?);
                if self.vgs.iter().all(|vg| vg.uuid != vg_uuid) {
                    return Err("no line before it names its VG");
                }
                self.lvs.push(AdoptLv { vg_uuid, uuid, args, mode, version });
            }
            ["VG:" | "LV:", ..] => return Err("it has not as many words as it should"),
            _ => return Err("it is for neither a VG nor an LV"),
        }
        Ok(())
    }
}

fn uuid_of<'w, T: TryFrom<&'w str>>(word: &'w str) -> Result<T, &'static str> {
    word.try_into().map_err(|_| "it has what is no UUID")
}

fn args_of(word: &str) -> Result<LockArgs, &'static str> {
    word.try_into().map_err(|_| "it has what can be no lock arguments")
}
