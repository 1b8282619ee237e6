//! The options of the stand-in for lvmlockd.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use lvmwarden_protocol::lock::LockType;
use lvmwarden_protocol::lock::info::InfoFormat;
use slog::Level;

use super::path;

/// The words of `-S`, as the C daemon knows them.
const PRIORITIES: [(&str, Level); 10] = [
    ("emerg", Level::Critical),
    ("alert", Level::Critical),
    ("crit", Level::Critical),
    ("err", Level::Error),
    ("error", Level::Error),
    ("warning", Level::Warning),
    ("warn", Level::Warning),
    ("notice", Level::Info),
    ("info", Level::Info),
    ("debug", Level::Debug),
];

/// The words of `--info-format`: the newest lvm2 that reads the format, and the oldest that reads the other.
const FORMATS: [(&str, InfoFormat); 2] =
    [("2.03.27", InfoFormat::WithSysid), ("2.03.28", InfoFormat::WithoutSysid)];

/// The options of lvmlockd.
///
/// Source: lvm2 2.03.16 and 2.03.39, lvmlockd(8). `-i` and `-F`, which lvmlockd documents and refuses, are taken here.
#[derive(Debug, Args)]
#[command(
    disable_version_flag = true,
    args_override_self = true,
    after_help = "SIGTERM ends it when no lock is held in any lockspace; otherwise it changes nothing. Other signals are \
                  ignored. LVMWARDEN_RUN_DIR (default /run/lvmwarden) is where locks are remembered."
)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option")]
pub(crate) struct LvmlockdOptions {
    /// Show the version
    #[arg(short = 'V', long)]
    pub(crate) version: bool,

    /// Ask no lock manager: what is locked is known to this daemon alone
    #[arg(short = 'T', long)]
    pub(crate) test: bool,

    /// Stay in the foreground
    #[arg(short, long)]
    foreground: bool,

    /// Stay in the foreground, and log everything on stderr
    #[arg(short = 'D', long)]
    pub(crate) daemon_debug: bool,

    /// The pid file, locked while the daemon runs
    ///
    /// By default that of the variable `LVM_LVMLOCKD_PIDFILE`, or /run/lvmlockd.pid. lvm commands do not look for a daemon
    /// unless there is a file of the latter name.
    #[arg(short, long, value_name = "PATH")]
    pid_file: Option<PathBuf>,

    /// The socket
    ///
    /// By default that of the variable `LVM_LVMLOCKD_SOCKET`, or /run/lvm/lvmlockd.socket
    #[arg(short, long, value_name = "PATH")]
    socket_path: Option<PathBuf>,

    /// Where the locks of LVs are written for a C daemon that comes after this one, with --adopt
    #[arg(long, value_name = "PATH", default_value = "/run/lvm/lvmlockd.adopt")]
    pub(crate) adopt_file: PathBuf,

    /// The least severe lines to log: emerg, alert, crit, err, warning, notice, info, debug
    #[arg(short = 'S', long, value_name = "PRIORITY", default_value = "warning")]
    syslog_priority: String,

    /// Which lock manager has the global lock: dlm or sanlock; otherwise the first that is used
    #[arg(short, long, value_name = "TYPE", value_parser = gl_type)]
    pub(crate) gl_type: Option<LockType>,

    /// This host's id in the lockspaces of sanlock, where a client says none
    #[arg(short = 'i', long, value_name = "NUMBER", default_value_t = 0, hide_default_value = true)]
    pub(crate) host_id: u32,

    /// A file with a line `host_id = NUMBER`, where neither a client nor --host-id says one
    #[arg(short = 'F', long, value_name = "PATH")]
    pub(crate) host_id_file: Option<PathBuf>,

    /// How long a read or write of a lease may take (sanlock); 0: as long as sanlock thinks
    #[arg(short = 'o', long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    pub(crate) sanlock_timeout: u32,

    /// Take over the locks of an earlier daemon: 0 or 1
    #[arg(
        short = 'A',
        long,
        value_name = "0|1",
        value_parser = PossibleValuesParser::new(["0", "1"]).map(|word| word == "1"),
        default_value = "0",
        action = clap::ArgAction::Set
    )]
    pub(crate) adopt: bool,

    /// Which lvmlockctl shall understand the daemon: that of lvm2 up to 2.03.27, or of 2.03.28 and later
    #[arg(
        long,
        value_name = "VERSION",
        default_value = FORMATS[0].0,
        value_parser = PossibleValuesParser::new(FORMATS.map(|(name, _)| name)).map(|name| info_format(&name))
    )]
    pub(crate) info_format: InfoFormat,
}

impl LvmlockdOptions {
    /// Returns where the pid file is.
    pub(crate) fn pid_file(&self) -> PathBuf {
        path(self.pid_file.as_ref(), "LVM_LVMLOCKD_PIDFILE", "/run/lvmlockd.pid")
    }

    /// Returns where the socket is.
    pub(crate) fn socket(&self) -> PathBuf {
        path(self.socket_path.as_ref(), "LVM_LVMLOCKD_SOCKET", "/run/lvm/lvmlockd.socket")
    }

    /// Returns whether it goes into the background.
    pub(crate) fn is_background(&self) -> bool {
        !self.foreground && !self.daemon_debug
    }

    /// Returns the least severe lines to log; a word that is no priority stands for warnings.
    pub(crate) fn level(&self) -> Level {
        if self.daemon_debug {
            return Level::Trace;
        }
        let named = PRIORITIES.iter().find(|(name, _)| *name == self.syslog_priority);
        named.map_or(Level::Warning, |&(_, level)| level)
    }

    /// Returns the file with the host id, where it is to be looked at.
    pub(crate) fn host_id_file(&self) -> Option<&Path> {
        self.host_id_file.as_deref().filter(|_| self.host_id == 0)
    }
}

/// Only what is served here may be chosen.
fn gl_type(word: &str) -> Result<LockType, &'static str> {
    LockType::from_word(word).filter(|kind| *kind != LockType::Idm).ok_or("invalid gl-type option")
}

fn info_format(name: &str) -> InfoFormat {
    let (_, format) = FORMATS.iter().find(|(known, _)| *known == name).expect("clap lets only these through");
    *format
}
