//! A cluster in memory, in which the machines of this crate run as they are: hosts with journal, device and guard, the
//! group with its total order, one lock manager, one disk.
//!
//! Everything that happens is an [`Action`]: which are possible is said by [`World::actions`], and what one does by
//! [`World::step`]. Nothing else decides anything, so the world is played at random by the simulation, and explored
//! completely by the model checker.
//!
//! What the group may do is what was seen of corosync 3.1.7: all members of a view deliver the same messages in one order;
//! of those who go on together nobody misses what another has delivered; a message of somebody who does not go on may be
//! lost, with all later ones of such; who does not go on may have delivered less, or more; what is sent while the view changes
//! comes in the next; the same member comes back after a pause.

pub(crate) mod action;
mod check;
mod faults;
mod group;
mod host;
mod quiet;
mod writer;

use std::collections::{BTreeSet, VecDeque};

use lvmwarden_reconfigure::change::Change;
use lvmwarden_reconfigure::coordinator::{Coordinator, State};
use lvmwarden_reconfigure::effect::Timer;
use lvmwarden_reconfigure::judge::Judge;
use lvmwarden_reconfigure::kind::{Kind, Terms};
use lvmwarden_reconfigure::member::{Member, Ring};
use lvmwarden_reconfigure::membership::Membership;
use lvmwarden_reconfigure::participant::Participant;
use lvmwarden_reconfigure::record::Memory;
use lvmwarden_reconfigure::word::{Decision, Word};

pub(crate) use action::Action;
pub(crate) use check::Flaw;

/// What does not change in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub(crate) struct Rules {
    pub(crate) hosts: usize,
    pub(crate) kind: Kind,
    /// The change is nothing to this host.
    pub(crate) unconcerned: Option<usize>,
    /// This host cannot prepare.
    pub(crate) unready: Option<usize>,
    /// The writing child asks for its lock as late as it likes.
    pub(crate) is_writer_late: bool,
    /// This host votes no.
    pub(crate) objector: Option<usize>,
    /// Partitions end, and corosync comes back.
    pub(crate) heals: bool,
    /// Faults are deaths, partitions, holds that end and writers that fail: no limit is over early, and no task fails.
    pub(crate) has_few_faults: bool,
    /// What cannot fail is done at once, which leaves fewer states; quorum comes with the view.
    pub(crate) is_eager: bool,
    pub(crate) flaw: Option<Flaw>,
}

/// The world.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) rules: Rules,
    pub(crate) hosts: Vec<Host>,
    pub(crate) disk: Disk,
    pub(crate) writer: Writer,
    pub(crate) lock: VgLock,
    /// How many faults may still happen.
    pub(crate) faults: u32,
    pub(crate) rings: u64,
    pub(crate) told: Told,
    /// The coordinator was told before the gate that a hold has ended.
    pub(crate) is_release_heard: bool,
    pub(crate) violation: Option<&'static str>,
}

/// One host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Host {
    pub(crate) is_up: bool,
    pub(crate) has_corosync: bool,
    /// Those with the same number reach one another.
    pub(crate) side: usize,
    /// The daemon as the group knows it, until the group knows better.
    pub(crate) joined: Option<Member>,
    pub(crate) daemon: Option<Daemon>,
    pub(crate) lives: u32,
    /// On tmpfs: it survives the daemon, not the host.
    pub(crate) journal: Memory,
    pub(crate) inbox: VecDeque<Item>,
    pub(crate) device: Device,
    pub(crate) guard: Option<Guard>,
}

/// A daemon that runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Daemon {
    pub(crate) me: Member,
    pub(crate) around: Membership,
    pub(crate) change: Option<Change>,
    pub(crate) tasks: BTreeSet<Task>,
    pub(crate) timers: BTreeSet<Timer>,
}

/// What a host does by itself, and how it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Task {
    TakeLocks,
    ReadVg,
    Check,
    Prepare,
    Refresh,
    Undo,
    Look,
    TakeLookLock,
    /// The writing child has ended, which the daemon has not heard.
    HearWriter,
}

/// What comes from the group, in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Item {
    Word(Member, Word),
    Hello(Member, Option<Decision>),
    View { left: Vec<Member>, joined: Vec<Member>, ring: Ring, is_quorate: bool },
    Quorum(Ring, bool),
    Lost,
}

/// The LV's device on one host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Device {
    /// Its table is the goal's.
    pub(crate) is_new: bool,
    /// A new table is loaded, not live.
    pub(crate) is_loaded: bool,
    pub(crate) is_suspended: bool,
}

/// The process that resumes at its deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Guard {
    /// It was told that the metadata are written.
    pub(crate) is_committed: bool,
    /// Its deadline is over; on the coordinator it stays for the writing child.
    pub(crate) is_expired: bool,
}

