//! One lock of a lockspace: who of this host holds it, and who waits.
//!
//! The lock manager sees one lock, whoever of this host shares it: the first sharer acquires, the last one releases.
//! Requests wait in the order of their arrival. After everything that happens the queue is gone through in one pass, in
//! this order ([`RULES`]), until a call of the lock manager is under way; there is never more than one.
//!
//! ```text
//!                 acquire ex, sh                      convert
//!      unlocked ─────────────────▶ shared, exclusive ─────────▶ the other mode
//!        ▲  ▲  ◀── conflict: again in 1 s, or -11 ──┘ │ ▲  failed: as before
//!        │  │                                         │ │
//!        │  └──── a block that makes no sense: -22 ◀──┤ │
//!        │                               the last one │ │
//!        │                                 has it not │ │
//!        │            release                         ▼ │
//!        └──────────────────────────────────────── unheld
//!                                                  ▲ │ failed: again in 1 s
//!                                                  └─┘
//! ```
//!
//! * A waiter whose client is gone leaves at once; a lock that comes for it nevertheless is given back.
//! * A call that has passed its deadline is answered -218, and so is everybody else who needs this lock, until the lock
//!   manager answers; what it then grants nobody is told of, so it is given back.
//! * A lock that could not be given back is nobody's, is shown as such, and is given back again every second.
//! * One of an earlier life that could not be taken over stays an orphan, and is tried again, ever more seldom. Until then
//!   whoever wants it is refused.

mod answers;
mod closing;
mod drawing;
mod granting;
mod orphaned;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::lock::{LockMode, ResultCode};

use super::ask::{Client, ClientId, LockAsk, Ticket};
use super::desk::{Context, Purpose};
use super::event::{Call, CallId};
use super::orphan::Orphan;
use super::record::Claim;
use super::value_block::Known;
use crate::foundation::moment::Moment;
use crate::roles::lock::lock_manager::{Fault, Resource, ValueBlock};
use rules::RULES;

/// The wait before a conflict, or a failed release, is tried again.
pub(super) const RETRY_DELAY: Duration = Duration::from_secs(1);

/// One lock, its holders and its queue.
#[derive(Debug)]
pub(super) struct LockTable {
    resource: Resource,
    /// What the lock manager has given to this host.
    mode: LockMode,
    known: Known,
    /// The value block that came with the lock; `None` where it was not read.
    block: Option<ValueBlock>,
    holders: Vec<Holder>,
    /// Who was told that the persistent lock is as good as its own.
    reliers: Vec<Arc<Client>>,
    queue: Vec<Request>,
    underway: Option<Underway>,
    /// Nobody holds the lock, and yet it could not be given back.
    unheld: Option<Unheld>,
    /// A lock of an earlier life could not be taken over yet.
    unadopted: Option<Unadopted>,
    /// It is being asked whether the LV is active, whose lock nobody seems to need any more.
    asks_for_use: Option<Look>,
    /// The request by which an LV was newly locked, until somebody else relies on the lock or asks for it.
    fresh: Option<Ticket>,
    /// The lockspace is being left.
    closing: Option<Closing>,
}

/// Who has the lock.
#[derive(Debug)]
struct Holder {
    client: Arc<Client>,
    /// The request by which it came; `None` after an earlier life.
    ticket: Option<Ticket>,
    mode: LockMode,
    /// The version it came with, or that its holder has announced.
    version: u32,
    persistent: bool,
    /// How this life of the daemon has come by it.
    claim: Claim,
    since: Moment,
    lv_name: Arc<str>,
    lv_args: Arc<str>,
    /// Its client is not there any more, or has unlocked it when the lock manager did not answer.
    gone: bool,
}

/// A request that waits.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) ticket: Ticket,
    pub(super) client: Arc<Client>,
    pub(super) since: Moment,
    pub(super) wish: Wish,
    /// How often another host was in the way, what was said last, and when it is tried again.
    conflict: Option<Box<Conflict>>,
}

/// What is wanted of one lock.
#[derive(Debug)]
pub(super) enum Wish {
    /// To have it; the mode is shared or exclusive.
    Lock(LockMode, LockAsk),
    Unlock {
        persistent: bool,
        cancel: bool,
    },
    Update {
        version: u32,
        next: bool,
    },
    FreeLv {
        args: Arc<str>,
    },
    /// To have the global lock used, or not.
    SwitchGlobal {
        enable: bool,
        exclusive: bool,
    },
}

