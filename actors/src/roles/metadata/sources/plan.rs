//! Which device is read next. Pure.
//!
//! ```text
//!               wanted            there is room for one more
//!     settled ───────────▶ waiting ───────────────────────────▶ being read ─── deadline ───▶ not answering
//!        ▲                    ▲                                  │  │                            │
//!        │                    ├── torn: after a pause ───────────┘  │                            │
//!        │                    ├── changed, or wanted meanwhile ─────┤                            │
//!        │                    └── answers at last: once more ───────┼────────────────────────────┘
//!        └─────────────────────── done ─────────────────────────────┘
//! ```
//!
//! * One device is read once at a time. What happens while it is read makes one further read, however much that is.
//! * Two reads of one device begin at least [`REST`] apart: a storm of events costs as much as a few.
//! * A read that takes longer than [`DEADLINE`] costs its own device alone: the read goes on, its place is given to another,
//!   and no second one is queued behind it. Where there are [`LOST`] such reads, nothing new is read until one of them
//!   ends.
//! * A text that LVM was writing is read again, [`ATTEMPTS`] times in all.
//!
//! Waiting devices are read in the order in which they were first wanted; those whose VG is said to be the same come together
//! if they are wanted together.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::device::DeviceNumber;

/// How many reads there are at once, of devices that answer.
pub const AT_ONCE: usize = 4;
/// How long a device may take to be read. A disk that has to spin up takes some ten seconds.
pub const DEADLINE: Duration = Duration::from_secs(15);
/// How many reads may have passed their deadline and not have ended.
pub const LOST: usize = 64;
/// The least time between the beginnings of two reads of one device.
pub const REST: Duration = Duration::from_millis(50);
/// How often a text is read that changes meanwhile, before it counts as damaged.
pub const ATTEMPTS: u32 = 6;
/// How many devices are known at most.
pub const DEVICES: usize = 65_536;

/// What is to be read of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Want {
    /// One header, to see whether it is as it was.
    Check,
    /// All of it.
    Whole,
}

#[derive(Debug, Clone, Copy, Default)]
struct Device {
    /// What is to be read of it, and from when on.
    waiting: Option<(Want, Duration)>,
    /// When its last read began.
    begun: Option<Duration>,
    /// How many reads in a row found a text that was being written.
    torn: u32,
}

/// A read that has not ended.
#[derive(Debug, Clone, Copy)]
struct Read {
    since: Duration,
    /// It has passed its deadline.
    is_lost: bool,
    /// The device was forgotten since.
    is_abandoned: bool,
}

/// What a read came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What there is to know of the device is known.
    Settled,
    /// It is not as it was: it has to be read as a whole.
    Changed,
    /// Its text was being written.
    Torn,
}

/// What has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Begin to read.
    Read(DeviceNumber, Want),
    /// Tell that the device does not answer; the place of its read is free for another.
    NotAnswering(DeviceNumber),
}

/// What becomes of an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It counts.
    Counts,
    /// The device is read again, soon: what was read does not count.
    Again,
    /// The text is torn still, after all attempts: it is damaged.
    Damaged,
    /// Nobody wants to know of the device any more.
    Nobody,
}

/// The devices, and which is read next.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    devices: BTreeMap<DeviceNumber, Device>,
    /// The devices that wait and are not being read.
    queue: VecDeque<DeviceNumber>,
    reads: BTreeMap<DeviceNumber, Read>,
}

impl Plan {
    /// Has a device read. Returns whether it is known now: there may be too many.
    pub fn want(&mut self, number: DeviceNumber, want: Want, now: Duration) -> bool {
        if !self.devices.contains_key(&number) && self.devices.len() >= DEVICES {
            return false;
        }
        let device = self.devices.entry(number).or_default();
        let rested = device.begun.map_or(now, |begun| now.max(begun + REST));
        let was_waiting = device.waiting.is_some();
        let (before, from) = device.waiting.unwrap_or((want, rested));
        device.waiting = Some((before.max(want), from));
        if !was_waiting && !self.reads.contains_key(&number) {
            self.queue.push_back(number);
        }
        true
    }

    /// Forgets a device: a read of it that is under way does not count any more.
    pub fn forget(&mut self, number: DeviceNumber) {
        if self.devices.remove(&number).is_none() {
            return;
        }
        match self.reads.get_mut(&number) {
            Some(read) => read.is_abandoned = true,
            None => self.queue.retain(|waiting| *waiting != number),
        }
    }

