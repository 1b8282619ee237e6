//! `lab -- compare`: the same pvmoves with the stock lvmpolld and with ours, in turn, in one guest, on the same disks.
//!
//! The guest's clock counts its instructions ([`Init::Even`]): what else the host does shows little. Times are the guest's.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use super::disks::Disk;
use super::guest::Guest;
use super::init::Init;
use super::polld::Polld;
use super::story::tell;
use anyhow::{Context, Result, ensure};
use std::time::Duration;

const LIMIT: Duration = Duration::from_mins(20);
const VOLUME_MIB: u64 = 8;
const DISK_MIB: u64 = 1024;
/// How long the kernel copies in the scenario in which it is slow.
const SLOW_MIB: u64 = 64;
/// How many pvmoves are watched at once, to see what that costs.
const WATCHED: u32 = 8;
/// For how long.
const WATCHED_SECONDS: u32 = 10;

/// What one pvmove took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// From its command to the end of its temporary volume, by the guest's clock.
    pub took: Duration,
    /// How many lvpoll were started.
    pub started: u32,
    /// What lvm read from the disks, without what was copied.
    pub read_bytes: u64,
    /// The most lvpoll that were seen at once, at moments two seconds apart.
    pub resident: u32,
}

/// One pvmove, and who polls it.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Who polls.
    pub polld: Polld,
    /// From this disk, such as `/dev/vda`,
    pub from: &'a str,
    /// to this one.
    pub to: &'a str,
    /// The interval of lvpoll.
    pub interval_seconds: u32,
    /// What is copied.
    pub copied_bytes: u64,
}

impl Run<'_> {
    /// Moves everything, and measures.
    ///
    /// # Errors
    /// Anything fails, or it takes longer than 20 minutes.
    pub fn measure(&self, guest: &Guest) -> Result<Measured> {
        let daemon = guest.start_polld(self.polld)?;
        let read_before = guest.disk_reads()?;
        let (from, to, interval) = (self.from, self.to, self.interval_seconds);
        // One process at a time, and few of them: a guest that is busy with being watched is slower than its clock.
        guest.sh(&format!(
            "rm -f /run/took /run/lvpolls; begin=$(date +%s%N); pvmove -b -i {interval} {from} {to}; \
             (turn=0; while [ -e /dev/mapper/vg-pvmove0 ]; do \
                sleep 0.1; turn=$((turn + 1)); \
                [ $((turn % 20)) = 0 ] && pgrep -f '^(/usr)?/sbin/lvm lvpoll' | wc -l >> /run/lvpolls; \
              done; echo $((($(date +%s%N) - begin) / 1000000)) > /run/took) < /dev/null > /dev/null 2>&1 &"
        ))?;
        let ended = "for turn in $(seq 50); do [ -s /run/took ] && break; sleep 1; done; cat /run/took";
        let milliseconds =
            guest.wait_until("the pvmove is over", LIMIT, || Ok(guest.sh(ended)?.parse()?))?;
        let read_bytes = guest.disk_reads()?.saturating_sub(read_before + self.copied_bytes);
        let resident = guest.sh("sort -n /run/lvpolls 2> /dev/null | tail -1")?.parse().unwrap_or(0);
        let begin = daemon.log()?.lines().filter(|line| line.contains("lvpoll runs")).count();
        // The C daemon keeps the one that it starts.
        let started = if self.polld == Polld::Stock { 1 } else { u32::try_from(begin)? };
        daemon.stop()?;
        guest.sh("rm -f /run/polld.log")?;
        Ok(Measured { took: Duration::from_millis(milliseconds), started, read_bytes, resident })
    }
}

impl Guest {
    /// Returns how much was read from the disks, in bytes, since the guest is up.
    fn disk_reads(&self) -> Result<u64> {
        let sectors = self.sh("cat /sys/block/vd*/stat | awk '{ sum += $3 } END { printf \"%d\", sum }'")?;
        Ok(sectors.parse::<u64>().context("awk printed no number")? * 512)
    }

    fn make_volumes(&self, count: u32, mib: u64, disk: &str) -> Result<()> {
        self.make_vg()?;
        for number in 0..count {
            self.sh(&format!("lvcreate -y -qq -Zn -Wn -n data{number} -L {mib}m vg {disk} 2> /dev/null"))?;
        }
        Ok(())
    }
}

/// Prints the table; `rounds` are run of each, of which the medians are taken.
///
/// # Errors
/// Something does not work in the guest.
pub fn compare(rounds: usize) -> Result<()> {
    super::prepare()?;
    println!("| what | lvmpolld | ours | lvmpolld / ours |\n|---|---:|---:|---:|");
    in_a_guest(|guest| both(guest, rounds, 12, VOLUME_MIB, 5, "12 volumes of 8 MiB, interval 5 s"))?;
    in_a_guest(|guest| many(guest, rounds))?;
    in_a_guest(|guest| {
        guest.sh("modprobe dm-mirror")?;
        guest.slow_copying()?;
        both(guest, rounds, 1, SLOW_MIB, 1, "64 MiB, which the kernel copies slowly, interval 1 s")
    })?;
    in_a_guest(watched)
}

