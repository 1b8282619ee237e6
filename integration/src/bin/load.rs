//! Measures our daemons against the C ones and prints a Markdown table.
//!
//! `cargo build --release -p lvmwarden -p lvmwarden-integration`, then
//! `target/release/load polls --ours target/release/lvmwardend --theirs /usr/sbin/lvmpolld`, or
//! `target/release/load locks --ours target/release/lvmwardend --theirs /usr/sbin/lvmlockd`. `target/release/load metadata` and
//! `load cold` have no C daemon to compare with.
#![forbid(unsafe_code)]

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use lvmwarden_integration::load::report::{Report, Subject};
use lvmwarden_integration::load::rounds::Plan;
use lvmwarden_integration::load::{cold, locks, metadata};

/// Measures two daemons in turns.
#[derive(Debug, Parser)]
struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Measures two poll daemons
    Polls(Polls),
    /// Measures two lock daemons in test mode
    Locks(Locks),
    /// Measures a metadata daemon
    Metadata(Common),
    /// Measures how the service fills its cache from 10,000 PVs
    Cold(Common),
}

#[derive(Debug, Args)]
struct Polls {
    #[command(flatten)]
    common: Common,

    /// The C daemon
    #[arg(long, value_name = "PATH", default_value = "/usr/sbin/lvmpolld")]
    theirs: PathBuf,

    /// How long clients connect and close in a loop
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    storm_seconds: u64,
}

#[derive(Debug, Args)]
struct Locks {
    #[command(flatten)]
    common: Common,

    /// The C daemon
    #[arg(long, value_name = "PATH", default_value = "/usr/sbin/lvmlockd")]
    theirs: PathBuf,

    /// Where the C daemon finds libraries that are not installed
    #[arg(long, value_name = "DIRECTORY")]
    libraries: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct Common {
    /// Our daemon, a release build
    #[arg(long, value_name = "PATH")]
    ours: PathBuf,

    /// How often each daemon is measured; the table shows medians
    #[arg(long, default_value_t = 5)]
    rounds: u32,

    /// How long each kind of request is sent
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    loop_seconds: u64,
}

fn main() -> Result<()> {
    match Options::parse().what {
        What::Polls(Polls { common, theirs, storm_seconds }) => {
            let loop_period = Duration::from_secs(common.loop_seconds);
            let storm_period = Duration::from_secs(storm_seconds);
            let plan = Plan { ours: common.ours, theirs, loop_period, storm_period };
            alternate(common.rounds, |subject, report| {
                plan.run_round(subject, report);
                Ok(())
            })
        }
        What::Locks(Locks { common, theirs, libraries }) => {
            let loop_period = Duration::from_secs(common.loop_seconds);
            let plan = locks::Plan { ours: common.ours, theirs, libraries, loop_period };
            alternate(common.rounds, |subject, report| plan.run_round(subject, report))
        }
        What::Metadata(common) => {
            let loop_period = Duration::from_secs(common.loop_seconds);
            let plan = metadata::Plan { ours: common.ours, loop_period };
            repeat(common.rounds, |report| plan.run_round(report))
        }
        What::Cold(common) => {
            let plan = cold::Plan::new(common.ours)?;
            repeat(common.rounds, |report| plan.run_round(report))
        }
    }
}

/// Takes our daemon through each round, and prints the table.
fn repeat(rounds: u32, mut run: impl FnMut(&mut Report) -> Result<()>) -> Result<()> {
    let mut report = Report::default();
    for round in 1..=rounds {
        writeln!(std::io::stderr(), "round {round} of {rounds}")?;
        run(&mut report)?;
    }
    show(&report)
}

/// Takes both daemons through each round, one after the other, and prints the table.
fn alternate(rounds: u32, mut run: impl FnMut(Subject, &mut Report) -> Result<()>) -> Result<()> {
    let mut report = Report::default();
    for round in 1..=rounds {
        for subject in [Subject::Ours, Subject::Theirs] {
            writeln!(std::io::stderr(), "round {round} of {rounds}: {subject:?}")?;
            run(subject, &mut report)?;
        }
    }
    show(&report)
}

fn show(report: &Report) -> Result<()> {
    write!(std::io::stdout(), "{}", report.table())?;
    Ok(())
}
