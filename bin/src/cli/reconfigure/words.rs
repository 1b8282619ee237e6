//! Changes in words.

use std::fmt::Write as _;

use lvmwarden_protocol::api::reconfigure::{
    Answer, Change, Concern, Host, Kind, MembersReply, Outcome, OutcomeKind, Phase, PlanReply,
};

use crate::cli::screen::{BAD, BOLD, Clock, DIM, GOOD, ODD, USUAL, plain};
use crate::cli::table::{Cell, Table};

#[cfg(test)]
mod tests;

/// How much of an id is shown.
const SHORT: usize = 8;

/// Returns the beginning of an id.
pub(super) fn short(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}

/// Says what is asked for.
pub(super) fn heading(change: &Change) -> String {
    format!("Change {}: {}\n", short(&change.id), plain(&change.goal_text))
}

/// Says that a phase is over.
pub(super) fn phase(phase: Phase, change: &Change, took_ms: u64) -> String {
    let each = |word: &dyn Fn(&Host) -> Option<String>| {
        let words: Vec<_> = change
            .hosts
            .iter()
            .filter_map(|host| Some(format!("{} {}", plain(&host.name), word(host)?)))
            .collect();
        words.join("  ")
    };
    let vote = |host: &Host| Some(host.vote?.as_str().to_owned());
    let state = |host: &Host| (host.concern != Concern::None).then(|| host.state.clone());
    let what = match phase {
        Phase::Voting => each(&vote),
        Phase::Preparing => each(&|host| (host.concern != Concern::None).then(|| "ready".to_owned())),
        Phase::Committing | Phase::Abandoning => each(&state),
        Phase::Locking
        | Phase::Proposing
        | Phase::Applying
        | Phase::Judging
        | Phase::Doubt
        | Phase::Ended => String::new(),
    };
    let line = format!("  {:<11} {what:<28} {:>6}", phase.as_str(), seconds(took_ms));
    line.trim_end().to_owned() + "\n"
}

/// Says how a change has ended.
pub(super) fn end(change: &Change) -> String {
    let Some(outcome) = &change.outcome else { return String::new() };
    let hosts = change.hosts.iter().filter(|host| host.concern != Concern::None).count();
    match outcome.kind {
        OutcomeKind::Committed if change.hosts.is_empty() => "Nothing to do: it is so already.\n".to_owned(),
        OutcomeKind::Committed if hosts == 1 => "Committed on 1 host.\n".to_owned(),
        OutcomeKind::Committed => format!("Committed on {hosts} hosts.\n"),
        OutcomeKind::Abandoned => {
            let phase = outcome.phase.map_or_else(String::new, |phase| format!(" while {}", phase.as_str()));
            let head = format!("Change {}: abandoned{phase}.\nNothing was changed.\n", short(&change.id));
            head + &reasons(change, outcome)
        }
        OutcomeKind::Refused => {
            format!("Change {}: refused.\n", short(&change.id)) + &reasons(change, outcome)
        }
        OutcomeKind::Superseded => {
            format!("Change {}: others have written since; see lvs.\n", short(&change.id))
        }
        OutcomeKind::Unknown => {
            format!("Change {}: nobody knows whether it is made.\n", short(&change.id))
                + &reasons(change, outcome)
        }
    }
}

/// Says who objects, and why; where nobody has voted no, what has happened.
fn reasons(change: &Change, outcome: &Outcome) -> String {
    let objections: Vec<_> = change.hosts.iter().filter(|host| host.vote == Some(Answer::No)).collect();
    let mut text = String::new();
    for host in &objections {
        let (code, reason) = (host.code.as_deref().unwrap_or(""), host.reason.as_deref().unwrap_or(""));
        write!(text, "  {}  no  {}\n{}", plain(&host.name), plain(code), folded(reason))
            .expect("a String grows");
    }
    if objections.is_empty() {
        let (node, code) = (outcome.node.as_deref().unwrap_or("-"), outcome.code.as_deref().unwrap_or(""));
        let reason = outcome.reason.as_deref().unwrap_or("");
        write!(text, "  {}  {}\n{}", plain(node), plain(code), folded(reason)).expect("a String grows");
    }
    if let Some(remedy) = &outcome.remedy {
        writeln!(text, "  {}", plain(remedy)).expect("a String grows");
    }
    text
}

/// Folds a text into lines of at most 60 characters, each behind four blanks; longer words stay whole.
fn folded(text: &str) -> String {
    const INDENT: &str = "    ";
    let (mut lines, mut line) = (String::new(), INDENT.to_owned());
    for word in plain(text).split_whitespace() {
        if line.len() > INDENT.len() && line.chars().count() + 1 + word.chars().count() > 60 {
            lines += &(line + "\n");
            line = String::from(INDENT);
        }
        if line.len() > INDENT.len() {
            line.push(' ');
        }
        line += word;
    }
    if line.len() > INDENT.len() {
        lines += &(line + "\n");
    }
    lines
}

fn seconds(took_ms: u64) -> String {
    format!("{}.{:02} s", took_ms / 1000, took_ms % 1000 / 10)
}

/// Says how far a change is, or what has become of it.
fn state(change: &Change) -> Cell {
    let lags = change.hosts.iter().any(|host| host.lagging);
    let (text, style) = match &change.outcome {
        None => (change.phase.as_str().to_owned(), ODD),
        Some(outcome) => match outcome.kind {
            OutcomeKind::Committed if lags => ("committed, lagging".to_owned(), ODD),
            OutcomeKind::Committed => ("committed".to_owned(), GOOD),
            OutcomeKind::Abandoned | OutcomeKind::Refused => (outcome.kind.as_str().to_owned(), USUAL),
            OutcomeKind::Superseded | OutcomeKind::Unknown => (outcome.kind.as_str().to_owned(), BAD),
        },
    };
    Cell::new(text).style(style)
}

