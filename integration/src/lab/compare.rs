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
const DISK_MIB: u64 = 1024;
/// How many pvmoves are watched at once, to see what that costs,
const WATCHED: u32 = 8;
/// how much each has to copy, which it does not get done meanwhile,
const WATCHED_MIB: u64 = 128;
/// and for how long they are watched.
const WATCHED_SECONDS: u32 = 10;

/// What is moved from one disk to the other.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// How many volumes: each is a segment.
    pub volumes: u32,
    /// How large each is.
    pub volume_mib: u64,
    /// The interval of lvpoll.
    pub interval_seconds: u32,
    /// How long the kernel copies slowly at first.
    pub slow_seconds: u32,
}

/// Each segment costs lvmpolld an interval.
const MANY_SEGMENTS: Workload = Workload { volumes: 12, volume_mib: 8, interval_seconds: 5, slow_seconds: 0 };
/// With these lvmpolld takes ten minutes: its time is computed from one with an interval of a second.
const MANY_MORE: Workload = Workload { volumes: 40, volume_mib: 8, interval_seconds: 15, slow_seconds: 0 };
/// More than the kernel gets done while it is slow.
const SLOW: Workload = Workload { volumes: 1, volume_mib: 512, interval_seconds: 1, slow_seconds: 20 };

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

impl Workload {
    /// Moves everything from one disk, such as `/dev/vda`, to the other, and measures.
    ///
    /// # Errors
    /// Anything fails, or it takes longer than 20 minutes.
    pub fn measure(&self, guest: &Guest, polld: Polld, from: &str, to: &str) -> Result<Measured> {
        let daemon = guest.start_polld(polld)?;
        let read_before = guest.disk_reads()?;
        if self.slow_seconds > 0 {
            guest.slow_copying()?;
        }
        let interval = self.interval_seconds;
        // One process at a time, and few of them: a guest that is busy with being watched is slower than its clock.
        guest.sh(&format!(
            "rm -f /run/took /run/lvpolls; begin=$(date +%s%N); pvmove -b -i {interval} {from} {to}; \
             (turn=0; while [ -e /dev/mapper/vg-pvmove0 ]; do \
                sleep 0.1; turn=$((turn + 1)); \
                [ $((turn % 20)) = 0 ] && pgrep -f '^(/usr)?/sbin/lvm lvpoll' | wc -l >> /run/lvpolls; \
              done; echo $((($(date +%s%N) - begin) / 1000000)) > /run/took) < /dev/null > /dev/null 2>&1 &"
        ))?;
        if self.slow_seconds > 0 {
            guest.sh(&format!("sleep {}", self.slow_seconds))?;
            guest.fast_copying()?;
        }
        let ended = "for turn in $(seq 50); do [ -s /run/took ] && break; sleep 1; done; cat /run/took";
        let milliseconds =
            guest.wait_until("the pvmove is over", LIMIT, || Ok(guest.sh(ended)?.parse()?))?;
        let read_bytes = guest.disk_reads()?.saturating_sub(read_before + self.bytes());
        let resident = guest.sh("sort -n /run/lvpolls 2> /dev/null | tail -1")?.parse().unwrap_or(0);
        let begin = daemon.log()?.lines().filter(|line| line.contains("lvpoll runs")).count();
        // The C daemon keeps the one that it starts.
        let started = if polld == Polld::Stock { 1 } else { u32::try_from(begin)? };
        daemon.stop()?;
        guest.sh("rm -f /run/polld.log")?;
        Ok(Measured { took: Duration::from_millis(milliseconds), started, read_bytes, resident })
    }

