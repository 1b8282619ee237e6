//! The lock when its lockspace is left, when that fails, and when it is taken over from an earlier life.

use std::sync::Arc;

use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode};

use super::{Act, Adopting, Closing, Holder, LockTable, Releasing};
use crate::lockspace::ask::{Client, ClientId};
use crate::lockspace::desk::Context;
use crate::lockspace::event::{Answer, Call, Moment, Notice};
use crate::lockspace::lock_manager::{Acquire, Adopt, Resource};
use crate::lockspace::record::{Change, HolderRecord, RememberedLock};
use crate::lockspace::value_block;

impl LockTable {
    /// Gives the lock back, whoever has it: at once, or when the call under way is answered.
    pub(in crate::lockspace) fn close(&mut self, closing: Closing, cx: &mut Context<'_>) {
        self.closing = Some(closing);
        self.close_now(cx);
    }

    pub(super) fn close_now(&mut self, cx: &mut Context<'_>) {
        let Some(closing) = self.closing.filter(|closing| !closing.done && self.underway.is_none()) else {
            return;
        };
        if self.mode == LockMode::Unlocked {
            self.close_done();
            return;
        }
        let announced = self.holders.iter().map(|holder| holder.version).max().unwrap_or(0);
        let is_vg_removed = closing.free && self.resource == Resource::Vg && self.mode == LockMode::Exclusive;
        let mut write = self.leave_version(announced, cx);
        if is_vg_removed && cx.desk.lock_type == LockType::Dlm {
            write = Some(value_block::removed(self.known.version));
        }
        let call = Call::Release { resource: self.resource.clone(), write, free: closing.free };
        self.call(Act::Closing, call, cx);
    }

    fn close_done(&mut self) {
        let Some(closing) = &mut self.closing else { return };
        closing.done = true;
        if !closing.keep {
            self.holders.clear();
        }
    }

    /// A lock that cannot be given back does not hold up the rest: whether the lockspace can be left tells.
    pub(super) fn closed(&mut self, answer: Answer, cx: &mut Context<'_>) {
        match answer {
            Ok(_) => {
                self.mode = LockMode::Unlocked;
                self.block = None;
                self.unheld = None;
            }
            Err(fault) => cx.tell(Notice::ReleaseFailed { resource: self.resource.clone(), fault }),
        }
        self.close_done();
    }

    /// Returns whether nothing is to be done any more before the lockspace is left.
    pub(in crate::lockspace) fn is_closed(&self) -> bool {
        self.closing.is_some_and(|closing| closing.done)
    }

    /// Has the lock forgotten, as its lockspace is gone.
    pub(in crate::lockspace) fn bury(&mut self, cx: &mut Context<'_>) {
        cx.record(&self.resource, Change::Forgotten);
        self.holders.clear();
        self.unheld = None;
    }

    /// Goes on after the lockspace could not be left: the holders' lock is taken again.
    pub(in crate::lockspace) fn reopen(&mut self, cx: &mut Context<'_>) {
        self.closing = None;
        if self.mode == LockMode::Unlocked {
            self.forget_gone(cx);
            if self.holders.is_empty() {
                cx.record(&self.resource, Change::Forgotten);
            }
        }
        let mode = self.holders.iter().map(|holder| holder.mode).max();
        match mode {
            Some(mode) if self.mode == LockMode::Unlocked => {
                let lv_args = Arc::clone(&self.holders[0].lv_args);
                let how = Acquire { lv_args, ..Acquire::default() };
                let call = Call::Acquire(self.resource.clone(), mode, how);
                self.call(Act::Reopening { mode }, call, cx);
            }
            Some(_) => self.pass(cx),
            None => {
                if self.mode != LockMode::Unlocked {
                    self.release(None, None, None, cx);
                }
                self.pass(cx);
            }
        }
    }

    fn forget_gone(&mut self, cx: &mut Context<'_>) {
        let resource = &self.resource;
        self.holders.retain(|holder| {
            if holder.gone {
                cx.record(resource, Change::Released { client: holder.key().0 });
            }
            !holder.gone
        });
    }

    pub(super) fn reopened(&mut self, mode: LockMode, answer: Answer, cx: &mut Context<'_>) {
        match answer {
            Ok(_) => self.mode = mode,
            Err(fault) => {
                self.holders.clear();
                cx.record(&self.resource, Change::Forgotten);
                cx.tell(Notice::Lost { resource: self.resource.clone(), fault });
            }
        }
    }

