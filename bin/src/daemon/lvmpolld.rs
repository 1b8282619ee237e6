//! The life of a daemon that stands in for lvmpolld.
//!
//! 1. Checks what it was told; goes into the background; takes over the signals; locks the pid file; makes the socket.
//! 2. Starts the supervision tree: the journal, recovery of what an earlier life left behind, and the door.
//! 3. Serves until it is told to end, has been idle for long enough, or the tree gives up.
//! 4. Ends in order: no new client, children asked to end and waited for, socket and pid file removed.
//!
//! A daemon that is killed does nothing of step 4: its children work on, and the next daemon finds them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use actix_rt::System;
use anyhow::Context;
use lvmwarden_actors::activity::Activity;
use lvmwarden_actors::door::DoorEnvironment;
use lvmwarden_actors::environment::{PollEnvironment, STARTS_AT_ONCE};
use lvmwarden_actors::events::Events;
use lvmwarden_actors::kernel::DeviceMapper;
use lvmwarden_actors::metrics::Metrics;
use lvmwarden_actors::poll_operation::orphans::Orphans;
use lvmwarden_actors::poll_operation::state::Stop;
use lvmwarden_actors::tree;
use lvmwarden_supervisor::process::{OsProcesses, OsProcessesOptions, raise_open_files_limit};
use lvmwarden_supervisor::sys::{Background, ReadyPipe, fork_into_background};
use lvmwarden_supervisor::{ExitReason, log_panics, start_root};
use rustix::fs::{Access, access};
use slog::{Level, Logger, error, info, warn};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::client;
use super::command_line::{LogKeyword, LvmpolldOptions};
use super::logging::{self, Destination};
use super::pid_file::{self, PidFile};
use super::signals::EndingSignals;
use super::sockets::Listening;

