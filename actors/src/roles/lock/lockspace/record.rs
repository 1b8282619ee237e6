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
//!
//! Each record names the process that asked, and whoever was told that somebody else's lock is as good as its own: while
//! one of them lives it may rely on the lock, also when the daemon that told it so is gone. How long nothing else is done
//! until a record is durable is what [`Remembered::writing`] says.

use std::collections::BTreeMap;
use std::sync::Arc;

use lvmwarden_protocol::lock::LockMode;
use lvmwarden_supervisor::process::ProcessIdentity;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ask::ClientId;
use crate::roles::lock::lock_manager::Resource;

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
    /// A client was told that the persistent lock is as good as its own.
    Relied {
        /// Which.
        holder: HolderRecord,
    },
    /// A client relies on the persistent lock no longer.
    LetGo {
        /// Which.
        client: u32,
    },
    /// Nobody has it any more.
    Forgotten,
}

/// When a record has to be durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writing {
    /// Before anything else is done.
    Awaited,
    /// Some time, in its turn: without it too much is remembered, which a start finds out.
    Behind,
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
    /// Which process that was; `None` where the kernel did not say, and in earlier records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessIdentity>,
    /// How this life of the daemon has come by it. The next one looks again.
    #[serde(skip)]
    pub claim: Claim,
}

/// How a life of the daemon has come by a lock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Claim {
    /// A client has asked for it.
    #[default]
    Asked,
    /// An earlier life had it.
    Inherited,
    /// An earlier life had it, and its LV was not active: it is kept while somebody lives who relies on it.
    OnProbation,
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
    /// Who was told that the persistent lock is as good as its own.
    pub reliers: Vec<HolderRecord>,
    /// It is of an earlier life, and was not taken over yet.
    pub is_orphan: bool,
}

impl RememberedLock {
    fn everybody(&self) -> impl Iterator<Item = &HolderRecord> {
        self.wanted.iter().chain(&self.holders).map(|(_, holder)| holder).chain(&self.reliers)
    }
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
            process: None,
            claim: Claim::Asked,
        }
    }

    /// Returns whether the lock outlives its client.
    pub fn is_persistent(&self) -> bool {
        self.client == 0
    }

    /// Returns whether nobody is known to have asked for it, as in the adopt file.
    pub fn is_nobodys(&self) -> bool {
        self.pid == 0 && self.process.is_none()
    }

    /// Returns whether it is the record of this client.
    pub fn is_of(&self, client: ClientId) -> bool {
        self.client == client.0
    }
}

impl Remembered {
    /// Tells when a record has to be durable that is to be taken in next.
    ///
    /// Those of LVs at once, before a client is told. Commands that read have a VG's lock for a moment: of that it is enough
    /// to know before who may have it.
    pub fn writing(&self, record: &LockRecord) -> Writing {
        let known = self.locks.get(&record.resource);
        let is_known = |holder: &HolderRecord| {
            let all = known.iter().flat_map(|lock| lock.wanted.iter().chain(&lock.holders));
            all.into_iter().any(|(_, known)| known.client == holder.client && known.process == holder.process)
        };
        match (&record.resource, &record.change) {
            (_, Change::LetGo { .. }) => Writing::Behind,
            (Resource::Lv(_), _) | (_, Change::Wanted { .. } | Change::Relied { .. }) => Writing::Awaited,
            (_, Change::Held { holder, .. } | Change::Adopted { holder, .. }) if !is_known(holder) => {
                Writing::Awaited
            }
            (
                Resource::Global | Resource::Vg,
                Change::Held { .. }
                | Change::Adopted { .. }
                | Change::Unwanted
                | Change::MadePersistent { .. }
                | Change::Released { .. }
                | Change::Forgotten,
            ) => Writing::Behind,
        }
    }

    /// Takes one record in.
    pub fn apply(&mut self, record: &LockRecord) {
        let lock = self.locks.entry(record.resource.clone()).or_default();
        match &record.change {
            Change::Wanted { mode, holder } => {
                // That of an earlier life which could not be taken over is none of this request's.
                let before = lock.wanted.replace((*mode, holder.clone()));
                lock.holders.extend(before.filter(|(_, before)| before.client != holder.client));
            }
            Change::Unwanted => lock.wanted = None,
            Change::Held { mode, holder } => {
                lock.wanted = None;
                lock.is_orphan = false;
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
            Change::Released { client } => {
                lock.holders.retain(|(_, holder)| holder.client != *client);
                if *client == 0 {
                    lock.reliers.clear();
                }
            }
            Change::Relied { holder } => {
                lock.reliers.retain(|other| other.client != holder.client);
                lock.reliers.push(holder.clone());
            }
            Change::LetGo { client } => lock.reliers.retain(|holder| holder.client != *client),
            Change::Forgotten => *lock = RememberedLock::default(),
        }
        if lock.wanted.is_none() && lock.holders.is_empty() && lock.reliers.is_empty() {
            self.locks.remove(&record.resource);
        }
    }

    /// Makes of it what an earlier life has left behind.
    #[must_use]
    pub fn into_orphans(mut self) -> Self {
        self.locks.values_mut().for_each(|lock| lock.is_orphan = true);
        self
    }

    /// Returns everybody who is remembered.
    pub fn everybody(&self) -> impl Iterator<Item = &HolderRecord> {
        self.locks.values().flat_map(RememberedLock::everybody)
    }

    /// Returns everybody who is remembered for a lock.
    pub fn everybody_of(&self, resource: &Resource) -> impl Iterator<Item = &HolderRecord> {
        self.locks.get(resource).into_iter().flat_map(RememberedLock::everybody)
    }

    /// Returns the locks, ordered by resource.
    pub fn locks(&self) -> impl Iterator<Item = (&Resource, &RememberedLock)> {
        self.locks.iter()
    }
}

mod resource_name {
    use serde::de::Error as _;

    use super::{Deserialize, Deserializer, Resource, Serializer};

    pub(super) fn serialize<S: Serializer>(resource: &Resource, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(resource.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Resource, D::Error> {
        let name = String::deserialize(from)?;
        Resource::from_name(&name).ok_or_else(|| D::Error::custom(format!("no lock is named {name:?}")))
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
