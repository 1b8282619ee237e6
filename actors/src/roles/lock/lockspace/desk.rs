//! What all parts of one lockspace use while an event is taken in: the calls that are under way, the timers, and the
//! list of what is to be done.

use std::collections::BTreeSet;
use std::time::Duration;

use lvmwarden_protocol::ids::LvUuid;
use lvmwarden_protocol::lock::{LockType, ResultCode};

use super::ask::{Reply, Ticket};
use super::event::{Call, CallId, Effect, Notice};
use super::record::{Change, LockRecord};
use crate::foundation::moment::Moment;
use crate::roles::lock::lock_manager::{Fault, GlobalLease, Leave, Resource};

/// What lasts from one event to the next.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) lock_type: LockType,
    pub(super) local_wait: Option<Duration>,
    pub(super) generation: u32,
    /// What is known of the lease of the global lock.
    pub(super) global: GlobalLease,
    /// More than one VG has an enabled global lock.
    pub(super) duplicates: bool,
    /// What has come of the locks of an earlier life.
    pub(super) adoption: Tally,
    last_call: u64,
    under_way: Vec<(CallId, Purpose)>,
    timers: BTreeSet<Moment>,
    armed: Option<Moment>,
}

/// What has come of the locks of an earlier life.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) held: usize,
    pub(super) released: usize,
    pub(super) failed: usize,
}

/// What a call of the lock manager is made for. A ticket that is gone was answered already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Purpose {
    Lock(Resource),
    Prepare,
    Join,
    Leave,
    Hosts {
        ticket: Option<Ticket>,
        then: Then,
    },
    Orphans {
        ticket: Option<Ticket>,
        then: WithOrphans,
    },
    DropOrphans(Option<Ticket>),
    FindFreeLock(Option<Ticket>),
    InitLv {
        ticket: Option<Ticket>,
        uuid: LvUuid,
    },
    /// A lease that was made too late is given back.
    UndoInitLv,
    ReadGlobal(Option<Ticket>),
}

/// What is done where there are no other hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Nothing,
    /// The lockspace is left, unless somebody of this host still has something in it.
    End(Leave),
}

/// What is done with the locks of an earlier life that the lock manager lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WithOrphans {
    /// Those of LVs are taken over, at a start.
    Adopt,
    /// Somebody is told of them.
    Tell,
    /// One of them, or all of LVs, are taken over and kept, or given back.
    Settle { which: Option<Resource>, keep: bool },
    /// There must be none: the lockspace is left, as the VG is removed or renamed.
    End(Leave),
}

/// The desk, and where the effects of this event go.
pub(super) struct Context<'a> {
    pub(super) desk: &'a mut Desk,
    pub(super) now: Moment,
    pub(super) effects: &'a mut Vec<Effect>,
}

impl Tally {
    pub(super) fn count(&mut self, keep: bool) {
        if keep {
            self.held += 1;
        } else {
            self.released += 1;
        }
    }
}

impl Desk {
    pub(super) fn new(lock_type: LockType, local_wait: Option<Duration>) -> Self {
        Self {
            lock_type,
            local_wait,
            generation: 0,
            global: GlobalLease::Absent,
            duplicates: false,
            adoption: Tally::default(),
            last_call: 0,
            under_way: Vec::new(),
            timers: BTreeSet::new(),
            armed: None,
        }
    }

    /// Counts on from the calls of an earlier life, whose answers are not mistaken for those of this one.
    pub(super) fn continue_calls(&mut self, last: u64) {
        self.last_call = last;
    }

    pub(super) fn last_call(&self) -> u64 {
        self.last_call
    }

    /// Takes a call that was answered off the list.
    pub(super) fn take(&mut self, id: CallId) -> Option<Purpose> {
        let at = self.under_way.iter().position(|(call, _)| *call == id)?;
        Some(self.under_way.swap_remove(at).1)
    }

    /// Looks at a call that is under way.
    pub(super) fn purpose(&mut self, id: CallId) -> Option<&mut Purpose> {
        self.under_way.iter_mut().find(|(call, _)| *call == id).map(|(_, purpose)| purpose)
    }
}

impl Context<'_> {
    pub(super) fn call(&mut self, purpose: Purpose, call: Call) -> CallId {
        self.desk.last_call += 1;
        let id = CallId(self.desk.last_call);
        self.desk.under_way.push((id, purpose));
        self.effects.push(Effect::Call(id, call));
        id
    }

    pub(super) fn reply(&mut self, ticket: Ticket, reply: Reply) {
        let generation = self.desk.generation;
        self.effects.push(Effect::Reply(ticket, Reply { generation, ..reply }));
    }

    pub(super) fn answer(&mut self, ticket: Ticket, code: ResultCode) {
        self.reply(ticket, Reply::of(code));
    }

    pub(super) fn fail(&mut self, ticket: Ticket, fault: Fault) {
        self.reply(ticket, fault.into());
    }

    pub(super) fn record(&mut self, resource: &Resource, change: Change) {
        self.effects.push(Effect::Record(LockRecord { resource: resource.clone(), change }));
    }

    pub(super) fn tell(&mut self, notice: Notice) {
        self.effects.push(Effect::Tell(notice));
    }

    pub(super) fn learn_global(&mut self, lease: GlobalLease) {
        if self.desk.global != lease {
            self.desk.global = lease;
            self.effects.push(Effect::Global(lease));
        }
    }

    pub(super) fn wake_at(&mut self, moment: Moment) {
        self.desk.timers.insert(moment);
    }

    /// Forgets the timers that have come.
    pub(super) fn time_has_come(&mut self) {
        self.desk.timers = self.desk.timers.split_off(&(self.now + Duration::from_nanos(1)));
        self.desk.armed = None;
    }

    /// Asks to be woken at the first of the timers, unless that was asked for already.
    pub(super) fn arm(&mut self) {
        let Some(&first) = self.desk.timers.first() else { return };
        if self.desk.armed != Some(first) {
            self.desk.armed = Some(first);
            self.effects.push(Effect::WakeAt(first));
        }
    }
}

impl From<Fault> for Reply {
    fn from(fault: Fault) -> Self {
        Self { lm_result: fault.raw, owner: fault.owner.map(Box::new), ..Self::of(fault.code) }
    }
}
