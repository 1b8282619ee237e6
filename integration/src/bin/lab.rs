//! The lab's commands: what `cargo demo` and `cargo verify` run, and the agent that runs in the guests.

use anyhow::Result;
use clap::{Parser, Subcommand};
use lvmwarden_integration::lab::agent;

/// Real LVM in throw-away virtual machines.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a host's commands inside a guest; the guest's first process starts it.
    #[command(hide = true)]
    Agent,
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Agent => agent::serve(),
    }
}