#[derive(Debug)]
struct Conflict {
    tries: u32,
    fault: Fault,
    again: Moment,
}

#[derive(Debug)]
struct Underway {
    id: CallId,
    act: Act,
    overdue: bool,
}

/// What the lock manager is being asked for. A ticket that is not in the queue any more was answered already.
#[derive(Debug)]
enum Act {
    Acquiring {
        ticket: Ticket,
        mode: LockMode,
    },
    Converting {
        ticket: Ticket,
        holder: Key,
        to: LockMode,
    },
    /// An upgrade that came too late is undone.
    Reverting {
        holder: Key,
    },
    Releasing(Releasing),
    FreeingLv {
        ticket: Option<Ticket>,
    },
    /// The global lock is taken before it is put out of use.
    LockingToDisable {
        ticket: Option<Ticket>,
    },
    SwitchingGlobal {
        ticket: Option<Ticket>,
        enable: bool,
    },
    Adopting(Adopting),
    Closing,
    /// The lockspace could not be left: its holders get the lock back.
    Reopening {
        mode: LockMode,
    },
}

#[derive(Debug)]
struct Releasing {
    /// Whose lock it was; `None`: nobody's yet.
    key: Option<Key>,
    /// Who is told, and what if it works.
    reply: Option<(Ticket, ResultCode)>,
    write: Option<ValueBlock>,
    /// It may not be held at all, after a life that ended in the middle of something.
    uncertain: bool,
}

#[derive(Debug)]
struct Unheld {
    since: Moment,
    fault: Fault,
    again: Moment,
    key: Option<Key>,
    write: Option<ValueBlock>,
}

/// A look whether an LV is active, which is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Counts,
    /// Somebody has come to rely on the lock since, and may have activated the LV.
    TooEarly,
}

#[derive(Debug)]
struct Adopting {
    orphan: Orphan,
    mode: LockMode,
    is_second_try: bool,
    /// How often it has failed before.
    failed: u32,
}

#[derive(Debug)]
struct Unadopted {
    orphan: Orphan,
    failed: u32,
    fault: Fault,
    again: Moment,
}

/// What happens to a lock when its lockspace is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Closing {
    /// The VG is removed.
    pub(super) free: bool,
    /// The holders get it back where the lockspace cannot be left.
    pub(super) keep: bool,
    done: bool,
}

/// Which of the locks: the persistent one, or that of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key(u32);

impl Key {
    const PERSISTENT: Self = Self(0);

    fn new(persistent: bool, client: ClientId) -> Self {
        if persistent { Self::PERSISTENT } else { Self(client.0) }
    }
}

impl Holder {
    fn key(&self) -> Key {
        Key::new(self.persistent, self.client.id)
    }
}

impl Request {
    pub(super) fn new(ticket: Ticket, client: Arc<Client>, since: Moment, wish: Wish) -> Self {
        Self { ticket, client, since, wish, conflict: None }
    }
}

impl Closing {
    pub(super) fn new(free: bool, keep: bool) -> Self {
        Self { free, keep, done: false }
    }
}

impl LockTable {
    pub(super) fn new(resource: Resource) -> Self {
        Self {
            resource,
            mode: LockMode::Unlocked,
            known: Known::default(),
            block: None,
            holders: Vec::new(),
            reliers: Vec::new(),
            queue: Vec::new(),
            underway: None,
            unheld: None,
            unadopted: None,
            asks_for_use: None,
            fresh: None,
            closing: None,
        }
    }

    /// Takes a request in.
    pub(super) fn ask(&mut self, request: Request, cx: &mut Context<'_>) {
        self.fresh = None;
        self.reclaim(&request.client, cx);
        self.queue.push(request);
        self.pass(cx);
    }

    /// Goes through the queue.
    pub(super) fn pass(&mut self, cx: &mut Context<'_>) {
        if self.closing.is_some() {
            self.close_now(cx);
            return;
        }
        for rule in RULES {
            if self.underway.is_some() {
                break;
            }
            rule(self, cx);
        }
        if self.underway.as_ref().is_some_and(|underway| underway.overdue) {
            self.refuse_all(ResultCode::LOCK_IO, cx);
        }
        if !self.queue.is_empty() {
            self.set_timers(cx);
        }
    }

