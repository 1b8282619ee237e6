//! `cargo demo`: a real pvmove outlives a `kill -9` of the daemon that looks after it, before your eyes.
#![expect(clippy::print_stdout, reason = "the demonstration is what it prints")]

use super::disks::Disk;
use super::guest::Guest;
use super::host::output_of;
use super::init::Init;
use super::polld::{Daemon, Polld};
use super::story::tell;
use crate::dump::Entry;
use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, stdout};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const VOLUME_MIB: u32 = 112;
/// To be watched: 20 s for 40 %.
const COPIED_KIB_PER_SECOND: u32 = 2048;
const COPY_LIMIT: Duration = Duration::from_mins(2);

/// Runs the demonstration; it takes about a minute.
///
/// # Errors
/// Something did not happen as announced; the guest's log is then on stderr.
pub fn demo() -> Result<()> {
    println!("lvmwarden: LVM's background work, supervised.\n");
    println!(
        "You will see a real pvmove by the stock lvm command, looked after by our daemon, and what happens"
    );
    println!("when that daemon is killed in the middle. All of it happens in a throw-away virtual machine;");
    println!("the LVM and the disks of this computer are not touched.\n");

    say("building the daemon");
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    output_of(Command::new("cargo").args(["build", "--package", "lvmwarden", "--profile", profile]))?;
    say("preparing a kernel and packages (cached; the first time downloads 70 MB from Debian)");
    super::prepare()?;
    say("booting a virtual machine without hardware help");
    let disks = [Disk::create(256)?, Disk::create(256)?];
    let guest = Guest::boot(&disks, &Init::Bare)?;
    tell(&guest, show)
}

fn show(guest: &Guest) -> Result<()> {
    guest.make_vg()?;
    let data = guest.make_volume("data", VOLUME_MIB, "/dev/vda")?;
    say(&format!(
        "made a volume of {VOLUME_MIB} MiB on /dev/vda with random content, checksum {}",
        data.checksum
    ));
    let daemon = guest.start_polld(Polld::Ours)?;
    say(&format!("started lvmwardend in the place of lvmpolld, process {}", daemon.pid));

    guest.copy_at_most(COPIED_KIB_PER_SECOND)?;
    guest.sh("pvmove --background --interval 1 /dev/vda /dev/vdb")?;
    let operation = daemon.operation_in_progress()?;
    say("the stock command handed a pvmove from /dev/vda to /dev/vdb over to the daemon and left");
    say(&format!(
        "the daemon started lvpoll, process {}; copying is slowed down so that you can watch",
        operation.pid
    ));
    let bar = Bar::new();
    watch(guest, &bar, 15)?;

    bar.say("kill -9 of the daemon, in the middle");
    daemon.kill()?;
    ensure!(guest.lvpoll_pids()? == [operation.pid], "lvpoll did not outlive the daemon");
    bar.say(&format!("the daemon is gone; lvpoll, process {}, goes on without it", operation.pid));
    watch(guest, &bar, 25)?;

    let daemon = guest.start_polld(Polld::Ours)?;
    let adopted = adopted(&daemon, &operation)?;
    ensure!(guest.lvpoll_pids()? == [operation.pid], "lvpoll was started twice");
    bar.say(&format!("a new daemon, process {}, adopted lvpoll, still process {}", daemon.pid, adopted.pid));
    watch(guest, &bar, 40)?;

    bar.say("copying at full speed again");
    guest.fast_copying()?;
    daemon.wait_until_done(&adopted, COPY_LIMIT)?;
    bar.finish();
    data.lies_on("/dev/vdb")?;
    data.is_intact()?;
    ensure!(guest.lvs()? == ["data -wi-a----- linear"], "something is left of the pvmove");
    daemon.stop()?;
    guest.clean_up()?;

    println!("\nProved, in this machine, just now:");
    println!("  - the stock pvmove works with lvmwardend in the place of lvmpolld");
    println!("  - its child process {} lived through the kill -9 of the daemon", operation.pid);
    println!("  - the next daemon knew the operation and adopted the child instead of starting a second one");
    println!("  - the pvmove was completed, and the daemon reported its end as done");
    println!("  - all data is on /dev/vdb and has the checksum it had before: {}", data.checksum);
    println!("  - nothing was left behind: no process, no device-mapper device");
    Ok(())
}

fn adopted(daemon: &Daemon, operation: &Entry) -> Result<Entry> {
    let adopted = daemon.operation_in_progress()?;
    ensure!(adopted.lvid == operation.lvid && adopted.pid == operation.pid, "not adopted: {adopted:?}");
    Ok(adopted)
}

/// Shows the progress of the pvmove until `percent` are copied.
fn watch(guest: &Guest, bar: &Bar, percent: u64) -> Result<()> {
    let start = Instant::now();
    let mut shown = None;
    loop {
        let copied = copied_percent(&guest.sh("dmsetup status vg-pvmove0")?)?;
        if shown.replace(copied) != Some(copied) {
            bar.show(copied);
        }
        if copied >= percent {
            return Ok(());
        }
        ensure!(start.elapsed() < COPY_LIMIT, "only {copied} % were copied after {COPY_LIMIT:?}");
        thread::sleep(Duration::from_millis(200));
    }
}

/// Reads the mirror's line of status, such as `0 131072 mirror 2 254:1 254:2 45/128 1 AA 1 core`.
///
/// Source: Linux 6.1, `drivers/md/dm-raid1.c`: the only field with a slash is regions in sync of all regions.
fn copied_percent(status: &str) -> Result<u64> {
    let counts = status.split_whitespace().find_map(|field| field.split_once('/'));
    let (copied, all) = counts.with_context(|| format!("no progress in {status:?}"))?;
    Ok(copied.parse::<u64>()? * 100 / all.parse::<u64>()?.max(1))
}

fn say(line: &str) {
    println!("==> {line}");
}

/// A progress bar on a terminal, lines elsewhere.
struct Bar {
    bar: Option<ProgressBar>,
}

impl Bar {
    fn new() -> Self {
        let style = ProgressStyle::with_template("    pvmove {bar:50} {percent:>3} %  {elapsed}");
        let bar = style
            .ok()
            .filter(|_| stdout().is_terminal())
            .map(|style| ProgressBar::new(100).with_style(style));
        Self { bar }
    }

    fn show(&self, percent: u64) {
        match &self.bar {
            Some(bar) => bar.set_position(percent),
            None => println!("    pvmove {percent} %"),
        }
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(format!("==> {line}")),
            None => say(line),
        }
    }

    fn finish(&self) {
        self.show(100);
        if let Some(bar) = &self.bar {
            bar.finish();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_read_from_a_mirror_status() {
        assert_eq!(copied_percent("0 131072 mirror 2 254:1 254:2 32/128 1 AA 1 core").ok(), Some(25));
        assert!(copied_percent("0 131072 linear").is_err());
    }
}
