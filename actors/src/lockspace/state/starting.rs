//! From the first request until locks are served.

use lvmwarden_protocol::lock::ResultCode;

use super::{Life, Machine, Orphan, Standing};
use crate::lockspace::ask::{Ask, Asked, Reply, StartAsk, Ticket};
use crate::lockspace::desk::{Context, Purpose};
use crate::lockspace::event::{Answer, Call, Effect, Notice, Outcome};
use crate::lockspace::lock_manager::{Adopt, Fault, GlobalLease, Leave, Prepared};
use crate::lockspace::lock_table::LockTable;
use crate::lockspace::picture::Stage;
use crate::lockspace::record::Remembered;

/// A start that is under way.
#[derive(Debug)]
pub(super) struct Starting {
    how: StartAsk,
    /// Who asked for it, until answered.
    pub(super) ticket: Option<Ticket>,
    previous_generation: u32,
    /// Stops and lock requests that wait for its end, in the order of their arrival.
    pub(super) waiting: Vec<Asked>,
    /// Locks of an earlier life, where it is a start by recovery; taken when their adoption begins.
    pub(super) orphans: Option<Vec<Orphan>>,
    /// All lock requests wait, as those of an earlier life are taken over.
    is_recovery: bool,
}

impl Starting {
    fn new(how: StartAsk, ticket: Option<Ticket>, orphans: Option<Vec<Orphan>>) -> Self {
        let is_recovery = orphans.is_some();
        Self { how, ticket, previous_generation: 0, waiting: Vec::new(), orphans, is_recovery }
    }
}

impl Machine {
    pub(super) fn begin(&mut self, asked: &Asked, cx: &mut Context<'_>) {
        let Ask::Start(how) = asked.ask else {
            cx.answer(asked.ticket, ResultCode::NO_LOCKSPACE);
            return;
        };
        self.prepare(Starting::new(how, Some(asked.ticket), None), cx);
    }

    pub(super) fn start_adopting(&mut self, orphans: Vec<Orphan>, cx: &mut Context<'_>) {
        let how = StartAsk { adopt: Adopt::IfThere, ..StartAsk::default() };
        self.prepare(Starting::new(how, None, Some(orphans)), cx);
    }

    fn prepare(&mut self, starting: Starting, cx: &mut Context<'_>) {
        cx.call(Purpose::Prepare, Call::Prepare { repair: starting.how.repair });
        self.life = Life::Starting(Box::new(starting));
    }

    pub(super) fn resume(&mut self, standing: Standing, remembered: &Remembered, cx: &mut Context<'_>) {
        self.life = Life::Running;
        self.killed = standing.killed;
        for (resource, lock) in remembered.locks() {
            self.with_lock(resource, cx, |table, cx| table.resume(lock, cx));
        }
        if standing.stage != Stage::Running {
            self.stop(Vec::new(), Leave::Keep, false, cx);
        }
    }

    pub(super) fn ask_while_starting(&mut self, asked: Asked, cx: &mut Context<'_>) {
        let Life::Starting(starting) = &mut self.life else { return };
        match &asked.ask {
            Ask::Stop(_) => starting.waiting.push(asked),
            Ask::Lock(lock) if lock.waits_for_start || starting.is_recovery => starting.waiting.push(asked),
            _ => cx.answer(asked.ticket, ResultCode::STARTING),
        }
    }

    pub(super) fn prepared(&mut self, answer: Answer, cx: &mut Context<'_>) {
        let Life::Starting(starting) = &mut self.life else { return };
        let Prepared { global, previous_generation } = match answer {
            Ok(Outcome::Prepared(prepared)) => prepared,
            Ok(_) => Prepared { global: GlobalLease::Absent, previous_generation: 0 },
            Err(fault) => return self.fail_start(fault, cx),
        };
        starting.previous_generation = previous_generation;
        let StartAsk { wait, adopt, nodelay, .. } = starting.how;
        let told = if wait { None } else { starting.ticket.take() };
        if let Some(ticket) = told {
            cx.reply(ticket, Reply { previous_generation, ..Reply::of(ResultCode::OK) });
        }
        cx.learn_global(global);
        cx.call(Purpose::Join, Call::Join { adopt, nodelay });
    }

    pub(super) fn joined(&mut self, answer: Answer, cx: &mut Context<'_>) {
        match answer {
            Ok(outcome) => {
                if let Outcome::Joined(generation) = outcome {
                    cx.desk.generation = generation;
                }
                self.adopt_orphans(cx);
                self.go_on_adopting(cx);
            }
            Err(fault) => self.fail_start(fault, cx),
        }
    }

    /// Begins to serve, unless locks are still being adopted.
    pub(super) fn go_on_adopting(&mut self, cx: &mut Context<'_>) {
        if self.locks().any(LockTable::is_returning) {
            return;
        }
        let Life::Starting(starting) = std::mem::replace(&mut self.life, Life::Running) else { return };
        cx.tell(Notice::Started);
        if starting.is_recovery {
            let tally = cx.desk.adoption;
            cx.tell(Notice::AdoptionOver {
                held: tally.held,
                released: tally.released,
                failed: tally.failed,
            });
        }
        if let Some(ticket) = starting.ticket {
            let previous_generation = starting.previous_generation;
            cx.reply(ticket, Reply { previous_generation, ..Reply::of(ResultCode::OK) });
        }
        for asked in starting.waiting {
            self.asked(asked, cx);
        }
    }

    /// Whoever waits for a start that waits for a silent lock manager is told; it runs when it runs.
    pub(super) fn answer_start(&mut self, cx: &mut Context<'_>) {
        let Life::Starting(starting) = &mut self.life else { return };
        let waiting = std::mem::take(&mut starting.waiting).into_iter().map(|asked| asked.ticket);
        for ticket in starting.ticket.take().into_iter().chain(waiting) {
            cx.answer(ticket, ResultCode::LOCK_IO);
        }
    }

    fn fail_start(&mut self, fault: Fault, cx: &mut Context<'_>) {
        let Life::Starting(starting) = std::mem::replace(&mut self.life, Life::Failed) else { return };
        for orphan in starting.orphans.into_iter().flatten() {
            let Orphan { resource, active, .. } = orphan;
            cx.tell(Notice::NotAdopted { resource, fault: fault.clone(), active });
        }
        cx.tell(Notice::StartFailed(fault.clone()));
        self.fault = Some(fault.clone());
        cx.learn_global(GlobalLease::Absent);
        cx.effects.push(Effect::Gone);
        if let Some(ticket) = starting.ticket {
            cx.fail(ticket, fault);
        }
        for asked in starting.waiting {
            let is_stop = matches!(asked.ask, Ask::Stop(_));
            let code = if is_stop { ResultCode::OK } else { ResultCode::NO_LOCKSPACE };
            cx.answer(asked.ticket, code);
        }
    }
}
