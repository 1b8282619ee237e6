//! `poll list` and `poll show`, and the table with which `watch` and `wait` end.

use std::collections::HashSet;

use lvmwarden_protocol::api::poll::{History, List, Operation, OperationStory, Outcome, Show, Story};
use uuid::Uuid;

use super::{foreign, history, story};
use crate::cli::client::{Client, ClientError};
use crate::cli::failure::Failure;
use crate::cli::operation::{
    blocked, copied, copy_speed, id_length, kind, lv, outcome, percent, short_id, short_state, state,
};
use crate::cli::screen::{BOLD, Clock, ODD, Screen, plain, styled};
use crate::cli::selection;
use crate::cli::table::{Cell, Table};

/// Lists all operations.
pub(super) fn list(screen: &mut Screen) -> Result<(), Failure> {
    let mut client = screen.connect()?;
    let answer = client.call_all(&List::default())?;
    let clock = screen.clock();
    screen.answer(&answer, |reply| table(&reply.operations, &clock))?;
    foreign::below(&mut client, screen)
}

/// Shows all about some operations, and what has happened to them; also to those that are over.
pub(super) fn show(screen: &mut Screen, texts: &[String]) -> Result<(), Failure> {
    let mut client = screen.connect()?;
    let clock = screen.clock();
    for (index, id) in ids(&mut client, texts)?.into_iter().enumerate() {
        let about = |error: ClientError| error.about(id);
        // One that has just been collected is told by its story alone.
        let shown = client.call(&Show { id }).ok();
        let told = client.call(&Story { id }).map_err(about)?;
        if screen.json {
            let operation = shown.and_then(|shown| shown.raw.get("operation").cloned());
            let story = told.raw.get("story");
            screen.print_json(&serde_json::json!({ "operation": operation, "story": story }))?;
            continue;
        }
        let story = told.reply.story;
        let facts = match shown {
            Some(shown) => details(&shown.reply.operation, &story, &clock),
            None => past(&story),
        };
        let between = if index > 0 { "\n" } else { "" };
        screen.print(&format!("{between}{facts}\n{}", story::narrative(&story, &clock)))?;
    }
    Ok(())
}

/// Returns the ids of the operations that `texts` name, in their order, none of them twice; where none is in progress,
/// the latest of those that are over.
fn ids(client: &mut Client, texts: &[String]) -> Result<Vec<Uuid>, Failure> {
    let known = client.call_all(&List::default())?.reply.operations;
    let mut ids = Vec::new();
    for text in texts {
        let found = match selection::choose(&known, text) {
            Ok(operations) => operations.into_iter().map(|operation| operation.id).collect(),
            Err(failure) => {
                let entries =
                    client.call_all(&History { limit: Some(history::MOST), page: None })?.reply.entries;
                vec![selection::of_the_past(&entries, text).ok_or(failure)?]
            }
        };
        ids.extend(found);
    }
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(*id));
    Ok(ids)
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
    table.lines("") + &operations.iter().filter_map(trouble).collect::<String>()
}

/// Returns what is wrong with an operation that did not end well, and what to do about it.
fn trouble(operation: &Operation) -> Option<String> {
    let outcome = operation.outcome.as_ref().filter(|outcome| !outcome.kind.is_well())?;
    let (words, style) = state(operation);
    let remedy = outcome.remedy.as_deref().map(|remedy| format!("  {}\n", plain(remedy)));
    let what = format!("{}: {}", plain(&lv(operation)), styled(&plain(&words), style));
    Some(format!("{what}\n{}", remedy.unwrap_or_default()))
}

fn details(operation: &Operation, story: &OperationStory, clock: &Clock) -> String {
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
        ("blocked", blocked(operation, clock).into()),
        ("lvpoll", operation.pid.map_or_else(String::new, |pid| format!("pid {pid}")).into()),
        ("starts", operation.attempt.to_string().into()),
        ("since", format!("{}{age}", clock.time(&operation.started_at)).into()),
        ("asked by", story::asked_by(operation.asked_by.as_deref(), story.uid).into()),
        ("requests", operation.init_requests.to_string().into()),
        ("sysdir", operation.sysdir.as_ref().map_or("", |sysdir| sysdir.as_str()).into()),
    ] {
        if !value.is_empty() {
            table.row([Cell::new(name).style(BOLD), value]);
        }
    }
    if let Some(outcome) = &operation.outcome {
        add_what_to_do(&mut table, outcome);
    }
    table.lines("")
}

fn add_what_to_do(table: &mut Table, outcome: &Outcome) {
    let remedy = outcome.remedy.as_deref().map(|remedy| ("remedy", remedy));
    let said = outcome.last_lines.iter().map(|line| ("lvpoll said", line.as_str()));
    for (name, words) in remedy.into_iter().chain(said) {
        table.row([Cell::new(name).style(BOLD), Cell::new(words)]);
    }
}

/// Returns what there is to say about an operation that is over and forgotten.
fn past(story: &OperationStory) -> String {
    let end = story.steps.iter().rev().find_map(|entry| entry.outcome.as_ref());
    let (state, style) = end.map_or_else(|| ("its end is not known".to_owned(), ODD), outcome);
    let mut table = Table::default();
    for (name, value) in [
        ("id", Cell::new(story.id.to_string())),
        ("LV", format!("{}/{}", story.vgname, story.lvname).into()),
        ("kind", kind(story.kind, story.abort).into()),
        ("state", Cell::new(state).style(style)),
        ("asked by", story::asked_by(story.asked_by.as_deref(), story.uid).into()),
    ] {
        if !value.is_empty() {
            table.row([Cell::new(name).style(BOLD), value]);
        }
    }
    if let Some(outcome) = end {
        add_what_to_do(&mut table, outcome);
    }
    table.lines("")
}

#[cfg(test)]
mod tests;
