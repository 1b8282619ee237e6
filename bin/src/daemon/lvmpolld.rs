//! What is lvmpolld's own in the life of a stand-in: `stand_in.rs`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_actors::foundation::activity::Activity;
use lvmwarden_actors::foundation::door::DoorEnvironment;
use lvmwarden_actors::foundation::facts::events::Events;
use lvmwarden_actors::foundation::facts::metrics::Metrics;
use lvmwarden_actors::roles::poll::environment::STARTS_AT_ONCE;
use lvmwarden_actors::roles::poll::operation::state::Stop;
use lvmwarden_actors::roles::poll::operation::turns::Rules;
use lvmwarden_actors::roles::poll::session::Lvmpolld;
use lvmwarden_actors::tree;
use lvmwarden_supervisor::SupervisorSpec;
use slog::{Level, info};

use super::client;
use super::command_line::{LogKeyword, LvmpolldOptions};
use super::place::Place;
use super::poll_role::{PollRole, executable};
use super::stand_in::{self, Life, Making, Serving, StandIn, Told};

/// lvm's own default.
const INTERVAL_SECONDS: u32 = 15;

/// Runs the daemon, or the client that `--dump` is.
pub(crate) fn main(options: &LvmpolldOptions) -> ExitCode {
    if options.version {
        stand_in::show_version(Polld::NAME);
        ExitCode::SUCCESS
    } else if options.dump {
        let dumped = client::dump(&options.socket());
        dumped.map_or_else(|error| stand_in::complain(Polld::NAME, &error), |()| ExitCode::SUCCESS)
    } else {
        stand_in::main(Polld { options, binary: options.binary() })
    }
}

struct Polld<'options> {
    options: &'options LvmpolldOptions,
    /// Absolute, once it was checked.
    binary: PathBuf,
}

struct ServingPolld {
    activity: Activity,
    timeout: Option<Duration>,
}

impl StandIn for Polld<'_> {
    const NAME: &'static str = "lvmpolld";
    const LEFT_BEHIND: &'static str = "exit; children are left running";
    /// Who stops lvmpolld waits two seconds for it before killing.
    const STOP_DEADLINE: Duration = Duration::from_millis(1900);
    type Serving = ServingPolld;

    fn told(&self) -> Told {
        let level = if self.options.logs(LogKeyword::Wire) {
            Level::Trace
        } else if self.options.logs(LogKeyword::Debug) {
            Level::Debug
        } else {
            Level::Info
        };
        Told {
            foreground: self.options.foreground,
            level,
            pid_file: self.options.pid_file(),
            socket: self.options.socket(),
        }
    }

    fn check(&mut self) -> anyhow::Result<()> {
        self.binary = executable(&self.binary)?;
        Ok(())
    }

    async fn tree(&self, making: Making<'_>) -> anyhow::Result<(SupervisorSpec, ServingPolld)> {
        let Making { socket, gate, log } = making;
        let (options, metrics) = (self.options, Metrics::new());
        let place = Place::make(&options.socket())?;
        let poll = PollRole {
            binary: self.binary.clone(),
            verbose: options.logs(LogKeyword::Cmd),
            // As the C daemon's: with -f where it was started, which scripts that stand in for lvm rely on.
            directory: (!options.foreground).then(|| "/".into()),
            mode: options.mode.into(),
            on_stop: Stop::EndChild,
            starts_at_once: STARTS_AT_ONCE,
            rules: Rules::default(),
            // Nobody leaves that open: lvm always says.
            interval_seconds: INTERVAL_SECONDS,
            // Nobody can read them here.
            events: Events::new(Arc::clone(&metrics), 0),
        };
        let poll = Arc::new(poll.environment(&place));
        let protocol = Lvmpolld {
            poll: Arc::clone(&poll),
            metrics: Arc::clone(&metrics),
            wire: options.logs(LogKeyword::Wire),
        };
        let door = DoorEnvironment::new(socket, gate.subscribe(), metrics, protocol);
        info!(log, "lvmpolld starts"; "version" => env!("CARGO_PKG_VERSION"), "socket" => %place.instance.display(),
              "binary" => %poll.binary.display(), "journal" => %place.journal.display());
        let serving = ServingPolld { activity: poll.activity.clone(), timeout: options.timeout() };
        Ok((tree::poll_daemon(place.journal, &poll, &door, gate), serving))
    }
}

impl Serving for ServingPolld {
    type Kept = ();

    fn ends(&self, life: Life) -> impl Future<Output = (&'static str, ())> + 'static {
        let (activity, timeout) = (self.activity.clone(), self.timeout);
        async move { (life.signal_or_idle(activity, timeout).await, ()) }
    }
}
