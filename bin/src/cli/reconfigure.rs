//! `reconfigure`: changes that all hosts of a VG make together, or none.

mod interrupt;
mod live;
mod words;

use std::time::Duration;

use lvmwarden_protocol::api::Method;
use lvmwarden_protocol::api::reconfigure::{
    Abandon, Change, Goal, HoldWish, Judge, Kind, List, Members, OutcomeKind, Plan, Propose, ReleaseHolds,
    Show, Wait, Watch,
};
use lvmwarden_protocol::ids::VgName;

use super::arguments::reconfigure::{How, Reconfigure as Command, Size};
use super::arguments::{Lv, VgOrLv};
use super::client::Answer;
use super::exit::Exit;
use super::failure::Failure;
use super::screen::Screen;

/// How long lvm may take to read a VG: longer than the daemon waits for it.
const PATIENCE: Duration = Duration::from_mins(4);

/// Does what is asked.
pub(super) fn run(screen: &mut Screen, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Resize { lv, size, hold, pvs, how } => {
            let mut goal = goal(Kind::Resize, &lv.vgname, vec![lv.lvname.to_string()]);
            match size {
                Size::Bytes(bytes) => goal.size_bytes = Some(bytes),
                Size::Grow(bytes) => goal.grow_bytes = Some(bytes),
            }
            goal.hold =
                hold.and_then(|word| HoldWish::ALL.iter().copied().find(|wish| wish.as_str() == word));
            ask(screen, Goal { pvs, ..goal }, how)
        }
        Command::Refresh { names, how } => {
            let (vg, lvs) = one_vg(&names)?;
            ask(screen, goal(Kind::Refresh, &vg, lvs), how)
        }
        Command::Rename { lv, new, how } => {
            let goal = goal(Kind::RenameLv, &lv.vgname, vec![lv.lvname.to_string()]);
            ask(screen, Goal { new_name: Some(new), ..goal }, how)
        }
        Command::Activate { lvs, how } => ask(screen, of_lvs(Kind::Activate, &lvs)?, how),
        Command::Deactivate { lvs, how } => ask(screen, of_lvs(Kind::Deactivate, &lvs)?, how),
        Command::Tag { name, add, remove, how } => {
            let goal = goal(Kind::Tag, &name.vgname, name.lv.into_iter().collect());
            ask(screen, Goal { add_tags: add, remove_tags: remove, ..goal }, how)
        }
        Command::Wait { id, timeout } => wait(screen, &id, timeout),
        Command::Watch { id: Some(id) } => {
            let shown = screen.connect()?.call(&Show { id: id.clone() }).map_err(|error| error.about(&id))?;
            live::follow(screen, &shown.reply.change, false)
        }
        other => look(screen, other).map(|()| Exit::Done),
    }
}

/// What is answered at once.
fn look(screen: &mut Screen, command: Command) -> Result<(), Failure> {
    let clock = screen.clock();
    match command {
        Command::List { limit } => {
            let answer = called(screen, &List { limit }, "changes")?;
            screen.answer(&answer, |reply| words::list(&reply.changes, &clock))
        }
        Command::Show { id } => {
            let answer = called(screen, &Show { id: id.clone() }, &id)?;
            screen.answer(&answer, |reply| words::change(&reply.change, &clock))
        }
        Command::Abandon { id } => {
            let answer = called(screen, &Abandon { id: id.clone() }, &id)?;
            screen.answer(&answer, |_| format!("Change {id} is being abandoned.\n"))
        }
        Command::Judge { id } => {
            let answer = called(screen, &Judge { id: id.clone() }, &id)?;
            screen.answer(&answer, |reply| words::change(&reply.change, &clock))
        }
        Command::Members => {
            let answer = called(screen, &Members {}, "members")?;
            screen.answer(&answer, words::members)
        }
        Command::ReleaseHolds => {
            let answer = called(screen, &ReleaseHolds {}, "holds")?;
            screen.answer(&answer, |reply| words::released(&reply.released))
        }
        Command::Watch { .. } => watch_all(screen),
        Command::Resize { .. }
        | Command::Refresh { .. }
        | Command::Rename { .. }
        | Command::Activate { .. }
        | Command::Deactivate { .. }
        | Command::Tag { .. }
        | Command::Wait { .. } => Ok(()),
    }
}

