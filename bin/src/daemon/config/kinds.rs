//! The kinds of values: what each permits, how it is read from TOML, and how it is written.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use lvmwarden_actors::roles::lock::lock_manager::sanlock::KILL_PROGRAM_BYTES;
use lvmwarden_actors::roles::poll::operation::state::Mode;
use lvmwarden_actors::roles::poll::operation::turns::Window;
use lvmwarden_protocol::api::reconfigure::Kind as ChangeKind;
use lvmwarden_protocol::lock::LockType;
use lvmwarden_protocol::lock::info::InfoFormat;
use slog::Level;
use toml::de::DeValue;

use super::{Fill, Reconcile, Role, Transport};
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

pub(super) const FORMATS: [(&str, Format); 4] = [
    ("auto", Format::Auto),
    ("terminal", Format::Terminal),
    ("journal", Format::Journal),
    ("json", Format::Json),
];

const ROLES: [(&str, Role); 4] = [
    ("poll", Role::Poll),
    ("lock", Role::Lock),
    ("metadata", Role::Metadata),
    ("reconfigure", Role::Reconfigure),
];

pub(super) const TRANSPORTS: [(&str, Transport); 2] =
    [("auto", Transport::Auto), ("local", Transport::Local)];

pub(super) const GLOBAL_TYPES: [(&str, Option<LockType>); 3] =
    [("auto", None), ("dlm", Some(LockType::Dlm)), ("sanlock", Some(LockType::Sanlock))];

/// The newest lvm2 whose lvmlockctl reads a format, and the oldest that reads the other.
pub(super) const LVMLOCKCTL: [(&str, InfoFormat); 2] =
    [("2.03.27", InfoFormat::WithSysid), ("2.03.28", InfoFormat::WithoutSysid)];

pub(super) const POLL_MODES: [(&str, Mode); 2] = [("classic", Mode::Classic), ("events", Mode::Events)];

pub(super) const RECONCILE: [(&str, Reconcile); 3] =
    [("resume", Reconcile::Resume), ("report", Reconcile::Report), ("off", Reconcile::Off)];

pub(super) const FILL: [(&str, Fill); 2] = [("disks", Fill::Disks), ("commands", Fill::Commands)];

/// What the values of a key are.
pub(super) struct Kind<T> {
    /// What is permitted, in words that follow "permitted: ".
    pub(super) permitted: String,
    read: Box<Reads<T>>,
    write: Box<Writes<T>>,
}

type Reads<T> = dyn Fn(&DeValue<'_>) -> Option<T>;
type Writes<T> = dyn Fn(&T) -> Option<String>;

impl<T> Kind<T> {
    fn new(
        permitted: impl Into<String>,
        read: impl Fn(&DeValue<'_>) -> Option<T> + 'static,
        write: impl Fn(&T) -> Option<String> + 'static,
    ) -> Self {
        Self { permitted: permitted.into(), read: Box::new(read), write: Box::new(write) }
    }

    /// Reads a value; `None` if it is not permitted.
    pub(super) fn read(&self, value: &DeValue<'_>) -> Option<T> {
        (self.read)(value)
    }

    /// Writes a value as the file would have it; `None` if the key is not set.
    pub(super) fn write(&self, value: &T) -> Option<String> {
        (self.write)(value)
    }
}

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

/// One of some names.
pub(super) fn one_of<T: Copy + PartialEq>(choices: &'static [(&'static str, T)]) -> Kind<T> {
    let name_of =
        |value: &T| choices.iter().find(|(_, choice)| choice == value).map(|(name, _)| quoted(name));
    Kind::new(names(choices), |value| choice(value.as_str()?, choices), name_of)
}

pub(super) fn roles() -> Kind<Vec<Role>> {
    let permitted = format!("a list of {}", names(&ROLES));
    list(permitted, |text| choice(text, &ROLES), |role| role.as_str().to_owned())
}

/// A list of kinds of changes.
pub(super) fn changes() -> Kind<Vec<ChangeKind>> {
    let done = [
        ChangeKind::Resize,
        ChangeKind::Refresh,
        ChangeKind::RenameLv,
        ChangeKind::Activate,
        ChangeKind::Deactivate,
        ChangeKind::Tag,
    ];
    let words: Vec<_> = done.iter().map(|kind| quoted(kind.as_str())).collect();
    let read = move |text: &str| done.into_iter().find(|kind| kind.as_str() == text);
    list(format!("a list of {}", words.join(", ")), read, |kind| kind.as_str().to_owned())
}

pub(super) fn windows() -> Kind<Vec<Window>> {
    let permitted = "a list of parts of the day, such as [\"22:00-06:00\", \"12:30-13:30\"]".to_owned();
    list(permitted, |text| text.parse().ok(), Window::to_string)
}

