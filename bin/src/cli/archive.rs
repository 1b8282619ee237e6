//! `archive`: what the janitor keeps, would remove, and removes.

use std::time::Duration;

use indicatif::HumanBytes;
use lvmwarden_protocol::api::archive::{
    Because, Bound, Clean, JanitorState, Pass, Plan, Report, Status, StatusReply, Vg,
};

use super::arguments::Archive;
use super::failure::Failure;
use super::screen::{BAD, BOLD, Clock, DIM, GOOD, ODD, Screen, USUAL, duration};
use super::table::{Cell, Table};

/// How long a pass may take to answer: longer than the daemon waits for a disk.
const PASS_PATIENCE: Duration = Duration::from_mins(12);
/// Why nothing goes for its age, and what to do.
const CLOCK_IN_DOUBT: &str =
    "not known to be synchronised, so no copy goes for its age: see timedatectl or chronyc tracking";
/// How many copies are named; `--json` has more.
const NAMED: usize = 20;

/// Does what is asked.
pub(super) fn run(screen: &mut Screen, command: Archive) -> Result<(), Failure> {
    let mut client = screen.connect()?;
    let clock = screen.clock();
    match command {
        Archive::Status => {
            let answer = client.call(&Status {})?;
            screen.answer(&answer, |reply| status(reply, &clock))
        }
        Archive::Plan => {
            client.send(&Plan {})?;
            let answer = client.receive::<Plan>(Some(PASS_PATIENCE))?;
            screen.answer(&answer, |reply| report(&reply.report, "WOULD GO", &clock))
        }
        Archive::Clean => {
            client.send(&Clean {})?;
            let answer = client.receive::<Clean>(Some(PASS_PATIENCE))?;
            screen.answer(&answer, |reply| report(&reply.report, "REMOVED", &clock))
        }
    }
}

fn status(status: &StatusReply, clock: &Clock) -> String {
    let (state, style) = match status.state {
        JanitorState::Off => ("off: nothing is removed", DIM),
        JanitorState::Waiting => ("on", GOOD),
        JanitorState::Working => ("at work", GOOD),
    };
    let limits = &status.limits;
    let kept = format!(
        "{} copies, {}, {} days for each VG; of these the newest {} good ones in any case",
        limits.files_per_vg,
        HumanBytes(limits.bytes_per_vg),
        limits.age_days,
        limits.keep_newest
    );
    let seen = status.seen.map_or_else(
        || "not looked at yet".to_owned(),
        |seen| {
            let (files, bytes) = (seen.files, HumanBytes(seen.bytes));
            format!("{files} copies, {bytes}; {} other names, which are left alone", seen.unrecognised)
        },
    );
    let mut table = Table::default();
    for (name, value) in [
        ("janitor", Cell::new(state).style(style)),
        ("directory", Cell::new(&status.directory)),
        ("keeps", kept.into()),
        ("every", duration(f64::from(status.period_minutes) * 60.0).into()),
        ("seen", seen.into()),
        ("last pass", last_pass(status.last_pass.as_ref(), clock)),
    ]
    .into_iter()
    .chain((!status.is_clock_synchronised).then(|| ("clock", Cell::new(CLOCK_IN_DOUBT).style(ODD))))
    {
        table.row([Cell::new(name).style(BOLD), value]);
    }
    table.lines("")
}

fn last_pass(pass: Option<&Pass>, clock: &Clock) -> Cell {
    let Some(pass) = pass else { return Cell::new("none since the daemon started").style(DIM) };
    let removed = format!("{} copies, {}, were removed", pass.removed_files, HumanBytes(pass.removed_bytes));
    let words = format!("{}, within {} ms: {removed}", clock.time(&pass.ended_at), pass.took_ms);
    match (&pass.problem, pass.vgs_over) {
        (Some(problem), _) => Cell::new(format!("{words}; then it failed to {problem}")).style(BAD),
        (None, 0) => Cell::new(words),
        (None, over) => {
            Cell::new(format!("{words}; {over} VGs are over a bound: lvmwarden archive plan")).style(ODD)
        }
    }
}

fn report(report: &Report, goes: &str, clock: &Clock) -> String {
    let mut table = Table::with_heading(["VG", "COPIES", "SIZE", goes, "SIZE", "STILL OVER"]);
    for vg in &report.vgs {
        table.row([
            vg.vgname.as_str().into(),
            Cell::number(vg.files.to_string()),
            Cell::number(HumanBytes(vg.bytes).to_string()),
            Cell::number(vg.removed_files.to_string()).style(if vg.removed_files > 0 { ODD } else { DIM }),
            Cell::number(HumanBytes(vg.removed_bytes).to_string()),
            still_over(vg),
        ]);
    }
    let mut text = if report.vgs.is_empty() { "there are no copies\n".to_owned() } else { table.lines("") };
    let counted = |count: u64, what: &str| {
        if count > 0 { format!("and {count} {what}\n") } else { String::new() }
    };
    text += &counted(report.vgs_left_out, "more VGs");
    text += &counted(report.unrecognised, "names that lvm does not write, which are left alone");
    if report.is_cut_off {
        text += "and more copies than one pass looks at: the next pass goes on\n";
    }
    let is_because =
        |because| report.vgs.iter().flat_map(|vg| &vg.unmet).any(|unmet| unmet.because == because);
    if is_because(Because::ClockNotSynchronised) {
        text = text + "the clock is " + CLOCK_IN_DOUBT + "\n";
    }
    if is_because(Because::NewestCopySeemsOld) {
        text += "where the newest copy seems over a year old, the clock may be wrong, and no copy goes for its age: check \
                 the date; if it is right, remove old copies by hand\n";
    }
    if !report.removals.is_empty() {
        text.push('\n');
        text += &removals(report, clock);
    }
    text
}

fn removals(report: &Report, clock: &Clock) -> String {
    let mut table = Table::with_heading(["COPY", "WRITTEN", "SIZE", "FOR"]);
    for removal in report.removals.iter().take(NAMED) {
        table.row([
            removal.file_name.as_str().into(),
            Cell::new(clock.time(&removal.modified_at)).style(DIM),
            Cell::number(HumanBytes(removal.bytes).to_string()),
            bound(removal.bound).into(),
        ]);
    }
    let more = report.removed_files.saturating_sub(report.removals.len().min(NAMED) as u64);
    let more = if more > 0 { format!("and {more} more\n") } else { String::new() };
    table.lines("") + &more
}

fn still_over(vg: &Vg) -> Cell {
    let words: Vec<_> = vg
        .unmet
        .iter()
        .map(|unmet| {
            let because = match unmet.because {
                Because::OperationInProgress => "an operation is in progress",
                Because::NewestCopies => "the newest copies stay",
                Because::NoGoodCopies => "too few good copies",
                Because::ClockNotSynchronised => "the clock is not known to be synchronised",
                Because::NewestCopySeemsOld => "the newest copy seems over a year old",
            };
            format!("{}: {because}", bound(unmet.bound))
        })
        .collect();
    let is_meant = vg.unmet.iter().all(|unmet| unmet.because == Because::NewestCopies);
    Cell::new(words.join("; ")).style(if is_meant { USUAL } else { ODD })
}

fn bound(bound: Bound) -> &'static str {
    match bound {
        Bound::Age => "age",
        Bound::Files => "number",
        Bound::Bytes => "size",
    }
}

#[cfg(test)]
mod tests;
