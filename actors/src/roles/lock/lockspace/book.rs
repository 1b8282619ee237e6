//! What is remembered of all lockspaces of this host: which were started, and who holds what in them.
//!
//! A book is folded from its records, in memory by the actors for their own restarts, and in the journal for the next
//! life of the daemon. It is what the adopt file is written from.

use std::collections::BTreeMap;
use std::sync::Arc;

use lvmwarden_protocol::ids::VgName;
use lvmwarden_protocol::lock::LockType;
use serde::{Deserialize, Serialize};

use super::event::Spec;
use super::record::{Change, LockRecord, Remembered};
use crate::roles::lock::lock_manager::Resource;

/// One change of what is known of a lockspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BookRecord {
    /// It is about to be joined.
    Started(Started),
    /// It was left.
    Left {
        /// Its name, such as `lvm_vg0`.
        lockspace: String,
    },
    /// Something has become of a lock in it.
    Lock {
        /// Its name.
        lockspace: String,
        /// What.
        record: LockRecord,
    },
    /// Several of them, written down as one.
    Together {
        /// They, in order.
        records: Vec<BookRecord>,
    },
}

/// A lockspace as it was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Its name, such as `lvm_vg0`.
    pub lockspace: String,
    /// The VG's name; `None` for dlm's global lockspace.
    pub vg: Option<VgName>,
    /// The VG's UUID, 38 characters with dashes; empty where it was not known.
    pub vg_uuid: String,
    /// The VG's lock arguments.
    pub args: String,
    /// Its lock manager.
    pub lock_type: LockType,
    /// Our host id in it; 0 where there is none.
    pub host_id: u32,
}

/// What is remembered of one lockspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booked {
    /// How it was started.
    pub started: Started,
    /// Its locks.
    pub locks: Remembered,
}

/// What is remembered of all lockspaces, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockBook {
    lockspaces: BTreeMap<String, Booked>,
}

impl BookRecord {
    /// Returns whether it changes what the adopt file says: lockspaces, and locks of LVs.
    pub fn is_of_adopt_file(&self) -> bool {
        match self {
            Self::Started(_) | Self::Left { .. } => true,
            Self::Lock { record, .. } => matches!(record.resource, Resource::Lv(_)),
            Self::Together { records } => records.iter().any(Self::is_of_adopt_file),
        }
    }
}

impl Started {
    /// Describes a lockspace that is about to be joined.
    pub fn of(spec: &Spec) -> Self {
        Self {
            lockspace: spec.name.to_string(),
            vg: spec.vg.clone(),
            vg_uuid: spec.vg_uuid.map(String::from).unwrap_or_default(),
            args: spec.args.to_string(),
            lock_type: spec.lock_type,
            host_id: spec.host_id,
        }
    }

    /// Returns what the lockspace is started from again.
    pub fn spec(&self) -> Spec {
        Spec {
            name: Arc::from(self.lockspace.as_str()),
            vg: self.vg.clone(),
            vg_uuid: self.vg_uuid.as_str().try_into().ok(),
            args: Arc::from(self.args.as_str()),
            lock_type: self.lock_type,
            host_id: self.host_id,
            local_wait: None,
        }
    }
}

impl LockBook {
    /// Takes one record in. That of a lock in a lockspace that is not known says nothing.
    pub fn apply(&mut self, record: &BookRecord) {
        match record {
            BookRecord::Started(started) => {
                let booked = Booked { started: started.clone(), locks: Remembered::default() };
                let known = self.lockspaces.entry(started.lockspace.clone()).or_insert(booked);
                known.started = started.clone();
            }
            BookRecord::Left { lockspace } => {
                self.lockspaces.remove(lockspace);
            }
            BookRecord::Lock { lockspace, record } => self.apply_lock(lockspace, record),
            BookRecord::Together { records } => records.iter().for_each(|record| self.apply(record)),
        }
    }

    /// Takes in what an earlier life has left behind of a lockspace.
    pub fn inherit(&mut self, booked: Booked) {
        let locks = booked.locks.into_orphans();
        self.lockspaces.insert(booked.started.lockspace.clone(), Booked { locks, ..booked });
    }

    /// Returns the highest number of a client that is remembered.
    pub fn last_client(&self) -> u32 {
        let holders = self.lockspaces.values().flat_map(|booked| booked.locks.everybody());
        holders.map(|holder| holder.client).max().unwrap_or(0)
    }

    /// Takes in what has become of one lock.
    pub fn apply_lock(&mut self, lockspace: &str, record: &LockRecord) {
        if let Some(booked) = self.lockspaces.get_mut(lockspace) {
            booked.locks.apply(record);
        }
    }

    /// Returns what is remembered of the lockspace of this name.
    pub fn get(&self, lockspace: &str) -> Option<&Booked> {
        self.lockspaces.get(lockspace)
    }

    /// Returns all lockspaces, by name.
    pub fn lockspaces(&self) -> impl Iterator<Item = &Booked> {
        self.lockspaces.values()
    }

