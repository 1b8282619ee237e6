//! The options of the stand-in for lvmetad.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clap::error::ErrorKind;
use slog::Level;

use super::path;

/// The options of lvmetad.
///
/// Source: lvm2 2.02.188, lvmetad(8).
#[derive(Debug, Args)]
#[command(
    disable_version_flag = true,
    args_override_self = true,
    after_help = "What it knows is lost when it ends: the first lvm command that comes fills it again. SIGTERM, SIGINT, \
                  SIGHUP, SIGQUIT and SIGALRM end it in order."
)]
pub(crate) struct LvmetadOptions {
    /// Show the version, and end with exit code 1
    #[arg(short = 'V', long)]
    pub(crate) version: bool,

    /// Stay in the foreground
    #[arg(short, long)]
    pub(crate) foreground: bool,

    /// Log more: all, fatal, error, warn, info, debug, wire (every message)
    #[arg(short, long, value_name = "KEYWORDS", default_value = "", hide_default_value = true)]
    log: String,

    /// The pid file, locked while the daemon runs
    ///
    /// By default that of the variable `LVM_LVMETAD_PIDFILE`, or /run/lvmetad.pid
    #[arg(short, long, value_name = "PATH")]
    pidfile: Option<PathBuf>,

    /// The socket
    ///
    /// By default that of the variable `LVM_LVMETAD_SOCKET`, or /run/lvm/lvmetad.socket
    #[arg(short, long, value_name = "PATH")]
    socket: Option<PathBuf>,

    /// Leave after so many seconds without a client; 0: never
    #[arg(
        short,
        long,
        value_name = "SECONDS",
        value_parser = timeout,
        default_value = "0",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    timeout: u32,

    /// Words that are no options are ignored, as lvmetad ignores them.
    #[arg(hide = true)]
    ignored: Vec<OsString>,
}

impl LvmetadOptions {
    /// Returns where the pid file is.
    pub(crate) fn pid_file(&self) -> PathBuf {
        path(self.pidfile.as_ref(), "LVM_LVMETAD_PIDFILE", "/run/lvmetad.pid")
    }

    /// Returns where the socket is.
    pub(crate) fn socket(&self) -> PathBuf {
        path(self.socket.as_ref(), "LVM_LVMETAD_SOCKET", "/run/lvm/lvmetad.socket")
    }

    /// Returns how long the daemon stays without a client; `None`: for ever.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        (self.timeout != 0).then(|| Duration::from_secs(self.timeout.into()))
    }

    /// Returns whether every message is logged.
    pub(crate) fn logs_wire(&self) -> bool {
        self.log.split(',').any(|word| matches!(word, "wire" | "all"))
    }

    /// Returns the least severe lines to log. A word that is none is ignored.
    pub(crate) fn level(&self) -> Level {
        let has = |wanted| self.log.split(',').any(|word| word == wanted);
        if self.logs_wire() {
            Level::Trace
        } else if has("debug") {
            Level::Debug
        } else {
            Level::Info
        }
    }
}

/// Returns the exit code for options that are refused: an option that there is not is no failure, as lvmetad has it.
pub(super) fn usage_exit_code(error: ErrorKind) -> ExitCode {
    if error == ErrorKind::ValueValidation { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn timeout(word: &str) -> Result<u32, &'static str> {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = if word.is_empty() { Some(0) } else { word.parse().ok() };
    seconds.filter(|seconds| is_number && *seconds != u32::MAX).ok_or("Invalid value of timeout parameter.")
}
