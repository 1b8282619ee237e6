//! The life of a daemon that stands in for a C daemon, whichever that is.
//!
//! 1. Checks what it was told; goes into the background; takes over the signals; locks the pid file; makes the socket.
//! 2. Starts the supervision tree, which recovers what an earlier life left behind, and opens its door.
//! 3. Serves until there is a reason to end, or the tree gives up.
//! 4. Ends in order: no new client, the tree stopped from its doors inwards, socket and pid file removed.
//!
//! A daemon that is killed does nothing of step 4, and loses nothing by that. A daemon without a socket would be of no use
//! to anybody: whoever starts it in the background learns of that. (Some C daemons live on, and say that all is well.)
//!
//! [`StandIn`] and [`Serving`] are what differs: `lvmpolld.rs`, `lvmlockd.rs`, `lvmetad.rs`.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use lvmwarden_actors::foundation::activity::Activity;
use lvmwarden_supervisor::sys::{Background, ReadyPipe, fork_into_background};
use lvmwarden_supervisor::{Registry, SupervisorSpec, log_panics, start_root};
use sd_notify::NotifyState;
use slog::{Level, Logger, error, info, warn};
use tokio::sync::watch;

use super::logging::{self, Destination, Format};
use super::pid_file::{self, PidFile, PidFileError};
use super::place::NewerJournal;
use super::runtime::{self, TREE_FAILED};
use super::signals::{self, Signals};
use super::sockets::{HandedOver, Listening, Wanted};

/// What every stand-in is told, in the words of its own C daemon.
pub(super) struct Told {
    /// Stay in the foreground.
    pub(super) foreground: bool,
    /// The least severe lines that are logged.
    pub(super) level: Level,
    /// The pid file, locked while the daemon runs.
    pub(super) pid_file: PathBuf,
    /// The socket.
    pub(super) socket: PathBuf,
}

/// What a supervision tree is made with.
pub(super) struct Making<'life> {
    /// The tree's door.
    pub(super) socket: UnixListener,
    /// Turns true when clients are served.
    pub(super) gate: &'life watch::Sender<bool>,
    /// Is told what starts.
    pub(super) log: &'life Logger,
}

/// What differs between the daemons that stand in for C daemons, until they serve.
pub(super) trait StandIn: Sized {
    /// The name of the C daemon.
    const NAME: &'static str;
    /// What becomes of its work when it ends out of order, in words.
    const LEFT_BEHIND: &'static str;
    /// How long an orderly end may take.
    const STOP_DEADLINE: Duration;

    /// What serves.
    type Serving: Serving;

    /// Returns what it was told.
    fn told(&self) -> Told;

    /// Checks what can be checked while somebody is at the terminal.
    fn check(&mut self) -> anyhow::Result<()> {
        Ok(())
    }

    /// Returns the log as it is to be.
    fn log(&self, log: Logger) -> Logger {
        log
    }

    /// Says what starts, and makes its supervision tree.
    async fn tree(&self, making: Making<'_>) -> anyhow::Result<(SupervisorSpec, Self::Serving)>;
}

/// What differs between them from then on. The functions are called in this order.
pub(super) trait Serving {
    /// What has to be kept until the end, from the moment at which there is a reason for that.
    type Kept: 'static;

