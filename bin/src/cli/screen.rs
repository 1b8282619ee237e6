//! Where a command writes to: text with or without colours, or JSON.
//!
//! Text that comes from elsewhere is to go through [`plain`], so that no name can take over the terminal.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use lvmwarden_actors::foundation::wall_clock::elapsed;
use lvmwarden_protocol::api::Method;
use serde::Serialize;

use super::arguments::{Color, Common};
use super::client::{Answer, Client, ClientError};
use super::failure::Failure;
use crate::text::acts;

/// Headings, and what is most important.
pub(super) const BOLD: Style = Style::new().bold();
/// What is less important.
pub(super) const DIM: Style = Style::new().dimmed();
/// As it should be.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// Worth a look.
pub(super) const ODD: Style = AnsiColor::Yellow.on_default();
/// Something is wrong.
pub(super) const BAD: Style = AnsiColor::Red.on_default();
/// Nothing about it.
pub(super) const USUAL: Style = Style::new();

/// Returns the text in a style.
pub(super) fn styled(text: &str, style: Style) -> String {
    if text.is_empty() || style.is_plain() { text.to_owned() } else { format!("{style}{text}{style:#}") }
}

/// Returns the text without anything that a terminal would act on.
pub(super) fn plain(text: &str) -> String {
    crate::text::plain(text).into_owned()
}

/// Returns a whole output as it is, but for what acts on a terminal and is neither a newline nor one of our styles.
///
/// Whatever comes from elsewhere has gone through [`plain`] before; this is for what was forgotten.
fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(|character| character != '\n' && acts(character)) {
        harmless.push_str(&rest[..at]);
        let length = style_length(&rest[at..]);
        let end = at + length.or_else(|| rest[at..].chars().next().map(char::len_utf8)).unwrap_or_default();
        let acting = &rest[at..end];
        harmless.push_str(&if length.is_some() { acting.to_owned() } else { plain(acting) });
        rest = &rest[end..];
    }
    harmless + rest
}

/// Returns the length of the style, such as `ESC [ 1 m`, with which a text begins.
fn style_length(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let end = numbers.find(|character: char| !character.is_ascii_digit() && character != ';')?;
    numbers[end..].starts_with('m').then_some("\u{1b}[m".len() + end)
}

/// Returns JSON that means the same, without anything that a terminal would act on: such characters stand in strings only.
fn harmless_json(line: &str) -> String {
    let escape = |character: char| format!("\\u{:04x}", u32::from(character));
    line.chars().map(|character| if acts(character) { escape(character) } else { character.into() }).collect()
}

/// The two streams, and how the user wants them.
pub(super) struct Screen {
    out: AutoStream<io::Stdout>,
    err: AutoStream<io::Stderr>,
    /// JSON instead of text.
    pub(super) json: bool,
    /// Whether somebody watches: bars may be drawn.
    pub(super) is_live: bool,
    /// The daemon's socket.
    pub(super) socket: PathBuf,
    zone: TimeZone,
}

impl Screen {
    /// Opens it as the options say.
    pub(super) fn new(common: &Common) -> Self {
        let is_live = io::stdout().is_terminal() && io::stderr().is_terminal() && !common.json;
        Self {
            out: AutoStream::new(io::stdout(), choice(common.color, &io::stdout())),
            err: AutoStream::new(io::stderr(), choice(common.color, &io::stderr())),
            json: common.json,
            is_live,
            socket: common.socket.clone(),
            zone: system_zone(),
        }
    }

    /// Connects to the daemon.
    pub(super) fn connect(&self) -> Result<Client, ClientError> {
        Client::connect(&self.socket)
    }

    /// Returns the time and where the user is.
    pub(super) fn clock(&self) -> Clock {
        Clock { now: Timestamp::now(), zone: self.zone.clone() }
    }

    /// Prints text.
    pub(super) fn print(&mut self, text: &str) -> Result<(), Failure> {
        self.write(&harmless(text))
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        self.out.write_all(text.as_bytes())?;
        Ok(self.out.flush()?)
    }

    /// Returns whether answers are printed as they come.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints a line of JSON.
    pub(super) fn print_json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        let line = serde_json::to_string(value).expect("answers have string keys");
        self.write(&(harmless_json(&line) + "\n"))
    }

    /// Prints an answer as it came, or in words.
    pub(super) fn answer<M: Method>(
        &mut self,
        answer: &Answer<M>,
        words: impl FnOnce(&M::Reply) -> String,
    ) -> Result<(), Failure> {
        if self.json { self.print_json(&answer.raw) } else { self.print(&words(&answer.reply)) }
    }

    /// Tells of something beside the output.
    pub(super) fn notice(&mut self, message: &str) {
        // Nobody is left to tell when the terminal is gone.
        let _ = writeln!(self.err, "lvmwarden: {}", plain(message));
    }

    /// Tells why the command failed.
    pub(super) fn tell(&mut self, failure: &Failure) {
        if let (true, Some((error, parameters))) = (self.json, &failure.answer) {
            let answer = serde_json::json!({ "error": error, "parameters": parameters });
            // As for the lines below.
            let _ = self.print_json(&answer);
        }
        if !failure.message.is_empty() {
            self.notice(&failure.message);
        }
        if let Some(advice) = &failure.advice {
            let _ = writeln!(self.err, "{DIM}{}{DIM:#}", plain(advice));
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the client may wait for a disk")]
fn system_zone() -> TimeZone {
    TimeZone::system()
}

fn choice(color: Color, stream: &impl anstream::stream::RawStream) -> ColorChoice {
    match color {
        Color::Auto => AutoStream::choice(stream),
        Color::Always => ColorChoice::AlwaysAnsi,
        Color::Never => ColorChoice::Never,
    }
}

/// The time, and where the user is.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    /// The time.
    pub(super) now: Timestamp,
    /// Where.
    pub(super) zone: TimeZone,
}

impl Clock {
    /// Words a time of the API's: without the date if that is today's; as it is if it cannot be read.
    pub(super) fn time(&self, rfc3339: &str) -> String {
        let Ok(time) = rfc3339.parse::<Timestamp>() else { return plain(rfc3339) };
        let (time, now) = (time.to_zoned(self.zone.clone()), self.now.to_zoned(self.zone.clone()));
        let format = if time.date() == now.date() { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
        time.strftime(format).to_string()
    }

    /// Words the time of day.
    pub(super) fn wall_time(&self) -> String {
        self.now.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }

    /// Words how long ago a time of the API's was, such as `3 min`, or that the clock was set back since.
    pub(super) fn age(&self, rfc3339: &str) -> Option<String> {
        let time = rfc3339.parse::<Timestamp>().ok()?;
        let unknown = || "an unknown time".to_owned();
        Some(elapsed(time, self.now).map_or_else(unknown, |age| duration(age.as_secs_f64())))
    }
}

/// Words a duration with its two largest units, such as `2 h 5 min`.
pub(super) fn duration(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded, and not below zero"
    )]
    let seconds = seconds.max(0.0).round() as u64;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) if minutes < 10 => format!("{minutes} min {} s", seconds % 60),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {} min", minutes % 60),
        (1, hours, _) => format!("1 day {} h", hours % 24),
        (days, hours, _) => format!("{days} days {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests;