    /// Returns records that fold to this.
    pub fn records(&self) -> Vec<BookRecord> {
        let mut records = Vec::new();
        for Booked { started, locks } in self.lockspaces.values() {
            records.push(BookRecord::Started(started.clone()));
            for (resource, lock) in locks.locks() {
                let held = lock.holders.iter();
                let held = held.map(|(mode, holder)| Change::Held { mode: *mode, holder: holder.clone() });
                let wanted = lock.wanted.iter();
                let wanted =
                    wanted.map(|(mode, holder)| Change::Wanted { mode: *mode, holder: holder.clone() });
                let relied = lock.reliers.iter().map(|holder| Change::Relied { holder: holder.clone() });
                records.extend(held.chain(relied).chain(wanted).map(|change| BookRecord::Lock {
                    lockspace: started.lockspace.clone(),
                    record: LockRecord { resource: resource.clone(), change },
                }));
            }
        }
        records
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles::lock::lock_manager::Resource;
    use crate::roles::lock::lockspace::record::{HolderRecord, RememberedLock};
    use lvmwarden_protocol::lock::LockMode;

    fn started(lockspace: &str) -> BookRecord {
        BookRecord::Started(Started {
            lockspace: lockspace.to_owned(),
            vg: Some("vg0".try_into().expect("a name")),
            vg_uuid: "QkKrkV-Ds14-R3ZO-jqL0-8cEo-4Gw4-uLXHc3".to_owned(),
            args: "1.0.0:lvmlock".to_owned(),
            lock_type: LockType::Sanlock,
            host_id: 7,
        })
    }

    fn lock(lockspace: &str, change: Change) -> BookRecord {
        let uuid = "yLXt7f-rD3N-8jLh-4UpG-kX3o-t0bA-Ze1r7q".try_into().expect("a UUID");
        let resource = Resource::Lv(uuid);
        let record = LockRecord { resource, change };
        BookRecord::Lock { lockspace: lockspace.to_owned(), record }
    }

    fn holder(client: u32) -> HolderRecord {
        let text = |text: &str| Arc::from(text);
        let (name, lv_name, lv_args) = (text("lvchange"), text("lv0"), text("1.0.0:70254592"));
        HolderRecord { client, pid: 4, name, lv_name, lv_args, ..HolderRecord::nobody() }
    }

    fn folded(records: &[BookRecord]) -> LockBook {
        let mut book = LockBook::default();
        for record in records {
            book.apply(record);
        }
        book
    }

    #[test]
    fn the_records_of_a_book_fold_to_it_also_as_json() {
        let book = folded(&[
            started("lvm_vg0"),
            lock("lvm_vg0", Change::Held { mode: LockMode::Shared, holder: holder(0) }),
            lock("lvm_vg0", Change::Held { mode: LockMode::Shared, holder: holder(3) }),
            lock("lvm_vg0", Change::Wanted { mode: LockMode::Exclusive, holder: holder(4) }),
        ]);
        let json: Vec<_> =
            book.records().iter().map(|record| serde_json::to_string(record).expect("it is plain")).collect();
        let read: Vec<_> =
            json.iter().map(|text| serde_json::from_str(text).expect("it was written by us")).collect();
        assert_eq!(folded(&read), book);
        assert_eq!(book.get("lvm_vg0").map(|booked| booked.locks.locks().count()), Some(1));
    }

    #[test]
    fn what_was_left_is_forgotten_with_its_locks_and_a_start_again_keeps_them() {
        let held = lock("lvm_vg0", Change::Held { mode: LockMode::Exclusive, holder: holder(0) });
        let again = folded(&[started("lvm_vg0"), held.clone(), started("lvm_vg0")]);
        assert_eq!(again.get("lvm_vg0").map(|booked| booked.locks.locks().count()), Some(1));
        let left = folded(&[started("lvm_vg0"), held, BookRecord::Left { lockspace: "lvm_vg0".to_owned() }]);
        assert_eq!(left, LockBook::default());
    }

    #[test]
    fn a_lock_in_an_unknown_lockspace_says_nothing() {
        let lost = lock("lvm_vg1", Change::Held { mode: LockMode::Exclusive, holder: holder(0) });
        assert_eq!(folded(&[lost]), LockBook::default());
    }

    /// Client, pid, and whether it is known which process that is.
    type Who = (u32, u32, bool);

    /// Returns what a journal remembers: each lock, with who has it or relies on it.
    fn read(journal: &str) -> Vec<(String, Vec<Who>)> {
        #[derive(Deserialize)]
        #[serde(rename_all = "snake_case")]
        enum Record {
            Locks(BookRecord),
        }
        let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let records: Vec<_> = journal.lines().map(read).map(|Record::Locks(record)| record).collect();
        let book = folded(&records);
        let booked = book.get("lvm_vg0").expect("it was not left");
        assert_eq!((book.lockspaces().count(), booked.started.host_id), (1, 7));
        let told = |lock: &RememberedLock| {
            let holders = lock.holders.iter().map(|(_, holder)| holder).chain(&lock.reliers);
            holders.map(|holder| (holder.client, holder.pid, holder.process.is_some())).collect()
        };
        booked.locks.locks().map(|(resource, lock)| (resource.to_string(), told(lock))).collect()
    }

    const LV: &str = "yLXt7f-rD3N-8jLh-4UpG-kX3o-t0bA-Ze1r7q";

    #[test]
    fn a_journal_of_format_1_is_read_whose_records_name_no_process() {
        let read = read(include_str!("../../../../tests/fixtures/lock-records-1.jsonl"));
        let var = "GcrDfL-GODE-3YuR-VAJP-dWj6-XQ1g-AgR1VL".to_owned();
        assert_eq!(read, [(var, vec![(0, 4712, false)]), (LV.to_owned(), vec![(0, 4711, false)])]);
    }

    #[test]
    fn a_journal_of_format_2_is_read() {
        let read = read(include_str!("../../../../tests/fixtures/lock-records-2.jsonl"));
        let home = vec![(0, 4711, true), (3, 4712, true)];
        assert_eq!(read, [("VGLK".to_owned(), vec![(3, 4712, true)]), (LV.to_owned(), home)]);
    }
}
