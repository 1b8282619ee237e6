//! How the lock comes to a client, and how it goes back.

use std::sync::Arc;

use lvmwarden_protocol::lock::{LockMode, ResultCode, ResultFlags};

use super::{Act, Holder, Key, LockTable, Releasing, Request, Wish};
use crate::roles::lock::lock_manager::{GlobalLease, Resource, ValueBlock};
use crate::roles::lock::lockspace::ask::{Reply, Ticket};
use crate::roles::lock::lockspace::desk::{Context, Purpose};
use crate::roles::lock::lockspace::event::{Call, Notice};
use crate::roles::lock::lockspace::record::{Change, Claim, HolderRecord};
use crate::roles::lock::lockspace::value_block::{self, Reading};

impl LockTable {
    /// Asks the lock manager for what the request at this place wants.
    pub(super) fn acquire(&mut self, at: usize, mode: LockMode, cx: &mut Context<'_>) {
        let request = &self.queue[at];
        let (ticket, how) = (request.ticket, request.how());
        cx.record(&self.resource, Change::Wanted { mode, holder: request.holder_record() });
        let call = Call::Acquire(self.resource.clone(), mode, how);
        self.call(Act::Acquiring { ticket, mode }, call, cx);
    }

    /// Gives the lock to the request at this place, which leaves the queue.
    pub(super) fn grant(&mut self, at: usize, mode: LockMode, cx: &mut Context<'_>) {
        let request = self.queue.remove(at);
        let Wish::Lock(_, ask) = &request.wish else { return };
        cx.record(&self.resource, Change::Held { mode, holder: request.holder_record() });
        self.holders.push(Holder {
            client: Arc::clone(&request.client),
            ticket: Some(request.ticket),
            mode,
            version: self.known.version,
            persistent: ask.persistent,
            claim: Claim::Asked,
            since: cx.now,
            lv_name: Arc::clone(&ask.lv_name),
            lv_args: Arc::clone(&ask.lv_args),
            gone: false,
        });
        if matches!(self.resource, Resource::Lv(_)) {
            self.fresh = Some(request.ticket);
        }
        let flags = self.duplicate_warning(cx);
        cx.reply(request.ticket, Reply { flags, ..Reply::of(ResultCode::OK) });
    }

    /// Warns of other VGs whose global lock is enabled as this one's is, and looks whether it still is.
    fn duplicate_warning(&self, cx: &mut Context<'_>) -> ResultFlags {
        if !cx.desk.duplicates || cx.desk.global != GlobalLease::Enabled {
            return ResultFlags::NONE;
        }
        if !matches!(self.resource, Resource::Lv(_)) {
            cx.call(Purpose::ReadGlobal(None), Call::ReadGlobal);
        }
        ResultFlags::DUP_GL_LS
    }

    /// Starts the conversion that the request at this place wants.
    pub(super) fn start_converting(
        &mut self,
        at: usize,
        holder: Key,
        to: LockMode,
        write: Option<ValueBlock>,
        cx: &mut Context<'_>,
    ) {
        let ticket = self.queue[at].ticket;
        self.fresh = None;
        if to == LockMode::Shared {
            // Whoever remembers too little is on the safe side, should we die in the middle of this.
            self.record_mode(holder, to, cx);
        }
        let call = Call::Convert(self.resource.clone(), to, write);
        self.call(Act::Converting { ticket, holder, to }, call, cx);
    }

    /// Has it remembered that a lock has this mode.
    pub(super) fn record_mode(&self, key: Key, mode: LockMode, cx: &mut Context<'_>) {
        if let Some(holder) = self.holder(key) {
            cx.record(&self.resource, Change::Held { mode, holder: holder.into() });
        }
    }

    /// Takes a lock from its holder; the last one's is given back to the lock manager.
    pub(super) fn give_up(&mut self, held: usize, ticket: Option<Ticket>, cx: &mut Context<'_>) {
        let holder = self.holders.remove(held);
        let key = holder.key();
        if holder.persistent {
            self.reliers.clear();
        }
        if self.holders.is_empty() {
            let write = self.leave_version(holder.version, cx);
            self.release(Some(key), ticket.map(|ticket| (ticket, ResultCode::OK)), write, cx);
            return;
        }
        cx.record(&self.resource, Change::Released { client: key.0 });
        if let Some(ticket) = ticket {
            cx.answer(ticket, ResultCode::OK);
        }
    }

    /// Gives the lock back to the lock manager.
    pub(super) fn release(
        &mut self,
        key: Option<Key>,
        reply: Option<(Ticket, ResultCode)>,
        write: Option<ValueBlock>,
        cx: &mut Context<'_>,
    ) {
        let call = Call::Release { resource: self.resource.clone(), write, free: false };
        self.call(Act::Releasing(Releasing { key, reply, write, uncertain: false }), call, cx);
    }

    /// Counts on the version, as an exclusive lock does that ends; returns what is to be written.
    pub(super) fn leave_version(&mut self, announced: u32, cx: &Context<'_>) -> Option<ValueBlock> {
        if self.mode != LockMode::Exclusive {
            return None;
        }
        let next = value_block::next_version(&self.resource, self.known, announced);
        if let Some(next) = next {
            self.known.version = next;
        }
        match self.resource {
            Resource::Lv(_) => None,
            Resource::Global | Resource::Vg => value_block::written(cx.desk.lock_type, self.block, next),
        }
    }

    /// Takes in the value block of a new lock; the error is what its client is told, who then does not get it.
    pub(super) fn read_block(
        &mut self,
        block: Option<ValueBlock>,
        cx: &mut Context<'_>,
    ) -> Result<(), ResultCode> {
        self.block = block;
        let Some(block) = block else { return Ok(()) };
        let (known, reading) = value_block::read(self.known, block);
        self.known = known;
        let code = match reading {
            Reading::Current => return Ok(()),
            Reading::Outdated(version) => {
                cx.tell(Notice::Outdated { resource: self.resource.clone(), version });
                return Ok(());
            }
            Reading::Invalid => ResultCode::INVALID,
            Reading::Removed => ResultCode::REMOVED,
        };
        cx.tell(Notice::BadValueBlock { resource: self.resource.clone(), block });
        Err(code)
    }
}

impl Request {
    /// Returns what is remembered of who asks.
    pub(super) fn holder_record(&self) -> HolderRecord {
        let client = HolderRecord {
            client: self.client.id.0,
            pid: self.client.pid,
            name: Arc::clone(&self.client.name),
            process: self.client.process.clone(),
            ..HolderRecord::nobody()
        };
        let Wish::Lock(_, ask) = &self.wish else { return client };
        HolderRecord {
            client: Key::new(ask.persistent, self.client.id).0,
            lv_name: Arc::clone(&ask.lv_name),
            lv_args: Arc::clone(&ask.lv_args),
            ..client
        }
    }
}
