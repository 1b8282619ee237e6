//! `lvmwarden doctor`: does lvm on this host use the daemon, and what is to be typed where it does not?
//!
//! [`gather`] collects facts and judges nothing; [`checks`] judges facts and looks at nothing. [`run`] shows the findings.

mod checks;
mod facts;
mod gather;
mod listeners;
mod program;

use serde::Serialize;

use super::exit::Exit;
use super::failure::Failure;
use super::screen::{BAD, BOLD, DIM, GOOD, ODD, Screen, styled};
use super::table::{Cell, Table};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    /// What was looked at.
    about: &'static str,
    verdict: Verdict,
    /// What it is like.
    message: String,
    /// What to type to mend it, a command each.
    remedy: Vec<String>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// As it should be.
    Well,
    /// It cannot be told, or is worth knowing.
    Unsure,
    /// It is to be mended.
    Wrong,
}

impl Finding {
    fn well(about: &'static str, message: impl Into<String>) -> Self {
        Self { about, verdict: Verdict::Well, message: message.into(), remedy: Vec::new() }
    }

    fn unsure(about: &'static str, message: impl Into<String>, remedy: &[&str]) -> Self {
        Self { verdict: Verdict::Unsure, ..Self::wrong(about, message, remedy) }
    }

    fn wrong(about: &'static str, message: impl Into<String>, remedy: &[&str]) -> Self {
        let remedy = remedy.iter().map(|&command| command.to_owned()).collect();
        Self { about, verdict: Verdict::Wrong, message: message.into(), remedy }
    }
}

/// Examines the host.
pub(super) fn run(screen: &mut Screen) -> Result<Exit, Failure> {
    let findings = checks::all(&gather::gather(screen));
    if screen.json {
        screen.print_json(&serde_json::json!({ "findings": findings }))?;
    } else {
        screen.print(&report(&findings))?;
    }
    let is_wrong = findings.iter().any(|finding| finding.verdict == Verdict::Wrong);
    Ok(if is_wrong { Exit::Failed } else { Exit::Done })
}

fn report(findings: &[Finding]) -> String {
    let mut table = Table::default();
    for finding in findings {
        let (mark, style) = match finding.verdict {
            Verdict::Well => ("ok", GOOD),
            Verdict::Unsure => ("note", ODD),
            Verdict::Wrong => ("WRONG", BAD),
        };
        let message = Cell::new(&finding.message);
        table.row([Cell::new(mark).style(style), Cell::new(finding.about).style(BOLD), message]);
        for command in &finding.remedy {
            table.row([Cell::new(""), Cell::new(""), Cell::new(format!("  {command}")).style(DIM)]);
        }
    }
    let count = findings.iter().filter(|finding| finding.verdict == Verdict::Wrong).count();
    let summary = match count {
        0 => styled("all is well", GOOD),
        1 => styled("1 thing is to be mended", BAD),
        count => styled(&format!("{count} things are to be mended"), BAD),
    };
    format!("{}\n{summary}\n", table.lines(""))
}

#[cfg(test)]
mod tests;
