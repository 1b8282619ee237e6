//! `lvmwardend`: the background work of LVM, supervised.
//!
//! It is a service with a configuration file; or it plays one C daemon under that daemon's name, be it the first
//! argument or the name that it is started by:
//!
//! | started as | is | where |
//! |---|---|---|
//! | `lvmwardend …` | the service | `service` |
//! | `lvmwardend lvmpolld …`, `lvmpolld …` | a stand-in for lvmpolld | `lvmpolld` |
//! | `lvmwardend lvmlockd …`, `lvmlockd …` | a stand-in for lvmlockd | `lvmlockd` |
//! | `lvmwardend lvmetad …`, `lvmetad …` | a stand-in for lvmetad | `lvmetad` |
//!
//! All are made of the same parts: `stand_in`, `poll_role`, `place`, `sockets`, `logging`, `signals`, `runtime`.

mod client;
mod command_line;
mod config;
mod group;
mod lock_dumps;
mod lock_role;
mod logging;
mod lvmetad;
mod lvmlockd;
mod lvmpolld;
mod memory;
mod pid_file;
mod place;
mod poll_role;
mod runtime;
mod service;
mod signals;
mod sockets;
mod stand_in;

use std::process::ExitCode;

use command_line::Program;
pub use command_line::command;

/// Returns the commented configuration file that packages install: every key with its remarks and its default.
pub fn default_configuration() -> String {
    config::default_file()
}

/// Runs the program.
pub fn main() -> ExitCode {
    match command_line::parse(std::env::args_os()) {
        Ok(Program::Service(options)) => service::main(&options),
        Ok(Program::Lvmpolld(options)) => lvmpolld::main(&options),
        Ok(Program::Lvmlockd(options)) => lvmlockd::main(&options),
        Ok(Program::Lvmetad(options)) => lvmetad::main(&options),
        Err(refused) => refused.report(),
    }
}