    /// Returns what has to be done now.
    pub fn next(&mut self, now: Duration) -> Vec<Effect> {
        let mut effects = self.lose(now);
        let mut later = VecDeque::new();
        while self.running() < AT_ONCE && self.lost() < LOST {
            let Some(number) = self.queue.pop_front() else { break };
            let Some(device) = self.devices.get_mut(&number) else { continue };
            match device.waiting {
                Some((want, from)) if from <= now => {
                    (device.waiting, device.begun) = (None, Some(now));
                    self.reads.insert(number, Read { since: now, is_lost: false, is_abandoned: false });
                    effects.push(Effect::Read(number, want));
                }
                Some(_) => later.push_back(number),
                None => {}
            }
        }
        later.append(&mut self.queue);
        self.queue = later;
        effects
    }

    /// Gives the places of reads that take too long to others.
    fn lose(&mut self, now: Duration) -> Vec<Effect> {
        let overdue = |read: &Read| !read.is_lost && now >= read.since + DEADLINE;
        let numbers: Vec<_> =
            self.reads.iter().filter(|(_, read)| overdue(read)).map(|(number, _)| *number).collect();
        for number in &numbers {
            self.reads.entry(*number).and_modify(|read| read.is_lost = true);
        }
        numbers.into_iter().map(Effect::NotAnswering).collect()
    }

    /// A read has ended.
    pub fn ended(&mut self, number: DeviceNumber, outcome: Outcome, now: Duration) -> Verdict {
        let Some(read) = self.reads.remove(&number) else { return Verdict::Nobody };
        let Some(device) = self.devices.get_mut(&number) else { return Verdict::Nobody };
        if read.is_abandoned {
            // It is a new device, whose first read had to wait for the end of this one.
            if device.waiting.is_some() {
                self.queue.push_back(number);
            }
            return Verdict::Nobody;
        }
        device.torn = if outcome == Outcome::Torn { device.torn + 1 } else { 0 };
        let pause = REST * device.torn.max(1);
        let (again, verdict) = match outcome {
            Outcome::Torn if device.torn >= ATTEMPTS => (None, Verdict::Damaged),
            Outcome::Torn => (Some(now.max(read.since + pause)), Verdict::Again),
            Outcome::Changed => (Some(now), Verdict::Again),
            // What a device says that was silent for so long may be out of date.
            Outcome::Settled if read.is_lost => (Some(now), Verdict::Again),
            Outcome::Settled => (None, Verdict::Counts),
        };
        if verdict == Verdict::Damaged {
            device.torn = 0;
        }
        if let Some(from) = again {
            device.waiting = Some((Want::Whole, from));
        }
        if device.waiting.is_some() {
            self.queue.push_back(number);
        }
        verdict
    }

    /// Returns when there may be something to do, if nothing happens before.
    pub fn wake(&self) -> Option<Duration> {
        let deadlines = self.reads.values().filter(|read| !read.is_lost).map(|read| read.since + DEADLINE);
        let has_room = self.running() < AT_ONCE && self.lost() < LOST;
        let waiting = self.queue.iter().take_while(|_| has_room);
        let begins = waiting.filter_map(|number| Some(self.devices.get(number)?.waiting?.1));
        deadlines.chain(begins).min()
    }

    /// Returns the devices that are known.
    pub fn devices(&self) -> impl Iterator<Item = DeviceNumber> {
        self.devices.keys().copied()
    }

    /// Tells whether a device is known.
    pub fn knows(&self, number: DeviceNumber) -> bool {
        self.devices.contains_key(&number)
    }

    /// Returns when the last read of a device began.
    pub fn begun(&self, number: DeviceNumber) -> Option<Duration> {
        self.devices.get(&number)?.begun
    }

    /// Returns since when a device has not answered.
    pub fn not_answering_since(&self, number: DeviceNumber) -> Option<Duration> {
        self.reads.get(&number).filter(|read| read.is_lost && !read.is_abandoned).map(|read| read.since)
    }

    /// Tells whether nothing is read and nothing waits, but for devices that do not answer.
    pub fn is_idle(&self) -> bool {
        self.running() == 0 && (self.queue.is_empty() || self.lost() >= LOST)
    }

    /// Returns how many reads there are that are not too late.
    fn running(&self) -> usize {
        self.reads.values().filter(|read| !read.is_lost).count()
    }

    /// Returns how many reads there are that are too late.
    pub fn lost(&self) -> usize {
        self.reads.values().filter(|read| read.is_lost).count()
    }
}

#[cfg(test)]
mod tests;
