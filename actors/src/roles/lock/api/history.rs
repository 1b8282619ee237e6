//! What has happened to lockspaces and their locks, as it is told.

use lvmwarden_protocol::api::lock::{Error, HistoryEntry, HistoryReply};
use lvmwarden_protocol::ids::VgName;

use crate::foundation::api::outgoing::{PAGE_ITEMS, json_bytes, page};
use crate::foundation::facts::keeping::FactStep;
use crate::foundation::store::history::place::Place;
use crate::foundation::store::history::teller::Teller;
use crate::roles::lock::directory::{PREFIX, lockspace_of};
use crate::roles::lock::global::GLOBAL_LOCKSPACE;

/// Looks at the latest steps of those before a place, of one VG or of all, of which as many are told as fit.
pub(super) async fn latest(
    teller: Teller,
    vg: Option<&VgName>,
    limit: Option<u32>,
    before: Option<Place>,
) -> Result<impl FnOnce() -> HistoryReply + Send + 'static, Error> {
    let limit = limit.and_then(|limit| usize::try_from(limit).ok());
    let at_most = limit.map_or(PAGE_ITEMS, |limit| limit.min(PAGE_ITEMS));
    let steps = teller.facts(vg.map(lockspace_of), at_most + 1, before).await.map_err(|_| Error::Busy)?;
    Ok(move || {
        let newest = steps.iter().rev().take(at_most).cloned().map(entry);
        let (mut entries, _is_cut) = page(newest, json_bytes);
        entries.reverse();
        let (older, told) = steps.split_at(steps.len() - entries.len());
        let next = Place::before(told, before).filter(|_| !older.is_empty());
        HistoryReply { entries, next_page: next.map(|place| place.to_string()) }
    })
}

fn entry(FactStep { at, subject, kind, fields }: FactStep) -> HistoryEntry {
    let vg = subject.strip_prefix(PREFIX).filter(|_| subject != GLOBAL_LOCKSPACE);
    let vgname = vg.and_then(|vg| VgName::try_from(vg).ok());
    HistoryEntry { time: format!("{at:.3}"), vgname, lockspace: subject, kind, fields }
}
