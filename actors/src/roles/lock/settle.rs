//! Locks of an earlier life that an administrator has taken over or given back.

use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::lock::ResultCode;
use tokio::time::timeout;

use super::askers::may_live;
use super::directory::{Directory, Question};
use super::lock_manager::{Leftover, Resource};
use super::recovery::is_active;
use crate::roles::lock::lockspace::ask::{Ask, Client};
use crate::roles::lock::lockspace::event::Spec;

/// How long one lockspace may take to ask its lock manager.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

/// What is to become of locks of an earlier life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// They are taken over.
    Kept,
    /// They are given back, if nobody uses them.
    GivenBackUnused,
    /// They are given back, whoever uses them.
    GivenBack,
}

/// Returns what the lock manager has for an earlier life; `None` when it does not tell.
pub async fn leftovers(directory: &Directory, lockspace: &str) -> Option<Vec<Leftover>> {
    let asking = directory.ask(lockspace, question(directory).with(Ask::Orphans));
    timeout(ANSWER_DEADLINE, asking).await.ok().flatten()?.orphans
}

/// Does with one lock, or with those of all LVs, what somebody has decided.
///
/// # Errors
/// In words, who uses one of them, or may: nothing has changed.
pub async fn settle(
    directory: &Directory,
    lockspace: &str,
    which: Option<Resource>,
    fate: Fate,
) -> Result<ResultCode, String> {
    if fate == Fate::GivenBackUnused
        && let Some(reason) = in_the_way(directory, lockspace, which.as_ref()).await
    {
        return Err(reason);
    }
    let ask = question(directory).with(Ask::Settle { which, keep: fate == Fate::Kept });
    let answer = directory.ask(lockspace, ask).await;
    Ok(answer.map_or(ResultCode::NO_LOCKSPACE, |answer| answer.code))
}

async fn in_the_way(directory: &Directory, lockspace: &str, which: Option<&Resource>) -> Option<String> {
    let Some(picture) = directory.describe_one(lockspace).await else {
        return Some("its lockspace does not answer in time, or has just gone".to_owned());
    };
    let is_meant = |resource: &Resource| match which {
        Some(wanted) => wanted == resource,
        None => matches!(resource, Resource::Lv(_)),
    };
    let Some(leftovers) = leftovers(directory, lockspace).await else {
        return Some("the lock manager does not tell which locks it has for an earlier daemon".to_owned());
    };
    let meant: Vec<_> = leftovers.into_iter().map(|one| one.resource).filter(is_meant).collect();
    who_uses(directory, &picture.spec, &meant).await
}

/// Returns in words who uses one of these locks, or may. Whoever is not remembered cannot be looked for.
async fn who_uses(directory: &Directory, spec: &Spec, resources: &[Resource]) -> Option<String> {
    let environment = directory.environment();
    let active = environment.devices.active_lvs().await;
    let book = environment.book.open();
    let remembered = book.get(&spec.name).map(|booked| &booked.locks);
    resources.iter().find_map(|resource| {
        if let Resource::Lv(lv) = resource {
            match &active {
                Some(active) if is_active(active, spec.vg_uuid, resource) => {
                    return Some(format!("LV {lv} is active on this host"));
                }
                Some(_) => {}
                None => return Some(format!("it cannot be told now whether LV {lv} is active on this host")),
            }
        }
        let asker = remembered?.everybody_of(resource).find(|holder| may_live(holder))?;
        Some(format!("process {} ({}), which has asked for the lock, lives", asker.pid, asker.name))
    })
}

fn question(directory: &Directory) -> Question {
    let client = Arc::new(Client::of_this_daemon("lvmwarden"));
    Question { ticket: directory.environment().tickets.next(), client, lock_type: None }
}
