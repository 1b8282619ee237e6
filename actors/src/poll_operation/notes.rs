//! How the decisions of a poll operation read in the log: what happened, and what happens next.

use slog::{Logger, info, warn};

use super::state::Note;

/// Writes one line about a decision; `log` already names the operation.
pub(crate) fn write(log: &Logger, note: &Note) {
    match note {
        Note::CrashedRunsAgain { signal, delay } => {
            warn!(log, "lvpoll was killed"; "signal" => signal, "next" => format!("start it again in {delay:?}"));
        }
        Note::CrashedTooOften { signal } => {
            warn!(log, "lvpoll was killed too often"; "signal" => signal, "next" => "report the signal");
        }
        Note::ExitUnknownRunsAgain => {
            info!(log, "nobody knows how lvpoll ended"; "next" => "run it once more, it tells");
        }
        Note::UnfinishedRunsAgain { delay } => {
            warn!(log, "lvpoll ended with 0 but the operation is still there";
                  "next" => format!("start it again in {delay:?}"));
        }
        Note::UnfinishedReported => {
            warn!(log, "lvpoll ended with 0 again and again while the operation is still there";
                  "next" => "report 0");
        }
        Note::Silent { silence } => {
            warn!(log, "lvpoll is silent"; "silent_s" => silence.as_secs(), "next" => "keep waiting for it");
        }
        Note::SpokeAgain => info!(log, "lvpoll wrote again after its silence"),
        Note::EndNotStored => warn!(log, "the end is not durable yet"; "next" => "write it again"),
        Note::ResultExpired => info!(log, "nobody collected the result"; "next" => "drop it"),
    }
}
