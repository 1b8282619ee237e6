//! What sanlock's daemon tells about itself: the request behind `sanlock client status -D` and `host_status -D`.
//!
//! It is where the daemon tells when it last renewed its lease, what hosts are called, and which leases are orphans; the
//! library has no functions for them. It asks no disk, and answers at once or not within [`PATIENCE`].
//!
//! An answer is a header and then records until the connection is closed. A record is a fixed part, the daemon's own
//! words (`key=value`, separated by blanks), and for lockspaces and resources their structures as in `sanlock.h`.
//!
//! Source: sanlock 3.8.5, recorded; [`RENEWED`] and its like are keys of that version.

mod record;

use std::env;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use record::{Record, records};

const MAGIC: u32 = 0x0428_2010;
const PROTOCOL: u32 = 1;
const STATUS: u32 = 5;
const HOST_STATUS: u32 = 15;
const HEADER_BYTES: usize = 32;
const LOCKSPACE_BYTES: usize = 1104;
/// A daemon in trouble may not answer at all.
const PATIENCE: Duration = Duration::from_secs(5);
/// Far more than hundreds of lockspaces with thousands of locks take.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

const RENEWED: &str = "renewal_last_success";
/// What a watchdog waits before it resets the host, where the daemon does not say (before 4.0).
const WATCHDOG_SECONDS: u64 = 60;

/// What the daemon told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Status {
    /// The seconds until a watchdog resets the host, after the lease is lost.
    pub(super) watchdog_seconds: u64,
    pub(super) lockspaces: Vec<LockspaceStatus>,
    pub(super) orphans: Vec<OrphanStatus>,
}

/// A lockspace that the daemon is in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LockspaceStatus {
    pub(super) name: String,
    pub(super) host_id: u64,
    pub(super) generation: u64,
    /// In seconds.
    pub(super) io_timeout: u64,
    /// When the lease was last renewed, in seconds of the monotonic clock.
    pub(super) renewed_at: u64,
}

/// A lease whose holder on this host has died.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OrphanStatus {
    pub(super) lockspace: String,
    pub(super) resource: String,
    pub(super) is_shared: bool,
    pub(super) offset: u64,
}

/// Asks the daemon no more than once a second, however many want to know.
#[derive(Debug, Default)]
pub(super) struct SharedStatus(Mutex<Option<Told>>);

/// What asking has brought, and the second in which that was.
#[derive(Debug)]
struct Told {
    at: u64,
    answer: Result<Arc<Status>, io::ErrorKind>,
}

impl SharedStatus {
    /// Returns what the daemon told within this second, or while this waited for others who asked.
    ///
    /// # Errors
    /// It does not answer.
    pub(super) fn get(&self) -> io::Result<Arc<Status>> {
        let wanted_at = monotonic_seconds();
        // The lock is held while the daemon is asked: those who come meanwhile want the same answer.
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = told.as_ref().is_none_or(|told| told.at < wanted_at);
        if is_old {
            let answer = Status::read().map(Arc::new).map_err(|error| error.kind());
            *told = Some(Told { at: monotonic_seconds(), answer });
        }
        let answer = told.as_ref().map(|told| told.answer.clone());
        answer.expect("it was put there above").map_err(io::Error::from)
    }
}

impl Status {
    /// Asks the daemon.
    ///
    /// # Errors
    /// It does not answer, or in another way.
    pub(super) fn read() -> io::Result<Self> {
        Self::from_records(&records(&ask(STATUS, &[])?)?)
    }

    fn from_records(records: &[Record<'_>]) -> io::Result<Self> {
        let mut status = Self { watchdog_seconds: WATCHDOG_SECONDS, ..Self::default() };
        for record in records {
            match record {
                Record::Daemon(words) => {
                    status.watchdog_seconds =
                        words.number("watchdog_fire_timeout").unwrap_or(WATCHDOG_SECONDS);
                }
                // Those that are being joined or left are none that we are in.
                Record::Lockspace { name, host_id, words } if words.get("list") == Some("spaces") => {
                    status.lockspaces.push(LockspaceStatus {
                        name: name.clone(),
                        host_id: *host_id,
                        generation: words.number("host_generation").ok_or_else(not_understood)?,
                        io_timeout: words.number("io_timeout").ok_or_else(not_understood)?,
                        renewed_at: words.number(RENEWED).ok_or_else(not_understood)?,
                    });
                }
                Record::Resource { lockspace, resource, is_shared, offset, words }
                    if words.get("list") == Some("orphan") =>
                {
                    status.orphans.push(OrphanStatus {
                        lockspace: lockspace.clone(),
                        resource: resource.clone(),
                        is_shared: *is_shared,
                        offset: *offset,
                    });
                }
                Record::Lockspace { .. } | Record::Resource { .. } | Record::Host { .. } | Record::Other => {}
            }
        }
        Ok(status)
    }

    /// Returns what is told about the lockspace of this name.
    pub(super) fn lockspace(&self, name: &str) -> Option<&LockspaceStatus> {
        self.lockspaces.iter().find(|lockspace| lockspace.name == name)
    }
}

/// Returns the name that a host gave itself in a lockspace; `None` where the daemon knows none.
///
/// # Errors
/// The daemon does not answer.
pub(super) fn host_name(lockspace: &str, host_id: u64) -> io::Result<Option<String>> {
    // Of the structure only the name counts, which is its first field.
    let mut wanted = lockspace.as_bytes().to_vec();
    wanted.resize(LOCKSPACE_BYTES, 0);
    let answer = ask(HOST_STATUS, &wanted)?;
    Ok(records(&answer)?.into_iter().find_map(|record| match record {
        Record::Host { id, words } if id == host_id => words.get("owner_name").map(str::to_owned),
        _ => None,
    }))
}

/// Returns the seconds of the clock that sanlock's time stamps are of.
pub(super) fn monotonic_seconds() -> u64 {
    u64::try_from(clock_gettime(ClockId::Monotonic).tv_sec).unwrap_or_default()
}

fn ask(command: u32, body: &[u8]) -> io::Result<Vec<u8>> {
    let mut socket = UnixStream::connect(socket_path())?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.set_write_timeout(Some(PATIENCE))?;
    let length = u32::try_from(HEADER_BYTES + body.len()).map_err(|_| not_understood())?;
    let mut request = Vec::with_capacity(HEADER_BYTES + body.len());
    for field in [MAGIC, PROTOCOL, command, 0, length, 0, 0, 0] {
        request.extend_from_slice(&field.to_ne_bytes());
    }
    request.extend_from_slice(body);
    socket.write_all(&request)?;
    let mut answer = Vec::new();
    socket.take(MOST_BYTES).read_to_end(&mut answer)?;
    Ok(answer)
}

/// The library looks for its daemon there, too.
fn socket_path() -> PathBuf {
    let folder = env::var_os("SANLOCK_RUN_DIR").map_or_else(|| "/run/sanlock".into(), PathBuf::from);
    folder.join("sanlock.sock")
}

fn not_understood() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "sanlock's status has another form than that of 3.8.5")
}

#[cfg(test)]
mod tests;