fn called<M: Method>(screen: &Screen, parameters: &M, subject: &str) -> Result<Answer<M>, Failure> {
    let mut client = screen.connect()?;
    client
        .send(parameters)
        .and_then(|()| client.receive::<M>(Some(PATIENCE)))
        .map_err(|error| error.about(subject))
}

/// Asks for a change and follows it to its end, or shows what it would come to.
fn ask(screen: &mut Screen, goal: Goal, how: How) -> Result<Exit, Failure> {
    let subject = goal.vgname.clone();
    if how.plan {
        let answer = called(screen, &Plan { goal }, &subject)?;
        screen.answer(&answer, words::plan)?;
        return Ok(if answer.reply.would { Exit::Done } else { Exit::Failed });
    }
    let answer = called(screen, &Propose { goal, id: how.id }, &subject)?;
    live::follow(screen, &answer.reply.change, true)
}

fn wait(screen: &mut Screen, id: &str, limit: Option<Duration>) -> Result<Exit, Failure> {
    let timeout_ms = limit.map(|limit| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
    let mut client = screen.connect()?;
    client.send(&Wait { id: id.to_owned(), timeout_ms })?;
    let patience = limit.map(|limit| limit + super::client::PATIENCE);
    let answer = client.receive::<Wait>(patience).map_err(|error| error.about(id))?;
    let clock = screen.clock();
    screen.answer(&answer, |reply| words::change(&reply.change, &clock))?;
    Ok(exit_of(&answer.reply.change))
}

fn watch_all(screen: &mut Screen) -> Result<(), Failure> {
    let mut client = screen.connect()?;
    client.send(&Watch { id: None })?;
    loop {
        let answer = client.receive::<Watch>(None)?;
        screen.answer(&answer, |reply| words::line(&reply.change))?;
        if !answer.continues {
            return Ok(());
        }
    }
}

/// Returns how a command ends that has followed this change.
fn exit_of(change: &Change) -> Exit {
    match change.outcome.as_ref().map(|outcome| outcome.kind) {
        Some(OutcomeKind::Committed)
            if change.phase == lvmwarden_protocol::api::reconfigure::Phase::Ended =>
        {
            Exit::Done
        }
        None | Some(OutcomeKind::Committed) => Exit::TimedOut,
        Some(
            OutcomeKind::Abandoned | OutcomeKind::Refused | OutcomeKind::Superseded | OutcomeKind::Unknown,
        ) => Exit::Failed,
    }
}

fn goal(kind: Kind, vg: &VgName, lvnames: Vec<String>) -> Goal {
    Goal { lvnames, ..Goal::of(kind, vg.as_str()) }
}

fn of_lvs(kind: Kind, lvs: &[Lv]) -> Result<Goal, Failure> {
    let names: Vec<_> =
        lvs.iter().map(|lv| VgOrLv { vgname: lv.vgname.clone(), lv: Some(lv.lvname.to_string()) }).collect();
    let (vg, lvs) = one_vg(&names)?;
    Ok(goal(kind, &vg, lvs))
}

/// Returns the one VG that is named, and its LVs; none where the VG itself is meant.
fn one_vg(names: &[VgOrLv]) -> Result<(VgName, Vec<String>), Failure> {
    let vg = names.first().map(|name| name.vgname.clone());
    let Some(vg) = vg.filter(|vg| names.iter().all(|name| name.vgname == *vg)) else {
        return Err(Failure::with(Exit::Usage, "a change is of one VG: the LVs are of several"));
    };
    let lvs: Vec<_> = names.iter().filter_map(|name| name.lv.clone()).collect();
    if !lvs.is_empty() && lvs.len() < names.len() {
        return Err(Failure::with(Exit::Usage, "name either the VG, or LVs of it"));
    }
    Ok((vg, lvs))
}
