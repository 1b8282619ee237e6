//! The one thread that writes: group commit, snapshots, and repair after a failed write.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;

use slog::{Logger, error, info, warn};
use tokio::sync::oneshot;

use super::Ledger;
use super::directory::Directory;
use super::handle::{AppendError, ReadError};
use super::record::{self, EncodeError, HeaderStep};
use super::recovery::{Current, snapshot};
use super::replay::{Ending, fold, replay};
use crate::fault;

/// A file is at least so long before it is replaced by a snapshot.
const SNAPSHOT_ABOVE_BYTES: u64 = 1 << 20;

/// A file is at least so many times as long as its snapshot before it is replaced.
const SNAPSHOT_FACTOR: u64 = 4;

/// A batch takes no further record once it is so long, which bounds the wait of its first asker.
const BATCH_BYTES: usize = 1 << 20;

type Answer = oneshot::Sender<Result<(), AppendError>>;

/// A look at the ledger, which also answers the asker.
type Look<L> = Box<dyn FnOnce(Result<&L, ReadError>) + Send>;

/// What the thread is asked for. An asker that is gone is not an error.
pub(super) enum Request<L: Ledger> {
    /// Boxed: the queue has room for thousands from the start.
    Append { record: Box<L::Record>, answer: Answer },
    /// A look at what is durable.
    Read(Look<L>),
}

/// Everything that the thread owns.
pub(super) struct Writer<L> {
    directory: Directory,
    generation: u64,
    next_generation: u64,
    file: File,
    /// Length of what is durable; every write begins here.
    good_bytes: u64,
    /// Folded from the durable records, and from those of the batch in hand.
    ledger: L,
    /// The file may hold bytes, and the ledger records, of a batch that was answered as failed.
    broken: bool,
    snapshot_above_bytes: u64,
    sync_count: Arc<AtomicU64>,
    log: Logger,
}

/// Appends that share one write and one sync.
#[derive(Default)]
struct Batch {
    frames: Vec<u8>,
    /// Each asker with what it hears if the write succeeds: a refusal may rest on a record of the same batch, so it
    /// waits for the sync as well.
    answers: Vec<(Answer, Result<(), AppendError>)>,
}

impl<L: Ledger> Writer<L> {
    pub(super) fn new(
        directory: Directory,
        current: Current,
        ledger: L,
        sync_count: Arc<AtomicU64>,
        log: Logger,
    ) -> Self {
        let Current { generation, file, good_bytes, next_generation } = current;
        Self {
            directory,
            generation,
            next_generation,
            file,
            good_bytes,
            ledger,
            broken: false,
            snapshot_above_bytes: SNAPSHOT_ABOVE_BYTES,
            sync_count,
            log,
        }
    }

    /// Serves `requests` until every sender is gone.
    pub(super) fn run(mut self, requests: &Receiver<Request<L>>) {
        while let Ok(first) = requests.recv() {
            let mut batch = Batch::default();
            let mut next = Some(first);
            while let Some(request) = next.take() {
                match request {
                    Request::Append { record, answer } => {
                        self.stage(&mut batch, &record, answer);
                        if batch.frames.len() < BATCH_BYTES {
                            next = requests.try_recv().ok();
                        }
                    }
                    Request::Read(look) => {
                        self.commit(std::mem::take(&mut batch));
                        look(self.durable());
                    }
                }
            }
            self.commit(batch);
            if self.good_bytes > self.snapshot_above_bytes && !self.broken {
                self.snapshot();
            }
        }
    }

    /// Checks `record` and adds its frame to `batch`.
    fn stage(&mut self, batch: &mut Batch, record: &L::Record, answer: Answer) {
        let outcome = self.repair().map_err(|source| self.write_error(source)).and_then(|()| {
            let start = batch.frames.len();
            record::write_frame(&mut batch.frames, record)?;
            self.ledger.apply(record).map_err(|illegal| {
                batch.frames.truncate(start);
                AppendError::Illegal(Arc::new(illegal))
            })
        });
        batch.answers.push((answer, outcome));
    }

