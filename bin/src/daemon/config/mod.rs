//! The configuration of the service: what `lvmwarden.toml` may say, and what holds where it says nothing.
//!
//! A file is read into checked types once, by a pure function, and refused as a whole if anything in it is wrong: each
//! problem is told with its line, its column and what would be permitted. Nothing else of the program parses a setting.
//!
//! | file | is |
//! |---|---|
//! | `mod.rs` | the settings, their defaults, and the list of keys: [`parse`] |
//! | `document.rs` | TOML to sections and keys; unknown ones |
//! | `values.rs` | what each kind of value permits |
//! | `possible.rs` | what cannot be on this host |
//! | `changes.rs` | two configurations compared, for a daemon that runs |

mod changes;
mod document;
mod possible;
mod values;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use lvmwarden_actors::poll_operation::state::Mode;
use lvmwarden_actors::poll_operation::turns::Rules;
use lvmwarden_protocol::lock::LockType;
use lvmwarden_protocol::lock::info::InfoFormat;
use slog::Level;
use thiserror::Error;

pub(crate) use changes::{Change, changes};
use document::Document;
pub(crate) use document::Problem;
pub(crate) use possible::{impossible, not_yet_possible};
pub(crate) use values::{Group, LEVELS, level_called};
use values::{
    absolute_path, format, global_type, group, kill_program, level, limit, loopback_address, lvmlockctl,
    mode, number, poll_mode, reconcile, roles, switch, windows,
};

use super::logging::Format;

/// Where the file is unless the command line says otherwise.
pub(crate) const DEFAULT_PATH: &str = "/etc/lvmwarden/lvmwarden.toml";

/// What the daemon does for LVM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It polls pvmoves, conversions and merges: lvmpolld's job.
    Poll,
    /// It holds the locks of shared VGs: lvmlockd's job.
    Lock,
    /// It remembers the metadata of every VG: lvmetad's job.
    Metadata,
}

impl Role {
    /// Returns its name in the configuration.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Poll => "poll",
            Self::Lock => "lock",
            Self::Metadata => "metadata",
        }
    }
}

/// How the locks of shared VGs are held, one field for each key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LockSettings {
    pub(crate) socket: PathBuf,
    pub(crate) pid_file: PathBuf,
    pub(crate) adopt_file: PathBuf,
    /// `None`: the first lock manager that is used.
    pub(crate) global_type: Option<LockType>,
    /// 0: there is none.
    pub(crate) host_id: u32,
    /// 0: as long as sanlock thinks.
    pub(crate) io_timeout_seconds: u32,
    /// 0: for ever.
    pub(crate) wait_limit_seconds: u32,
    pub(crate) lvmlockctl: InfoFormat,
    /// What `lvmwarden lock start` runs.
    pub(crate) binary: PathBuf,
    /// At most 126 bytes: sanlock keeps no more.
    pub(crate) kill_program: PathBuf,
}

impl Default for LockSettings {
    fn default() -> Self {
        Self {
            socket: "/run/lvm/lvmlockd.socket".into(),
            pid_file: "/run/lvmlockd.pid".into(),
            adopt_file: "/run/lvm/lvmlockd.adopt".into(),
            global_type: None,
            host_id: 0,
            io_timeout_seconds: 0,
            wait_limit_seconds: 900,
            lvmlockctl: InfoFormat::WithSysid,
            binary: "/usr/sbin/lvm".into(),
            kill_program: lvmwarden_actors::lockspace::lock_manager::sanlock::KILL_PROGRAM.into(),
        }
    }
}

/// What is done about an operation that is found in LVM's metadata, and that nobody polls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reconcile {
    /// It is polled.
    Resume,
    /// It is told of.
    Report,
    /// Nobody looks for any.
    Off,
}

