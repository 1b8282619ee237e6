//! How the lockspaces stand, in numbers and in one line: pure.

use lvmwarden_protocol::ids::VgName;
use lvmwarden_protocol::lock::LockMode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};

use super::lockspace::picture::{LockspacePicture, Stage};
use crate::foundation::facts::metrics::{Labels, gauge};
use crate::foundation::moment::Moment;

/// How many lockspaces are named in a line.
const NAMED: usize = 3;
/// What a lockspace is told to be; the last one is of those that do not answer.
const STATES: [&str; 6] = ["starting", "running", "stopping", "failed", "killed", NOT_ANSWERING];
const NOT_ANSWERING: &str = "not_answering";
const MODES: [LockMode; 2] = [LockMode::Shared, LockMode::Exclusive];

/// One lockspace in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockspaceCount {
    /// The VG, or the lockspace where it is no VG's.
    pub name: String,
    /// It is a VG's, and not dlm's global one.
    pub is_of_vg: bool,
    /// `starting`, `running`, `stopping`, `failed` or `killed`.
    pub state: &'static str,
    /// How many holders there are in shared and in exclusive mode.
    pub held: [usize; 2],
    /// How many requests wait for a lock, likewise.
    pub waiting: [usize; 2],
    /// For how long the eldest of them has waited.
    pub longest_wait: Moment,
    /// How many locks of an earlier daemon could not be taken over.
    pub orphans: usize,
    /// How many locks the lock manager does not take back.
    pub not_given_back: usize,
    /// The lease on this host's life, where there is one.
    pub lease: Option<LeaseCount>,
}

/// The lease on this host's life in one lockspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseCount {
    /// The time since it was renewed.
    pub age: Moment,
    /// The time until the lock manager has the VG killed.
    pub kill_in: Moment,
    /// The time until the watchdog resets the host.
    pub reset_in: Moment,
    /// It should have been renewed by now.
    pub is_late: bool,
}

impl LockspaceCount {
    /// Counts what is in a picture, at this moment.
    pub fn of(picture: &LockspacePicture, now: Moment) -> Self {
        let resources = &picture.resources;
        let holders = resources.iter().flat_map(|lock| lock.holders.iter().map(|holder| holder.mode));
        let waiters = || resources.iter().flat_map(|lock| &lock.waiters);
        let name = picture.spec.vg.as_ref().map_or(&*picture.spec.name, VgName::as_str).to_owned();
        Self {
            name,
            is_of_vg: picture.spec.vg.is_some(),
            state: match picture.stage {
                _ if picture.killed => "killed",
                Stage::New | Stage::Starting => "starting",
                Stage::Running => "running",
                Stage::Stopping | Stage::Finished => "stopping",
                Stage::Failed => "failed",
            },
            held: by_mode(holders),
            waiting: by_mode(waiters().map(|waiter| waiter.mode)),
            longest_wait: waiters().map(|waiter| now.saturating_sub(waiter.since)).max().unwrap_or_default(),
            orphans: resources.iter().filter(|lock| lock.unadopted.is_some()).count(),
            not_given_back: resources.iter().filter(|lock| lock.unreleased.is_some()).count(),
            lease: picture.renewal.as_ref().map(|(renewal, seen)| {
                let age = renewal.age + now.saturating_sub(*seen);
                LeaseCount {
                    age,
                    kill_in: renewal.kill_after.saturating_sub(age),
                    reset_in: renewal.reset_after.saturating_sub(age),
                    is_late: age * 2 >= renewal.kill_after,
                }
            }),
        }
    }

    /// Returns how many requests wait for a lock.
    pub fn waiters(&self) -> usize {
        self.waiting.iter().sum()
    }

    /// Tells whether its leases are lost, or about to be.
    pub fn is_in_danger(&self) -> bool {
        self.state == "killed" || self.lease.is_some_and(|lease| lease.is_late)
    }
}

fn by_mode(modes: impl Iterator<Item = LockMode>) -> [usize; 2] {
    let mut counts = [0; 2];
    for mode in modes {
        if let Some(index) = MODES.iter().position(|counted| *counted == mode) {
            counts[index] += 1;
        }
    }
    counts
}

/// How all lockspaces stand.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct LockCounts {
    /// Those that answer, by name.
    pub lockspaces: Vec<LockspaceCount>,
    /// How many do not.
    pub not_answering: usize,
    /// How many of an earlier daemon were not taken over.
    pub left_behind: usize,
}

impl LockCounts {
    /// Adds the numbers to those of a scrape.
    pub fn register(&self, registry: &mut Registry) {
        self.register_lockspaces(registry);
        self.register_locks(registry);
        self.register_leases(registry);
    }

    fn register_lockspaces(&self, registry: &mut Registry) {
        let lockspaces = Family::<Labels<1>, Gauge>::default();
        // Zero where there is none: a series that comes and goes is hard to add up.
        for state in STATES {
            let of_state = self.lockspaces.iter().filter(|lockspace| lockspace.state == state).count();
            let count = if state == NOT_ANSWERING { self.not_answering } else { of_state };
            lockspaces.get_or_create(&[("state", state)]).set(signed(count));
        }
        registry.register("lockspaces", "Lockspaces of shared VGs, by state", lockspaces);
        let help = "Lockspaces of an earlier daemon that were not taken over yet";
        registry.register("lockspaces_left_behind", help, gauge(self.left_behind as u64));
    }

