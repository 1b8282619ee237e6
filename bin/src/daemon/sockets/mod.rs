//! Listening sockets: handed over by systemd, or made, where a dead daemon may have left its own.

mod activation;

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::Mode;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with};
use rustix::process::umask;
use thiserror::Error;

pub(crate) use activation::{HandedOver, is_passed};

/// How many clients may wait to be accepted. The C daemon's one makes storms of connections fail.
const BACKLOG: i32 = 4096;
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
    #[error("{path} is there already, and is not a socket that a daemon of root would make: it is left alone", path = path.display())]
    NotOurs {
        /// The path.
        path: PathBuf,
    },
    /// What systemd passes cannot be understood.
    #[error("cannot take over what systemd passes")]
    HandOver {
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// What systemd passes under this name is not what belongs there.
    #[error("what systemd passes as {name} is {is}, not a listening socket at {path}", path = path.display())]
    Unfit {
        /// The name of the descriptor.
        name: &'static str,
        /// Where the socket has to be.
        path: PathBuf,
        /// What it is.
        is: String,
    },
}

/// A socket that a daemon needs.
#[derive(Debug)]
pub(crate) struct Wanted<'path> {
    /// `FileDescriptorName=` of the unit that may make it.
    pub(crate) name: &'static str,
    /// Where it is.
    pub(crate) path: &'path Path,
    /// Permission bits of the file if the daemon makes it.
    pub(crate) mode: u32,
    /// Permission bits that an earlier life may have given it; a socket with others was left by somebody else.
    pub(crate) mode_before: u32,
    /// The group of the file, other than the daemon's own, if the daemon makes it.
    pub(crate) group: Option<u32>,
}

impl<'path> Wanted<'path> {
    /// Returns the socket by which LVM commands find the daemon that they call `name`: only root may connect.
    pub(crate) fn by_root(name: &'static str, path: &'path Path) -> Self {
        Self { name, path, mode: 0o600, mode_before: 0o600, group: None }
    }
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
    /// Takes over the socket that systemd passed for it, or makes one.
    ///
    /// # Errors
    /// See [`SocketError`]; what is at the path is then untouched.
    pub(crate) fn open(wanted: &Wanted<'_>, handed_over: &mut HandedOver) -> Result<Self, SocketError> {
        let path = wanted.path;
        let (listener, made) = match handed_over.claim(wanted.name, path)? {
            Some(listener) => (listener, None),
            None => (make(wanted)?, Some(path.to_owned())),
        };
        let listening = Self { listener, made };
        let non_blocking = listening.listener.set_nonblocking(true);
        non_blocking.map_err(|source| SocketError::Make { path: path.to_owned(), source })?;
        Ok(listening)
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

fn make(wanted: &Wanted<'_>) -> Result<UnixListener, SocketError> {
    let path = wanted.path;
    let failed = |source| SocketError::Make { path: path.to_owned(), source };
    let address =
        SocketAddrUnix::new(path).map_err(|source| SocketError::Path { path: path.to_owned(), source })?;
    match bind_to(&address, wanted) {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            remove_stale(wanted)?;
            bind_to(&address, wanted).map_err(failed)
        }
        Err(source) => Err(failed(source)),
    }
}

/// Makes the socket's file with mode 0600 (less the bits that umask takes), then lets in who else may connect.
fn bind_to(address: &SocketAddrUnix, wanted: &Wanted<'_>) -> io::Result<UnixListener> {
    let socket: OwnedFd = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    let old = umask(Mode::from_raw_mode(0o177));
    let bound = bind(&socket, address);
    umask(old);
    bound?;
    // The group before the mode: at no time may a group connect that is not meant.
    if let Some(group) = wanted.group {
        chown(wanted.path, None, Some(group))?;
    }
    if wanted.mode & GROUP_AND_OTHERS != 0 {
        fs::set_permissions(wanted.path, fs::Permissions::from_mode(wanted.mode))?;
    }
    listen(&socket, BACKLOG)?;
    Ok(UnixListener::from(socket))
}

/// Removes the socket of a daemon that is gone.
fn remove_stale(wanted: &Wanted<'_>) -> Result<(), SocketError> {
    let path = wanted.path;
    let failed = |source| SocketError::Make { path: path.to_owned(), source };
    let metadata = fs::symlink_metadata(path).map_err(failed)?;
    let is_ours = metadata.uid() == 0 && metadata.mode() & GROUP_AND_OTHERS & !wanted.mode_before == 0;
    if !metadata.file_type().is_socket() || !is_ours {
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
