//! What a host says about itself, as far as the daemon is concerned. Parsed from the words of other programs; pure.

use std::collections::BTreeMap;

/// Everything that the checks look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    /// This program's version.
    pub(super) own_version: String,
    /// Whether root asks: nobody else sees who listens on a socket.
    pub(super) is_root: bool,
    /// lvm's version, such as `2.03.16(2)`; or why there is none.
    pub(super) lvm_version: Answered<String>,
    /// Values of lvm.conf, by the last part of their names.
    pub(super) lvm_config: Answered<BTreeMap<String, String>>,
    /// What systemd says of its units, by name; or why it says nothing.
    pub(super) units: Answered<BTreeMap<String, Unit>>,
    /// The socket through which lvm commands ask for polling.
    pub(super) lvmpolld_socket: Socket,
    /// The socket of the API.
    pub(super) api_socket: Socket,
    /// What the daemon says; or why it says nothing.
    pub(super) daemon: Answered<Daemon>,
}

/// What another program answered, or why it did not.
pub(super) type Answered<T> = Result<T, String>;

/// A unit of systemd.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Unit {
    /// `loaded`, `masked`, `not-found`, ...
    pub(super) load: String,
    /// `active`, `inactive`, `failed`, ...
    pub(super) active: String,
    /// `enabled`, `disabled`, `masked`, `static`, ...; empty when there is no file.
    pub(super) file: String,
    /// The main process of a service that runs.
    pub(super) main_pid: Option<u32>,
}

/// A socket in the file system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Socket {
    /// Where.
    pub(super) path: String,
    /// Whether there is a file.
    pub(super) exists: bool,
    /// Whether a process listens on it, whoever that is.
    pub(super) is_listening: bool,
    /// Which processes have the listening socket open, as far as this user may see.
    pub(super) holders: Vec<Holder>,
}

/// A process that has a socket open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    /// Its number.
    pub(super) pid: u32,
    /// The name of its program's file, such as `lvmpolld`.
    pub(super) program: String,
    /// Whether that file was replaced or removed since the process started.
    pub(super) is_outdated: bool,
}

/// What the daemon says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Daemon {
    /// Its version.
    pub(super) version: String,
    /// Its process.
    pub(super) pid: u32,
    /// What it serves.
    pub(super) roles: Vec<String>,
    /// Why it cannot write its history now.
    pub(super) history_problem: Option<String>,
    /// What would go wrong if the leases of a VG were lost.
    pub(super) lock_problem: Option<String>,
}

impl Daemon {
    /// Tells whether it plays a role.
    pub(super) fn plays(&self, role: &str) -> bool {
        self.roles.iter().any(|played| played == role)
    }
}

/// The unit whose being enabled turns the lock role on.
pub(super) const LOCK_SOCKET_UNIT: &str = "lvmwardend-lvmlockd.socket";

impl Facts {
    /// Tells whether this host's daemon is to hold locks: it does, or somebody has turned that on.
    pub(super) fn locks(&self) -> bool {
        let is_enabled = |unit: &Unit| matches!(unit.file.as_str(), "enabled" | "enabled-runtime");
        let units = self.units.as_ref().ok();
        self.daemon.as_ref().is_ok_and(|daemon| daemon.plays("lock"))
            || units.and_then(|units| units.get(LOCK_SOCKET_UNIT)).is_some_and(is_enabled)
    }

    /// Tells whether this host's daemon is to poll: it is, unless it holds locks and nothing else.
    pub(super) fn polls(&self) -> bool {
        self.daemon.as_ref().map_or(true, |daemon| daemon.plays("poll") || !daemon.plays("lock"))
    }
}

/// Reads the lines `name=value` that lvmconfig prints; quotes around values are taken off.
///
/// Source: lvm2 2.03.16, `lvmconfig --typeconfig full NAME…` prints the last part of each name.
pub(super) fn parse_lvmconfig(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.trim().split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().trim_matches('"').to_owned()))
        .collect()
}

/// Finds lvm's version in what `lvm version` prints.
pub(super) fn parse_lvm_version(text: &str) -> Option<String> {
    let rest = text.lines().find_map(|line| line.trim().strip_prefix("LVM version:"))?;
    rest.split_whitespace().next().map(str::to_owned)
}

/// Reads what `systemctl show -p … UNIT…` prints: a block of `Name=value` for each unit, with an empty line between.
pub(super) fn parse_units(text: &str) -> BTreeMap<String, Unit> {
    let mut units = BTreeMap::new();
    for block in text.split("\n\n") {
        let properties: BTreeMap<_, _> = block.lines().filter_map(|line| line.split_once('=')).collect();
        let property = |name: &str| properties.get(name).map_or_else(String::new, |&value| value.to_owned());
        if let Some(&id) = properties.get("Id") {
            let unit = Unit {
                load: property("LoadState"),
                active: property("ActiveState"),
                file: property("UnitFileState"),
                main_pid: property("MainPID").parse().ok().filter(|&pid| pid != 0),
            };
            units.insert(id.to_owned(), unit);
        }
    }
    units
}

/// Finds the socket listening at `path` in the text of `/proc/net/unix`, and returns its inode.
///
/// Source: proc(5), Linux 6.1: `Num RefCount Protocol Flags Type St Inode Path`; flag 00010000 says that it listens.
pub(super) fn listening_inode(proc_net_unix: &str, path: &str) -> Option<u64> {
    const LISTENING: u32 = 0x1_0000;
    proc_net_unix.lines().skip(1).find_map(|line| {
        let mut columns = line.split_whitespace();
        let flags = u32::from_str_radix(columns.nth(3)?, 16).ok()?;
        let inode = columns.nth(2)?.parse().ok()?;
        (flags & LISTENING != 0 && columns.next() == Some(path)).then_some(inode)
    })
}

#[cfg(test)]
mod tests;
