//! The life of a daemon that stands in for lvmpolld.
//!
//! 1. Checks what it was told; goes into the background; takes over the signals; locks the pid file; makes the socket.
//! 2. Starts the supervision tree: the journal, recovery of what an earlier life left behind, and the door.
//! 3. Serves until it is told to end, has been idle for long enough, or the tree gives up.
//! 4. Ends in order: no new client, children asked to end and waited for, socket and pid file removed.
//!
//! A daemon that is killed does nothing of step 4: its children work on, and the next daemon finds them.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lvmwarden_actors::foundation::door::DoorEnvironment;
use lvmwarden_actors::foundation::facts::events::Events;
use lvmwarden_actors::foundation::facts::metrics::Metrics;
use lvmwarden_actors::roles::poll::environment::STARTS_AT_ONCE;
use lvmwarden_actors::roles::poll::operation::state::Stop;
use lvmwarden_actors::roles::poll::operation::turns::Rules;
use lvmwarden_actors::roles::poll::session::Lvmpolld;
use lvmwarden_actors::tree;
use lvmwarden_supervisor::sys::ReadyPipe;
use lvmwarden_supervisor::{log_panics, start_root};
use slog::{Level, Logger, info, warn};
use tokio::sync::watch;

use super::client;
use super::command_line::{LogKeyword, LvmpolldOptions};
use super::logging;
use super::pid_file::PidFile;
use super::place::Place;
use super::poll_role::{PollRole, executable};
use super::runtime;
use super::signals::{self, Signals};
use super::sockets::{HandedOver, Listening, Wanted};
use super::stand_in::{self, Process};

/// How long an orderly end may take. Who stops lvmpolld waits two seconds for it before killing.
const STOP_DEADLINE: Duration = Duration::from_millis(1900);

/// Runs the daemon, or the client that `--dump` is.
pub(crate) fn main(options: &LvmpolldOptions) -> ExitCode {
    let done = if options.version {
        stand_in::show_version("lvmpolld");
        Ok(ExitCode::SUCCESS)
    } else if options.dump {
        client::dump(&options.socket()).map(|()| ExitCode::SUCCESS)
    } else {
        start(options)
    };
    done.unwrap_or_else(|error| stand_in::complain("lvmpolld", &error))
}

fn start(options: &LvmpolldOptions) -> anyhow::Result<ExitCode> {
    let binary = executable(&options.binary())?;
    let ready = match Process::enter(options.foreground)? {
        Process::Elsewhere(exit_code) => return Ok(exit_code),
        Process::Foreground => None,
        Process::Background(ready) => Some(ready),
    };
    serve(options, &Place::make(&options.socket())?, &binary, ready)
}

/// Serves until the end, and returns how it ended.
fn serve(
    options: &LvmpolldOptions,
    place: &Place,
    binary: &Path,
    ready: Option<ReadyPipe>,
) -> anyhow::Result<ExitCode> {
    let level = if options.logs(LogKeyword::Wire) {
        Level::Trace
    } else if options.logs(LogKeyword::Debug) {
        Level::Debug
    } else {
        Level::Info
    };
    let (log, _, guard) = logging::open(stand_in::log_of("lvmpolld", ready.as_ref()), level);
    log_panics(log.clone());
    let exit = runtime::run(&log, live(options, place, binary, ready, &log));
    drop(log);
    drop(guard);
    exit
}

async fn live(
    options: &LvmpolldOptions,
    place: &Place,
    binary: &Path,
    ready: Option<ReadyPipe>,
    log: &Logger,
) -> anyhow::Result<ExitCode> {
    // First: whoever sees the files may ask for an orderly end at once.
    let mut signals = Signals::listen(&signals::STAND_IN).context("cannot take over the signals")?;
    let _pid_file = PidFile::lock(&options.pid_file())?;
    let mut listening = Listening::open(&Wanted::lvmpolld(&options.socket()), &mut HandedOver::take()?)?;
    let (gate, mut opened) = watch::channel(false);
    let metrics = Metrics::new();
    let poll = PollRole {
        binary: binary.to_owned(),
        verbose: options.logs(LogKeyword::Cmd),
        // As the C daemon's: with -f where it was started, which scripts that stand in for lvm rely on.
        directory: (!options.foreground).then(|| "/".into()),
        mode: options.mode.into(),
        on_stop: Stop::EndChild,
        starts_at_once: STARTS_AT_ONCE,
        rules: Rules::default(),
        // Nobody can read them here.
        events: Events::new(Arc::clone(&metrics), 0),
    };
    let poll = Arc::new(poll.environment(place));
    let protocol = Lvmpolld {
        poll: Arc::clone(&poll),
        metrics: Arc::clone(&metrics),
        wire: options.logs(LogKeyword::Wire),
    };
    let socket = listening.listener.try_clone().context("cannot keep the socket")?;
    let door = DoorEnvironment::new(socket, gate.subscribe(), metrics, protocol);
    info!(log, "lvmpolld starts"; "version" => env!("CARGO_PKG_VERSION"), "socket" => %place.instance.display(),
          "binary" => %poll.binary.display(), "journal" => %place.journal.display());
    let root = start_root(tree::poll_daemon(place.journal.clone(), &poll, &door, &gate), log.clone());

    let served = async {
        // The other end of the gate lives as long as this function.
        let _ = opened.wait_for(|open| *open).await;
        if let Some(ready) = ready {
            ready.ready().context("cannot tell that the daemon is ready")?;
        }
        match options.timeout() {
            Some(timeout) => poll.activity.idle(timeout).await,
            None => std::future::pending().await,
        }
        anyhow::Ok(())
    };
    // A task of its own: this function is looked at for each request of a client, five signals each time.
    let signal = actix_rt::spawn(async move { signals.next().await });
    // Each arm may be dropped: a daemon that ends need not become ready.
    tokio::select! {
        reason = root.ended() => return Ok(stand_in::tree_failed(log, &reason, "exit; children are left running")),
        signal = signal => info!(log, "lvmpolld ends"; "why" => signal.context("cannot wait for signals")?),
        idle = served => {
            idle?;
            info!(log, "lvmpolld ends"; "why" => "idle");
        }
    }
    listening.unlink();
    let report = root.stop(STOP_DEADLINE).await;
    for name in &report.killed {
        warn!(log, "did not end in time"; "name" => %name, "next" => "its child is left running");
    }
    Ok(ExitCode::SUCCESS)
}
