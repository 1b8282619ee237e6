//! Finds the lockspace that a request is for, above all for the global lock.

use std::sync::Arc;

use lvmwarden_protocol::ids::VgName;
use lvmwarden_protocol::lock::{LockMode, LockType, RequestedType, ResultCode, ResultFlags};

use super::Session;
use crate::roles::lock::directory::{Question, job, lockspace_of};
use crate::roles::lock::global::{Effort, GLOBAL_LOCKSPACE, Route};
use crate::roles::lock::lock_manager::GlobalLease;
use crate::roles::lock::lockspace::ask::{Ask, LockAsk, Reply};

/// A lockspace's answer, and the type of its locks.
pub(super) struct Routed {
    pub(super) reply: Reply,
    pub(super) lock_type: RequestedType,
}

impl Session<'_> {
    /// Makes a question of this client.
    pub(super) fn question(&self, lock_type: RequestedType) -> Question {
        let environment = self.service.directory.environment();
        Question {
            ticket: environment.tickets.next(),
            client: Arc::clone(&self.client.borrow()),
            lock_type: lock_type.known(),
        }
    }

    /// Asks a VG's lockspace.
    pub(super) async fn ask_vg(&self, vg: &VgName, lock_type: RequestedType, ask: Ask) -> Routed {
        self.ask_lockspace(&lockspace_of(vg), lock_type, ask).await
    }

    async fn ask_lockspace(&self, lockspace: &str, said: RequestedType, ask: Ask) -> Routed {
        let directory = &self.service.directory;
        let question = self.question(said);
        if let Ask::Lock(LockAsk { mode: Some(LockMode::Shared | LockMode::Exclusive), .. }) = ask {
            self.meet(lockspace);
            self.last.replace(Some((question.ticket, Arc::from(lockspace))));
        }
        let type_of = || {
            let book = directory.environment().book.open();
            book.get(lockspace).map(|booked| RequestedType::Type(booked.started.lock_type))
        };
        let lock_type = match said {
            RequestedType::None => type_of().unwrap_or_default(),
            RequestedType::Type(_) | RequestedType::Unknown => said,
        };
        let reply = directory.ask(lockspace, question.with(ask)).await;
        let reply = match reply {
            Some(_) if said == RequestedType::Unknown => Reply::of(ResultCode::INVALID),
            Some(reply) => reply,
            None => return Routed { reply: Reply::of(ResultCode::NO_LOCKSPACE), lock_type: said },
        };
        Routed { reply, lock_type }
    }

    /// From now on the lockspace is told when this client leaves.
    fn meet(&self, lockspace: &str) {
        let mut met = self.met.borrow_mut();
        if !met.iter().any(|known| &**known == lockspace) {
            met.push(Arc::from(lockspace));
        }
    }

    /// Asks whichever lockspace serves the global lock.
    pub(super) async fn lock_global(&self, lock_type: RequestedType, lock: LockAsk) -> Routed {
        let directory = &self.service.directory;
        let rules = || directory.environment().global.rules();
        let refused = || Routed { reply: Reply::of(ResultCode::NO_LOCKSPACE), lock_type };
        let mut effort = Effort::default();
        loop {
            // Not in the head of the match: the rules stay locked until its end.
            let route = rules().route(lock.mode, effort);
            match route {
                Route::To(lockspace) => {
                    let ask = Ask::Lock(lock.clone());
                    let routed = self.ask_lockspace(&lockspace, RequestedType::None, ask).await;
                    let is_found = routed.reply.code != ResultCode::NO_LOCKSPACE;
                    if is_found || effort.searched || &*lockspace == GLOBAL_LOCKSPACE {
                        return routed;
                    }
                    // It is disabled on disk, or was stopped a moment ago: another VG may have it.
                    rules().learned(&lockspace, GlobalLease::Disabled);
                }
                Route::Start => {
                    let reply = directory.start_global(&self.question(lock_type)).await;
                    if !reply.code.is_ok() {
                        return Routed { reply, lock_type };
                    }
                }
                Route::Probe => {
                    effort.probed = true;
                    let running = self.running_managers().await;
                    rules().probed(&running);
                }
                Route::Search(lockspaces) => {
                    effort.searched = true;
                    self.search_global(&lockspaces).await;
                }
                Route::Refused => return refused(),
            }
        }
    }

    /// Has lockspaces look whether their global lock is enabled, until one is.
    async fn search_global(&self, lockspaces: &[Arc<str>]) {
        for lockspace in lockspaces {
            let sanlock = RequestedType::Type(LockType::Sanlock);
            let found = self.ask_lockspace(lockspace, sanlock, Ask::ReadGlobal).await;
            if found.reply.code.is_ok() {
                let mut rules = self.service.directory.environment().global.rules();
                rules.learned(lockspace, GlobalLease::Enabled);
                return;
            }
        }
    }

    /// Returns the lock managers that can be used now.
    pub(super) async fn running_managers(&self) -> Vec<LockType> {
        let environment = self.service.directory.environment();
        let managers: Vec<_> = environment.managers.all().cloned().collect();
        if environment.managers.is_inline() {
            return environment.global.rules().lock_type().into_iter().collect();
        }
        let running = job("look for lock managers", move || {
            Ok(managers
                .iter()
                .filter(|manager| manager.probe().is_ok())
                .map(|manager| manager.lock_type())
                .collect())
        });
        running.await.unwrap_or_default()
    }

    /// Returns the flags that go with `code`, beside those of the lockspace.
    pub(super) async fn flags(&self, code: ResultCode) -> ResultFlags {
        let rules = || self.service.directory.environment().global.rules();
        let asks_managers = code == ResultCode::NO_LOCKSPACE && rules().lock_type().is_none();
        let a_manager_runs = !asks_managers || !self.running_managers().await.is_empty();
        rules().flags(code, a_manager_runs)
    }
}
