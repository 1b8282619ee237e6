//! The listening socket: handed over by systemd, or made, where a dead daemon may have left its own.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lvmwarden_supervisor::sys;
use rustix::fs::Mode;
use rustix::net::sockopt::{socket_domain, socket_type};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with};
use rustix::process::umask;
use thiserror::Error;

/// How many clients may wait to be accepted. The C daemon's one makes storms of connections fail.
const BACKLOG: i32 = 4096;
/// The descriptor that the first handed-over socket has.
///
/// Source: `sd_listen_fds(3)`.
const FIRST_DESCRIPTOR: i32 = 3;
/// The permission bits of everybody but the owner.
const GROUP_AND_OTHERS: u32 = 0o077;
/// How long a socket that still answers may belong to a daemon that was just killed: a child that it was about to start
/// has it open until its exec.
const STALE_PATIENCE: Duration = Duration::from_millis(500);
const STALE_INTERVAL: Duration = Duration::from_millis(50);

/// Why there is no socket.
#[derive(Debug, Error)]
pub(crate) enum SocketError {
    /// The path is too long, or empty.
    #[error("{path} cannot be the path of a socket", path = path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: rustix::io::Errno,
    },
    /// It cannot be made.
    #[error("cannot make the socket {path}", path = path.display())]
    Make {
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Somebody answers there.
    #[error("the socket {path} is in use by another daemon", path = path.display())]
    InUse {
        /// The path.
        path: PathBuf,
    },
    /// What is there was not left by a daemon.
    #[error("{path} is there already, and is not a socket that only root may use: it is left alone", path = path.display())]
    NotOurs {
        /// The path.
        path: PathBuf,
    },
}

/// A listening socket; its file goes away with this value.
#[derive(Debug)]
pub(crate) struct Listening {
    /// The socket, in non-blocking mode.
    pub(crate) listener: UnixListener,
    /// Its file, where this process made it and is to remove it.
    made: Option<PathBuf>,
}

impl Listening {
    /// Takes over the socket that systemd passed for `path`, or makes one there.
    ///
    /// # Errors
    /// See [`SocketError`]; what is at `path` is then untouched.
    pub(crate) fn open(path: &Path) -> Result<Self, SocketError> {
        let failed = |source| SocketError::Make { path: path.to_owned(), source };
        let (listener, made) = match handed_over(path) {
            Some(listener) => (listener, None),
            None => (make(path)?, Some(path.to_owned())),
        };
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Self { listener, made })
    }

    /// Removes the file of a socket that this process made, once: the next daemon may make its own there.
    pub(crate) fn unlink(&mut self) {
        if let Some(path) = self.made.take() {
            // Somebody else may have removed it already.
            let _ = fs::remove_file(path);
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.unlink();
    }
}

/// Returns the handed-over socket, if there is one and it is bound to `path`.
///
/// Understands systemd's `LISTEN_PID` and `LISTEN_FDS`; the C daemons want `SD_ACTIVATION=1` beside them, and units
/// that know more name the descriptor by `LISTEN_FDNAMES`.
fn handed_over(path: &Path) -> Option<UnixListener> {
    let variable = |name| std::env::var(name).ok();
    let meant = variable("SD_ACTIVATION").as_deref() == Some("1") || variable("LISTEN_FDNAMES").is_some();
    let for_us = variable("LISTEN_PID")?.parse() == Ok(std::process::id());
    let is_one = variable("LISTEN_FDS").as_deref() == Some("1");
    if !(meant && for_us && is_one) {
        return None;
    }
    let descriptor = sys::inherited_descriptor(FIRST_DESCRIPTOR).ok()?;
    let is_unix = socket_domain(descriptor.as_fd()) == Ok(AddressFamily::UNIX);
    let is_stream = socket_type(descriptor.as_fd()) == Ok(SocketType::STREAM);
    let listener = UnixListener::from(descriptor);
    let is_ours = listener.local_addr().ok()?.as_pathname() == Some(path);
    (is_unix && is_stream && is_ours).then_some(listener)
}

fn make(path: &Path) -> Result<UnixListener, SocketError> {
    let address =
        SocketAddrUnix::new(path).map_err(|source| SocketError::Path { path: path.to_owned(), source })?;
    match bind_to(&address) {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(path)?;
            bind_to(&address).map_err(|source| SocketError::Make { path: path.to_owned(), source })
        }
        Err(source) => Err(SocketError::Make { path: path.to_owned(), source }),
    }
}

/// Makes the socket's file with mode 0600 (less the bits that umask takes): only root may connect.
fn bind_to(address: &SocketAddrUnix) -> io::Result<UnixListener> {
    let socket: OwnedFd = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    let old = umask(Mode::from_raw_mode(0o177));
    let bound = bind(&socket, address);
    umask(old);
    bound?;
    listen(&socket, BACKLOG)?;
    Ok(UnixListener::from(socket))
}

/// Removes the socket of a daemon that is gone.
fn remove_stale(path: &Path) -> Result<(), SocketError> {
    let failed = |source| SocketError::Make { path: path.to_owned(), source };
    let metadata = fs::symlink_metadata(path).map_err(failed)?;
    let is_private = metadata.uid() == 0 && metadata.mode() & GROUP_AND_OTHERS == 0;
    if !metadata.file_type().is_socket() || !is_private {
        return Err(SocketError::NotOurs { path: path.to_owned() });
    }
    if answers(path) {
        return Err(SocketError::InUse { path: path.to_owned() });
    }
    fs::remove_file(path).map_err(failed)
}

fn answers(path: &Path) -> bool {
    let address = SocketAddr::from_pathname(path);
    let connects = || address.as_ref().is_ok_and(|address| UnixStream::connect_addr(address).is_ok());
    let tries = STALE_PATIENCE.as_millis() / STALE_INTERVAL.as_millis();
    for _ in 0..tries {
        if !connects() {
            return false;
        }
        wait(STALE_INTERVAL);
    }
    connects()
}

#[expect(clippy::disallowed_methods, reason = "there is no runtime yet, and nobody is served")]
fn wait(time: Duration) {
    std::thread::sleep(time);
}
