//! The command line: one definition of each option, from which parser and help come.

mod lvmetad;
mod lvmlockd;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use lvmwarden_actors::roles::poll::operation::state::Mode;
use slog::Level;

use super::config::{LEVELS, Source, level_called};
pub(crate) use lvmetad::LvmetadOptions;
pub(crate) use lvmlockd::LvmlockdOptions;

/// The exit code for a command line that a stand-in does not understand, as that of the C daemons.
const STAND_IN_USAGE: u8 = 1;
/// The exit code for one that the service does not understand.
const SERVICE_USAGE: u8 = 2;

/// Does the background work of LVM, as a service.
#[derive(Debug, Parser)]
#[command(
    name = "lvmwardend",
    version,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    after_help = "Without a command it is the service that its configuration describes. With one, or started under \
                  its name, it is a stand-in for that daemon, with that daemon's options.\n\n\
                  SIGHUP makes the service read its configuration again; SIGTERM and SIGINT end it in order, and leave \
                  running operations alone."
)]
struct Cli {
    #[command(flatten)]
    service: ServiceOptions,
    #[command(subcommand)]
    stand_in: Option<StandIn>,
}

/// What is to run.
#[derive(Debug)]
pub(crate) enum Program {
    /// The service.
    Service(ServiceOptions),
    /// A stand-in for lvmpolld.
    Lvmpolld(LvmpolldOptions),
    /// A stand-in for lvmlockd.
    Lvmlockd(LvmlockdOptions),
    /// A stand-in for lvmetad.
    Lvmetad(LvmetadOptions),
}

/// The daemon that is stood in for.
#[derive(Debug, Subcommand)]
enum StandIn {
    /// Polls pvmoves, conversions and merges, as lvmpolld does.
    Lvmpolld(LvmpolldOptions),
    /// Holds the locks of shared VGs, as lvmlockd does.
    Lvmlockd(LvmlockdOptions),
    /// Remembers the metadata of every VG, as lvmetad does.
    Lvmetad(LvmetadOptions),
}

/// The options of the service.
#[derive(Debug, Args)]
pub(crate) struct ServiceOptions {
    /// Read the configuration from here instead of /etc/lvmwarden/lvmwarden.toml
    ///
    /// A file that is named here must exist.
    #[arg(short, long, value_name = "PATH")]
    config: Option<PathBuf>,

    /// Say whether the configuration makes sense and what in it is not the default, and end: 0 if it does, 2 if not
    #[arg(long)]
    pub(crate) check_config: bool,

    /// The least severe lines to log, whatever the configuration says
    #[arg(
        short,
        long,
        value_name = "LEVEL",
        value_parser = PossibleValuesParser::new(LEVELS.map(|(name, _)| name))
            .map(|name| level_called(&name).expect("clap lets only these through"))
    )]
    pub(crate) log_level: Option<Level>,
}

impl ServiceOptions {
    /// Returns which configuration is to be read.
    pub(crate) fn source(&self) -> Source {
        self.config.clone().map_or(Source::Default, Source::Named)
    }
}

/// The options of lvmpolld.
///
/// Source: lvm2 2.03.16, lvmpolld(8).
#[derive(Debug, Args)]
#[command(
    disable_version_flag = true,
    args_override_self = true,
    after_help = "LVMWARDEN_RUN_DIR (default /run/lvmwarden) is where operations are remembered. An operation, and its \
                  lvpoll, outlives a daemon that is killed: the next daemon on the same socket goes on with it."
)]
pub(crate) struct LvmpolldOptions {
    /// Show the version
    #[arg(short = 'V', long)]
    pub(crate) version: bool,

    /// Stay in the foreground
    #[arg(short, long)]
    pub(crate) foreground: bool,

    /// Ask the running daemon for its state and print it
    #[arg(long)]
    pub(crate) dump: bool,

    /// Log more: all, wire (every message), debug, cmd (lvpoll gets -vvvv)
    #[arg(short, long, value_name = "KEYWORDS", value_delimiter = ',')]
    pub(crate) log: Vec<LogKeyword>,

    /// The pid file, locked while the daemon runs
    ///
    /// By default that of the variable `LVM_LVMPOLLD_PIDFILE`, or /run/lvmpolld.pid
    #[arg(short, long, value_name = "PATH")]
    pidfile: Option<PathBuf>,

    /// The socket
    ///
    /// By default that of the variable `LVM_LVMPOLLD_SOCKET`, or /run/lvm/lvmpolld.socket
    #[arg(short, long, value_name = "PATH")]
    socket: Option<PathBuf>,

    /// The lvm binary that is started as lvpoll, by default /usr/sbin/lvm
    #[arg(short = 'B', long, value_name = "PATH")]
    binary: Option<PathBuf>,

    /// Who watches copies: lvpoll (classic), or the daemon, which starts lvpoll when there is something to do (events)
    #[arg(long, value_enum, default_value_t, value_name = "MODE")]
    pub(crate) mode: PollMode,

