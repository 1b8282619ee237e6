//! From the first request until locks are served.

use std::collections::BTreeMap;

use lvmwarden_protocol::lock::{LockMode, ResultCode};

use super::{Earlier, Life, Machine, Standing};
use crate::roles::lock::lock_manager::{Adopt, Fault, GlobalLease, Leave, Prepared, Resource};
use crate::roles::lock::lockspace::ask::{Ask, Asked, Reply, StartAsk, Ticket};
use crate::roles::lock::lockspace::desk::{Context, Purpose};
use crate::roles::lock::lockspace::event::{Answer, Call, Effect, End, Notice, Outcome};
use crate::roles::lock::lockspace::lock_table::LockTable;
use crate::roles::lock::lockspace::orphan::Orphan;
use crate::roles::lock::lockspace::picture::Stage;

/// A start that is under way.
#[derive(Debug)]
pub(super) struct Starting {
    how: StartAsk,
    /// Who asked for it, until answered.
    pub(super) ticket: Option<Ticket>,
    previous_generation: u32,
    /// Stops and lock requests that wait for its end, in the order of their arrival.
    pub(super) waiting: Vec<Asked>,
    /// Locks of an earlier life that are taken over; taken when that begins. `None` where they are in the way.
    pub(super) orphans: Option<Vec<Orphan>>,
    /// Those that an earlier actor has taken over already.
    pub(super) held: BTreeMap<Resource, LockMode>,
    /// The lock manager is still to tell what else an earlier life has left behind.
    pub(super) is_listing: bool,
    /// All lock requests wait, as those of an earlier life are taken over.
    is_recovery: bool,
}

impl Starting {
    fn by_client(how: StartAsk, ticket: Ticket) -> Self {
        let orphans = (how.adopt != Adopt::No).then(Vec::new);
        Self { ticket: Some(ticket), orphans, is_recovery: false, ..Self::by_recovery(Vec::new(), how) }
    }

    fn by_recovery(orphans: Vec<Orphan>, how: StartAsk) -> Self {
        Self {
            how,
            ticket: None,
            previous_generation: 0,
            waiting: Vec::new(),
            orphans: Some(orphans),
            held: BTreeMap::new(),
            is_listing: how.adopt != Adopt::No,
            is_recovery: true,
        }
    }
}

impl Machine {
    pub(super) fn begin(&mut self, asked: &Asked, cx: &mut Context<'_>) {
        let Ask::Start(how) = asked.ask else {
            cx.answer(asked.ticket, ResultCode::NO_LOCKSPACE);
            return;
        };
        self.prepare(Starting::by_client(how, asked.ticket), cx);
    }

    pub(super) fn start_adopting(&mut self, orphans: Vec<Orphan>, cx: &mut Context<'_>) {
        let how = StartAsk { adopt: Adopt::IfThere, ..StartAsk::default() };
        self.prepare(Starting::by_recovery(orphans, how), cx);
    }

    fn prepare(&mut self, starting: Starting, cx: &mut Context<'_>) {
        cx.call(Purpose::Prepare, Call::Prepare { repair: starting.how.repair });
        self.life = Life::Starting(Box::new(starting));
    }

    pub(super) fn resume(&mut self, standing: Standing, earlier: Earlier<'_>, cx: &mut Context<'_>) {
        let Earlier { remembered, held, orphans } = earlier;
        self.life = Life::Running;
        self.killed = standing.killed;
        for (resource, lock) in remembered.locks().filter(|(_, lock)| !lock.is_orphan) {
            self.with_lock(resource, cx, |table, cx| table.resume(lock, cx));
        }
        let is_orphan = |orphan: &&Orphan| {
            remembered.locks().any(|(resource, lock)| *resource == orphan.resource && lock.is_orphan)
        };
        let is_recovery = orphans.is_some() || remembered.locks().next().is_some();
        let orphans: Vec<_> = orphans.into_iter().flatten().filter(is_orphan).cloned().collect();
        match standing.stage {
            Stage::Starting if is_recovery => {
                let how = StartAsk { adopt: Adopt::IfThere, ..StartAsk::default() };
                self.prepare(Starting { held: held.clone(), ..Starting::by_recovery(orphans, how) }, cx);
            }
            Stage::Running => {
                for orphan in orphans {
                    let resource = orphan.resource.clone();
                    self.with_lock(&resource, cx, |table, cx| table.adopt(orphan, cx));
                }
                if standing.is_unlisted {
                    self.list_unknown(cx);
                }
            }
            Stage::New | Stage::Starting | Stage::Stopping | Stage::Finished | Stage::Failed => {
                self.stop(Vec::new(), Leave::Keep, false, cx);
            }
        }
    }

    pub(super) fn ask_while_starting(&mut self, asked: Asked, cx: &mut Context<'_>) {
        let Life::Starting(starting) = &mut self.life else { return };
        match &asked.ask {
            Ask::Stop(_) => starting.waiting.push(asked),
            // Whoever starts it hears when it is taken over.
            Ask::Start(how) if starting.is_recovery && starting.ticket.is_none() => {
                (starting.ticket, starting.how.wait) = (Some(asked.ticket), how.wait);
            }
            Ask::Lock(lock) if lock.waits_for_start || starting.is_recovery => starting.waiting.push(asked),
            _ => cx.answer(asked.ticket, ResultCode::STARTING),
        }
    }

    pub(super) fn prepared(&mut self, answer: Answer, cx: &mut Context<'_>) {
        let Life::Starting(starting) = &mut self.life else { return };
        let Prepared { global, previous_generation, is_left_behind } = match answer {
            Ok(Outcome::Prepared(prepared)) => prepared,
            Ok(_) => Prepared { global: GlobalLease::Absent, previous_generation: 0, is_left_behind: false },
            Err(fault) => return self.fail_start(fault, cx),
        };
        starting.previous_generation = previous_generation;
        let StartAsk { wait, adopt, nodelay, .. } = starting.how;
        if is_left_behind && adopt == Adopt::No {
            // To say that it starts, and find out later that it does not, would leave a VG that looks started.
            return self.fail_start(left_behind(), cx);
        }
        let told = if wait || starting.is_recovery { None } else { starting.ticket.take() };
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
        // A list that comes late finds it in another state, which it must not end.
        let is_over = matches!(&self.life, Life::Starting(starting) if !starting.is_listing);
        if !is_over || self.locks().any(LockTable::is_returning) {
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
            let needed = orphan.is_kept();
            cx.tell(Notice::NotAdopted { resource: orphan.resource, fault: fault.clone(), needed });
        }
        cx.tell(Notice::StartFailed(fault.clone()));
        self.fault = Some(fault.clone());
        cx.learn_global(GlobalLease::Absent);
        let is_there = starting.is_recovery || matches!(fault.code, ResultCode::EXISTS | ResultCode::ORPHAN);
        cx.effects.push(Effect::Gone(if is_there { End::LeftAsItIs } else { End::NotIn }));
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

fn left_behind() -> Fault {
    let text = "join the lockspace: an earlier daemon has left it behind with its locks, which are adopted with --adopt 1 or \
                --lockopt adopt";
    Fault::new(ResultCode::ORPHAN, text)
}
