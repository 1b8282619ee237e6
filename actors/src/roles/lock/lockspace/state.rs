//! One lockspace: its life, and its locks.
//!
//! ```text
//!           start             prepared          joined          adopted
//!   New ───────────▶ Preparing ──────▶ Joining ──────▶ Adopting ──────▶ Running
//!                        │ failed        │ failed      (a start by         │ ▲
//!                        ▼               ▼              recovery only)     │ │ locks are
//!                     Failed ◀───────────┘                   stop, free,   │ │ taken again
//!                                                           rename, drop   │ │
//!                        left            closed                            ▼ │
//!   Finished ◀────────────────── Leaving ◀──────────────────────────── Closing
//!                                   │ failed                              ▲
//!                                   └───────────▶ Returning ──────────────┘ Running
//! ```
//!
//! * Requests other than start and stop are answered -211 while it starts; a lock request may ask to wait, and all lock
//!   requests do while locks of an earlier life are adopted. A stop is remembered, and looked at as soon as it runs.
//! * A stop gives all locks back, each when its call under way is answered, and leaves. Where it cannot leave, it takes
//!   the locks of its holders again and goes on, and says so: a stop that is refused has dropped nothing.
//! * Replies come when what they say is so: after [`Effect::Gone`] for an end, when it runs for a start.
//! * Killed is not a phase: it runs, but grants no lock any more.

mod adoption;
mod describing;
mod lookup;
mod running;
mod starting;
mod stopping;

use std::collections::BTreeMap;

use lvmwarden_protocol::ids::LvUuid;
use lvmwarden_protocol::lock::{LockMode, ResultCode};

use super::ask::{Ask, Asked, ClientId, Ticket};
use super::desk::{Context, Desk, Purpose};
use super::event::{Answer, CallId, Effect, Event, Notice, Spec};
use super::lock_table::LockTable;
use super::orphan::Orphan;
use super::picture::Stage;
use super::record::Remembered;
use crate::foundation::moment::Moment;
use crate::roles::lock::lock_manager::{Fault, GlobalLease, Renewal, Resource};
use adoption::Unlisted;
use starting::Starting;
use stopping::Stopping;

/// One lockspace, from its start until it was left.
#[derive(Debug)]
pub struct Lockspace {
    machine: Machine,
    desk: Desk,
}

/// What has to be known of a lockspace, beside its locks, when its actor starts again with the same connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How far it was.
    pub stage: Stage,
    /// Its leases cannot be reached.
    pub killed: bool,
    /// Which life of our host it is in it.
    pub generation: u32,
    /// What is known of the lease of the global lock.
    pub global: GlobalLease,
    /// The lock manager is still to tell what an earlier life of the daemon has left behind.
    pub is_unlisted: bool,
    /// The last call that was made.
    pub last_call: CallId,
}

/// What there is of an earlier life of the actor.
#[derive(Debug, Clone, Copy)]
pub struct Earlier<'a> {
    /// What its records add up to.
    pub remembered: &'a Remembered,
    /// What the connection holds.
    pub held: &'a BTreeMap<Resource, LockMode>,
    /// The locks of an earlier life of the daemon that it was to take over; `None` where a client has started it.
    pub orphans: Option<&'a [Orphan]>,
}

#[derive(Debug)]
struct Machine {
    spec: Spec,
    life: Life,
    killed: bool,
    global_lock: LockTable,
    vg_lock: LockTable,
    lv_locks: BTreeMap<LvUuid, LockTable>,
    renewal: Option<(Renewal, Moment)>,
    lease_is_late: bool,
    fault: Option<Fault>,
    unlisted: Option<Unlisted>,
}

#[derive(Debug)]
enum Life {
    New,
    Starting(Box<Starting>),
    Running,
    Stopping(Box<Stopping>),
    Finished,
    Failed,
}

impl Lockspace {
    /// Makes a lockspace that nobody has started; its first request is [`Ask::Start`].
    pub fn new(spec: Spec) -> Self {
        let desk = Desk::new(spec.lock_type, spec.local_wait);
        Self { machine: Machine::new(spec), desk }
    }

