//! Whose turn it is to go on to the next segment of a pvmove: limits for each VG and each PV, and times of the day.
//!
//! LVM itself begins a copy, with its first segment; the daemon decides when the next one is begun. A copy that goes
//! on takes a turn, and keeps it until it has ended or has to wait; one that waits goes on when there is room, the oldest
//! first. The rules are in [`Turns`], which is pure; [`TurnKeeper`] is what the operations share.
//!
//! A conversion and a merge consist of one segment: they count, and never wait.

mod windows;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::civil::Time;
use lvmwarden_protocol::ids::VgName;
use uuid::Uuid;

pub use windows::{BadWindow, Window};

/// When copies may go on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// How many copies may go on at once in one VG; `None`: any number.
    pub per_vg: Option<u32>,
    /// How many copies may go on at once from or to one PV; `None`: any number.
    pub per_pv: Option<u32>,
    /// The times of the day, in the host's time zone, at which copies may go on; none: always.
    pub windows: Vec<Window>,
}

/// Why a copy does not go on to its next segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Somebody asked for it.
    Paused,
    /// As many others in its VG go on as may.
    VgLimit,
    /// As many others on one of its PVs go on as may.
    PvLimit,
    /// It is not the time of the day.
    Window {
        /// When it will be, in the host's time zone.
        opens: Time,
    },
}

impl fmt::Display for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused => f.write_str("it is paused"),
            Self::VgLimit => f.write_str("as many others in its VG go on as may (poll.limit_per_vg)"),
            Self::PvLimit => f.write_str("as many others on one of its PVs go on as may (poll.limit_per_pv)"),
            Self::Window { opens } => {
                write!(f, "it is not the time of the day until {} (poll.windows)", opens.strftime("%H:%M"))
            }
        }
    }
}

/// Where a copy takes place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The VG.
    pub vgname: VgName,
    /// The devices that are read and written, such as `254:0`.
    pub devices: Vec<String>,
}

/// Who goes on and who waits.
#[derive(Debug, Default)]
pub struct Turns {
    rules: Rules,
    taken: BTreeMap<Uuid, Site>,
    /// The names of operations are in the order of their age.
    waiting: BTreeMap<Uuid, Site>,
}

impl Turns {
    /// Makes turns for these rules.
    pub fn new(rules: Rules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// Takes note that the kernel copies for `op`: nobody was asked, and it counts.
    pub fn goes_on(&mut self, op: Uuid, site: Site) {
        self.waiting.remove(&op);
        self.taken.insert(op, site);
    }

    /// Takes a turn for `op`, whose segment is copied, at the time of the day `now`.
    ///
    /// # Errors
    /// Why it has to wait.
    pub fn take(&mut self, op: Uuid, site: Site, now: Time) -> Result<(), Hold> {
        self.taken.remove(&op);
        let verdict = self.is_open(now).and_then(|()| {
            let mut ahead: Vec<&Site> = self.taken.values().collect();
            for (_, older) in self.waiting.range(..op) {
                if self.has_room(older, &ahead).is_ok() {
                    ahead.push(older);
                }
            }
            self.has_room(&site, &ahead)
        });
        if verdict.is_ok() {
            self.goes_on(op, site);
        } else {
            self.waiting.insert(op, site);
        }
        verdict
    }

    /// Takes note that `op` neither goes on nor waits.
    pub fn leave(&mut self, op: Uuid) {
        self.taken.remove(&op);
        self.waiting.remove(&op);
    }

    fn is_open(&self, now: Time) -> Result<(), Hold> {
        let windows = &self.rules.windows;
        if windows.is_empty() || windows.iter().any(|window| window.contains(now)) {
            return Ok(());
        }
        let opens = windows.iter().min_by_key(|window| window.seconds_until_it_opens(now));
        Err(Hold::Window { opens: opens.map_or(now, |window| window.from) })
    }

    fn has_room(&self, site: &Site, ahead: &[&Site]) -> Result<(), Hold> {
        let is_full = |limit: Option<u32>, is_beside: &dyn Fn(&Site) -> bool| {
            let beside = ahead.iter().filter(|other| is_beside(other)).count();
            limit.is_some_and(|limit| beside >= limit as usize)
        };
        if is_full(self.rules.per_vg, &|other| other.vgname == site.vgname) {
            return Err(Hold::VgLimit);
        }
        let is_on = |device: &String| is_full(self.rules.per_pv, &|other| other.devices.contains(device));
        if site.devices.iter().any(is_on) { Err(Hold::PvLimit) } else { Ok(()) }
    }
}

/// What the operations of a daemon share of their turns. Cheap to clone.
#[derive(Clone, Default)]
pub struct TurnKeeper {
    turns: Arc<Mutex<Turns>>,
}

/// An operation's part in the turns: dropped with it, its turn is free.
pub struct Turn {
    op: Uuid,
    keeper: TurnKeeper,
}

impl TurnKeeper {
    /// Makes the turns of a daemon.
    pub fn new(rules: Rules) -> Self {
        Self { turns: Arc::new(Mutex::new(Turns::new(rules))) }
    }

    /// Changes the rules; who goes on already does.
    pub fn set_rules(&self, rules: Rules) {
        self.lock().rules = rules;
    }

    /// Lets `op` take part.
    #[must_use]
    pub fn enter(&self, op: Uuid) -> Turn {
        Turn { op, keeper: self.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// As [`Turns::goes_on`].
    pub fn goes_on(&self, site: Site) {
        self.keeper.lock().goes_on(self.op, site);
    }

    /// As [`Turns::take`], now.
    ///
    /// # Errors
    /// Why the operation has to wait.
    pub fn take(&self, site: Site) -> Result<(), Hold> {
        self.keeper.lock().take(self.op, site, crate::foundation::local_time::now().time())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.keeper.lock().leave(self.op);
    }
}

#[cfg(test)]
mod tests;
