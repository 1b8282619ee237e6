//! What is lvmetad's own in the life of a stand-in: `stand_in.rs`. The cache is empty at first; the first command that comes
//! fills it.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use lvmwarden_actors::foundation::door::DoorEnvironment;
use lvmwarden_actors::foundation::facts::metrics::Metrics;
use lvmwarden_actors::roles::metadata::session::Lvmetad;
use lvmwarden_actors::roles::metadata::settings::MetadataEnvironment;
use lvmwarden_actors::tree;
use lvmwarden_supervisor::SupervisorSpec;
use slog::{Logger, info, warn};
use tokio::time::timeout;

use super::command_line::LvmetadOptions;
use super::stand_in::{self, Life, Making, Serving, StandIn, Told};

/// How long clients that are connected keep a daemon that was told to end. (They keep the C daemon for ever.)
const LEAVE_DEADLINE: Duration = Duration::from_secs(5);
/// How long nobody may be connected before it counts as everybody having left.
const LEFT: Duration = Duration::from_millis(20);
/// The exit code of `-V`, and of `-h` where it is not asked for in so many words.
///
/// Source: lvm2 2.02.188, seen.
const VERSION_SHOWN: u8 = 1;

/// Runs the daemon.
pub(crate) fn main(options: &LvmetadOptions) -> ExitCode {
    if options.version {
        stand_in::show_version(Metad::NAME);
        return ExitCode::from(VERSION_SHOWN);
    }
    stand_in::main(Metad { options })
}

struct Metad<'options> {
    options: &'options LvmetadOptions,
}

struct ServingMetad {
    metadata: Arc<MetadataEnvironment>,
    timeout: Option<Duration>,
}

impl StandIn for Metad<'_> {
    const NAME: &'static str = "lvmetad";
    const LEFT_BEHIND: &'static str = "exit; the next command fills a new cache";
    const STOP_DEADLINE: Duration = Duration::from_secs(2);
    type Serving = ServingMetad;

    fn told(&self) -> Told {
        Told {
            foreground: self.options.foreground,
            level: self.options.level(),
            pid_file: self.options.pid_file(),
            socket: self.options.socket(),
        }
    }

    async fn tree(&self, making: Making<'_>) -> anyhow::Result<(SupervisorSpec, ServingMetad)> {
        let Making { socket, gate, log } = making;
        let (metadata, metrics) = (Arc::<MetadataEnvironment>::default(), Metrics::new());
        let protocol = Lvmetad {
            metadata: Arc::clone(&metadata),
            metrics: Arc::clone(&metrics),
            wire: self.options.logs_wire(),
        };
        let door = DoorEnvironment::new(socket, gate.subscribe(), metrics, protocol);
        info!(log, "lvmetad starts"; "version" => env!("CARGO_PKG_VERSION"),
              "socket" => %self.options.socket().display());
        // Nothing has to be recovered.
        gate.send_replace(true);
        Ok((tree::metadata_daemon(&door), ServingMetad { metadata, timeout: self.options.timeout() }))
    }
}

impl Serving for ServingMetad {
    type Kept = ();

    fn ends(&self, life: Life) -> impl Future<Output = (&'static str, ())> + 'static {
        let (activity, timeout) = (self.metadata.activity.clone(), self.timeout);
        async move { (life.signal_or_idle(activity, timeout).await, ()) }
    }

    async fn before_stop(&self, log: &Logger) {
        if timeout(LEAVE_DEADLINE, self.metadata.activity.idle(LEFT)).await.is_err() {
            warn!(log, "clients are still connected"; "next" => "their connections are closed");
        }
    }
}
