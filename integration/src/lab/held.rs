//! Who says that which lock of a logical volume is held: the lock daemon, the lock manager, the kernel.

use super::guest::Guest;
use super::lock_host::Manager;
use anyhow::{Context, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};

/// How a volume is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Beside others.
    Shared,
    /// Alone.
    Exclusive,
}

/// Locked volumes of `vg` by their UUIDs.
pub type Held = BTreeMap<String, Mode>;

impl Guest {
    /// Returns which volumes of `vg` this host has locked, on which the lock daemon, the lock manager and the kernel, that
    /// is the volumes that are active, agree.
    ///
    /// # Errors
    /// They do not agree, or one of them cannot be asked.
    pub fn held(&self, manager: Manager) -> Result<Held> {
        let daemon = self.held_in_daemon()?;
        let by_manager = match manager {
            Manager::Sanlock => self.held_in_sanlock()?,
            Manager::Dlm => self.held_in_dlm()?,
        };
        let active = self.active()?;
        ensure!(
            daemon == by_manager && daemon.keys().eq(&active),
            "the daemon holds {daemon:?}, {manager:?} {by_manager:?}, active are {active:?}"
        );
        Ok(daemon)
    }

    fn held_in_daemon(&self) -> Result<Held> {
        let info = self.lock_info()?;
        let locks = info.lines().filter_map(|line| line.strip_prefix("LK LV ")?.split_once(' '));
        Ok(locks.filter_map(|(mode, uuid)| Some((uuid.to_owned(), mode_of(mode)?))).collect())
    }

    /// An orphan, which belongs to no process, is not held.
    fn held_in_sanlock(&self) -> Result<Held> {
        let status = self.sh("sanlock client status")?;
        let leases = status.lines().filter_map(|line| line.strip_prefix("r lvm_vg:"));
        let leases = leases.filter(|lease| !lease.ends_with("ORPHAN"));
        // UUID:DEVICE:OFFSET:GENERATION p PID, with SH instead of the generation when it is shared.
        let held = leases.filter_map(|lease| {
            let (uuid, rest) = lease.split_once(':')?;
            let mode = if rest.contains(":SH p ") { Mode::Shared } else { Mode::Exclusive };
            is_volume(uuid).then(|| (uuid.to_owned(), mode))
        });
        Ok(held.collect())
    }

    /// The kernel does not say whether a lock is an orphan.
    fn held_in_dlm(&self) -> Result<Held> {
        let dump = self.sh("dlm_tool lockdump lvm_vg")?;
        // id 00000003 gr EX rq IV pid 364 master 0 "UUID"
        let held = dump.lines().filter_map(|line| {
            let mode = line.split_once(" gr ")?.1.split(' ').next()?;
            let name = line.split('"').nth(1)?;
            is_volume(name).then_some((name.to_owned(), mode_of(mode)?))
        });
        Ok(held.collect())
    }

    /// Returns the UUIDs of the volumes of `vg` that are active, without the one of the leases.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn active(&self) -> Result<BTreeSet<String>> {
        let devices = self.sh("dmsetup info -c --noheadings --separator ' ' -o uuid,name")?;
        let volumes = devices.lines().filter(|line| line.starts_with("LVM-") && !line.ends_with("lvmlock"));
        let uuid = |line: &str| {
            // The UUID of the group and that of the volume, each without its dashes.
            let plain = line.get(36..68).with_context(|| format!("dmsetup printed {line:?}"))?;
            let (first, rest) = plain.split_at(6);
            let middle: Vec<&str> = (0..5).map(|part| &rest[part * 4..part * 4 + 4]).collect();
            Ok(format!("{first}-{}-{}", middle.join("-"), &rest[20..]))
        };
        volumes.map(uuid).collect()
    }
}

fn mode_of(word: &str) -> Option<Mode> {
    match word {
        "sh" | "PR" => Some(Mode::Shared),
        "ex" | "EX" => Some(Mode::Exclusive),
        _ => None,
    }
}

fn is_volume(resource: &str) -> bool {
    resource.contains('-')
}
