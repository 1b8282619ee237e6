//! `info`, `stop`, `metrics`, `log-level`, `restart`: one call each.

use lvmwarden_protocol::api::service::{Info, InfoReply, Stop};
use lvmwarden_protocol::api::supervisor::{Restart, SetLogLevel};
use lvmwarden_protocol::api::{Done, metrics};

use super::failure::Failure;
use super::screen::{BOLD, Clock, Screen};
use super::table::{Cell, Table};

/// Shows which daemon it is.
pub(super) fn info(screen: &mut Screen) -> Result<(), Failure> {
    let answer = screen.connect()?.call(&Info {})?;
    let clock = screen.clock();
    screen.answer(&answer, |reply| info_words(reply, &clock))
}

fn info_words(info: &InfoReply, clock: &Clock) -> String {
    let up = clock.age(&info.started_at).map_or_else(String::new, |age| format!(" ({age} ago)"));
    let mut table = Table::default();
    for (name, value) in [
        ("product", info.product.clone()),
        ("version", info.version.clone()),
        ("pid", info.pid.to_string()),
        ("started", format!("{}{up}", clock.time(&info.started_at))),
        ("instance", info.instance.clone()),
        ("roles", info.roles.join(", ")),
        ("url", info.url.clone()),
    ] {
        table.row([Cell::new(name).style(BOLD), value.into()]);
    }
    table.lines("")
}

/// Ends the daemon.
pub(super) fn stop(screen: &mut Screen, end_children: bool) -> Result<(), Failure> {
    let answer = screen.connect()?.call(&Stop { leave_children: !end_children })?;
    screen.answer(&answer, |Done {}| {
        let children =
            if end_children { "and its lvpoll processes with it" } else { "its lvpoll processes go on" };
        format!("the daemon ends, {children}\n")
    })
}

/// Prints all metrics.
pub(super) fn metrics(screen: &mut Screen) -> Result<(), Failure> {
    let answer = screen.connect()?.call(&metrics::Get {})?;
    screen.answer(&answer, |reply| reply.openmetrics.clone())
}

/// Sets the log level.
pub(super) fn log_level(screen: &mut Screen, level: String) -> Result<(), Failure> {
    let words = format!("the daemon logs {level} and what is more severe\n");
    let answer = screen.connect()?.call(&SetLogLevel { level })?;
    screen.answer(&answer, |Done {}| words)
}

/// Restarts an actor.
pub(super) fn restart(screen: &mut Screen, name: String) -> Result<(), Failure> {
    let words = format!("{name} is started anew\n");
    let answer = screen.connect()?.call(&Restart { name })?;
    screen.answer(&answer, |Done {}| words)
}
