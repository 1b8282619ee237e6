//! Lockspaces, locks and waiters in one order, of which each page is a part.
//!
//! A place in it is a lockspace, a lock of it, and how many were told of that: `LOCKSPACE/LOCK/COUNT`. The order is that of
//! names, so that what was there all the while is told once, whatever comes and goes meanwhile.

use std::fmt;
use std::str::FromStr;

use lvmwarden_protocol::api::lock::{Lock, Lockspace, Waiter};
use serde::Serialize;

use super::{held, lockspace, unreleased, waiting};
use crate::foundation::moment::Moment;
use crate::roles::lock::lock_manager::Resource;
use crate::roles::lock::lockspace::picture::{LockspacePicture, ResourcePicture};

/// What may be listed.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(super) enum Thing {
    Lockspace(Box<Lockspace>),
    Lock(Box<Lock>),
    Waiter(Box<Waiter>),
}

/// What is wanted of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Lockspaces,
    Locks,
    Waiters,
    Everything,
}

/// Where a thing stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) lockspace: String,
    /// Empty for the lockspace itself.
    lock: String,
    count: usize,
}

/// A text that is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let mut parts = text.rsplitn(3, '/');
        let (Some(count), Some(lock), Some(lockspace)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoPlace);
        };
        let count = count.parse().map_err(|_| NoPlace)?;
        Ok(Self { lockspace: lockspace.to_owned(), lock: lock.to_owned(), count })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.lockspace, self.lock, self.count)
    }
}

impl Thing {
    /// Returns it without what goes on by itself: times.
    pub(super) fn lasting(mut self) -> Self {
        match &mut self {
            Self::Lockspace(lockspace) => lockspace.lease = None,
            Self::Lock(lock) => lock.held_ms = None,
            Self::Waiter(waiter) => (waiter.waited_ms, waiter.retry_in_ms) = (0, None),
        }
        self
    }
}

/// Returns what is wanted of a lockspace, behind `after`, in its order.
pub(super) fn things<'p>(
    picture: &'p LockspacePicture,
    wanted: Wanted,
    after: Option<&'p Place>,
    now: Moment,
) -> impl Iterator<Item = (Place, Thing)> + 'p {
    let is_wanted = move |kind| wanted == kind || wanted == Wanted::Everything;
    let itself = is_wanted(Wanted::Lockspaces)
        .then(|| (String::new(), vec![Thing::Lockspace(Box::new(lockspace(picture, now)))]));
    let begins_behind = move |lock: &str| after.is_none_or(|after| *after.lock <= *lock);
    let locks = picture.resources.iter().map(|lock| (key(&lock.resource), lock));
    let locks = locks.filter(move |(key, _)| begins_behind(key)).map(move |(key, lock)| {
        let mut of_it = Vec::new();
        if is_wanted(Wanted::Locks) {
            of_it.extend(locks_of(picture, lock, now).map(|lock| Thing::Lock(Box::new(lock))));
        }
        if is_wanted(Wanted::Waiters) {
            let waiters = lock.waiters.iter().map(|asked| waiting(picture, lock, asked, now));
            of_it.extend(waiters.map(|waiter| Thing::Waiter(Box::new(waiter))));
        }
        (key, of_it)
    });
    let placed = move |(lock, things): (String, Vec<Thing>)| {
        let place =
            move |count| Place { lockspace: picture.spec.name.to_string(), lock: lock.clone(), count };
        (1..).zip(things).map(move |(count, thing)| (place(count), thing))
    };
    let placed = itself.into_iter().chain(locks).flat_map(placed);
    placed.filter(move |(place, _)| after.is_none_or(|after| place > after))
}

fn locks_of<'p>(
    picture: &'p LockspacePicture,
    lock: &'p ResourcePicture,
    now: Moment,
) -> impl Iterator<Item = Lock> + 'p {
    let held = lock.holders.iter().map(move |holder| held(picture, lock, holder, now));
    held.chain(unreleased(picture, lock, now))
}

/// Names a lock within its lockspace such that names are in the order of a picture: the global lock, the VG's, then LVs.
fn key(lock: &Resource) -> String {
    match lock {
        Resource::Global => "0".to_owned(),
        Resource::Vg => "1".to_owned(),
        Resource::Lv(uuid) => format!("2{uuid}"),
    }
}
