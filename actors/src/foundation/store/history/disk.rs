//! The journal in the state directory, whose disk may refuse or not answer: every call says so while it waits.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use lvmwarden_supervisor::journal::{AppendError, Journal, OpenError, ReadError};
use slog::{Logger, warn};
use thiserror::Error;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::chronicle::{Chronicle, Record};

/// How often whoever waits says so.
const WAITING_PERIOD: Duration = Duration::from_secs(1);

/// Why the history is not written now.
#[derive(Debug, Error)]
pub(super) enum Trouble {
    #[error("open the history")]
    Open(#[source] OpenError),
    #[error("write the history")]
    Append(#[source] AppendError),
    #[error("read the history")]
    Read(#[source] ReadError),
    #[error("read what is to be copied to it: {0}")]
    Outbox(String),
}

impl Trouble {
    /// Returns whether the journal has to be opened anew.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self, Self::Append(AppendError::Closed) | Self::Read(ReadError::Closed))
    }
}

/// Opens the journal on a thread of its own: one that hangs in the kernel takes no place of those that start processes.
pub(super) async fn open(
    directory: PathBuf,
    log: Logger,
    waiting: impl Fn(),
) -> Result<Journal<Chronicle>, Trouble> {
    let (answer, answered) = oneshot::channel();
    let opening = move || {
        let opened = Journal::open(&directory, log.clone()).map(|(journal, replayed)| {
            if !replayed.set_aside.is_empty() {
                warn!(log, "the history was damaged; it goes on with what could be read, the damaged files are kept";
                    "set_aside" => ?replayed.set_aside, "rejected_records" => replayed.rejected);
            }
            journal
        });
        // Whoever asked is gone when the daemon ends.
        let _ = answer.send(opened);
    };
    thread::Builder::new()
        .name("history".to_owned())
        .spawn(opening)
        .map_err(|error| Trouble::Open(OpenError::Thread(error)))?;
    let opened = patiently(answered, waiting).await;
    opened.unwrap_or(Err(OpenError::Thread(std::io::ErrorKind::BrokenPipe.into()))).map_err(Trouble::Open)
}

/// Appends a record; returns when it is durable.
pub(super) async fn append(
    journal: &Journal<Chronicle>,
    record: Record,
    waiting: impl Fn(),
) -> Result<(), Trouble> {
    patiently(journal.append(record), waiting).await.map_err(Trouble::Append)
}

/// Looks at what is durable.
pub(super) async fn read<T: Send + 'static>(
    journal: &Journal<Chronicle>,
    look: impl Fn(&Chronicle) -> T + Send + 'static,
    waiting: impl Fn(),
) -> Result<T, Trouble> {
    patiently(journal.read(look), waiting).await.map_err(Trouble::Read)
}

/// Waits for as long as it takes, and calls `waiting` from time to time.
async fn patiently<T>(answer: impl Future<Output = T>, waiting: impl Fn()) -> T {
    let mut answer = std::pin::pin!(answer);
    loop {
        match timeout(WAITING_PERIOD, &mut answer).await {
            Ok(answer) => return answer,
            Err(_too_long) => waiting(),
        }
    }
}
