//! The lock of an earlier life: how it is taken over, who keeps it, and when it is given back.

use std::sync::Arc;
use std::time::Duration;

use lvmwarden_protocol::lock::{LockMode, ResultCode};

use super::{Act, Adopting, Holder, Key, LockTable, Look, Request, Unadopted, Wish};
use crate::roles::lock::lock_manager::{Acquire, Adopt, Fault};
use crate::roles::lock::lockspace::ask::{Client, ClientId};
use crate::roles::lock::lockspace::desk::Context;
use crate::roles::lock::lockspace::event::{Answer, Call, Effect, Notice};
use crate::roles::lock::lockspace::orphan::Orphan;
use crate::roles::lock::lockspace::record::{Change, Claim, HolderRecord};

/// The longest wait before an adoption that has failed is tried again; the first one is a second.
const LONGEST_WAIT: Duration = Duration::from_secs(64);

impl LockTable {
    /// Asks the lock manager for the lock of an earlier life; it is given back unless somebody needs it.
    pub(in crate::roles::lock::lockspace) fn adopt(&mut self, orphan: Orphan, cx: &mut Context<'_>) {
        let mode = orphan.mode;
        self.try_adopting(Adopting { orphan, mode, is_second_try: false, failed: 0 }, cx);
    }

    /// Takes over a lock of an earlier life as somebody has decided, unless it is being taken over.
    pub(in crate::roles::lock::lockspace) fn settle(&mut self, orphan: Orphan, cx: &mut Context<'_>) {
        if self.underway.is_none() && self.closing.is_none() && self.holders.is_empty() {
            self.unadopted = None;
            self.adopt(orphan, cx);
        }
    }

    /// Takes over the lock of an earlier life that an earlier actor of this one has adopted already.
    pub(in crate::roles::lock::lockspace) fn inherit(
        &mut self,
        orphan: &Orphan,
        mode: LockMode,
        cx: &mut Context<'_>,
    ) {
        self.mode = mode;
        cx.desk.adoption.count(orphan.is_kept());
        self.take_over(mode, orphan, cx);
    }

    fn try_adopting(&mut self, adopting: Adopting, cx: &mut Context<'_>) {
        let lv_args = Arc::clone(&adopting.orphan.lv_args);
        let how = Acquire { lv_args, adopt: Adopt::Only, repair: false };
        let call = Call::Acquire(self.resource.clone(), adopting.mode, how);
        self.call(Act::Adopting(adopting), call, cx);
    }

    pub(super) fn adopted(&mut self, adopting: Adopting, answer: Answer, cx: &mut Context<'_>) {
        let Adopting { orphan, mode, is_second_try, failed } = adopting;
        let Err(fault) = answer else {
            self.mode = mode;
            let resource = self.resource.clone();
            cx.tell(Notice::Adopted { resource, mode, released: !orphan.is_kept() });
            cx.desk.adoption.count(orphan.is_kept());
            self.take_over(mode, &orphan, cx);
            return;
        };
        match fault.code {
            ResultCode::ADOPT_RETRY if !is_second_try => {
                let mode = other_mode(mode);
                self.try_adopting(Adopting { orphan, mode, is_second_try: true, failed }, cx);
            }
            ResultCode::ADOPT_NONE => {
                cx.record(&self.resource, Change::Forgotten);
                if orphan.kept.iter().any(HolderRecord::is_persistent) {
                    self.tell_unadopted(fault, &orphan, failed, cx);
                }
            }
            _not_to_be_had_now => {
                self.tell_unadopted(fault.clone(), &orphan, failed, cx);
                let again = cx.now + (Duration::from_secs(1) * 2_u32.pow(failed.min(6))).min(LONGEST_WAIT);
                cx.wake_at(again);
                self.unadopted = Some(Unadopted { orphan, failed: failed + 1, fault, again });
            }
        }
    }

    fn tell_unadopted(&self, fault: Fault, orphan: &Orphan, failed: u32, cx: &mut Context<'_>) {
        if failed == 0 {
            cx.desk.adoption.failed += usize::from(orphan.is_kept());
            cx.tell(Notice::NotAdopted { resource: self.resource.clone(), fault, needed: orphan.is_kept() });
        }
    }

    /// Tries again to take over what could not be; whoever wants the lock meanwhile is refused.
    pub(super) fn adopt_again(&mut self, cx: &mut Context<'_>) {
        let Some(unadopted) = &mut self.unadopted else { return };
        for request in std::mem::take(&mut self.queue) {
            if let Wish::Unlock { persistent, .. } = request.wish {
                unadopted.orphan.let_go(Key::new(persistent, request.client.id).0);
            }
            cx.fail(request.ticket, unadopted.fault.clone());
        }
        if self.underway.is_some() {
            return;
        }
        match self.unadopted.take_if(|unadopted| unadopted.again <= cx.now) {
            Some(Unadopted { orphan, failed, .. }) => {
                let mode = orphan.mode;
                self.try_adopting(Adopting { orphan, mode, is_second_try: false, failed }, cx);
            }
            None => cx.wake_at(self.unadopted.as_ref().map_or(cx.now, |unadopted| unadopted.again)),
        }
    }

