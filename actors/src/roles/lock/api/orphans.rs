//! Locks that the lock managers have for an earlier daemon of this host.

use lvmwarden_protocol::api::Done;
use lvmwarden_protocol::api::lock::{Error, Kind, Orphan};
use lvmwarden_protocol::ids::VgName;
use lvmwarden_protocol::lock::{LockMode, ResultCode};

use super::kind;
use crate::foundation::facts::occurrence::Occurrence;
use crate::roles::lock::directory::{Directory, lockspace_of};
use crate::roles::lock::lock_manager::{Leftover, Resource};
use crate::roles::lock::lockspace::book::Booked;
use crate::roles::lock::lockspace::picture::LockspacePicture;
use crate::roles::lock::lockspace::record::HolderRecord;
use crate::roles::lock::settle::{self, Fate, leftovers};

/// Lists those of lockspaces that are started, and what is remembered of those that could not be taken over.
pub(super) async fn list(directory: &Directory, vg: Option<&VgName>) -> Vec<Orphan> {
    let mut orphans = Vec::new();
    for picture in directory.describe().await {
        if vg.is_none() || picture.spec.vg.as_ref() == vg {
            let leftovers = leftovers(directory, &picture.spec.name).await.unwrap_or_default();
            orphans.extend(leftovers.into_iter().map(|leftover| found(directory, &picture, leftover)));
        }
    }
    let environment = directory.environment();
    for booked in environment.unsettled.all(&environment.book) {
        if vg.is_none() || booked.started.vg.as_ref() == vg {
            orphans.extend(remembered(&booked));
        }
    }
    orphans
}

fn found(directory: &Directory, picture: &LockspacePicture, leftover: Leftover) -> Orphan {
    let Leftover { resource, mode, .. } = leftover;
    let book = directory.environment().book.open();
    let locks = book.get(&picture.spec.name).into_iter().flat_map(|booked| booked.locks.locks());
    let mut known = locks.filter(|(known, _)| **known == resource);
    let holder = known.find_map(|(_, lock)| lock.holders.iter().chain(&lock.wanted).next());
    let of_table = picture.resources.iter().find(|one| one.resource == resource);
    let problem = of_table.and_then(|one| one.unadopted.as_ref()).map(ToString::to_string);
    let unknown = "nobody knows who may rely on it";
    orphan(
        (&picture.spec.name, picture.spec.vg.as_ref()),
        &resource,
        mode,
        holder.map(|(_, holder)| holder),
        problem.unwrap_or_else(|| unknown.to_owned()),
    )
}

fn remembered(booked: &Booked) -> Vec<Orphan> {
    let place = (booked.started.lockspace.as_str(), booked.started.vg.as_ref());
    let problem = "its lockspace could not be taken over yet; that is tried again";
    let of_lock = |(resource, lock): (&Resource, &crate::roles::lock::lockspace::record::RememberedLock)| {
        let (mode, holder) = lock.holders.iter().chain(&lock.wanted).next()?;
        Some(orphan(place, resource, *mode, Some(holder), problem.to_owned()))
    };
    booked.locks.locks().filter_map(of_lock).collect()
}

fn orphan(
    (lockspace, vg): (&str, Option<&VgName>),
    resource: &Resource,
    mode: LockMode,
    holder: Option<&HolderRecord>,
    problem: String,
) -> Orphan {
    let (kind, lv_uuid): (Kind, _) = kind(resource);
    Orphan {
        lockspace: lockspace.to_owned(),
        vgname: vg.cloned(),
        kind,
        lv_uuid,
        mode,
        pid: holder.map(|holder| holder.pid).filter(|pid| *pid != 0),
        command: holder.map(|holder| holder.name.to_string()).filter(|name| !name.is_empty()),
        problem,
    }
}

/// Has locks taken over or given back, as somebody has decided.
pub(super) async fn settle(
    directory: &Directory,
    vgname: VgName,
    lock: Option<String>,
    fate: Fate,
    uid: u32,
) -> Result<Done, Error> {
    let refused = |vgname, code: ResultCode, reason: &str| {
        Err(Error::Refused { vgname, code: code.0, reason: reason.to_owned() })
    };
    let lockspace = lockspace_of(&vgname);
    if !directory.lockspaces().contains(&lockspace) {
        return Err(Error::NotStarted { vgname });
    }
    let none_such = "there is no such lock of an earlier daemon";
    let which = match lock.as_deref().map(Resource::from_name) {
        None => None,
        Some(Some(which)) => Some(which),
        Some(None) => return refused(vgname, ResultCode::NOT_FOUND, none_such),
    };
    let code = match settle::settle(directory, &lockspace, which, fate).await {
        Ok(code) => code,
        Err(reason) => return refused(vgname, ResultCode::BUSY, &reason),
    };
    match code {
        ResultCode::OK => {
            let how = match fate {
                Fate::Kept => "taken over",
                Fate::GivenBackUnused => "given back",
                Fate::GivenBack => "given back by force",
            };
            let settled = Occurrence::LockSettled { lockspace: lockspace.into(), lock, how, uid };
            directory.environment().events.publish(&settled);
            Ok(Done {})
        }
        ResultCode::NO_LOCKSPACE => Err(Error::NotStarted { vgname }),
        code @ ResultCode::NOT_FOUND => refused(vgname, code, none_such),
        code @ ResultCode::INVALID => refused(vgname, code, "locks of LVs alone are taken over"),
        code => refused(vgname, code, "the lock manager, or its state, does not allow it"),
    }
}
