//! Lines as daemons write them: for systemd's journal through stderr, and for syslog.

use std::fmt::{self, Write as _};
use std::io;
use std::os::unix::net::UnixDatagram;

use slog::{Drain, KV, Level, Never, OwnedKVList, Record};

/// Where syslog listens.
const SYSLOG: &str = "/dev/log";
/// Facility "daemon" of a syslog priority.
///
/// Source: syslog(3).
const SYSLOG_DAEMON: u8 = 3 << 3;

/// Lines with a syslog priority in front, as systemd's journal takes them from stderr.
///
/// Source: sd-daemon(3), "Logging".
pub(super) struct Prioritized;

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
pub(super) struct Syslog {
    name: &'static str,
    socket: Option<UnixDatagram>,
}

impl Syslog {
    pub(super) fn connect(name: &'static str) -> Self {
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

/// Returns a record, whose texts have been escaped, as one line: the message, then `key=value` from the line's own to the outermost context.
pub(super) fn line(record: &Record<'_>, values: &OwnedKVList) -> String {
    let mut line = Line(record.msg().to_string());
    // Writing to a string does not fail.
    let _ = record.kv().serialize(record, &mut line);
    let _ = values.serialize(record, &mut line);
    line.0
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
