//! How the decisions of a poll operation are told: in the log, with what happens next, and as events.

use std::time::Duration;

use slog::{Logger, error, info, warn};

use super::state::Note;
use crate::foundation::facts::occurrence::{Occurrence, PollRef};

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
        Note::ExitUnknownLooks => {
            info!(log, "nobody knows how lvpoll ended"; "next" => "see what the kernel does");
        }
        Note::FellBack { why } => {
            info!(log, "the kernel cannot be watched for this operation"; "why" => why, "next" => "lvpoll watches");
        }
        Note::Held { hold } => {
            info!(log, "a segment is copied, and the next one waits"; "why" => %hold, "next" => "go on when it may");
        }
        Note::UnfinishedRunsAgain { delay } => {
            warn!(log, "lvpoll ended with 0 but the operation is still there";
                  "next" => format!("start it again in {delay:?}"));
        }
        Note::UnfinishedReported => {
            warn!(log, "lvpoll ended with 0 again and again while the operation is still there";
                  "next" => "report a failure");
        }
        Note::OutOfSightRunsAgain { delay } => {
            warn!(log, "lvpoll does not find the LV that it is about"; "next" => format!("start it again in {delay:?}"));
        }
        Note::OutOfSightReported => {
            warn!(log, "lvpoll does not find the LV that it is about, again"; "next" => "report a failure");
        }
        Note::RenewedRunsAgain => {
            info!(log, "lvpoll ended, and was told something else than the newest request says";
                  "next" => "start it again");
        }
        Note::CannotSpawnNow { reason, delay } => {
            warn!(log, "lvpoll cannot be started now"; "error" => reason,
                  "next" => format!("try again in {delay:?}"));
        }
        Note::CannotSpawnReported { reason } => {
            error!(log, "lvpoll cannot be started again and again"; "error" => reason,
                   "next" => "the client is told");
        }
        Note::Silent { silence } => {
            warn!(log, "lvpoll is silent"; "silent_s" => silence.as_secs(), "next" => "keep waiting for it");
        }
        Note::SpokeAgain => info!(log, "lvpoll wrote again after its silence"),
        Note::EndNotStored => warn!(log, "the end is not durable yet"; "next" => "write it again"),
        Note::ResultExpired => info!(log, "nobody collected the result"; "next" => "drop it"),
    }
}

/// Returns the event that a decision is for the operation `op`; `None` for one that another event tells of.
pub(crate) fn occurrence(note: &Note, op: PollRef) -> Option<Occurrence> {
    let retried = |op, delay, why| Some(Occurrence::PollRetried { op, delay, why });
    match note {
        Note::CrashedRunsAgain { delay, .. }
        | Note::UnfinishedRunsAgain { delay }
        | Note::OutOfSightRunsAgain { delay } => retried(op, *delay, retry(note)?),
        Note::ExitUnknownRunsAgain | Note::RenewedRunsAgain => retried(op, Duration::ZERO, retry(note)?),
        Note::FellBack { why } => Some(Occurrence::PollFellBack { op, why }),
        Note::CannotSpawnNow { delay, .. } => retried(op, *delay, "shortage"),
        Note::Held { hold } => Some(Occurrence::PollHeld { op, hold: *hold }),
        Note::Silent { silence } => Some(Occurrence::PollSilent { op, silence: *silence }),
        Note::SpokeAgain => Some(Occurrence::PollSpokeAgain { op }),
        Note::CrashedTooOften { .. }
        | Note::CannotSpawnReported { .. }
        | Note::ExitUnknownLooks
        | Note::UnfinishedReported
        | Note::OutOfSightReported
        | Note::EndNotStored
        | Note::ResultExpired => None,
    }
}

/// Returns why lvpoll, which has ended, is started again, in a few words that are always the same; `None` for a decision
/// that does not say so.
pub(crate) fn retry(note: &Note) -> Option<&'static str> {
    match note {
        Note::CrashedRunsAgain { .. } => Some("killed"),
        Note::ExitUnknownRunsAgain => Some("exit_unknown"),
        Note::UnfinishedRunsAgain { .. } => Some("unfinished"),
        Note::OutOfSightRunsAgain { .. } => Some("not_found"),
        Note::RenewedRunsAgain => Some("renewed"),
        Note::CannotSpawnNow { .. }
        | Note::CannotSpawnReported { .. }
        | Note::CrashedTooOften { .. }
        | Note::ExitUnknownLooks
        | Note::FellBack { .. }
        | Note::Held { .. }
        | Note::UnfinishedReported
        | Note::OutOfSightReported
        | Note::Silent { .. }
        | Note::SpokeAgain
        | Note::EndNotStored
        | Note::ResultExpired => None,
    }
}

#[cfg(test)]
mod tests {
    use lvmwarden_protocol::poll::PollOperation;
    use uuid::Uuid;

    use super::*;
    use crate::roles::poll::operation::turns::Hold;

    #[test]
    fn a_decision_is_told_once_and_where_lvpoll_ended_it_is_a_step_as_well() {
        let (delay, reason) = (Duration::from_secs(1), || "no processes".to_owned());
        for (note, kind, is_step) in [
            (Note::CrashedRunsAgain { signal: 9, delay }, Some("poll.retried"), true),
            (Note::ExitUnknownRunsAgain, Some("poll.retried"), true),
            (Note::UnfinishedRunsAgain { delay }, Some("poll.retried"), true),
            (Note::OutOfSightRunsAgain { delay }, Some("poll.retried"), true),
            (Note::RenewedRunsAgain, Some("poll.retried"), true),
            (Note::CannotSpawnNow { reason: reason(), delay }, Some("poll.retried"), false),
            (Note::Held { hold: Hold::VgLimit }, Some("poll.held"), false),
            (Note::Silent { silence: delay }, Some("poll.silent"), false),
            (Note::SpokeAgain, Some("poll.spoke_again"), false),
            (Note::CrashedTooOften { signal: 9 }, None, false),
            (Note::CannotSpawnReported { reason: reason() }, None, false),
            (Note::UnfinishedReported, None, false),
            (Note::OutOfSightReported, None, false),
            (Note::EndNotStored, None, false),
            (Note::ResultExpired, None, false),
        ] {
            let op = PollRef {
                op: Uuid::nil(),
                kind: PollOperation::Pvmove,
                abort: false,
                vgname: "vg".try_into().unwrap(),
                lvname: "pvmove0".try_into().unwrap(),
                lvid: "A".try_into().unwrap(),
            };
            let told = occurrence(&note, op).map(|occurrence| occurrence.kind());
            assert_eq!((told, retry(&note).is_some()), (kind, is_step), "{note:?}");
        }
    }
}
