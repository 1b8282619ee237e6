//! `metadata`: the VGs, PVs and LVs of the host, as the daemon has them in memory.

mod drawing;
mod problems;
mod size;
pub(super) mod tables;
mod wait;
mod watch;

#[cfg(test)]
pub(super) mod samples;

use std::time::Duration;

use lvmwarden_protocol::api::Paged;
use lvmwarden_protocol::api::metadata::{
    Coverage, Error, Freshness, Lvs, Problems, Pvs, Reading, Rescan, Show, Source, Vgs,
};
use lvmwarden_protocol::ids::VgName;

use super::arguments::Metadata as Command;
use super::client::{Answer, ClientError};
use super::exit::Exit;
use super::failure::{Failure, metadata_error};
use super::screen::{DIM, ODD, Screen, duration, styled};

/// Does what is asked.
pub(super) fn run(screen: &mut Screen, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Vgs { vgname, age } => {
            let asked = Vgs { vgname: vgname.clone(), max_age_ms: age.max_age_ms(), page: None };
            let answer = all(screen, &asked)?;
            if answer.reply.vgs.is_empty() {
                is_there(screen, vgname.as_ref())?;
            }
            screen.answer(&answer, |reply| {
                let none = nothing("VG", vgname.as_ref(), &reply.coverage);
                table(tables::vgs(&reply.vgs), &none, reply.vgs.is_empty(), &reply.coverage)
            })?;
        }
        Command::Lvs { vgname, all: with_parts, age } => {
            let max_age_ms = age.max_age_ms();
            let asked = Lvs { vgname: vgname.clone(), all: Some(with_parts), max_age_ms, page: None };
            let answer = all(screen, &asked)?;
            if answer.reply.lvs.is_empty() {
                is_there(screen, vgname.as_ref())?;
            }
            screen.answer(&answer, |reply| {
                let none = nothing("LV", vgname.as_ref(), &reply.coverage);
                table(tables::lvs(&reply.lvs), &none, reply.lvs.is_empty(), &reply.coverage)
            })?;
        }
        Command::Pvs { vgname, age } => {
            let asked = Pvs { vgname: vgname.clone(), max_age_ms: age.max_age_ms(), page: None };
            let answer = all(screen, &asked)?;
            if answer.reply.pvs.is_empty() {
                is_there(screen, vgname.as_ref())?;
            }
            screen.answer(&answer, |reply| {
                let none = nothing("PV", vgname.as_ref(), &reply.coverage);
                table(tables::pvs(&reply.pvs), &none, reply.pvs.is_empty(), &reply.coverage)
            })?;
        }
        Command::Show { vgname, uuid, age } => {
            let asked = Show { vgname, uuid, max_age_ms: age.max_age_ms(), page: None };
            let answer = all(screen, &asked)?;
            screen.answer(&answer, |reply| drawing::vg(reply) + &still(&reply.coverage))?;
        }
        Command::Wait { vgname, timeout } => return wait::run(screen, vgname, timeout),
        Command::Watch { vgname } => watch::run(screen, vgname)?,
        Command::Problems => {
            let answer = all(screen, &Problems { page: None })?;
            screen.answer(&answer, |reply| problems::words(&reply.problems) + &still(&reply.coverage))?;
        }
        Command::Rescan { device } => {
            let subject = device.to_string();
            let mut client = screen.connect()?;
            let answer = client.call(&Rescan { device }).map_err(|error| error.about(&subject))?;
            screen.answer(&answer, |_done| format!("{subject} was read again\n"))?;
        }
    }
    Ok(Exit::Done)
}

/// Fails as lvm's reports do when a VG is named that is not there.
fn is_there(screen: &Screen, vgname: Option<&VgName>) -> Result<(), Failure> {
    let Some(vgname) = vgname else { return Ok(()) };
    let shown =
        screen.connect()?.call_all(&Vgs { vgname: Some(vgname.clone()), max_age_ms: None, page: None })?;
    if !shown.reply.vgs.is_empty() {
        return Ok(());
    }
    Err(metadata_error(Error::NotFound { vgname: vgname.clone(), coverage: shown.reply.coverage }))
}

fn all<M: Paged>(screen: &Screen, asked: &M) -> Result<Answer<M>, Failure> {
    let called = |error: ClientError| error.about("the VGs of this host");
    screen.connect()?.call_all(asked).map_err(called)
}

fn table(table: String, none: &str, is_empty: bool, coverage: &Coverage) -> String {
    if is_empty { none.to_owned() } else { table + &still(coverage) }
}

/// Says that nothing is known, and how sure that is.
fn nothing(what: &str, vgname: Option<&VgName>, coverage: &Coverage) -> String {
    let of = vgname
        .map_or_else(String::new, |vg| if what == "VG" { format!(" {vg}") } else { format!(" of VG {vg}") });
    match coverage.reading {
        Reading::Done => format!("there is no {what}{of}\n"),
        Reading::Underway => format!("no {what}{of} is known yet, since {}\n", time(coverage.since_ms)),
    }
}

/// Says that there may be more, while not all PVs were looked at.
fn still(coverage: &Coverage) -> String {
    match coverage.reading {
        Reading::Done => String::new(),
        Reading::Underway => {
            let words = format!(
                "not all PVs were looked at yet, since {}: there may be more",
                time(coverage.since_ms)
            );
            styled(&words, ODD) + "\n"
        }
    }
}

/// Says who has read something, and when.
fn freshness(freshness: &Freshness) -> String {
    let who = match freshness.source {
        Source::Command => "told by an lvm command",
        Source::Disk => "read by the daemon",
    };
    let (age, verified) = (time(freshness.age_ms), time(freshness.verified_ms_ago));
    styled(&format!("{who} {age} ago, verified {verified} ago"), DIM)
}

/// Words a number of things.
fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// Words a time, such as `12 ms` or `3 min 5 s`.
pub(super) fn time(milliseconds: u64) -> String {
    if milliseconds < 1000 {
        return format!("{milliseconds} ms");
    }
    duration(Duration::from_millis(milliseconds).as_secs_f64())
}