    /// Takes in that a client is gone.
    pub(super) fn client_gone(&mut self, client: ClientId, cx: &mut Context<'_>) {
        let waiting = self.queue.len();
        self.queue.retain(|request| request.client.id != client);
        let mut concerned = self.queue.len() < waiting;
        for holder in self.holders.iter_mut().filter(|holder| holder.key() == Key(client.0)) {
            holder.gone = true;
            concerned = true;
        }
        self.let_go(client, cx);
        if concerned {
            self.pass(cx);
        }
    }

    /// Gives a newly acquired LV lock back whose owner could not be told; returns whether it was this lock.
    pub(super) fn not_delivered(&mut self, ticket: Ticket, cx: &mut Context<'_>) -> bool {
        if self.fresh != Some(ticket) {
            return false;
        }
        self.fresh = None;
        for holder in self.holders.iter_mut().filter(|holder| holder.ticket == Some(ticket)) {
            holder.gone = true;
        }
        self.pass(cx);
        true
    }

    /// Answers all that wait for the lock, also those for whom it is being acquired.
    pub(super) fn refuse_locks(&mut self, code: ResultCode, cx: &mut Context<'_>) {
        self.queue.retain(|request| {
            let waits = matches!(request.wish, Wish::Lock(..));
            if waits {
                cx.answer(request.ticket, code);
            }
            !waits
        });
    }

    /// Answers everybody; what was to be unlocked is as soon as it can be.
    pub(super) fn refuse_all(&mut self, code: ResultCode, cx: &mut Context<'_>) {
        for request in std::mem::take(&mut self.queue) {
            if let Wish::Unlock { persistent, .. } = request.wish {
                let key = Key::new(persistent, request.client.id);
                for holder in self.holders.iter_mut().filter(|holder| holder.key() == key) {
                    holder.gone = true;
                }
            }
            cx.answer(request.ticket, code);
        }
    }

    /// Returns whether it is this resource's.
    pub(super) fn is_of(&self, resource: &Resource) -> bool {
        self.resource == *resource
    }

    /// Returns the mode in which this host holds it.
    pub(super) fn mode(&self) -> LockMode {
        self.mode
    }

    /// Returns whether somebody has it, or is getting it.
    pub(super) fn is_held(&self) -> bool {
        let is_coming = matches!(
            self.underway,
            Some(Underway {
                act: Act::Acquiring { .. } | Act::Adopting(_) | Act::LockingToDisable { .. },
                ..
            })
        );
        is_coming || !self.holders.is_empty() || self.unadopted.is_some()
    }

    /// Returns whether nothing would be lost with it.
    pub(super) fn is_idle(&self) -> bool {
        let is_unused = self.holders.is_empty() && self.queue.is_empty();
        let is_settled = self.unheld.is_none() && self.unadopted.is_none();
        is_unused && self.underway.is_none() && is_settled && self.closing.is_none()
    }

    /// Returns whether the lock manager has been silent about it for too long.
    pub(super) fn is_stuck(&self) -> bool {
        self.underway.as_ref().is_some_and(|underway| underway.overdue)
    }

    fn call(&mut self, act: Act, call: Call, cx: &mut Context<'_>) {
        let id = cx.call(Purpose::Lock(self.resource.clone()), call);
        self.underway = Some(Underway { id, act, overdue: false });
    }

    fn holder(&self, key: Key) -> Option<&Holder> {
        self.holders.iter().find(|holder| holder.key() == key)
    }

    fn request(&self, ticket: Ticket) -> Option<usize> {
        self.queue.iter().position(|request| request.ticket == ticket)
    }

    fn set_timers(&self, cx: &mut Context<'_>) {
        for request in &self.queue {
            // A time that has passed has had its pass; what is waited for since then is another client.
            let wake = match (&request.conflict, cx.desk.local_wait) {
                (Some(conflict), _) => Some(conflict.again),
                (None, limit) => limit.map(|limit| request.since + limit),
            };
            if let Some(wake) = wake.filter(|wake| *wake > cx.now) {
                cx.wake_at(wake);
            }
        }
    }
}

#[cfg(test)]
mod tests;
