//! Which processes of the host poll without the daemon, or may: pure.
//!
//! lvm polls by itself with `global/use_lvmpolld=0`, and where no daemon answers. What it works on does not show in the
//! process table, so a command is taken to work on anything that its kind of command can poll, for as long as it lives:
//! an LV is rather polled later than by two.
//!
//! Only root's processes count: nobody else's can poll, whatever they are called.
//!
//! A command that waits for an operation of the daemon is none of these; it is known by its command line, which it gave
//! when it asked. An idle `lvm` shell is none either.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use lvmwarden_protocol::command_line::CommandLine;
use lvmwarden_protocol::ids::{LvName, VgName};
use lvmwarden_protocol::poll::PollOperation;
use lvmwarden_supervisor::process::{FoundProcess, ProcessIdentity};

use super::report::Unfinished;
use crate::roles::poll::operation::lvpoll::{self, Arguments};
use crate::roles::poll::recovery::{Home, read_child};

/// A process that polls without the daemon, or may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// Which process it is.
    pub process: ProcessIdentity,
    /// Its command line, for people.
    pub command_line: CommandLine,
    /// What it may poll.
    pub works_on: WorksOn,
}

/// What a stranger may poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorksOn {
    /// This LV.
    Lv(VgName, LvName),
    /// Any LV that is in the middle of one of these.
    Any(&'static [PollOperation]),
}

const CONVERSIONS: &[PollOperation] =
    &[PollOperation::Convert, PollOperation::Merge, PollOperation::MergeThin];

/// The commands of lvm that poll, and what they poll.
const COMMANDS: [(&str, &[PollOperation]); 5] = [
    ("pvmove", &[PollOperation::Pvmove]),
    ("lvconvert", CONVERSIONS),
    ("lvchange", &PollOperation::ALL),
    ("vgchange", &PollOperation::ALL),
    ("pvscan", &PollOperation::ALL),
];

/// What lvm writes over the beginning of its command line when it polls in the background, as far as there is room.
///
/// Source: lvm2 2.03.16, seen.
const IN_BACKGROUND: &str = "(lvm2)";

/// Returns whether a command line, program included, may be one of a process that polls.
pub(super) fn may_poll(command_line: &[OsString]) -> bool {
    lvpoll::is_lvpoll(command_line) || polled_by(command_line).is_some()
}

/// Returns the stranger that a process is, unless it is the daemon's own, or waits for it.
///
/// `home` is this daemon's; `clients` are the command lines that asked for what it polls.
pub(super) fn read(found: &FoundProcess, home: Home<'_>, clients: &[&CommandLine]) -> Option<Stranger> {
    let words: Vec<_> = found.command_line.iter().map(|word| word.to_string_lossy()).collect();
    let command_line = words.join(" ").trim_end().to_owned();
    let works_on = if lvpoll::is_lvpoll(&found.command_line) {
        if read_child(found, home).is_some() {
            return None;
        }
        let lv = |arguments: Arguments| WorksOn::Lv(arguments.vgname, arguments.lvname);
        Arguments::read(&found.command_line).map_or(WorksOn::Any(&PollOperation::ALL), lv)
    } else {
        if clients.iter().any(|client| client.is_of(&command_line)) {
            return None;
        }
        WorksOn::Any(polled_by(&found.command_line)?)
    };
    Some(Stranger { process: found.identity.clone(), command_line: command_line.into(), works_on })
}

impl Stranger {
    /// Returns whether it may poll an LV.
    pub(super) fn may_poll(&self, unfinished: &Unfinished) -> bool {
        match &self.works_on {
            WorksOn::Lv(vgname, lvname) => (vgname, lvname) == (&unfinished.vgname, &unfinished.lvname),
            WorksOn::Any(kinds) => kinds.contains(&unfinished.kind),
        }
    }
}

/// Returns what a command of lvm polls; `None` for one that does not.
fn polled_by(command_line: &[OsString]) -> Option<&'static [PollOperation]> {
    let name = |word: &OsString| Path::new(word).file_name().and_then(OsStr::to_str).map(str::to_owned);
    let program = name(command_line.first()?)?;
    // Of `lvm` there is room for three letters.
    if program.starts_with("(lv") && IN_BACKGROUND.starts_with(&program) {
        return Some(&PollOperation::ALL);
    }
    let command = if program == "lvm" { name(command_line.get(1)?)? } else { program };
    COMMANDS.iter().find(|(known, _)| *known == command).map(|(_, kinds)| *kinds)
}

#[cfg(test)]
mod tests;