    fn register_locks(&self, registry: &mut Registry) {
        let sum =
            |count: fn(&LockspaceCount) -> usize| self.lockspaces.iter().map(count).sum::<usize>() as u64;
        let [of_holders, of_waiters] = [(); 2].map(|()| Family::<Labels<1>, Gauge>::default());
        for (index, mode) in MODES.into_iter().enumerate() {
            let sum = |count: fn(&LockspaceCount) -> [usize; 2]| {
                signed(self.lockspaces.iter().map(|lockspace| count(lockspace)[index]).sum())
            };
            let labels = [("mode", mode.as_str())];
            of_holders.get_or_create(&labels).set(sum(|lockspace| lockspace.held));
            of_waiters.get_or_create(&labels).set(sum(|lockspace| lockspace.waiting));
        }
        registry.register("locks_held", "Locks that commands and LVs of this host hold", of_holders);
        registry.register("locks_waiting", "Requests of this host that wait for a lock", of_waiters);
        let longest =
            self.lockspaces.iter().map(|lockspace| lockspace.longest_wait).max().unwrap_or_default();
        let help = "For how long the eldest request that waits for a lock has waited";
        let longest = ConstGauge::new(longest.as_secs_f64());
        registry.register_with_unit("lock_longest_wait", help, Unit::Seconds, longest);
        let help = "Locks of an earlier daemon that could not be taken over";
        registry.register("lock_orphans", help, gauge(sum(|lockspace| lockspace.orphans)));
        let help = "Locks that the lock manager does not take back";
        registry.register("locks_not_given_back", help, gauge(sum(|lockspace| lockspace.not_given_back)));
    }

    /// Of all lockspaces that one which is worst off: a VG's name is no label, for clients choose it. Without a lease there
    /// is none of them: a zero would look like the end.
    fn register_leases(&self, registry: &mut Registry) {
        let leases = || self.lockspaces.iter().filter_map(|lockspace| lockspace.lease);
        let late = leases().filter(|lease| lease.is_late).count() as u64;
        let help = "Lockspaces whose lease on this host's life is not renewed in time";
        registry.register("lock_leases_late", help, gauge(late));
        let Some(oldest) = leases().map(|lease| lease.age).max() else { return };
        let [kill_in, reset_in] = [|lease: LeaseCount| lease.kill_in, |lease: LeaseCount| lease.reset_in]
            .map(|time| leases().map(time).min().unwrap_or_default());
        for (name, help, time) in [
            ("lock_lease_age", "The age of the oldest lease on this host's life", oldest),
            ("lock_kill_countdown", "The time until the lock manager kills the first VG", kill_in),
            ("lock_reset_countdown", "The time until the watchdog resets the host", reset_in),
        ] {
            registry.register_with_unit(name, help, Unit::Seconds, ConstGauge::new(time.as_secs_f64()));
        }
    }

    /// Returns how the lockspaces stand in words, those first that need somebody.
    ///
    /// ```text
    /// no shared VG
    /// 2 shared VGs, 5 locks held, 1 waits
    /// LEASES LOST: vg0 (host reset in 48 s); 2 shared VGs, 5 locks held
    /// ```
    pub fn in_words(&self) -> String {
        let vgs = self.lockspaces.iter().filter(|lockspace| lockspace.is_of_vg).count() + self.not_answering;
        if vgs == 0 && self.left_behind == 0 {
            return "no shared VG".to_owned();
        }
        let mut lost: Vec<String> = Vec::new();
        let in_danger = self.lockspaces.iter().filter(|lockspace| lockspace.is_in_danger());
        for lockspace in in_danger.clone().take(NAMED) {
            let reset =
                lockspace.lease.map(|lease| format!(" (host reset in {} s)", lease.reset_in.as_secs()));
            lost.push(lockspace.name.clone() + &reset.unwrap_or_default());
        }
        let more = in_danger.count().saturating_sub(NAMED);
        lost.extend((more > 0).then(|| format!("and {more} more")));
        let held: usize = self.lockspaces.iter().flat_map(|lockspace| lockspace.held).sum();
        let waiting: usize = self.lockspaces.iter().map(LockspaceCount::waiters).sum();
        let mut words = vec![
            format!("{vgs} shared {}", if vgs == 1 { "VG" } else { "VGs" }),
            format!("{held} {} held", if held == 1 { "lock" } else { "locks" }),
        ];
        words.extend(
            (waiting > 0).then(|| format!("{waiting} {}", if waiting == 1 { "waits" } else { "wait" })),
        );
        words.extend((self.left_behind > 0).then(|| format!("{} not taken over", self.left_behind)));
        words.extend((self.not_answering > 0).then(|| format!("{} not answering", self.not_answering)));
        let words = words.join(", ");
        if lost.is_empty() { words } else { format!("LEASES LOST: {}; {words}", lost.join(", ")) }
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
