//! The signals that end the daemon.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that the C daemons take as a request to end in order.
///
/// Source: lvm2 2.03.16, seen: SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGALRM.
const ENDING: [(&str, SignalKind); 5] = [
    ("SIGTERM", SignalKind::terminate()),
    ("SIGINT", SignalKind::interrupt()),
    ("SIGHUP", SignalKind::hangup()),
    ("SIGQUIT", SignalKind::quit()),
    ("SIGALRM", SignalKind::alarm()),
];

/// The signals that end the daemon, from now on.
pub(crate) struct EndingSignals(Vec<(&'static str, Signal)>);

impl EndingSignals {
    /// Takes the signals over.
    ///
    /// # Errors
    /// The error of sigaction(2).
    pub(crate) fn listen() -> io::Result<Self> {
        ENDING.into_iter().map(|(name, kind)| Ok((name, signal(kind)?))).collect::<io::Result<_>>().map(Self)
    }

    /// Waits for one of them and returns its name.
    ///
    /// # Cancel safety
    /// Cancel-safe: a signal that comes while nobody waits is found by the next wait.
    pub(crate) async fn next(&mut self) -> &'static str {
        std::future::poll_fn(|context| {
            for (name, signal) in &mut self.0 {
                if signal.poll_recv(context).is_ready() {
                    return std::task::Poll::Ready(*name);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}