/// Lists changes.
pub(super) fn list(changes: &[Change], clock: &Clock) -> String {
    if changes.is_empty() {
        return "there are no changes\n".to_owned();
    }
    let mut table = Table::with_heading(["ID", "ASKED", "TOOK", "STATE", "GOAL"]);
    for change in changes {
        table.row([
            short(&change.id).into(),
            Cell::new(clock.time(&change.since)).style(DIM),
            Cell::number(seconds(change.took_ms)),
            state(change),
            change.goal_text.as_str().into(),
        ]);
    }
    table.lines("")
}

/// Tells a change in a line.
pub(super) fn line(change: &Change) -> String {
    let mut table = Table::default();
    table.row([short(&change.id).into(), state(change), change.goal_text.as_str().into()]);
    table.lines("")
}

/// Shows a change.
pub(super) fn change(change: &Change, clock: &Clock) -> String {
    let mut table = Table::default();
    let deadline = change.deadline_ms.map(|left| format!(", {} left", seconds(left))).unwrap_or_default();
    let state = match &change.outcome {
        None => Cell::new(format!("{}{deadline}", change.phase.as_str())).style(ODD),
        Some(_) => state(change),
    };
    for (name, value) in [
        ("id", Cell::new(&change.id)),
        ("goal", Cell::new(&change.goal_text)),
        ("state", state),
        ("asked", Cell::new(clock.time(&change.since))),
        ("by", Cell::new(change.asked_by.as_deref().unwrap_or(""))),
        ("of", Cell::new(&change.coordinator)),
        ("took", Cell::new(seconds(change.took_ms))),
    ] {
        table.row([Cell::new(name).style(BOLD), value]);
    }
    let mut text = table.lines("");
    if !change.hosts.is_empty() {
        text = text + "\n" + &hosts(&change.hosts);
    }
    if let Some(outcome) = change.outcome.as_ref().filter(|outcome| outcome.reason.is_some()) {
        text = text + "\n" + &reasons(change, outcome);
    }
    text
}

fn hosts(hosts: &[Host]) -> String {
    let mut table = Table::with_heading(["HOST", "CONCERN", "VOTE", "STATE", "HELD", ""]);
    for host in hosts {
        let held = host.held_ms.map(seconds).unwrap_or_default();
        let notes = host.code.iter().chain(&host.notes).cloned().collect::<Vec<_>>().join("; ");
        let state = match (host.gone, host.lagging) {
            (true, _) => Cell::new("gone").style(BAD),
            (false, true) => Cell::new("lagging").style(ODD),
            (false, false) => Cell::new(&host.state),
        };
        let vote = host.vote.map_or("", Answer::as_str);
        table.row([
            host.name.as_str().into(),
            host.concern.as_str().into(),
            Cell::new(vote).style(if host.vote == Some(Answer::No) { BAD } else { USUAL }),
            state,
            Cell::number(held),
            notes.into(),
        ]);
    }
    table.lines("")
}

/// Says what a change would come to.
pub(super) fn plan(plan: &PlanReply) -> String {
    let mut text = format!("Would {}\n", plain(&plan.goal_text));
    for host in &plan.hosts {
        let vote = host.vote.map_or("", Answer::as_str);
        let code = host.code.as_deref().unwrap_or("");
        writeln!(text, "{}", format!("  {}  {vote}  {}", plain(&host.name), plain(code)).trim_end())
            .expect("a String grows");
        for words in host.reason.iter().chain(&host.notes) {
            text += &folded(words);
        }
    }
    for step in &plan.steps {
        let command = step.command.as_deref().unwrap_or("");
        writeln!(text, "  {:<11} {}: {}", step.phase.as_str(), plain(&step.host), plain(command))
            .expect("a String grows");
        text += &folded(step.note.as_deref().unwrap_or(""));
    }
    text
}

/// Shows who is in the group.
pub(super) fn members(reply: &MembersReply) -> String {
    let quorum = if reply.quorate { "quorate" } else { "not quorate" };
    let mut text = format!("Transport {}, ring {}, {quorum}\n", plain(&reply.transport), plain(&reply.ring));
    let mut table = Table::default();
    for member in &reply.members {
        table.row([
            Cell::number(member.node.to_string()),
            member.name.as_str().into(),
            Cell::new(format!("lvmwardend {}", member.version).trim_end()),
            Cell::new(member.vgs.join(" ")),
            if member.is_self { "this host".into() } else { "".into() },
            if member.is_ready { "".into() } else { Cell::new("not heard yet").style(ODD) },
        ]);
    }
    text += &table.lines("  ");
    if let Some(problem) = &reply.problem {
        writeln!(text, "{}", plain(problem)).expect("a String grows");
    }
    let accepts = reply.members.iter().find(|member| member.is_self).map(|member| &member.accepts);
    if let Some(accepts) = accepts {
        let words: Vec<_> = accepts.iter().copied().map(Kind::as_str).collect();
        text += &folded(&format!("takes part in {}", words.join(", ")));
    }
    text
}

/// Says what was let go.
pub(super) fn released(devices: &[String]) -> String {
    if devices.is_empty() {
        return "Nothing is held.\n".to_owned();
    }
    devices.iter().map(|device| plain(device) + " goes on\n").collect()
}
