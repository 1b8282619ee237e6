//! The pass over the queue of one lock, rule by rule.

use lvmwarden_protocol::lock::{LockMode, ResultCode, ResultFlags};

use super::{Act, Key, LockTable, Request, Wish};
use crate::roles::lock::lock_manager::{Acquire, Adopt, Resource};
use crate::roles::lock::lockspace::ask::{LockAsk, Reply};
use crate::roles::lock::lockspace::desk::Context;
use crate::roles::lock::lockspace::event::{Call, Notice};
use crate::roles::lock::lockspace::record::Change;

/// A rule: does what can be done now, and may leave a call of the lock manager under way.
type Rule = fn(&mut LockTable, &mut Context<'_>);

/// All rules, in the order in which they are followed.
pub(super) const RULES: [Rule; 12] = [
    LockTable::adopt_again,
    LockTable::answer_updates,
    LockTable::unlock,
    LockTable::drop_gone,
    LockTable::release_again,
    LockTable::free_lv,
    LockTable::switch_global,
    LockTable::answer_owners,
    LockTable::convert,
    LockTable::lock_shared,
    LockTable::lock_exclusive,
    LockTable::give_up_waiting,
];

impl LockTable {
    /// The version of the metadata is kept with the exclusive VG lock of the client that has written it.
    fn answer_updates(&mut self, cx: &mut Context<'_>) {
        while let Some(at) = self.queue.iter().position(|r| matches!(r.wish, Wish::Update { .. })) {
            let request = self.queue.remove(at);
            let Wish::Update { version, next } = request.wish else { continue };
            let known = self.known.version;
            let key = Key::new(false, request.client.id);
            let code = match self.holders.iter_mut().find(|holder| holder.key() == key) {
                None => ResultCode::NOT_FOUND,
                Some(holder) if holder.mode != LockMode::Exclusive => ResultCode::INVALID,
                Some(holder) => {
                    holder.version = if next { known.wrapping_add(1) } else { version };
                    if holder.version <= known {
                        cx.tell(Notice::VersionNotNewer { known, announced: holder.version });
                    }
                    ResultCode::OK
                }
            };
            cx.answer(request.ticket, code);
        }
    }

    /// An unlock finds its own lock only: a client's, or the persistent one.
    fn unlock(&mut self, cx: &mut Context<'_>) {
        while self.underway.is_none() {
            let Some(at) = self.queue.iter().position(|r| matches!(r.wish, Wish::Unlock { .. })) else {
                break;
            };
            let request = self.queue.remove(at);
            let Wish::Unlock { persistent, cancel } = request.wish else { continue };
            let key = Key::new(persistent, request.client.id);
            if let Some(held) = self.holders.iter().position(|holder| holder.key() == key) {
                self.give_up(held, Some(request.ticket), cx);
            } else if cancel && self.cancel(persistent, &request, cx) {
                cx.answer(request.ticket, ResultCode::CANCELED);
            } else {
                cx.answer(request.ticket, ResultCode::NOT_FOUND);
            }
        }
    }

    /// Cancels a waiting request: the client's own, or the first one for a persistent lock.
    fn cancel(&mut self, persistent: bool, by: &Request, cx: &mut Context<'_>) -> bool {
        let victim = self.queue.iter().position(|request| match &request.wish {
            Wish::Lock(_, ask) if persistent => ask.persistent,
            Wish::Lock(_, ask) => !ask.persistent && request.client.id == by.client.id,
            _ => false,
        });
        let Some(at) = victim else { return false };
        let victim = self.queue.remove(at);
        cx.answer(victim.ticket, ResultCode::CANCELED);
        true
    }

    /// Locks of clients that are gone are given back.
    fn drop_gone(&mut self, cx: &mut Context<'_>) {
        while self.underway.is_none()
            && let Some(at) = self.holders.iter().position(|holder| holder.gone)
        {
            self.give_up(at, None, cx);
        }
    }

    /// A lock that nobody holds is given back again, when its time has come.
    fn release_again(&mut self, cx: &mut Context<'_>) {
        match &self.unheld {
            Some(unheld) if unheld.again <= cx.now => {
                let (key, write) = (unheld.key, unheld.write);
                self.release(key, None, write, cx);
            }
            Some(_) | None => {}
        }
    }

    /// The lease of an LV is given back where nobody holds its lock; whoever waits for that lock does so no longer.
    fn free_lv(&mut self, cx: &mut Context<'_>) {
        while self.underway.is_none()
            && let Some(at) = self.queue.iter().position(|r| matches!(r.wish, Wish::FreeLv { .. }))
        {
            let request = self.queue.remove(at);
            let Wish::FreeLv { args } = request.wish else { continue };
            let Resource::Lv(uuid) = self.resource else {
                cx.answer(request.ticket, ResultCode::INVALID);
                continue;
            };
            if self.mode != LockMode::Unlocked {
                cx.answer(request.ticket, ResultCode::BUSY);
                continue;
            }
            self.refuse_locks(ResultCode::CANCELED, cx);
            let call = Call::FreeLv { uuid, args };
            self.call(Act::FreeingLv { ticket: Some(request.ticket) }, call, cx);
        }
    }

    /// The global lock is put into use, or out of it, where nobody of this host holds it.
    fn switch_global(&mut self, cx: &mut Context<'_>) {
        while self.underway.is_none()
            && let Some(at) = self.queue.iter().position(|r| matches!(r.wish, Wish::SwitchGlobal { .. }))
        {
            let request = self.queue.remove(at);
            let Wish::SwitchGlobal { enable, exclusive } = request.wish else { continue };
            let ticket = Some(request.ticket);
            if self.mode != LockMode::Unlocked {
                cx.answer(request.ticket, ResultCode::INVALID);
            } else if exclusive {
                let holder = request.holder_record();
                cx.record(&self.resource, Change::Wanted { mode: LockMode::Exclusive, holder });
                let call = Call::Acquire(self.resource.clone(), LockMode::Exclusive, Acquire::default());
                self.call(Act::LockingToDisable { ticket }, call, cx);
            } else {
                self.call(Act::SwitchingGlobal { ticket, enable }, Call::WriteGlobal { enabled: enable }, cx);
            }
        }
    }

    /// Whoever has the lock already, or one that is as good, is told so.
    fn answer_owners(&mut self, cx: &mut Context<'_>) {
        if self.holders.is_empty() {
            return;
        }
        let mut at = 0;
        while at < self.queue.len() {
            let Some(told) = self.owner_answer(&self.queue[at]) else {
                at += 1;
                continue;
            };
            let request = self.queue.remove(at);
            self.fresh = None;
            match told {
                OwnerAnswer::Told(code, flags) => {
                    if self.holder(Key::new(false, request.client.id)).is_none() {
                        self.rely(&request, cx);
                    }
                    cx.reply(request.ticket, Reply { flags, ..Reply::of(code) });
                }
                OwnerAnswer::BecomesPersistent => {
                    self.make_persistent(&request, cx);
                    // It may be what an earlier one wants.
                    at = 0;
                }
            }
        }
    }

    fn owner_answer(&self, request: &Request) -> Option<OwnerAnswer> {
        let Wish::Lock(mode, ask) = &request.wish else { return None };
        let own = self.holder(Key::new(false, request.client.id));
        let persistent = self.holder(Key::PERSISTENT);
        if ask.persistent {
            if persistent.is_some_and(|lock| lock.mode == *mode) {
                return Some(OwnerAnswer::told(ResultCode::ALREADY));
            }
            return own.map(|lock| {
                if lock.mode == *mode {
                    OwnerAnswer::BecomesPersistent
                } else {
                    OwnerAnswer::told(ResultCode::EXISTS)
                }
            });
        }
        if own.is_some_and(|lock| lock.mode == *mode) {
            return Some(OwnerAnswer::told(ResultCode::ALREADY));
        }
        persistent.map(|lock| {
            if lock.mode == LockMode::Exclusive || *mode == LockMode::Shared {
                OwnerAnswer::told(ResultCode::OK)
            } else {
                OwnerAnswer::Told(ResultCode::EXISTS, ResultFlags::SH_EXISTS)
            }
        })
    }

    fn make_persistent(&mut self, request: &Request, cx: &mut Context<'_>) {
        let key = Key::new(false, request.client.id);
        // There is no other persistent lock beside it: of this mode it would have been found before, and none of
        // another mode can be there.
        if let Some(holder) = self.holders.iter_mut().find(|holder| holder.key() == key) {
            holder.persistent = true;
        }
        cx.record(&self.resource, Change::MadePersistent { client: key.0 });
        cx.answer(request.ticket, ResultCode::OK);
    }

    /// Whoever has the lock in the other mode gets it converted, once, if nobody of this host is in the way.
    fn convert(&mut self, cx: &mut Context<'_>) {
        let mut at = 0;
        while at < self.queue.len() && self.underway.is_none() {
            let request = &self.queue[at];
            let Some(key) = wanted_lock(request).map(|(_, ask)| Key::new(ask.persistent, request.client.id))
            else {
                at += 1;
                continue;
            };
            let Some(holder) = self.holder(key) else {
                at += 1;
                continue;
            };
            if self.holders.len() > 1 {
                // Also of those of an earlier life, of whom it is not known who has it alone.
                let request = self.queue.remove(at);
                cx.answer(request.ticket, ResultCode::AGAIN);
            } else if holder.mode == LockMode::Exclusive {
                let version = holder.version;
                let write = self.leave_version(version, cx);
                self.start_converting(at, key, LockMode::Shared, write, cx);
            } else {
                self.start_converting(at, key, LockMode::Exclusive, None, cx);
            }
        }
    }

    /// Sharers are let in until somebody wants the lock alone.
    fn lock_shared(&mut self, cx: &mut Context<'_>) {
        while self.underway.is_none() && self.unheld.is_none() && self.mode != LockMode::Exclusive {
            let Some(at) = self.next_sharer(cx) else { return };
            if self.mode == LockMode::Shared {
                self.grant(at, LockMode::Shared, cx);
                // It may be a persistent lock, beside which there is no other one.
                self.answer_owners(cx);
            } else {
                self.acquire(at, LockMode::Shared, cx);
            }
        }
    }

    /// Returns the first one who wants to share and can be tried, before all who want the lock alone.
    fn next_sharer(&self, cx: &Context<'_>) -> Option<usize> {
        let wanted = self.queue.iter().map(|request| wanted_lock(request).map(|(mode, _)| mode));
        let is_shared = self.mode == LockMode::Shared;
        wanted
            .take_while(|mode| *mode != Some(LockMode::Exclusive))
            .enumerate()
            .find(|(at, mode)| *mode == Some(LockMode::Shared) && (is_shared || self.queue[*at].is_due(cx)))
            .map(|(at, _)| at)
    }

    /// The first one who wants the lock alone is tried where nobody of this host has it.
    fn lock_exclusive(&mut self, cx: &mut Context<'_>) {
        if self.mode != LockMode::Unlocked {
            return;
        }
        let first = self
            .queue
            .iter()
            .position(|request| matches!(wanted_lock(request), Some((LockMode::Exclusive, _))));
        if let Some(at) = first
            && self.queue[at].is_due(cx)
        {
            self.acquire(at, LockMode::Exclusive, cx);
        }
    }

    /// Whoever has waited for clients of this host as long as is allowed is told to ask again.
    fn give_up_waiting(&mut self, cx: &mut Context<'_>) {
        let Some(limit) = cx.desk.local_wait else { return };
        self.queue.retain(|request| {
            let waits_locally = wanted_lock(request).is_some() && request.conflict.is_none();
            let is_over = waits_locally && request.since + limit <= cx.now;
            if is_over {
                cx.answer(request.ticket, ResultCode::AGAIN);
            }
            !is_over
        });
    }
}

/// What somebody is told who has the lock.
enum OwnerAnswer {
    Told(ResultCode, ResultFlags),
    BecomesPersistent,
}

impl OwnerAnswer {
    fn told(code: ResultCode) -> Self {
        Self::Told(code, ResultFlags::NONE)
    }
}

fn wanted_lock(request: &Request) -> Option<(LockMode, &LockAsk)> {
    match &request.wish {
        Wish::Lock(mode, ask) => Some((*mode, ask)),
        _ => None,
    }
}

impl Request {
    fn is_due(&self, cx: &Context<'_>) -> bool {
        self.conflict.as_ref().is_none_or(|conflict| conflict.again <= cx.now)
    }

    /// Returns how its lock is acquired.
    pub(super) fn how(&self) -> Acquire {
        match &self.wish {
            Wish::Lock(_, ask) => {
                Acquire { lv_args: ask.lv_args.clone(), adopt: ask.adopt, repair: ask.repair }
            }
            _ => Acquire { adopt: Adopt::No, ..Acquire::default() },
        }
    }
}
