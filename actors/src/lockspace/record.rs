//! What is remembered of locks, so that the next life of the lockspace knows them.
//!
//! ```text
//!  acquire:  Wanted ──▶ the lock manager ──▶ Held ──▶ reply        (failed: Unwanted)
//!  convert:             the lock manager ──▶ Held ──▶ reply
//!  release:             the lock manager ──▶ Released ──▶ reply
//! ```
//!
//! Only an acquire needs to be announced: whoever dies in the middle of one may leave a lock that nobody would know of.
//! A convert or release that was under way is recognised when the lock is adopted: it has the other mode, or none.

use std::collections::BTreeMap;
use std::sync::Arc;

use lvmwarden_protocol::lock::LockMode;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ask::ClientId;
use super::lock_manager::Resource;

/// One change of what is known of a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockRecord {
    /// Which lock.
    #[serde(with = "resource_name")]
    pub resource: Resource,
    /// What has become of it.
    pub change: Change,
}

/// What has become of a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// The lock manager is about to be asked for it.
    Wanted {
        /// In which mode.
        mode: LockMode,
        /// By whom and how.
        holder: HolderRecord,
    },
    /// Nothing came of that.
    Unwanted,
    /// A client has it, in this mode from now on.
    Held {
        /// In which mode.
        mode: LockMode,
        /// By whom and how. A record of the same client, or a persistent one, is replaced.
        holder: HolderRecord,
    },
    /// It was taken over from an earlier life: this holder has it, and nobody else any more.
    Adopted {
        /// In which mode.
        mode: LockMode,
        /// By whom and how.
        holder: HolderRecord,
    },
    /// A client's lock has become the persistent one.
    MadePersistent {
        /// Whose.
        client: u32,
    },
    /// A client has given it back.
    Released {
        /// Which; 0: the persistent one.
        client: u32,
    },
    /// Nobody has it any more.
    Forgotten,
}

/// Who has a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderRecord {
    /// The connection; 0 for a persistent lock, which belongs to none.
    pub client: u32,
    /// The process that asked for it; 0 where it is not known.
    pub pid: u32,
    /// The command it said it was.
    #[serde(with = "text")]
    pub name: Arc<str>,
    /// The LV's name, where the client said one.
    #[serde(with = "text")]
    pub lv_name: Arc<str>,
    /// The LV's lock arguments.
    #[serde(with = "text")]
    pub lv_args: Arc<str>,
}

/// What all records of a lockspace add up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remembered {
    locks: BTreeMap<Resource, RememberedLock>,
}

/// What is remembered of one lock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RememberedLock {
    /// An acquire that was about to be made.
    pub wanted: Option<(LockMode, HolderRecord)>,
    /// Who has it, in which mode.
    pub holders: Vec<(LockMode, HolderRecord)>,
}

impl HolderRecord {
    /// Makes the record of a lock that nobody is known to have asked for.
    pub fn nobody() -> Self {
        let nothing: Arc<str> = Arc::from("");
        Self {
            client: 0,
            pid: 0,
            name: Arc::clone(&nothing),
            lv_name: Arc::clone(&nothing),
            lv_args: nothing,
        }
    }

    /// Returns whether the lock outlives its client.
    pub fn is_persistent(&self) -> bool {
        self.client == 0
    }

    /// Returns whether it is the record of this client.
    pub fn is_of(&self, client: ClientId) -> bool {
        self.client == client.0
    }
}

impl LockRecord {
    /// Returns whether it has to outlive the daemon. Locks of VGs and the global lock need not: every start looks
    /// whether the last life has left them behind.
    pub fn is_durable(&self) -> bool {
        matches!(self.resource, Resource::Lv(_))
    }
}

impl Remembered {
    /// Takes one record in.
    pub fn apply(&mut self, record: &LockRecord) {
        let lock = self.locks.entry(record.resource.clone()).or_default();
        match &record.change {
            Change::Wanted { mode, holder } => lock.wanted = Some((*mode, holder.clone())),
            Change::Unwanted => lock.wanted = None,
            Change::Held { mode, holder } => {
                lock.wanted = None;
                lock.holders.retain(|(_, other)| other.client != holder.client);
                lock.holders.push((*mode, holder.clone()));
            }
            Change::Adopted { mode, holder } => {
                lock.wanted = None;
                lock.holders = vec![(*mode, holder.clone())];
            }
            Change::MadePersistent { client } => {
                for (_, holder) in lock.holders.iter_mut().filter(|(_, holder)| holder.client == *client) {
                    holder.client = 0;
                }
            }
            Change::Released { client } => lock.holders.retain(|(_, holder)| holder.client != *client),
            Change::Forgotten => *lock = RememberedLock::default(),
        }
        if *lock == RememberedLock::default() {
            self.locks.remove(&record.resource);
        }
    }

    /// Returns the locks, ordered by resource.
    pub fn locks(&self) -> impl Iterator<Item = (&Resource, &RememberedLock)> {
        self.locks.iter()
    }
}

mod resource_name {
    use super::{Arc, Deserialize, Deserializer, Resource, Serializer};

    pub(super) fn serialize<S: Serializer>(resource: &Resource, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(resource.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Resource, D::Error> {
        let name = String::deserialize(from)?;
        Ok([Resource::Global, Resource::Vg]
            .into_iter()
            .find(|resource| resource.as_str() == name)
            .unwrap_or_else(|| Resource::Lv(Arc::from(name))))
    }
}

mod text {
    use super::{Arc, Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(from).map(Arc::from)
    }
}
