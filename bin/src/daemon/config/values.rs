//! What each kind of value permits: functions from TOML to a checked value, or to the words that say what is permitted.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use lvmwarden_actors::lockspace::lock_manager::sanlock::KILL_PROGRAM_BYTES;
use lvmwarden_actors::poll_operation::state::Mode;
use lvmwarden_actors::poll_operation::turns::Window;
use lvmwarden_protocol::lock::LockType;
use lvmwarden_protocol::lock::info::InfoFormat;
use slog::Level;
use toml::Spanned;
use toml::de::DeValue;

use super::{Reconcile, Role};
use crate::daemon::logging::Format;

/// The log levels by the names that administrators use, the most severe first.
pub(crate) const LEVELS: [(&str, Level); 6] = [
    ("critical", Level::Critical),
    ("error", Level::Error),
    ("warning", Level::Warning),
    ("info", Level::Info),
    ("debug", Level::Debug),
    ("trace", Level::Trace),
];

const FORMATS: [(&str, Format); 4] = [
    ("auto", Format::Auto),
    ("terminal", Format::Terminal),
    ("journal", Format::Journal),
    ("json", Format::Json),
];

const ROLES: [(&str, Role); 3] = [("poll", Role::Poll), ("lock", Role::Lock), ("metadata", Role::Metadata)];

const GLOBAL_TYPES: [(&str, Option<LockType>); 3] =
    [("auto", None), ("dlm", Some(LockType::Dlm)), ("sanlock", Some(LockType::Sanlock))];

/// The newest lvm2 whose lvmlockctl reads a format, and the oldest that reads the other.
const LVMLOCKCTL: [(&str, InfoFormat); 2] =
    [("2.03.27", InfoFormat::WithSysid), ("2.03.28", InfoFormat::WithoutSysid)];

const POLL_MODES: [(&str, Mode); 2] = [("classic", Mode::Classic), ("events", Mode::Events)];

const RECONCILE: [(&str, Reconcile); 3] =
    [("resume", Reconcile::Resume), ("report", Reconcile::Report), ("off", Reconcile::Off)];

/// Returns the level of this name.
pub(crate) fn level_called(name: &str) -> Option<Level> {
    choice(name, &LEVELS)
}

/// A group of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Group {
    /// By its name in /etc/group.
    Named(String),
    /// By its number.
    Number(u32),
}

pub(super) fn level(value: &DeValue<'_>) -> Result<Level, String> {
    one_of(value, &LEVELS)
}

pub(super) fn format(value: &DeValue<'_>) -> Result<Format, String> {
    one_of(value, &FORMATS)
}

pub(super) fn poll_mode(value: &DeValue<'_>) -> Result<Mode, String> {
    one_of(value, &POLL_MODES)
}

pub(super) fn reconcile(value: &DeValue<'_>) -> Result<Reconcile, String> {
    one_of(value, &RECONCILE)
}

pub(super) fn global_type(value: &DeValue<'_>) -> Result<Option<LockType>, String> {
    one_of(value, &GLOBAL_TYPES)
}

pub(super) fn lvmlockctl(value: &DeValue<'_>) -> Result<InfoFormat, String> {
    one_of(value, &LVMLOCKCTL)
}

pub(super) fn roles(value: &DeValue<'_>) -> Result<Vec<Role>, String> {
    let role = |element: &Spanned<DeValue<'_>>| one_of(element.get_ref(), &ROLES).ok();
    let roles = value.as_array().and_then(|elements| elements.iter().map(role).collect());
    roles.ok_or_else(|| format!("a list of {}", names(&ROLES, |name| format!("{name:?}"))))
}

pub(super) fn switch(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| "true, false".to_owned())
}

pub(super) fn number(range: RangeInclusive<u32>) -> impl FnOnce(&DeValue<'_>) -> Result<u32, String> {
    move |value| {
        let integer = value.as_integer();
        let number = integer.and_then(|integer| u32::from_str_radix(integer.as_str(), integer.radix()).ok());
        number
            .filter(|number| range.contains(number))
            .ok_or_else(|| format!("a whole number from {} to {}", range.start(), range.end()))
    }
}

/// A number that need not be there.
pub(super) fn limit(value: &DeValue<'_>) -> Result<Option<u32>, String> {
    number(1..=1000)(value).map(Some)
}

pub(super) fn windows(value: &DeValue<'_>) -> Result<Vec<Window>, String> {
    let window = |element: &Spanned<DeValue<'_>>| element.get_ref().as_str()?.parse().ok();
    let windows = value.as_array().and_then(|elements| elements.iter().map(window).collect());
    windows.ok_or_else(|| "a list of parts of the day, such as [\"22:00-06:00\"]".to_owned())
}

/// A program that sanlock runs.
pub(super) fn kill_program(value: &DeValue<'_>) -> Result<PathBuf, String> {
    let path = absolute_path(value).ok().filter(|path| path.as_os_str().len() <= KILL_PROGRAM_BYTES);
    path.ok_or_else(|| format!("an absolute path in quotes, of at most {KILL_PROGRAM_BYTES} bytes"))
}

pub(super) fn absolute_path(value: &DeValue<'_>) -> Result<PathBuf, String> {
    let path = value.as_str().map(Path::new).filter(|path| path.is_absolute());
    path.map(Path::to_owned).ok_or_else(|| "an absolute path in quotes".to_owned())
}

pub(super) fn mode(value: &DeValue<'_>) -> Result<u32, String> {
    let digits = value.as_str().filter(|text| text.len() == 4 && text.starts_with('0'));
    let mode = digits.and_then(|digits| u32::from_str_radix(digits, 8).ok());
    mode.ok_or_else(|| "four octal digits in quotes, from \"0000\" to \"0777\"".to_owned())
}

pub(super) fn group(value: &DeValue<'_>) -> Result<Group, String> {
    match value.as_str() {
        Some(text) if !text.is_empty() => {
            Ok(text.parse().map_or_else(|_| Group::Named(text.to_owned()), Group::Number))
        }
        _ => Err("the name or the number of a group, in quotes".to_owned()),
    }
}

pub(super) fn loopback_address(value: &DeValue<'_>) -> Result<Option<SocketAddr>, String> {
    let address = value.as_str().and_then(|text| text.parse::<SocketAddr>().ok());
    let usable = address.filter(|address| address.ip().is_loopback() && address.port() != 0);
    usable.map(Some).ok_or_else(|| {
        "an address of this host itself with a port, in quotes, such as \"127.0.0.1:9836\" or \"[::1]:9836\"".to_owned()
    })
}

fn one_of<T: Copy>(value: &DeValue<'_>, choices: &[(&str, T)]) -> Result<T, String> {
    let chosen = value.as_str().and_then(|name| choice(name, choices));
    chosen.ok_or_else(|| names(choices, |name| format!("{name:?}")))
}

fn choice<T: Copy>(name: &str, choices: &[(&str, T)]) -> Option<T> {
    choices.iter().find(|(choice, _)| *choice == name).map(|(_, value)| *value)
}

fn names<T>(choices: &[(&str, T)], shown: impl Fn(&str) -> String) -> String {
    choices.iter().map(|(name, _)| shown(name)).collect::<Vec<_>>().join(", ")
}
