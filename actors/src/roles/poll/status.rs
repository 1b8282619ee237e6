//! What runs, in one line for `systemctl status`.

use crate::roles::poll::operation::messages::Description;
use lvmwarden_protocol::api::poll::OperationState;

/// How many operations are named.
const NAMED: usize = 3;

/// Returns the operations in words, those named first that began first.
///
/// ```text
/// nothing to poll
/// polling pvmove vg0/pvmove0 45%
/// polling pvmove vg0/pvmove0 45%, merge vg1/root, pvmove (abort) vg2/pvmove1, and 2 more
/// ```
pub(super) fn in_words(operations: &[Description]) -> String {
    let is_active = |operation: &&Description| operation.state != OperationState::Ended;
    let mut active: Vec<_> = operations.iter().filter(is_active).collect();
    if active.is_empty() {
        return "nothing to poll".to_owned();
    }
    active.sort_by_key(|operation| operation.started_at);
    let mut words: Vec<_> = active.iter().take(NAMED).map(|operation| one_in_words(operation)).collect();
    if active.len() > NAMED {
        words.push(format!("and {} more", active.len() - NAMED));
    }
    format!("polling {}", words.join(", "))
}

fn one_in_words(operation: &Description) -> String {
    let request = &operation.request;
    let kind = request.kind.as_str();
    let abort = if request.abort { " (abort)" } else { "" };
    let percent = operation.percent.map(|percent| format!(" {percent:.0}%")).unwrap_or_default();
    format!("{kind}{abort} {}/{}{percent}", request.vgname, request.lvname)
}

#[cfg(test)]
mod tests;
