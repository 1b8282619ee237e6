//! What is lvmlockd's own in the life of a stand-in: `stand_in.rs`. Only `quit` and SIGTERM end it, when no lock is held; a
//! refusal changes nothing.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_actors::foundation::door::DoorEnvironment;
use lvmwarden_actors::foundation::facts::events::Events;
use lvmwarden_actors::foundation::facts::metrics::Metrics;
use lvmwarden_actors::roles::lock::directory::{Closed, Directory};
use lvmwarden_actors::roles::lock::environment::LockEnvironment;
use lvmwarden_actors::roles::lock::host_id::HostId;
use lvmwarden_actors::roles::lock::lock_manager::sanlock::KILL_PROGRAM;
use lvmwarden_actors::roles::lock::metrics::LockMetrics;
use lvmwarden_actors::roles::lock::session::Lvmlockd;
use lvmwarden_actors::tree;
use lvmwarden_supervisor::SupervisorSpec;
use slog::{Logger, warn};
use tokio::sync::Notify;

use super::command_line::LvmlockdOptions;
use super::lock_dumps::LockDumps;
use super::lock_role::{self, LockRole};
use super::logging::LogRing;
use super::memory;
use super::place::Place;
use super::signals::SIGTERM;
use super::stand_in::{self, Life, Making, Serving, StandIn, Told};

/// Runs the daemon.
pub(crate) fn main(options: &LvmlockdOptions) -> ExitCode {
    if options.version {
        stand_in::show_version(Lockd::NAME);
        return ExitCode::SUCCESS;
    }
    stand_in::main(Lockd { options, ring: LogRing::default() })
}

struct Lockd<'options> {
    options: &'options LvmlockdOptions,
    ring: LogRing,
}

struct ServingLockd {
    lock: Arc<LockEnvironment>,
    quit: Arc<Notify>,
}

impl StandIn for Lockd<'_> {
    const NAME: &'static str = "lvmlockd";
    const LEFT_BEHIND: &'static str = "exit; locks stay with the lock managers";
    /// When the lockspaces were left.
    const STOP_DEADLINE: Duration = Duration::from_secs(2);
    type Serving = ServingLockd;

    fn told(&self) -> Told {
        Told {
            foreground: !self.options.is_background(),
            level: self.options.level(),
            pid_file: self.options.pid_file(),
            socket: self.options.socket(),
        }
    }

    fn log(&self, log: Logger) -> Logger {
        self.ring.beside(log)
    }

    async fn tree(&self, making: Making<'_>) -> anyhow::Result<(SupervisorSpec, ServingLockd)> {
        let Making { socket, gate, log } = making;
        let (options, metrics, quit) = (self.options, Metrics::new(), Arc::<Notify>::default());
        let place = Place::make(&options.socket())?;
        // Where no lock manager is asked, nothing is protected either.
        if !options.test {
            memory::stay(log);
        }
        let role = LockRole {
            test: options.test,
            gl_type: options.gl_type,
            host_id: host_id(options),
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
        let dumps = LockDumps { ring: self.ring.clone(), format: options.info_format, log: log.clone() };
        let protocol = Lvmlockd {
            lock: Arc::clone(&lock),
            dumps: Arc::new(dumps),
            quit: Arc::clone(&quit),
            metrics: LockMetrics::new(Arc::clone(&metrics)),
            wire: options.daemon_debug,
        };
        let door = DoorEnvironment::new(socket, gate.subscribe(), metrics, protocol);
        // Not less severe: by default this is all that is logged of a life without trouble.
        warn!(log, "lvmlockd starts"; "version" => env!("CARGO_PKG_VERSION"), "socket" => %place.instance.display(),
              "host_id" => ?host_id(options), "test" => options.test);
        Ok((tree::lock_daemon(place.journal, &lock, &door, gate), ServingLockd { lock, quit }))
    }
}

impl Serving for ServingLockd {
    /// No request is taken any more.
    type Kept = Closed;

    fn ends(&self, life: Life) -> impl Future<Output = (&'static str, Closed)> + 'static {
        let directory = Directory::new(life.registry, Arc::clone(&self.lock));
        let (quit, mut signals, log) = (Arc::clone(&self.quit), life.signals, life.log);
        async move {
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
    }

    fn stopped(&self) {
        if let Some(file) = &self.lock.memory.adopt_file {
            file.remove(&self.lock.book.open());
        }
    }
}

fn host_id(options: &LvmlockdOptions) -> HostId {
    match options.host_id_file() {
        Some(file) => HostId::File(file.to_owned()),
        None => HostId::Number(options.host_id),
    }
}
