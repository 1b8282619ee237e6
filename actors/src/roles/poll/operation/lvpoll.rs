//! The command line and environment of an lvpoll child, written and read.
//!
//! They are written when a child is started, and read when the process table is searched for children that an earlier
//! daemon, ours or the C one, has left behind.
//!
//! Source: lvm2 2.03.16, checked against the C daemon (argument order, environment).

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::ops::RangeInclusive;
use std::path::Path;

use lvmwarden_protocol::ids::{DevicesFile, LvName, Lvid, SystemDir, VgName};
use lvmwarden_protocol::poll::{Interval, PollOperation, StartRequest};
use uuid::Uuid;

/// Names the operation that a child works for: the operation's UUID.
pub const OP_VARIABLE: &str = "LVMWARDEN_OP";
/// Names the LV that a child works for: its lvid, which the command line does not tell.
pub const LVID_VARIABLE: &str = "LVMWARDEN_LVID";
/// Names the daemon that a child works for: [`crate::roles::poll::environment::PollEnvironment::instance`].
pub const INSTANCE_VARIABLE: &str = "LVMWARDEN_INSTANCE";
/// The client's system directory; the daemon's own is not for its children.
pub const SYSTEM_DIR_VARIABLE: &str = "LVM_SYSTEM_DIR";

/// What lvpoll is told, and so what its command line tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments {
    /// What is polled.
    pub kind: PollOperation,
    /// The operation is to be aborted.
    pub abort: bool,
    /// Missing PVs are coped with.
    pub handle_missing_pvs: bool,
    /// The VG's name.
    pub vgname: VgName,
    /// The LV's name.
    pub lvname: LvName,
    /// How often to look.
    pub interval: Interval,
    /// The client's `--devicesfile`.
    pub devicesfile: Option<DevicesFile>,
}

impl Arguments {
    /// Returns what lvpoll is told on behalf of a client.
    pub fn of(request: &StartRequest) -> Self {
        Self {
            kind: request.kind,
            abort: request.abort,
            handle_missing_pvs: request.handle_missing_pvs,
            vgname: request.vgname.clone(),
            lvname: request.lvname.clone(),
            interval: request.interval.clone(),
            devicesfile: request.devicesfile.clone(),
        }
    }

    /// Returns the request that a client may have made to have lvpoll told this.
    pub fn into_request(self, lvid: Lvid, sysdir: Option<SystemDir>) -> StartRequest {
        StartRequest {
            kind: self.kind,
            abort: self.abort,
            handle_missing_pvs: self.handle_missing_pvs,
            lvid,
            vgname: self.vgname,
            lvname: self.lvname,
            interval: self.interval,
            sysdir,
            devicesfile: self.devicesfile,
            cmdline: None,
        }
    }

    /// Writes the arguments after the program's name, in the C daemon's order; `verbose` adds `-vvvv`.
    pub fn write(&self, verbose: bool) -> Vec<OsString> {
        let mut words = vec!["lvpoll".to_owned(), "--interval".to_owned(), self.interval.to_string()];
        let mut add = |condition: bool, option: &str| {
            if condition {
                words.push(option.to_owned());
            }
        };
        add(self.abort, "--abort");
        add(self.handle_missing_pvs, "--handlemissingpvs");
        words.extend(["--polloperation".to_owned(), self.kind.to_string()]);
        words.extend([format!("{}/{}", self.vgname, self.lvname), "-An".to_owned()]);
        if verbose {
            words.push("-vvvv".to_owned());
        }
        if let Some(file) = &self.devicesfile {
            words.extend(["--devicesfile".to_owned(), file.to_string()]);
        }
        words.into_iter().map(OsString::from).collect()
    }

    /// Reads a whole command line, program included; `None` for one that neither this module nor the C daemon writes.
    pub fn read(command_line: &[OsString]) -> Option<Self> {
        let (_program, words) = split(command_line)?;
        let (mut interval, mut kind, mut name, mut devicesfile) = (None, None, None, None);
        let (mut abort, mut handle_missing_pvs) = (false, false);
        let mut words = words.iter().map(|word| word.to_str());
        while let Some(word) = words.next() {
            match word? {
                "--interval" => interval = Some(words.next()??),
                "--polloperation" => kind = Some(words.next()??),
                "--devicesfile" => devicesfile = Some(words.next()??),
                "--abort" => abort = true,
                "--handlemissingpvs" => handle_missing_pvs = true,
                option if option.starts_with('-') => {}
                lv => name = lv.split_once('/'),
            }
        }
        let (vgname, lvname) = name?;
        Some(Self {
            kind: PollOperation::from_word(kind?)?,
            abort,
            handle_missing_pvs,
            vgname: vgname.try_into().ok()?,
            lvname: lvname.try_into().ok()?,
            interval: interval?.try_into().ok()?,
            devicesfile: devicesfile.map(TryInto::try_into).transpose().ok()?,
        })
    }
}

/// Where the word `lvpoll` may stand: right behind the program, which for a script is behind the interpreter and the
/// one argument that an interpreter may have.
///
/// Source: execve(2), "Interpreter scripts".
const COMMAND_AT: RangeInclusive<usize> = 1..=3;

/// Splits a command line of lvpoll into its program and the words after `lvpoll`; `None` for other command lines.
pub fn split(command_line: &[OsString]) -> Option<(&OsStr, &[OsString])> {
    let at = COMMAND_AT.into_iter().find(|at| command_line.get(*at).is_some_and(|word| word == "lvpoll"))?;
    Some((&command_line[at - 1], &command_line[at + 1..]))
}

/// Returns whether a command line, program included, is one of lvpoll.
pub fn is_lvpoll(command_line: &[OsString]) -> bool {
    split(command_line).is_some()
}

/// Returns a child's whole environment: the daemon's `inherited` one, the client's system directory, and what the
/// child is found again by.
pub fn environment(
    request: &StartRequest,
    op: Uuid,
    instance: &Path,
    inherited: &BTreeMap<OsString, OsString>,
) -> Vec<(OsString, OsString)> {
    let mut environment = configuration(request, inherited);
    environment.insert(OP_VARIABLE.into(), op.to_string().into());
    environment.insert(LVID_VARIABLE.into(), request.lvid.as_str().into());
    environment.insert(INSTANCE_VARIABLE.into(), instance.into());
    environment.into_iter().collect()
}

/// Returns the environment that configures an LVM command for this request as it configures its lvpoll.
pub fn configuration(
    request: &StartRequest,
    inherited: &BTreeMap<OsString, OsString>,
) -> BTreeMap<OsString, OsString> {
    let mut environment = inherited.clone();
    environment.remove(OsStr::new(SYSTEM_DIR_VARIABLE));
    if let Some(sysdir) = &request.sysdir {
        environment.insert(SYSTEM_DIR_VARIABLE.into(), sysdir.as_str().into());
    }
    environment
}

#[cfg(test)]
mod tests;
