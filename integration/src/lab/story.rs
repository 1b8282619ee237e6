//! The frame of a scenario: boots a guest, tells the story in it, and shows the guest's log when the story ends badly.

use super::disks::Disk;
use super::guest::Guest;
use super::init::Init;
use anyhow::{Context, Result};
use std::env;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::slice;

/// With this in the environment the log of a story that ends well is shown, too: what takes how long.
const ALWAYS: &str = "LVMWARDEN_LAB_LOG";

/// Boots a guest with three disks of 256 MiB and nothing but a shell, and runs `story` in it.
///
/// # Errors
/// The guest does not boot, or `story` fails; the guest's log is then on stderr.
pub fn story(story: impl FnOnce(&Guest) -> Result<()>) -> Result<()> {
    let disks = [Disk::create(256)?, Disk::create(256)?, Disk::create(256)?];
    tell(&Guest::boot(&disks, &Init::Bare)?, story)
}

/// Runs `story` in a guest that is up, and returns what it gives.
///
/// # Errors
/// `story` fails; the guest's log is then on stderr.
pub fn tell<T>(guest: &Guest, story: impl FnOnce(&Guest) -> Result<T>) -> Result<T> {
    tell_together(slice::from_ref(guest), || story(guest))
}

/// Runs `story` with guests that are up, and returns what it gives.
///
/// # Errors
/// `story` fails; the guests' logs are then on stderr.
pub fn tell_together<T>(guests: &[Guest], story: impl FnOnce() -> Result<T>) -> Result<T> {
    let ending = catch_unwind(AssertUnwindSafe(story));
    if !matches!(ending, Ok(Ok(_))) || env::var_os(ALWAYS).is_some() {
        for guest in guests {
            // A host that is off has nothing to add.
            let _ = guest.run("tail -n 60 /run/lockd.log /run/polld.log /run/service.log");
            // Where stderr is closed there is nobody to read it.
            let _ = writeln!(std::io::stderr(), "{}", guest.log());
        }
    }
    ending.unwrap_or_else(|panic| resume_unwind(panic)).context("the story ended badly")
}
