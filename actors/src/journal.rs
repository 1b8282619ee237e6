//! The daemon's journal, asked with a deadline.

use std::time::Duration;

use lvmwarden_supervisor::Registry;
use lvmwarden_supervisor::journal::{Append, JournalActor, Read};

use crate::error_chain::chain;
use crate::ledger::{PollLedger, Record};
use crate::names;

/// The longest wait for the journal: past it a disk is stuck, and whoever asked is told so.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Writes a record; returns when it is durable.
///
/// # Errors
/// Why it is not, for the log and for clients.
pub(crate) async fn append(registry: &Registry, record: Record) -> Result<(), String> {
    let append = Append::<PollLedger>(record);
    match registry.ask::<JournalActor<PollLedger>, _>(&names::JOURNAL, append, DEADLINE).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(refused)) => Err(chain(&refused)),
        Err(unreachable) => Err(chain(&unreachable)),
    }
}

/// Reads what is durable.
///
/// # Errors
/// Why it cannot be read, for the log and for clients.
pub(crate) async fn read<T: Send + 'static>(
    registry: &Registry,
    read: impl Fn(&PollLedger) -> T + Send + Sync + 'static,
) -> Result<T, String> {
    match registry.ask::<JournalActor<PollLedger>, _>(&names::JOURNAL, Read::new(read), DEADLINE).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(refused)) => Err(chain(&refused)),
        Err(unreachable) => Err(chain(&unreachable)),
    }
}