    /// Makes the lockspace of an earlier life of the daemon and begins to take it over: joins it, adopts the locks
    /// and gives those back that nobody needs.
    pub fn adopt(spec: Spec, orphans: Vec<Orphan>, now: Moment, effects: &mut Vec<Effect>) -> Self {
        let mut lockspace = Self::new(spec);
        let Self { machine, desk } = &mut lockspace;
        machine.start_adopting(orphans, &mut Context { desk, now, effects });
        lockspace
    }

    /// Makes a lockspace of an earlier life of the actor, whose connection holds the locks still.
    ///
    /// `earlier` are its own records and what its connection holds, and the locks of an earlier life of the daemon. The
    /// owners of transient locks that are not alive any more are to be told as [`Event::ClientGone`] next. One that was
    /// taking over locks of an earlier life begins again with that; any other that was not running is left.
    pub fn resume(
        spec: Spec,
        standing: Standing,
        earlier: Earlier<'_>,
        now: Moment,
        effects: &mut Vec<Effect>,
    ) -> Self {
        let mut lockspace = Self::new(spec);
        let Self { machine, desk } = &mut lockspace;
        desk.generation = standing.generation;
        desk.global = standing.global;
        desk.continue_calls(standing.last_call.0);
        machine.resume(standing, earlier, &mut Context { desk, now, effects });
        lockspace
    }

    /// Takes in what has happened; what is to be done is added to `effects`.
    pub fn apply(&mut self, event: Event, now: Moment, effects: &mut Vec<Effect>) {
        let mut cx = Context { desk: &mut self.desk, now, effects };
        self.machine.apply(event, &mut cx);
        cx.arm();
    }

    /// Returns what has to be known when the actor starts again.
    pub fn standing(&self) -> Standing {
        Standing {
            stage: self.stage(),
            killed: self.machine.killed,
            generation: self.desk.generation,
            global: self.desk.global,
            is_unlisted: self.machine.unlisted.is_some(),
            last_call: CallId(self.desk.last_call()),
        }
    }
}

impl Machine {
    fn new(spec: Spec) -> Self {
        Self {
            spec,
            life: Life::New,
            killed: false,
            global_lock: LockTable::new(Resource::Global),
            vg_lock: LockTable::new(Resource::Vg),
            lv_locks: BTreeMap::new(),
            renewal: None,
            lease_is_late: false,
            fault: None,
            unlisted: None,
        }
    }

    fn apply(&mut self, event: Event, cx: &mut Context<'_>) {
        match event {
            Event::Asked(asked) => self.asked(asked, cx),
            Event::ClientGone(client) => self.client_gone(client, cx),
            Event::NotDelivered(ticket) => self.not_delivered(ticket, cx),
            Event::Answered(id, answer) => self.answered(id, answer, cx),
            Event::Overdue(id) => self.overdue(id, cx),
            Event::TimeHasCome => {
                cx.time_has_come();
                self.each_lock(cx, LockTable::pass);
                self.list_again(cx);
            }
            Event::Renewal(renewal) => self.renewed(renewal, cx),
            Event::DuplicateGlobals(duplicates) => cx.desk.duplicates = duplicates,
            Event::Used(resource, is_active) => {
                self.with_lock(&resource, cx, |table, cx| table.is_used(is_active, cx));
            }
        }
    }

    fn asked(&mut self, asked: Asked, cx: &mut Context<'_>) {
        let is_start = matches!(asked.ask, Ask::Start(_));
        let has_other_type = asked.lock_type.is_some_and(|kind| kind != self.spec.lock_type);
        match &self.life {
            Life::New => self.begin(&asked, cx),
            Life::Finished | Life::Failed => cx.answer(asked.ticket, ResultCode::NO_LOCKSPACE),
            _ if has_other_type && !is_start => cx.answer(asked.ticket, ResultCode::INVALID),
            Life::Starting(_) => self.ask_while_starting(asked, cx),
            Life::Running => self.serve(asked, cx),
            Life::Stopping(_) if is_start => cx.answer(asked.ticket, ResultCode::AGAIN),
            Life::Stopping(_) => cx.answer(asked.ticket, ResultCode::STOPPING),
        }
    }

