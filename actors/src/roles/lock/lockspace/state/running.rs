//! What is asked of a lockspace that runs.

use std::sync::Arc;

use lvmwarden_protocol::ids::LvUuid;
use lvmwarden_protocol::lock::{LockMode, LockType, ResultCode, ResultFlags};

use super::Machine;
use crate::roles::lock::lock_manager::{GlobalLease, InitLv, Leave, OtherHosts, Owner, Resource};
use crate::roles::lock::lockspace::ask::{Ask, Asked, Client, LockAsk, Reply, StopRule, Ticket};
use crate::roles::lock::lockspace::desk::{Context, Purpose, Then, WithOrphans};
use crate::roles::lock::lockspace::event::{Answer, Call, Notice, Outcome};
use crate::roles::lock::lockspace::lock_table::{LockTable, Request, Wish};

impl Machine {
    pub(super) fn serve(&mut self, asked: Asked, cx: &mut Context<'_>) {
        let Asked { ticket, client, ask, .. } = asked;
        if self.killed && is_ended_by_kill(&ask) {
            cx.answer(ticket, ResultCode::VG_KILLED);
            return;
        }
        match ask {
            Ask::Start(_) => cx.answer(ticket, ResultCode::EXISTS),
            Ask::Stop(rule) => self.ask_to_stop(ticket, rule, cx),
            Ask::Lock(ask) => self.lock(ticket, client, ask, cx),
            Ask::VgUpdate { version, next } => {
                self.wish(&Resource::Vg, ticket, client, Wish::Update { version, next }, cx);
            }
            Ask::Query(resource) => {
                let mode = Some(self.mode(&resource));
                cx.reply(ticket, Reply { mode, ..Reply::of(ResultCode::OK) });
            }
            Ask::FindFreeLock { size_bytes } => {
                cx.call(Purpose::FindFreeLock(Some(ticket)), Call::FindFreeLock { size_bytes });
            }
            Ask::InitLv(request) => init_lv(ticket, request, cx),
            Ask::FreeLv { uuid, args } => {
                self.wish(&Resource::Lv(uuid), ticket, client, Wish::FreeLv { args }, cx);
            }
            Ask::EnableGlobal => self.switch_global(ticket, client, true, false, cx),
            Ask::DisableGlobal { exclusive } => self.switch_global(ticket, client, false, exclusive, cx),
            Ask::ReadGlobal => {
                cx.call(Purpose::ReadGlobal(Some(ticket)), Call::ReadGlobal);
            }
            Ask::Busy => count_hosts(ticket, Then::Nothing, cx),
            Ask::Free => self.ask_to_end(ticket, Leave::Destroy, cx),
            Ask::RenameBefore => self.ask_to_end(ticket, Leave::Keep, cx),
            // The second step is not served: the first one would leave the VG stopped.
            Ask::SetLockArgsBefore => cx.answer(ticket, ResultCode::NOT_SUPPORTED),
            Ask::Kill => self.kill(ticket, cx),
            Ask::Drop => self.stop(vec![ticket], Leave::Keep, false, cx),
            Ask::Status => self.tell_status(ticket, cx),
            Ask::Orphans => list_orphans(ticket, WithOrphans::Tell, cx),
            Ask::Settle { which, keep } => list_orphans(ticket, WithOrphans::Settle { which, keep }, cx),
        }
    }

    fn ask_to_stop(&mut self, ticket: Ticket, rule: StopRule, cx: &mut Context<'_>) {
        let is_in_use = match rule {
            StopRule::UnlessLvLocks => self.holds_lv_locks(),
            StopRule::UnlessLocks => self.locks().any(LockTable::is_held),
            StopRule::Anyway => false,
        };
        if is_in_use {
            cx.answer(ticket, ResultCode::BUSY);
        } else {
            self.stop(vec![ticket], Leave::Keep, rule != StopRule::Anyway, cx);
        }
    }

    /// Begins to end the lockspace, as its VG is removed or renamed: nothing is changed before it is known that nothing
    /// forbids it, neither a lock of an LV, nor another host, nor a lock of an earlier daemon.
    fn ask_to_end(&self, ticket: Ticket, how: Leave, cx: &mut Context<'_>) {
        if self.holds_lv_locks() {
            cx.answer(ticket, ResultCode::BUSY);
        } else {
            count_hosts(ticket, Then::End(how), cx);
        }
    }

    fn lock(&mut self, ticket: Ticket, client: Arc<Client>, ask: LockAsk, cx: &mut Context<'_>) {
        let wish = match ask.mode {
            None | Some(LockMode::Null) => return cx.answer(ticket, ResultCode::INVALID),
            Some(LockMode::Unlocked) if !self.knows(&ask.resource) => {
                return cx.answer(ticket, ResultCode::NOT_FOUND);
            }
            Some(LockMode::Unlocked) => {
                let resource = ask.resource;
                let wish = Wish::Unlock { persistent: ask.persistent, cancel: ask.unlock_cancel };
                return self.wish(&resource, ticket, client, wish, cx);
            }
            Some(mode @ (LockMode::Shared | LockMode::Exclusive)) => Wish::Lock(mode, ask),
        };
        let Wish::Lock(_, ask) = &wish else { return };
        let resource = ask.resource.clone();
        self.wish(&resource, ticket, client, wish, cx);
    }

    fn wish(
        &mut self,
        resource: &Resource,
        ticket: Ticket,
        client: Arc<Client>,
        wish: Wish,
        cx: &mut Context<'_>,
    ) {
        let request = Request::new(ticket, client, cx.now, wish);
        self.with_lock(resource, cx, |table, cx| table.ask(request, cx));
    }

