//! Which operations the user means: by an id, the beginning of one, or the names of VG and LV.

use lvmwarden_protocol::api::poll::{HistoryEntry, List, Operation};
use uuid::Uuid;

use super::arguments;
use super::client::Client;
use super::failure::Failure;
use super::operation::{kind, lv};

/// Returns the operations that `texts` name, in their order, none of them twice.
///
/// # Errors
/// A text that names none, or the beginning of several ids.
pub(super) fn find(client: &mut Client, texts: &[String]) -> Result<Vec<Operation>, Failure> {
    let known = client.call_all(&List::default())?.reply.operations;
    let mut found: Vec<Operation> = Vec::new();
    for text in texts {
        for operation in choose(&known, text)? {
            if found.iter().all(|earlier| earlier.id != operation.id) {
                found.push(operation.clone());
            }
        }
    }
    Ok(found)
}

/// Returns the operations that `text` names: one by its id, or all of an LV.
pub(super) fn choose<'o>(known: &'o [Operation], text: &str) -> Result<Vec<&'o Operation>, Failure> {
    if let Ok(id) = Uuid::try_parse(text) {
        let found: Vec<_> = known.iter().filter(|operation| operation.id == id).collect();
        return if found.is_empty() { Err(unknown(text)) } else { Ok(found) };
    }
    if text.contains('/') {
        let named = arguments::lv(text).map_err(|_| unknown(text))?.to_string();
        let found: Vec<_> = known.iter().filter(|operation| lv(operation) == named).collect();
        return if found.is_empty() { Err(unknown(text)) } else { Ok(found) };
    }
    let beginning = text.to_ascii_lowercase();
    let is_meant =
        |operation: &&Operation| !text.is_empty() && operation.id.to_string().starts_with(&beginning);
    let found: Vec<_> = known.iter().filter(is_meant).collect();
    match found.as_slice() {
        [] => Err(unknown(text)),
        [_] => Ok(found),
        several => Err(ambiguous(text, several)),
    }
}

/// Returns the operation that `text` names among those that something has happened to: one by its id, the latest of an LV.
pub(super) fn of_the_past(entries: &[HistoryEntry], text: &str) -> Option<Uuid> {
    let latest = |is_meant: &dyn Fn(&HistoryEntry) -> bool| {
        entries.iter().rev().find(|entry| is_meant(entry)).map(|entry| entry.id)
    };
    if let Ok(id) = Uuid::try_parse(text) {
        return Some(id);
    }
    if let Ok(named) = arguments::lv(text) {
        return latest(&|entry| entry.vgname == named.vgname && entry.lvname == named.lvname);
    }
    let beginning = text.to_ascii_lowercase();
    let found = latest(&|entry| !text.is_empty() && entry.id.to_string().starts_with(&beginning))?;
    let is_another = |entry: &HistoryEntry| entry.id != found && entry.id.to_string().starts_with(&beginning);
    (!entries.iter().any(is_another)).then_some(found)
}

fn unknown(text: &str) -> Failure {
    Failure::new(format!("there is no operation {text:?}, or not any more"))
        .advise("see those that there are: lvmwarden poll list; and were: lvmwarden poll history")
}

fn ambiguous(text: &str, several: &[&Operation]) -> Failure {
    let names = several.iter().map(|operation| {
        format!("{} ({} of {})", operation.id, kind(operation.kind, operation.abort), lv(operation))
    });
    Failure::new(format!("{text:?} may be any of {} operations", several.len()))
        .advise(format!("say more of the id: {}", names.collect::<Vec<_>>().join(", ")))
}

#[cfg(test)]
mod tests;
