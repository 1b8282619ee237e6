//! How a lockspace is left.

use lvmwarden_protocol::lock::ResultCode;

use super::{Life, Machine};
use crate::roles::lock::lock_manager::{Fault, GlobalLease, Leave};
use crate::roles::lock::lockspace::ask::Ticket;
use crate::roles::lock::lockspace::desk::{Context, Purpose};
use crate::roles::lock::lockspace::event::{Answer, Call, Effect, End, Notice};
use crate::roles::lock::lockspace::lock_table::{Closing, LockTable};

/// An end that is under way.
#[derive(Debug)]
pub(super) struct Stopping {
    /// Who asked for it, until answered.
    tickets: Vec<Ticket>,
    how: Leave,
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// The locks are given back.
    Closing,
    Leaving,
    /// It could not be left: the locks are taken again.
    Returning(Fault),
}

impl Machine {
    /// Begins to leave. `keep`: the holders of locks get them back where that fails.
    pub(super) fn stop(&mut self, tickets: Vec<Ticket>, how: Leave, keep: bool, cx: &mut Context<'_>) {
        self.life = Life::Stopping(Box::new(Stopping { tickets, how, step: Step::Closing }));
        let closing = Closing::new(how == Leave::Destroy, keep);
        self.global_lock.close(closing, cx);
        self.vg_lock.close(closing, cx);
        for table in self.lv_locks.values_mut() {
            table.close(closing, cx);
        }
        if self.locks().any(LockTable::is_stuck) {
            self.answer_stop(cx);
        }
        self.go_on_stopping(cx);
    }

    pub(super) fn go_on_stopping(&mut self, cx: &mut Context<'_>) {
        let Life::Stopping(stopping) = &self.life else { return };
        match &stopping.step {
            Step::Closing if self.locks().all(LockTable::is_closed) => self.leave(cx),
            Step::Returning(_) if !self.locks().any(LockTable::is_returning) => self.serve_again(cx),
            Step::Closing | Step::Leaving | Step::Returning(_) => {}
        }
    }

    fn leave(&mut self, cx: &mut Context<'_>) {
        let Life::Stopping(stopping) = &mut self.life else { return };
        stopping.step = Step::Leaving;
        cx.call(Purpose::Leave, Call::Leave(stopping.how));
    }

    pub(super) fn left(&mut self, answer: Answer, cx: &mut Context<'_>) {
        let Life::Stopping(stopping) = &mut self.life else { return };
        if let Err(fault) = answer {
            cx.tell(Notice::LeaveFailed(fault.clone()));
            self.fault = Some(fault.clone());
            stopping.step = Step::Returning(fault);
            self.each_lock(cx, LockTable::reopen);
            self.go_on_stopping(cx);
            return;
        }
        let tickets = std::mem::take(&mut stopping.tickets);
        self.life = Life::Finished;
        self.global_lock.bury(cx);
        self.vg_lock.bury(cx);
        self.lv_locks.values_mut().for_each(|table| table.bury(cx));
        cx.tell(Notice::Stopped);
        cx.learn_global(GlobalLease::Absent);
        cx.effects.push(Effect::Gone(End::NotIn));
        for ticket in tickets {
            cx.answer(ticket, ResultCode::OK);
        }
        self.each_lock(cx, |table, cx| table.refuse_all(ResultCode::NO_LOCKSPACE, cx));
    }

    fn serve_again(&mut self, cx: &mut Context<'_>) {
        let Life::Stopping(stopping) = std::mem::replace(&mut self.life, Life::Running) else { return };
        let Step::Returning(fault) = stopping.step else { return };
        for ticket in stopping.tickets {
            cx.fail(ticket, fault.clone());
        }
    }

    /// Whoever waits for an end that waits for a silent lock manager is told; the end comes when it comes.
    pub(super) fn answer_stop(&mut self, cx: &mut Context<'_>) {
        let Life::Stopping(stopping) = &mut self.life else { return };
        for ticket in std::mem::take(&mut stopping.tickets) {
            cx.answer(ticket, ResultCode::LOCK_IO);
        }
    }
}
