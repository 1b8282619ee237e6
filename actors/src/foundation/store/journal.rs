//! The daemon's journal, asked with a deadline.

use std::time::Duration;

use lvmwarden_supervisor::journal::{Append, JournalActor, Read};
use lvmwarden_supervisor::{Registry, Resolution};

use crate::foundation::error_chain::chain;
use crate::foundation::names;
use crate::foundation::store::history::chronicler::{Chronicler, Stored};
use crate::foundation::store::ledger::{PollLedger, Record};

/// The longest wait for the journal: past it a disk is stuck, and whoever asked is told so.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Writes a record; returns when it is durable.
///
/// # Errors
/// Why it is not, for the log and for clients.
pub(crate) async fn append(registry: &Registry, record: Record) -> Result<(), String> {
    let append = Append::<PollLedger>(record);
    match registry.ask::<JournalActor<PollLedger>, _>(&names::JOURNAL, append, DEADLINE).await {
        Ok(Ok(())) => {
            tell_chronicler(registry);
            Ok(())
        }
        Ok(Err(refused)) => Err(chain(&refused)),
        Err(unreachable) => Err(chain(&unreachable)),
    }
}

/// Tells who copies what happens to the disk, where somebody does; waits for nothing.
fn tell_chronicler(registry: &Registry) {
    if let Resolution::Running(chronicler) = registry.resolve::<Chronicler>(&names::CHRONICLER) {
        // Where there is no room, it is about to look anyway.
        let _ = chronicler.try_send(Stored);
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