    fn switch_global(
        &mut self,
        ticket: Ticket,
        client: Arc<Client>,
        enable: bool,
        exclusive: bool,
        cx: &mut Context<'_>,
    ) {
        if self.spec.lock_type == LockType::Sanlock {
            self.wish(&Resource::Global, ticket, client, Wish::SwitchGlobal { enable, exclusive }, cx);
        } else {
            cx.answer(ticket, ResultCode::INVALID);
        }
    }

    fn kill(&mut self, ticket: Ticket, cx: &mut Context<'_>) {
        if !self.killed {
            self.killed = true;
            cx.tell(Notice::Killed);
        }
        cx.answer(ticket, ResultCode::OK);
        self.each_lock(cx, |table, cx| table.refuse_locks(ResultCode::VG_KILLED, cx));
    }

    fn tell_status(&self, ticket: Ticket, cx: &mut Context<'_>) {
        let owner = Owner {
            host_id: self.spec.host_id,
            generation: cx.desk.generation,
            timestamp: 0,
            state: "LIVE".to_owned(),
            name: String::new(),
        };
        cx.reply(ticket, Reply { owner: Some(Box::new(owner)), ..Reply::of(ResultCode::OK) });
    }

    /// Where there are no other hosts the request goes on, if nothing has ended the lockspace meanwhile.
    pub(super) fn hosts_counted(
        &mut self,
        ticket: Option<Ticket>,
        then: Then,
        answer: Answer,
        cx: &mut Context<'_>,
    ) {
        let Some(ticket) = ticket else { return };
        let hosts = match answer {
            Ok(Outcome::Hosts(hosts)) => hosts,
            Ok(_) => OtherHosts::default(),
            Err(fault) => return cx.fail(ticket, fault),
        };
        if hosts.live > 0 {
            cx.answer(ticket, ResultCode::BUSY);
        } else if hosts.unknown > 0 {
            let flags = ResultFlags::HOSTS_UNKNOWN;
            cx.reply(ticket, Reply { flags, ..Reply::of(ResultCode::BUSY) });
        } else {
            match then {
                Then::Nothing => cx.answer(ticket, ResultCode::OK),
                Then::End(_) if !self.is_running() => cx.answer(ticket, ResultCode::STOPPING),
                Then::End(how) => list_orphans(ticket, WithOrphans::End(how), cx),
            }
        }
    }

    pub(super) fn concluded(ticket: Option<Ticket>, answer: Answer, cx: &mut Context<'_>) {
        let Some(ticket) = ticket else { return };
        match answer {
            Ok(_) => cx.answer(ticket, ResultCode::OK),
            Err(fault) => cx.fail(ticket, fault),
        }
    }

    /// A lease that was made after its client was told that it was not is given back.
    pub(super) fn lv_initialized(ticket: Option<Ticket>, uuid: LvUuid, answer: Answer, cx: &mut Context<'_>) {
        match (answer, ticket) {
            (Ok(Outcome::Args(args)), Some(ticket)) => {
                let lv_args = Some(args.into_boxed_str());
                cx.reply(ticket, Reply { lv_args, ..Reply::of(ResultCode::OK) });
            }
            (Ok(Outcome::Args(args)), None) => {
                cx.call(Purpose::UndoInitLv, Call::FreeLv { uuid, args: args.into() });
            }
            (answer, ticket) => Self::concluded(ticket, answer, cx),
        }
    }

    pub(super) fn global_read(ticket: Option<Ticket>, answer: Answer, cx: &mut Context<'_>) {
        if let Ok(Outcome::Global(lease)) = answer {
            cx.learn_global(lease);
        }
        let Some(ticket) = ticket else { return };
        match answer {
            Ok(Outcome::Global(GlobalLease::Enabled)) => cx.answer(ticket, ResultCode::OK),
            Ok(_) => cx.answer(ticket, ResultCode::NO_LOCKSPACE),
            Err(fault) => cx.fail(ticket, fault),
        }
    }
}

fn init_lv(ticket: Ticket, request: Box<InitLv>, cx: &mut Context<'_>) {
    let uuid = request.lv_uuid;
    cx.call(Purpose::InitLv { ticket: Some(ticket), uuid }, Call::InitLv(request));
}

fn count_hosts(ticket: Ticket, then: Then, cx: &mut Context<'_>) {
    cx.call(Purpose::Hosts { ticket: Some(ticket), then }, Call::OtherHosts);
}

fn list_orphans(ticket: Ticket, then: WithOrphans, cx: &mut Context<'_>) {
    cx.call(Purpose::Orphans { ticket: Some(ticket), then }, Call::Orphans);
}

/// Returns whether a killed lockspace refuses this.
///
/// Source: lvm2 2.03.16, lvmlockd: what is answered -217 after `kill_vg`.
fn is_ended_by_kill(ask: &Ask) -> bool {
    match ask {
        Ask::Lock(ask) => ask.mode != Some(LockMode::Unlocked),
        Ask::EnableGlobal
        | Ask::DisableGlobal { .. }
        | Ask::ReadGlobal
        | Ask::VgUpdate { .. }
        | Ask::RenameBefore
        | Ask::Query(_)
        | Ask::FindFreeLock { .. } => true,
        Ask::Start(_)
        | Ask::Stop(_)
        | Ask::InitLv(_)
        | Ask::FreeLv { .. }
        | Ask::Busy
        | Ask::Free
        | Ask::SetLockArgsBefore
        | Ask::Kill
        | Ask::Drop
        | Ask::Orphans
        | Ask::Settle { .. }
        | Ask::Status => false,
    }
}