    /// Makes its volumes `vg/data0`, `vg/data1`, ... on a disk, with whatever is there as their content.
    ///
    /// # Errors
    /// As [`Guest::sh`].
    pub fn make(&self, guest: &Guest, disk: &str) -> Result<()> {
        guest.make_vg()?;
        for number in 0..self.volumes {
            let size = self.volume_mib;
            guest
                .sh(&format!("lvcreate -y -qq -Zn -Wn -n data{number} -L {size}m vg {disk} 2> /dev/null"))?;
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (u64::from(self.volumes) * self.volume_mib) << 20
    }
}

impl Guest {
    /// Returns how much was read from the disks, in bytes, since the guest is up.
    fn disk_reads(&self) -> Result<u64> {
        let sectors = self.sh("cat /sys/block/vd*/stat | awk '{ sum += $3 } END { printf \"%d\", sum }'")?;
        Ok(sectors.parse::<u64>().context("awk printed no number")? * 512)
    }
}

/// Prints the table; `rounds` are run of each, of which the medians are taken.
///
/// # Errors
/// Something does not work in the guest.
pub fn compare(rounds: usize) -> Result<()> {
    super::prepare()?;
    println!("| what | lvmpolld | ours | lvmpolld / ours |\n|---|---:|---:|---:|");
    in_a_guest(|guest| both(guest, rounds, MANY_SEGMENTS, "12 volumes of 8 MiB, interval 5 s"))?;
    in_a_guest(|guest| many_more(guest, rounds))?;
    in_a_guest(|guest| both(guest, rounds, SLOW, "512 MiB, slowly for 20 s, interval 1 s"))?;
    watched()
}

fn in_a_guest(story: impl FnOnce(&Guest) -> Result<()>) -> Result<()> {
    let disks = [Disk::create(DISK_MIB)?, Disk::create(DISK_MIB)?];
    tell(&Guest::boot(&disks, &Init::Even)?, story)
}

/// Moves there with the one, and back with the other.
fn both(guest: &Guest, rounds: usize, work: Workload, what: &str) -> Result<()> {
    work.make(guest, "/dev/vda")?;
    let (mut theirs, mut ours) = (vec![], vec![]);
    for _ in 0..rounds {
        theirs.push(work.measure(guest, Polld::Stock, "/dev/vda", "/dev/vdb")?);
        ours.push(work.measure(guest, Polld::OursInEvents, "/dev/vdb", "/dev/vda")?);
    }
    rows(work, what, &median(&theirs)?, &median(&ours)?);
    Ok(())
}

fn many_more(guest: &Guest, rounds: usize) -> Result<()> {
    let work = MANY_MORE;
    work.make(guest, "/dev/vda")?;
    let with_a_second = Workload { interval_seconds: 1, ..work };
    let short = with_a_second.measure(guest, Polld::Stock, "/dev/vda", "/dev/vdb")?;
    let mut ours = vec![];
    for round in 0..rounds {
        let (from, to) = if round % 2 == 0 { ("/dev/vdb", "/dev/vda") } else { ("/dev/vda", "/dev/vdb") };
        ours.push(work.measure(guest, Polld::OursInEvents, from, to)?);
    }
    // It sleeps once for each segment.
    let longer_sleeps = Duration::from_secs((work.volumes * (work.interval_seconds - 1)).into());
    let computed = Measured { took: short.took + longer_sleeps, ..short };
    let what =
        format!("40 volumes of 8 MiB, interval 15 s (lvmpolld: computed from {:.1?} with 1 s)", short.took);
    rows(work, &what, &computed, &median(&ours)?);
    Ok(())
}

/// Has ours watch some pvmoves that do not get on, and says what that costs. lvm makes one at once from each disk.
fn watched() -> Result<()> {
    let sources = (0..WATCHED).map(|_| Disk::create(WATCHED_MIB * 2));
    let target = Disk::create(WATCHED_MIB * 2 * u64::from(WATCHED));
    let disks = sources.chain([target]).collect::<Result<Vec<_>>>()?;
    tell(&Guest::boot(&disks, &Init::Even)?, watch)
}

fn watch(guest: &Guest) -> Result<()> {
    guest.make_vg()?;
    guest.slow_copying()?;
    let daemon = guest.start_polld(Polld::OursInEvents)?;
    let disks = guest.disks();
    let (target, sources) = disks.split_last().context("there are disks")?;
    for (number, source) in sources.iter().enumerate() {
        guest.sh(&format!("lvcreate -y -qq -Zn -Wn -n data{number} -L {WATCHED_MIB}m vg {source}"))?;
        guest.sh(&format!("pvmove -b -i 15 {source} {target}"))?;
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
fn rows(work: Workload, what: &str, theirs: &Measured, ours: &Measured) {
    let (their_time, our_time) = (theirs.took.as_secs_f64(), ours.took.as_secs_f64());
    println!("| {what} | {their_time:.1} s | {our_time:.1} s | {:.1} |", their_time / our_time);
    println!("| - lvpoll started | {} | {} | |", theirs.started, ours.started);
    if work.slow_seconds > 0 {
        println!("| - lvpoll resident while the kernel copies | {} | {} | |", theirs.resident, ours.resident);
    }
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let (their_reads, our_reads) = (mib(theirs.read_bytes), mib(ours.read_bytes));
    println!(
        "| - read by lvm | {their_reads:.1} MiB | {our_reads:.1} MiB | {:.1} |",
        their_reads / our_reads
    );
}