    /// Leave after so many seconds without a client and without an operation; 0: never
    #[arg(short, long, value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    timeout: u32,
}

/// A word of `--mode`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PollMode {
    /// As lvmpolld does.
    #[default]
    Classic,
    /// The daemon reads device-mapper.
    Events,
}

impl From<PollMode> for Mode {
    fn from(mode: PollMode) -> Self {
        match mode {
            PollMode::Classic => Self::Classic,
            PollMode::Events => Self::Events,
        }
    }
}

/// A word of `--log`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogKeyword {
    /// Everything that concerns the daemon itself.
    All,
    /// Every message.
    Wire,
    /// What operations do in detail.
    Debug,
    /// lvpoll gets `-vvvv`.
    Cmd,
}

/// Returns the definition from which parser, help, man page and completions come.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Options that contradict one another, or that clap refuses.
#[derive(Debug)]
pub(crate) struct Refused {
    error: clap::Error,
    exit_code: ExitCode,
}

impl Refused {
    /// Prints help on stdout, or the error and the usage on stderr, and returns the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        // Nobody is left to tell when the terminal is gone.
        let _ = self.error.print();
        if self.error.use_stderr() { self.exit_code } else { ExitCode::SUCCESS }
    }
}

/// Parses a command line, whose first word may name a daemon to stand in for.
///
/// # Errors
/// [`Refused`] for what cannot be understood, and for a request for help.
pub(crate) fn parse(arguments: impl Iterator<Item = OsString>) -> Result<Program, Refused> {
    let mut arguments: Vec<OsString> = arguments.collect();
    let mut command = command();
    let started_as = arguments.first().and_then(|program| Path::new(program).file_name()?.to_str());
    if let Some(name) = started_as.filter(|name| command.find_subcommand(name).is_some()).map(OsString::from)
    {
        arguments.insert(1, name);
    }
    let stand_in = arguments.get(1).filter(|word| command.find_subcommand(word).is_some()).cloned();
    let refused = |error: clap::Error| {
        let exit_code = match &stand_in {
            None => ExitCode::from(SERVICE_USAGE),
            Some(name) if name == "lvmetad" => lvmetad::usage_exit_code(error.kind()),
            Some(_) => ExitCode::from(STAND_IN_USAGE),
        };
        Refused { error, exit_code }
    };
    let matches = command.try_get_matches_from_mut(arguments).map_err(refused)?;
    let cli = Cli::from_arg_matches(&matches).map_err(refused)?;
    match cli.stand_in {
        Some(StandIn::Lvmpolld(options)) => {
            options.check(&mut command).map_err(refused)?;
            Ok(Program::Lvmpolld(options))
        }
        Some(StandIn::Lvmlockd(options)) => Ok(Program::Lvmlockd(options)),
        Some(StandIn::Lvmetad(options)) => Ok(Program::Lvmetad(options)),
        None => Ok(Program::Service(cli.service)),
    }
}

impl LvmpolldOptions {
    /// Client and server do not go together.
    fn check(&self, command: &mut clap::Command) -> Result<(), clap::Error> {
        let is_server = self.foreground
            || !self.log.is_empty()
            || self.pidfile.is_some()
            || self.binary.is_some()
            || self.mode != PollMode::default()
            || self.timeout != 0;
        if self.dump && is_server {
            let message = "--dump asks a running daemon and goes with --socket only";
            return Err(command.error(clap::error::ErrorKind::ArgumentConflict, message));
        }
        Ok(())
    }

    /// Returns where the pid file is.
    pub(crate) fn pid_file(&self) -> PathBuf {
        path(self.pidfile.as_ref(), "LVM_LVMPOLLD_PIDFILE", "/run/lvmpolld.pid")
    }

    /// Returns where the socket is.
    pub(crate) fn socket(&self) -> PathBuf {
        path(self.socket.as_ref(), "LVM_LVMPOLLD_SOCKET", "/run/lvm/lvmpolld.socket")
    }

    /// Returns the program that is started as lvpoll.
    pub(crate) fn binary(&self) -> PathBuf {
        self.binary.clone().unwrap_or_else(|| "/usr/sbin/lvm".into())
    }

    /// Returns how long the daemon stays without anything to do; `None`: for ever.
    pub(crate) fn timeout(&self) -> Option<Duration> {
        (self.timeout != 0).then(|| Duration::from_secs(self.timeout.into()))
    }

    /// Returns whether a word of `--log`, or `all` for the daemon's own, was given.
    pub(crate) fn logs(&self, keyword: LogKeyword) -> bool {
        let by_all = keyword != LogKeyword::Cmd && self.log.contains(&LogKeyword::All);
        by_all || self.log.contains(&keyword)
    }
}

/// An option beats the environment, and that the default; an empty variable counts as none.
fn path(option: Option<&PathBuf>, variable: &str, default: &str) -> PathBuf {
    let from_environment = || std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    option.cloned().or_else(from_environment).unwrap_or_else(|| default.into())
}

#[cfg(test)]
mod tests;