/// Every setting, one field for each key of the file; the file says what each is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) service_roles: Vec<Role>,
    pub(crate) log_level: Level,
    pub(crate) log_format: Format,
    pub(crate) log_wire: bool,
    pub(crate) poll_socket: PathBuf,
    pub(crate) poll_binary: PathBuf,
    pub(crate) poll_mode: Mode,
    pub(crate) poll_interval_seconds: u32,
    pub(crate) poll_starts_at_once: u32,
    pub(crate) poll_reconcile: Reconcile,
    pub(crate) poll_reconcile_at_once: u32,
    pub(crate) poll_rules: Rules,
    pub(crate) lock: LockSettings,
    pub(crate) metadata_socket: PathBuf,
    pub(crate) api_socket: PathBuf,
    /// Permission bits, 0 to 0o777.
    pub(crate) api_mode: u32,
    pub(crate) api_group: Group,
    /// `None`: metrics are told through the API only.
    pub(crate) metrics_listen: Option<SocketAddr>,
    pub(crate) events_keep: u32,
    pub(crate) archive_janitor_enabled: bool,
    pub(crate) archive_janitor_directory: PathBuf,
    pub(crate) archive_janitor_files_per_vg: u32,
    pub(crate) archive_janitor_bytes_per_vg: u32,
    pub(crate) archive_janitor_age_days: u32,
    pub(crate) archive_janitor_keep_newest: u32,
    pub(crate) archive_janitor_period_minutes: u32,
    pub(crate) history_keep: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            service_roles: vec![Role::Poll],
            log_level: Level::Info,
            log_format: Format::Auto,
            log_wire: false,
            poll_socket: "/run/lvm/lvmpolld.socket".into(),
            poll_binary: "/usr/sbin/lvm".into(),
            poll_mode: Mode::Events,
            poll_interval_seconds: 15,
            poll_starts_at_once: 4,
            poll_reconcile: Reconcile::Resume,
            poll_reconcile_at_once: 4,
            poll_rules: Rules::default(),
            lock: LockSettings::default(),
            metadata_socket: "/run/lvm/lvmetad.socket".into(),
            api_socket: "/run/lvmwarden/org.lvmwarden".into(),
            api_mode: 0o660,
            api_group: Group::Named("lvmwarden".into()),
            metrics_listen: None,
            events_keep: 10_000,
            archive_janitor_enabled: false,
            archive_janitor_directory: "/etc/lvm/archive".into(),
            archive_janitor_files_per_vg: 500,
            archive_janitor_bytes_per_vg: 128 * 1024 * 1024,
            archive_janitor_age_days: 365,
            archive_janitor_keep_newest: 10,
            archive_janitor_period_minutes: 60,
            history_keep: 1000,
        }
    }
}

impl Config {
    /// Returns whether the service plays `role`.
    pub(crate) fn plays(&self, role: Role) -> bool {
        self.service_roles.contains(&role)
    }

    /// Returns the socket by whose path the service is known: two of them never share what they remember.
    pub(crate) fn instance(&self) -> &Path {
        if self.plays(Role::Poll) { &self.poll_socket } else { &self.api_socket }
    }
}

