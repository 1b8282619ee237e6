//! `lvmwarden events`: what happened, and what happens.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use lvmwarden_protocol::api::events::{Cursor, Event, Gap, GapCause, Recent, Subscribe, SubscribeReply};
use lvmwarden_protocol::api::poll::OutcomeKind;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as NoSuchWord;

use super::arguments;
use super::client::{Answer, Client, ClientError, PATIENCE};
use super::failure::Failure;
use super::follow::{self, Reader};
use super::screen::{BAD, Clock, DIM, GOOD, ODD, Screen, USUAL, styled};
use super::table::{Cell, Table};

/// The kind of the events that tell of progress.
pub(super) const PROGRESS: &str = "poll.progress";

/// Shows events.
pub(super) fn run(screen: &mut Screen, options: &arguments::Events) -> Result<(), Failure> {
    if options.follow || options.since.is_some() {
        return read_stream(screen, options);
    }
    let answer = screen.connect()?.call_all(&Recent { limit: options.limit, page: None })?;
    let clock = screen.clock();
    screen.answer(&answer, |reply| {
        let mut table = Table::default();
        for event in &reply.events {
            table.row(cells(event, &clock));
        }
        table.lines("") + &reply.events.last().map_or_else(String::new, |event| position(&event.cursor))
    })
}

fn read_stream(screen: &mut Screen, options: &arguments::Events) -> Result<(), Failure> {
    let mut client = screen.connect()?;
    let mut until = None;
    if !options.follow {
        until = latest(&mut client)?;
        if until.is_none() || until == options.since {
            return Ok(());
        }
    }
    let mut stream = Stream { cursor: options.since.clone(), left: options.limit, until };
    if stream.left == Some(0) {
        return Ok(());
    }
    follow::follow(client, screen, &mut stream)?;
    match &stream.cursor {
        Some(cursor) if !screen.json => screen.print(&position(cursor)),
        _ => Ok(()),
    }
}

/// Returns the cursor of the latest event.
fn latest(client: &mut Client) -> Result<Option<Cursor>, ClientError> {
    let mut events = client.call(&Recent { limit: Some(1), page: None })?.reply.events;
    Ok(events.pop().map(|event| event.cursor))
}

/// A reader of the stream, and where it is.
struct Stream {
    cursor: Option<Cursor>,
    /// How many events are still wanted; `None`: all.
    left: Option<u32>,
    /// The last one that is wanted; `None`: those to come as well.
    until: Option<Cursor>,
}

impl Stream {
    fn is_over(&self) -> bool {
        let is_behind = |until: &Cursor| {
            self.cursor
                .as_ref()
                .is_some_and(|at| at.epoch() == until.epoch() && at.number() >= until.number())
        };
        self.left == Some(0) || self.until.as_ref().is_some_and(is_behind)
    }
}

impl Reader for Stream {
    type Method = Subscribe;

    /// Finds out where the stream is, so that what happens while there is no connection is told, or told to be missing.
    fn begin(&mut self, client: &mut Client) -> Result<ControlFlow<()>, ClientError> {
        if self.cursor.is_none() {
            self.cursor = latest(client)?;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn call(&self) -> Subscribe {
        Subscribe { cursor: self.cursor.clone(), limit: self.left }
    }

    fn patience(&self) -> Option<std::time::Duration> {
        // What has happened is told at once.
        self.until.as_ref().map(|_| PATIENCE)
    }

    fn take(&mut self, answer: &Answer<Subscribe>, screen: &mut Screen) -> Result<ControlFlow<()>, Failure> {
        let clock = screen.clock();
        screen.answer(answer, |reply| match reply {
            SubscribeReply::Event(event) => line(event, &clock),
            SubscribeReply::Gap(gap) => styled(&gap_words(gap), ODD) + "\n",
        })?;
        match &answer.reply {
            SubscribeReply::Event(event) => {
                self.cursor = Some(event.cursor.clone());
                self.left = self.left.map(|left| left.saturating_sub(1));
            }
            SubscribeReply::Gap(_) => {}
        }
        Ok(if self.is_over() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

/// Returns an event in columns.
pub(super) fn cells(event: &Event, clock: &Clock) -> [Cell; 4] {
    [
        Cell::new(clock.time(&event.time)).style(DIM),
        Cell::new(&event.kind).style(style(event)),
        Cell::new(&event.subject),
        Cell::new(fields_in_words(&event.fields)).style(DIM),
    ]
}

/// Returns an event on a line whose columns fit those of other lines in most cases.
fn line(event: &Event, clock: &Clock) -> String {
    const WIDEST_KIND: usize = 18;
    let kind = format!("{:WIDEST_KIND$}", event.kind);
    let mut table = Table::default();
    let [time, _, subject, fields] = cells(event, clock);
    table.row([time, Cell::new(kind).style(style(event)), subject, fields]);
    table.lines("")
}

fn style(event: &Event) -> anstyle::Style {
    let outcome = event.fields.get("outcome").map(String::as_str);
    match event.kind.as_str() {
        "poll.ended" if outcome.is_some_and(is_well) => GOOD,
        kind => style_of(kind),
    }
}

/// Returns the style of what is not known to have ended well.
pub(super) fn style_of(kind: &str) -> anstyle::Style {
    match kind {
        "poll.ended"
        | "actor.ended"
        | "client.refused"
        | "log.lines_dropped"
        | "history.stuck"
        | "history.gap"
        | "lock.failed"
        | "lock.killed"
        | "lock.lease_late"
        | "lock.trouble"
        | "service.stop_refused" => BAD,
        "poll.found" | "poll.throttled" | "poll.retried" | "poll.silent" | "poll.adopted"
        | "lock.adopted" | "lock.waited" | "lock.refused" | "lock.settled" | "actor.restarted"
        | "service.stopping" => ODD,
        _ => USUAL,
    }
}

/// Returns whether this is the outcome of an operation that ended well.
fn is_well(outcome: &str) -> bool {
    let kind = OutcomeKind::deserialize(IntoDeserializer::<NoSuchWord>::into_deserializer(outcome));
    kind.is_ok_and(OutcomeKind::is_well)
}

/// Returns what else there is to know, but ids, which are for programs.
pub(super) fn fields_in_words(fields: &BTreeMap<String, String>) -> String {
    let is_told = |name: &str, value: &str| !matches!((name, value), ("op" | "lvid", _) | ("abort", "false"));
    let told = fields.iter().filter(|(name, value)| is_told(name, value));
    let quoted = |value: &str| if value.contains(' ') { format!("\"{value}\"") } else { value.to_owned() };
    let words = told.map(|(name, value)| format!("{name}={}", quoted(value)));
    words.collect::<Vec<_>>().join(" ")
}

fn gap_words(gap: &Gap) -> String {
    let missed = match gap.missed {
        Some(1) => "1 event is missing here".to_owned(),
        Some(missed) => format!("{missed} events are missing here"),
        None => "events may be missing here".to_owned(),
    };
    let because = match gap.because {
        GapCause::Expired => "too old to be kept",
        GapCause::Restarted => "the daemon was started anew",
        GapCause::SlowReader => "not read fast enough",
    };
    format!("-- {missed}: {because}")
}

/// Returns the line from which `--since` is taken.
fn position(cursor: &Cursor) -> String {
    format!("{}\n", styled(&format!("-- cursor: {cursor}"), DIM))
}

#[cfg(test)]
mod tests;
