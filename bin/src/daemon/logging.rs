//! Where the log goes: to stderr in the foreground, to syslog in the background.
//!
//! No line ever holds the daemon up: they pass through a bounded queue that drops what does not fit and says how much
//! that was. A stuck disk below the log must not be felt by anybody who waits for an answer.

use std::fmt::{self, Write as _};
use std::io;
use std::os::unix::net::UnixDatagram;

use slog::{Drain, Filter, KV, Level, Logger, Never, OwnedKVList, Record, o};
use slog_async::{Async, AsyncGuard, OverflowStrategy};
use slog_term::{FullFormat, PlainSyncDecorator, TermDecorator};

/// How many lines may wait to be written.
const QUEUE_LINES: usize = 1024;
/// Where syslog listens.
const SYSLOG: &str = "/dev/log";
/// Facility "daemon" of a syslog priority.
///
/// Source: syslog(3).
const SYSLOG_DAEMON: u8 = 3 << 3;

/// Where the log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    /// To stderr: in colour on a terminal, with priorities under systemd.
    Stderr,
    /// To syslog, under this name.
    Syslog(&'static str),
}

/// Opens the log. The guard must be dropped last: it writes what is still queued.
pub(crate) fn open(destination: Destination, level: Level) -> (Logger, AsyncGuard) {
    match destination {
        Destination::Stderr if std::env::var_os("JOURNAL_STREAM").is_some() => queued(Prioritized, level),
        Destination::Stderr if io::IsTerminal::is_terminal(&io::stderr()) => {
            queued(FullFormat::new(TermDecorator::new().stderr().build()).build().fuse(), level)
        }
        Destination::Stderr => {
            queued(FullFormat::new(PlainSyncDecorator::new(io::stderr())).build().fuse(), level)
        }
        Destination::Syslog(name) => queued(Syslog::connect(name), level),
    }
}

fn queued<D>(drain: D, level: Level) -> (Logger, AsyncGuard)
where
    D: Drain<Ok = (), Err = Never> + Send + 'static,
{
    let (queue, guard) = Async::new(drain)
        .chan_size(QUEUE_LINES)
        .overflow_strategy(OverflowStrategy::DropAndReport)
        .thread_name("log".to_owned())
        .build_with_guard();
    let filtered = Filter::new(queue.fuse(), move |record| record.level().is_at_least(level));
    (Logger::root(filtered.fuse(), o!()), guard)
}

/// Lines with a syslog priority in front, as systemd's journal takes them from stderr.
///
/// Source: sd-daemon(3), "Logging".
struct Prioritized;

impl Drain for Prioritized {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), Never> {
        let line = format!("<{}>{}\n", severity(record.level()), line(record, values));
        // There is nobody to tell that the log cannot be written.
        let _ = io::Write::write_all(&mut io::stderr().lock(), line.as_bytes());
        Ok(())
    }
}

/// Datagrams to syslog; without one, lines go nowhere, as those of every daemon then do.
struct Syslog {
    name: &'static str,
    socket: Option<UnixDatagram>,
}

impl Syslog {
    fn connect(name: &'static str) -> Self {
        let connected = UnixDatagram::unbound().and_then(|socket| socket.connect(SYSLOG).map(|()| socket));
        Self { name, socket: connected.ok() }
    }
}

impl Drain for Syslog {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), Never> {
        if let Some(socket) = &self.socket {
            let priority = SYSLOG_DAEMON | severity(record.level());
            let (name, pid) = (self.name, std::process::id());
            let _ = socket.send(format!("<{priority}>{name}[{pid}]: {}", line(record, values)).as_bytes());
        }
        Ok(())
    }
}

/// Returns the syslog severity of a level, 2 (critical) to 7 (debug).
fn severity(level: Level) -> u8 {
    match level {
        Level::Critical => 2,
        Level::Error => 3,
        Level::Warning => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

/// Returns a record as one line: the message, then `key=value` from the line's own to the outermost context.
fn line(record: &Record<'_>, values: &OwnedKVList) -> String {
    let mut line = Line(record.msg().to_string());
    // Writing to a string does not fail.
    let _ = record.kv().serialize(record, &mut line);
    let _ = values.serialize(record, &mut line);
    line.0.replace('\n', "\\n")
}

struct Line(String);

impl slog::Serializer for Line {
    fn emit_arguments(&mut self, key: slog::Key, value: &fmt::Arguments<'_>) -> slog::Result {
        let text = value.to_string();
        let is_plain = !text.is_empty() && !text.contains([' ', '"', '=']);
        if is_plain { write!(self.0, " {key}={text}") } else { write!(self.0, " {key}={text:?}") }?;
        Ok(())
    }
}
