//! The program `lvmwarden`: shows what the service does, and tells it what to do.
//!
//! It is one client of the API among others: it knows nothing of the daemon but what that answers, and
//! `lvmwarden doctor` what the host says. In order of a command's life:
//!
//! 1. `arguments` defines the command line;
//! 2. `client` calls the daemon, `follow` across restarts of it;
//! 3. a module for each command puts the answer into words: `overview`, `poll`, `events`, `tree`, `service`,
//!    `archive`, `lock`, `metadata`, `reconfigure`, `doctor`; what they share is in `names`, `operation`, `pace`, `selection` and `table`;
//! 4. `screen` writes them, in colours or as JSON;
//! 5. `failure` says why it did not work, and `exit` with which code the program ends.

mod archive;
mod arguments;
mod client;
mod deadline;
mod doctor;
mod events;
mod exit;
mod failure;
mod follow;
mod lock;
mod metadata;
mod names;
mod operation;
mod overview;
mod pace;
mod poll;
mod reconfigure;
#[cfg(test)]
mod samples;
mod screen;
mod selection;
mod service;
mod table;
mod tree;

use std::fmt::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use arguments::{Arguments, Command};
use exit::Exit;
pub use exit::exit_codes;
use failure::Failure;
use screen::Screen;

/// Returns the definition from which parser, help, man page and completions come.
pub fn command() -> clap::Command {
    let mut codes = "Exit codes:\n".to_owned();
    for (code, meaning) in exit_codes() {
        writeln!(codes, "  {code}  {meaning}").expect("a text grows");
    }
    Arguments::command().after_help(codes)
}

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments =
        match command().try_get_matches().and_then(|matches| Arguments::from_arg_matches(&matches)) {
            Ok(arguments) => arguments,
            Err(error) => {
                // Nobody is left to tell when the terminal is gone.
                let _ = error.print();
                return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
            }
        };
    let mut screen = Screen::new(&arguments.common);
    let exit = run(&mut screen, arguments.command).unwrap_or_else(|failure| {
        screen.tell(&failure);
        failure.exit
    });
    exit.into()
}

fn run(screen: &mut Screen, command: Option<Command>) -> Result<Exit, Failure> {
    match command {
        None => overview::run(screen)?,
        Some(Command::Poll(command)) => return poll::run(screen, command),
        Some(Command::Tree) => tree::run(screen)?,
        Some(Command::Events(options)) => events::run(screen, &options)?,
        Some(Command::Metrics) => service::metrics(screen)?,
        Some(Command::Archive(command)) => archive::run(screen, command)?,
        Some(Command::Lock(command)) => lock::run(screen, command)?,
        Some(Command::Metadata(command)) => return metadata::run(screen, command),
        Some(Command::Reconfigure(command)) => return reconfigure::run(screen, command),
        Some(Command::LogLevel { level }) => service::log_level(screen, level)?,
        Some(Command::Restart { name }) => service::restart(screen, name)?,
        Some(Command::Stop { end_children }) => service::stop(screen, end_children)?,
        Some(Command::Info) => service::info(screen)?,
        Some(Command::Doctor) => return doctor::run(screen),
    }
    Ok(Exit::Done)
}
