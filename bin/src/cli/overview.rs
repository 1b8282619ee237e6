//! `lvmwarden` without a command: the host at a glance.

use std::collections::HashMap;

use lvmwarden_protocol::api::events::{Event, Recent};
use lvmwarden_protocol::api::lock::Lockspaces;
use lvmwarden_protocol::api::metadata::{Completeness, Vg, Vgs};
use lvmwarden_protocol::api::poll::{Foreign, List, Operation};
use lvmwarden_protocol::api::service::{Info, InfoReply};
use lvmwarden_protocol::api::supervisor::{Node, Tree};

use super::failure::Failure;
use super::operation::{self, kind, lv};
use super::pace::Pace;
use super::screen::{BAD, BOLD, Clock, DIM, ODD, Screen, plain, styled};
use super::table::{Cell, Table};
use super::{events, lock, metadata, poll, tree};

/// How many events are asked for: enough to see the pace of operations in them.
const EVENTS_ASKED: u32 = 1000;
/// How many events are shown.
const EVENTS_SHOWN: usize = 8;

/// How many VGs are shown.
const VGS_SHOWN: usize = 5;

/// Shows it.
pub(super) fn run(screen: &mut Screen) -> Result<(), Failure> {
    let mut client = screen.connect()?;
    let info = client.call(&Info {})?;
    let plays = |role: &str| info.reply.roles.iter().any(|played| played == role);
    let list = plays("poll").then(|| client.call_all(&List::default())).transpose()?;
    let foreign = plays("poll").then(|| client.call_all(&Foreign::default())).transpose()?;
    let shared =
        plays("lock").then(|| client.call_all(&Lockspaces { vgname: None, page: None })).transpose()?;
    let tree = client.call_all(&Tree::default())?;
    let recent = client.call_all(&Recent { limit: Some(EVENTS_ASKED), page: None })?;
    let asked = Vgs { vgname: None, max_age_ms: None, page: None };
    let vgs = plays("metadata").then(|| client.call_all(&asked)).transpose()?;
    if screen.json {
        let mut all = serde_json::json!({
            "service": info.raw,
            "poll": list.map(|list| list.raw),
            "foreign": foreign.map(|foreign| foreign.raw),
            "lock": shared.map(|shared| shared.raw),
            "supervisor": tree.raw,
            "events": recent.raw,
        });
        if let Some(vgs) = vgs {
            all["metadata"] = vgs.raw.into();
        }
        return screen.print_json(&all);
    }
    let events = &recent.reply.events;
    let clock = screen.clock();
    screen.print(&service(&info.reply, &clock))?;
    if let Some(shared) = shared {
        screen.print(&lock::section(&shared.reply.lockspaces))?;
    }
    if let (Some(list), Some(foreign)) = (list, foreign) {
        screen.print(&operations(&list.reply.operations, events))?;
        screen.print(&poll::foreign::section(&foreign.reply.copies))?;
    }
    if let Some(vgs) = vgs {
        screen.print(&volume_groups(&vgs.reply.vgs))?;
    }
    screen.print(&restarts(&tree.reply.root))?;
    screen.print(&latest(events, &clock))
}

fn service(info: &InfoReply, clock: &Clock) -> String {
    let up = clock.age(&info.started_at).map_or_else(String::new, |age| format!(", up {age}"));
    let name = styled(&plain(&format!("lvmwardend {}", info.version)), BOLD);
    format!("{name}, pid {}{up}, serves {}\n", info.pid, plain(&info.roles.join(", ")))
}

