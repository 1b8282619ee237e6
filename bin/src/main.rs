//! `lvmwardend`: the background work of LVM, supervised.
//!
//! It plays one C daemon under that daemon's name, be it the first argument or the name that it is started by:
//!
//! | started as | is | where |
//! |---|---|---|
//! | `lvmwardend lvmpolld …`, `lvmpolld …` | a stand-in for lvmpolld | [`lvmpolld`] |

#![forbid(unsafe_code)]

mod cli;
mod client;
mod logging;
mod lvmpolld;
mod pid_file;
mod signals;
mod sockets;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()) {
        Ok(cli::Role::Lvmpolld(options)) => lvmpolld::main(&options),
        Err(refused) => refused.report(),
    }
}
