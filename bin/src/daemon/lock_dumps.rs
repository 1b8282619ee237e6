//! How lvmlockctl gets what is long: in datagrams to a socket of its own, after the reply that says how much will come.
//!
//! The socket has one name for all, so anybody may have taken it, or nobody. Whoever listens and does not read loses the
//! rest: nobody waits for it.
//!
//! Source: lvm2 2.03.16, lvmlockctl.c.

use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram as StdDatagram};
use std::time::Duration;

use bytes::Bytes;
use lvmwarden_protocol::lock::info::InfoFormat;
use slog::{Logger, info};
use tokio::net::UnixDatagram;
use tokio::time::timeout;

use super::logging::LogRing;

/// The abstract name of lvmlockctl's socket.
const SOCKET: &[u8] = b"lvmlockd-dump.sock";
/// The largest datagram.
const DATAGRAM_BYTES: usize = 65536;
/// How long the receiver may take for all of it.
const DEADLINE: Duration = Duration::from_secs(5);

/// What lvmlockctl can ask for, and the way to it.
#[derive(Debug)]
pub(crate) struct LockDumps {
    /// The latest lines of the log.
    pub(crate) ring: LogRing,
    /// Which lvmlockctl is to understand the lists.
    pub(crate) format: InfoFormat,
    /// Is told what could not be sent.
    pub(crate) log: Logger,
}

impl LockDumps {
    /// Returns the latest lines of the log, oldest first.
    pub(crate) fn log(&self) -> Bytes {
        self.ring.text()
    }

    /// Begins to send a dump to whoever listens. Must be called within the runtime.
    pub(crate) fn send(&self, dump: Bytes) {
        let log = self.log.clone();
        actix_rt::spawn(async move {
            let sent = timeout(DEADLINE, send(SOCKET, &dump)).await;
            let sent = sent.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            if let Err(error) = sent {
                info!(log, "cannot send a dump"; "bytes" => dump.len(), "error" => %error, "next" => "drop the rest of it");
            }
        });
    }
}

/// Sends all of `dump` to the socket with this abstract name.
///
/// # Cancel safety
/// What was sent remains sent.
async fn send(receiver: &[u8], dump: &[u8]) -> io::Result<()> {
    let socket = StdDatagram::unbound()?;
    socket.connect_addr(&SocketAddr::from_abstract_name(receiver)?)?;
    socket.set_nonblocking(true)?;
    let socket = UnixDatagram::from_std(socket)?;
    for datagram in dump.chunks(DATAGRAM_BYTES) {
        socket.send(datagram).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(name: &str) -> (Vec<u8>, StdDatagram) {
        let name = format!("lvmwarden-{name}-{}", std::process::id()).into_bytes();
        let socket = StdDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        (name, socket)
    }

    #[tokio::test]
    async fn a_dump_comes_in_order_as_fast_as_it_is_read() {
        let (name, socket) = receiver("reads");
        let dump: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        let len = dump.len();
        let received = std::thread::spawn(move || {
            let mut all = Vec::new();
            let mut chunk = vec![0; 2 * DATAGRAM_BYTES];
            while all.len() < len {
                let count = socket.recv(&mut chunk).unwrap();
                assert!(count <= DATAGRAM_BYTES);
                all.extend_from_slice(&chunk[..count]);
            }
            all
        });
        timeout(DEADLINE, send(&name, &dump)).await.unwrap().unwrap();
        assert!(received.join().unwrap() == dump);
    }

    #[tokio::test]
    async fn nobody_waits_for_who_does_not_read_or_does_not_listen() {
        let (name, _socket) = receiver("sleeps");
        let dump = vec![0; 4 * 1024 * 1024];
        assert!(timeout(Duration::from_millis(200), send(&name, &dump)).await.is_err());
        assert_eq!(
            send(b"lvmwarden-nobody", &dump).await.unwrap_err().kind(),
            io::ErrorKind::ConnectionRefused
        );
    }
}
