//! A lock that an earlier life of the daemon has left behind: who may rely on it still.
//!
//! ```text
//!            who asked, or was told that it is as good as its own
//!               lives        gone                     nobody knows
//!  VG, global   kept         given back               stays with the lock manager
//!  LV's         kept         kept if the LV is        stays; a persistent one is kept
//!                            active, or may be;
//!                            else given back
//! ```
//!
//! A command does not connect again when the daemon is gone, but it goes on: it activates its LV, or writes metadata. That
//! is why its process decides and not its connection. What is kept for processes alone is given back when the last of
//! them has ended and the LV is not active even then.

use std::sync::Arc;

use lvmwarden_protocol::lock::LockMode;

use super::ask::ClientId;
use super::record::{Claim, HolderRecord, Remembered, RememberedLock};
use crate::roles::lock::lock_manager::Resource;

/// A lock of an earlier life of the daemon, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// Which lock.
    pub resource: Resource,
    /// In which mode it was held or wanted last: a crash may have come in the middle of a conversion.
    pub mode: LockMode,
    /// The LV's lock arguments; empty for others.
    pub lv_args: Arc<str>,
    /// Who keeps it; nobody: it is given back.
    pub kept: Vec<HolderRecord>,
    /// Who was told that the persistent lock is as good as its own, and lives.
    pub reliers: Vec<HolderRecord>,
    /// The clients among those that are remembered who are gone.
    pub gone: Vec<u32>,
}

/// What has become of a process that asked for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// It lives, and is known by this number from now on.
    Lives(ClientId),
    /// It has ended.
    Gone,
    /// Nobody can tell.
    Unknown,
}

/// Returns the locks that an earlier life may have left behind and of which it is known what is to become of them.
///
/// `is_active` tells of an LV whether its device is active, or may be; `asker` what has become of a process. What is left
/// out stays as it is.
pub fn orphans(
    remembered: &Remembered,
    mut is_active: impl FnMut(&Resource) -> bool,
    asker: impl Fn(&HolderRecord) -> Asker,
) -> Vec<Orphan> {
    let judged = remembered.locks().map(|(resource, lock)| {
        let is_active = matches!(resource, Resource::Lv(_)) && is_active(resource);
        judge(resource, lock, is_active, &asker)
    });
    judged.flatten().collect()
}

fn judge(
    resource: &Resource,
    lock: &RememberedLock,
    is_active: bool,
    asker: impl Fn(&HolderRecord) -> Asker,
) -> Option<Orphan> {
    let all = || lock.holders.iter().chain(&lock.wanted);
    let persistent = all().find(|(_, holder)| holder.is_persistent());
    // The mode of the persistent lock, else the strongest: the others may be of requests that were being given back.
    let mode = persistent.map(|(mode, _)| *mode).or_else(|| all().map(|(mode, _)| *mode).max())?;
    let lv_args = all().map(|(_, holder)| &holder.lv_args).find(|args| !args.is_empty());
    let mut orphan = Orphan::given_back(resource.clone(), mode, lv_args.cloned().unwrap_or_default());
    let mut is_in_doubt = false;
    for (_, holder) in all().filter(|(_, holder)| !holder.is_persistent()) {
        match asker(holder) {
            Asker::Lives(client) => {
                let claim = Claim::Inherited;
                orphan.kept.push(HolderRecord { client: client.0, claim, ..holder.clone() });
            }
            Asker::Gone => orphan.gone.push(holder.client),
            Asker::Unknown => is_in_doubt = true,
        }
    }
    let Some((_, holder)) = persistent else { return (!is_in_doubt).then_some(orphan) };
    let asked_for = !holder.is_nobodys();
    for relier in lock.reliers.iter().chain(asked_for.then_some(holder)) {
        match asker(relier) {
            Asker::Lives(client) => orphan.reliers.push(HolderRecord { client: client.0, ..relier.clone() }),
            Asker::Gone => orphan.gone.extend(Some(relier.client).filter(|client| *client != 0)),
            Asker::Unknown => is_in_doubt = true,
        }
    }
    let stays = is_active || is_in_doubt || !asked_for;
    if stays || !orphan.reliers.is_empty() {
        let claim = if stays { Claim::Inherited } else { Claim::OnProbation };
        orphan.kept.push(HolderRecord { claim, ..holder.clone() });
    } else {
        orphan.gone.push(0);
    }
    Some(orphan)
}

impl Orphan {
    /// Makes one that nobody needs.
    pub fn given_back(resource: Resource, mode: LockMode, lv_args: Arc<str>) -> Self {
        Self { resource, mode, lv_args, kept: Vec::new(), reliers: Vec::new(), gone: Vec::new() }
    }

    /// Makes one of an LV that is kept until somebody unlocks it, whoever has asked for it.
    pub fn kept(resource: Resource, mode: LockMode, lv_args: Arc<str>) -> Self {
        let nobody = HolderRecord::nobody();
        let holder = HolderRecord { lv_args: Arc::clone(&lv_args), claim: Claim::Inherited, ..nobody };
        Self { kept: vec![holder], ..Self::given_back(resource, mode, lv_args) }
    }

    /// Returns whether somebody needs it.
    pub fn is_kept(&self) -> bool {
        !self.kept.is_empty()
    }

    /// Takes in that a client does not need it any more; returns whether it was one of those who did.
    pub fn let_go(&mut self, client: u32) -> bool {
        let before = self.kept.len() + self.reliers.len();
        self.kept.retain(|holder| holder.client != client);
        self.reliers.retain(|holder| holder.client != client);
        let is_less = self.kept.len() + self.reliers.len() < before;
        if is_less {
            self.gone.push(client);
        }
        is_less
    }
}

#[cfg(test)]
mod tests;