/// The exit code of a daemon whose supervision tree gave up; whoever started it may start it again.
const TREE_FAILED: u8 = 70;
/// How long an orderly end may take. Who stops lvmpolld waits two seconds for it before killing.
const STOP_DEADLINE: Duration = Duration::from_millis(1900);
/// How many threads do blocking work at once, such as starting a program or reading /proc.
const BLOCKING_THREADS: usize = 8;
/// How long a thread for blocking work stays without any.
const BLOCKING_THREAD_IDLE: Duration = Duration::from_secs(5);
/// What systemd tells this process and is none of its children's business.
const NOT_INHERITED: [&str; 5] =
    ["SD_ACTIVATION", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LVM_SYSTEM_DIR"];

/// Runs the daemon, or the client that `--dump` is.
pub(crate) fn main(options: &LvmpolldOptions) -> ExitCode {
    let done = if options.version {
        show_version();
        Ok(ExitCode::SUCCESS)
    } else if options.dump {
        client::dump(&options.socket()).map(|()| ExitCode::SUCCESS)
    } else {
        start(options)
    };
    done.unwrap_or_else(|error| complain(&error))
}

#[expect(clippy::print_stdout, reason = "it is what was asked for")]
fn show_version() {
    println!("lvmpolld version: {} (lvmwarden)", env!("CARGO_PKG_VERSION"));
}

#[expect(clippy::print_stderr, reason = "there is no log yet, and somebody at the terminal")]
fn complain(error: &anyhow::Error) -> ExitCode {
    eprintln!("lvmpolld: {error:#}");
    let is_pid_file = error.downcast_ref::<pid_file::PidFileError>().is_some();
    if is_pid_file { ExitCode::from(pid_file::EXIT_CODE) } else { ExitCode::FAILURE }
}

fn start(options: &LvmpolldOptions) -> anyhow::Result<ExitCode> {
    // Children are started elsewhere: in `/`.
    let binary = std::path::absolute(options.binary()).context("cannot tell where the lvm binary is")?;
    access(&binary, Access::EXEC_OK)
        .with_context(|| format!("the lvm binary {} cannot be executed", binary.display()))?;
    let mut ready = None;
    if !options.foreground {
        match fork_into_background().context("cannot go into the background")? {
            Background::Parent { exit_code } => return Ok(exit_code_of(exit_code)),
            Background::Child(pipe) => ready = Some(pipe),
        }
    }
    serve(options, &Place::make(&options.socket())?, &binary, ready)
}

fn exit_code_of(code: i32) -> ExitCode {
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

/// Where a daemon keeps what it must not forget, apart from every other daemon's.
struct Place {
    /// The socket's path, made absolute: which daemon this is.
    instance: PathBuf,
    journal: PathBuf,
    output: PathBuf,
}

impl Place {
    /// Makes the directories below `LVMWARDEN_RUN_DIR`. A daemon that serves another socket has others.
    fn make(socket: &Path) -> anyhow::Result<Self> {
        let instance = std::path::absolute(socket).context("cannot tell where the socket is")?;
        let run_dir = std::env::var_os("LVMWARDEN_RUN_DIR").filter(|dir| !dir.is_empty());
        let run_dir = run_dir.map_or_else(|| PathBuf::from("/run/lvmwarden"), PathBuf::from);
        let own = run_dir.join(instance.to_string_lossy().replace('%', "%25").replace('/', "%2F"));
        let place = Self { instance, journal: own.join("journal"), output: own.join("output") };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&place.output)
            .with_context(|| format!("cannot make the directory {}", place.output.display()))?;
        Ok(place)
    }
}

/// Serves until the end, and returns how it ended.
fn serve(
    options: &LvmpolldOptions,
    place: &Place,
    binary: &Path,
    ready: Option<ReadyPipe>,
) -> anyhow::Result<ExitCode> {
    let destination = if ready.is_some() { Destination::Syslog("lvmpolld") } else { Destination::Stderr };
    let level = if options.logs(LogKeyword::Wire) {
        Level::Trace
    } else if options.logs(LogKeyword::Debug) {
        Level::Debug
    } else {
        Level::Info
    };
    let (log, guard) = logging::open(destination, level);
    log_panics(log.clone());
    if let Err(error) = raise_open_files_limit() {
        warn!(log, "cannot raise the limit of open files"; "error" => %error, "next" => "serve as many as it allows");
    }
    let system = System::with_tokio_rt(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_keep_alive(BLOCKING_THREAD_IDLE)
            .build()
            .expect("a runtime of this thread needs descriptors and nothing else")
    });
    let exit = system.block_on(live(options, place, binary, ready, &log));
    drop(log);
    drop(guard);
    // A thread that hangs in the kernel must not hold up the end: nothing that it does is waited for.
    std::mem::forget(system);
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
    let mut signals = EndingSignals::listen().context("cannot take over the signals")?;
    let _pid_file = PidFile::lock(&options.pid_file())?;
    let mut listening = Listening::open(&options.socket())?;
    let (gate, mut opened) = watch::channel(false);
    let poll = Arc::new(poll_environment(options, place, binary));
    let door = Arc::new(DoorEnvironment {
        listener: listening.listener.try_clone().context("cannot keep the socket")?,
        gate: gate.subscribe(),
        wire: options.logs(LogKeyword::Wire),
        poll: Arc::clone(&poll),
        closing: CancellationToken::new(),
        sessions: TaskTracker::new(),
    });
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
        reason = root.ended() => return Ok(tree_failed(log, &reason)),
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

fn tree_failed(log: &Logger, reason: &ExitReason) -> ExitCode {
    error!(log, "the supervision tree has failed"; "reason" => %reason, "next" => "exit; children are left running");
    ExitCode::from(TREE_FAILED)
}

fn poll_environment(options: &LvmpolldOptions, place: &Place, binary: &Path) -> PollEnvironment {
    PollEnvironment {
        binary: binary.to_owned(),
        instance: place.instance.clone(),
        output_dir: place.output.clone(),
        inherited: inherited_environment(),
        verbose: options.logs(LogKeyword::Cmd),
        on_stop: Stop::EndChild,
        processes: Arc::new(OsProcesses::new(process_options())),
        kernel: Arc::new(DeviceMapper),
        starts: Semaphore::new(STARTS_AT_ONCE),
        orphans: Orphans::default(),
        activity: Activity::new(),
        // Nobody can read them here.
        events: Events::new(Metrics::new(), 0),
        started: tokio::time::Instant::now(),
    }
}

/// `LVMWARDEN_READ_EXITS=0` makes a new kernel tell as little of other programs' children as an old one.
fn process_options() -> OsProcessesOptions {
    let read_exit_of_strangers = std::env::var("LVMWARDEN_READ_EXITS").as_deref() != Ok("0");
    OsProcessesOptions { read_exit_of_strangers }
}

/// Returns what children inherit; their output is read, so it is in the C locale.
fn inherited_environment() -> BTreeMap<OsString, OsString> {
    let mut environment: BTreeMap<_, _> = std::env::vars_os().collect();
    for name in NOT_INHERITED {
        environment.remove(std::ffi::OsStr::new(name));
    }
    environment.insert("LC_ALL".into(), "C".into());
    environment
}
