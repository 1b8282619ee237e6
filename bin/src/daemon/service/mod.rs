//! The life of the service.
//!
//! 1. Reads its configuration, and says what is wrong with it; takes over the signals; takes over or makes its sockets.
//! 2. Starts the supervision tree: the journal, recovery of what an earlier life left behind, and the doors.
//! 3. Tells systemd that it is ready when clients are served, and from then on what it does and that it is alive.
//! 4. Reads its configuration again whenever it gets SIGHUP: `reload.rs`.
//! 5. Ends in order, when it is told to or the tree gives up: no new client, and running operations are left alone, for
//!    the next life to go on with.
//!
//! A service that is killed does nothing of step 5, and loses nothing by that.

mod assembly;
mod companions;
mod control;
mod doors;
mod reload;
mod systemd;

use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use lvmwarden_actors::foundation::facts::events::Events;
use lvmwarden_actors::foundation::facts::metrics::Metrics;
use lvmwarden_actors::foundation::facts::occurrence::Occurrence;
use lvmwarden_actors::foundation::names;
use lvmwarden_actors::role::Roles;
use lvmwarden_actors::roles::poll::throttle::{GiveBack, Throttler};
use lvmwarden_actors::service::ServiceEnvironment;
use lvmwarden_supervisor::{Root, log_panics, start_root_observed};
use slog::{Logger, error, info, warn};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::command_line::ServiceOptions;
use super::config::{Config, Role, Source, differences, impossible, not_yet_possible};
use super::lock_dumps::LockDumps;
use super::lock_role;
use super::logging::{self, Destination, LogControl, LogRing};
use super::memory;
use super::place::{NewerJournal, Place};
use super::runtime::{self, TREE_FAILED};
use super::signals::{self, SIGHUP, Signals};
use super::sockets::is_passed;
use assembly::Voices;
use companions::Companions;
use control::{LevelControl, ServiceControl};
use doors::Doors;
use reload::Reloader;
use systemd::{Notice, Systemd};

/// The exit code for a configuration that is refused: to start again does not help.
const CONFIGURATION_REFUSED: u8 = 2;
/// How long giving the kernel's knobs back may take at the end.
const THROTTLE_DEADLINE: Duration = Duration::from_secs(2);
/// How long the reason for a refused end is not told again.
const REFUSAL_PAUSE: Duration = Duration::from_secs(10);
/// How long an orderly end may take.
const STOP_DEADLINE: Duration = Duration::from_secs(20);

/// Runs the service, or checks its configuration.
pub(super) fn main(options: &ServiceOptions) -> ExitCode {
    let source = options.source();
    match source.load() {
        Err(error) => {
            complain(&format!("{:#}", anyhow::Error::from(error)));
            ExitCode::from(CONFIGURATION_REFUSED)
        }
        Ok(config) if options.check_config => check(&config, &source),
        Ok(config) => start(RolesBySocket::find().add_to(config), source, options),
    }
}

fn start(config: Config, source: Source, options: &ServiceOptions) -> ExitCode {
    match impossible(&config) {
        problems if !problems.is_empty() => refuse(&source, &problems),
        _possible => serve(config, source, options).unwrap_or_else(|error| {
            complain(&format!("lvmwardend: {error:#}"));
            NewerJournal::exit_code_of(&error).unwrap_or(ExitCode::FAILURE)
        }),
    }
}

/// The roles that are off by default and whose sockets systemd hands over: whoever enables such a socket turns its role on.
#[derive(Debug, Clone, Copy)]
struct RolesBySocket {
    lock: bool,
}

impl RolesBySocket {
    /// Looks for them; once, before the sockets are taken over.
    fn find() -> Self {
        Self { lock: is_passed("lvmlockd") }
    }

    /// Adds them to what the file says.
    fn add_to(self, mut config: Config) -> Config {
        if self.lock && !config.plays(Role::Lock) {
            config.service.roles.push(Role::Lock);
        }
        config
    }
}

/// Tells whether a start with this configuration can succeed now.
fn check(config: &Config, source: &Source) -> ExitCode {
    let problems = [impossible(config), not_yet_possible(config)].concat();
    if problems.is_empty() {
        say_checked(config, source);
        ExitCode::SUCCESS
    } else {
        refuse(source, &problems)
    }
}

fn refuse(source: &Source, problems: &[String]) -> ExitCode {
    for problem in problems {
        complain(&format!("{}: {problem}", source.path().display()));
    }
    ExitCode::from(CONFIGURATION_REFUSED)
}

#[expect(clippy::print_stderr, reason = "there is no log yet, or no more")]
fn complain(what: &str) {
    eprintln!("{what}");
}

#[expect(clippy::print_stdout, reason = "it is what was asked for")]
fn say_checked(config: &Config, source: &Source) {
    let path = source.path();
    let found = if path.exists() { "ok" } else { "absent: every key has its default" };
    println!("{}: {found}", path.display());
    for difference in differences(config) {
        println!("  {difference}");
    }
}