fn operations(operations: &[Operation], events: &[Event]) -> String {
    if operations.is_empty() {
        return heading("Operations", "none");
    }
    let paces = paces(events);
    let mut table = Table::default();
    for operation in operations {
        let (state, style) = operation::state(operation);
        let is_going = operation.outcome.is_none();
        let pace = paces.get(operation.id.to_string().as_str()).and_then(Pace::estimate);
        let speed = operation::copy_speed(operation).or_else(|| Some(pace?.to_string()));
        table.row([
            lv(operation).into(),
            kind(operation.kind, operation.abort).into(),
            Cell::new(if is_going { operation::bar(operation) } else { String::new() }),
            Cell::number(if is_going { operation::percent(operation) } else { String::new() }),
            Cell::new(state).style(style),
            Cell::new(speed.filter(|_| is_going).unwrap_or_default()),
            Cell::new(starts(operation)).style(ODD),
        ]);
    }
    heading("Operations", &operations.len().to_string()) + &table.lines("  ")
}

/// Returns what of note there is about the starts of lvpoll.
fn starts(operation: &Operation) -> String {
    match operation.attempt {
        0 | 1 => String::new(),
        attempt => format!("{attempt} starts"),
    }
}

/// Returns how fast each operation goes, by its id.
fn paces(events: &[Event]) -> HashMap<&str, Pace> {
    let mut paces = HashMap::<&str, Pace>::new();
    for event in events.iter().filter(|event| event.kind == events::PROGRESS) {
        let percent = event.fields.get("percent").and_then(|percent| percent.parse().ok());
        if let (Some(op), Some(percent), Ok(time)) = (event.fields.get("op"), percent, event.time.parse()) {
            paces.entry(op).or_default().saw(time, percent);
        }
    }
    paces
}

/// Shows VGs: all of a few, and of many those with something to be seen.
fn volume_groups(vgs: &[Vg]) -> String {
    let is_odd = |vg: &&Vg| vg.completeness != Completeness::Complete || vg.is_out_of_date;
    let odd: Vec<Vg> = vgs.iter().filter(is_odd).take(VGS_SHOWN).cloned().collect();
    let shown = if vgs.len() <= VGS_SHOWN { vgs } else { &odd };
    if vgs.is_empty() {
        return heading("Volume groups", "none");
    }
    let table = if shown.is_empty() { String::new() } else { metadata::tables::vgs(shown) };
    let lines: Vec<_> = table.lines().map(|line| format!("  {line}\n")).collect();
    heading("Volume groups", &vgs.len().to_string()) + &lines.concat()
}

fn restarts(root: &Node) -> String {
    let mut restarted = Vec::new();
    collect_restarted(root, &mut restarted);
    if restarted.is_empty() {
        return heading("Restarts", "none");
    }
    let mut table = Table::default();
    for node in &restarted {
        let (state, style) = tree::state(node);
        table.row([
            Cell::from(&node.name),
            Cell::number(node.restarts.to_string()),
            Cell::new(state).style(style),
            Cell::new(tree::last_exit(node)).style(BAD),
        ]);
    }
    heading("Restarts", &restarted.iter().map(|node| node.restarts).sum::<u64>().to_string())
        + &table.lines("  ")
}

/// Collects the actors that were restarted, or should be.
fn collect_restarted<'n>(node: &'n Node, restarted: &mut Vec<&'n Node>) {
    if node.restarts > 0 || tree::is_down(node) {
        restarted.push(node);
    }
    for child in &node.children {
        collect_restarted(child, restarted);
    }
}

fn latest(events: &[Event], clock: &Clock) -> String {
    // Bars show the progress better.
    let told: Vec<_> = events.iter().filter(|event| event.kind != events::PROGRESS).collect();
    if told.is_empty() {
        return heading("Recent events", "none");
    }
    let mut table = Table::default();
    for event in &told[told.len().saturating_sub(EVENTS_SHOWN)..] {
        table.row(events::cells(event, clock));
    }
    format!("\n{}\n{}", styled("Recent events", BOLD), table.lines("  "))
}

fn heading(name: &str, count: &str) -> String {
    format!("\n{} {}\n", styled(name, BOLD), styled(count, DIM))
}

#[cfg(test)]
mod tests;
