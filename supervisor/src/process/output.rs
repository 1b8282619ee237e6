//! What supervised processes write, bounded where it is written.
//!
//! A file grows as long as nobody looks, and a run directory is small: a child that writes megabytes a second fills it
//! between two looks. So a child writes into a pipe with a name, of which the kernel keeps 64 KiB and no more. The name is
//! how the next life of the daemon reads on.
//!
//! A limit of the file's size (`RLIMIT_FSIZE`) would hold as well, but for every other file that the child, and all that
//! it starts, ever writes: a backup of metadata, a log, and what a dmeventd started by it writes for months.
//!
//! Source: pipe(7), fifo(7).

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat};
use rustix::io::Errno;
use tokio::net::unix::pipe::{OpenOptions, Receiver};

/// What becomes of what is written to a full pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFull {
    /// It is lost: to write fails with EAGAIN. The process never waits for the daemon, nor for the next one while there
    /// is none. A process that ends when it cannot write ends then.
    Lose,
    /// The process waits until somebody has read. When the daemon is gone, to write fails with EPIPE.
    Wait,
}

/// How much is read in one piece; as much as a pipe holds.
const PIECE_BYTES: usize = 64 * 1024;
/// How much one read(2) takes.
const PAGE_BYTES: usize = 4096;

/// The reading end of what a process writes.
#[derive(Debug)]
pub struct OutputReader {
    receiver: Receiver,
}

/// Makes the pipe at `path`, of mode 0600, where there is none.
///
/// # Errors
/// The error of mknod(2); `AlreadyExists` when something else has that name.
pub(super) fn make(path: &Path) -> io::Result<()> {
    match mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) if fs::symlink_metadata(path)?.file_type().is_fifo() => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Opens the end that a process writes to. Nobody need be reading.
pub(super) fn open_for_writing(path: &Path, when_full: WhenFull) -> io::Result<File> {
    make(path)?;
    // The process holds both ends: it neither waits for a reader nor is told when there is none any more.
    let both = |flags: OFlags| {
        File::options().read(true).write(true).custom_flags(flags.bits().cast_signed()).open(path)
    };
    match when_full {
        WhenFull::Lose => both(OFlags::NONBLOCK),
        WhenFull::Wait => {
            let _keeps_the_next_line_from_waiting = both(OFlags::NONBLOCK)?;
            File::options().write(true).open(path)
        }
    }
}

impl OutputReader {
    /// Opens the pipe at `path`, and makes it where there is none.
    ///
    /// # Errors
    /// The error of mknod(2) or open(2); `AlreadyExists` when something else has that name.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled.
    pub fn open(path: &Path) -> io::Result<Self> {
        make(path)?;
        // Both ends: when the last writer goes, it does not read as ended, for another one may come.
        let receiver = OpenOptions::new().read_write(true).open_receiver(path)?;
        Ok(Self { receiver })
    }

    /// Opens the pipe at `path` if there is one, and somebody writes to it or has written.
    ///
    /// # Errors
    /// `NotFound`; `InvalidInput` when it is no pipe; otherwise the error of open(2).
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled.
    pub fn open_existing(path: &Path) -> io::Result<Self> {
        Ok(Self { receiver: OpenOptions::new().read_write(true).open_receiver(path)? })
    }

    /// Appends to `content` what has been written and not read, at most 64 KiB, and returns how much that is.
    pub fn read(&self, content: &mut Vec<u8>) -> usize {
        // On the stack: a thousand pipes that say nothing cost no memory.
        let mut page = [0; PAGE_BYTES];
        let mut total = 0;
        let mut take = |page: &[u8]| {
            content.extend_from_slice(page);
            total += page.len();
            total < PIECE_BYTES
        };
        while let Ok(read @ 1..) = rustix::io::read(&self.receiver, &mut page) {
            if !take(&page[..read]) {
                return total;
            }
        }
        // What tokio knows of the pipe may be old: it looks again only after it has seen itself that there is no more.
        let read = self.receiver.try_read(&mut page).unwrap_or_default();
        take(&page[..read]);
        total
    }

    /// Waits until there is something to read.
    ///
    /// # Cancel safety
    /// Cancel-safe.
    pub async fn readable(&self) {
        if self.receiver.readable().await.is_err() {
            // The runtime is going down and takes this future with it.
            std::future::pending::<()>().await;
        }
    }
}

/// Collects all that is written to a pipe while a process runs, up to a bound; what is beyond is thrown away.
pub(super) struct Collector {
    path: PathBuf,
    reader: OutputReader,
    content: Vec<u8>,
    bound: usize,
}

impl Collector {
    /// Makes the pipe anew.
    pub(super) fn make(path: &Path, bound: usize) -> io::Result<Self> {
        // What cannot be removed is no pipe, or is told by the next line.
        let _ = fs::remove_file(path);
        Ok(Self { path: path.to_owned(), reader: OutputReader::open(path)?, content: Vec::new(), bound })
    }

    /// Reads what is written, for ever.
    pub(super) async fn collect(&mut self) {
        loop {
            self.reader.readable().await;
            self.take();
        }
    }

    /// Returns all, when the process has ended.
    pub(super) fn finish(mut self) -> Vec<u8> {
        while self.take() > 0 {}
        std::mem::take(&mut self.content)
    }

    fn is_at_its_path(&self) -> bool {
        let (there, own) = (fs::symlink_metadata(&self.path), rustix::fs::fstat(&self.reader.receiver));
        there.is_ok_and(|there| own.is_ok_and(|own| (there.dev(), there.ino()) == (own.st_dev, own.st_ino)))
    }

    fn take(&mut self) -> usize {
        let read = self.reader.read(&mut self.content);
        self.content.truncate(self.bound);
        read
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // Another run may have made its own by now. A pipe that stays holds nothing.
        if self.is_at_its_path() {
            let _ = fs::remove_file(&self.path);
        }
    }
}
