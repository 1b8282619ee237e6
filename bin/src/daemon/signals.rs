//! The signals that a daemon listens to.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that a stand-in for a C daemon takes over. All of them end lvmpolld in order; only [`SIGTERM`] may end
/// lvmlockd.
///
/// Source: lvm2 2.03.16, seen: SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGALRM.
pub(super) const STAND_IN: [(&str, SignalKind); 5] = [
    (SIGTERM, SignalKind::terminate()),
    ("SIGINT", SignalKind::interrupt()),
    (SIGHUP, SignalKind::hangup()),
    ("SIGQUIT", SignalKind::quit()),
    ("SIGALRM", SignalKind::alarm()),
];

/// The signals of the service: all but [`SIGHUP`] end it in order.
pub(super) const SERVICE: [(&str, SignalKind); 3] =
    [(SIGTERM, SignalKind::terminate()), ("SIGINT", SignalKind::interrupt()), (SIGHUP, SignalKind::hangup())];

/// The name of the signal that asks for an orderly end.
pub(super) const SIGTERM: &str = "SIGTERM";

/// The name of the signal that makes the service read its configuration again.
pub(super) const SIGHUP: &str = "SIGHUP";

/// Signals that were taken over.
pub(super) struct Signals(Vec<(&'static str, Signal)>);

impl Signals {
    /// Takes signals over, from now on.
    ///
    /// # Errors
    /// The error of sigaction(2).
    pub(super) fn listen(kinds: &[(&'static str, SignalKind)]) -> io::Result<Self> {
        kinds.iter().map(|&(name, kind)| Ok((name, signal(kind)?))).collect::<io::Result<_>>().map(Self)
    }

    /// Waits for one of them and returns its name.
    ///
    /// # Cancel safety
    /// Cancel-safe: a signal that comes while nobody waits is found by the next wait.
    pub(super) async fn next(&mut self) -> &'static str {
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
