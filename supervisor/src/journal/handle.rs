//! The askers' side of a journal.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};

use slog::Logger;
use tokio::sync::oneshot;

use super::Ledger;
use super::directory::Directory;
use super::record::MAX_PAYLOAD_BYTES;
use super::recovery::{OpenError, Replayed, recover};
use super::writer::{Request, Writer};

/// How many requests may wait for the writing thread; more are answered as busy.
const QUEUE_LENGTH: usize = 2048;

/// An open journal: the queue of its writing thread.
///
/// Dropping it ends the thread after what was queued, without waiting for that; [`Journal::close`] waits.
#[derive(Debug)]
pub struct Journal<L: Ledger> {
    requests: SyncSender<Request<L>>,
    sync_count: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

/// Why a record is not in the journal.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The ledger refuses the record. It was not written.
    #[error("append a record that the ledger calls illegal")]
    Illegal(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The record has no JSON.
    #[error("encode the record as JSON")]
    Encode(#[source] Arc<serde_json::Error>),
    /// The JSON of the record is too long.
    #[error("append a record of {bytes} bytes; the limit is {MAX_PAYLOAD_BYTES}")]
    TooLong {
        /// Length of the JSON.
        bytes: usize,
    },
    /// The record could not be written or synced and was taken back; a later append tries anew.
    #[error("write to the journal file {path}", path = path.display())]
    Write {
        /// The generation file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Arc<io::Error>,
    },
    /// Too many requests wait already.
    #[error("append a record: the journal is busy")]
    Busy,
    /// The writing thread has ended. Whether the record is in the journal is known after the next open.
    #[error("append a record: the journal is closed")]
    Closed,
}

/// Why the ledger cannot be looked at.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// After a failed write the file could not be read again.
    #[error("read the journal file {path}", path = path.display())]
    File {
        /// The generation file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Arc<io::Error>,
    },
    /// Too many requests wait already.
    #[error("read the journal: it is busy")]
    Busy,
    /// The writing thread has ended.
    #[error("read the journal: it is closed")]
    Closed,
}

impl<L: Ledger> Journal<L> {
    /// Opens the journal in `directory`, whatever state it was left in, and starts its writing thread.
    ///
    /// Blocks on file operations. Missing directories are created with mode 0700. What was repaired is in
    /// [`Replayed`], for the caller to log. A process that puts itself into the background by a fork must open
    /// afterwards: the writing thread does not survive a fork.
    ///
    /// # Errors
    /// [`OpenError::Locked`] while another journal has the directory, [`OpenError::NewerVersion`] when a newer
    /// program wrote it, the others when the system refuses. Damage is not an error.
    pub fn open(directory: &Path, log: Logger) -> Result<(Self, Replayed<L>), OpenError> {
        let directory = Directory::lock(directory)?;
        let (current, ledger, replayed) = recover(&directory, &log)?;
        let (requests, queue) = mpsc::sync_channel(QUEUE_LENGTH);
        let sync_count = Arc::new(AtomicU64::new(0));
        let writer = Writer::new(directory, current, ledger, Arc::clone(&sync_count), log);
        let thread = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run(&queue))
            .map_err(OpenError::Thread)?;
        Ok((Self { requests, sync_count, thread }, replayed))
    }

    /// Appends `record`; the future resolves when it is on disk.
    ///
    /// Records are written in the order of the calls, not of the first polls.
    ///
    /// # Errors
    /// Each variant of [`AppendError`]; only after [`AppendError::Closed`] may the record be in the journal.
    ///
    /// # Cancel safety
    /// Dropping the future does not take the record back.
    pub fn append(&self, record: L::Record) -> impl Future<Output = Result<(), AppendError>> + Send + use<L> {
        let (answer, answered) = oneshot::channel();
        let queued =
            self.requests.try_send(Request::Append { record: Box::new(record), answer }).map_err(|refused| {
                match refused {
                    TrySendError::Full(_) => AppendError::Busy,
                    TrySendError::Disconnected(_) => AppendError::Closed,
                }
            });
        async move {
            queued?;
            answered.await.unwrap_or(Err(AppendError::Closed))
        }
    }

    /// Looks at what is durable now. The look runs on the writing thread, so it must be short.
    ///
    /// # Errors
    /// Each variant of [`ReadError`].
    ///
    /// # Cancel safety
    /// It changes nothing.
    pub fn read<T, F>(&self, look: F) -> impl Future<Output = Result<T, ReadError>> + Send + use<L, T, F>
    where
        T: Send + 'static,
        F: FnOnce(&L) -> T + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let look = Box::new(move |ledger: Result<&L, ReadError>| {
            // An asker that is gone is not an error.
            let _ = answer.send(ledger.map(look));
        });
        let queued = self.requests.try_send(Request::Read(look)).map_err(|refused| match refused {
            TrySendError::Full(_) => ReadError::Busy,
            TrySendError::Disconnected(_) => ReadError::Closed,
        });
        async move {
            queued?;
            answered.await.unwrap_or(Err(ReadError::Closed))
        }
    }

    /// Returns how many times appended records were synced since the open; one sync may stand for many appends.
    pub fn sync_count(&self) -> u64 {
        self.sync_count.load(Ordering::Relaxed)
    }

    /// Ends the writing thread after what was queued, and waits for it: then the directory is unlocked.
    ///
    /// Blocks for as long as the file system does.
    pub fn close(self) {
        drop(self.requests);
        // A panic of the thread was answered to every asker as `Closed` already.
        let _ = self.thread.join();
    }
}
