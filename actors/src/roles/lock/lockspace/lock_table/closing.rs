//! The lock when its lockspace is left, when that fails, and when its actor starts again.

use std::sync::Arc;

use lvmwarden_protocol::lock::{LockMode, LockType};

use super::{Act, Closing, Holder, LockTable, Releasing};
use crate::foundation::moment::Moment;
use crate::roles::lock::lock_manager::{Acquire, Resource};
use crate::roles::lock::lockspace::ask::{Client, ClientId};
use crate::roles::lock::lockspace::desk::Context;
use crate::roles::lock::lockspace::event::{Answer, Call, Notice};
use crate::roles::lock::lockspace::record::{Change, HolderRecord, RememberedLock};
use crate::roles::lock::lockspace::value_block;

impl LockTable {
    /// Gives the lock back, whoever has it: at once, or when the call under way is answered.
    pub(in crate::roles::lock::lockspace) fn close(&mut self, closing: Closing, cx: &mut Context<'_>) {
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
            self.reliers.clear();
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
    pub(in crate::roles::lock::lockspace) fn is_closed(&self) -> bool {
        self.closing.is_some_and(|closing| closing.done)
    }

    /// Has the lock forgotten, as its lockspace is gone.
    pub(in crate::roles::lock::lockspace) fn bury(&mut self, cx: &mut Context<'_>) {
        cx.record(&self.resource, Change::Forgotten);
        self.holders.clear();
        self.reliers.clear();
        self.unheld = None;
        self.unadopted = None;
    }

    /// Goes on after the lockspace could not be left: the holders' lock is taken again.
    pub(in crate::roles::lock::lockspace) fn reopen(&mut self, cx: &mut Context<'_>) {
        self.closing = None;
        if self.mode == LockMode::Unlocked && self.unadopted.is_none() {
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
                self.reliers.clear();
                cx.record(&self.resource, Change::Forgotten);
                cx.tell(Notice::Lost { resource: self.resource.clone(), fault });
            }
        }
    }

    /// Returns whether its lock is being taken again, or adopted, and it is worth waiting for that.
    pub(in crate::roles::lock::lockspace) fn is_returning(&self) -> bool {
        self.underway.as_ref().is_some_and(|underway| {
            !underway.overdue && matches!(underway.act, Act::Reopening { .. } | Act::Adopting(_))
        })
    }

    /// Takes in what an earlier life of the actor has left behind, whose connection is there still.
    pub(in crate::roles::lock::lockspace) fn resume(&mut self, lock: &RememberedLock, cx: &mut Context<'_>) {
        let modes =
            lock.holders.iter().map(|(mode, _)| *mode).chain(lock.wanted.iter().map(|(mode, _)| *mode));
        self.mode = modes.max().unwrap_or(LockMode::Unlocked);
        self.holders =
            lock.holders.iter().map(|(mode, holder)| Holder::remembered(*mode, holder, cx.now)).collect();
        self.reliers = lock.reliers.iter().map(Client::remembered).collect();
        self.ask_for_use(cx);
        if self.holders.is_empty() && self.mode != LockMode::Unlocked {
            let call = Call::Release { resource: self.resource.clone(), write: None, free: false };
            let releasing = Releasing { key: None, reply: None, write: None, uncertain: true };
            self.call(Act::Releasing(releasing), call, cx);
        }
    }
}

impl Client {
    pub(super) fn remembered(record: &HolderRecord) -> Arc<Self> {
        Arc::new(Self {
            id: ClientId(record.client),
            pid: record.pid,
            process: record.process.clone(),
            name: Arc::clone(&record.name),
        })
    }
}

impl Holder {
    pub(super) fn remembered(mode: LockMode, record: &HolderRecord, since: Moment) -> Self {
        Self {
            client: Client::remembered(record),
            ticket: None,
            mode,
            version: 0,
            persistent: record.is_persistent(),
            claim: record.claim,
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
            process: holder.client.process.clone(),
            claim: holder.claim,
        }
    }
}