    fn take_over(&mut self, mode: LockMode, orphan: &Orphan, cx: &mut Context<'_>) {
        if !orphan.is_kept() {
            // The value block was not read: nothing is written over it.
            self.release(None, None, None, cx);
            return;
        }
        for holder in &orphan.kept {
            cx.record(&self.resource, Change::Held { mode, holder: holder.clone() });
            self.holders.push(Holder::remembered(mode, holder, cx.now));
        }
        for holder in &orphan.reliers {
            cx.record(&self.resource, Change::Relied { holder: holder.clone() });
            self.reliers.push(Client::remembered(holder));
        }
        for &client in &orphan.gone {
            cx.record(&self.resource, Change::Released { client });
            cx.record(&self.resource, Change::LetGo { client });
        }
        self.ask_for_use(cx);
    }

    /// Takes in that a client was told that somebody else's persistent lock is as good as its own.
    pub(super) fn rely(&mut self, request: &Request, cx: &mut Context<'_>) {
        if self.holder(Key::PERSISTENT).is_none()
            || self.reliers.iter().any(|client| client.id == request.client.id)
        {
            return;
        }
        self.reliers.push(Arc::clone(&request.client));
        self.asks_for_use = self.asks_for_use.map(|_| Look::TooEarly);
        let holder = HolderRecord { client: request.client.id.0, ..request.holder_record() };
        cx.record(&self.resource, Change::Relied { holder });
    }

    /// Takes in that a client needs no lock any more that is not its own.
    pub(super) fn let_go(&mut self, client: ClientId, cx: &mut Context<'_>) {
        if let Some(Act::Adopting(adopting)) = self.underway.as_mut().map(|underway| &mut underway.act) {
            adopting.orphan.let_go(client.0);
        }
        if let Some(unadopted) = &mut self.unadopted {
            unadopted.orphan.let_go(client.0);
        }
        if let Some(at) = self.reliers.iter().position(|relier| relier.id == client) {
            self.reliers.remove(at);
            cx.record(&self.resource, Change::LetGo { client: client.0 });
            self.ask_for_use(cx);
        }
    }

    /// Has it asked whether the LV is active, where that decides about its lock.
    pub(super) fn ask_for_use(&mut self, cx: &mut Context<'_>) {
        let is_on_probation =
            self.holder(Key::PERSISTENT).is_some_and(|holder| holder.claim == Claim::OnProbation);
        if is_on_probation && self.reliers.is_empty() && self.asks_for_use.is_none() {
            self.asks_for_use = Some(Look::Counts);
            cx.effects.push(Effect::AskForUse(self.resource.clone()));
        }
    }

    /// Takes in whether the LV is active: its lock stays then, whoever has asked for it; otherwise it is given back, if
    /// nobody has come meanwhile who relies on it.
    pub(in crate::roles::lock::lockspace) fn is_used(&mut self, is_active: bool, cx: &mut Context<'_>) {
        let look = self.asks_for_use.take();
        let Some(holder) =
            self.holders.iter_mut().find(|holder| holder.persistent && holder.claim == Claim::OnProbation)
        else {
            return;
        };
        if is_active {
            holder.claim = Claim::Inherited;
            let (mode, holder) = (holder.mode, HolderRecord::from(&*holder));
            cx.record(&self.resource, Change::Held { mode, holder });
        } else if look == Some(Look::TooEarly) {
            self.ask_for_use(cx);
        } else if self.reliers.is_empty() {
            holder.gone = true;
            self.pass(cx);
        }
    }

    /// A process that asks on a new connection has what it had on that of an earlier life.
    pub(super) fn reclaim(&mut self, client: &Arc<Client>, cx: &mut Context<'_>) {
        if client.process.is_none() {
            return;
        }
        let is_same = |holder: &&mut Holder| {
            let is_earlier = holder.claim != Claim::Asked && !holder.persistent;
            is_earlier && holder.client.id != client.id && holder.client.process == client.process
        };
        let Some(holder) = self.holders.iter_mut().find(is_same) else { return };
        let before = std::mem::replace(&mut holder.client, Arc::clone(client));
        holder.claim = Claim::Asked;
        let (mode, holder) = (holder.mode, HolderRecord::from(&*holder));
        cx.record(&self.resource, Change::Held { mode, holder });
        cx.record(&self.resource, Change::Released { client: before.id.0 });
    }
}

/// Returns the other of the two modes in which a lock can be held.
fn other_mode(mode: LockMode) -> LockMode {
    if mode == LockMode::Exclusive { LockMode::Shared } else { LockMode::Exclusive }
}
