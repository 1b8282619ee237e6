//! What the lock manager has said about the lock.

use lvmwarden_protocol::lock::{LockMode, ResultCode};

use super::{Act, Conflict, Key, LockTable, RETRY_DELAY, Releasing, Underway, Unheld, Wish};
use crate::roles::lock::lock_manager::{Fault, GlobalLease, Resource, ValueBlock};
use crate::roles::lock::lockspace::ask::Ticket;
use crate::roles::lock::lockspace::desk::Context;
use crate::roles::lock::lockspace::event::{Answer, Call, CallId, Notice, Outcome};
use crate::roles::lock::lockspace::record::Change;

impl LockTable {
    /// Takes an answer in and goes on.
    pub(in crate::roles::lock::lockspace) fn answered(
        &mut self,
        id: CallId,
        answer: Answer,
        cx: &mut Context<'_>,
    ) {
        let Some(underway) = self.underway.take_if(|underway| underway.id == id) else { return };
        if underway.overdue {
            cx.tell(Notice::Late { call: id, fault: answer.as_ref().err().cloned() });
        }
        self.conclude(underway, answer, cx);
        self.pass(cx);
    }

    fn conclude(&mut self, underway: Underway, answer: Answer, cx: &mut Context<'_>) {
        match underway.act {
            Act::Acquiring { ticket, mode } => self.acquired(ticket, mode, answer, cx),
            Act::Converting { ticket, holder, to } => self.converted(ticket, holder, to, answer, cx),
            Act::Reverting { holder } => {
                if answer.is_ok() {
                    self.set_mode(holder, LockMode::Shared, cx);
                }
            }
            Act::Releasing(releasing) => self.released(&releasing, answer, cx),
            Act::FreeingLv { ticket } => conclude(ticket, answer, cx),
            Act::LockingToDisable { ticket } => self.locked_to_disable(ticket, answer, cx),
            Act::SwitchingGlobal { ticket, enable } => self.switched_global(ticket, enable, answer, cx),
            Act::Adopting(adopting) => self.adopted(adopting, answer, cx),
            Act::Closing => self.closed(answer, cx),
            Act::Reopening { mode } => self.reopened(mode, answer, cx),
        }
    }

    /// Takes in that the call under way has passed its deadline: whoever needs this lock is not left waiting.
    pub(in crate::roles::lock::lockspace) fn overdue(&mut self, id: CallId, cx: &mut Context<'_>) {
        let Some(underway) = self.underway.as_mut().filter(|underway| underway.id == id) else { return };
        underway.overdue = true;
        let told = match &mut underway.act {
            Act::Releasing(releasing) => releasing.reply.take().map(|(ticket, _)| ticket),
            Act::FreeingLv { ticket }
            | Act::LockingToDisable { ticket }
            | Act::SwitchingGlobal { ticket, .. } => ticket.take(),
            // Whoever waits for these is in the queue, if anybody does.
            Act::Acquiring { .. }
            | Act::Converting { .. }
            | Act::Reverting { .. }
            | Act::Adopting(_)
            | Act::Closing
            | Act::Reopening { .. } => None,
        };
        cx.tell(Notice::Overdue { call: id, resource: Some(self.resource.clone()) });
        if let Some(ticket) = told {
            cx.answer(ticket, ResultCode::LOCK_IO);
        }
        self.refuse_all(ResultCode::LOCK_IO, cx);
    }

    fn acquired(&mut self, ticket: Ticket, mode: LockMode, answer: Answer, cx: &mut Context<'_>) {
        // Nobody gets a lock of a lockspace that is being left; whoever wants it is answered when it is, or tried again.
        let wanted = if self.closing.is_some() { None } else { self.request(ticket) };
        let block = match answer {
            Ok(Outcome::Acquired(block)) => block,
            Ok(_) => None,
            Err(fault) => {
                cx.record(&self.resource, Change::Unwanted);
                self.not_acquired(wanted, mode, fault, cx);
                return;
            }
        };
        self.mode = mode;
        match (self.read_block(block, cx), wanted) {
            (Ok(()), Some(at)) => self.grant(at, mode, cx),
            (Ok(()) | Err(_), None) => self.release(None, None, None, cx),
            (Err(code), Some(at)) => {
                self.queue.remove(at);
                self.release(None, Some((ticket, code)), None, cx);
            }
        }
    }

    /// Another host may be gone in a second, if it is worth trying; every other failure is final.
    fn not_acquired(&mut self, wanted: Option<usize>, mode: LockMode, fault: Fault, cx: &mut Context<'_>) {
        if self.resource == Resource::Global && fault.code == ResultCode::NO_LOCKSPACE {
            cx.learn_global(GlobalLease::Disabled);
        }
        let Some(at) = wanted else { return };
        let request = &mut self.queue[at];
        let Wish::Lock(_, ask) = &request.wish else { return };
        let failed = request.conflict.as_ref().map_or(0, |conflict| conflict.tries);
        let may_retry = fault.is_transient || !matches!(self.resource, Resource::Lv(_));
        if fault.code == ResultCode::AGAIN && failed <= ask.max_retries && may_retry {
            let tries = failed + 1;
            cx.tell(Notice::Conflict { resource: self.resource.clone(), mode, tries, fault: fault.clone() });
            request.conflict = Some(Box::new(Conflict { tries, fault, again: cx.now + RETRY_DELAY }));
        } else {
            let request = self.queue.remove(at);
            cx.fail(request.ticket, fault);
        }
    }

