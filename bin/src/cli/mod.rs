//! `lvmwarden`: shows what the service does, and tells it what to do.

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

/// Shows what lvmwardend does, and tells it what to do.
#[derive(Debug, Parser)]
#[command(name = "lvmwarden", version)]
struct Cli {}

/// Returns the definition from which parser, help, man page and completions come.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program.
pub fn main() -> ExitCode {
    Cli::parse();
    ExitCode::SUCCESS
}
