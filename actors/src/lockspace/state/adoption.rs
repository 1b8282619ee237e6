//! Locks of an earlier life of the daemon.
//!
//! Each is asked for as an orphan in the mode in which it was held, and in the other one where the lock manager says
//! so: a crash may have come in the middle of a conversion. One that cannot be had is told and does not stop the others.
//! The lock of an LV that is active is kept; all others are given back, the VG's and the global one too, whoever held
//! them is gone.

use lvmwarden_protocol::lock::LockMode;

use super::{Life, Machine};
use crate::lockspace::desk::Context;
use crate::lockspace::lock_manager::{GlobalLease, Resource};
use crate::lockspace::record::{HolderRecord, Remembered};

/// A lock of an earlier life of the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Orphan {
    /// Which lock.
    pub resource: Resource,
    /// In which mode it was held or wanted.
    pub mode: LockMode,
    /// By whom.
    pub holder: HolderRecord,
    /// The LV's device is active: the lock is kept.
    pub active: bool,
}

/// Returns the locks that an earlier life may have left behind. `is_active` tells of an LV whether its device is active.
pub fn orphans(remembered: &Remembered, mut is_active: impl FnMut(&Resource) -> bool) -> Vec<Orphan> {
    let lvs = remembered.locks().filter(|(resource, _)| matches!(resource, Resource::Lv(_)));
    lvs.filter_map(|(resource, lock)| {
        let persistent = lock.holders.iter().find(|(_, holder)| holder.is_persistent());
        let (mode, holder) = persistent.or(lock.wanted.as_ref()).or(lock.holders.first())?;
        Some(Orphan {
            resource: resource.clone(),
            mode: *mode,
            holder: holder.clone(),
            active: holder.is_persistent() && is_active(resource),
        })
    })
    .collect()
}

impl Machine {
    pub(super) fn adopt_orphans(&mut self, cx: &mut Context<'_>) {
        let Life::Starting(starting) = &mut self.life else { return };
        let Some(mut orphans) = starting.orphans.take() else { return };
        orphans.extend(self.metadata_locks(cx.desk.global));
        for orphan in orphans {
            let Orphan { resource, mode, holder, active } = orphan;
            self.with_lock(&resource, cx, |table, cx| table.adopt(mode, holder, active, cx));
        }
    }

    /// The VG's lock and the global one may have been held by somebody at the end of the earlier life.
    fn metadata_locks(&self, global: GlobalLease) -> impl Iterator<Item = Orphan> + use<> {
        let has_global = self.spec.vg.is_none() || global == GlobalLease::Enabled;
        [Resource::Vg, Resource::Global]
            .into_iter()
            .filter(move |resource| has_global || *resource != Resource::Global)
            .map(|resource| Orphan {
                resource,
                mode: LockMode::Shared,
                holder: HolderRecord::nobody(),
                active: false,
            })
    }
}
