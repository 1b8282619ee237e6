//! After a crash of an actor: what is remembered of its locks, against what its connection holds.
//!
//! The connection's own book is the truth: a call that was under way has been made since, and nobody heard of it. It does
//! not know of locks of an earlier life that were not taken over yet: those stay remembered.

use std::collections::BTreeMap;

use lvmwarden_protocol::lock::LockMode;

use super::event::Call;
use super::record::{Change, LockRecord, Remembered};
use crate::roles::lock::lock_manager::Resource;

/// Returns what has to be remembered anew, and which locks are held for nobody and are to be given back.
pub fn reconcile(
    remembered: &Remembered,
    held: &BTreeMap<Resource, LockMode>,
) -> (Vec<LockRecord>, Vec<Call>) {
    let (mut records, mut surplus) = (Vec::new(), Vec::new());
    for (resource, lock) in remembered.locks().filter(|(_, lock)| !lock.is_orphan) {
        let change = |change| LockRecord { resource: resource.clone(), change };
        match held.get(resource) {
            None => records.push(change(Change::Forgotten)),
            Some(mode) => {
                // Whoever wanted it asks again; a conversion that was made nobody knows of is a mode like any other.
                if lock.wanted.is_some() {
                    records.push(change(Change::Unwanted));
                }
                for (_, holder) in lock.holders.iter().filter(|(known, _)| known != mode) {
                    records.push(change(Change::Held { mode: *mode, holder: holder.clone() }));
                }
            }
        }
    }
    for resource in held.keys() {
        let is_somebodys =
            remembered.locks().any(|(known, lock)| known == resource && !lock.holders.is_empty());
        if !is_somebodys {
            surplus.push(Call::Release { resource: resource.clone(), write: None, free: false });
        }
    }
    (records, surplus)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::roles::lock::lockspace::record::HolderRecord;

    const EX: LockMode = LockMode::Exclusive;
    const SH: LockMode = LockMode::Shared;

    fn holder(client: u32) -> HolderRecord {
        let text = || Arc::from("");
        HolderRecord { client, pid: 1, name: text(), ..HolderRecord::nobody() }
    }

    fn remembered(changes: &[(Resource, Change)]) -> Remembered {
        let mut remembered = Remembered::default();
        for (resource, change) in changes {
            remembered.apply(&LockRecord { resource: resource.clone(), change: change.clone() });
        }
        remembered
    }

    #[test]
    fn what_agrees_is_left_alone() {
        let remembered = remembered(&[(Resource::Vg, Change::Held { mode: EX, holder: holder(1) })]);
        assert_eq!(reconcile(&remembered, &BTreeMap::from([(Resource::Vg, EX)])), (vec![], vec![]));
    }

    #[test]
    fn what_was_acquired_for_nobody_is_given_back() {
        let remembered = remembered(&[(Resource::Vg, Change::Wanted { mode: EX, holder: holder(1) })]);
        let (records, surplus) = reconcile(&remembered, &BTreeMap::from([(Resource::Vg, EX)]));
        assert_eq!(records, [LockRecord { resource: Resource::Vg, change: Change::Unwanted }]);
        assert_eq!(surplus, [Call::Release { resource: Resource::Vg, write: None, free: false }]);
    }

    #[test]
    fn what_was_given_back_is_forgotten() {
        let remembered = remembered(&[(Resource::Global, Change::Held { mode: SH, holder: holder(1) })]);
        let forgotten = LockRecord { resource: Resource::Global, change: Change::Forgotten };
        assert_eq!(reconcile(&remembered, &BTreeMap::new()), (vec![forgotten], vec![]));
    }

    #[test]
    fn a_conversion_that_was_made_is_believed() {
        let remembered = remembered(&[(Resource::Vg, Change::Held { mode: SH, holder: holder(1) })]);
        let (records, surplus) = reconcile(&remembered, &BTreeMap::from([(Resource::Vg, EX)]));
        let held = Change::Held { mode: EX, holder: holder(1) };
        assert_eq!(records, [LockRecord { resource: Resource::Vg, change: held }]);
        assert_eq!(surplus, []);
    }
}
