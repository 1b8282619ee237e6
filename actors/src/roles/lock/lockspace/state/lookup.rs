//! Where the locks of a lockspace are. An LV's is there only while somebody holds it or waits for it.

use lvmwarden_protocol::lock::LockMode;

use super::Machine;
use crate::roles::lock::lock_manager::Resource;
use crate::roles::lock::lockspace::desk::Context;
use crate::roles::lock::lockspace::lock_table::LockTable;

impl Machine {
    /// Returns in which mode this host holds a lock.
    pub(super) fn mode(&self, resource: &Resource) -> LockMode {
        match resource {
            Resource::Global => self.global_lock.mode(),
            Resource::Vg => self.vg_lock.mode(),
            Resource::Lv(uuid) => self.lv_locks.get(uuid).map_or(LockMode::Unlocked, LockTable::mode),
        }
    }

    /// Returns whether anything is known of a lock.
    pub(super) fn knows(&self, resource: &Resource) -> bool {
        match resource {
            Resource::Global | Resource::Vg => true,
            Resource::Lv(uuid) => self.lv_locks.contains_key(uuid),
        }
    }

    /// Does something with one lock.
    pub(super) fn with_lock(
        &mut self,
        resource: &Resource,
        cx: &mut Context<'_>,
        change: impl FnOnce(&mut LockTable, &mut Context<'_>),
    ) {
        let uuid = match resource {
            Resource::Global => return change(&mut self.global_lock, cx),
            Resource::Vg => return change(&mut self.vg_lock, cx),
            Resource::Lv(uuid) => uuid,
        };
        let new = || LockTable::new(resource.clone());
        let table = self.lv_locks.entry(*uuid).or_insert_with(new);
        change(table, cx);
        if table.is_idle() {
            self.lv_locks.remove(uuid);
        }
    }

    /// Does something with each lock.
    pub(super) fn each_lock(
        &mut self,
        cx: &mut Context<'_>,
        mut change: impl FnMut(&mut LockTable, &mut Context<'_>),
    ) {
        change(&mut self.global_lock, cx);
        change(&mut self.vg_lock, cx);
        for table in self.lv_locks.values_mut() {
            change(table, cx);
        }
        self.lv_locks.retain(|_, table| !table.is_idle());
    }

    /// Returns all locks, LVs last.
    pub(super) fn locks(&self) -> impl Iterator<Item = &LockTable> {
        [&self.global_lock, &self.vg_lock].into_iter().chain(self.lv_locks.values())
    }

    /// Returns whether an LV lock is held, or being acquired.
    pub(super) fn holds_lv_locks(&self) -> bool {
        self.lv_locks.values().any(LockTable::is_held)
    }
}
