//! Measures our poll daemon against the C one and prints a Markdown table.
//!
//! `cargo build --release -p lvmwarden -p lvmwarden-integration`, then
//! `target/release/load --ours target/release/lvmwardend --theirs /usr/sbin/lvmpolld`.
#![forbid(unsafe_code)]

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use lvmwarden_integration::load::report::{Report, Subject};
use lvmwarden_integration::load::rounds::Plan;

/// Measures two poll daemons in turns.
#[derive(Debug, Parser)]
struct Options {
    /// Our daemon, a release build
    #[arg(long, value_name = "PATH")]
    ours: PathBuf,

    /// The C daemon
    #[arg(long, value_name = "PATH", default_value = "/usr/sbin/lvmpolld")]
    theirs: PathBuf,

    /// How often each daemon is measured; the table shows medians
    #[arg(long, default_value_t = 5)]
    rounds: u32,

    /// How long each kind of request is sent
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    loop_seconds: u64,

    /// How long clients connect and close in a loop
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    storm_seconds: u64,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let plan = Plan {
        ours: options.ours,
        theirs: options.theirs,
        loop_period: Duration::from_secs(options.loop_seconds),
        storm_period: Duration::from_secs(options.storm_seconds),
    };
    let mut report = Report::default();
    for round in 1..=options.rounds {
        for subject in [Subject::Ours, Subject::Theirs] {
            writeln!(std::io::stderr(), "round {round} of {}: {subject:?}", options.rounds)?;
            plan.run_round(subject, &mut report);
        }
    }
    write!(std::io::stdout(), "{}", report.table())?;
    Ok(())
}
