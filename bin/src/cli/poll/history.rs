//! `poll history`, and what `wait` and `watch` take from it: the end of an operation whose result somebody has collected.

use lvmwarden_protocol::api::poll::{
    History, HistoryEntry, HistoryStep, List, Operation, OperationState, Outcome, OutcomeKind, SegmentDone,
};
use uuid::Uuid;

use crate::cli::client::{Client, ClientError};
use crate::cli::failure::Failure;
use crate::cli::operation::{id_length, kind, outcome, short_id};
use crate::cli::screen::{BAD, Clock, DIM, ODD, Screen, USUAL};
use crate::cli::table::{Cell, Table};

/// How many entries are looked at where nobody says how many.
pub(super) const MOST: u32 = 10_000;

/// Shows it.
pub(super) fn run(screen: &mut Screen, limit: Option<u32>) -> Result<(), Failure> {
    let answer = screen.connect()?.call_all(&History { limit: limit.or(Some(MOST)), page: None })?;
    let clock = screen.clock();
    screen.answer(&answer, |reply| table(&reply.entries, &clock))
}

/// Fills in how operations ended that the daemon does not list any more, because somebody has collected the result.
pub(super) fn fill_in_ends<'o>(
    client: &mut Client,
    operations: impl IntoIterator<Item = &'o mut Operation>,
) -> Result<(), ClientError> {
    let listed = client.call_all(&List::default())?.reply.operations;
    let is_gone = |operation: &Operation| {
        operation.outcome.is_none() && listed.iter().all(|listed| listed.id != operation.id)
    };
    let gone: Vec<_> = operations.into_iter().filter(|operation| is_gone(operation)).collect();
    if gone.is_empty() {
        return Ok(());
    }
    let entries = client.call_all(&History { limit: Some(MOST), page: None })?.reply.entries;
    for operation in gone {
        let its = entries.iter().rev().filter(|entry| entry.id == operation.id);
        let outcome = its.cloned().find_map(|entry| entry.outcome);
        let cause = Some("the daemon does not know it any more".to_owned());
        let unknown = || Outcome { cause, ..Outcome::of(OutcomeKind::Lost) };
        operation.outcome = Some(outcome.unwrap_or_else(unknown));
        operation.state = OperationState::Ended;
    }
    Ok(())
}

fn table(entries: &[HistoryEntry], clock: &Clock) -> String {
    if entries.is_empty() {
        return "nothing has happened yet\n".to_owned();
    }
    let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
    let id_length = id_length(&ids);
    let mut table = Table::with_heading(["TIME", "ID", "LV", "KIND", "STEP", "PID", "START"]);
    for entry in entries {
        table.row([
            Cell::new(clock.time(&entry.time)).style(DIM),
            Cell::new(short_id(entry.id, id_length)),
            Cell::new(format!("{}/{}", entry.vgname, entry.lvname)),
            kind(entry.kind, entry.abort).into(),
            step(entry),
            Cell::number(entry.pid.map_or_else(String::new, |pid| pid.to_string())),
            Cell::number(entry.attempt.map_or_else(String::new, |attempt| attempt.to_string())),
        ]);
    }
    table.lines("")
}

/// Words a step for the table.
pub(super) fn step(entry: &HistoryEntry) -> Cell {
    if let Some(end) = &entry.outcome {
        let (words, style) = outcome(end);
        return Cell::new(words).style(style);
    }
    let (word, style) = match entry.step {
        HistoryStep::Intended => ("asked for", USUAL),
        HistoryStep::Started => ("lvpoll started", USUAL),
        HistoryStep::Adopted => ("lvpoll taken over", ODD),
        HistoryStep::Retried => ("lvpoll ended, will be started again", ODD),
        HistoryStep::Recovered => ("the daemon went on", ODD),
        HistoryStep::Segment => return entry.segment.as_ref().map_or("".into(), |done| segment(done).into()),
        HistoryStep::FellBack => ("lvpoll watches by itself", ODD),
        HistoryStep::Renewed => ("lvpoll looks elsewhere from now on", ODD),
        HistoryStep::CopyErrors => {
            return Cell::new(entry.why.clone().unwrap_or_else(|| "errors".to_owned())).style(BAD);
        }
        HistoryStep::Ended => ("ended", USUAL),
        HistoryStep::Paused => ("to pause at the end of a segment", ODD),
        HistoryStep::Resumed => ("to go on", USUAL),
        HistoryStep::AbortAsked => ("to be aborted", ODD),
        HistoryStep::Forgotten => ("result handed out, or expired", DIM),
        HistoryStep::HostRestarted => ("the host was restarted", BAD),
        HistoryStep::JournalLost => ("the daemon's journal was lost", BAD),
        HistoryStep::StepsMissing => ("steps are missing here", BAD),
    };
    Cell::new(word).style(style)
}

fn segment(done: &SegmentDone) -> String {
    format!("segment {} of {} copied", done.number, done.count)
}

#[cfg(test)]
mod tests;
