//! Where the log goes, and how much of it: to stderr in the foreground, to syslog in the background.
//!
//! No line ever holds the daemon up: they pass through a bounded queue, `queue.rs`, that drops what does not fit and
//! counts it. A stuck disk below the log must not be felt by anybody who waits for an answer.

mod escaped;
mod lines;
mod queue;
mod ring;

use std::io;

use lvmwarden_actors::foundation::local_time;
use slog::{Drain, Level, Logger};
use slog_async::AsyncGuard;
use slog_json::Json;
use slog_term::{FullFormat, PlainSyncDecorator, TermDecorator};

use lines::{Prioritized, Syslog};
pub(crate) use queue::LogControl;
pub(crate) use ring::LogRing;

/// Where the log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    /// To stderr, in this form.
    Stderr(Format),
    /// To syslog, under this name.
    Syslog(&'static str),
}

/// How a line on stderr looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// As systemd's journal takes it where stderr is the journal, otherwise for people.
    Auto,
    /// For people: in colour on a terminal.
    Terminal,
    /// With a priority in front, as systemd's journal takes it.
    Journal,
    /// A JSON object each: `ts` (RFC 3339), `level`, `msg`, and the line's own keys.
    Json,
}

/// Opens the log; `escaped.rs` sees to it that no form shows anything that acts on a terminal. The guard must be dropped last: it writes what is still queued.
pub(crate) fn open(destination: Destination, level: Level) -> (Logger, LogControl, AsyncGuard) {
    local_time::read_zone();
    match destination {
        Destination::Syslog(name) => queue::start(Syslog::connect(name), level),
        Destination::Stderr(Format::Auto) if std::env::var_os("JOURNAL_STREAM").is_some() => {
            queue::start(Prioritized, level)
        }
        Destination::Stderr(Format::Journal) => queue::start(Prioritized, level),
        Destination::Stderr(Format::Json) => queue::start(Json::default(io::stderr()).ignore_res(), level),
        Destination::Stderr(Format::Auto | Format::Terminal) if io::IsTerminal::is_terminal(&io::stderr()) => {
            let decorator = TermDecorator::new().stderr().build();
            let terminal = FullFormat::new(decorator).use_custom_timestamp(timestamp).build();
            queue::start(terminal.ignore_res(), level)
        }
        Destination::Stderr(Format::Auto | Format::Terminal) => {
            let decorator = PlainSyncDecorator::new(io::stderr());
            let plain = FullFormat::new(decorator).use_custom_timestamp(timestamp).build();
            queue::start(plain.ignore_res(), level)
        }
    }
}

/// Writes when a line was written. (slog's own way reads the time zone from the disk every now and then.)
fn timestamp(out: &mut dyn io::Write) -> io::Result<()> {
    write!(out, "{}", local_time::now().strftime("%b %d %H:%M:%S%.3f"))
}
