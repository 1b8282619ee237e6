//! Whose copies are being watched: shared by the operations, which enter themselves, and the reader, which looks.
//!
//! It outlives both: an operation leaves it when its [`Watch`] is dropped, and a reader that is started anew goes on
//! with whoever is there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix::{Message, Recipient};
use tokio::sync::Notify;

use crate::foundation::kernel::copying::{Look, Subject};

/// Tells an operation what the kernel shows of it.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Looked(pub Look);

/// Whose copies are being watched.
#[derive(Clone, Default)]
pub struct Watchlist {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    entries: Mutex<Entries>,
    entered: Notify,
}

#[derive(Default)]
struct Entries {
    next: u64,
    by_number: BTreeMap<u64, (Subject, Recipient<Looked>)>,
}

/// Keeps an operation on the list until it is dropped.
pub struct Watch {
    number: u64,
    shared: Arc<Shared>,
}

impl Watchlist {
    /// Enters an operation: it is told at once, and then at every look of the reader.
    #[must_use]
    pub fn enter(&self, subject: Subject, watcher: Recipient<Looked>) -> Watch {
        let mut entries = self.shared.entries();
        let number = entries.next;
        entries.next += 1;
        entries.by_number.insert(number, (subject, watcher));
        drop(entries);
        self.shared.entered.notify_one();
        Watch { number, shared: Arc::clone(&self.shared) }
    }

    /// Returns everybody on the list, in the order of entry.
    pub fn watched(&self) -> Vec<(Subject, Recipient<Looked>)> {
        self.shared.entries().by_number.values().cloned().collect()
    }

    /// Waits until somebody enters; returns at once when somebody has, and nobody has waited since.
    ///
    /// # Cancel safety
    /// Cancel-safe.
    pub async fn entered(&self) {
        self.shared.entered.notified().await;
    }
}

impl Shared {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.entries().by_number.remove(&self.number);
    }
}
