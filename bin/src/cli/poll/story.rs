//! What has happened to one operation, told for people: what is usual in few words, and what is not in full.

use std::borrow::Cow;

use indicatif::HumanBytes;
use jiff::Timestamp;
use lvmwarden_actors::foundation::wall_clock::elapsed;
use lvmwarden_protocol::api::poll::{HistoryEntry, HistoryStep, OperationStory, SegmentDone};

use super::history;
use crate::cli::operation::outcome;
use crate::cli::screen::{BAD, Clock, DIM, ODD, USUAL, duration, styled};
use crate::cli::table::{Cell, Table};

/// How many segments in a row are told one by one.
const SEGMENTS_IN_FULL: usize = 12;
/// How many of more than these are told at either end.
const SEGMENTS_AT_ENDS: usize = 3;

/// Returns the story, a line for each step.
pub(super) fn narrative(story: &OperationStory, clock: &Clock) -> String {
    let (told, extra_starts) = without_usual_starts(&story.steps);
    let mut table = Table::default();
    let (mut before, mut segment_before) = (None, 0);
    for entry in with_segments_together(&told) {
        let time: Option<Timestamp> = entry.time.parse().ok();
        let words = match &entry.segment {
            Some(done) => {
                let first = segment_before + 1;
                segment_before = done.number;
                Cell::new(segment(first, done))
            }
            None => step(&entry),
        };
        let gap = before.zip(time).map_or_else(String::new, |(before, time)| gap(before, time));
        table.row([Cell::new(clock.time(&entry.time)).style(DIM), Cell::number(gap).style(DIM), words]);
        before = time.or(before);
    }
    let mut notes = Vec::new();
    if extra_starts > 0 {
        let starts = story.steps.iter().filter(|entry| entry.step == HistoryStep::Started).count();
        notes.push(styled(&format!("lvpoll was started {starts} times in all"), DIM));
    }
    if story.left_out > 0 {
        notes.push(styled(&format!("{} steps before the latest had no room", story.left_out), ODD));
    }
    let notes = notes.into_iter().map(|note| format!("  {note}\n"));
    [table.lines("  ")].into_iter().chain(notes).collect()
}

/// Returns who asked, where somebody is known: the command line, and whose it was.
pub(super) fn asked_by(command_line: Option<&str>, uid: Option<u32>) -> String {
    let user = uid.map(|uid| if uid == 0 { "root".to_owned() } else { format!("user {uid}") });
    match (command_line, user) {
        (Some(command_line), Some(user)) => format!("{command_line} ({user})"),
        (Some(command_line), None) => command_line.to_owned(),
        (None, user) => user.unwrap_or_default(),
    }
}

/// Leaves out that lvpoll was started where that only means that a segment was done; returns how often that was.
fn without_usual_starts(steps: &[HistoryEntry]) -> (Vec<&HistoryEntry>, usize) {
    let mut told: Vec<&HistoryEntry> = Vec::new();
    for entry in steps {
        let is_usual = entry.step == HistoryStep::Started
            && told
                .last()
                .is_some_and(|last| matches!(last.step, HistoryStep::Segment | HistoryStep::Started));
        if !is_usual {
            told.push(entry);
        }
    }
    let left_out = steps.len() - told.len();
    (told, left_out)
}

/// Puts those of many segments in a row together that are neither the first nor the last of them.
fn with_segments_together<'e>(steps: &[&'e HistoryEntry]) -> Vec<Cow<'e, HistoryEntry>> {
    let mut told = Vec::new();
    let is_same =
        |one: &&HistoryEntry, other: &&HistoryEntry| one.segment.is_some() && other.segment.is_some();
    for run in steps.chunk_by(is_same) {
        if run.len() <= SEGMENTS_IN_FULL {
            told.extend(run.iter().copied().map(Cow::Borrowed));
            continue;
        }
        let (first, rest) = run.split_at(SEGMENTS_AT_ENDS);
        let (middle, last) = rest.split_at(rest.len() - SEGMENTS_AT_ENDS);
        told.extend(first.iter().copied().map(Cow::Borrowed));
        told.extend(together(middle).map(Cow::Owned));
        told.extend(last.iter().copied().map(Cow::Borrowed));
    }
    told
}

