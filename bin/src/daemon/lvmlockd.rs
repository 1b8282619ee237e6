//! The life of a daemon that stands in for lvmlockd.
//!
//! 1. Checks what it was told; goes into the background; takes over the signals; locks the pid file; makes the socket.
//! 2. Starts the supervision tree.
//! 3. Serves until `quit` or SIGTERM finds no lock held, or the tree gives up. A refusal changes nothing.
//! 4. Ends in order: no new client, lockspaces left, socket and pid file removed.
//!
//! A daemon without a socket would be of no use to anybody: it ends. (The C daemon lives on.)

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lvmwarden_actors::foundation::door::DoorEnvironment;
use lvmwarden_actors::foundation::facts::events::Events;
use lvmwarden_actors::foundation::facts::metrics::Metrics;
use lvmwarden_actors::roles::lock::directory::{Closed, Directory};
use lvmwarden_actors::roles::lock::host_id::HostId;
use lvmwarden_actors::roles::lock::lock_manager::sanlock::KILL_PROGRAM;
use lvmwarden_actors::roles::lock::session::Lvmlockd;
use lvmwarden_actors::tree;
use lvmwarden_supervisor::sys::ReadyPipe;
use lvmwarden_supervisor::{log_panics, start_root};
use sd_notify::NotifyState;
use slog::{Logger, info, warn};
use tokio::sync::{Notify, watch};

use super::command_line::LvmlockdOptions;
use super::lock_dumps::LockDumps;
use super::lock_role::{self, LockRole};
use super::logging::{self, LogRing};
use super::memory;
use super::pid_file::PidFile;
use super::place::Place;
use super::runtime;
use super::signals::{self, SIGTERM, Signals};
use super::sockets::{HandedOver, Listening, Wanted};
use super::stand_in::{self, Process};

/// How long an orderly end may take, when the lockspaces were left.
const STOP_DEADLINE: Duration = Duration::from_secs(2);

/// Runs the daemon.
pub(crate) fn main(options: &LvmlockdOptions) -> ExitCode {
    let done = if options.version {
        stand_in::show_version("lvmlockd");
        Ok(ExitCode::SUCCESS)
    } else {
        start(options)
    };
    done.unwrap_or_else(|error| stand_in::complain("lvmlockd", &error))
}

fn start(options: &LvmlockdOptions) -> anyhow::Result<ExitCode> {
    let ready = match Process::enter(!options.is_background())? {
        Process::Elsewhere(exit_code) => return Ok(exit_code),
        Process::Foreground => None,
        Process::Background(ready) => Some(ready),
    };
    serve(options, &Place::make(&options.socket())?, ready)
}

/// Serves until the end, and returns how it ended.
fn serve(options: &LvmlockdOptions, place: &Place, ready: Option<ReadyPipe>) -> anyhow::Result<ExitCode> {
    let (log, _, guard) = logging::open(stand_in::log_of("lvmlockd", ready.as_ref()), options.level());
    let ring = LogRing::default();
    let log = ring.beside(log);
    log_panics(log.clone());
    // Where no lock manager is asked, nothing is protected either.
    if !options.test {
        memory::stay(&log);
    }
    let dumps = LockDumps { ring, format: options.info_format, log: log.clone() };
    let exit = runtime::run(&log, live(options, place, dumps, ready, &log));
    drop(log);
    drop(guard);
    exit
}

async fn live(
    options: &LvmlockdOptions,
    place: &Place,
    dumps: LockDumps,
    ready: Option<ReadyPipe>,
    log: &Logger,
) -> anyhow::Result<ExitCode> {
    // First: whoever sees the files may ask for an orderly end at once.
    let mut signals = Signals::listen(&signals::STAND_IN).context("cannot take over the signals")?;
    let _pid_file = PidFile::lock(&options.pid_file())?;
    let mut listening = Listening::open(&Wanted::lvmlockd(&options.socket()), &mut HandedOver::take()?)?;
    let (gate, mut opened) = watch::channel(false);
    let (metrics, quit) = (Metrics::new(), Arc::new(Notify::new()));
    let host_id = match options.host_id_file() {
        Some(file) => HostId::File(file.to_owned()),
        None => HostId::Number(options.host_id),
    };
    let role = LockRole {
        test: options.test,
        gl_type: options.gl_type,
        host_id: host_id.clone(),
        io_timeout_seconds: options.sanlock_timeout,
        kill_program: KILL_PROGRAM.into(),
        local_wait: None,
        memory: lock_role::memory(options.adopt.then(|| options.adopt_file.clone()), options.adopt),
        starter: None,
        // Nobody can read them here.
        events: Events::new(Arc::clone(&metrics), 0),
    };
    let lock = Arc::new(role.environment());
    if !options.test {
        lock_role::check(&lock, log).await;
    }
    let protocol = Lvmlockd {
        lock: Arc::clone(&lock),
        dumps: Arc::new(dumps),
        quit: Arc::clone(&quit),
        wire: options.daemon_debug,
    };
    let socket = listening.listener.try_clone().context("cannot keep the socket")?;
    let door = DoorEnvironment::new(socket, gate.subscribe(), metrics, protocol);
    warn!(log, "lvmlockd starts"; "version" => env!("CARGO_PKG_VERSION"), "socket" => %place.instance.display(),
          "host_id" => ?host_id, "test" => options.test);
    let root = start_root(tree::lock_daemon(place.journal.clone(), &lock, &door, &gate), log.clone());
    let directory = Directory::new(root.registry(), Arc::clone(&lock));

    let becomes_ready = async {
        // The other end of the gate lives as long as this function.
        let _ = opened.wait_for(|open| *open).await;
        // Nobody is told unless systemd has started us and waits for it, as the C daemon's unit says.
        if let Err(error) = sd_notify::notify(&[NotifyState::Ready]) {
            warn!(log, "cannot tell systemd that clients are served"; "error" => %error);
        }
        match ready {
            Some(ready) => ready.ready().context("cannot tell that the daemon is ready"),
            None => Ok(()),
        }
    };
    // Each arm may be dropped: a daemon that ends need not become ready.
    let (why, _no_request_any_more) = tokio::select! {
        reason = root.ended() => {
            return Ok(stand_in::tree_failed(log, &reason, "exit; locks stay with the lock managers"));
        }
        ended = ends(&mut signals, &quit, &directory, log) => ended,
        failed = async { match becomes_ready.await { Ok(()) => std::future::pending().await, Err(error) => error } } => {
            return Err(failed);
        }
    };
    info!(log, "lvmlockd ends"; "why" => why);
    listening.unlink();
    let report = root.stop(STOP_DEADLINE).await;
    for name in &report.killed {
        warn!(log, "did not end in time"; "name" => %name, "next" => "it is dropped");
    }
    if let Some(file) = &lock.memory.adopt_file {
        file.remove(&lock.book.open());
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits until somebody has a reason to end the daemon, and no lock is in the way; from then on none is given.
async fn ends(
    signals: &mut Signals,
    quit: &Notify,
    directory: &Directory,
    log: &Logger,
) -> (&'static str, Closed) {
    loop {
        // Cancel-safe, both of them.
        let why = tokio::select! {
            () = quit.notified() => "quit",
            signal = signals.next() => signal,
        };
        if !matches!(why, SIGTERM | "quit") {
            continue;
        }
        match directory.close().await {
            Ok(closed) => return (why, closed),
            // The first words are a promise: scripts look for them in the dump of the log.
            Err(refusal) => warn!(log, "ignore shutdown for {} lockspaces", refusal.lockspaces();
                                  "why" => %refusal, "next" => "all are served as before"),
        }
    }
}
