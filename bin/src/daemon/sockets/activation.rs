//! The sockets that systemd made, and handed over.

use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use lvmwarden_supervisor::sys;
use rustix::net::sockopt::{socket_acceptconn, socket_domain, socket_type};
use rustix::net::{AddressFamily, SocketType};

use super::SocketError;

/// What was handed over and nobody has claimed yet.
#[derive(Debug)]
pub(crate) struct HandedOver(Vec<Passed>);

/// A descriptor that was handed over.
#[derive(Debug)]
struct Passed {
    /// `FileDescriptorName=` of its unit, or the unit's name.
    name: String,
    /// The socket, and where its file is; `None` for whatever is no listening Unix socket.
    socket: Option<(UnixListener, Option<PathBuf>)>,
}

impl HandedOver {
    /// Takes over what systemd has passed to this process; to be called once.
    ///
    /// # Errors
    /// [`SocketError::HandOver`] when the environment makes no sense.
    ///
    /// Source: `sd_listen_fds(3)`. The C daemons look for `SD_ACTIVATION=1` as well, which tells no more than
    /// `LISTEN_PID`.
    pub(crate) fn take() -> Result<Self, SocketError> {
        let failed = |source| SocketError::HandOver { source };
        let descriptors = sd_notify::listen_fds_with_names().map_err(failed)?;
        let passed = descriptors.map(|(number, name)| {
            let descriptor = sys::inherited_descriptor(number)?;
            let is_socket = socket_domain(descriptor.as_fd()) == Ok(AddressFamily::UNIX)
                && socket_type(descriptor.as_fd()) == Ok(SocketType::STREAM)
                && socket_acceptconn(descriptor.as_fd()) == Ok(true);
            let socket = is_socket.then(|| {
                let listener = UnixListener::from(descriptor);
                let path =
                    listener.local_addr().ok().and_then(|address| Some(address.as_pathname()?.to_owned()));
                (listener, path)
            });
            Ok(Passed { name, socket })
        });
        passed.collect::<io::Result<_>>().map(Self).map_err(failed)
    }

    /// Returns the socket that was meant for `path`: by its name, whatever the order, or else by where it is.
    ///
    /// # Errors
    /// [`SocketError::Unfit`] when what has this name is something else.
    pub(super) fn claim(
        &mut self,
        name: &'static str,
        path: &Path,
    ) -> Result<Option<UnixListener>, SocketError> {
        let is_there = |passed: &Passed| matches!(&passed.socket, Some((_, Some(there))) if there == path);
        let named = self.0.iter().position(|passed| passed.name == name);
        let Some(index) = named.or_else(|| self.0.iter().position(is_there)) else { return Ok(None) };
        if !is_there(&self.0[index]) {
            return Err(SocketError::Unfit { name, path: path.to_owned(), is: self.0[index].to_string() });
        }
        Ok(self.0.remove(index).socket.map(|(listener, _)| listener))
    }

    /// Returns what is left, in words.
    pub(crate) fn unclaimed(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|passed| format!("{}: {passed}", passed.name))
    }
}

/// Returns whether systemd passes a descriptor of this name to this process, which nobody has taken over yet.
///
/// Source: `sd_listen_fds(3)`.
pub(crate) fn is_passed(name: &str) -> bool {
    let own_pid = std::process::id().to_string();
    std::env::var("LISTEN_PID").is_ok_and(|pid| pid == own_pid)
        && std::env::var("LISTEN_FDNAMES").is_ok_and(|names| names.split(':').any(|there| there == name))
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.socket {
            Some((_, Some(path))) => write!(f, "a socket at {}", path.display()),
            Some((_, None)) => f.write_str("a socket without a path"),
            None => f.write_str("no listening Unix stream socket"),
        }
    }
}