    /// Makes `batch` durable and answers every asker in it.
    fn commit(&mut self, batch: Batch) {
        let written = if batch.frames.is_empty() { Ok(()) } else { self.write(&batch.frames) };
        let failed = written.err().map(|source| {
            warn!(self.log, "journal write failed; the records are refused and later appends try anew";
                "path" => %self.path().display(), "error" => %source);
            self.broken = true;
            // Before the askers hear of it, so that a crash does not bring back what they were told is not there.
            // Where that fails too, the next request tries again.
            let _ = self.repair();
            self.write_error(source)
        });
        for (answer, outcome) in batch.answers {
            let _ = answer.send(failed.clone().map_or(outcome, Err));
        }
    }

    fn write(&mut self, frames: &[u8]) -> io::Result<()> {
        fault::point("journal.before_write", "");
        self.file.write_all_at(frames, self.good_bytes)?;
        fault::point("journal.written", "");
        self.file.sync_data()?;
        fault::point("journal.synced", "");
        self.good_bytes += frames.len() as u64;
        self.sync_count.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    fn durable(&mut self) -> Result<&L, ReadError> {
        match self.repair() {
            Ok(()) => Ok(&self.ledger),
            Err(source) => Err(ReadError::File { path: self.path(), source: Arc::new(source) }),
        }
    }

    /// Cuts a failed batch off the file and folds the ledger anew from what is durable.
    fn repair(&mut self) -> io::Result<()> {
        if !self.broken {
            return Ok(());
        }
        self.file.set_len(self.good_bytes)?;
        self.file.sync_data()?;
        self.directory.sync()?;
        let bytes = fs::read(self.path())?;
        let HeaderStep::Known { length, .. } = record::read_header(&bytes) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let replayed = replay(&bytes[length..]);
        if replayed.ending != Ending::Clean || !replayed.rejected.is_empty() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.ledger = replayed.ledger;
        self.broken = false;
        Ok(())
    }

    /// Moves to a new generation if that is worth it. A failure is logged: the present file is still good.
    fn snapshot(&mut self) {
        let records = self.ledger.records();
        if let Err(illegal) = fold::<L>(&records) {
            // Written down, this list would be rejected by the next open.
            error!(self.log, "ledger gives records that it calls illegal; the journal file keeps growing";
                "error" => %illegal);
            self.snapshot_above_bytes = self.good_bytes * 2;
            return;
        }
        match snapshot(self.next_generation, &records).map_err(io::Error::other) {
            Ok(content) if content.len() as u64 * SNAPSHOT_FACTOR >= self.good_bytes => {
                self.snapshot_above_bytes = content.len() as u64 * SNAPSHOT_FACTOR;
            }
            Ok(content) => match self.directory.write(self.next_generation, &content) {
                Ok(file) => self.adopt(file, content.len() as u64),
                Err(error) => self.put_snapshot_off(&error),
            },
            Err(error) => self.put_snapshot_off(&error),
        }
    }

    fn put_snapshot_off(&mut self, error: &io::Error) {
        self.snapshot_above_bytes = self.good_bytes * 2;
        warn!(self.log, "journal snapshot failed; the journal file grows to twice its length before the next";
            "path" => %self.path().display(), "length_bytes" => self.good_bytes, "error" => %error);
    }

    /// Appends to the new generation from now on: an open after a crash would read it and not the old one.
    fn adopt(&mut self, file: File, content_bytes: u64) {
        let old = self.path();
        info!(self.log, "journal rewritten"; "generation" => self.next_generation,
            "old_bytes" => self.good_bytes, "new_bytes" => content_bytes);
        self.file = file;
        self.generation = self.next_generation;
        self.next_generation += 1;
        self.good_bytes = content_bytes;
        self.snapshot_above_bytes = SNAPSHOT_ABOVE_BYTES.max(content_bytes * SNAPSHOT_FACTOR);
        // Until the new name is durable, a power loss could bring back the old file, so no append is acknowledged
        // before `repair` has synced the directory, and the old file stays.
        let renamed = self.directory.sync();
        self.broken = renamed.is_err();
        if let Err(error) = renamed.and_then(|()| fs::remove_file(&old)) {
            warn!(self.log, "old journal file stays until the next open";
                "path" => %old.display(), "error" => %error);
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.generation(self.generation)
    }

    fn write_error(&self, source: io::Error) -> AppendError {
        AppendError::Write { path: self.path(), source: Arc::new(source) }
    }
}

impl From<EncodeError> for AppendError {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::Json(source) => Self::Encode(Arc::new(source)),
            EncodeError::TooLong { bytes } => Self::TooLong { bytes },
        }
    }
}