    /// Waits for a reason to end, and returns it in a word.
    ///
    /// Runs as a task of its own: what waits for signals is looked at whenever anything happens to it.
    fn ends(&self, life: Life) -> impl Future<Output = (&'static str, Self::Kept)> + 'static;

    /// Waits for what should end before the tree is stopped; nobody can connect any more.
    async fn before_stop(&self, _log: &Logger) {}

    /// Does what remains when the tree has stopped in order.
    fn stopped(&self) {}
}

/// What a reason to end may come from.
pub(super) struct Life {
    /// The signals.
    pub(super) signals: Signals,
    /// Turns true when clients are served.
    pub(super) served: watch::Receiver<bool>,
    /// The actors of the tree.
    pub(super) registry: Registry,
    /// Is told why it goes on.
    pub(super) log: Logger,
}

impl Life {
    /// Waits for any signal, or until nobody has needed the daemon for `timeout`, if that is given; returns which.
    pub(super) async fn signal_or_idle(
        mut self,
        activity: Activity,
        timeout: Option<Duration>,
    ) -> &'static str {
        let idle = async {
            // The other end of the gate lives as long as the daemon.
            let _ = self.served.wait_for(|served| *served).await;
            match timeout {
                Some(timeout) => activity.idle(timeout).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            signal = self.signals.next() => signal,
            () = idle => "idle",
        }
    }
}

/// Runs the daemon to its end.
pub(super) fn main<S: StandIn>(mut stand_in: S) -> ExitCode {
    start(&mut stand_in).unwrap_or_else(|error| complain(S::NAME, &error))
}

fn start<S: StandIn>(stand_in: &mut S) -> anyhow::Result<ExitCode> {
    stand_in.check()?;
    let told = stand_in.told();
    if told.foreground {
        return serve(stand_in, &told, None);
    }
    match fork_into_background().context("cannot go into the background")? {
        Background::Parent { exit_code } => Ok(ExitCode::from(u8::try_from(exit_code).unwrap_or(1))),
        Background::Child(ready) => serve(stand_in, &told, Some(ready)),
    }
}

/// Serves until the end, and returns how it ended.
fn serve<S: StandIn>(stand_in: &S, told: &Told, ready: Option<ReadyPipe>) -> anyhow::Result<ExitCode> {
    let destination = match ready {
        Some(_) => Destination::Syslog(S::NAME),
        None => Destination::Stderr(Format::Auto),
    };
    let (log, _, guard) = logging::open(destination, told.level);
    let log = stand_in.log(log);
    log_panics(log.clone());
    let exit = runtime::run(&log, live(stand_in, told, ready, &log));
    drop(log);
    drop(guard);
    exit
}

async fn live<S: StandIn>(
    stand_in: &S,
    told: &Told,
    ready: Option<ReadyPipe>,
    log: &Logger,
) -> anyhow::Result<ExitCode> {
    // First: whoever sees the files may ask for an orderly end at once.
    let signals = Signals::listen(&signals::STAND_IN).context("cannot take over the signals")?;
    let _pid_file = PidFile::lock(&told.pid_file)?;
    let wanted = Wanted::by_root(S::NAME, &told.socket);
    let mut listening = Listening::open(&wanted, &mut HandedOver::take()?)?;
    let socket = listening.listener.try_clone().context("cannot keep the socket")?;
    let (gate, served) = watch::channel(false);
    let (tree, serving) = stand_in.tree(Making { socket, gate: &gate, log }).await?;
    let root = start_root(tree, log.clone());
    let life = Life { signals, served: served.clone(), registry: root.registry(), log: log.clone() };
    let ends = actix_rt::spawn(serving.ends(life));
    let becomes_ready = async {
        tell_ready(served, ready, log).await?;
        std::future::pending::<anyhow::Result<()>>().await
    };
    // Each arm may be dropped: a daemon that ends need not become ready, and an end stays one.
    let (why, _kept) = tokio::select! {
        reason = root.ended() => {
            error!(log, "the supervision tree has failed"; "reason" => %reason, "next" => S::LEFT_BEHIND);
            return Ok(ExitCode::from(TREE_FAILED));
        }
        ended = ends => ended.context("the wait for signals has panicked")?,
        failed = becomes_ready => return failed.map(|()| ExitCode::SUCCESS),
    };
    info!(log, "{} ends", S::NAME; "why" => why);
    listening.unlink();
    serving.before_stop(log).await;
    for name in root.stop(S::STOP_DEADLINE).await.killed {
        warn!(log, "did not end in time"; "name" => %name, "next" => S::LEFT_BEHIND);
    }
    serving.stopped();
    Ok(ExitCode::SUCCESS)
}

/// Tells whoever started the daemon when clients are served.
async fn tell_ready(
    mut served: watch::Receiver<bool>,
    ready: Option<ReadyPipe>,
    log: &Logger,
) -> anyhow::Result<()> {
    // The other end of the gate lives as long as the daemon.
    let _ = served.wait_for(|served| *served).await;
    // Nobody is told unless systemd has started us and waits for it, as the unit of lvmlockd says.
    if let Err(error) = sd_notify::notify(&[NotifyState::Ready]) {
        warn!(log, "cannot tell systemd that clients are served"; "error" => %error, "next" => "serve them");
    }
    ready.map_or(Ok(()), |ready| ready.ready().context("cannot tell that the daemon is ready"))
}

/// Shows the version.
#[expect(clippy::print_stdout, reason = "it is what was asked for")]
pub(super) fn show_version(name: &str) {
    println!("{name} version: {} (lvmwarden)", env!("CARGO_PKG_VERSION"));
}

/// Tells why the daemon does not run, and returns the exit code of the C daemons for that.
#[expect(clippy::print_stderr, reason = "there is no log yet, and somebody at the terminal")]
pub(super) fn complain(name: &str, error: &anyhow::Error) -> ExitCode {
    eprintln!("{name}: {error:#}");
    let is_pid_file = error.downcast_ref::<PidFileError>().is_some();
    if is_pid_file {
        ExitCode::from(pid_file::EXIT_CODE)
    } else {
        NewerJournal::exit_code_of(error).unwrap_or(ExitCode::FAILURE)
    }
}
