//! A thousand operations: how fast they are taken and started, and what they cost.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Client, OK};
use crate::site::Site;

/// How long the thousand may take until all run.
const PATIENCE: Duration = Duration::from_mins(2);

/// What a daemon costs at one moment.
#[derive(Debug)]
pub struct Cost {
    /// Memory that is resident, in KiB.
    pub resident_kib: f64,
    /// Its proportional share of memory, in KiB.
    pub proportional_kib: f64,
    /// Its threads.
    pub threads: f64,
}

impl Cost {
    /// Reads the cost of a living process.
    pub fn of(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        Some(Self {
            resident_kib: field(&status, "VmRSS:")?,
            proportional_kib: field(&rollup, "Pss:")?,
            threads: field(&status, "Threads:")?,
        })
    }
}

/// Starts `count` operations on one connection; returns how long it took until all were taken, and until all children ran.
///
/// `None` when not all ran within two minutes.
pub fn start(site: &Site, client: &mut Client, count: usize) -> (Duration, Option<Duration>) {
    let begin = Instant::now();
    for number in 0..count {
        assert_eq!(client.ask(site.pvmove(&format!("many{number}")).start()), OK);
    }
    let taken = begin.elapsed();
    while site.lvm.start_count() < count {
        if begin.elapsed() > PATIENCE {
            return (taken, None);
        }
        thread::sleep(Duration::from_millis(5));
    }
    (taken, Some(begin.elapsed()))
}

fn field(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}
