//! An operation in words.

use anstyle::Style;
use indicatif::HumanBytes;
use lvmwarden_protocol::api::poll::{
    CopyProgress, Hold, HoldKind, Operation, OperationState, Outcome, OutcomeKind,
};
use lvmwarden_protocol::poll::PollOperation;
use uuid::Uuid;

use super::exit::Exit;
use super::screen::{BAD, Clock, DIM, GOOD, ODD, USUAL, duration};

/// How many characters a bar has.
const BAR_WIDTH: usize = 20;

/// Returns the names of VG and LV.
pub(super) fn lv(operation: &Operation) -> String {
    format!("{}/{}", operation.vgname, operation.lvname)
}

/// Returns what is polled.
pub(super) fn kind(kind: PollOperation, abort: bool) -> String {
    if abort { format!("{kind} abort") } else { kind.to_string() }
}

/// Returns how far an operation is, or how it ended and why, with the style for it.
pub(super) fn state(operation: &Operation) -> (String, Style) {
    operation.outcome.as_ref().map_or_else(|| short_state(operation), outcome)
}

/// Returns how far an operation is, or how it ended, in a word or two, with the style for it.
pub(super) fn short_state(operation: &Operation) -> (String, Style) {
    if let Some(outcome) = &operation.outcome {
        let (word, style) = outcome_word(outcome.kind);
        return (word.to_owned(), style);
    }
    if let Some(hold) = &operation.hold {
        return (hold_words(hold), ODD);
    }
    if operation.blocked.is_some() {
        return ("blocked".to_owned(), BAD);
    }
    let (word, style) = match operation.state {
        OperationState::Copying if operation.paused => ("pausing", ODD),
        OperationState::Held => ("held", ODD),
        OperationState::Running if operation.silent => ("silent", ODD),
        OperationState::Running => ("running", USUAL),
        OperationState::Copying => ("copying", USUAL),
        OperationState::Intended => ("intended", DIM),
        OperationState::Starting => ("starting", DIM),
        OperationState::Adopting => ("adopting", ODD),
        OperationState::Judging => ("judging", DIM),
        OperationState::BackingOff => ("backing off", ODD),
        OperationState::Storing => ("storing", DIM),
        OperationState::Terminating => ("terminating", ODD),
        OperationState::Ended => ("ended", DIM),
    };
    (word.to_owned(), style)
}

/// Returns for what lvpoll waits in the kernel, and since when; nothing where it does not.
pub(super) fn blocked(operation: &Operation, clock: &Clock) -> String {
    operation.blocked.as_ref().map_or_else(String::new, |blocked| {
        let at = blocked.wait_point.as_deref().unwrap_or("the kernel");
        let device = blocked.device.as_deref().map_or_else(String::new, |device| format!(" for {device}"));
        format!("lvpoll waits in {at}{device} since {}", clock.time(&blocked.since))
    })
}

fn hold_words(hold: &Hold) -> String {
    match (hold.kind, &hold.until) {
        (HoldKind::Paused, _) => "paused".to_owned(),
        (HoldKind::VgLimit, _) => "waits for its VG".to_owned(),
        (HoldKind::PvLimit, _) => "waits for its PV".to_owned(),
        (HoldKind::Window, Some(until)) => format!("waits until {until}"),
        (HoldKind::Window, None) => "waits for its time".to_owned(),
    }
}

/// Returns how an operation ended and why, with the style for it.
pub(super) fn outcome(outcome: &Outcome) -> (String, Style) {
    let (word, style) = outcome_word(outcome.kind);
    let words = outcome.cause.as_ref().map_or_else(|| word.to_owned(), |cause| format!("{word}: {cause}"));
    (words, style)
}