fn in_a_guest(story: impl FnOnce(&Guest) -> Result<()>) -> Result<()> {
    let disks = [Disk::create(DISK_MIB)?, Disk::create(DISK_MIB)?];
    tell(&Guest::boot(&disks, &Init::Even)?, story)
}

/// Moves there with the one, and back with the other.
fn both(guest: &Guest, rounds: usize, count: u32, mib: u64, interval: u32, what: &str) -> Result<()> {
    guest.make_volumes(count, mib, "/dev/vda")?;
    let run = |polld, from, to| Run {
        polld,
        from,
        to,
        interval_seconds: interval,
        copied_bytes: (u64::from(count) * mib) << 20,
    };
    let (mut theirs, mut ours) = (vec![], vec![]);
    for _ in 0..rounds {
        theirs.push(run(Polld::Stock, "/dev/vda", "/dev/vdb").measure(guest)?);
        ours.push(run(Polld::OursInEvents, "/dev/vdb", "/dev/vda").measure(guest)?);
    }
    rows(what, &median(&theirs)?, &median(&ours)?);
    Ok(())
}

/// With forty segments and the default interval lvmpolld takes ten minutes and more: that is computed.
fn many(guest: &Guest, rounds: usize) -> Result<()> {
    const COUNT: u32 = 40;
    const INTERVAL: u32 = 15;
    guest.make_volumes(COUNT, VOLUME_MIB, "/dev/vda")?;
    let run = |polld, from, to, interval_seconds| Run {
        polld,
        from,
        to,
        interval_seconds,
        copied_bytes: (u64::from(COUNT) * VOLUME_MIB) << 20,
    };
    let short = run(Polld::Stock, "/dev/vda", "/dev/vdb", 1).measure(guest)?;
    let mut ours = vec![run(Polld::OursInEvents, "/dev/vdb", "/dev/vda", INTERVAL).measure(guest)?];
    for _ in 1..rounds {
        guest.sh("lvs > /dev/null")?;
        ours.push(run(Polld::OursInEvents, "/dev/vda", "/dev/vdb", INTERVAL).measure(guest)?);
        run(Polld::OursInEvents, "/dev/vdb", "/dev/vda", INTERVAL).measure(guest)?;
    }
    let longer_sleeps = Duration::from_secs(u64::from(COUNT * (INTERVAL - 1)));
    let computed = Measured { took: short.took + longer_sleeps, ..short };
    let what =
        format!("40 volumes of 8 MiB, interval 15 s (lvmpolld computed from {:.1?} with 1 s)", short.took);
    rows(&what, &computed, &median(&ours)?);
    Ok(())
}

/// Has ours watch some pvmoves that do not get on, and says what that costs.
fn watched(guest: &Guest) -> Result<()> {
    guest.make_volumes(WATCHED, SLOW_MIB, "/dev/vda")?;
    guest.sh("modprobe dm-mirror")?;
    guest.slow_copying()?;
    let daemon = guest.start_polld(Polld::OursInEvents)?;
    for number in 0..WATCHED {
        guest.sh(&format!("pvmove -b -i 15 -n data{number} /dev/vda /dev/vdb"))?;
    }
    guest.wait_until("all are watched", LIMIT, || {
        let known = daemon.operations()?.len();
        ensure!(known == WATCHED as usize, "{known} operations are known");
        Ok(())
    })?;
    let on_processor =
        format!("cat /proc/{}/task/*/schedstat | awk '{{ s += $1 }} END {{ printf \"%d\", s }}'", daemon.pid);
    let before: u64 = guest.sh(&on_processor)?.parse()?;
    let seconds: f64 = guest
        .sh(&format!("a=$(date +%s%N); sleep {WATCHED_SECONDS}; echo $((($(date +%s%N) - a) / 1000000))"))?
        .parse::<f64>()?
        / 1000.0;
    let used = Duration::from_nanos(guest.sh(&on_processor)?.parse::<u64>()?.saturating_sub(before));
    println!(
        "| {WATCHED} pvmoves watched while the kernel copies, share of a processor | | {:.2} % | |",
        used.as_secs_f64() / seconds * 100.0
    );
    guest.fast_copying()
}

fn median(runs: &[Measured]) -> Result<Measured> {
    let mut runs = runs.to_vec();
    runs.sort_by_key(|run| run.took);
    runs.get(runs.len() / 2).copied().context("no round was run")
}

#[expect(clippy::cast_precision_loss, reason = "a ratio is for people")]
fn rows(what: &str, theirs: &Measured, ours: &Measured) {
    let (their_time, our_time) = (theirs.took.as_secs_f64(), ours.took.as_secs_f64());
    println!("| {what} | {their_time:.1} s | {our_time:.1} s | {:.1} |", their_time / our_time);
    println!("| - lvpoll started | {} | {} | |", theirs.started, ours.started);
    println!("| - lvpoll resident, most | {} | {} | |", theirs.resident, ours.resident);
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let (their_reads, our_reads) = (mib(theirs.read_bytes), mib(ours.read_bytes));
    println!(
        "| - read by lvm | {their_reads:.1} MiB | {our_reads:.1} MiB | {:.1} |",
        their_reads / our_reads
    );
}
