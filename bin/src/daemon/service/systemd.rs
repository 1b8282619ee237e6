//! What systemd is told, and when.
//!
//! Where nothing was started by systemd, nothing is told. A systemd that does not listen holds nobody up: what it is
//! told goes through a short queue, is sent by a thread that may wait, and is dropped when the queue is full.

use std::io;
use std::time::Duration;

use sd_notify::NotifyState;
use slog::{Logger, warn};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::text::plain;

/// How much may wait to be sent.
const QUEUE: usize = 16;
/// How long the last words may take.
const LAST_WORDS_DEADLINE: Duration = Duration::from_secs(1);

/// One thing to tell.
///
/// Source: `sd_notify(3)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Notice {
    /// Clients are served; also: the configuration was read again.
    Ready,
    /// What the daemon is doing, in a line for people; a second line would be another order to systemd.
    Status(String),
    /// The daemon is alive.
    Watchdog,
    /// The configuration is being read again.
    Reloading,
    /// The daemon ends, for which it needs at most so long.
    Stopping(Duration),
}

impl Notice {
    fn send(&self) -> io::Result<()> {
        match self {
            Self::Ready => sd_notify::notify(&[NotifyState::Ready]),
            Self::Status(words) => sd_notify::notify(&[NotifyState::Status(&plain(words))]),
            Self::Watchdog => sd_notify::notify(&[NotifyState::Watchdog]),
            Self::Reloading => {
                sd_notify::notify(&[NotifyState::Reloading, NotifyState::monotonic_usec_now()?])
            }
            Self::Stopping(within) => {
                let micros = u32::try_from(within.as_micros()).unwrap_or(u32::MAX);
                sd_notify::notify(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(micros)])
            }
        }
    }
}

/// The way to systemd. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Systemd {
    queue: mpsc::Sender<Notice>,
}

impl Systemd {
    /// Opens it; the task sends what is told, in order, and ends when nobody can tell any more.
    pub(super) fn open(log: Logger) -> (Self, JoinHandle<()>) {
        let (queue, mut notices) = mpsc::channel::<Notice>(QUEUE);
        let sending = actix_rt::spawn(async move {
            while let Some(notice) = notices.recv().await {
                // One at a time: a systemd that hangs costs one thread.
                let sent = actix_rt::task::spawn_blocking(move || notice.send()).await;
                if let Ok(Err(error)) = sent {
                    warn!(log, "cannot tell systemd"; "error" => %error, "next" => "go on");
                }
            }
        });
        (Self { queue }, sending)
    }

    /// Tells it, as soon as it listens.
    pub(super) fn tell(&self, notice: Notice) {
        // What is dropped is old by the time that systemd listens again.
        let _ = self.queue.try_send(notice);
    }

    /// Waits until all is sent that was told, if this was the last clone; not for long.
    pub(super) async fn close(self, sending: JoinHandle<()>) {
        drop(self.queue);
        // A systemd that does not listen even now will see the end by itself.
        let _ = timeout(LAST_WORDS_DEADLINE, sending).await;
    }
}

/// Returns how soon systemd wants a sign of life each time; `None`: it does not watch.
pub(super) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|period| !period.is_zero())
}

/// Gives a sign of life twice in each `period`, each time only after `is_alive` has said so.
///
/// Never returns. `is_alive` is given a quarter of the period to answer.
pub(super) async fn feed_watchdog(
    period: Duration,
    systemd: &Systemd,
    log: &Logger,
    is_alive: impl AsyncFn(Duration) -> bool,
) {
    let mut ticks = interval(period / 2);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if is_alive(period / 4).await {
            systemd.tell(Notice::Watchdog);
        } else {
            warn!(log, "the supervision tree does not answer"; "next" => "systemd ends the daemon unless it soon does");
        }
    }
}

#[cfg(test)]
mod tests;