    /// Returns whether its lock is being taken again, or adopted, and it is worth waiting for that.
    pub(in crate::lockspace) fn is_returning(&self) -> bool {
        self.underway.as_ref().is_some_and(|underway| {
            !underway.overdue && matches!(underway.act, Act::Reopening { .. } | Act::Adopting(_))
        })
    }

    /// Asks the lock manager for the lock of an earlier life; it is given back unless it is to be kept.
    pub(in crate::lockspace) fn adopt(
        &mut self,
        mode: LockMode,
        holder: HolderRecord,
        keep: bool,
        cx: &mut Context<'_>,
    ) {
        self.try_adopting(Adopting { mode, holder, keep, is_second_try: false }, cx);
    }

    fn try_adopting(&mut self, adopting: Adopting, cx: &mut Context<'_>) {
        let lv_args = Arc::clone(&adopting.holder.lv_args);
        let how = Acquire { lv_args, adopt: Adopt::Only, repair: false };
        let call = Call::Acquire(self.resource.clone(), adopting.mode, how);
        self.call(Act::Adopting(adopting), call, cx);
    }

    pub(super) fn adopted(&mut self, adopting: Adopting, answer: Answer, cx: &mut Context<'_>) {
        let Adopting { mode, holder, keep, is_second_try } = adopting;
        let Err(fault) = answer else {
            self.mode = mode;
            cx.tell(Notice::Adopted { resource: self.resource.clone(), mode, released: !keep });
            cx.desk.adoption.count(keep);
            self.take_over(mode, &holder, keep, cx);
            return;
        };
        if fault.code == ResultCode::ADOPT_RETRY && !is_second_try {
            let mode = other_mode(mode);
            self.try_adopting(Adopting { mode, holder, keep, is_second_try: true }, cx);
            return;
        }
        let is_absent = fault.code == ResultCode::ADOPT_NONE;
        if is_absent {
            cx.record(&self.resource, Change::Forgotten);
        }
        if matches!(self.resource, Resource::Lv(_)) || !is_absent {
            cx.desk.adoption.failed += usize::from(keep);
            cx.tell(Notice::NotAdopted { resource: self.resource.clone(), fault, active: keep });
        }
    }

    fn take_over(&mut self, mode: LockMode, holder: &HolderRecord, keep: bool, cx: &mut Context<'_>) {
        if !keep {
            // The value block was not read: nothing is written over it.
            self.release(None, None, None, cx);
            return;
        }
        cx.record(&self.resource, Change::Adopted { mode, holder: holder.clone() });
        self.holders.push(Holder::remembered(mode, holder, cx.now));
    }

    /// Takes in what an earlier life of the actor has left behind, whose connection is there still.
    pub(in crate::lockspace) fn resume(&mut self, lock: &RememberedLock, cx: &mut Context<'_>) {
        let modes =
            lock.holders.iter().map(|(mode, _)| *mode).chain(lock.wanted.iter().map(|(mode, _)| *mode));
        self.mode = modes.max().unwrap_or(LockMode::Unlocked);
        self.holders =
            lock.holders.iter().map(|(mode, holder)| Holder::remembered(*mode, holder, cx.now)).collect();
        if self.holders.is_empty() && self.mode != LockMode::Unlocked {
            let call = Call::Release { resource: self.resource.clone(), write: None, free: false };
            let releasing = Releasing { key: None, reply: None, write: None, uncertain: true };
            self.call(Act::Releasing(releasing), call, cx);
        }
    }
}

impl Holder {
    fn remembered(mode: LockMode, record: &HolderRecord, since: Moment) -> Self {
        Self {
            client: Arc::new(Client {
                id: ClientId(record.client),
                pid: record.pid,
                name: Arc::clone(&record.name),
            }),
            ticket: None,
            mode,
            version: 0,
            persistent: record.is_persistent(),
            since,
            lv_name: Arc::clone(&record.lv_name),
            lv_args: Arc::clone(&record.lv_args),
            gone: false,
        }
    }
}

impl From<&Holder> for HolderRecord {
    fn from(holder: &Holder) -> Self {
        Self {
            client: holder.key().0,
            pid: holder.client.pid,
            name: Arc::clone(&holder.client.name),
            lv_name: Arc::clone(&holder.lv_name),
            lv_args: Arc::clone(&holder.lv_args),
        }
    }
}

/// Returns the other of the two modes in which a lock can be held.
fn other_mode(mode: LockMode) -> LockMode {
    if mode == LockMode::Exclusive { LockMode::Shared } else { LockMode::Exclusive }
}