    fn client_gone(&mut self, client: ClientId, cx: &mut Context<'_>) {
        if let Life::Starting(starting) = &mut self.life {
            starting.waiting.retain(|asked| asked.client.id != client);
            for orphan in starting.orphans.iter_mut().flatten() {
                orphan.let_go(client.0);
            }
        }
        self.each_lock(cx, |table, cx| table.client_gone(client, cx));
    }

    fn not_delivered(&mut self, ticket: Ticket, cx: &mut Context<'_>) {
        let found = self
            .lv_locks
            .iter_mut()
            .find_map(|(uuid, table)| table.not_delivered(ticket, cx).then(|| (*uuid, table.is_idle())));
        if let Some((uuid, true)) = found {
            self.lv_locks.remove(&uuid);
        }
    }

    fn answered(&mut self, id: CallId, answer: Answer, cx: &mut Context<'_>) {
        let Some(purpose) = cx.desk.take(id) else { return };
        match purpose {
            Purpose::Lock(resource) => self.lock_answered(id, &resource, answer, cx),
            Purpose::Prepare => self.prepared(answer, cx),
            Purpose::Join => self.joined(answer, cx),
            Purpose::Leave => self.left(answer, cx),
            Purpose::Hosts { ticket, then } => self.hosts_counted(ticket, then, answer, cx),
            Purpose::Orphans { ticket, then } => self.orphans_listed(ticket, then, answer, cx),
            Purpose::FindFreeLock(ticket) | Purpose::DropOrphans(ticket) => {
                Self::concluded(ticket, answer, cx);
            }
            Purpose::InitLv { ticket, uuid } => Self::lv_initialized(ticket, uuid, answer, cx),
            Purpose::UndoInitLv => {}
            Purpose::ReadGlobal(ticket) => Self::global_read(ticket, answer, cx),
        }
    }

    fn lock_answered(&mut self, id: CallId, resource: &Resource, answer: Answer, cx: &mut Context<'_>) {
        self.with_lock(resource, cx, |table, cx| table.answered(id, answer, cx));
        self.go_on(cx);
    }

    /// Goes on with what waits for calls about locks.
    fn go_on(&mut self, cx: &mut Context<'_>) {
        match self.life {
            Life::Starting(_) => self.go_on_adopting(cx),
            Life::Stopping(_) => self.go_on_stopping(cx),
            Life::New | Life::Running | Life::Finished | Life::Failed => {}
        }
    }

    /// Whoever waits for a call that has passed its deadline is told; what comes of it is looked at when it comes.
    fn overdue(&mut self, id: CallId, cx: &mut Context<'_>) {
        let told = match cx.desk.purpose(id) {
            None => return,
            Some(Purpose::Lock(resource)) => {
                let resource = resource.clone();
                self.with_lock(&resource, cx, |table, cx| table.overdue(id, cx));
                self.answer_stop(cx);
                self.go_on(cx);
                return;
            }
            Some(
                Purpose::Hosts { ticket, .. }
                | Purpose::Orphans { ticket, .. }
                | Purpose::DropOrphans(ticket)
                | Purpose::FindFreeLock(ticket)
                | Purpose::InitLv { ticket, .. }
                | Purpose::ReadGlobal(ticket),
            ) => ticket.take(),
            Some(Purpose::Prepare | Purpose::Join | Purpose::Leave | Purpose::UndoInitLv) => None,
        };
        cx.tell(Notice::Overdue { call: id, resource: None });
        if let Some(ticket) = told {
            cx.answer(ticket, ResultCode::LOCK_IO);
        }
        self.answer_start(cx);
        self.answer_stop(cx);
    }

    fn renewed(&mut self, renewal: Option<Renewal>, cx: &mut Context<'_>) {
        self.renewal = renewal.map(|renewal| (renewal, cx.now));
        let Some(renewal) = renewal else { return };
        let is_late = renewal.age * 2 >= renewal.kill_after;
        if is_late && !self.lease_is_late {
            cx.tell(Notice::LeaseLate {
                kill_in: renewal.kill_after.saturating_sub(renewal.age),
                reset_in: renewal.reset_after.saturating_sub(renewal.age),
            });
        } else if !is_late && self.lease_is_late {
            cx.tell(Notice::LeaseRenewed);
        }
        self.lease_is_late = is_late;
    }
}

#[cfg(test)]
mod tests;
