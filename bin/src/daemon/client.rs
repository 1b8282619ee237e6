//! The daemon's own command line as a client: `--dump`.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::BytesMut;
use lvmwarden_protocol::framing::{MessageCodec, TERMINATOR};
use lvmwarden_protocol::poll::Request;
use tokio_util::codec::Decoder;

use crate::text::plain;

/// The longest wait for the daemon.
const DEADLINE: Duration = Duration::from_secs(30);

/// Prints the state of the daemon at `socket`, each line indented by two spaces, as the C daemon's client does.
///
/// # Errors
/// When nobody answers there.
pub(crate) fn dump(socket: &Path) -> anyhow::Result<()> {
    let stream = UnixStream::connect(socket)
        .with_context(|| format!("cannot connect to lvmpolld at {}", socket.display()))?;
    let state =
        ask(stream, &Request::Dump).with_context(|| format!("no answer from {}", socket.display()))?;
    let mut out = io::stdout().lock();
    for line in String::from_utf8_lossy(&state).lines() {
        let cells: Vec<_> = line.split('\t').map(plain).collect();
        writeln!(out, "  {}", cells.join("\t")).context("cannot write to stdout")?;
    }
    Ok(())
}

fn ask(mut stream: UnixStream, request: &Request) -> anyhow::Result<Vec<u8>> {
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    stream.write_all(&[&request.to_bytes()[..], TERMINATOR].concat())?;
    let mut received = BytesMut::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            bail!("it closed the connection in the middle of its answer");
        }
        received.extend_from_slice(&chunk[..read]);
        if let Some(message) = MessageCodec.decode(&mut received)? {
            return Ok(message.to_vec());
        }
    }
}
