//! `metadata`: the VGs, PVs and LVs of the host, as the daemon has them in memory.

mod drawing;
mod problems;
mod size;
mod tables;
mod wait;
mod watch;

#[cfg(test)]
mod samples;

use std::fmt::Display;
use std::time::Duration;

use lvmwarden_protocol::api::Paged;
use lvmwarden_protocol::api::metadata::{
    Coverage, Freshness, Lvs, Problems, Pvs, Reading, Rescan, Show, Source, Vgs,
};

use super::arguments::Metadata as Command;
use super::client::{Answer, ClientError};
use super::exit::Exit;
use super::failure::Failure;
use super::screen::{DIM, ODD, Screen, duration, styled};

/// Does what is asked.
pub(super) fn run(screen: &mut Screen, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Vgs { vgname, age } => {
            let asked = Vgs { vgname: vgname.clone(), max_age_ms: age.max_age_ms(), page: None };
            let answer = all(screen, &asked)?;
            screen.answer(&answer, |reply| {
                let none = nothing("VG", vgname.as_ref(), &reply.coverage);
                table(tables::vgs(&reply.vgs), &none, reply.vgs.is_empty(), &reply.coverage)
            })?;
        }
        Command::Lvs { vgname, all: with_parts, age } => {
            let max_age_ms = age.max_age_ms();
            let asked = Lvs { vgname: vgname.clone(), all: Some(with_parts), max_age_ms, page: None };
            let answer = all(screen, &asked)?;
            screen.answer(&answer, |reply| {
                let none = nothing("LV", vgname.as_ref(), &reply.coverage);
                table(tables::lvs(&reply.lvs), &none, reply.lvs.is_empty(), &reply.coverage)
            })?;
        }
        Command::Pvs { vgname, age } => {
            let asked = Pvs { vgname: vgname.clone(), max_age_ms: age.max_age_ms(), page: None };
            let answer = all(screen, &asked)?;
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

fn all<M: Paged>(screen: &Screen, asked: &M) -> Result<Answer<M>, Failure> {
    let called = |error: ClientError| error.about("the VGs of this host");
    screen.connect()?.call_all(asked).map_err(called)
}

fn table(table: String, none: &str, is_empty: bool, coverage: &Coverage) -> String {
    if is_empty { none.to_owned() } else { table + &still(coverage) }
}

/// Says that nothing is known, and how sure that is.
fn nothing(what: &str, vgname: Option<&impl Display>, coverage: &Coverage) -> String {
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

fn time(milliseconds: u64) -> String {
    if milliseconds < 1000 {
        return format!("{milliseconds} ms");
    }
    duration(Duration::from_millis(milliseconds).as_secs_f64())
}