/// The metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Disk {
    /// By the change's writing child.
    pub(crate) is_written: bool,
    /// How often anybody has written.
    pub(crate) writes: u8,
}

/// The writing child, on the first host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Writer {
    None,
    /// It runs and has not asked for its lock.
    Started,
    /// It waits for its lock.
    AtGate,
    /// It has it.
    Passed,
    /// It has loaded the new table, and suspended the device.
    Loaded,
    /// It has written.
    Written,
    /// It has ended: with 0 and the goal in the kernel, or otherwise.
    Ended {
        is_at_goal: bool,
    },
}

/// The VG's lock in the lock manager.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct VgLock {
    pub(crate) exclusive: Option<usize>,
    pub(crate) shared: BTreeSet<usize>,
}

/// What anybody has ever decided, in this life or an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Told {
    pub(crate) committed: bool,
    pub(crate) abandoned: bool,
}

impl World {
    /// Returns a world in which all hosts are in one group, and the first is asked for the change.
    pub(crate) fn new(rules: Rules, faults: u32) -> Self {
        let mut world = Self {
            rules,
            hosts: (0..rules.hosts).map(|_| Host::new()).collect(),
            disk: Disk::default(),
            writer: Writer::None,
            lock: VgLock::default(),
            faults,
            rings: 0,
            told: Told::default(),
            is_release_heard: false,
            violation: None,
        };
        for at in 0..rules.hosts {
            world.start_daemon(at);
        }
        world.deliver_all();
        world.ask(0);
        world.quiet_down();
        world
    }

    /// Returns a world in which all have voted yes, and PREPARE is on its way.
    pub(crate) fn prepared(rules: Rules, faults: u32) -> Self {
        let mut world = Self::new(rules, faults);
        let is_preparing = |world: &Self| {
            let coordinator =
                world.hosts[0].daemon.as_ref().and_then(|daemon| daemon.change.as_ref()?.coordinator());
            coordinator.is_some_and(|machine| machine.state() == State::Preparing)
        };
        while let (false, Some(at)) = (is_preparing(&world), world.longest_inbox()) {
            world.deliver(at, false);
            world.quiet_down();
        }
        world
    }

    fn longest_inbox(&self) -> Option<usize> {
        let inboxes = self.hosts.iter().enumerate().filter(|(_, host)| !host.inbox.is_empty());
        inboxes.max_by_key(|(_, host)| host.inbox.len()).map(|(at, _)| at)
    }

    /// Lets everything be delivered that is on its way.
    pub(crate) fn deliver_all(&mut self) {
        while let Some(at) = self.hosts.iter().position(|host| !host.inbox.is_empty()) {
            self.deliver(at, false);
        }
    }

    pub(crate) fn terms(&self) -> Terms {
        self.rules.kind.terms()
    }

    pub(crate) fn member(at: usize, life: u32) -> Member {
        Member { node: u32::try_from(at).expect("few hosts") + 1, pid: life }
    }
}

impl Host {
    fn new() -> Self {
        Self {
            is_up: true,
            has_corosync: true,
            side: 0,
            joined: None,
            daemon: None,
            lives: 0,
            journal: Memory::default(),
            inbox: VecDeque::new(),
            device: Device::default(),
            guard: None,
        }
    }
}

impl World {
    /// Returns what is to be seen of the world, a line for each thing.
    pub(crate) fn shown(&self) -> Vec<String> {
        let mut lines: Vec<_> = self.hosts.iter().enumerate().map(|(at, host)| host.shown(at)).collect();
        lines.push(format!(
            "{:?} {:?} {:?} {:?} {:?}",
            self.writer, self.disk, self.lock, self.told, self.violation
        ));
        lines
    }
}

impl Host {
    fn shown(&self, at: usize) -> String {
        let change = self.daemon.as_ref().and_then(|daemon| daemon.change.as_ref());
        let coordinator = change.and_then(Change::coordinator).map(Coordinator::state);
        let participant = change.and_then(Change::participant).map(Participant::state);
        let judge = change.and_then(Change::judge).map(Judge::state);
        let tasks = self.daemon.as_ref().map(|daemon| &daemon.tasks);
        let quorum = self.daemon.as_ref().map(|daemon| daemon.around.quorum());
        format!(
            "{at}: up {} corosync {} side {} joined {:?} C {coordinator:?} P {participant:?} J {judge:?} {:?} {:?} {tasks:?} {quorum:?} {} {:?}",
            self.is_up, self.has_corosync, self.side, self.joined, self.device, self.guard, self.inbox.len(), self.journal,
        ).replace("Some", "").replace("is_", "").replace("false", "-").replace("true", "+"
        )
    }
}
