//! The life of a daemon that stands in for lvmetad.
//!
//! 1. Checks what it was told; goes into the background; takes over the signals; locks the pid file; makes the socket.
//! 2. Starts the supervision tree. The cache is empty: the first command that comes fills it.
//! 3. Serves until it is told to end, has been idle for long enough, or the tree gives up.
//! 4. Ends in order: no new client; those that are connected are served until they leave, for a while; socket and pid file
//!    removed.
//!
//! A daemon without a socket would be of no use to anybody: whoever starts it in the background learns of that. (The C
//! daemon says that all is well.)

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lvmwarden_actors::foundation::door::DoorEnvironment;
use lvmwarden_actors::foundation::facts::metrics::Metrics;
use lvmwarden_actors::roles::metadata::session::Lvmetad;
use lvmwarden_actors::roles::metadata::settings::MetadataEnvironment;
use lvmwarden_actors::tree;
use lvmwarden_supervisor::sys::ReadyPipe;
use lvmwarden_supervisor::{log_panics, start_root};
use slog::{Logger, info, warn};
use tokio::time::timeout;

use super::command_line::LvmetadOptions;
use super::logging;
use super::pid_file::PidFile;
use super::runtime;
use super::signals::{self, Signals};
use super::sockets::{HandedOver, Listening, Wanted};
use super::stand_in::{self, Process};

/// How long clients that are connected keep a daemon that was told to end. (They keep the C daemon for ever.)
const LEAVE_DEADLINE: Duration = Duration::from_secs(5);
/// How long nobody may be connected before it counts as everybody having left.
const LEFT: Duration = Duration::from_millis(20);
/// How long an orderly end may take after that.
const STOP_DEADLINE: Duration = Duration::from_secs(2);
/// The exit code of `-V`, and of `-h` where it is not asked for in so many words.
///
/// Source: lvm2 2.02.188, seen.
const VERSION_SHOWN: u8 = 1;

/// Runs the daemon.
pub(crate) fn main(options: &LvmetadOptions) -> ExitCode {
    if options.version {
        stand_in::show_version("lvmetad");
        return ExitCode::from(VERSION_SHOWN);
    }
    start(options).unwrap_or_else(|error| stand_in::complain("lvmetad", &error))
}

fn start(options: &LvmetadOptions) -> anyhow::Result<ExitCode> {
    match Process::enter(options.foreground)? {
        Process::Elsewhere(exit_code) => Ok(exit_code),
        Process::Foreground => serve(options, None),
        Process::Background(ready) => serve(options, Some(ready)),
    }
}

/// Serves until the end, and returns how it ended.
fn serve(options: &LvmetadOptions, ready: Option<ReadyPipe>) -> anyhow::Result<ExitCode> {
    let (log, _, guard) = logging::open(stand_in::log_of("lvmetad", ready.as_ref()), options.level());
    log_panics(log.clone());
    let exit = runtime::run(&log, live(options, ready, &log));
    drop(log);
    drop(guard);
    exit
}

async fn live(options: &LvmetadOptions, ready: Option<ReadyPipe>, log: &Logger) -> anyhow::Result<ExitCode> {
    // First: whoever sees the files may ask for an orderly end at once.
    let mut signals = Signals::listen(&signals::STAND_IN).context("cannot take over the signals")?;
    let _pid_file = PidFile::lock(&options.pid_file())?;
    let mut listening = Listening::open(&Wanted::lvmetad(&options.socket()), &mut HandedOver::take()?)?;
    let (metrics, metadata) = (Metrics::new(), Arc::<MetadataEnvironment>::default());
    let protocol =
        Lvmetad { metadata: Arc::clone(&metadata), metrics: Arc::clone(&metrics), wire: options.logs_wire() };
    let socket = listening.listener.try_clone().context("cannot keep the socket")?;
    let door = DoorEnvironment::new(socket, tree::always_open(), metrics, protocol);
    info!(log, "lvmetad starts"; "version" => env!("CARGO_PKG_VERSION"), "socket" => %options.socket().display());
    let root = start_root(tree::metadata_daemon(&door), log.clone());
    if let Some(ready) = ready {
        ready.ready().context("cannot tell that the daemon is ready")?;
    }
    let idle = async {
        match options.timeout() {
            Some(timeout) => metadata.activity.idle(timeout).await,
            None => std::future::pending().await,
        }
    };
    // A task of its own: this function is looked at for each request of a client, five signals each time.
    let signal = actix_rt::spawn(async move { signals.next().await });
    // Each arm may be dropped: an end stays one.
    tokio::select! {
        reason = root.ended() => return Ok(stand_in::tree_failed(log, &reason, "exit")),
        signal = signal => info!(log, "lvmetad ends"; "why" => signal.context("cannot wait for signals")?),
        () = idle => info!(log, "lvmetad ends"; "why" => "idle"),
    }
    listening.unlink();
    if timeout(LEAVE_DEADLINE, metadata.activity.idle(LEFT)).await.is_err() {
        warn!(log, "clients are still connected"; "next" => "their connections are closed");
    }
    for name in root.stop(STOP_DEADLINE).await.killed {
        warn!(log, "did not end in time"; "name" => %name, "next" => "it is dropped");
    }
    Ok(ExitCode::SUCCESS)
}