/// Returns the last of these steps as one that stands for all of them.
fn together(segments: &[&HistoryEntry]) -> Option<HistoryEntry> {
    let mut last = HistoryEntry::clone(segments.last()?);
    let all = || segments.iter().filter_map(|entry| entry.segment);
    let (bytes, took_ms) = (all().map(|done| done.bytes).sum(), all().map(|done| done.took_ms).sum());
    last.segment = last.segment.map(|done| SegmentDone { bytes, took_ms, ..done });
    Some(last)
}

fn segment(first: u32, done: &SegmentDone) -> String {
    let SegmentDone { number, count, bytes, took_ms } = *done;
    let which = match (count, first < number) {
        (1, _) => "copied".to_owned(),
        (_, true) => format!("segments {first} to {number} of {count} copied"),
        (_, false) => format!("segment {number} of {count} copied"),
    };
    let bytes = bytes.map_or_else(String::new, |bytes| format!(" ({})", HumanBytes(bytes)));
    let took = took_ms.map_or_else(String::new, |took| format!(" in {}", in_seconds(took)));
    format!("{which}{took}{bytes}")
}

fn step(entry: &HistoryEntry) -> Cell {
    let pid = entry.pid.map_or_else(String::new, |pid| format!(" {pid}"));
    let (words, style) = match entry.step {
        HistoryStep::Intended => {
            let who = asked_by(entry.asked_by.as_deref(), entry.uid);
            (if who.is_empty() { "asked for".to_owned() } else { format!("asked for by {who}") }, USUAL)
        }
        HistoryStep::Started => (format!("lvpoll{pid} started"), USUAL),
        HistoryStep::Adopted => (format!("lvpoll{pid} taken over"), ODD),
        HistoryStep::Retried => (format!("lvpoll{pid} ended{}, and is started again", ended_how(entry)), ODD),
        HistoryStep::Recovered => ("the daemon was started anew, and went on".to_owned(), ODD),
        HistoryStep::FellBack => {
            let why = entry.why.as_deref().unwrap_or("unknown");
            (format!("lvpoll watches from now on: {why}"), ODD)
        }
        HistoryStep::Renewed => {
            let why = match entry.why.as_deref() {
                Some("renamed") => "so LVM's metadata names it",
                _asked => "so a newer request wants it",
            };
            let words = format!("lvpoll looks for {}/{} from now on: {why}", entry.vgname, entry.lvname);
            (words, ODD)
        }
        HistoryStep::Ended => match &entry.outcome {
            Some(end) => outcome(end),
            None => ("ended".to_owned(), USUAL),
        },
        HistoryStep::HostRestarted => ("the host was restarted before an end was known".to_owned(), BAD),
        HistoryStep::JournalLost => ("the daemon's journal was lost before an end was known".to_owned(), BAD),
        HistoryStep::StepsMissing => ("steps are missing here: the disk did not take them".to_owned(), BAD),
        HistoryStep::Paused => ("asked to pause at the end of a segment".to_owned(), ODD),
        HistoryStep::Resumed => ("asked to go on".to_owned(), USUAL),
        HistoryStep::AbortAsked => ("asked to be aborted".to_owned(), ODD),
        HistoryStep::CopyErrors | HistoryStep::Segment | HistoryStep::Forgotten => {
            return history::step(entry);
        }
    };
    Cell::new(words).style(style)
}

fn ended_how(entry: &HistoryEntry) -> &'static str {
    match entry.why.as_deref() {
        Some("killed") => " (it was killed)",
        Some("exit_unknown") => " (nobody knows how)",
        Some("unfinished") => " (the work was not done)",
        Some("not_found") => " (it did not find the LV)",
        Some("renewed") => " (it was told something else)",
        _ => "",
    }
}

/// Words the time between two steps; the clock may have been set back between them.
fn gap(before: Timestamp, time: Timestamp) -> String {
    let Some(passed) = elapsed(before, time) else { return "unknown".to_owned() };
    format!("+{}", in_seconds(u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)))
}

/// Words a time with a digit behind the point where it is short.
#[expect(clippy::cast_precision_loss, reason = "it is rounded anyway")]
fn in_seconds(milliseconds: u64) -> String {
    let seconds = milliseconds as f64 / 1000.0;
    if seconds < 10.0 { format!("{seconds:.1} s") } else { duration(seconds) }
}

#[cfg(test)]
mod tests;