    fn converted(&mut self, ticket: Ticket, holder: Key, to: LockMode, answer: Answer, cx: &mut Context<'_>) {
        let waits = self.request(ticket).map(|at| self.queue.remove(at));
        match (answer, waits) {
            (Ok(_), Some(request)) => {
                self.set_mode(holder, to, cx);
                if self.holder(holder).is_some_and(|holder| holder.client.id != request.client.id) {
                    self.rely(&request, cx);
                }
                cx.answer(request.ticket, ResultCode::OK);
            }
            (Ok(_), None) => {
                self.set_mode(holder, to, cx);
                let is_there = self.holder(holder).is_some_and(|holder| !holder.gone);
                if to == LockMode::Exclusive && is_there {
                    let call = Call::Convert(self.resource.clone(), LockMode::Shared, None);
                    self.call(Act::Reverting { holder }, call, cx);
                }
            }
            (Err(fault), waits) => {
                self.record_mode(holder, self.mode, cx);
                if let Some(request) = waits {
                    cx.fail(request.ticket, fault);
                }
            }
        }
    }

    fn set_mode(&mut self, key: Key, mode: LockMode, cx: &mut Context<'_>) {
        self.mode = mode;
        let version = self.known.version;
        if let Some(holder) = self.holders.iter_mut().find(|holder| holder.key() == key) {
            holder.mode = mode;
            holder.version = version;
            holder.since = cx.now;
        }
        self.record_mode(key, mode, cx);
    }

    fn released(&mut self, releasing: &Releasing, answer: Answer, cx: &mut Context<'_>) {
        let &Releasing { key, reply, write, uncertain } = releasing;
        if let Err(fault) = answer
            && !uncertain
        {
            if let Some((ticket, _)) = reply {
                cx.fail(ticket, fault.clone());
            }
            self.not_released(key, write, fault, cx);
            return;
        }
        self.mode = LockMode::Unlocked;
        self.block = None;
        if self.unheld.take().is_some() {
            cx.tell(Notice::ReleasedAtLast(self.resource.clone()));
        }
        let change = key.map_or(Change::Forgotten, |key| Change::Released { client: key.0 });
        cx.record(&self.resource, change);
        if let Some((ticket, code)) = reply {
            cx.answer(ticket, code);
        }
    }

    /// Nobody has the lock, but other hosts cannot get it: it is kept in mind until it is given back. Those who wait
    /// are not left waiting.
    fn not_released(
        &mut self,
        key: Option<Key>,
        write: Option<ValueBlock>,
        fault: Fault,
        cx: &mut Context<'_>,
    ) {
        let again = cx.now + RETRY_DELAY;
        cx.wake_at(again);
        let since = if let Some(before) = self.unheld.take() {
            self.refuse_locks(fault.code, cx);
            before.since
        } else {
            cx.tell(Notice::ReleaseFailed { resource: self.resource.clone(), fault: fault.clone() });
            cx.now
        };
        self.unheld = Some(Unheld { since, fault, again, key, write });
    }

    fn locked_to_disable(&mut self, ticket: Option<Ticket>, answer: Answer, cx: &mut Context<'_>) {
        match (answer, ticket) {
            (Ok(_), Some(ticket)) => {
                self.mode = LockMode::Exclusive;
                let act = Act::SwitchingGlobal { ticket: Some(ticket), enable: false };
                self.call(act, Call::WriteGlobal { enabled: false }, cx);
            }
            (Ok(_), None) => {
                self.mode = LockMode::Exclusive;
                self.release(None, None, None, cx);
            }
            (Err(fault), ticket) => {
                cx.record(&self.resource, Change::Unwanted);
                if let Some(ticket) = ticket {
                    cx.fail(ticket, fault);
                }
            }
        }
    }

    fn switched_global(
        &mut self,
        ticket: Option<Ticket>,
        enable: bool,
        answer: Answer,
        cx: &mut Context<'_>,
    ) {
        if answer.is_ok() {
            cx.learn_global(if enable { GlobalLease::Enabled } else { GlobalLease::Disabled });
            if !enable {
                self.refuse_locks(ResultCode::CANCELED, cx);
            }
        }
        if self.mode == LockMode::Exclusive {
            let code = answer.map_or_else(|fault| fault.code, |_| ResultCode::OK);
            self.release(None, ticket.map(|ticket| (ticket, code)), None, cx);
        } else {
            conclude(ticket, answer, cx);
        }
    }
}

/// Tells whoever waits for it what came of a call.
fn conclude(ticket: Option<Ticket>, answer: Answer, cx: &mut Context<'_>) {
    let Some(ticket) = ticket else { return };
    match answer {
        Ok(_) => cx.answer(ticket, ResultCode::OK),
        Err(fault) => cx.fail(ticket, fault),
    }
}
