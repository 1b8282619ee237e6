//! Who has asked an earlier life of the daemon for locks: who lives, and when they end.
//!
//! A command does not connect again when the daemon is gone. Whoever lives is a client without a connection from then on,
//! by the number it had, until its process ends.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use lvmwarden_supervisor::process::{PeerWatch, ProcessIdentity};

use super::directory::Directory;
use crate::roles::lock::lockspace::ask::{Client, ClientId};
use crate::roles::lock::lockspace::orphan::Asker;
use crate::roles::lock::lockspace::record::{HolderRecord, Remembered};

/// What has become of everybody who is remembered.
#[derive(Debug, Default)]
pub(super) struct Askers(HashMap<Key, Asker>);

/// A number of a client, its pid, and which process that is.
type Key = (u32, u32, Option<ProcessIdentity>);

impl Askers {
    /// Looks what has become of everybody; whoever lives is watched from now on.
    pub(super) fn find(directory: &Directory, remembered: &Remembered) -> Self {
        let mut askers = Self::default();
        for holder in remembered.everybody() {
            if let Entry::Vacant(vacant) = askers.0.entry(key(holder)) {
                vacant.insert(find_one(directory, holder));
            }
        }
        askers
    }

    /// Returns what has become of whoever is remembered so.
    pub(super) fn of(&self, holder: &HolderRecord) -> Asker {
        self.0.get(&key(holder)).copied().unwrap_or(Asker::Unknown)
    }
}

fn key(holder: &HolderRecord) -> Key {
    (holder.client, holder.pid, holder.process.clone())
}

/// Returns which process is remembered, or what has become of it.
fn identity_of(holder: &HolderRecord) -> Result<ProcessIdentity, Asker> {
    match &holder.process {
        Some(identity) => Ok(identity.clone()),
        None if holder.is_nobodys() => Err(Asker::Unknown),
        // A record of an earlier version: whoever has the pid now may be the one.
        None => ProcessIdentity::of(holder.pid).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Asker::Gone,
            _untold => Asker::Unknown,
        }),
    }
}

/// Returns whether a process that is remembered lives, or may.
pub(super) fn may_live(holder: &HolderRecord) -> bool {
    match identity_of(holder) {
        Ok(identity) => !matches!(PeerWatch::begin(&identity), Ok(None)),
        Err(asker) => asker != Asker::Gone && !holder.is_nobodys(),
    }
}

fn find_one(directory: &Directory, holder: &HolderRecord) -> Asker {
    let identity = match identity_of(holder) {
        Ok(identity) => identity,
        Err(asker) => return asker,
    };
    let clients = &directory.environment().clients;
    let known = match holder.client {
        0 => clients.of_process(&identity),
        client => clients.get(ClientId(client)).filter(|known| known.process.as_ref() == Some(&identity)),
    };
    if let Some(known) = known {
        return Asker::Lives(known.id);
    }
    match PeerWatch::begin(&identity) {
        Ok(Some(process)) => Asker::Lives(watch(directory, holder, identity, process)),
        Ok(None) => Asker::Gone,
        Err(_untold) => Asker::Unknown,
    }
}

/// Makes a client of it, which leaves when the process ends.
fn watch(
    directory: &Directory,
    holder: &HolderRecord,
    identity: ProcessIdentity,
    process: PeerWatch,
) -> ClientId {
    let clients = &directory.environment().clients;
    let client = match holder.client {
        0 => {
            let id = clients.enter(holder.pid, Some(identity)).id;
            clients.name(id, &holder.name);
            id
        }
        id => {
            let (id, name) = (ClientId(id), Arc::clone(&holder.name));
            clients.enter_again(Arc::new(Client { id, pid: holder.pid, process: Some(identity), name }));
            id
        }
    };
    let directory = directory.clone();
    // Of its own: no actor's crash may make it forgotten.
    actix_rt::spawn(async move {
        process.ended().await;
        directory.environment().clients.leave(client);
        let lockspaces: Vec<Arc<str>> = directory.lockspaces().into_iter().map(Arc::from).collect();
        directory.client_left(client, &lockspaces);
    });
    client
}