/// A program and its first words; none: nothing is run.
pub(super) fn command() -> Kind<Vec<String>> {
    let permitted = "a list of a program, as an absolute path, and its words, such as [\"/usr/bin/logger\", \"-t\", \"vg\"]";
    let Kind { permitted, read, write } =
        list(permitted.to_owned(), |text| (!text.contains('\0')).then(|| text.to_owned()), String::clone);
    let is_program =
        |words: &Vec<String>| words.first().is_none_or(|program| Path::new(program).is_absolute());
    Kind::new(permitted, move |value| read(value).filter(is_program), write)
}

pub(super) fn switch() -> Kind<bool> {
    let read = |value: &DeValue<'_>| value.as_bool();
    Kind::new("true, false", read, |switch| Some(switch.to_string()))
}

pub(super) fn number(range: RangeInclusive<u32>) -> Kind<u32> {
    let permitted = format!("a whole number from {} to {}", range.start(), range.end());
    let read = move |value: &DeValue<'_>| {
        let integer = value.as_integer()?;
        let number = u32::from_str_radix(integer.as_str(), integer.radix()).ok()?;
        range.contains(&number).then_some(number)
    };
    Kind::new(permitted, read, |number| Some(number.to_string()))
}

/// A value that need not be there.
pub(super) fn optional<T: 'static>(kind: Kind<T>) -> Kind<Option<T>> {
    let Kind { permitted, read, write } = kind;
    Kind::new(permitted, move |value| read(value).map(Some), move |value| write(value.as_ref()?))
}

pub(super) fn absolute_path() -> Kind<PathBuf> {
    Kind::new("an absolute path in quotes", path, quoted_path)
}

/// A program that sanlock runs.
pub(super) fn kill_program() -> Kind<PathBuf> {
    let is_kept = |path: &PathBuf| path.as_os_str().len() <= KILL_PROGRAM_BYTES;
    let permitted = format!("an absolute path in quotes, of at most {KILL_PROGRAM_BYTES} bytes");
    Kind::new(permitted, move |value| path(value).filter(is_kept), quoted_path)
}

pub(super) fn mode() -> Kind<u32> {
    let read = |value: &DeValue<'_>| {
        let digits = value.as_str().filter(|text| text.len() == 4 && text.starts_with('0'))?;
        u32::from_str_radix(digits, 8).ok()
    };
    let permitted = "four octal digits in quotes, from \"0000\" to \"0777\"";
    Kind::new(permitted, read, |mode| Some(quoted(&format!("{mode:04o}"))))
}

pub(super) fn group() -> Kind<Group> {
    let read = |value: &DeValue<'_>| {
        let text = value.as_str().filter(|text| !text.is_empty())?;
        Some(text.parse().map_or_else(|_| Group::Named(text.to_owned()), Group::Number))
    };
    let write = |group: &Group| match group {
        Group::Named(name) => Some(quoted(name)),
        Group::Number(number) => Some(quoted(&number.to_string())),
    };
    Kind::new("the name or the number of a group, in quotes", read, write)
}

pub(super) fn loopback_address() -> Kind<Option<SocketAddr>> {
    let read = |value: &DeValue<'_>| {
        let address = value.as_str()?.parse::<SocketAddr>().ok()?;
        (address.ip().is_loopback() && address.port() != 0).then_some(Some(address))
    };
    let permitted =
        "an address of this host itself with a port, in quotes, such as \"127.0.0.1:9836\" or \"[::1]:9836\"";
    Kind::new(permitted, read, |address| address.map(|address| quoted(&address.to_string())))
}

/// A list of texts in quotes.
fn list<T: 'static>(
    permitted: String,
    read: impl Fn(&str) -> Option<T> + 'static,
    write: impl Fn(&T) -> String + 'static,
) -> Kind<Vec<T>> {
    let written = move |list: &Vec<T>| {
        let elements: Vec<_> = list.iter().map(|element| quoted(&write(element))).collect();
        Some(format!("[{}]", elements.join(", ")))
    };
    let read = move |value: &DeValue<'_>| {
        value.as_array()?.iter().map(|element| read(element.get_ref().as_str()?)).collect()
    };
    Kind::new(permitted, read, written)
}

fn path(value: &DeValue<'_>) -> Option<PathBuf> {
    value.as_str().map(Path::new).filter(|path| path.is_absolute()).map(Path::to_owned)
}

#[expect(clippy::ptr_arg, clippy::unnecessary_wraps, reason = "the shape that a kind has")]
fn quoted_path(path: &PathBuf) -> Option<String> {
    Some(quoted(&path.to_string_lossy()))
}

/// Writes a text as TOML does: its escapes are JSON's.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn choice<T: Copy>(name: &str, choices: &[(&str, T)]) -> Option<T> {
    choices.iter().find(|(choice, _)| *choice == name).map(|(_, value)| *value)
}

fn names<T>(choices: &[(&str, T)]) -> String {
    choices.iter().map(|(name, _)| quoted(name)).collect::<Vec<_>>().join(", ")
}