fn outcome_word(kind: OutcomeKind) -> (&'static str, Style) {
    match kind {
        OutcomeKind::Done => ("done", GOOD),
        OutcomeKind::DoneWithErrors => ("done, with errors", BAD),
        OutcomeKind::Aborted => ("aborted", USUAL),
        OutcomeKind::NothingToDo => ("nothing to do", USUAL),
        OutcomeKind::Invalid => ("invalid", BAD),
        OutcomeKind::Interrupted => ("interrupted", ODD),
        OutcomeKind::Failed => ("failed", BAD),
        OutcomeKind::Lost => ("lost", BAD),
    }
}

/// Returns the exit code that fits the ends of operations.
pub(super) fn exit<'o>(operations: impl IntoIterator<Item = &'o Operation>) -> Exit {
    let is_well =
        |operation: &Operation| operation.outcome.as_ref().is_some_and(|outcome| outcome.kind.is_well());
    if operations.into_iter().all(is_well) { Exit::Done } else { Exit::Failed }
}

/// Returns the share done, such as `41.3 %`; nothing when it is not known.
pub(super) fn percent(operation: &Operation) -> String {
    percent_of(operation.percent)
}

/// Returns a share, such as `41.3 %`; nothing when it is not known.
pub(super) fn percent_of(percent: Option<f64>) -> String {
    percent.map_or_else(String::new, |percent| format!("{percent:.1} %"))
}

/// Returns the share done in thousandths, 0 to 1000; 0 when it is not known.
pub(super) fn per_mille(operation: &Operation) -> u16 {
    per_mille_of(operation.percent)
}

/// Returns a share in thousandths, 0 to 1000; 0 when it is not known.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is between 0 and 1000")]
pub(super) fn per_mille_of(percent: Option<f64>) -> u16 {
    (percent.unwrap_or(0.0).clamp(0.0, 100.0) * 10.0) as u16
}

/// Returns the share done as a bar; nothing when it is not known.
pub(super) fn bar(operation: &Operation) -> String {
    bar_of(operation.percent)
}

/// Returns a share as a bar; nothing when it is not known.
pub(super) fn bar_of(percent: Option<f64>) -> String {
    if percent.is_none() {
        return String::new();
    }
    let full = usize::from(per_mille_of(percent)) * BAR_WIDTH / 1000;
    format!("{}{}", "█".repeat(full), "░".repeat(BAR_WIDTH - full))
}

/// Returns how fast the kernel copies and for how long it will; `None` where that is not looked at, or not known yet.
pub(super) fn copy_speed(operation: &Operation) -> Option<String> {
    speed(&operation.copy.filter(|_| operation.outcome.is_none())?)
}

/// Returns how fast the kernel copies and for how long it will; `None` where that is not known yet.
pub(super) fn speed(copy: &CopyProgress) -> Option<String> {
    let rate = format!("{}/s", HumanBytes(copy.bytes_per_second?));
    #[expect(clippy::cast_precision_loss, reason = "seconds are rounded anyway")]
    Some(match copy.left_seconds {
        Some(left) => format!("{rate}, {} left", duration(left as f64)),
        None => rate,
    })
}

/// Returns how much the kernel has copied; nothing where that is not looked at.
pub(super) fn copied(operation: &Operation) -> String {
    operation.copy.map_or_else(String::new, |copy| {
        let (done, total) = (HumanBytes(copy.done_bytes), HumanBytes(copy.total_bytes));
        format!("{done} of {total}, in segment {} of {}", copy.segment, copy.segments)
    })
}

/// Returns how many characters of an id are needed to tell these apart, at least 8.
pub(super) fn id_length(ids: &[Uuid]) -> usize {
    let mut texts: Vec<_> = ids.iter().map(Uuid::to_string).collect();
    texts.sort_unstable();
    texts.dedup();
    let common = |pair: &[String]| pair[0].bytes().zip(pair[1].bytes()).take_while(|(a, b)| a == b).count();
    texts.windows(2).map(|pair| common(pair) + 1).max().unwrap_or(0).max(8)
}

/// Returns the beginning of an id that [`id_length`] says to be enough.
pub(super) fn short_id(id: Uuid, length: usize) -> String {
    id.to_string().chars().take(length).collect()
}

#[cfg(test)]
mod tests;