fn serve(config: Config, source: Source, options: &ServiceOptions) -> anyhow::Result<ExitCode> {
    let level = options.log_level.unwrap_or(config.log.level);
    let (log, log_control, guard) = logging::open(Destination::Stderr(config.log.format), level);
    log_panics(log.clone());
    let (level_by_hand, by_socket) = (options.log_level, RolesBySocket::find());
    let reloader = Reloader { source, config, level_by_hand, by_socket };
    let ring = LogRing::default();
    let log = if reloader.config.plays(Role::Lock) { ring.beside(log) } else { log };
    if reloader.config.plays(Role::Lock) {
        memory::stay(&log);
    }
    let dumps = LockDumps { ring, format: reloader.config.lock.lvmlockctl, log: log.clone() };
    let life = live(reloader, log.clone(), log_control, dumps);
    // A task of its own: what is waited for outside of any is looked at whenever anything happens.
    let exit = runtime::run(&log, async { actix_rt::spawn(life).await });
    drop(log);
    drop(guard);
    exit.context("the service has panicked").flatten()
}

async fn live(
    mut reloader: Reloader,
    log: Logger,
    log_control: LogControl,
    dumps: LockDumps,
) -> anyhow::Result<ExitCode> {
    // First: whoever sees the sockets may ask for an orderly end at once.
    let mut signals = Signals::listen(&signals::SERVICE).context("cannot take over the signals")?;
    let config = &reloader.config;
    let place = Place::make(config.instance())?;
    let mut doors = Doors::open(config, &log)?;
    let metrics = Metrics::new();
    let events = Events::new(Arc::clone(&metrics), config.events.keep as usize);
    let level = LevelControl { log: log.clone(), control: log_control, events: events.clone() };
    let (stop, mut stops) = mpsc::channel(1);
    let control = Arc::new(ServiceControl { level: level.clone(), stop });
    let roles = assembly::roles(config, &doors, &place, &events, &metrics, dumps)?;
    let environment =
        assembly::environment(config, &doors, &place, Voices { control, events, metrics }, &roles);
    if let Some(lock) = &roles.lock.served {
        lock_role::check(&lock.environment, &log).await;
    }
    let (gate, open) = watch::channel(false);
    let tree = assembly::tree(&doors, &place, &environment, gate).context("cannot keep the sockets")?;
    info!(log, "lvmwardend starts"; "version" => env!("CARGO_PKG_VERSION"), "configuration" => %reloader.source.path().display(),
          "roles" => environment.info.roles.join(" "), "instance" => &environment.info.instance);
    environment.events.publish(&Occurrence::ServiceStarted { version: env!("CARGO_PKG_VERSION") });
    let observer = Arc::new(environment.events.clone());
    let root = Rc::new(start_root_observed(tree, log.clone(), observer));
    let (systemd, sending) = Systemd::open(log.clone());
    let companions = Companions::start(&root, open, &environment, &systemd, &log);
    let mut refusals = Refusals::default();
    let why = loop {
        // Each arm may be dropped: signals and wishes to end are kept, and an end stays one.
        tokio::select! {
            reason = root.ended() => {
                error!(log, "the supervision tree has failed"; "reason" => %reason, "next" => "exit; children are left running");
                return Ok(ExitCode::from(TREE_FAILED));
            }
            signal = signals.next() => match signal {
                SIGHUP => reloader.reload(&log, &level, &roles, &environment.events, &systemd).await,
                signal => match environment.why_not_to_end(&root.registry()).await {
                    None => break signal.to_owned(),
                    Some(refusal) => refusals.tell(signal, refusal, &environment, &log),
                },
            },
            Some(asked) = stops.recv() => break asked.prepare(&roles),
        }
    };
    info!(log, "lvmwardend ends"; "why" => &why);
    environment.events.publish(&Occurrence::ServiceStopping { why });
    systemd.tell(Notice::Stopping(STOP_DEADLINE));
    drop(companions);
    doors.unlink();
    give_throttles_back(&root, &roles, &log).await;
    end(&root, &log).await;
    systemd.close(sending).await;
    Ok(ExitCode::SUCCESS)
}

/// The ends that were refused; sanlock asks for one each second.
#[derive(Default)]
struct Refusals(Option<(String, Instant)>);

impl Refusals {
    /// Says why a signal does not end the service, unless that was said a moment ago.
    fn tell(&mut self, signal: &str, why: String, environment: &ServiceEnvironment, log: &Logger) {
        let is_told = |(told, when): &(String, Instant)| *told == why && when.elapsed() < REFUSAL_PAUSE;
        if self.0.as_ref().is_some_and(is_told) {
            return;
        }
        warn!(log, "does not end"; "asked_by" => signal, "why" => &why,
              "next" => "all other VGs are served as before; systemd kills a daemon that it stops after TimeoutStopSec");
        environment.events.publish(&Occurrence::ServiceStopRefused { why: why.clone() });
        self.0 = Some((why, Instant::now()));
    }
}

/// Nobody would do it later: the next life may never come.
async fn give_throttles_back(root: &Root, roles: &Roles, log: &Logger) {
    if roles.poll.served.is_none() {
        return;
    }
    let asked = GiveBack { why: "the service ends" };
    let given = root.registry().ask::<Throttler, _>(&names::THROTTLE, asked, THROTTLE_DEADLINE).await;
    if let Err(error) = given.map_err(|error| error.to_string()).flatten() {
        warn!(log, "throttles are not given back"; "error" => error, "next" => "the next life does it");
    }
}

async fn end(root: &Root, log: &Logger) {
    for name in root.stop(STOP_DEADLINE).await.killed {
        warn!(log, "did not end in time"; "name" => %name, "next" => "its child is left running");
    }
}
