//! `lvmwardend`: the background work of LVM, supervised.
//!
//! It plays one C daemon under that daemon's name, be it the first argument or the name that it is started by:
//!
//! | started as | is | where |
//! |---|---|---|
//! | `lvmwardend lvmpolld …`, `lvmpolld …` | a stand-in for lvmpolld | [`lvmpolld`] |

mod client;
mod command_line;
mod logging;
mod lvmpolld;
mod pid_file;
mod signals;
mod sockets;

use std::process::ExitCode;

pub use command_line::command;

/// Runs the program.
pub fn main() -> ExitCode {
    match command_line::parse(std::env::args_os()) {
        Ok(command_line::Role::Lvmpolld(options)) => lvmpolld::main(&options),
        Err(refused) => refused.report(),
    }
}
