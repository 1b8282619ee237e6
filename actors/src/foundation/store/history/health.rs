//! Whether the history on disk is written: told once when it is not, and once when it is again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use slog::{Logger, info, warn};
use tokio::time::{Duration, Instant};

use crate::foundation::facts::events::Events;
use crate::foundation::facts::occurrence::Occurrence;

/// How long the disk may refuse or keep silent before that is worth a word.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether the history on disk is written.
#[derive(Debug, Default)]
pub struct Health(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Since when it is not written.
    since: Option<Instant>,
    /// Why, once it was told.
    told: Option<String>,
}

impl Health {
    /// Returns what is wrong, in words for people; `None` when all is well.
    pub fn trouble(&self) -> Option<String> {
        self.state().told.clone()
    }

    /// Takes note that it cannot be written now.
    pub(super) fn fails(&self, why: &str, events: &Events, log: &Logger) {
        let mut state = self.state();
        let since = *state.since.get_or_insert_with(Instant::now);
        if state.told.is_none() && since.elapsed() >= PATIENCE {
            warn!(log, "the history cannot be written"; "error" => why,
                  "next" => "go on without; try again until it can be");
            events.publish(&Occurrence::HistoryStuck { why: why.to_owned() });
            state.told = Some(why.to_owned());
        }
    }

    /// Takes note that everything is written.
    pub(super) fn works(&self, events: &Events, log: &Logger) {
        let mut state = self.state();
        if state.told.take().is_some() {
            info!(log, "the history is written again");
            events.publish(&Occurrence::HistoryCaughtUp);
        }
        state.since = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
