//! `poll list` and `poll show`, and the table with which `watch` and `wait` end.

use lvmwarden_protocol::api::poll::{List, Operation, Show};
use uuid::Uuid;

use crate::cli::failure::Failure;
use crate::cli::operation::{copied, copy_speed, id_length, kind, lv, percent, short_id, short_state, state};
use crate::cli::screen::{BOLD, Clock, Screen};
use crate::cli::selection;
use crate::cli::table::{Cell, Table};

/// Lists all operations.
pub(super) fn list(screen: &mut Screen) -> Result<(), Failure> {
    let answer = screen.connect()?.call(&List {})?;
    let clock = screen.clock();
    screen.answer(&answer, |reply| table(&reply.operations, &clock))
}

/// Shows all about some operations.
pub(super) fn show(screen: &mut Screen, texts: &[String]) -> Result<(), Failure> {
    let mut client = screen.connect()?;
    let clock = screen.clock();
    for (index, operation) in selection::find(&mut client, texts)?.iter().enumerate() {
        let answer = client.call(&Show { id: operation.id }).map_err(|error| error.about(lv(operation)))?;
        if index > 0 && !screen.json {
            screen.print("\n")?;
        }
        screen.answer(&answer, |reply| details(&reply.operation, &clock))?;
    }
    Ok(())
}

/// Returns operations as a table.
pub(super) fn table(operations: &[Operation], clock: &Clock) -> String {
    if operations.is_empty() {
        return "no operation is in progress\n".to_owned();
    }
    let ids: Vec<Uuid> = operations.iter().map(|operation| operation.id).collect();
    let id_length = id_length(&ids);
    let mut table = Table::with_heading(["ID", "LV", "KIND", "STATE", "DONE", "PID", "STARTS", "SINCE"]);
    for operation in operations {
        let (state, style) = short_state(operation);
        table.row([
            Cell::new(short_id(operation.id, id_length)),
            lv(operation).into(),
            kind(operation.kind, operation.abort).into(),
            Cell::new(state).style(style),
            Cell::number(percent(operation)),
            Cell::number(operation.pid.map_or_else(String::new, |pid| pid.to_string())),
            Cell::number(operation.attempt.to_string()),
            clock.time(&operation.started_at).into(),
        ]);
    }
    table.lines("")
}

fn details(operation: &Operation, clock: &Clock) -> String {
    let (state, style) = state(operation);
    let age = clock.age(&operation.started_at).map_or_else(String::new, |age| format!(" ({age} ago)"));
    let mut table = Table::default();
    for (name, value) in [
        ("id", Cell::new(operation.id.to_string())),
        ("LV", lv(operation).into()),
        ("lvid", Cell::new(operation.lvid.as_str())),
        ("kind", kind(operation.kind, operation.abort).into()),
        ("state", Cell::new(state).style(style)),
        ("done", percent(operation).into()),
        ("copied", copied(operation).into()),
        ("speed", copy_speed(operation).unwrap_or_default().into()),
        ("lvpoll", operation.pid.map_or_else(String::new, |pid| format!("pid {pid}")).into()),
        ("starts", operation.attempt.to_string().into()),
        ("since", format!("{}{age}", clock.time(&operation.started_at)).into()),
        ("asked by", operation.asked_by.as_deref().unwrap_or_default().into()),
        ("requests", operation.init_requests.to_string().into()),
        ("sysdir", operation.sysdir.as_ref().map_or("", |sysdir| sysdir.as_str()).into()),
    ] {
        if !value.is_empty() {
            table.row([Cell::new(name).style(BOLD), value]);
        }
    }
    if let Some(outcome) = &operation.outcome {
        let remedy = outcome.remedy.as_deref().map(|remedy| ("remedy", remedy));
        let said = outcome.last_lines.iter().map(|line| ("lvpoll said", line.as_str()));
        for (name, words) in remedy.into_iter().chain(said) {
            table.row([Cell::new(name).style(BOLD), Cell::new(words)]);
        }
    }
    table.lines("")
}

#[cfg(test)]
mod tests;
