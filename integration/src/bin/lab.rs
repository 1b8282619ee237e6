//! The lab's commands: what `cargo demo` and `cargo verify` run, and the agent that runs in the guests.

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use lvmwarden_integration::lab::{agent, compare, demo, lock_packages};
use lvmwarden_integration::verify;
use std::path::{Path, PathBuf};

/// Real LVM in throw-away virtual machines.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Shows a real pvmove that outlives a kill -9 of the daemon; takes about a minute.
    Demo,
    /// Measures pvmoves with the stock lvmpolld and with ours, and prints a table; takes half an hour.
    Compare {
        /// How often each is run; the table has the medians.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
    /// Prints the folder with the unpacked lock managers and the C lock daemon, after downloading them if need be.
    LockPackages,
    /// Runs every check of this repository.
    Verify,
    /// Runs a host's commands inside a guest; the guest's first process starts it.
    #[command(hide = true)]
    Agent,
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Demo => demo::demo(),
        Command::Compare { rounds } => compare::compare(rounds),
        Command::LockPackages => print_lock_packages(),
        Command::Verify => verify::verify(&repository()?),
        Command::Agent => agent::serve(),
    }
}

#[expect(clippy::print_stdout, reason = "the path is what it is for")]
fn print_lock_packages() -> Result<()> {
    println!("{}", lock_packages::root()?.display());
    Ok(())
}

fn repository() -> Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(package.parent().context("this package lies in no repository")?.to_owned())
}
