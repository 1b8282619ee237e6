//! The life of a daemon that stands in for lvmlockd.
//!
//! 1. Checks what it was told; goes into the background; takes over the signals; locks the pid file; makes the socket.
//! 2. Starts the supervision tree.
//! 3. Serves until `quit` or SIGTERM finds no lock held, or the tree gives up. A refusal changes nothing.
//! 4. Ends in order: no new client, lockspaces left, socket and pid file removed.
//!
//! A daemon without a socket would be of no use to anybody: it ends. (The C daemon lives on.)

use std::process::ExitCode;

use anyhow::{Context, bail};
use lvmwarden_supervisor::log_panics;
use lvmwarden_supervisor::sys::{Background, ReadyPipe, fork_into_background};
use slog::{Logger, warn};

use super::command_line::LvmlockdOptions;
use super::host_id;
use super::lock_dumps::LockDumps;
use super::logging::{self, Destination, Format, LogRing};
use super::pid_file::{self, PidFile};
use super::place::Place;
use super::runtime;
use super::signals::{self, Signals};
use super::sockets::{HandedOver, Listening, Wanted};

/// Runs the daemon.
pub(crate) fn main(options: &LvmlockdOptions) -> ExitCode {
    let done = if options.version {
        show_version();
        Ok(ExitCode::SUCCESS)
    } else {
        start(options)
    };
    done.unwrap_or_else(|error| complain(&error))
}

#[expect(clippy::print_stdout, reason = "it is what was asked for")]
fn show_version() {
    println!("lvmlockd version: {} (lvmwarden)", env!("CARGO_PKG_VERSION"));
}

#[expect(clippy::print_stderr, reason = "there is no log yet, and somebody at the terminal")]
fn complain(error: &anyhow::Error) -> ExitCode {
    eprintln!("lvmlockd: {error:#}");
    let is_pid_file = error.downcast_ref::<pid_file::PidFileError>().is_some();
    if is_pid_file { ExitCode::from(pid_file::EXIT_CODE) } else { ExitCode::FAILURE }
}

fn start(options: &LvmlockdOptions) -> anyhow::Result<ExitCode> {
    let host_id = match options.host_id_file() {
        Some(file) => host_id::read(file)?,
        None => options.host_id,
    };
    let mut ready = None;
    if options.is_background() {
        match fork_into_background().context("cannot go into the background")? {
            Background::Parent { exit_code } => {
                return Ok(ExitCode::from(u8::try_from(exit_code).unwrap_or(1)));
            }
            Background::Child(pipe) => ready = Some(pipe),
        }
    }
    serve(options, host_id, &Place::make(&options.socket())?, ready)
}

/// Serves until the end, and returns how it ended.
fn serve(
    options: &LvmlockdOptions,
    host_id: u32,
    place: &Place,
    ready: Option<ReadyPipe>,
) -> anyhow::Result<ExitCode> {
    let destination =
        if ready.is_some() { Destination::Syslog("lvmlockd") } else { Destination::Stderr(Format::Auto) };
    let (log, _, guard) = logging::open(destination, options.level());
    let ring = LogRing::default();
    let log = ring.beside(log);
    log_panics(log.clone());
    let dumps = LockDumps { ring, format: options.info_format, log: log.clone() };
    let exit = runtime::run(&log, async { live(options, host_id, place, dumps, ready, &log) });
    drop(log);
    drop(guard);
    exit
}

fn live(
    options: &LvmlockdOptions,
    host_id: u32,
    place: &Place,
    dumps: LockDumps,
    ready: Option<ReadyPipe>,
    log: &Logger,
) -> anyhow::Result<ExitCode> {
    // First: whoever sees the files may ask for an orderly end at once.
    let _signals = Signals::listen(&signals::STAND_IN).context("cannot take over the signals")?;
    let _pid_file = PidFile::lock(&options.pid_file())?;
    let _listening = Listening::open(&Wanted::lvmlockd(&options.socket()), &mut HandedOver::take()?)?;
    warn!(log, "lvmlockd starts"; "version" => env!("CARGO_PKG_VERSION"), "socket" => %place.instance.display(),
          "host_id" => host_id, "test" => options.test);
    drop((dumps, ready));
    bail!("no lockspace can be served");
}