/// Reads the text of a configuration; what it does not say has its default.
///
/// # Errors
/// Everything that is wrong with it, in the order of the text.
pub(crate) fn parse(text: &str) -> Result<Config, Vec<Problem>> {
    let mut config = Config::default();
    let mut document = Document::parse(text)?;
    document.section("service", |service| {
        service.set("roles", &mut config.service_roles, roles);
    });
    document.section("log", |log| {
        log.set("level", &mut config.log_level, level);
        log.set("format", &mut config.log_format, format);
        log.set("wire", &mut config.log_wire, switch);
    });
    document.section("poll", |poll| {
        poll.set("socket", &mut config.poll_socket, absolute_path);
        poll.set("binary", &mut config.poll_binary, absolute_path);
        poll.set("mode", &mut config.poll_mode, poll_mode);
        poll.set("interval_seconds", &mut config.poll_interval_seconds, number(1..=86_400));
        poll.set("starts_at_once", &mut config.poll_starts_at_once, number(1..=64));
        poll.set("reconcile", &mut config.poll_reconcile, reconcile);
        poll.set("reconcile_at_once", &mut config.poll_reconcile_at_once, number(1..=1000));
        poll.set("limit_per_vg", &mut config.poll_rules.per_vg, limit);
        poll.set("limit_per_pv", &mut config.poll_rules.per_pv, limit);
        poll.set("windows", &mut config.poll_rules.windows, windows);
    });
    document.section("lock", |lock| {
        lock.set("socket", &mut config.lock.socket, absolute_path);
        lock.set("pid_file", &mut config.lock.pid_file, absolute_path);
        lock.set("adopt_file", &mut config.lock.adopt_file, absolute_path);
        lock.set("global_type", &mut config.lock.global_type, global_type);
        lock.set("host_id", &mut config.lock.host_id, number(0..=2000));
        lock.set("io_timeout_seconds", &mut config.lock.io_timeout_seconds, number(0..=600));
        lock.set("wait_limit_seconds", &mut config.lock.wait_limit_seconds, number(0..=86_400));
        lock.set("lvmlockctl", &mut config.lock.lvmlockctl, lvmlockctl);
        lock.set("binary", &mut config.lock.binary, absolute_path);
        lock.set("kill_program", &mut config.lock.kill_program, kill_program);
    });
    document.section("metadata", |metadata| {
        metadata.set("socket", &mut config.metadata_socket, absolute_path);
    });
    document.section("api", |api| {
        api.set("socket", &mut config.api_socket, absolute_path);
        api.set("mode", &mut config.api_mode, mode);
        api.set("group", &mut config.api_group, group);
    });
    document.section("metrics", |metrics| {
        metrics.set("listen", &mut config.metrics_listen, loopback_address);
    });
    document.section("events", |events| {
        events.set("keep", &mut config.events_keep, number(1..=100_000));
    });
    document.section("history", |history| {
        history.set("keep", &mut config.history_keep, number(1..=10_000));
    });
    document.section("archive_janitor", |janitor| {
        janitor.set("enabled", &mut config.archive_janitor_enabled, switch);
        janitor.set("directory", &mut config.archive_janitor_directory, absolute_path);
        janitor.set("files_per_vg", &mut config.archive_janitor_files_per_vg, number(1..=100_000));
        janitor.set("bytes_per_vg", &mut config.archive_janitor_bytes_per_vg, number(1..=u32::MAX));
        janitor.set("age_days", &mut config.archive_janitor_age_days, number(1..=36_500));
        janitor.set("keep_newest", &mut config.archive_janitor_keep_newest, number(1..=10_000));
        janitor.set("period_minutes", &mut config.archive_janitor_period_minutes, number(1..=10_080));
    });
    document.finish().map(|()| config)
}

/// Which file is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// This one, which must be there.
    Named(PathBuf),
    /// The one at [`DEFAULT_PATH`], if it is there.
    Default,
}

impl Source {
    /// Returns the path of the file.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Default => Path::new(DEFAULT_PATH),
        }
    }

    /// Reads the configuration.
    ///
    /// # Errors
    /// See [`ConfigError`]. An absent file is one only if it was named.
    pub(crate) fn load(&self) -> Result<Config, ConfigError> {
        let path = self.path();
        match std::fs::read_to_string(path) {
            Ok(text) => {
                parse(&text).map_err(|problems| ConfigError::Wrong { path: path.to_owned(), problems })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && *self == Self::Default => {
                Ok(Config::default())
            }
            Err(source) => Err(ConfigError::Unreadable { path: path.to_owned(), source }),
        }
    }
}

/// Why there is no configuration.
#[derive(Debug, Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read, or is no text.
    #[error("{path}: cannot be read", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// What it says makes no sense. A line for each problem: `PATH:LINE:COLUMN: what`.
    #[error("{}", problems.iter().map(|problem| format!("{}:{problem}", path.display())).collect::<Vec<_>>().join("\n"))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// At least one.
        problems: Vec<Problem>,
    },
}

#[cfg(test)]
mod tests;
