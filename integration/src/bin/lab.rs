//! The lab's commands: what `cargo demo` and `cargo verify` run, and the agent that runs in the guests.

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use lvmwarden_integration::lab::{agent, demo};
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
    /// Runs every check of this repository.
    Verify,
    /// Runs a host's commands inside a guest; the guest's first process starts it.
    #[command(hide = true)]
    Agent,
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Demo => demo::demo(),
        Command::Verify => verify::verify(&repository()?),
        Command::Agent => agent::serve(),
    }
}

fn repository() -> Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(package.parent().context("this package lies in no repository")?.to_owned())
}
